"""One thing that happened, or would happen, in a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "begin",
    "ask",
    "tell",
    "reply",
    "failure",
    "spawn",
    "start",
    "stop",
    "join",
    "watch",
    "unwatch",
    "lookup",
    "self",
    "sleep",
    "now",
    "random",
    "uuid",
    "log",
    "call",
    "perform",
    "coordinate",
    "schedule",
    "cancel",
    "timer",
    "stash",
    "unstash",
    "unstashed",
    "become",
    "unbecome",
    "crash",
    "fault",
    "end",
]


@dataclass(frozen=True, slots=True)
class Record:
    """One event of a trace.

    Attributes:
        step: Its number in the trace, from 1.
        kind: What happened. `ask` and `tell` are messages on their way to the
            target; `reply` and `failure` are the outcomes on their way back.
        source: Path of the participant that acts, such as `/checkout#1`.
        target: Path of the participant acted on; the source itself for what
            concerns nobody else, such as `sleep`.
        subject: The message, the reply, the failure, or the operation's argument:
            seconds for `sleep`, the mode for `stop`, the class or factory for
            `spawn`, the path for `lookup`, the message for `stash` and, when it is
            handled again, for `unstashed`. For `call`, `log` and `schedule`, which
            have several, for `become` and `cancel`, and for `coordinate`, which is all
            that is done with a queue, deferred, semaphore or state, the operation itself;
            for `now`, `random`, `uuid` and `unstash`, which have none, the answer;
            for `end`, the `Exit`.
        time: Seconds since the run began, on the run's own clock.
        within: Names of the `named` programs it happened inside of, outermost first.
    """

    step: int
    kind: Kind
    source: str
    target: str
    subject: Any = None
    time: float = 0.0
    within: tuple[str, ...] = ()
