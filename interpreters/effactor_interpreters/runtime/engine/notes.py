"""Notes on exceptions: the path of a defect through operations, programs and actors.

Only on defects. Failures are the user's values, perhaps raised many times.
"""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb
from typing import Final

import effactor

_MACHINERY: Final = (str(Path(effactor.__file__).parent), str(Path(__file__).parents[2]))


def note(defect: BaseException, text: str) -> None:
    """Add a note to an exception, unless it is there already or cannot be.

    Args:
        defect: The exception.
        text: The note.
    """
    if text in getattr(defect, "__notes__", ()):
        return
    try:
        defect.add_note(text)
    except Exception:  # noqa: S110 - an exception may be frozen: it does without
        pass


def set_context(error: object, before: BaseException) -> None:
    """Say which exception came before another, as Python does for `finally`.

    Args:
        error: What came after; nothing happens if it is no exception.
        before: What came before: it goes to the end of the chain of contexts.
    """
    known: set[int] = set()
    link: BaseException | None = before
    while link is not None and id(link) not in known:
        known.add(id(link))
        link = link.__context__
    last = error if isinstance(error, BaseException) else None
    while last is not None and id(last) not in known:
        known.add(id(last))
        if last.__context__ is None:
            # Not by assignment: an exception may be frozen.
            object.__setattr__(last, "__context__", before)
        last = last.__context__


def note_path(defect: BaseException, failure: BaseException) -> None:
    """Note on a handler's exception which blocks had asked for it.

    Args:
        defect: What the handler raised: its traceback ends in the handler.
        failure: The failure that has carried it through the asking program.
    """
    frames = extract_tb(failure.__traceback__)
    path = [
        f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        for frame in frames
        if not frame.filename.startswith(_MACHINERY)
    ]
    if path:
        note(defect, "\n".join(["asked for in", *path]))
