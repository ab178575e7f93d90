"""What a program is called where people read of it."""

from __future__ import annotations

from typing import Any

from effactor.programs.program import Block, Named


def name_of(program: Any) -> str:
    """Name a program for people: its block or `named`, else its innermost operation.

    Args:
        program: Any program.

    Returns:
        Text without slashes, such as `checkout`.
    """
    while True:
        if isinstance(program, Named):
            return program.name.replace("/", "|")
        if isinstance(program, Block):
            return program.function.__qualname__.rpartition(".")[2]
        source = getattr(program, "source", None)
        if source is None:
            return type(program).__name__.lower()
        program = source
