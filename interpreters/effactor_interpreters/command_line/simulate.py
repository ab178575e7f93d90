"""`effactor simulate`: try many schedules of a scenario, and tell the verdict."""

from __future__ import annotations

import json
import time as clock
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.text import Text

from effactor_interpreters.command_line import console
from effactor_interpreters.command_line.exit_status import FINE, FOUND, INTERRUPTED
from effactor_interpreters.command_line.protocol import check_scenario
from effactor_interpreters.command_line.targets import load
from effactor_interpreters.simulation.exploring import Failure, Verdict, explore
from effactor_interpreters.simulation.strategies import STRATEGIES

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.command(short_help="Try many schedules of a scenario.")
@click.argument("target", metavar="MODULE:SCENARIO")
@click.option(
    "--schedules",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    help="How many to try.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Equal seeds try equal schedules.",
)
@click.option(
    "--strategy",
    type=click.Choice(list(STRATEGIES)),
    default="portfolio",
    show_default=True,
    help="Which schedules to try.",
)
@click.option(
    "--time",
    type=click.Choice(["async", "latency"]),
    default="async",
    show_default=True,
    help="async: timers may fire at any moment; latency: only when no message is under way.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def simulate(
    target: str,
    schedules: int,
    seed: int,
    strategy: str,
    time: Literal["async", "latency"],
    *,
    as_json: bool,
) -> int:
    """Run a scenario under many schedules, on virtual time, until one fails.

    A scenario is a function of the simulation, def scenario(sim): it spawns actors,
    runs programs and says what must hold. A failure is shrunk, told, and replayed
    with the token it comes with.

    \b
    effactor simulate shop:never_oversold
    effactor simulate shop:oversells --schedules 10000 --seed 7 --strategy random

    Exit status 1 means that a schedule fails.
    """  # noqa: D301 - \b is click's mark for lines to keep
    found = load(target)
    check_scenario(found)
    began = clock.perf_counter()
    tried = 0
    with console.progress(f"{target}: schedules", schedules) as show:

        def count(runs: int, _steps: int) -> None:
            nonlocal tried
            tried = runs
            show(runs)

        try:
            verdict = explore(found.value, schedules, seed, strategy, time=time, progress=count)
        except KeyboardInterrupt:
            of = f"{tried:,} of {schedules:,} schedules"
            click.echo(f"effactor: interrupted after {of}", err=True)
            return INTERRUPTED
    seconds = clock.perf_counter() - began
    if as_json:
        console.text(json.dumps(_as_json(target, verdict, seconds), indent=2))
    elif verdict.failure is None:
        console.output(*_passed(target, verdict, seconds))
    else:
        console.text(_failed(target, verdict.failure))
    return FINE if verdict.ok else FOUND


def _passed(target: str, verdict: Verdict, seconds: float) -> list[RenderableType]:
    schedules = _several(verdict.runs, "schedule")
    headline = Text(f"{target}: no failure in {schedules}", style="bold green")
    if verdict.exhausted:
        scope = "these are all there are"
    else:
        scope = f"{verdict.distinct:,} different ones"
        if verdict.bound is not None:
            scope += (
                f"; all with up to {_several(verdict.bound, 'deviation')} from the default order"
            )
    per_second = f": {verdict.runs / seconds:,.0f} schedules/s" if seconds > 0 else ""
    lines = [
        scope,
        f"{verdict.strategy}, seed {verdict.seed}",
        f"{_several(verdict.steps, 'step')} in {seconds:.2f} s{per_second}",
        *(f"seen {_several(count, 'time')}: {name}" for name, count in verdict.hits.items()),
    ]
    return [headline, *(Text(f"  {line}") for line in lines)]


def _failed(target: str, failure: Failure) -> str:
    return f"{failure.explain()}\n           effactor replay {target} {failure.token}"


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _as_json(target: str, verdict: Verdict, seconds: float) -> dict[str, Any]:
    document: dict[str, Any] = {
        "target": target,
        "ok": verdict.ok,
        "schedules": verdict.runs,
        "distinct": verdict.distinct,
        "exhausted": verdict.exhausted,
        "bound": verdict.bound,
        "steps": verdict.steps,
        "seconds": round(seconds, 3),
        "strategy": verdict.strategy,
        "seed": verdict.seed,
        "hits": verdict.hits,
        "failure": None,
    }
    failure = verdict.failure
    if failure is not None:
        document["failure"] = {
            "type": type(failure.error).__name__,
            "message": str(failure.error),
            "token": failure.token,
            "schedule": failure.schedule,
            "deviations": list(failure.deviations),
            "trace": json.loads(failure.trace.to_json(indent=None)),
        }
    return document
