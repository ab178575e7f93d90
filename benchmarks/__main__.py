"""Measure effactor against the classic asyncio actor: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from benchmarks import (
    asks,
    combinators,
    consistency,
    latency,
    memory,
    million,
    observing,
    others,
    programs,
    simulator,
    tells,
)
from benchmarks.measuring import FULL, QUICK, Effort, Row, table

TOPICS: dict[str, Callable[[Effort], Awaitable[list[Row]]]] = {
    topic.TOPIC: topic.rows
    for topic in (
        asks,
        latency,
        tells,
        observing,
        memory,
        million,
        others,
        programs,
        combinators,
        simulator,
        consistency,
    )
}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks.

    Args:
        arguments: Of the command line; None for those of the process.

    Returns:
        The exit status: 1 if `--check` was given and a row misses its target.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="take about a minute")
    parser.add_argument(
        "--only", choices=TOPICS, action="append", help="one topic; may be given again"
    )
    parser.add_argument("--json", action="store_true", help="write JSON instead of a table")
    parser.add_argument(
        "--check", action="store_true", help="exit with status 1 if a row misses its target"
    )
    options = parser.parse_args(arguments)
    begin = time.perf_counter()
    rows: list[Row] = []
    for name, measure in TOPICS.items():
        if options.only and name not in options.only:
            continue
        print(f"measuring {name} ...", file=sys.stderr)
        rows += asyncio.run(_measured(measure, QUICK if options.quick else FULL))
    seconds = time.perf_counter() - begin
    missed = [row for row in rows if not row.ok]
    if options.json:
        made = [asdict(row) | {"ok": row.ok} for row in rows]
        print(json.dumps({"machine": _machine(), "seconds": seconds, "rows": made}, indent=2))
    else:
        print(table(rows))
        print(f"\n{_machine()}; {seconds:.0f} s; {len(missed)} targets missed")
    return 1 if options.check and missed else 0


async def _measured(measure: Callable[[Effort], Awaitable[list[Row]]], effort: Effort) -> list[Row]:
    return await measure(effort)


def _machine() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main())
