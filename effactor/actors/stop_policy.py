"""When an actor stops by itself: its stop policy, a value that its class declares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any


class StopMode(Enum):
    """The stop policies without parameters."""

    NEVER = "never"
    """Live until somebody stops the actor."""

    ONE_TIME = "one_time"
    """Stop after the first message."""


@dataclass(frozen=True, slots=True)
class AfterMessage:
    """Stop after a message that equals this one.

    Attributes:
        message: The message; it is handled as any other before the actor stops.
    """

    message: Any


@dataclass(frozen=True, slots=True)
class AfterIdle:
    """Stop once nothing has been received for a while.

    Attributes:
        seconds: How long, greater than 0; every message starts the wait again.
    """

    seconds: float

    def __post_init__(self) -> None:
        """Refuse what is no duration.

        Raises:
            TypeError: If it is no number.
            ValueError: If it is not greater than 0, or not finite.
        """
        value: Any = self.seconds
        if isinstance(value, bool) or not isinstance(value, int | float):
            hint = "; give its total_seconds()" if hasattr(value, "total_seconds") else ""
            msg = f"AfterIdle: seconds must be a number of seconds, got {value!r}{hint}"
            raise TypeError(msg)
        if not 0 < value < math.inf:
            msg = f"AfterIdle: seconds must be a finite number of seconds > 0, got {value!r}"
            raise ValueError(msg)


StopPolicy = StopMode | AfterMessage | AfterIdle
