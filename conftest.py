"""Run the code blocks of README.md and docs/ as tests.

A page is one script: its blocks share a namespace, run in order, and see
themselves as ``__main__``. Four fences are run:

* ``python`` is executed; lines that begin with ``>>>`` are doctests;
* ``pycon`` is a console session, each answer compared;
* ``output`` holds what the block before it printed; ``...`` stands for any text;
* ``console`` holds a call of pytest after ``$``, and what it prints. It runs in a folder of
  the page, where each ``python`` block is a file whose first line is a comment with its name
  (a file of tests is not executed otherwise). Calls of other programs are not run.

Code that is not to run has another fence, such as ``text``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import weakref
from contextlib import redirect_stdout
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, REPORT_NDIFF, OutputChecker
from doctest import Example as Expected
from functools import cached_property
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from sessions import plugin_options
from sybil import Document, Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser
from typing_extensions import override

if TYPE_CHECKING:
    from sybil.typing import Evaluator


# The fixtures `world` and `pytester`. Named here, because a second conftest.py would be a second
# module of that name for mypy.
pytest_plugins = ["worlds", "pytester"]

# A deadline reads the wall clock: on a busy machine it fails a test that is right.
settings.register_profile("effactor", deadline=None)
settings.load_profile("effactor")


class Page(Document):
    """A page that runs as the module ``__main__``.

    Dataclasses, type hints and pickle look a class's module up by name, so a
    bare namespace is not enough.
    """

    def __init__(self, text: str, path: str) -> None:
        super().__init__(text, path)
        self.module = ModuleType("__main__")
        self.namespace = self.module.__dict__
        self.printed = ""
        self.files: list[str] = []

    @cached_property
    def folder(self) -> Path:
        """Where its files are and its sessions run."""
        folder = Path(tempfile.mkdtemp(prefix="page"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    @override
    def evaluate(self, example: Example, evaluator: Evaluator) -> None:
        output = StringIO()
        name = re.match(r"# (\w+)\.py\n", str(example.parsed))
        if name is not None:
            (self.folder / f"{name[1]}.py").write_text(str(example.parsed), encoding="utf-8")
            if name[1].startswith("test_"):
                return  # pytest runs it, in a console block
            self.files.append(name[1])
        try:
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(output):
                patch.setitem(sys.modules, "__main__", self.module)
                if self.files:
                    patch.syspath_prepend(self.folder)  # pyright: ignore[reportUnknownMemberType]
                super().evaluate(example, evaluator)
        finally:
            for file in self.files:
                sys.modules.pop(file, None)  # a later block may change it
            self.printed = output.getvalue()
            sys.stdout.write(self.printed)  # for pytest's report of a failure


def compare_output(example: Example) -> str | None:
    """Compare an ``output`` block with what the block before it printed."""
    page = example.document
    assert isinstance(page, Page)
    checker = OutputChecker()
    if checker.check_output(example.parsed, page.printed, ELLIPSIS):
        return None
    return checker.output_difference(Expected("", example.parsed), page.printed, REPORT_NDIFF)


def run_session(example: Example) -> str | None:
    """Call pytest as a ``console`` block does, and compare what it prints."""
    page = example.document
    assert isinstance(page, Page)
    command, _, expected = str(example.parsed).partition("\n")
    prompt, program, *arguments = shlex.split(command)
    if (prompt, program) != ("$", "pytest"):
        return None  # of another program
    result = subprocess.run(  # noqa: S603 - the arguments are ours
        [sys.executable, "-m", "pytest", *plugin_options(), *arguments],
        cwd=page.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "80"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    checker = OutputChecker()
    if checker.check_output(expected, result.stdout, ELLIPSIS | NORMALIZE_WHITESPACE):
        return None
    found = checker.output_difference(Expected("", expected), result.stdout, REPORT_NDIFF)
    return found + result.stderr


def refuse_fence(example: Example) -> str:
    """Refuse a fence that reads as Python and would not be run."""
    del example
    return "name the fence python or pycon, so that it runs, or text, so that it does not"


console = PythonCodeBlockParser(doctest_optionflags=ELLIPSIS)
console.codeblock_parser = CodeBlockParser("pycon", PythonEvaluator())

pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=ELLIPSIS),
        console,
        CodeBlockParser("output", compare_output),
        CodeBlockParser("console", run_session),
        *(CodeBlockParser(name, refuse_fence) for name in ("py", "py3", "python3", "Python")),
    ],
    pattern="*.md",
    document_types={".md": Page},
).pytest()
