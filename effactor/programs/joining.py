"""`Program` among the containers of `returns`: the interfaces it joins.

To `returns` a program is "like a `Result`": it has an answer and a failure, and a third
parameter, its effects, that the interfaces carry along. So `flow`, `pipe`, the functions
of `returns.pointfree`, `Fold` and `check_all_laws` accept programs.

Nothing else in effactor imports these interfaces, and the types of `Program`'s methods
are its own: nobody needs the mypy plugin of `returns` for them. What `flow` and
`pointfree` make of programs is known to mypy with that plugin, and to nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never

from returns.interfaces.specific.result import ResultLikeN
from returns.primitives.hkt import SupportsKindN
from typing_extensions import TypeVar

from effactor.programs import structure

if TYPE_CHECKING:
    from collections.abc import Callable

    from returns.result import Result

    from effactor.programs.program import Program

A = TypeVar("A")
E = TypeVar("E")
A_co = TypeVar("A_co", covariant=True)
E_co = TypeVar("E_co", covariant=True, default=Never)
F_co = TypeVar("F_co", covariant=True, default=Never)


class Container:
    """The first base of `Program`, which has no type parameters.

    `check_all_laws` asks Hypothesis for a `KindN["ContainerN", ...]`, and Hypothesis
    takes a generic class for one only if some base of it is written without arguments.
    It comes first because Python, when it frees a node, walks the chain of first bases.
    """

    __slots__ = ()


# `returns` declares the parameters of its interfaces invariant. Its own containers are
# covariant by the same exception, and users of `Program` see it covariant.
#
# No `abc.ABC` among the bases, here or there: its metaclass would make `isinstance`, which
# is asked of all that we are given as a program, several times slower.
class ResultLikeProgram(  # type: ignore[type-var]
    SupportsKindN["Program[Any, Any, Any]", A_co, E_co, F_co],
    ResultLikeN[A_co, E_co, F_co],  # pyright: ignore[reportInvalidTypeArguments]
    Generic[A_co, E_co, F_co],
):
    """What `returns` expects of a program; `Program` implements it.

    The interfaces let `bind`, `lash` and `apply` take and give one type of failures and
    effects. Those of `Program` unite two, so they accept and say more than that, which
    their `type: ignore[override]` admits.
    """

    __slots__ = ()


class Applied(structure.FunctionValue):
    """The function that runs *container* and calls the function it answers."""

    __slots__ = ("container",)

    def __init__(self, container: Program[Any, Any, Any]) -> None:
        """Keep the container."""
        self.container: Program[Any, Any, Any] = structure.a_program(
            "apply", "container", container
        )

    def __call__(self, answer: Any) -> Program[Any, Any, Any]:
        """Return the program for this answer."""
        return self.container.map(Argument(answer))


class Argument(structure.FunctionValue):
    """The function that calls a function with *value*."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        """Keep the value."""
        self.value: Any = value

    def __call__(self, function: Callable[[Any], Any]) -> Any:
        """Return what the function returns."""
        return function(self.value)


def swapped(result: Result[A, E]) -> Result[E, A]:
    """Exchange the value and the error of a `Result`.

    Args:
        result: `Success(answer)` or `Failure(failure)`.

    Returns:
        `Failure(answer)` or `Success(failure)`.
    """
    return result.swap()
