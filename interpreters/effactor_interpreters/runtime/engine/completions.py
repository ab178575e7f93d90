"""What `as_completed` means, in every interpreter: a fork, and those who take its results."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.errors import FiberInterrupted
from effactor.programs.exits import Died, Exit
from effactor.programs.forks import AsCompleted, NextCompleted
from effactor.programs.operations import Operation
from effactor_interpreters.runtime.engine.forks import ended_badly, start
from effactor_interpreters.runtime.engine.parallel import Every
from effactor_interpreters.runtime.engine.signals import SUSPENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.engine.scopes import Scope


class Completions:
    """Collects how several programs end, in order, for those who take the results.

    It is a member of the scope while there is a failure or defect that nobody has taken.

    Attributes:
        total: How many results there will be.
        scope: The scope of the fork that runs the programs.
    """

    __slots__ = ("_arrived", "_over", "_taken", "_unseen", "_waiting", "scope", "total")

    def __init__(self, total: int, scope: Scope) -> None:
        self.total: int = total
        self.scope: Scope = scope
        self._arrived: deque[Exit[Any, Any]] = deque()
        self._waiting: dict[Fiber, None] = {}
        self._taken: int = 0
        self._unseen: int = 0
        self._over: bool = False

    def arrive(self, outcome: Exit[Any, Any]) -> None:
        """Take note of a result."""
        self._arrived.append(outcome)
        self._count(outcome, 1)
        self._serve()

    def end(self) -> None:
        """Learn that the fork has ended: what has not arrived was interrupted."""
        self._over = True
        self._serve()

    def take(self, fiber: Fiber) -> Any:
        """Let *fiber* have the next result."""
        if self._taken >= self.total:
            msg = f"as_completed: all {self.total} results have been taken already"
            raise RuntimeError(msg)
        self._taken += 1
        self._waiting[fiber] = None
        fiber.wait(_Taking(self, fiber))
        self._serve()
        return SUSPENDED

    def _serve(self) -> None:
        while self._waiting and self._arrived:
            outcome = self._arrived.popleft()
            self._count(outcome, -1)
            self._next_in_line().resume_as(outcome, partial(self._take_back, outcome))
        while self._waiting and self._over:
            self._next_in_line().resume_as(Died(FiberInterrupted("as_completed")))

    def _next_in_line(self) -> Fiber:
        fiber = next(iter(self._waiting))
        del self._waiting[fiber]
        return fiber

    def _take_back(self, outcome: Exit[Any, Any]) -> None:
        self._taken -= 1
        self._arrived.appendleft(outcome)
        self._count(outcome, 1)
        self._serve()

    def _count(self, outcome: Exit[Any, Any], change: int) -> None:
        if not ended_badly(outcome):
            return
        self._unseen += change
        if self._unseen:
            self.scope.members[self] = None
        else:
            self.scope.members.pop(self, None)

    def withdraw(self, fiber: Fiber) -> None:
        """Learn that *fiber* does not want its result any more."""
        self._taken -= 1
        del self._waiting[fiber]

    # ------------------------------------------------------------ member of a scope

    def interrupt(self) -> None:
        """Nothing runs here: the fork that runs the programs is a member itself."""

    def when_ended(self, callback: Callable[[], None]) -> bool:
        """Say that it has ended."""
        del callback
        return False

    def unseen(self) -> list[tuple[int, Any]]:
        """List the failures and defects that nobody has taken."""
        return [found for outcome in self._arrived for found in ended_badly(outcome)]

    def fibers(self) -> Sequence[Fiber]:
        """Say that nothing runs here."""
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
    completions = Completions(len(node.programs), fiber.its_scope())
    start(fiber, "as_completed", _RunAll(completions, node)).when_ended(completions.end)
    return tuple(NextCompleted[Any, Any](completions) for _ in node.programs)


def _next_completed(node: NextCompleted[Any, Any], fiber: Fiber) -> Any:
    return node.completions.take(fiber)


COMPLETIONS: dict[type[Any], Callable[[Any, Fiber], Any]] = {
    AsCompleted: _as_completed,
    NextCompleted: _next_completed,
    _RunAll: _run_all,
}
"""The functions of the nodes, for every interpreter's table."""
