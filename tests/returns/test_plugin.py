"""With the mypy plugin of `returns`, its functions have exact types for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[mypy]
strict = True
plugins = returns.contrib.mypy.returns_plugin
disable_error_code = empty-body
"""

PROGRAM = """
from collections.abc import Callable
from typing import Any, Never, assert_type

from returns.converters import flatten
from returns.iterables import Fold
from returns.pipeline import flow, pipe
from returns.pointfree import alt, apply, bind, bind_result, lash, map_
from returns.result import Result

from effactor import Effect, Program, pure


class Sql(Effect[str]): ...
class Bad(Exception): ...
class Worse(Exception): ...


def get(key: str) -> Program[int, Bad, Sql]: ...
def put(value: int) -> Program[bytes, Bad, Sql]: ...
def half(value: int) -> Result[float, Bad]: ...
def worse(error: Bad) -> Worse: ...
def recover(error: Bad) -> Program[bytes, Worse, Sql]: ...
def function() -> Program[Callable[[int], float], Bad, Sql]: ...
def inside() -> Program[Program[int, Bad, Sql], Bad, Sql]: ...


assert_type(flow("a", get), Program[int, Bad, Sql])
assert_type(flow("a", get, bind(put), map_(len)), Program[int, Bad, Sql])
assert_type(flow("a", get, bind_result(half), alt(worse)), Program[float, Worse, Sql])
assert_type(flow("a", get, bind(put), lash(recover)), Program[bytes, Worse, Sql])
assert_type(flow("a", get, apply(function())), Program[float, Bad, Sql])
assert_type(pipe(get, bind(put))("a"), Program[bytes, Bad, Sql])
assert_type(flatten(inside()), Program[int, Bad, Sql])
assert_type(
    Fold.collect([get("a"), get("b")], Program.from_value(())), Program[tuple[int, ...], Any, Any]
)

# Methods unite failures; `bind` of `returns.pointfree` wants them equal.
assert_type(get("a").bind(lambda n: recover(Bad())), Program[bytes, Bad | Worse, Sql])
flow("a", get, bind(lambda n: recover(Bad())))  # type: ignore[arg-type]
"""


def test_mypy_with_the_plugin_knows_what_flow_makes(tmp_path: Path) -> None:
    api: Any = pytest.importorskip("mypy.api", reason="mypy is not installed")
    (tmp_path / "mypy.ini").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "steps.py").write_text(PROGRAM, encoding="utf-8")
    options = ["--config-file", str(tmp_path / "mypy.ini"), "--cache-dir", str(tmp_path / "cache")]
    report, errors, _ = api.run([*options, str(tmp_path / "steps.py")])
    assert (errors, report.splitlines()) == ("", ["Success: no issues found in 1 source file"])
