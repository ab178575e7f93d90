"""What a program is called where people read of it."""

from __future__ import annotations

import re
from typing import Any, Final

from effactor.programs.program import Block, Named

_DEPTH: Final = 100  # names are made often, and a program may be thousands of nodes deep

_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def name_of(program: Any) -> str:
    """Name a program for people: its block or `named`, else its innermost operation.

    Args:
        program: Any program.

    Returns:
        Text without slashes, such as `checkout`.
    """
    for _ in range(_DEPTH):
        if isinstance(program, Named):
            return program.name.replace("/", "|")
        if isinstance(program, Block):
            return program.function.__qualname__.rpartition(".")[2]
        source = getattr(program, "source", None)
        if source is None:
            break
        program = source
    return _WORDS.sub("_", type(program).__name__).lower()
