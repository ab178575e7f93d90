"""The lines of an input file, checked before anything runs."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from effactor_interpreters.command_line.targets import nearest
from effactor_interpreters.command_line.wrong_input import WrongInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Lines:
    """The lines of a text, without their ends; sized, and iterable more than once.

    A file is read again each time, so that it may be larger than the memory.
    """

    def __init__(self, path: str) -> None:
        """Read and check all lines once.

        Args:
            path: A file in UTF-8; `-` is the standard input.

        Raises:
            WrongInput: If it cannot be read, or a line is not UTF-8.
        """
        self._path = path
        self._kept: list[str] | None = None
        try:
            if path == "-":
                self._kept = list(_decoded(path, sys.stdin.buffer))
            elif not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - "-" is no Path
                # A pipe can be read only once.
                self._kept = list(self._read())
            self._count = sum(1 for _ in self)
        except FileNotFoundError:
            folder = Path(path).parent
            known = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - names
            msg = f"there is no file {path}{nearest(Path(path).name, known)}"
            raise WrongInput(msg) from None
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror}"
            raise WrongInput(msg) from None

    def __len__(self) -> int:
        """Count the lines."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        """Go through the lines in order."""
        return self._read() if self._kept is None else iter(self._kept)

    def _read(self) -> Iterator[str]:
        with open(self._path, "rb") as file:  # noqa: PTH123 - see above
            yield from _decoded(self._path, file)


def _decoded(path: str, lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            msg = f"{path}, line {number}: not UTF-8 (byte {error.start + 1})"
            raise WrongInput(msg) from None
        yield text.removesuffix("\n").removesuffix("\r")
