"""Each test that the table of this folder's README.md names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_TESTS = _HERE.parent
_ROW = re.compile(r"^\| ([WO]\d+): .* \| (.*) \|$", re.MULTILINE)
_README = (_HERE / "README.md").read_text(encoding="utf-8")
_NAME = re.compile(r"`((?:test_\w+\.py::)?test_\w+)`")
NAMED = [
    (weakness, name) for weakness, tests in _ROW.findall(_README) for name in _NAME.findall(tests)
]
WANTED = {
    *(f"W{n}" for n in (*range(1, 15), *range(16, 22), 24, 25, 26, 28, 30, 31, 33, 35, 40)),
    *(f"O{n}" for n in (1, 2, 3, 4, 6, 7, 9, 10, 12)),
}


def names_in(path: Path) -> set[str]:
    """Return the names of the test functions of a module that pytest collects."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (
        node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {node.name for node in functions if node.name.startswith("test_")}


FOUND = {
    path.relative_to(_TESTS).as_posix(): names_in(path)
    for path in sorted(_TESTS.rglob("test_*.py"))
}


def test_each_weakness_has_a_row_with_a_test() -> None:
    assert {weakness for weakness, _ in NAMED} == WANTED


@pytest.mark.parametrize(("weakness", "name"), NAMED)
def test_each_test_of_the_table_exists(weakness: str, name: str) -> None:
    module, _, function = name.rpartition("::")
    places = [path for path, names in FOUND.items() if function in names]
    assert any(path.endswith(module) for path in places), f"{weakness}: {name} is not there"


def test_each_test_of_this_folder_is_in_the_table() -> None:
    here = {name for path in _HERE.glob("test_*.py") for name in names_in(path)}
    numbered = {name for name in here if re.match(r"test_[wo]\d\d_", name)}
    assert numbered <= {name for _, name in NAMED}
