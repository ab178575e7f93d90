"""Runs code that was written for another library, with only its import lines changed."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> list[str]:
    """Return the Python blocks of a page."""
    return _FENCE.findall(page.read_text(encoding="utf-8"))


def run(code: str, library: str) -> dict[str, Any]:
    """Run *code* as a script, with `effactor` in place of *library*."""
    imports = re.compile(rf"^((?:from|import)\s+){library}\b", re.MULTILINE)
    module = ModuleType("__main__")
    main, sys.modules["__main__"] = sys.modules["__main__"], module
    try:
        exec(compile(imports.sub(r"\1effactor", code), f"<{library}>", "exec"), vars(module))  # noqa: S102 - code of this folder
    finally:
        sys.modules["__main__"] = main
    return vars(module)


async def run_awaiting(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run *code*, which may await at its top level, with *names*; answer all names."""
    compiled = compile(code, "<foreign>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(compiled, names)  # noqa: S307 - code of this folder
    if inspect.iscoroutine(running):
        await running
    return names
