"""Compare `dpor` with the exhaustive search on many generated programs.

    PYTHONPATH=tests python tests/simulation/comparing.py 2500 --first 0 --limit 2500

tries programs until so many have been compared, half of them rich in operations. Those with
more schedules than the limit are left out, and those that can come to a deadlock.
"""

from __future__ import annotations

import argparse
import sys

from simulation.generated import generated

from effactor.interpreters import explore


def outcomes(seed: int, strategy: str, limit: int, *, rich: bool) -> tuple[set[str], int, bool]:
    """Return what a program comes to, the runs it took, and whether they were all."""
    found: set[str] = set()
    verdict = explore(generated(seed, found, rich=rich), limit, strategy=strategy)
    return found, verdict.runs, verdict.ok and verdict.exhausted


def main() -> int:
    """Compare; the status is 1 if a program came to other outcomes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--limit", type=int, default=2500)
    options = parser.parse_args()
    seed: int = options.first
    compared = left_out = full = reduced = 0
    wrong: list[int] = []
    while compared < options.programs:
        rich = bool(seed % 2)
        expected, runs, exhausted = outcomes(seed, "exhaustive", options.limit, rich=rich)
        if exhausted:
            found, fewer, exhausted = outcomes(seed, "dpor", options.limit, rich=rich)
            if found != expected or not exhausted:
                wrong.append(seed)
                sys.stdout.write(f"program {seed}: {len(found)} of {len(expected)} outcomes\n")
            compared, full, reduced = compared + 1, full + runs, reduced + fewer
        else:
            left_out += 1
        seed += 1
    sys.stdout.write(
        f"{compared:,} programs, {left_out:,} left out; {full:,} runs of the exhaustive search, "
        f"{reduced:,} of dpor ({full / reduced:.1f} times fewer); {len(wrong)} mismatches\n"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
