"""What each operation means in a dry run: a record, and an answer made up.

The model is the BehaviorTestKit of Pekko: run the behaviour with no system around
it and hand back what it would have done, as values.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from effactor.actors.message import declared
from effactor.actors.ref import ActorRef
from effactor.errors import AskFailed, Failed, HandlerFailed, Livelock, MissingAnswer
from effactor.programs import operations as ops
from effactor.programs.effects import Effect
from effactor.programs.program import Handle, Program
from effactor.programs.structure import a_program
from effactor.traces.record import Kind, Record
from effactor.traces.trace import Trace
from effactor.traces.wording import sentence, shown
from effactor_interpreters.dry_run.answers import (
    NO_STUB,
    Abandoned,
    Answers,
    Refused,
    call_answer,
    effect_answer,
    resolve,
)
from effactor_interpreters.dry_run.fiber import NamingFiber
from effactor_interpreters.dry_run.zeros import EPOCH, NO_ZERO, zero
from effactor_interpreters.runtime.engine.fiber import FUEL, Fiber, OperationFailed
from effactor_interpreters.runtime.runs import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

IDLE: Final = 10_000_000
"""Nodes that a program may evaluate between two operations before it is given up."""

_SECOND: Final = 1_000_000_000  # nanoseconds


def dry_run(
    program: Program[Any, Any, Any],
    *,
    answers: Mapping[Any, Any] | None = None,
    limit: int = 10_000,
) -> Trace:
    """Find out what a program would do, without doing any of it.

    No actor, clock, entropy or outside function is touched: each operation is
    recorded and answered at once. An answer comes from *answers*, else it is the
    zero value of the type that the message declares as its reply (`0`, `""`, an
    empty list, None for an optional type, ...); for `free_call`, of the return
    annotation. Time passes only by `free_sleep` and begins at 2000-01-01; random
    numbers are 0.5; UUIDs count from 1; a lookup finds what it looks for.

    Args:
        program: The program.
        answers: Answers by what asks for them. A key is an operation
            (`free_ask(ref, Look("tea"))`); a message, an effect, or a function that
            `free_call` calls; the class of a message or effect, or a base of it;
            or the class of an operation. The first that fits in this order counts.

            A value is the answer; or a function that makes it, called with the
            message or effect (with the call's own arguments for `free_call`, with
            the operation for other operations). An exception, given, returned or
            raised, is what the actor's handler raises: a failure if the message
            declares it or if it is an `AskFailed`, else the failure
            `HandlerFailed`; elsewhere than for an ask it is a defect.
            `fail(error)` is the same for errors that are no exceptions, and makes
            lookups and effects fail; `pure(value)` answers *value* whatever it is,
            a function or an exception too. For effects any other program may make
            the answer, as in `handle`.
        limit: Most operations, at least 1.

    Returns:
        The trace of all operations and their answers. Its last record, and its
        `outcome`, say how the program ended: a failure or defect of its own is
        not raised.

    Raises:
        MissingAnswer: If an answer is needed that nothing gives; it names the
            stub to add, and no program can catch it.
        Livelock: If the program does more than *limit* operations, or loops
            without any.
        TypeError: If *program* is no program, or *answers* no mapping.
        ValueError: If *limit* is below 1.
    """
    a_program("dry_run", "program", program)
    if isinstance(limit, bool) or not isinstance(limit, int):
        msg = f"dry_run: limit must be a number of operations, got {limit!r}"
        raise TypeError(msg)
    if limit < 1:
        msg = f"dry_run: limit must be at least 1 operation, got {limit!r}"
        raise ValueError(msg)
    return DryRun(program, Answers(answers), limit).run()


class DryRun:
    """One dry run: the table of operations, and the owner of the program's fiber."""

    description = "dry_run(program)"

    def __init__(self, program: Program[Any, Any, Any], answers: Answers, limit: int) -> None:
        self._program = program
        self._answers = answers
        self._limit = limit
        self._path = f"/{name_of(program)}#1"
        self._records: list[Record] = []
        self._operations = 0
        self._idle = 0  # nodes since the last operation
        self._clock = 0  # nanoseconds
        self._uuids = 0
        self._spawned: Counter[str] = Counter()
        # Outermost, so it gets the effects that the program leaves unhandled.
        self._fiber = NamingFiber(self._table(), self)

    def run(self) -> Trace:
        """Run the program to its end.

        Returns:
            The trace.

        Raises:
            Exception: What `Abandoned` carried.
        """
        handled: Program[Any, Any, Any] = Handle(self._program, ((Effect, self.perform),))
        try:
            outcome = self._fiber.start(handled)
        except Abandoned as abandoned:
            error = abandoned.error
            last = [f"  {sentence(record)}" for record in self._records[-8:]]
            if last:
                error.add_note("\n".join(["the dry run came as far as:", *last]))
        else:
            self._record("end", self._path, outcome)
            return Trace(tuple(self._records), outcome)
        # Outside the `except`, so that the signal is no part of the traceback.
        raise error

    # ------------------------------------------------------------ owner of the fiber

    def wake(self, fiber: Fiber) -> None:
        """Never called: nothing waits."""
        raise NotImplementedError

    def run_fiber(self, fiber: Fiber) -> None:
        """Never called: nothing waits."""
        raise NotImplementedError

    def out_of_fuel(self, fiber: Fiber) -> bool:
        """Go on, unless the program has been thinking for too long."""
        self._idle += FUEL
        if self._idle >= IDLE:
            error = Livelock(self._idle, (self._path,))
            error.add_note("the program loops without an operation")
            raise Abandoned(error)
        return False

    # ------------------------------------------------------------ records and answers

    def _record(self, kind: Kind, target: str, subject: Any, source: str | None = None) -> None:
        self._records.append(
            Record(
                step=len(self._records) + 1,
                kind=kind,
                source=source or self._path,
                target=target,
                subject=subject,
                time=self._clock / _SECOND,
                within=self._fiber.within,
            )
        )

    def _begin(self) -> None:
        """Count an operation."""
        self._operations += 1
        self._idle = 0
        if self._operations > self._limit:
            busiest = Counter(r.target for r in self._records[-100:]).most_common(3)
            error = Livelock(self._limit, tuple(path for path, _ in busiest))
            error.add_note(
                f"dry_run stops after limit={self._limit} operations; give answers that end the "
                "loop, or a larger limit"
            )
            raise Abandoned(error)

    def _outcome(self, target: str, answer: Any) -> Any:
        self._record("reply", self._path, answer, source=target)
        return answer

    def _failed(self, target: str, failure: Any) -> None:
        self._record("failure", self._path, failure, source=target)

    def _missing(self, operation: str, why: str, stub: str) -> Abandoned:
        return Abandoned(MissingAnswer(operation, f"{why}; give dry_run(..., answers={{{stub}}})"))
