"""`dry_run`: what would this program do?

The model is the BehaviorTestKit of Pekko: run the behaviour with no system around
it and hand back what it would have done, as values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.programs.effects import Effect
from effactor.programs.naming import name_of
from effactor.programs.program import Handle, Program
from effactor.programs.structure import a_program
from effactor.traces.trace import Trace
from effactor_interpreters.dry_run.answers import Answers
from effactor_interpreters.dry_run.operations import Operations
from effactor_interpreters.dry_run.recorder import Recorder
from effactor_interpreters.runtime.engine.fiber import Fiber
from effactor_interpreters.runtime.engine.signals import Abandoned

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    program = a_program("dry_run", "program", program)
    _check_limit(limit)
    recorder = Recorder(f"/{name_of(program)}#1", limit)
    operations = Operations(recorder, Answers(answers))
    # Outermost, so it gets the effects that the program leaves unhandled.
    handled: Program[Any, Any, Any] = Handle(program, ((Effect, operations.perform),))
    fiber = Fiber(operations.table(), recorder)
    try:
        outcome = recorder.run(fiber, handled)
    except Abandoned as abandoned:
        error = abandoned.error
    else:
        recorder.record("end", recorder.path, recorder.path, outcome)
        return Trace(tuple(recorder.records), outcome)
    # Outside the `except`, so that the signal does not show in the traceback.
    raise error


def _check_limit(limit: Any) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int):
        msg = f"dry_run: limit must be a number of operations, got {limit!r}"
        raise TypeError(msg)
    if limit < 1:
        msg = f"dry_run: limit must be at least 1 operation, got {limit!r}"
        raise ValueError(msg)
