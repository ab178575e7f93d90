"""`catch`: recover from some failures, and have the type say which are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import TypeVar

from effactor.programs import structure
from effactor.programs.program import Catch, Program

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
E2 = TypeVar("E2")
E3 = TypeVar("E3")
E4 = TypeVar("E4")
E5 = TypeVar("E5")
E6 = TypeVar("E6")
E7 = TypeVar("E7")
E8 = TypeVar("E8")
F = TypeVar("F")
F2 = TypeVar("F2")


class Recovering(Generic[E, B, E2, F2]):
    """The last step of `catch(Error)(handler)(program)`."""

    __slots__ = ("classes", "handler")

    def __init__(
        self, classes: tuple[type[Any], ...], handler: Callable[[E], Program[B, E2, F2]]
    ) -> None:
        """Keep both."""
        self.classes: tuple[type[Any], ...] = classes
        self.handler: Callable[[E], Program[B, E2, F2]] = handler

    @overload
    def __call__(self, program: Program[A, E, F]) -> Program[A | B, E2, F | F2]: ...
    @overload
    def __call__(self, program: Program[A, E | E3, F]) -> Program[A | B, E2 | E3, F | F2]: ...
    def __call__(self, program: Program[Any, Any, Any]) -> Program[Any, Any, Any]:
        """Apply the recovery to *program*."""
        source = structure.a_program("catch", "program", program)
        return Catch(source, self.classes, self.handler)


class Catching(Generic[E]):
    """The middle step of `catch(Error)(handler)(program)`."""

    __slots__ = ("classes",)

    def __init__(self, classes: tuple[type[E], ...]) -> None:
        """Keep the classes."""
        self.classes: tuple[type[E], ...] = classes

    def __call__(self, handler: Callable[[E], Program[B, E2, F2]]) -> Recovering[E, B, E2, F2]:
        """Name the recovery."""
        if not callable(handler):
            msg = f"catch: handler must map the failure to a program, got {handler!r}"
            raise TypeError(msg)
        return Recovering(self.classes, handler)


# One parameter a class: mypy would join the classes of `*errors` to a common base.
@overload
def catch(error: type[E], /) -> Catching[E]: ...
@overload
def catch(error: type[E], error2: type[E2], /) -> Catching[E | E2]: ...
@overload
def catch(error: type[E], error2: type[E2], error3: type[E3], /) -> Catching[E | E2 | E3]: ...
@overload
def catch(
    error: type[E], error2: type[E2], error3: type[E3], error4: type[E4], /
) -> Catching[E | E2 | E3 | E4]: ...
@overload
def catch(
    error: type[E], error2: type[E2], error3: type[E3], error4: type[E4], error5: type[E5], /
) -> Catching[E | E2 | E3 | E4 | E5]: ...
@overload
def catch(
    error: type[E],
    error2: type[E2],
    error3: type[E3],
    error4: type[E4],
    error5: type[E5],
    error6: type[E6],
    /,
) -> Catching[E | E2 | E3 | E4 | E5 | E6]: ...
@overload
def catch(
    error: type[E],
    error2: type[E2],
    error3: type[E3],
    error4: type[E4],
    error5: type[E5],
    error6: type[E6],
    error7: type[E7],
    /,
) -> Catching[E | E2 | E3 | E4 | E5 | E6 | E7]: ...
@overload
def catch(
    error: type[E],
    error2: type[E2],
    error3: type[E3],
    error4: type[E4],
    error5: type[E5],
    error6: type[E6],
    error7: type[E7],
    error8: type[E8],
    /,
) -> Catching[E | E2 | E3 | E4 | E5 | E6 | E7 | E8]: ...
@overload
def catch(*errors: type[E]) -> Catching[E]: ...
def catch(*errors: type[Any]) -> Catching[Any]:
    """Recover from failures of the given classes: `catch(E1, E2)(handler)(program)`.

    The classes come first, on their own, because only then can mypy and pyright
    take exactly these out of the failure type. Other failures, defects and
    interrupts pass by. If two or more other failures are left, mypy infers their
    common base class unless it knows what to expect: annotate the result, as in
    `rest: Program[int, AskFailed | Declined] = catch(NoStock)(handler)(program)`.

    Args:
        errors: Classes of failures; an instance of one is recovered from.

    Returns:
        A function to call with the handler (failure to program), whose result is
        called with the program.

    Raises:
        TypeError: If no class is given, or one of them is no class.
    """
    if not errors:
        msg = "catch: name at least one class of failures, as in catch(NotFound)(handler)(program)"
        raise TypeError(msg)
    for error in errors:
        if not isinstance(error, type):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"catch: {error!r} is no class; write catch(NotFound)(handler)(program)"
            raise TypeError(msg)
    return Catching(errors)
