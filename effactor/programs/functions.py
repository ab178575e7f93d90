"""What people read of a function that a program holds: its name, and where it is written."""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any, Final

from effactor.traces.fields import class_of
from effactor.traces.wording import shown

_WIDTH: Final = 60  # of a callable object's repr
_SEPARATORS: Final = re.compile(r"[/\\]")


def name_of_function(function: Any) -> str:
    """Name a function.

    Args:
        function: Any callable; of a `partial` its function counts.

    Returns:
        Its name, with its class if it is a method; `lambda`; or the repr of a callable
        object.
    """
    function = _without_arguments(function)
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str):
        return shown(function, _WIDTH)
    name = name.rpartition("<locals>.")[2]
    return "lambda" if name.endswith("<lambda>") else name


def place_of_function(function: Any) -> str:
    """Say where a function is written.

    Args:
        function: Any callable.

    Returns:
        Text such as `shop.py:47`, `cell:3` in a notebook, or nothing for what is not
        written in Python.
    """
    function = _without_arguments(function)
    try:
        function = inspect.unwrap(function)
    except ValueError:  # wrapped in itself
        return ""
    code = getattr(function, "__code__", None)
    if code is None and not isinstance(function, type):
        cls: Any = class_of(function)
        code = getattr(getattr(cls, "__call__", None), "__code__", None)  # noqa: B004 - the method itself is wanted
    if code is None:
        return ""
    *folders, file = _SEPARATORS.split(code.co_filename)
    # IPython compiles each cell as a file of its own, with a number for a name.
    in_notebook = file.startswith("<ipython-") or (
        bool(folders) and folders[-1].startswith("ipykernel_")
    )
    return f"{'cell' if in_notebook else file}:{code.co_firstlineno}"


def _without_arguments(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function
