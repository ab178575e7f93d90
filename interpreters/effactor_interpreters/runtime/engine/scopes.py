"""Scopes: what a program has left running or open, to be ended with it.

A scope is made when something is first left to it. It ends as Trio's nurseries and
ZIO's scopes do: the forks are interrupted together and awaited, then the finalisers
run, last registered first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, final

from typing_extensions import override

from effactor.programs.operations import Operation
from effactor.programs.program import Composite, Program, Pure
from effactor.programs.resources import Ensure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor_interpreters.runtime.engine.fiber import Fiber


class Member(Protocol):
    """Something that runs within a scope."""

    def interrupt(self) -> None:
        """End it as soon as may be."""
        ...

    def when_ended(self, callback: Callable[[], None]) -> bool:
        """Call *callback* when it has ended; False if it has already."""
        ...

    def unseen(self) -> list[tuple[int, Any]]:
        """List the failures and defects that nobody has been told of."""
        ...

    def fibers(self) -> Sequence[Fiber]:
        """List the fibers that run it."""
        ...


class Scope:
    """What ends with a program.

    Attributes:
        members: Forks that run, or whose end nobody has seen.
        finalizers: Programs to run at the end, in order of registration.
        outer: The scope that a `scoped` program's fiber had outside of it; None for others.
        outer_spawn_scope: The next `scoped` further out, if there is one.
        is_over: Whether its forks have ended, so that nobody asks it about them any more.
    """

    __slots__ = ("finalizers", "is_over", "members", "outer", "outer_spawn_scope")

    def __init__(self, outer: Scope | None = None, outer_spawn_scope: Scope | None = None) -> None:
        self.outer: Scope | None = outer
        self.outer_spawn_scope: Scope | None = outer_spawn_scope
        self.members: dict[Member, None] = {}
        self.finalizers: list[Program[Any, Any, Any]] = []
        self.is_over: bool = False

    def is_empty(self) -> bool:
        """Say whether there is nothing to end."""
        return not self.members and not self.finalizers

    def closing(self) -> Program[Any, Any, Any]:
        """Make the program that ends it.

        Returns:
            A program for the scope's own fiber, to be run masked. A finaliser that dies
            does not keep the others from running.
        """
        if not self.members:
            self.is_over = True
            return self.finalizing()
        return Ensure(EndForks(self), RunFinalizers(self))

    def finalizing(self) -> Program[Any, Any, Any]:
        """Make the program that runs the finalisers, last registered first."""
        made: Program[Any, Any, Any] = Pure(None)
        for finalizer in reversed(self.finalizers):
            made = Ensure(made, finalizer)
        self.finalizers = []
        return made

    def cut_off(self) -> list[Fiber]:
        """Forget what runs and what is open, with no effect performed any more.

        Returns:
            The fibers that end with it.
        """
        members, self.members, self.finalizers = self.members, {}, []
        return [fiber for member in members for fiber in member.fibers()]


@final
class EndForks(Operation[None]):
    """Interrupt what runs in a scope, and wait for its end. The engine's own operation."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        """Keep the scope."""
        self.scope: Scope = scope


@final
class RunFinalizers(Composite[Any, Any, Any]):
    """Run the finalisers of a scope. The engine's own node.

    Which they are is known when the forks have ended: until then they may spawn actors,
    which the scope has to stop.
    """

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        """Keep the scope."""
        self.scope: Scope = scope

    @override
    def expand(self) -> Program[Any, Any, Any]:
        return self.scope.finalizing()


@final
class AmongHandlers(Program[Any, Any, Any]):
    """Run *source* among the handlers of *effects*. The engine's own node.

    A finaliser runs when the scope ends: outside of `handle`, where it was written.
    """

    __slots__ = ("effects", "source")

    def __init__(self, source: Program[Any, Any, Any], effects: Any) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.effects: Any = effects
