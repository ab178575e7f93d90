"""Programs from the containers of `returns`, which hold an outcome that is known already.

The way back starts with `attempt`, which answers a `Result`::

    program.attempt()                                   # a Result
    program.attempt().map(result_to_maybe)              # a Maybe; the failure is dropped
    program.attempt().map(IOResult.from_result)         # an IOResult

with `result_to_maybe` of `returns.converters`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from returns.io import IO, IOResult
from returns.maybe import Maybe, Some
from returns.result import Failure, Result, Success
from returns.unsafe import unsafe_perform_io
from typing_extensions import TypeVar

from effactor.programs import structure
from effactor.programs.program import Fail, Program, Pure

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
E = TypeVar("E")


def from_result(result: Result[A, E]) -> Program[A, E]:
    """Turn a `Result` of `returns` into a program. `attempt` is the way back.

    Args:
        result: `Success(answer)` or `Failure(failure)`.

    Returns:
        A program that answers or fails accordingly.

    Raises:
        TypeError: If *result* is no `Result`.
    """
    return _program("from_result: result must be", result)


@overload
def from_maybe(maybe: Maybe[A]) -> Program[A, None]: ...
@overload
def from_maybe(maybe: Maybe[A], error: E) -> Program[A, E]: ...
def from_maybe(maybe: Maybe[A], error: Any = None) -> Program[A, Any]:
    """Turn a `Maybe` of `returns` into a program.

    `Nothing` says nothing, so the failure is *error*; None if there is none, as in
    `returns.converters.maybe_to_result`.

    Args:
        maybe: `Some(answer)` or `Nothing`.
        error: The failure for `Nothing`.

    Returns:
        A program that answers, or fails with *error*.

    Raises:
        TypeError: If *maybe* is no `Maybe`.
    """
    if isinstance(maybe, Some):
        return Pure(maybe.unwrap())
    if not isinstance(maybe, Maybe):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"from_maybe: maybe must be a Some or Nothing of returns, got {maybe!r}"
        raise TypeError(msg)
    return Fail(error)


def from_io_result(io_result: IOResult[A, E]) -> Program[A, E]:
    """Turn an `IOResult` of `returns` into a program.

    An `IOResult` is no work to be done: it holds an outcome, with a mark that I/O was
    needed to get it. The program answers that outcome and performs no I/O. To describe
    the I/O itself, give the function that returns the `IOResult` to `free_call`:
    `free_call(fetch, url).bind(from_io_result)`.

    Args:
        io_result: `IOSuccess(answer)` or `IOFailure(failure)`.

    Returns:
        A program that answers or fails accordingly.

    Raises:
        TypeError: If *io_result* is no `IOResult`.
    """
    if not isinstance(io_result, IOResult):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = (
            "from_io_result: io_result must be an IOSuccess or IOFailure of returns, "
            f"got {io_result!r}"
        )
        raise TypeError(msg)
    # "Unsafe" takes off the mark; the I/O was performed when the container was made.
    return from_result(unsafe_perform_io(IO.from_ioresult(io_result)))


class ResultOf(structure.FunctionValue):
    """The function that answers or fails as *function*'s `Result` says."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any], Result[Any, Any]]) -> None:
        """Keep the function."""
        self.function: Callable[[Any], Result[Any, Any]] = function

    def __call__(self, answer: Any) -> Program[Any, Any]:
        """Return the program for this answer."""
        return _program("bind_result: function must return", self.function(answer))


def _program(demand: str, result: Result[A, E]) -> Program[A, E]:
    if isinstance(result, Success):
        return Pure(result.unwrap())
    if isinstance(result, Failure):
        return Fail(result.failure())
    msg = f"{demand} a Success or Failure of returns, got {result!r}"
    raise TypeError(msg)
