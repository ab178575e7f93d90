"""How a system ends: values for `system.shutdown`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ShutdownManner = Literal["now", "after_current", "drain"]

_MANNERS: Final = ("now", "after_current", "drain")


@final
@dataclass(frozen=True, slots=True)
class When:
    """Shut down once a condition holds; until then everything goes on as before.

    Attributes:
        condition: A function without arguments, `def` or `async def`. It is asked at once
            and then again and again. What it raises, `shutdown` raises, and nothing stops.
        then: How to shut down when it holds.
        poll: Seconds between two questions, on the world's clock, greater than 0.
    """

    condition: Callable[[], bool | Awaitable[bool]]
    then: ShutdownManner = "drain"
    poll: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what can never work.

        Raises:
            TypeError: If *condition* cannot be called, or *poll* is no number.
            ValueError: If *then* is no way to shut down, or *poll* no duration above 0.
        """
        condition, poll = _any(self.condition), _any(self.poll)
        if not callable(condition):
            msg = (
                "When: condition must be a function without arguments, got "
                f"{condition!r}; write When(lambda: ...)"
            )
            raise TypeError(msg)
        if self.then not in _MANNERS:
            msg = f'When: then must be "now", "after_current" or "drain", got {self.then!r}'
            raise ValueError(msg)
        if isinstance(poll, bool) or not isinstance(poll, int | float):
            msg = f"When: poll must be a number of seconds, got {poll!r}"
            raise TypeError(msg)
        if not 0 < poll < math.inf:
            msg = f"When: poll must be a finite number of seconds > 0, got {poll!r}"
            raise ValueError(msg)


ShutdownMode = ShutdownManner | When
"""How a system shuts down; `system.shutdown` explains each."""


def _any(value: Any) -> Any:
    """Forget a type that callers may have disregarded."""
    return value


def check_shutdown_mode(mode: object) -> None:
    """Refuse a mode that does not exist.

    Args:
        mode: What was given to `shutdown`.

    Raises:
        ValueError: If it is none.
    """
    if mode not in _MANNERS and not isinstance(mode, When):
        hint = "; write When(condition)" if callable(mode) else ""
        msg = (
            'shutdown: mode must be "drain", "after_current", "now" or a When(condition), '
            f"got {mode!r}{hint}"
        )
        raise ValueError(msg)
