"""Forks: programs that run beside the one that started them, within its scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never, final

from typing_extensions import TypeVar, override

from effactor.programs import structure
from effactor.programs.operations import Operation
from effactor.programs.parallel import check_concurrency, collected
from effactor.programs.program import A_co, E_co, F_co, Program

if TYPE_CHECKING:
    from collections.abc import Iterable

    from effactor.programs.exits import Exit

A = TypeVar("A")
E = TypeVar("E")
F = TypeVar("F")


@final
class Fiber(Generic[A_co, E_co]):
    """A fork that runs, or has ended: what `program.fork()` answers.

    Attributes:
        name: What it runs, in words.
    """

    # Where it runs is the interpreter's business: it binds what it needs.
    __slots__ = ("binding", "name")

    def __init__(self, name: str, binding: Any) -> None:
        """Keep both. Only interpreters make fibers."""
        self.name: str = name
        self.binding: Any = binding

    def join(self) -> Program[A_co, E_co]:
        """Wait for its end and end like it.

        Returns:
            A program that answers what the fork answers, fails as it fails and dies as
            it dies. If the fork was interrupted it dies with `FiberInterrupted`.
        """
        return JoinFiber(self)

    def wait(self) -> Program[Exit[A_co, E_co]]:
        """Wait for its end, whichever it is.

        Returns:
            A program that answers the `Exit`.
        """
        return WaitFiber(self)

    def interrupt(self) -> Program[Exit[A_co, E_co]]:
        """Interrupt it, and wait until its finalisers have run.

        Returns:
            A program that answers the `Exit`: `Interrupted`, unless the fork had ended
            before or was uninterruptible to its end.
        """
        return InterruptFiber(self)

    @override
    def __repr__(self) -> str:
        return f"<Fiber {self.name}>"

    @override
    def __reduce__(self) -> Never:
        msg = f"{self!r} cannot be pickled: it runs here; send its answer instead"
        raise TypeError(msg)


@final
class Fork(Program[A_co, E_co, F_co]):
    """Start *source* beside the program, and answer its `Fiber`."""

    __slots__ = ("source",)

    def __init__(self, source: Program[Any, Any, Any]) -> None:
        """Keep the source."""
        self.source: Program[Any, Any, Any] = source


@final
class JoinFiber(Operation[A_co, E_co]):
    """Wait for a fork's end, and end like it."""

    __slots__ = ("fiber",)

    def __init__(self, fiber: Fiber[Any, Any]) -> None:
        """Keep the fiber."""
        self.fiber: Fiber[Any, Any] = fiber

    @override
    def describe(self) -> str:
        return f"join the fork {self.fiber.name}"


@final
class WaitFiber(Operation[A_co]):
    """Wait for a fork's end, and answer its exit."""

    __slots__ = ("fiber",)

    def __init__(self, fiber: Fiber[Any, Any]) -> None:
        """Keep the fiber."""
        self.fiber: Fiber[Any, Any] = fiber

    @override
    def describe(self) -> str:
        return f"wait for the fork {self.fiber.name}"


@final
class InterruptFiber(Operation[A_co]):
    """Interrupt a fork, and answer its exit."""

    __slots__ = ("fiber",)

    def __init__(self, fiber: Fiber[Any, Any]) -> None:
        """Keep the fiber."""
        self.fiber: Fiber[Any, Any] = fiber

    @override
    def describe(self) -> str:
        return f"interrupt the fork {self.fiber.name}"


@final
class AsCompleted(Program[A_co, E_co, F_co]):
    """Start *programs*, and answer a program for each result, in order of completion."""

    __slots__ = ("concurrency", "programs")

    def __init__(
        self, programs: tuple[Program[Any, Any, Any], ...], concurrency: int | None
    ) -> None:
        """Keep both."""
        self.programs: tuple[Program[Any, Any, Any], ...] = programs
        self.concurrency: int | None = concurrency


@final
class NextCompleted(Operation[A_co, E_co]):
    """Wait for the next result of the programs that *completions* collects."""

    __slots__ = ("completions",)

    def __init__(self, completions: Any) -> None:
        """Keep the interpreter's own collection."""
        self.completions: Any = completions

    @override
    def describe(self) -> str:
        return "wait for the next of several results"


def as_completed(
    programs: Iterable[Program[A, E, F]], concurrency: int | None = None
) -> Program[tuple[Program[A, E], ...], Never, F]:
    """Start programs and take their results as they come.

    In a do-block::

        for following in (yield from as_completed(programs)):
            answer = yield from following

    Args:
        programs: The programs. They run as a fork of the scope, whether or not their
            results are taken: those that still run at the scope's end are interrupted.
        concurrency: How many may run at the same time; None for all of them.

    Returns:
        A program that answers as many programs as were given; each waits for the next
        result, in order of completion, and answers, fails or dies like the program that
        ended.

    Raises:
        TypeError: If *programs* are no programs, or *concurrency* is no integer.
        ValueError: If *concurrency* is less than 1.
    """
    made = collected("as_completed", "programs", programs)
    structure.all_programs("as_completed", "programs", made)
    check_concurrency("as_completed", concurrency)
    return AsCompleted(made, concurrency)
