"""The command's name, its help, and how its errors are told."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import click

from effactor_interpreters.command_line.dry_run import dry_run
from effactor_interpreters.command_line.exit_status import FINE, FOUND, INTERRUPTED, WRONG_INPUT
from effactor_interpreters.command_line.replay import replay
from effactor_interpreters.command_line.run import run
from effactor_interpreters.command_line.simulate import simulate
from effactor_interpreters.command_line.tracebacks import useful

if TYPE_CHECKING:
    from collections.abc import Sequence


def _version() -> str:
    try:
        return version("effactor")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "(not installed)"


@click.group(
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 fine, 1 found something, 2 wrong input, 130 interrupted.",
)
@click.version_option(_version(), prog_name="effactor", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Run, simulate, replay and draw actor workflows.

    MODULE:NAME is a name in a module that can be imported from the current
    directory: shop:checkout is what `from shop import checkout` imports.

    \b
    effactor run shop:checkout_all --input orders.jsonl
    effactor simulate shop:never_oversold --schedules 2000
    effactor replay shop:oversells ef2:AGOLpgMDAQECGis8TV5vALOP
    effactor dry-run shop:checkout_one --format mermaid
    """  # noqa: D301 - \b is click's mark for lines to keep
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (run, simulate, replay, dry_run):
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; None takes it from the shell.

    Returns:
        The exit status.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status: int | None = cli.main(given, prog_name="effactor", standalone_mode=False)
    except click.ClickException as error:
        click.echo(_one_line(error), err=True)
        return WRONG_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("effactor: interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        click.echo(useful(error), err=True)
        return FOUND
    return status or FINE


def _one_line(error: click.ClickException) -> str:
    text = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    if not isinstance(context, click.Context):
        return f"effactor: {text}"
    path = context.command_path
    text = f"{text[:1].lower()}{text[1:]}".rstrip(".")
    return f"{path}: {text} (see {path} --help)"
