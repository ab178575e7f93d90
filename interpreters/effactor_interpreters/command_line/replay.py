"""`effactor replay`: see one schedule again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from effactor.errors import BadToken, Violation
from effactor_interpreters.command_line import console
from effactor_interpreters.command_line.exit_status import FINE, FOUND
from effactor_interpreters.command_line.protocol import check_scenario
from effactor_interpreters.command_line.targets import load
from effactor_interpreters.command_line.tracebacks import useful
from effactor_interpreters.command_line.wrong_input import WrongInput
from effactor_interpreters.simulation.diagram import sequence
from effactor_interpreters.simulation.runs import replay as run_again

if TYPE_CHECKING:
    from effactor_interpreters.simulation.runs import Run


@click.command(short_help="See one schedule again.")
@click.argument("target", metavar="MODULE:SCENARIO")
@click.argument("token")
@click.option("--trace", "everything", is_flag=True, help="List everything that happened.")
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
def replay(target: str, token: str, *, everything: bool, as_json: bool) -> int:
    """Run a scenario again, exactly as the token of a failure says.

    \b
    effactor replay shop:oversells ef2:AGOLpgMDAQECGis8TV5vALOP
    effactor replay shop:oversells ef2:AGOLpgMDAQECGis8TV5vALOP --trace

    Exit status 1 means that it failed again.
    """  # noqa: D301 - \b is click's mark for lines to keep
    found = load(target)
    check_scenario(found)
    try:
        run = run_again(found.value, token)
    except BadToken as error:
        raise WrongInput(str(error)) from None
    if as_json:
        console.text(json.dumps(_as_json(target, run), indent=2))
    else:
        console.text("\n".join(_story(target, run, everything=everything)))
    return FINE if run.ok else FOUND


def _story(target: str, run: Run[Any], *, everything: bool) -> list[str]:
    error = run.error
    if error is None:
        ending, lines = "no failure", [f"{target}: no failure in this schedule"]
    else:
        ending = f"{type(error).__name__}: {error}".rstrip(": ")
        # A violation is found between two lines of the user's, so it has no place.
        lines = [ending if isinstance(error, Violation) else useful(error)]
    lines.append("")
    if everything:
        lines += run.trace.to_text().splitlines()
    else:
        marks = dict.fromkeys(run.deviating_steps, "<- here it leaves the default order")
        lines += [f"  {line}".rstrip() for line in sequence(run.trace, marks, ending)]
    return [*lines, "", f"  {run.steps:,} steps, digest {run.digest}"]


def _as_json(target: str, run: Run[Any]) -> dict[str, Any]:
    error = run.error
    return {
        "target": target,
        "ok": run.ok,
        "error": None if error is None else {"type": type(error).__name__, "message": str(error)},
        "token": run.token,
        "steps": run.steps,
        "digest": run.digest,
        "deviations": list(run.deviations),
        "trace": json.loads(run.trace.to_json(indent=None)),
    }
