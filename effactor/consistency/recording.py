"""Programs that record their operations in a history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from returns.result import Success

from effactor.consistency.outcomes import of_ask
from effactor.programs.conversions import from_result
from effactor.programs.do import Do, program
from effactor.programs.operations import free_ask, free_now, free_self
from effactor.programs.structure import a_program

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.ref import ActorRef
    from effactor.consistency.history import History
    from effactor.consistency.outcomes import Outcome
    from effactor.programs.program import Program

Classes = tuple[type[Any], ...]


def asking(
    history: History,
    ref: ActorRef[Any],
    message: Any,
    operation: Any,
    client: str | None,
    timeout: float | None,
    no_effect: Classes,
) -> Program[Any, Any]:
    """Make the program of `History.free_ask`."""
    ask = free_ask(ref, message, timeout=timeout)
    recorded = message if operation is None else operation
    return _recorded(history, recorded, ask, client, _AskOutcome(ref, message, no_effect))


def running(
    history: History,
    operation: Any,
    source: Program[Any, Any, Any],
    client: str | None,
    no_effect: Classes,
) -> Program[Any, Any, Any]:
    """Make the program of `History.free_record`."""
    source = a_program("history.free_record", "program", source)
    return _recorded(history, operation, source, client, _RunOutcome(no_effect))


@program
def _recorded(
    history: History,
    operation: Any,
    source: Program[Any, Any, Any],
    client: str | None,
    outcome_of: Callable[[object], Outcome],
) -> Do[Any, Any, Any]:
    if client is None:
        client = (yield from free_self()).path
    begin = yield from free_now()
    # A defect or an interrupt leaves the operation pending, which is what is known then.
    number = history.invoke(operation, client=client, at=begin.timestamp())
    result = yield from source.attempt()
    end = (yield from free_now()).timestamp()
    if isinstance(result, Success):
        history.ok(number, result.unwrap(), at=end)
    else:
        error = result.failure()
        history.end(outcome_of(error), number, error, at=end)
    return (yield from from_result(result))


# Values, so that programs of equal operations are equal.
@dataclass(frozen=True, slots=True)
class _AskOutcome:
    """What a failure of an ask says about the operation."""

    ref: ActorRef[Any]
    message: Any
    no_effect: Classes

    def __call__(self, error: object) -> Outcome:
        if isinstance(error, self.no_effect):
            return "fail"
        return of_ask(error, self.ref, self.message)


@dataclass(frozen=True, slots=True)
class _RunOutcome:
    """What a failure of a program says about the operation."""

    no_effect: Classes

    def __call__(self, error: object) -> Outcome:
        return "fail" if isinstance(error, self.no_effect) else "info"
