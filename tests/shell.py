"""A shell in a folder of its own: modules are written, the command is called in process."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

from effactor_interpreters.command_line.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@dataclass(frozen=True)
class Said:
    """What the command said, and its exit status."""

    status: int
    out: str
    err: str


class Shell:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(dedent(text), encoding="utf-8")

    def effactor(self, *arguments: str) -> Said:
        self._capsys.readouterr()
        status = main(arguments)
        captured = self._capsys.readouterr()
        return Said(status, captured.out, captured.err)
