"""In which order messages arrive: what a network promises, beside the default.

`fifo` keeps the order of one sender and one receiver; `causal` also that of a message and
all that its sender knew of when it was sent (Birman, Joseph, "Reliable Communication in the
Presence of Failures", 1987); `unordered` keeps none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from effactor_interpreters.runtime.controls import Control
from effactor_interpreters.simulation.events import Delivery, Return

if TYPE_CHECKING:
    from collections import deque

    from effactor_interpreters.runtime.runs import Run
    from effactor_interpreters.simulation.events import Event

Order: TypeAlias = Literal["fifo", "causal", "unordered"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)

_SCENARIO: Final = "/scenario"


def check_delivery(where: str, delivery: object) -> None:
    """Refuse an order that does not exist.

    Args:
        where: The function that received it, for the error.
        delivery: What was given.

    Raises:
        ValueError: If it is not one of `ORDERS`.
    """
    if delivery not in ORDERS:
        known = ", ".join(f'"{order}"' for order in ORDERS)
        msg = f"{where}: delivery must be one of {known}, got {delivery!r}"
        raise ValueError(msg)


def any_of(channel: deque[Delivery]) -> list[Delivery]:
    """List what may arrive next from one sender where messages are unordered.

    The runtime's own items stay where they are, and so does what is behind them.

    Args:
        channel: What is on its way from one sender to one receiver.

    Returns:
        The messages.
    """
    found: list[Delivery] = []
    for event in channel:
        if isinstance(event.subject, Control):
            if not found:
                found.append(event)
            break
        if not event.withdrawn():
            found.append(event)
    return [event for event in found if event.enabled()]


class Causality:
    """Keeps who knows of which messages that are on their way."""

    def __init__(self) -> None:
        # Dicts in place of sets: their order is that of insertion, everywhere.
        self._pending: dict[Event, None] = {}
        self._known: dict[str, dict[Event, None]] = {}
        self._carried: dict[Event, dict[Event, None]] = {}
        self._runs: list[Run] = []

    def sent(self, event: Event) -> None:
        """Learn that a message is on its way."""
        known = self._of(event.source)
        self._carried[event] = dict(known)
        known[event] = None
        self._pending[event] = None

    def begins(self, run: Run) -> None:
        """Learn that the scenario begins a program: it knows what the scenario knows."""
        known = self._of(_SCENARIO)
        for each in [each for each in self._runs if each.fiber.outcome is not None]:
            self._runs.remove(each)
            known.update(self._of(each.path))
        self._known[run.path] = dict(known)
        self._runs.append(run)

    def may_happen(self, event: Event) -> bool:
        """Tell whether all has arrived that its sender knew was on its way there."""
        return not any(
            before.target == event.target and before in self._pending and not _is_void(before)
            for before in self._carried.get(event, ())
        )

    def over(self, event: Event, *, happened: bool) -> None:
        """Learn that a message has arrived, or is lost."""
        self._pending.pop(event, None)
        carried = self._carried.pop(event, None)
        if happened and carried:
            self._of(event.target).update(carried)

    def _of(self, path: str) -> dict[Event, None]:
        known = self._known.get(path, {})
        known = {event: None for event in known if event in self._pending}
        self._known[path] = known
        return known


def _is_void(event: Event) -> bool:
    if isinstance(event, Delivery):
        return event.withdrawn()
    return isinstance(event, Return) and bool(event.reply.done())
