"""Terminals: results go to stdout, progress to stderr, and only where someone watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import RenderableType

_WIDTH: Final = 120  # of a file or a pipe, which has none of its own


def output(*parts: RenderableType) -> None:
    """Print to stdout; text is taken as it is, without markup."""
    console = Console(markup=False, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = _WIDTH
    for part in parts:
        console.print(part)


def text(lines: str) -> None:
    """Print text to stdout as it is, never wrapped."""
    click.echo(lines)


class _Speed(ProgressColumn):
    """How many a second."""

    @override
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s", style="cyan")


@contextmanager
def progress(label: str, total: int | None) -> Generator[Callable[[int], None]]:
    """Show progress on stderr while the block runs, if that is a terminal.

    Args:
        label: What is going on.
        total: How many there are; None if nobody knows.

    Yields:
        A function to call with how many are done.
    """
    console = Console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
        # What the user's code prints must stay on stdout when that is a pipe.
        redirect_stdout=sys.stdout.isatty(),
    )
    with bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)
