"""Keeps the records of a dry run, its clock and its bounds."""

from __future__ import annotations

from collections import Counter, deque
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Never

from typing_extensions import override

from effactor.errors import Livelock
from effactor.traces.record import Kind, Record
from effactor.traces.wording import sentence
from effactor_interpreters.runtime.engine.signals import FUEL, Abandoned
from effactor_interpreters.runtime.engine.virtual import VirtualOwner

if TYPE_CHECKING:
    from effactor.errors import Deadlock
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.engine.fiber import Fiber

IDLE: Final = 10_000_000
"""Nodes that a program may evaluate between two operations before it is given up."""

_CONTAINERS: Final = frozenset({list, dict, set, bytearray, deque})


class Recorder(VirtualOwner):
    """Owns the program's fiber and writes down what it does.

    Attributes:
        path: The program's own path.
        records: What it did so far.
        fiber: The fiber that runs, which knows the `named` programs it is inside of.
    """

    description = "dry_run(program)"

    def __init__(self, path: str, limit: int) -> None:
        """Begin.

        Args:
            path: The program's own path.
            limit: Most operations.
        """
        super().__init__()
        self.path = path
        self.records: list[Record] = []
        self.fiber: Fiber | None = None
        self._limit = limit
        self._operations = 0
        self._idle = 0

    def begin(self, kind: Kind, target: str, subject: Any = None) -> None:
        """Record an operation.

        Args:
            kind: What it is.
            target: Path of the participant acted on.
            subject: Its argument.

        Raises:
            Abandoned: If it is one too many.
        """
        self._operations += 1
        self._idle = 0
        if self._operations > self._limit:
            others = (r.target for r in self.records[-200:] if r.target != self.path)
            busiest = Counter(others).most_common(3) or [(self.path, 0)]
            self.abandon(
                Livelock(self._limit, tuple(path for path, _ in busiest)),
                f"dry_run stops after limit={self._limit} operations; give answers that end "
                "the loop, or a larger limit",
            )
        self.record(kind, self.path, target, subject)

    def outcome(self, kind: Kind, target: str, subject: Any) -> None:
        """Record how an operation ended: `reply` or `failure`.

        Args:
            kind: Which of the two.
            target: Path of the participant that the operation acted on.
            subject: The answer or the failure.
        """
        self.record(kind, target, self.path, subject)

    def record(self, kind: Kind, source: str, target: str, subject: Any) -> None:
        """Append a record, with all that the recorder knows itself."""
        if type(subject) in _CONTAINERS:
            subject = copy(subject)  # the program may go on to change its own
        step = len(self.records) + 1
        time = self.clock()
        within = () if self.fiber is None else self.fiber.within
        self.records.append(Record(step, kind, source, target, subject, time, within))

    def abandon(self, error: Exception, *advice: str) -> Never:
        """Give the dry run up, whatever the program would like to do about it.

        Args:
            error: What its caller gets.
            advice: Notes for that error.

        Raises:
            Abandoned: Always.
        """
        for note in advice:
            error.add_note(note)
        if self.records:
            last = [f"  {sentence(record)}" for record in self.records[-8:]]
            error.add_note("\n".join([f"the last of {len(self.records)} records:", *last]))
        raise Abandoned(error)

    # ------------------------------------------------------------ owner of the fibers

    @override
    def run_first(self, fiber: Fiber, program: Program[Any, Any, Any]) -> None:
        self.fiber = fiber
        super().run_first(fiber, program)

    @override
    def run_fiber(self, fiber: Fiber) -> None:
        self.fiber = fiber
        super().run_fiber(fiber)

    @override
    def stuck(self, deadlock: Deadlock) -> Never:
        self.abandon(deadlock)

    @override
    def out_of_fuel(self, fiber: Fiber) -> bool:
        """Let others run, unless the program has been at it too long without an operation."""
        self._idle += FUEL
        if self._idle >= IDLE:
            self.abandon(Livelock(self._idle, (self.path,)), "the program loops without operations")
        return super().out_of_fuel(fiber)
