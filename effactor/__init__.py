"""Actor workflows as values.

Describe a workflow over actors as a `Program`; interpreters run it live, simulate
it, draw it. Nothing in this package starts an event loop, reads a clock or draws
entropy: that is what `effactor.interpreters` is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.actors.actor import Actor, ActorContext
from effactor.actors.handlers import handler
from effactor.actors.message import Message
from effactor.actors.ref import ActorRef, StopMode
from effactor.actors.supervision import Directive, OneForOneStrategy
from effactor.coordination.deferred import Deferred
from effactor.coordination.queue import Queue
from effactor.coordination.semaphore import Semaphore
from effactor.coordination.state import State
from effactor.errors import (
    ActorNotFound,
    ActorStopped,
    AskFailed,
    AskLost,
    AskTimeout,
    BadToken,
    BranchesFailed,
    Deadlock,
    EffactorError,
    EscapedEffect,
    Failed,
    FiberInterrupted,
    HandlerFailed,
    Livelock,
    MailboxFull,
    MessageDropped,
    MissingAnswer,
    NameTaken,
    NoInterpreter,
    NonDeterminism,
    Timeout,
    UnboundRef,
    Unhandled,
    UnhandledEffect,
    Violation,
)
from effactor.programs.catching import catch
from effactor.programs.conversions import from_io_result, from_maybe, from_result
from effactor.programs.do import Do, program
from effactor.programs.effects import Effect, perform
from effactor.programs.exits import Died, Exit, FailedWith, Interrupted, Succeeded
from effactor.programs.explaining import explain
from effactor.programs.forks import (
    Fiber,
    as_completed,
)
from effactor.programs.handling import Handling, on
from effactor.programs.interpreter import Interpreter
from effactor.programs.levels import handle
from effactor.programs.mailbox import stash, unstash_all
from effactor.programs.operations import (
    free_ask,
    free_call,
    free_join,
    free_log,
    free_lookup,
    free_now,
    free_random,
    free_self,
    free_sleep,
    free_spawn,
    free_stop,
    free_tell,
    free_uuid,
)
from effactor.programs.parallel import Quorum, gather, never, traverse
from effactor.programs.program import (
    Fail,
    FlatMap,
    Program,
    Pure,
    Step,
    fail,
    pure,
)
from effactor.programs.quorums import at_least
from effactor.programs.racing import race
from effactor.programs.resources import (
    acquire_release,
    bracket,
    scoped,
)
from effactor.programs.services import Needs, provide, service
from effactor.programs.succeeding import first_success
from effactor.programs.timers import Timer, schedule_once
from effactor.programs.timing import every
from effactor.programs.zipping import zip_
from effactor.schedules.basic import exponential, fixed, recurs, spaced
from effactor.schedules.schedule import Schedule

if TYPE_CHECKING:
    from effactor.interpreters import ActorSystem, run_free, step

Free = Program

__all__ = [
    "Actor",
    "ActorContext",
    "ActorNotFound",
    "ActorRef",
    "ActorStopped",
    "ActorSystem",
    "AskFailed",
    "AskLost",
    "AskTimeout",
    "BadToken",
    "BranchesFailed",
    "Deadlock",
    "Deferred",
    "Died",
    "Directive",
    "Do",
    "EffactorError",
    "Effect",
    "EscapedEffect",
    "Exit",
    "Fail",
    "Failed",
    "FailedWith",
    "Fiber",
    "FiberInterrupted",
    "FlatMap",
    "Free",
    "HandlerFailed",
    "Handling",
    "Interpreter",
    "Interrupted",
    "Livelock",
    "MailboxFull",
    "Message",
    "MessageDropped",
    "MissingAnswer",
    "NameTaken",
    "Needs",
    "NoInterpreter",
    "NonDeterminism",
    "OneForOneStrategy",
    "Program",
    "Pure",
    "Queue",
    "Quorum",
    "Schedule",
    "Semaphore",
    "State",
    "Step",
    "StopMode",
    "Succeeded",
    "Timeout",
    "Timer",
    "UnboundRef",
    "Unhandled",
    "UnhandledEffect",
    "Violation",
    "acquire_release",
    "as_completed",
    "at_least",
    "bracket",
    "catch",
    "every",
    "explain",
    "exponential",
    "fail",
    "first_success",
    "fixed",
    "free_ask",
    "free_call",
    "free_join",
    "free_log",
    "free_lookup",
    "free_now",
    "free_random",
    "free_self",
    "free_sleep",
    "free_spawn",
    "free_stop",
    "free_tell",
    "free_uuid",
    "from_io_result",
    "from_maybe",
    "from_result",
    "gather",
    "handle",
    "handler",
    "never",
    "on",
    "perform",
    "program",
    "provide",
    "pure",
    "race",
    "recurs",
    "run_free",
    "schedule_once",
    "scoped",
    "service",
    "spaced",
    "stash",
    "step",
    "traverse",
    "unstash_all",
    "zip_",
]

# Users write `from effactor import ActorSystem`, but the core must not import an
# interpreter: these names load the facade when they are first used.
_FROM_INTERPRETERS = frozenset({"ActorSystem", "run_free", "step"})


# Hidden from type checkers: they know all names, and would take any other for Any.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in _FROM_INTERPRETERS:
            from effactor import interpreters

            value = getattr(interpreters, name)
            globals()[name] = value
            return value
        msg = f"module 'effactor' has no attribute {name!r}"
        raise AttributeError(msg)


# Show the public name in reprs, tracebacks and the docs.
for _name in __all__:
    if _name not in _FROM_INTERPRETERS and hasattr(globals()[_name], "__module__"):
        try:
            globals()[_name].__module__ = __name__
        except AttributeError:  # type aliases
            continue
