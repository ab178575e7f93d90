"""Run the code blocks of README.md and docs/ as tests.

A page is one script: its blocks share a namespace, run in order, and see
themselves as ``__main__``. Three fences are run:

* ``python`` is executed; lines that begin with ``>>>`` are doctests;
* ``pycon`` is a console session, each answer compared;
* ``output`` holds what the block before it printed; ``...`` stands for any text.

Code that is not to run has another fence, such as ``text``.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from doctest import ELLIPSIS, REPORT_NDIFF, OutputChecker
from doctest import Example as Expected
from io import StringIO
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from sybil import Document, Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser
from typing_extensions import override

if TYPE_CHECKING:
    from sybil.typing import Evaluator


# The fixture `world`. Named here, because a second conftest.py would be a second
# module of that name for mypy.
pytest_plugins = ["worlds"]

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

    @override
    def evaluate(self, example: Example, evaluator: Evaluator) -> None:
        output = StringIO()
        try:
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(output):
                patch.setitem(sys.modules, "__main__", self.module)
                super().evaluate(example, evaluator)
        finally:
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
        *(CodeBlockParser(name, refuse_fence) for name in ("py", "py3", "python3", "Python")),
    ],
    pattern="*.md",
    document_types={".md": Page},
).pytest()
