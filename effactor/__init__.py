"""Actor workflows as values.

Describe a workflow over actors as a `Program`; interpreters run it live, simulate
it, draw it. Nothing in this package starts an event loop, reads a clock or draws
entropy: that is what `effactor.interpreters` is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.actors.actor import Actor, ActorContext
from effactor.actors.cancellation import CancellationToken
from effactor.actors.envelope import Envelope, SendOptions
from effactor.actors.handlers import handler
from effactor.actors.mailboxes import (
    FastMailbox,
    Full,
    Inbox,
    Mailbox,
    MemoryMailbox,
    Queued,
    ThreadedMailbox,
)
from effactor.actors.message import Message
from effactor.actors.middleware import Middleware, MiddlewareContext, Next
from effactor.actors.pool import Pool, pool
from effactor.actors.priority import Priority
from effactor.actors.props import SpawnOptions
from effactor.actors.ref import ActorRef, ReplyIterator, StopManner
from effactor.actors.registry_store import MemoryRegistryStore, RegistryStore
from effactor.actors.scheduling import Cancellable
from effactor.actors.shutdown import ShutdownManner, ShutdownMode, When
from effactor.actors.stop_policy import AfterIdle, AfterMessage, StopMode, StopPolicy
from effactor.actors.supervision import (
    AllForOneStrategy,
    Directive,
    OneForOneStrategy,
    RestForOneStrategy,
    SupervisorStrategy,
)
from effactor.actors.virtual_id import VirtualId
from effactor.actors.watching import Terminated
from effactor.coordination.deferred import Deferred
from effactor.coordination.queue import Queue
from effactor.coordination.semaphore import Semaphore
from effactor.coordination.state import State
from effactor.errors import (
    ActorNotFound,
    ActorStopped,
    AskCancelled,
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
    NotConforming,
    Timeout,
    UnboundRef,
    Unhandled,
    UnhandledEffect,
    UnknownActors,
    Violation,
)
from effactor.programs.buggifying import buggify
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
from effactor.programs.mailbox import become, stash, unbecome, unstash_all
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
    free_unwatch,
    free_uuid,
    free_watch,
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
from effactor.programs.streaming import Replies, free_ask_stream
from effactor.programs.succeeding import first_success
from effactor.programs.timers import Timer, schedule_once
from effactor.programs.timing import every
from effactor.programs.zipping import zip_
from effactor.schedules.basic import exponential, fixed, recurs, spaced
from effactor.schedules.schedule import Schedule

if TYPE_CHECKING:
    from effactor.interpreters import ActorSystem, VirtualActorRegistry, run_free, step

Free = Program

__all__ = [
    "Actor",
    "ActorContext",
    "ActorNotFound",
    "ActorRef",
    "ActorStopped",
    "ActorSystem",
    "AfterIdle",
    "AfterMessage",
    "AllForOneStrategy",
    "AskCancelled",
    "AskFailed",
    "AskLost",
    "AskTimeout",
    "BadToken",
    "BranchesFailed",
    "Cancellable",
    "CancellationToken",
    "Deadlock",
    "Deferred",
    "Died",
    "Directive",
    "Do",
    "EffactorError",
    "Effect",
    "Envelope",
    "EscapedEffect",
    "Exit",
    "Fail",
    "Failed",
    "FailedWith",
    "FastMailbox",
    "Fiber",
    "FiberInterrupted",
    "FlatMap",
    "Free",
    "Full",
    "HandlerFailed",
    "Handling",
    "Inbox",
    "Interpreter",
    "Interrupted",
    "Livelock",
    "Mailbox",
    "MailboxFull",
    "MemoryMailbox",
    "MemoryRegistryStore",
    "Message",
    "MessageDropped",
    "Middleware",
    "MiddlewareContext",
    "MissingAnswer",
    "NameTaken",
    "Needs",
    "Next",
    "NoInterpreter",
    "NonDeterminism",
    "NotConforming",
    "OneForOneStrategy",
    "Pool",
    "Priority",
    "Program",
    "Pure",
    "Queue",
    "Queued",
    "Quorum",
    "RegistryStore",
    "Replies",
    "ReplyIterator",
    "RestForOneStrategy",
    "Schedule",
    "Semaphore",
    "SendOptions",
    "ShutdownManner",
    "ShutdownMode",
    "SpawnOptions",
    "State",
    "Step",
    "StopManner",
    "StopMode",
    "StopPolicy",
    "Succeeded",
    "SupervisorStrategy",
    "Terminated",
    "ThreadedMailbox",
    "Timeout",
    "Timer",
    "UnboundRef",
    "Unhandled",
    "UnhandledEffect",
    "UnknownActors",
    "Violation",
    "VirtualActorRegistry",
    "VirtualId",
    "When",
    "acquire_release",
    "as_completed",
    "at_least",
    "become",
    "bracket",
    "buggify",
    "catch",
    "every",
    "explain",
    "exponential",
    "fail",
    "first_success",
    "fixed",
    "free_ask",
    "free_ask_stream",
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
    "free_unwatch",
    "free_uuid",
    "free_watch",
    "from_io_result",
    "from_maybe",
    "from_result",
    "gather",
    "handle",
    "handler",
    "never",
    "on",
    "perform",
    "pool",
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
    "unbecome",
    "unstash_all",
    "zip_",
]

# Users write `from effactor import ActorSystem`, but the core must not import an
# interpreter: these names load the facade when they are first used.
_FROM_INTERPRETERS = frozenset({"ActorSystem", "VirtualActorRegistry", "run_free", "step"})


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
