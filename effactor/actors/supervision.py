"""What happens to an actor whose handler raised something undeclared.

Supervision follows Erlang and Akka: whoever started the actor decides, by a
strategy that is a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Directive(Enum):
    """What to do with an actor that failed."""

    RESUME = "resume"
    """Keep the actor and its state; only the message is lost."""

    RESTART = "restart"
    """Replace the instance by a new one; ref, mailbox and name stay."""

    STOP = "stop"
    """Stop the actor."""

    ESCALATE = "escalate"
    """Stop the actor and treat its parent as having failed."""


def restart_always(_error: BaseException) -> Directive:
    """Restart whatever the error: the default decider.

    Args:
        _error: What the handler raised.

    Returns:
        `Directive.RESTART`.
    """
    return Directive.RESTART


@dataclass(frozen=True, slots=True, kw_only=True)
class OneForOneStrategy:
    """Deal with the failing child alone; its siblings go on.

    Attributes:
        max_restarts: How many restarts a child may have within the window; one
            more stops it.
        within_seconds: Length of the sliding window, in seconds.
        decider: Maps what the handler raised to a `Directive`.
    """

    max_restarts: int = 3
    within_seconds: float = 60.0
    decider: Callable[[BaseException], Directive] = restart_always

    def __post_init__(self) -> None:
        """Refuse bounds that make no sense."""
        if self.max_restarts < 0:
            msg = f"OneForOneStrategy: max_restarts must be >= 0, got {self.max_restarts!r}"
            raise ValueError(msg)
        if not self.within_seconds > 0:
            msg = f"OneForOneStrategy: within_seconds must be > 0, got {self.within_seconds!r}"
            raise ValueError(msg)
