"""`effactor run`: run a program live, and count what becomes of an input."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Any

import click

from effactor.traces.as_json import jsonable
from effactor_interpreters.command_line import console
from effactor_interpreters.command_line.exit_status import FINE, FOUND, INTERRUPTED
from effactor_interpreters.command_line.input import Lines
from effactor_interpreters.command_line.protocol import check_runnable, perform
from effactor_interpreters.command_line.summary import Outcomes
from effactor_interpreters.command_line.targets import Target, load
from effactor_interpreters.command_line.tracebacks import useful
from effactor_interpreters.runtime.system import ActorSystem

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command(short_help="Run a program live.")
@click.argument("target", metavar="MODULE:NAME")
@click.option("--input", "path", metavar="FILE", help="Lines to read; - is the standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--log",
    "level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="Least level of log messages to show, on stderr.",
)
def run(target: str, path: str | None, level: str, *, as_json: bool) -> int:
    """Run a program live, on asyncio, in a system of its own.

    NAME is a program, or a function that makes one, or an async function that does
    everything itself. Parameters are given by name: `system` is the ActorSystem,
    `lines` the lines of the input. An async generator yields outcomes, which are
    counted: a label such as "sold", or a label and a note.

    \b
    effactor run shop:checkout_one
    effactor run shop:checkout_all --input orders.jsonl
    zcat orders.jsonl.gz | effactor run shop:checkout_all --input - --json

    Outcomes are results, whatever they say; exit status 1 means an exception.
    """  # noqa: D301 - \b is click's mark for lines to keep
    logging.basicConfig(level=level.upper(), format="%(levelname)s %(name)s: %(message)s")
    found = load(target)
    lines = None if path is None else Lines(path)
    check_runnable(found, lines)
    outcomes = Outcomes()
    began = time.perf_counter()
    try:
        with console.progress(target, None if lines is None else len(lines)) as show:
            answer = asyncio.run(_run(found, lines, outcomes, show))
    except KeyboardInterrupt:
        _say_how_far(outcomes, lines, "interrupted")
        return INTERRUPTED
    except Exception as error:
        click.echo(useful(error), err=True)
        _say_how_far(outcomes, lines, "stopped")
        return FOUND
    seconds = time.perf_counter() - began
    if as_json:
        document: dict[str, Any] = {"target": target, "input": path, "seconds": round(seconds, 3)}
        document |= outcomes.as_json() if answer is None else {"answer": jsonable(answer)}
        console.text(json.dumps(document, indent=2))
    elif outcomes.total or lines is not None:
        console.output(outcomes.table(seconds))
    elif answer is not None:
        console.text(answer if isinstance(answer, str) else repr(answer))
    return FINE


async def _run(
    target: Target, lines: Lines | None, outcomes: Outcomes, show: Callable[[int], None]
) -> Any:
    def count(label: str, note: str) -> None:
        outcomes.count(label, note)
        show(outcomes.total)

    async with ActorSystem(target.module.rpartition(".")[2]) as system:
        return await perform(target, system, lines, count)


def _say_how_far(outcomes: Outcomes, lines: Lines | None, what: str) -> None:
    if outcomes.total or lines is not None:
        of = "" if lines is None else f" of {len(lines):,}"
        done = f": {outcomes.in_words()}" if outcomes.total else ""
        what = f"{what} after {outcomes.total:,}{of}{done}"
    click.echo(f"effactor: {what}", err=True)
