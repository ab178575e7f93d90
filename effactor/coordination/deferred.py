"""A deferred: an answer that one program gives and others wait for (Concurrent ML's ivar)."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Never, final

from typing_extensions import TypeVar, override

from effactor.coordination.deferred_rules import DeferredRules
from effactor.coordination.handle import Handle
from effactor.programs.exits import FailedWith, Succeeded
from effactor.programs.operations import Operation
from effactor.programs.program import A_co, E_co, Program

A = TypeVar("A")
E = TypeVar("E", default=Never)


@final
class Deferred(Handle, Generic[A, E]):
    """An answer that does not exist yet, and is given once.

    A handle: it can be made anywhere and shared by programs and actors. Each system,
    simulation and dry run begins with it incomplete.
    """

    __slots__ = ()

    KIND: ClassVar[str] = "deferred"

    def __init__(self, *, name: str | None = None) -> None:
        """Make a deferred.

        Args:
            name: What errors and traces call it.

        Raises:
            ValueError: If *name* is empty.
        """
        super().__init__(name)

    def get(self) -> Program[A, E]:
        """Wait until it is completed.

        Returns:
            A program that answers or fails as it was completed, now and ever after.
        """
        return DeferredGet(self)

    def succeed(self, value: A) -> Program[bool]:
        """Complete it with an answer.

        Args:
            value: The answer.

        Returns:
            A program that answers True, or False if it was completed before; the
            first completion stands.
        """
        return DeferredComplete(self, Succeeded(value))

    def fail(self, error: E) -> Program[bool]:
        """Complete it with a failure.

        Args:
            error: What everybody who gets it fails with.

        Returns:
            A program that answers True, or False if it was completed before.
        """
        return DeferredComplete(self, FailedWith(error))

    def is_done(self) -> Program[bool]:
        """Ask whether it is completed, without waiting.

        Returns:
            A program that answers True or False.
        """
        return DeferredIsDone(self)

    @override
    def empty_contents(self) -> DeferredRules[Any]:
        """Make an incomplete one."""
        return DeferredRules()

    @override
    def __repr__(self) -> str:
        return "Deferred()" if self.name is None else f"Deferred(name={self.name!r})"


@final
class DeferredGet(Operation[A_co, E_co]):
    """Wait until a deferred is completed."""

    __slots__ = ("deferred",)

    def __init__(self, deferred: Deferred[Any, Any]) -> None:
        """Keep the deferred."""
        self.deferred: Deferred[Any, Any] = deferred

    @override
    def describe(self) -> str:
        return f"get {self.deferred.describe()}"


@final
class DeferredComplete(Operation[bool]):
    """Complete a deferred, unless it is completed."""

    __slots__ = ("deferred", "outcome")

    def __init__(
        self, deferred: Deferred[Any, Any], outcome: Succeeded[Any] | FailedWith[Any]
    ) -> None:
        """Keep both."""
        self.deferred: Deferred[Any, Any] = deferred
        self.outcome: Succeeded[Any] | FailedWith[Any] = outcome

    @override
    def describe(self) -> str:
        outcome = self.outcome
        if isinstance(outcome, Succeeded):
            return f"complete {self.deferred.describe()} with {outcome.value!r}"
        return f"fail {self.deferred.describe()} with {outcome.error!r}"


@final
class DeferredIsDone(Operation[bool]):
    """Answer whether a deferred is completed."""

    __slots__ = ("deferred",)

    def __init__(self, deferred: Deferred[Any, Any]) -> None:
        """Keep the deferred."""
        self.deferred: Deferred[Any, Any] = deferred

    @override
    def describe(self) -> str:
        return f"see whether {self.deferred.describe()} is done"
