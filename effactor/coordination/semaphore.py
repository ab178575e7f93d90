"""A semaphore: at most so many at once (Dijkstra, "Cooperating sequential processes", 1965)."""

from __future__ import annotations

from typing import Any, ClassVar, final

from typing_extensions import TypeVar, override

from effactor.coordination.handle import Handle, count
from effactor.coordination.semaphore_rules import SemaphoreRules
from effactor.programs import structure
from effactor.programs.operations import Operation
from effactor.programs.program import A_co, Always, Composite, E_co, F_co, Program
from effactor.programs.resources import Bracket

A = TypeVar("A")
E = TypeVar("E")
F = TypeVar("F")


@final
class Semaphore(Handle):
    """A number of permits, lent to programs while they run.

    A handle: it can be made anywhere and shared by programs and actors. Each system,
    simulation and dry run begins with all permits available. Whoever waits is served in
    order of arrival. A program that waits for permits while it holds some of the same
    semaphore may wait for ever: take all that are needed at once.

    Attributes:
        permits: How many there are.
    """

    __slots__ = ("permits",)

    KIND: ClassVar[str] = "semaphore"

    def __init__(self, permits: int, *, name: str | None = None) -> None:
        """Make a semaphore.

        Args:
            permits: How many there are, at least 1.
            name: What errors and traces call it.

        Raises:
            TypeError: If *permits* is no whole number.
            ValueError: If *permits* is below 1, or *name* is empty.
        """
        super().__init__(name)
        self.permits: int = count("Semaphore", "permits", permits)

    def with_permit(self, program: Program[A, E, F]) -> Program[A, E, F]:
        """Run a program while holding one permit.

        Args:
            program: The program.

        Returns:
            A program that waits for the permit, ends as *program* does, and gives the
            permit back however that was.

        Raises:
            TypeError: If *program* is no program.
        """
        return WithPermits(self, 1, structure.a_program("with_permit", "program", program))

    def with_permits(self, permits: int) -> Permits:
        """Run a program while holding several permits: `with_permits(3)(program)`.

        Args:
            permits: How many, at least 1 and at most as many as there are.

        Returns:
            A function to call with the program.

        Raises:
            TypeError: If *permits* is no whole number.
            ValueError: If *permits* is below 1, or more than the semaphore has.
        """
        count("with_permits", "permits", permits)
        if permits > self.permits:
            msg = (
                f"with_permits: permits must be at most {self.permits}, as many as "
                f"{self.describe()} has, got {permits!r}: the program would wait for ever"
            )
            raise ValueError(msg)
        return Permits(self, permits)

    def available(self) -> Program[int]:
        """Count the permits that nobody holds.

        Returns:
            A program that answers the number.
        """
        return SemaphoreAvailable(self)

    @override
    def empty_contents(self) -> SemaphoreRules[Any]:
        """Make one with all its permits."""
        return SemaphoreRules(self.permits)

    @override
    def __repr__(self) -> str:
        name = "" if self.name is None else f", name={self.name!r}"
        return f"Semaphore({self.permits}{name})"


@final
class Permits(structure.FunctionValue):
    """The last step of `semaphore.with_permits(n)(program)`."""

    __slots__ = ("permits", "semaphore")

    def __init__(self, semaphore: Semaphore, permits: int) -> None:
        """Keep both."""
        self.semaphore: Semaphore = semaphore
        self.permits: int = permits

    def __call__(self, program: Program[A, E, F]) -> Program[A, E, F]:
        """Hold the permits while *program* runs."""
        program = structure.a_program("with_permits", "program", program)
        return WithPermits(self.semaphore, self.permits, program)


@final
class WithPermits(Composite[A_co, E_co, F_co]):
    """Run *source* while holding *permits* of *semaphore*."""

    __slots__ = ("permits", "semaphore", "source")

    def __init__(self, semaphore: Semaphore, permits: int, source: Program[Any, Any, Any]) -> None:
        """Keep all three."""
        self.semaphore: Semaphore = semaphore
        self.permits: int = permits
        self.source: Program[Any, Any, Any] = source

    @override
    def expand(self) -> Program[A_co, E_co, F_co]:
        """Acquire, run, release."""
        return Bracket(
            SemaphoreAcquire(self.semaphore, self.permits),
            Always(self.source),
            Always(SemaphoreRelease(self.semaphore, self.permits)),
            interruptible=True,
        )


# Not for users by themselves: only a bracket makes sure that a release follows.


@final
class SemaphoreAcquire(Operation[None]):
    """Wait for permits."""

    __slots__ = ("permits", "semaphore")

    def __init__(self, semaphore: Semaphore, permits: int) -> None:
        """Keep both."""
        self.semaphore: Semaphore = semaphore
        self.permits: int = permits

    @override
    def describe(self) -> str:
        return f"acquire {counted(self.permits)} of {self.semaphore.describe()}"


@final
class SemaphoreRelease(Operation[None]):
    """Give permits back."""

    __slots__ = ("permits", "semaphore")

    def __init__(self, semaphore: Semaphore, permits: int) -> None:
        """Keep both."""
        self.semaphore: Semaphore = semaphore
        self.permits: int = permits

    @override
    def describe(self) -> str:
        return f"release {counted(self.permits)} of {self.semaphore.describe()}"


@final
class SemaphoreAvailable(Operation[int]):
    """Count the permits that nobody holds."""

    __slots__ = ("semaphore",)

    def __init__(self, semaphore: Semaphore) -> None:
        """Keep the semaphore."""
        self.semaphore: Semaphore = semaphore

    @override
    def describe(self) -> str:
        return f"count the permits of {self.semaphore.describe()}"


def counted(permits: int) -> str:
    """Say how many permits.

    Args:
        permits: The number.

    Returns:
        Text such as `2 permits`.
    """
    return "1 permit" if permits == 1 else f"{permits} permits"
