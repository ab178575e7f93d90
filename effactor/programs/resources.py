"""Resources and interruption: what must happen however a program ends.

The model is ZIO's: a finaliser runs exactly once, in reverse order of acquisition,
after success, failure, defect and interrupt alike, and cannot itself be interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, final, overload

from typing_extensions import TypeVar, override

from effactor.programs import structure
from effactor.programs.operations import Operation
from effactor.programs.program import A_co, Composite, E_co, F_co, FlatMap, Program, Pure

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
E2 = TypeVar("E2")
F = TypeVar("F")
F2 = TypeVar("F2")
F3 = TypeVar("F3")


@final
class Ensure(Program[A_co, E_co, F_co]):
    """Run *source*, then *finalizer*, however the source ended."""

    __slots__ = ("finalizer", "source")

    def __init__(self, source: Program[Any, Any, Any], finalizer: Program[Any, Any, Any]) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.finalizer: Program[Any, Any, Any] = finalizer


@final
class OnInterrupt(Program[A_co, E_co, F_co]):
    """Run *source*, and *finalizer* only if the source is interrupted."""

    __slots__ = ("finalizer", "source")

    def __init__(self, source: Program[Any, Any, Any], finalizer: Program[Any, Any, Any]) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.finalizer: Program[Any, Any, Any] = finalizer


@final
class Uninterruptible(Program[A_co, E_co, F_co]):
    """Run *source*; an interrupt meanwhile takes effect only after it."""

    __slots__ = ("source",)

    def __init__(self, source: Program[Any, Any, Any]) -> None:
        """Keep the source."""
        self.source: Program[Any, Any, Any] = source


@final
class Bracket(Program[A_co, E_co, F_co]):
    """Run *acquire*, then *use* with its answer, then *release* however the use ended.

    With *interruptible*, an interrupt may end *acquire* while it waits; once it has
    answered the release is certain. That takes an *acquire* of one operation.
    """

    __slots__ = ("acquire", "interruptible", "release", "use")

    def __init__(
        self,
        acquire: Program[Any, Any, Any],
        use: Callable[[Any], Program[Any, Any, Any]],
        release: Callable[[Any], Program[Any, Any, Any]],
        interruptible: bool = False,  # noqa: FBT001, FBT002 - a node's field
    ) -> None:
        """Keep all four."""
        self.acquire: Program[Any, Any, Any] = acquire
        self.use: Callable[[Any], Program[Any, Any, Any]] = use
        self.release: Callable[[Any], Program[Any, Any, Any]] = release
        self.interruptible: bool = interruptible


@final
class Scoped(Program[A_co, E_co, F_co]):
    """Run *source* in a scope of its own."""

    __slots__ = ("source",)

    def __init__(self, source: Program[Any, Any, Any]) -> None:
        """Keep the source."""
        self.source: Program[Any, Any, Any] = source


@final
class AcquireRelease(Composite[A_co, E_co, F_co]):
    """Run *acquire*, and *release* with its answer when the scope ends."""

    __slots__ = ("acquire", "release")

    def __init__(
        self, acquire: Program[Any, Any, Any], release: Callable[[Any], Program[Any, Any, Any]]
    ) -> None:
        """Keep both."""
        self.acquire: Program[Any, Any, Any] = acquire
        self.release: Callable[[Any], Program[Any, Any, Any]] = release

    @override
    def expand(self) -> Program[A_co, E_co, F_co]:
        """Register the release before an interrupt can come in between."""
        return Uninterruptible(FlatMap(self.acquire, Releasing(self.release)))


class Releasing(structure.FunctionValue):
    """The function that leaves the release of its argument to the scope."""

    __slots__ = ("release",)

    def __init__(self, release: Callable[[Any], Program[Any, Any, Any]]) -> None:
        """Keep the function."""
        self.release: Callable[[Any], Program[Any, Any, Any]] = release

    def __call__(self, resource: Any) -> Program[Any, Any, Any]:
        """Return the program for this resource."""
        return Finalize(resource, FlatMap(Pure(resource), self.release))


@final
class Finalize(Operation[A_co]):
    """Have *finalizer* run when the scope ends, and answer *value*."""

    __slots__ = ("finalizer", "value")

    def __init__(self, value: Any, finalizer: Program[Any, Any, Any]) -> None:
        """Keep both."""
        self.value: Any = value
        self.finalizer: Program[Any, Any, Any] = finalizer

    @override
    def describe(self) -> str:
        return "register a finaliser with the scope"


# Without the overloads that spell `Never` out, pyright infers Unknown for a union of
# which no member is known to fail, or to perform an effect. The second and the third
# overlap where nothing fails and nothing is performed; the first has taken that.
@overload
def bracket(
    acquire: Program[A],
    use: Callable[[A], Program[B]],
    release: Callable[[A], Program[Any]],
) -> Program[B]: ...
@overload
def bracket(  # type: ignore[overload-overlap]
    acquire: Program[A, E],
    use: Callable[[A], Program[B, E2]],
    release: Callable[[A], Program[Any]],
) -> Program[B, E | E2]: ...
@overload
def bracket(
    acquire: Program[A, Never, F],
    use: Callable[[A], Program[B, Never, F2]],
    release: Callable[[A], Program[Any, Never, F3]],
) -> Program[B, Never, F | F2 | F3]: ...
@overload
def bracket(
    acquire: Program[A, E, F],
    use: Callable[[A], Program[B, E2, F2]],
    release: Callable[[A], Program[Any, Never, F3]],
) -> Program[B, E | E2, F | F2 | F3]: ...
def bracket(
    acquire: Program[A, Any, Any],
    use: Callable[[A], Program[Any, Any, Any]],
    release: Callable[[A], Program[Any, Any, Any]],
) -> Program[Any, Any, Any]:
    """Use a resource and release it, however the use ends.

    Args:
        acquire: Answers the resource. It cannot be interrupted, and if it fails
            there is nothing to release.
        use: Called with the resource; its program may be interrupted.
        release: Called with the resource when the use has ended: by success, failure,
            defect or interrupt. Its program runs exactly once, cannot be interrupted,
            and must not fail: recover in it, as in `free_ask(...).attempt()`.

    Returns:
        A program that ends as the use did, after the release.

    Raises:
        TypeError: If *acquire* is no program, or one of the others no function.
    """
    source = structure.a_program("bracket", "acquire", acquire)
    structure.a_function("bracket", "use", use, "a program that uses the resource")
    structure.a_function("bracket", "release", release, "a program that releases the resource")
    return Bracket(source, use, release)


def scoped(program: Program[A, E, F]) -> Program[A, E, F]:
    """Give a program a scope of its own.

    When the program ends, however it ends, the forks it has not joined are interrupted
    and awaited; then what it acquired with `acquire_release` is released and the actors
    that it spawned are stopped and awaited, in reverse order. Runs, forks, and the
    branches of `gather`, `race` and the like have scopes of their own anyway, but only
    `scoped` stops actors; a do-block has none.

    Args:
        program: Any program.

    Returns:
        A program that ends as it does, after its scope.

    Raises:
        TypeError: If *program* is no program.
    """
    return Scoped(structure.a_program("scoped", "program", program))


@overload
def acquire_release(
    acquire: Program[A, E], release: Callable[[A], Program[Any]]
) -> Program[A, E]: ...
@overload
def acquire_release(
    acquire: Program[A, E, F], release: Callable[[A], Program[Any, Never, F2]]
) -> Program[A, E, F | F2]: ...
def acquire_release(
    acquire: Program[A, Any, Any], release: Callable[[A], Program[Any, Any, Any]]
) -> Program[A, Any, Any]:
    """Acquire a resource that is released when the scope ends.

    Args:
        acquire: Answers the resource. It cannot be interrupted, and if it fails there
            is nothing to release.
        release: Called with the resource when the nearest `scoped`, branch, fork or run
            ends. Its program runs exactly once and cannot be interrupted.

    Returns:
        A program that answers the resource.

    Raises:
        TypeError: If *acquire* is no program, or *release* no function.
    """
    source = structure.a_program("acquire_release", "acquire", acquire)
    structure.a_function(
        "acquire_release", "release", release, "a program that releases the resource"
    )
    return AcquireRelease(source, release)
