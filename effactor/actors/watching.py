"""Death watch: the message by which an actor learns that another one has stopped.

After the death watch of Akka and Pekko, and the monitors of Erlang.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from effactor.actors.message import Message

if TYPE_CHECKING:
    from effactor.actors.ref import ActorRef


@final
@dataclass(frozen=True, slots=True)
class Terminated(Message[None]):
    """An actor that this one watches has stopped, and will never handle anything more.

    `context.watch(ref)` and `free_watch(ref)` lead to one of it, whatever way the actor
    stopped. Any actor may have a handler for it; `Actor[...]` need not list it.

    Attributes:
        ref: The actor's ref, as it was given to watch.
        reason: Why it stopped, in words, for logs: `asked to stop by /shop`. Do not
            decide by it.
    """

    ref: ActorRef[Any]
    reason: str = ""
