"""What can happen to a message on its way: losing, copying, and overtaking it."""

from __future__ import annotations

from copy import copy as duplicated
from typing import TYPE_CHECKING, Any

from effactor.errors import AskLost
from effactor_interpreters.runtime.controls import Control
from effactor_interpreters.runtime.letters import Letter
from effactor_interpreters.simulation.events import Delivery, Event, Return, Returning

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from effactor_interpreters.simulation.world import SimulatedWorld


def is_message(event: Event) -> TypeIs[Delivery | Return]:
    """Tell whether an event is a message, or a reply, that a network carries.

    The runtime's own items are not, nor what already waits in an inbox at its receiver, nor
    the news that an ask is lost.
    """
    if type(event) is Delivery:
        return not event.urgent and not isinstance(event.subject, Control)
    return type(event) is Return and not isinstance(event.subject, AskLost)


def lose(world: SimulatedWorld, event: Delivery | Return) -> None:
    """Let a message, or a reply, never arrive.

    An ask ends all the same: with its timeout, or by the news that the connection is lost.

    Args:
        world: The world.
        event: The message; it is taken out.
    """
    world.take_out(event)
    if isinstance(event, Return):
        reply, target, asker, message = event.reply, event.source, event.target, None
        message = getattr(reply, "message", event.subject)
    else:
        if event.reply is None:
            return
        reply, target, asker, message = event.reply, event.target, event.source, event.subject
        if isinstance(reply, Returning):
            reply = reply.asked
    if reply.done() or has_time_limit(world, reply, asker, target, message):
        return
    full = f"/{world.system.name}{target}"
    world.send_back(target, asker, AskLost(full, message), reply, "refusal")


def has_time_limit(
    world: SimulatedWorld, reply: Any, asker: str, target: str, message: Any
) -> bool:
    """Tell whether an ask ends by itself when its timeout is over."""
    if hasattr(reply, "timer"):
        return reply.timer is not None
    # A future knows nothing of its timer, which has a name of its own.
    what = f"timeout of {type(message).__name__} to {target}"
    return any(timer.what == what and timer.source == asker for timer in world.timers_set())


def copy(world: SimulatedWorld, event: Delivery) -> Delivery:
    """Let a message arrive once more, behind what is on its way from the same sender.

    Nobody waits for the reply to the copy.

    Args:
        world: The world.
        event: The message.

    Returns:
        The copy.
    """
    made = Delivery(
        -event.order[0],
        world.number(),
        (*event.key, "copy"),
        event.source,
        event.cell,
        _again(event.item),
        None,
        urgent=False,
    )
    world.put_on_its_way(made)
    return made


def _again(item: Any) -> Any:
    if type(item) is not Letter:
        return item
    made = duplicated(item)
    made.reply = None
    return made


def next_in_line(world: SimulatedWorld, event: Event) -> Delivery | None:
    """Find the message behind another one, if it may overtake.

    Args:
        world: The world.
        event: A message.

    Returns:
        The next of the same sender to the same receiver; None if there is none.
    """
    if type(event) is not Delivery:
        return None
    channel = world.channel_of(event)
    if len(channel) < 2 or channel[0] is not event:  # noqa: PLR2004
        return None
    following = channel[1]
    return following if is_message(following) else None
