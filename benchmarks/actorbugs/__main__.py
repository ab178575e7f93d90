"""Count the schedules until each strategy finds each bug: `python -m benchmarks.actorbugs`."""

from __future__ import annotations

import argparse
import sys

from benchmarks.actorbugs.catalogue import BUGS
from benchmarks.actorbugs.searching import Search, searches
from benchmarks.actorbugs.tables import by_program, by_strategy
from effactor import pure
from effactor.interpreters import explore

STRATEGIES = "portfolio,pos,random,pct,deviations,dpor"


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print two tables in Markdown.

    Args:
        arguments: Of the command line; None for those of the process.

    Returns:
        The exit status: 1 if the last strategy named misses a bug with some seed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.actorbugs", description=__doc__)
    parser.add_argument("--seeds", type=_count, default=20, help="how many, from 0")
    parser.add_argument(
        "--strategies", default=STRATEGIES, help="names that explore knows, with commas between"
    )
    parser.add_argument("--limit", type=_count, default=1000, help="schedules to try with a seed")
    parser.add_argument(
        "--only",
        choices=[bug.name for bug in BUGS],
        action="append",
        metavar="NAME",
        help="one program; may be given again",
    )
    parser.add_argument("--jobs", type=_count, default=1, help="processes to use")
    options = parser.parse_args(arguments)
    strategies = list(dict.fromkeys(options.strategies.split(",")))
    for name in strategies:
        try:
            explore(pure(None), 1, strategy=name)
        except ValueError as error:
            parser.error(str(error))
    bugs = [bug for bug in BUGS if not options.only or bug.name in options.only]
    found: list[Search] = []
    for result in searches(
        bugs, strategies, seeds=options.seeds, limit=options.limit, jobs=options.jobs
    ):
        print(f"{result.bug}, {result.strategy}: {result.mean:.1f}", file=sys.stderr)
        found.append(result)
    print(
        f"Schedules to the first failure over {options.seeds} seeds, at most {options.limit:,} "
        "each: mean / median / most.\n"
    )
    print(by_program(bugs, found, strategies))
    print()
    print(by_strategy(found, strategies))
    return int(any(result.missed for result in found if result.strategy == strategies[-1]))


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        msg = f"must be at least 1, got {number}"
        raise argparse.ArgumentTypeError(msg)
    return number


if __name__ == "__main__":
    sys.exit(main())
