"""What programs at once mean, in every interpreter: branches, which are fibers.

The fiber that meets such a node waits for a `Group` of branches. A group decides its
outcome as its branches end; once it has, it interrupts those that still run, and the
fiber goes on when the last one has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor.errors import BranchesFailed
from effactor.programs.exits import Died, Exit, FailedWith, Interrupted, Succeeded
from effactor.programs.parallel import (
    AtLeast,
    FirstSuccess,
    Forever,
    Gather,
    Quorum,
    Race,
    Traverse,
    Zip,
)
from effactor.programs.program import FlatMap, Program, Pure
from effactor_interpreters.runtime.engine.branches import interrupt, leaves
from effactor_interpreters.runtime.engine.lost import together
from effactor_interpreters.runtime.engine.notes import set_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from effactor_interpreters.runtime.engine.fiber import Fiber


class Group:
    """Branches that run for one fiber, which waits for them.

    Attributes:
        fiber: The fiber that waits.
        name: What traces call it, such as `gather`.
        size: How many branches there are.
        running: The branches that have begun and not ended, by number.
        decided: How it will end; None while that is open.
    """

    __slots__ = ("_defects", "_left", "_limit", "decided", "fiber", "name", "running", "size")

    def __init__(
        self,
        fiber: Fiber,
        name: str,
        programs: Iterator[Program[Any, Any, Any]],
        size: int,
        limit: int | None = None,
    ) -> None:
        self.fiber: Fiber = fiber
        self.name: str = name
        self.size: int = size
        self.running: dict[int, Fiber] = {}
        self.decided: Exit[Any, Any] | None = None
        self._left = enumerate(programs)
        self._limit: int = size if limit is None else limit
        self._defects: list[BaseException] = []

    def begin(self) -> Any:
        """Start the first branches, and let the fiber wait.

        Returns:
            What the operation's function must return.
        """
        self._start_more()
        return self.fiber.wait(self)

    def _start_more(self) -> None:
        while len(self.running) < self._limit:
            following = next(self._left, None)
            if following is None:
                return
            number, program = following
            branch = self.fiber.child(program, self.name, f"{number + 1} of {self.size}")
            branch.on_end = _Ending(self, number)
            self.running[number] = branch
            branch.begin()

    def ended(self, number: int, outcome: Exit[Any, Any]) -> None:
        """Learn how a branch ended; branches call it."""
        del self.running[number]
        if self.decided is not None:
            if isinstance(outcome, Died):
                self._defects.append(outcome.defect)
        else:
            self.decided = self.decide(number, outcome)
            if self.decided is None:
                self._start_more()
                if not self.running:
                    self.decided = self.at_the_end()
            else:
                interrupt(self.branches())
        if not self.running and self.decided is not None:
            self._finish(self.decided)

    def decide(self, number: int, outcome: Exit[Any, Any]) -> Exit[Any, Any] | None:
        """Take note of a branch's end, and decide how the group ends if that follows."""
        raise NotImplementedError

    def at_the_end(self) -> Exit[Any, Any]:
        """Decide how the group ends when all branches have, and none has decided it."""
        raise NotImplementedError

    def _finish(self, decided: Exit[Any, Any]) -> None:
        defects = self._defects
        if isinstance(decided, Died):
            defects.insert(0, decided.defect)
        if not defects:
            self.fiber.resume_as(decided)
            return
        defect = together(f"several branches of {self.name} died", defects)
        if isinstance(decided, FailedWith) and isinstance(decided.error, BaseException):
            set_context(defect, decided.error)
        self.fiber.resume_as(Died(defect))

    # ------------------------------------------------------------ what the fiber waits for

    def withdraw(self) -> bool:
        """Begin no more branches; the fiber goes on when those that run have ended."""
        if not isinstance(self.decided, Died):
            self.decided = Interrupted()
        return False

    def branches(self) -> Sequence[Fiber]:
        """List the branches that run."""
        return tuple(self.running.values())

    def describe(self) -> str:
        """Say what is waited for, by the first few branches."""
        found = leaves(self.branches(), _SHOWN + 1)
        waiting = [pending.describe() for pending in found[:_SHOWN]]
        if len(found) > _SHOWN or len(found) < len(self.running):
            waiting.append("...")
        return f"{self.name} of {self.size} ({', '.join(waiting)})"


_SHOWN: Final = 3


class _Ending:
    """Tells a group that its branch of this number has ended."""

    __slots__ = ("group", "number")

    def __init__(self, group: Group, number: int) -> None:
        self.group: Group = group
        self.number: int = number

    def __call__(self, outcome: Exit[Any, Any]) -> None:
        """Tell it."""
        self.group.ended(self.number, outcome)


class All(Group):
    """Waits for all branches to succeed; the first that does not decides."""

    __slots__ = ("_answers", "_shape")

    def __init__(
        self,
        fiber: Fiber,
        name: str,
        programs: Iterator[Program[Any, Any, Any]],
        size: int,
        limit: int | None = None,
        shape: Callable[[list[Any]], Any] = list,
    ) -> None:
        super().__init__(fiber, name, programs, size, limit)
        self._answers: list[Any] = [None] * size
        self._shape = shape

    @override
    def decide(self, number: int, outcome: Exit[Any, Any]) -> Exit[Any, Any] | None:
        if isinstance(outcome, Succeeded):
            self._answers[number] = outcome.value
            return None
        return outcome

    @override
    def at_the_end(self) -> Exit[Any, Any]:
        return Succeeded(self._shape(self._answers))


class Every(Group):
    """Waits for all branches to end, and answers how."""

    __slots__ = ("_exits",)

    def __init__(
        self,
        fiber: Fiber,
        name: str,
        programs: Iterator[Program[Any, Any, Any]],
        size: int,
        limit: int | None = None,
    ) -> None:
        super().__init__(fiber, name, programs, size, limit)
        self._exits: list[Any] = [None] * size

    @override
    def decide(self, number: int, outcome: Exit[Any, Any]) -> None:
        self._exits[number] = outcome

    @override
    def at_the_end(self) -> Exit[Any, Any]:
        return Succeeded(self._exits)


class First(Group):
    """Ends as the first branch to end does."""

    __slots__ = ()

    @override
    def decide(self, number: int, outcome: Exit[Any, Any]) -> Exit[Any, Any]:
        return outcome


class Enough(Group):
    """Waits until enough branches have succeeded, or too many have failed."""

    __slots__ = ("_failed", "_needed", "_quorum", "_succeeded")

    def __init__(
        self,
        fiber: Fiber,
        name: str,
        programs: Sequence[Program[Any, Any, Any]],
        needed: int,
        *,
        quorum: bool,
    ) -> None:
        super().__init__(fiber, name, iter(programs), len(programs))
        self._needed = needed
        self._quorum = quorum
        self._succeeded: dict[int, Any] = {}
        self._failed: dict[int, Any] = {}

    @override
    def decide(self, number: int, outcome: Exit[Any, Any]) -> Exit[Any, Any] | None:
        if isinstance(outcome, Succeeded):
            self._succeeded[number] = outcome.value
            if len(self._succeeded) < self._needed:
                return None
            if not self._quorum:
                return outcome
            return Succeeded(Quorum(_in_order(self._succeeded), _in_order(self._failed)))
        if isinstance(outcome, FailedWith):
            self._failed[number] = outcome.error
            if self.size - len(self._failed) >= self._needed:
                return None
            return FailedWith(BranchesFailed(self._needed, self.size, _in_order(self._failed)))
        return outcome

    @override
    def at_the_end(self) -> Exit[Any, Any]:
        raise AssertionError  # the last branch to end has decided it


def _in_order(by_number: dict[int, Any]) -> tuple[Any, ...]:
    return tuple(value for _, value in sorted(by_number.items(), key=lambda item: item[0]))


class Waiting:
    """What a fiber waits for that waits for ever."""

    __slots__ = ()

    def withdraw(self) -> bool:
        """Let it go."""
        return True

    def describe(self) -> str:
        """Say what is waited for."""
        return "never()"


def _gather(node: Gather[Any, Any, Any], fiber: Fiber) -> Any:
    if not node.programs:
        return []
    kind = Every if node.mode == "collect" else All
    return kind(fiber, "gather", iter(node.programs), len(node.programs), node.concurrency).begin()


def _traverse(node: Traverse[Any, Any, Any], fiber: Fiber) -> Any:
    if not node.items:
        return []
    function = node.function
    programs: Iterator[Program[Any, Any, Any]] = (
        FlatMap(Pure(item), function) for item in node.items
    )
    kind = Every if node.mode == "collect" else All
    return kind(fiber, "traverse", programs, len(node.items), node.concurrency).begin()


def _zip(node: Zip[Any, Any, Any], fiber: Fiber) -> Any:
    return All(fiber, "zip", iter(node.programs), len(node.programs), shape=tuple).begin()


def _race(node: Race[Any, Any, Any], fiber: Fiber) -> Any:
    return First(fiber, "race", iter(node.programs), len(node.programs)).begin()


def _first_success(node: FirstSuccess[Any, Any, Any], fiber: Fiber) -> Any:
    return Enough(fiber, "first_success", node.programs, 1, quorum=False).begin()


def _at_least(node: AtLeast[Any, Any, Any], fiber: Fiber) -> Any:
    name = f"at_least {node.needed}"
    return Enough(fiber, name, node.programs, node.needed, quorum=True).begin()


def _never(_node: Forever, fiber: Fiber) -> Any:
    return fiber.wait(Waiting())


PARALLEL: dict[type[Any], Callable[[Any, Fiber], Any]] = {
    Gather: _gather,
    Traverse: _traverse,
    Zip: _zip,
    Race: _race,
    FirstSuccess: _first_success,
    AtLeast: _at_least,
    Forever: _never,
}
"""The functions of the nodes, for every interpreter's table."""
