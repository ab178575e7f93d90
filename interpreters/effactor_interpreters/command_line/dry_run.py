"""`effactor dry-run`: draw what a program would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from effactor.errors import Livelock, MissingAnswer
from effactor.programs.exits import Died
from effactor_interpreters.command_line import console
from effactor_interpreters.command_line.exit_status import FINE, FOUND
from effactor_interpreters.command_line.protocol import program_of
from effactor_interpreters.command_line.targets import load
from effactor_interpreters.command_line.tracebacks import useful
from effactor_interpreters.command_line.wrong_input import WrongInput
from effactor_interpreters.dry_run.interpreter import dry_run as draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.traces.trace import Trace

_FORMATS: Final[dict[str, Callable[[Trace], str]]] = {
    "text": lambda trace: trace.to_text(),
    "mermaid": lambda trace: trace.to_mermaid(),
    "json": lambda trace: trace.to_json(),
}


@click.command("dry-run", short_help="Draw what a program would do.")
@click.argument("target", metavar="MODULE:NAME")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="text",
    show_default=True,
    help="A tree, a Mermaid sequence diagram, or all of it.",
)
@click.option(
    "--answers",
    metavar="[MODULE:]NAME",
    help="A mapping from messages, or their types, to what is answered.",
)
def dry_run(target: str, form: str, answers: str | None) -> int:
    """Draw what a program would do, without doing any of it.

    NAME is a program, or a function without arguments that makes one. Messages are
    answered from --answers, else by the zero value of their reply's type.

    \b
    effactor dry-run shop:checkout_one
    effactor dry-run shop:checkout_one --answers declining --format mermaid

    Exit status 1 means that the program raised an exception, or did not end.
    """  # noqa: D301 - \b is click's mark for lines to keep
    found = load(target)
    stubs = None
    if answers is not None:
        stubs = load(answers if ":" in answers else f"{found.module}:{answers}").value
    program = program_of(found)
    try:
        trace = draw(program, answers=stubs)
    except MissingAnswer as error:
        msg = f"{error}; on the command line, --answers names this mapping"
        raise WrongInput(msg) from None
    except TypeError as error:  # about the answers: what the program raises is in the trace
        raise WrongInput(str(error)) from None
    except Livelock as error:
        click.echo(useful(error), err=True)
        return FOUND
    console.text(_FORMATS[form](trace))
    if isinstance(trace.outcome, Died):
        click.echo(useful(trace.outcome.defect), err=True)
        return FOUND
    return FINE
