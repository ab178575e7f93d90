"""Tracebacks without the frames of the machinery: what is left is the user's code."""

from __future__ import annotations

import asyncio
import os
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import effactor

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDLIB: Final = sysconfig.get_paths()["stdlib"] + os.sep
_MACHINERY: Final = (
    str(Path(effactor.__file__).parent) + os.sep,
    str(Path(__file__).parents[1]) + os.sep,
    str(Path(asyncio.__file__).parent) + os.sep,
    str(Path(click.__file__).parent) + os.sep,
    f"{_STDLIB}contextlib.py",
    "<frozen",
)


def useful(error: BaseException) -> str:
    """Write an exception as Python does, with the frames of the user's code only.

    Args:
        error: The exception.

    Returns:
        The text. An exception that no line of the user's had a part in keeps all
        its frames, unless effactor raised it on purpose.
    """
    found = traceback.TracebackException.from_exception(error)
    everything = list(_all(found))
    theirs = [[f for f in e.stack if not f.filename.startswith(_MACHINERY)] for e in everything]
    if any(theirs) or isinstance(error, effactor.EffactorError):
        for exception, frames in zip(everything, theirs, strict=True):
            exception.stack[:] = frames
    return "".join(found.format()).rstrip()


def _all(found: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    yield found
    for other in (found.__cause__, found.__context__, *(found.exceptions or ())):
        if other is not None:
            yield from _all(other)


def place(error: BaseException) -> str:
    """Say in which line of the user's code an exception was raised.

    Args:
        error: The exception.

    Returns:
        Text such as `shop.py, line 41`; empty if no line of the user's is known.
    """
    if isinstance(error, SyntaxError):
        return f"{_near(error.filename or '?')}, line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = frame.filename
        if not file.startswith((*_MACHINERY, _STDLIB)) and "site-packages" not in file:
            return f"{_near(file)}, line {frame.lineno}"
    return ""


def _near(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
