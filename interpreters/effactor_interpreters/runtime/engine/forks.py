"""What forks mean, in every interpreter: fibers that a scope keeps and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from effactor.errors import Deadlock, FiberInterrupted
from effactor.programs.exits import Died, Exit, FailedWith, Interrupted, Succeeded
from effactor.programs.forks import (
    Fiber as Handle,
)
from effactor.programs.forks import (
    Fork,
    InterruptFiber,
    JoinFiber,
    WaitFiber,
)
from effactor.programs.naming import name_of
from effactor.programs.resources import Finalize
from effactor_interpreters.runtime.engine.branches import leaves
from effactor_interpreters.runtime.engine.lost import lost, together
from effactor_interpreters.runtime.engine.scopes import AmongHandlers, EndForks, Scope
from effactor_interpreters.runtime.engine.signals import DEFECT, FAILURE, SUSPENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor.programs.program import Program
    from effactor_interpreters.runtime.engine.fiber import Fiber


class Forked:
    """A fork, as its scope and those who wait for it see it.

    Attributes:
        name: What it runs, in words.
        fiber: The fiber that runs it.
        scope: The scope that it belongs to.
    """

    __slots__ = ("_seen", "_waiting", "fiber", "name", "scope")

    def __init__(self, name: str, fiber: Fiber, scope: Scope) -> None:
        self.name: str = name
        self.fiber: Fiber = fiber
        self.scope: Scope = scope
        self._waiting: dict[Any, None] = {}
        self._seen: int = 0
        scope.members[self] = None
        fiber.on_end = self._ended

    def _ended(self, outcome: Exit[Any, Any]) -> None:
        if isinstance(outcome, Succeeded | Interrupted):
            self.scope.members.pop(self, None)
        waiting, self._waiting = self._waiting, {}
        for callback in waiting:
            callback()

    def outcome_seen(self) -> Exit[Any, Any]:
        """Return how it has ended to someone who will not let that get lost."""
        outcome = self.fiber.outcome
        assert outcome is not None
        self._seen += 1
        self.scope.members.pop(self, None)
        return outcome

    def not_seen(self) -> None:
        """Learn that an interrupt came before someone went on with the outcome."""
        self._seen -= 1
        unseen = self.unseen()
        if unseen and self.scope.is_over:
            [(_, error)] = unseen
            lost(self.fiber, "a fork ended badly, and who has joined it was interrupted", error)
        elif unseen:
            self.scope.members[self] = None

    def forget(self, callback: Callable[[], None]) -> None:
        """Do not call *callback* any more."""
        self._waiting.pop(callback, None)

    # ------------------------------------------------------------ member of a scope

    def interrupt(self) -> None:
        """End it as soon as may be."""
        self.fiber.interrupt()

    def when_ended(self, callback: Callable[[], None]) -> bool:
        """Call *callback* when it has ended; False if it has already."""
        if self.fiber.outcome is not None:
            return False
        self._waiting[callback] = None
        return True

    def unseen(self) -> list[tuple[int, Any]]:
        """List its failure or defect, if nobody has been told of it."""
        return [] if self._seen else ended_badly(self.fiber.outcome)

    def fibers(self) -> Sequence[Fiber]:
        """List the fiber that runs it."""
        return (self.fiber,)


def ended_badly(outcome: Exit[Any, Any] | None) -> list[tuple[int, Any]]:
    """List the failure or defect of an exit: one entry, or none."""
    if isinstance(outcome, FailedWith):
        return [(FAILURE, outcome.error)]
    if isinstance(outcome, Died):
        return [(DEFECT, outcome.defect)]
    return []


class ForkWait:
    """What a fiber waits for that waits for a fork's end."""

    __slots__ = ("_answer", "fiber", "forked")

    def __init__(
        self, fiber: Fiber, forked: Forked, answer: Callable[[Fiber, Forked], None]
    ) -> None:
        self.fiber: Fiber = fiber
        self.forked: Forked = forked
        self._answer = answer

    def begin(self) -> Any:
        """Let the fiber wait.

        Returns:
            What the operation's function must return.
        """
        self.fiber.wait(self)
        if self.fiber.pending is self and not self.forked.when_ended(self):
            self()
        return SUSPENDED

    def __call__(self) -> None:
        """Learn that the fork has ended."""
        if self.fiber.pending is self:
            self._answer(self.fiber, self.forked)

    def withdraw(self) -> bool:
        """Stop waiting."""
        self.forked.forget(self)
        return True

    def describe(self) -> str:
        """Say what is waited for."""
        return _described(self.forked)


def _described(forked: Forked) -> str:
    """Name a fork, and say what it waits for."""
    found = leaves((forked.fiber,), 1)
    if not found:
        return f"the fork {forked.name}"
    # No further along a chain of forks: it may be long, or a circle.
    first = found[0]
    what = f"the fork {first.forked.name}" if type(first) is ForkWait else first.describe()
    return f"the fork {forked.name}, which waits for {what}"


def _fork(node: Fork[Any, Any, Any], fiber: Fiber) -> Handle[Any, Any]:
    name = name_of(node.source)
    return Handle(name, start(fiber, name, node.source))


def start(fiber: Fiber, name: str, program: Program[Any, Any, Any]) -> Forked:
    """Start *program* as a fork of the fiber's scope.

    Args:
        fiber: The fiber that forks.
        name: What to call the fork.
        program: What it runs.

    Returns:
        The fork.
    """
    made = fiber.child(program, f"fork {name}", attached=False)
    forked = Forked(name, made, fiber.its_scope())
    made.begin()
    return forked


def _bound(handle: Handle[Any, Any], fiber: Fiber) -> Forked:
    forked: Forked = handle.binding
    if forked.fiber.parent is fiber or forked.fiber.outcome is not None:
        return forked  # the usual cases, however deep forks are nested
    ancestor: Fiber | None = fiber
    while ancestor is not None:
        if ancestor is forked.fiber:
            raise Deadlock((f"the fork {forked.name} waits for its own end",), cycle=False)
        ancestor = ancestor.parent
    return forked


def _join(node: JoinFiber[Any, Any], fiber: Fiber) -> Any:
    return ForkWait(fiber, _bound(node.fiber, fiber), _answer_as_it_ended).begin()


def _answer_as_it_ended(fiber: Fiber, forked: Forked) -> None:
    outcome = forked.outcome_seen()
    if isinstance(outcome, Interrupted):
        outcome = Died(FiberInterrupted(forked.name))
    fiber.resume_as(outcome, forked.not_seen)


def _wait(node: WaitFiber[Any], fiber: Fiber) -> Any:
    return ForkWait(fiber, _bound(node.fiber, fiber), _answer_its_exit).begin()


def _answer_its_exit(fiber: Fiber, forked: Forked) -> None:
    fiber.resume(forked.outcome_seen(), forked.not_seen)


def _interrupt(node: InterruptFiber[Any], fiber: Fiber) -> Any:
    forked = _bound(node.fiber, fiber)
    forked.interrupt()
    return ForkWait(fiber, forked, _answer_its_exit).begin()


# ------------------------------------------------------------ the end of a scope


class ForksEnding:
    """What the fiber waits for that ends a scope: the end of all its forks."""

    __slots__ = ("fiber", "left", "scope")

    def __init__(self, fiber: Fiber, scope: Scope) -> None:
        self.fiber: Fiber = fiber
        self.scope: Scope = scope
        self.left: int = 0

    def begin(self) -> Any:
        """Interrupt the forks, and let the fiber wait."""
        self.fiber.wait(self)
        members = tuple(self.scope.members)
        self.left = 1
        for member in members:
            if member.when_ended(self):
                self.left += 1
        for member in members:
            member.interrupt()
        self()
        return SUSPENDED

    def __call__(self) -> None:
        """Learn that one more has ended."""
        self.left -= 1
        if self.left:
            return
        members, self.scope.members = self.scope.members, {}
        self.scope.is_over = True
        unseen = [found for member in members for found in member.unseen()]
        for kind, error in unseen:
            if kind == FAILURE:
                lost(self.fiber, "a fork failed that nobody has joined", error)
        defects = [error for kind, error in unseen if kind == DEFECT]
        if defects:
            defect = together("several forks died that nobody has joined", defects)
            self.fiber.resume_as(Died(defect))
        else:
            self.fiber.resume(None)

    def withdraw(self) -> bool:
        """Never called because of an interrupt: a scope ends masked."""
        return False

    def branches(self) -> Sequence[Fiber]:
        """List the forks that run."""
        return [
            fiber
            for member in self.scope.members
            for fiber in member.fibers()
            if fiber.outcome is None
        ]

    def describe(self) -> str:
        """Say what is waited for, by the names of the first few forks."""
        forks = [
            member
            for member in self.scope.members
            if isinstance(member, Forked) and member.fiber.outcome is None
        ]
        if len(forks) == 1:
            return f"the end of {_described(forks[0])}"
        names = [fork.name for fork in forks[:_SHOWN]]
        if len(forks) > len(names):
            names.append("...")
        return f"the end of {len(forks)} forks ({', '.join(names)})"


_SHOWN: Final = 3


def _end_forks(node: EndForks, fiber: Fiber) -> Any:
    return ForksEnding(fiber, node.scope).begin()


def _finalize(node: Finalize[Any], fiber: Fiber) -> Any:
    fiber.its_scope().finalizers.append(AmongHandlers(node.finalizer, fiber.effects))
    return node.value


FORKS: dict[type[Any], Callable[[Any, Fiber], Any]] = {
    Fork: _fork,
    JoinFiber: _join,
    WaitFiber: _wait,
    InterruptFiber: _interrupt,
    EndForks: _end_forks,
    Finalize: _finalize,
}
"""The functions of the nodes, for every interpreter's table."""
