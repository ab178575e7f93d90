"""What forks mean, in every interpreter: fibers that a scope keeps and ends."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.errors import Deadlock, FiberInterrupted
from effactor.programs.exits import Died, Exit, FailedWith, Interrupted, Succeeded
from effactor.programs.forks import (
    AsCompleted,
    Fork,
    InterruptFiber,
    JoinFiber,
    NextCompleted,
    WaitFiber,
)
from effactor.programs.forks import (
    Fiber as Handle,
)
from effactor.programs.naming import name_of
from effactor.programs.operations import Operation
from effactor.programs.resources import Finalize
from effactor_interpreters.runtime.engine.branches import leaves
from effactor_interpreters.runtime.engine.lost import lost, together
from effactor_interpreters.runtime.engine.parallel import Every
from effactor_interpreters.runtime.engine.scopes import EndForks, Scope
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
        self._seen: bool = False
        scope.members[self] = None
        fiber.on_end = self._ended

    def _ended(self, outcome: Exit[Any, Any]) -> None:
        if self._seen or isinstance(outcome, Succeeded | Interrupted):
            self.scope.members.pop(self, None)
        waiting, self._waiting = self._waiting, {}
        for callback in waiting:
            callback()

    def outcome_seen(self) -> Exit[Any, Any] | None:
        """Return how it ended, if it has, to someone who will not let that get lost."""
        self._seen = True
        if self.fiber.outcome is not None:
            self.scope.members.pop(self, None)
        return self.fiber.outcome

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
        name = self.forked.name
        found = leaves((self.forked.fiber,), 1)
        if not found:
            return f"the fork {name}"
        # No further along a chain of forks: it may be long, or a circle.
        first = found[0]
        what = f"the fork {first.forked.name}" if type(first) is ForkWait else first.describe()
        return f"the fork {name}, which waits for {what}"


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
    assert outcome is not None
    if isinstance(outcome, Interrupted):
        outcome = Died(FiberInterrupted(forked.name))
    fiber.resume_as(outcome)


def _wait(node: WaitFiber[Any], fiber: Fiber) -> Any:
    return ForkWait(fiber, _bound(node.fiber, fiber), _answer_its_exit).begin()


def _answer_its_exit(fiber: Fiber, forked: Forked) -> None:
    fiber.resume(forked.outcome_seen())


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
        """Never called to an end: a scope ends masked."""
        return False

    def describe(self) -> str:
        """Say what is waited for."""
        return f"the end of {self.left} forks"


def _end_forks(node: EndForks, fiber: Fiber) -> Any:
    return ForksEnding(fiber, node.scope).begin()


def _finalize(node: Finalize[Any], fiber: Fiber) -> Any:
    fiber.its_scope().finalizers.append(node.finalizer)
    return node.value


# ------------------------------------------------------------ results as they come


class Completions:
    """Collects how several programs end, in order, for those who take the results.

    Attributes:
        total: How many results there will be.
    """

    __slots__ = ("_arrived", "_interrupted", "_taken", "_waiting", "total")

    def __init__(self, total: int) -> None:
        self.total: int = total
        self._arrived: deque[Exit[Any, Any]] = deque()
        self._waiting: deque[Fiber] = deque()
        self._taken: int = 0
        self._interrupted: bool = False

    def arrive(self, outcome: Exit[Any, Any]) -> None:
        """Take note of a result."""
        self._arrived.append(outcome)
        self._serve()

    def take(self, fiber: Fiber) -> Any:
        """Let *fiber* have the next result."""
        if self._taken >= self.total:
            msg = f"as_completed: all {self.total} results have been taken already"
            raise RuntimeError(msg)
        self._taken += 1
        fiber.wait(_Taking(self, fiber))
        if fiber.pending is not None:
            self._waiting.append(fiber)
            self._serve()
        return SUSPENDED

    def _serve(self) -> None:
        while self._waiting and self._arrived:
            outcome = self._arrived.popleft()
            self._waiting.popleft().resume_as(outcome, partial(self._take_back, outcome))

    def _take_back(self, outcome: Exit[Any, Any]) -> None:
        self._taken -= 1
        self._arrived.appendleft(outcome)
        self._serve()

    def withdraw(self, fiber: Fiber) -> None:
        """Learn that *fiber* does not want its result any more."""
        self._taken -= 1
        if fiber in self._waiting:
            self._waiting.remove(fiber)

    # ------------------------------------------------------------ member of a scope

    def interrupt(self) -> None:
        """Nothing runs here: the fork that runs the programs is a member itself."""

    def when_ended(self, callback: Callable[[], None]) -> bool:
        """Say that it has ended."""
        return False

    def unseen(self) -> list[tuple[int, Any]]:
        """List the failures and defects that nobody has taken."""
        return [found for outcome in self._arrived for found in ended_badly(outcome)]

    def fibers(self) -> Sequence[Fiber]:
        """List none: nothing runs here."""
        return ()


class _Taking:
    """What a fiber waits for that takes a result."""

    __slots__ = ("_completions", "_fiber")

    def __init__(self, completions: Completions, fiber: Fiber) -> None:
        self._completions = completions
        self._fiber = fiber

    def withdraw(self) -> bool:
        """Leave the result to the next one who takes."""
        self._completions.withdraw(self._fiber)
        return True

    def describe(self) -> str:
        """Say what is waited for."""
        return "the next of several results"


class _RunAll(Operation[Any]):
    """Run programs at once, and hand each exit to *completions*. The engine's own."""

    __slots__ = ("completions", "node")

    def __init__(self, completions: Completions, node: AsCompleted[Any, Any, Any]) -> None:
        self.completions: Completions = completions
        self.node: AsCompleted[Any, Any, Any] = node


class _Arriving(Every):
    """A group whose branches' exits go to completions."""

    __slots__ = ("completions",)

    completions: Completions

    @override
    def decide(self, number: int, outcome: Exit[Any, Any]) -> None:
        super().decide(number, outcome)
        self.completions.arrive(outcome)


def _run_all(node: _RunAll, fiber: Fiber) -> Any:
    programs = node.node.programs
    group = _Arriving(fiber, "as_completed", iter(programs), len(programs), node.node.concurrency)
    group.completions = node.completions
    return group.begin()


def _as_completed(node: AsCompleted[Any, Any, Any], fiber: Fiber) -> Any:
    if not node.programs:
        return ()
    completions = Completions(len(node.programs))
    start(fiber, "as_completed", _RunAll(completions, node))
    fiber.its_scope().members[completions] = None
    return tuple(NextCompleted[Any, Any](completions) for _ in node.programs)


def _next_completed(node: NextCompleted[Any, Any], fiber: Fiber) -> Any:
    return node.completions.take(fiber)


FORKS: dict[type[Any], Callable[[Any, Fiber], Any]] = {
    Fork: _fork,
    JoinFiber: _join,
    WaitFiber: _wait,
    InterruptFiber: _interrupt,
    EndForks: _end_forks,
    Finalize: _finalize,
    AsCompleted: _as_completed,
    NextCompleted: _next_completed,
    _RunAll: _run_all,
}
"""The functions of the nodes, for every interpreter's table."""
