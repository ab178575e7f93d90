"""Faults as programs that race with the others: the schedule decides when they strike.

A fault is listed last in `run_all`, so in the default order it comes when all is over, and
harms nobody. Each is one function here, so that fault plans can take their place.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from typing_extensions import override

from effactor import Actor, ActorRef, Do, Program, free_call, free_spawn, free_tell, program
from effactor.interpreters import Simulation


class LinkFault(Enum):
    """What may happen on a link."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    PARTITION = "partition"


class Link(Actor[Any]):
    """A wire to one actor: passes on each message, but for the one that a fault strikes."""

    def __init__(self, target: ActorRef[Any]) -> None:
        self.target = target
        self.fault: LinkFault | None = None

    @override
    def on_receive(self, message: Any) -> None:
        if isinstance(message, LinkFault):
            self.fault = message
            return
        fault = self.fault
        if fault is LinkFault.PARTITION:
            return
        self.fault = None
        match fault:
            case None:
                self.target.tell_nowait(message)
            case LinkFault.DROP:
                pass
            case LinkFault.DUPLICATE:
                self.target.tell_nowait(message)
                self.target.tell_nowait(message)
            case LinkFault.DELAY:
                self.context.schedule_once(1.0, message, self.target)


def strike(link: ActorRef[Any], fault: LinkFault) -> Program[None]:
    """Let a fault strike the next message on a link; a partition strikes all that follow."""
    return free_tell(link, fault)


def crash(sim: Simulation, ref: ActorRef[Any]) -> Program[None]:
    """End an actor as a power cut would."""
    return free_call(sim.crash, ref)


@program
def crash_and_restart(
    sim: Simulation, ref: ActorRef[Any], actor: Callable[[], Actor[Any]]
) -> Do[None]:
    """End an actor as a power cut would, and start it again with what *actor* finds on disk."""
    yield from free_call(sim.crash, ref)
    yield from free_spawn(actor, ref.name)
