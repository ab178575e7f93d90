"""MODULE:NAME: import what a user names, or say in one line why that is impossible."""

from __future__ import annotations

import difflib
import importlib
import os
import pkgutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from effactor_interpreters.command_line.tracebacks import place
from effactor_interpreters.command_line.wrong_input import WrongInput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType


@dataclass(frozen=True, slots=True)
class Target:
    """Something that the user named.

    Attributes:
        text: The name as given, such as `shop:checkout`.
        module: The module's part of it.
        value: What has this name.
    """

    text: str
    module: str
    value: Any


def load(text: str) -> Target:
    """Import what has a name; modules in the current directory come first.

    Args:
        text: MODULE:NAME. The name may have dots, as in `shop:Till.takings`.

    Returns:
        The target.

    Raises:
        WrongInput: If there is no such module or name, or importing it fails.
    """
    module_name, colon, name = text.partition(":")
    if not colon or not module_name or not name:
        msg = f"{text!r} is no MODULE:NAME, such as shop:checkout"
        raise WrongInput(msg)
    if "/" in module_name or module_name.endswith(".py"):
        dotted = module_name.removesuffix(".py").strip("./").replace("/", ".")
        msg = f"{module_name} is a file; name its module: {dotted}:{name}"
        raise WrongInput(msg)
    if not all(part.isidentifier() for part in module_name.split(".")):
        msg = f"{text!r} is no MODULE:NAME: {module_name!r} cannot be the name of a module"
        raise WrongInput(msg)
    value: Any = _imported(module_name)
    reached = module_name
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            near = nearest(part, dir(value))
            msg = f"{reached} has no {part!r}{near}"
            raise WrongInput(msg) from None
        reached = f"{reached}.{part}"
    return Target(text, module_name, value)


def nearest(wanted: str, known: Iterable[str]) -> str:
    """Suggest what was meant.

    Args:
        wanted: What the user wrote.
        known: What there is.

    Returns:
        Text to append, such as `; did you mean 'checkout'?`; empty if nothing is near.
    """
    public = [name for name in known if not name.startswith("_")]
    near = difflib.get_close_matches(wanted, public, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _imported(name: str) -> ModuleType:
    here = os.getcwd()  # noqa: PTH109 - sys.path holds texts
    if here not in sys.path:
        sys.path.insert(0, here)  # python -m does so, a console script does not
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing and (missing == name or name.startswith(f"{missing}.")):
            near = nearest(name, (module.name for module in pkgutil.iter_modules([here])))
            msg = f"there is no module {missing!r} in {here} or where Python looks{near}"
            raise WrongInput(msg) from None
        raise _import_failed(name, error) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() in a module is an error, too
        raise _import_failed(name, error) from None


def _import_failed(name: str, error: BaseException) -> WrongInput:
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    first = said.splitlines()[0] if said else ""
    what = f"cannot import {name}: {type(error).__name__}: {first}".rstrip(": ")
    where = place(error)
    return WrongInput(f"{what} ({where})" if where else what)
