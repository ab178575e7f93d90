"""Tokens of schedules that failed, in a file beside the test: replayed first, next time.

One token and the test's name a line, its comment in the line before. The file is meant for
version control, so it holds no dates, and lines that nobody changed stay as they are.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER: Final = Path(".effactor") / "regressions"

_HEADER: Final = (
    "# Schedules in which these tests failed. pytest replays them first; keep this file.",
    "# Tokens whose schedule passes again go with: pytest --effactor-forget-fixed",
)
_COMMENT: Final = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept token.

    Attributes:
        token: The token.
        test: The test's name, such as `TestShop::test_sells[tea]`.
        comment: What went wrong, in one line.
    """

    token: str
    test: str
    comment: str = ""


def file_of(test_file: Path) -> Path:
    """Say where the tokens of a file of tests are kept.

    Args:
        test_file: The file of tests.

    Returns:
        A path beside it, which need not exist.
    """
    return test_file.parent / FOLDER / f"{test_file.stem}.txt"


def kept(test_file: Path, test: str) -> list[Entry]:
    """Read the tokens of one test.

    Args:
        test_file: The file of tests.
        test: The test's name.

    Returns:
        Its entries, in the order of the file.
    """
    return [
        Entry(parts[0], parts[1])
        for line in _lines(file_of(test_file))
        if (parts := _parts(line)) is not None and parts[1] == test
    ]


def change(test_file: Path, *, add: Iterable[Entry] = (), drop: Sequence[Entry] = ()) -> None:
    """Rewrite the file: whoever reads it meanwhile sees the old one or the new one.

    A file that would hold no token any more is removed.

    Args:
        test_file: The file of tests.
        add: Entries to add, if they are not there.
        drop: Entries to remove, with their comments.
    """
    file = file_of(test_file)
    before = _lines(file)
    gone = {(entry.token, entry.test) for entry in drop}
    lines: list[str] = []
    for line in before:
        if _parts(line) in gone:
            while lines and lines[-1].startswith("#") and lines[-1] not in _HEADER:
                lines.pop()
        else:
            lines.append(line)
    there = {_parts(line) for line in lines}
    for entry in add:
        if (entry.token, entry.test) not in there:
            there.add((entry.token, entry.test))
            if not lines:
                lines += _HEADER
            said = " ".join(entry.comment.split())[:_COMMENT]
            if said:
                lines.append(f"# {said}")
            lines.append(f"{entry.token} {entry.test}")
    if lines == before:
        return
    if any(_parts(line) for line in lines):
        _write(file, "".join(f"{line}\n" for line in lines))
    else:
        file.unlink(missing_ok=True)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _parts(line: str) -> tuple[str, str] | None:
    """Split a line into token and test; None for a comment or an empty line."""
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    token, _, test = text.partition(" ")
    return token, test.strip()


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as new:
            new.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def as_data(entries: Iterable[Entry]) -> list[list[str]]:
    """Put entries into what a report can carry from one process to another.

    Args:
        entries: The entries.

    Returns:
        Lists of text.
    """
    return [[entry.token, entry.test, entry.comment] for entry in entries]


def from_data(data: Iterable[Any]) -> list[Entry]:
    """Take entries out of a report.

    Args:
        data: What `as_data` made.

    Returns:
        The entries.
    """
    return [Entry(*fields) for fields in data]
