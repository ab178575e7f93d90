"""Do-notation: generator functions that make programs.

A block is stored as its function and arguments and opened anew at each run, so
the value can run many times, compares by what it was called with, and pickles by
the function's name.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Never, cast

from typing_extensions import ParamSpec, TypeAliasType, TypeVar, override

from effactor.programs.program import Block, Program, Step

if TYPE_CHECKING:
    from types import ModuleType

A = TypeVar("A")
E = TypeVar("E")
F = TypeVar("F")
A1 = TypeVar("A1")
E1 = TypeVar("E1", default=Never)
F1 = TypeVar("F1", default=Never)
P = ParamSpec("P")

# A plain alias would order its parameters by first appearance: error first.
Do = TypeAliasType("Do", Generator[Step[E1, F1], Any, A1], type_params=(A1, E1, F1))


def program(function: Callable[P, Do[A, E, F]]) -> Callable[P, Program[A, E, F]]:
    """Make a function whose `yield from` body is a program.

    The body runs when the program runs, not when the function is called. Between
    two `yield from` it must be ordinary, deterministic Python: clocks, randomness
    and I/O are operations (`free_now`, `free_random`, `free_call`).

    Args:
        function: A generator function annotated `-> Do[A, E, F]`.

    Returns:
        A function of the same parameters that returns a `Program[A, E, F]`.

    Raises:
        TypeError: If *function* is no generator function.
    """
    generator_function: Callable[..., Any] = function
    if not inspect.isgeneratorfunction(generator_function):
        name = getattr(function, "__qualname__", repr(function))
        kind = (
            'a coroutine function: replace "async def" by "def" and "await" by "yield from"'
            if inspect.iscoroutinefunction(generator_function)
            else 'no generator function: it needs at least one "yield from"'
        )
        msg = f"@program: {name} is {kind}"
        raise TypeError(msg)
    body = _Body(generator_function)

    @functools.wraps(function)
    def make(*args: P.args, **kwargs: P.kwargs) -> Program[A, E, F]:
        return Block(body, args, kwargs)

    # For `_find`: the decorated name leads back to its body.
    made: Any = make
    made.__effactor_program__ = body
    return make


class _Body:
    """The generator function behind a decorated name; it pickles as that name."""

    __slots__ = ("__qualname__", "__weakref__", "function")

    def __init__(self, function: Callable[..., Generator[Any, Any, Any]]) -> None:
        self.function = function
        self.__qualname__ = function.__qualname__

    def __call__(self, *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return self.function(*args, **kwargs)

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        module, qualname = self.function.__module__, self.function.__qualname__
        if _find(sys.modules[module], qualname) is not self:
            msg = (
                f"cannot pickle the program {qualname}: it is not importable as "
                f"{module}.{qualname}; define it at module level"
            )
            raise TypeError(msg)
        return _load, (module, qualname)


def _find(module: ModuleType, qualname: str) -> object:
    found: Any = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return getattr(found, "__effactor_program__", None)


def _load(module: str, qualname: str) -> _Body:
    __import__(module)
    return cast("_Body", _find(sys.modules[module], qualname))
