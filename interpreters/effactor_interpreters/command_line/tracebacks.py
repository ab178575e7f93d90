"""Tracebacks without the frames of the machinery: what is left is the user's code."""

from __future__ import annotations

import asyncio
import os
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import effactor

if TYPE_CHECKING:
    from collections.abc import Iterator

_MACHINERY: Final = (
    str(Path(effactor.__file__).parent) + os.sep,
    str(Path(__file__).parents[1]) + os.sep,
    str(Path(asyncio.__file__).parent) + os.sep,
    str(Path(sysconfig.get_paths()["stdlib"]) / "contextlib.py"),
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
