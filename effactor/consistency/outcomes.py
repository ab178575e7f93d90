"""What a failed ask says about its message: not handled, answered, or nobody knows.

An operation that is called failed and has taken effect makes a checker see violations
that are none, so what is not certain counts as unknown (Jepsen's `info`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from effactor.actors.message import declared
from effactor.errors import ActorStopped, AskFailed, MailboxFull, MessageDropped, Unhandled

if TYPE_CHECKING:
    from effactor.actors.ref import ActorRef

Outcome = Literal["ok", "fail", "info"]


def of_ask(error: object, ref: ActorRef[Any], message: object) -> Outcome:
    """Tell how an ask ended that did not end with a reply.

    Args:
        error: What it failed with or raised.
        ref: Who was asked.
        message: The message.

    Returns:
        `"ok"` for a failure that the message declares, which is a reply; `"fail"` if the
        message was certainly not handled; else `"info"`.
    """
    if isinstance(error, AskFailed):
        return "fail" if _never_handled(error, ref, message) else "info"
    # An actor that crashed raises its own exception to those who `await ref.ask(...)`.
    return "ok" if isinstance(error, declared(type(message)).failures) else "info"


def _never_handled(error: AskFailed, ref: ActorRef[Any], message: object) -> bool:
    match error:
        case Unhandled() | MailboxFull() | MessageDropped():
            about = error.message
        case ActorStopped(delivered=False):
            about = error.message
        case _:
            return False
    # The error may be that of an ask which the handler made, half-way through.
    return error.target.endswith(ref.path) and (about is message or about == message)
