"""Stop policies at work: when an actor stops by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from effactor.actors.stop_policy import AfterIdle, AfterMessage, StopMode
from effactor_interpreters.runtime.controls import StopRequest
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import request_stop

if TYPE_CHECKING:
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.world import Timer


class PolicyStop(StopRequest):
    """An actor's own policy stops it.

    Attributes:
        why: Which policy, in words.
    """

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        super().__init__("current", "")
        self.why: str = why

    @property
    @override
    def reason(self) -> str:
        return f"its stop policy: {self.why}"


class Policy:
    """Decides after every message whether the actor goes on."""

    __slots__ = ()

    def begin(self, cell: Cell) -> None:
        """Learn that the actor may receive messages from now on."""

    def ends_with(self, message: Any) -> bool:
        """Tell whether the actor stops when it has handled this message."""
        del message
        return False

    def handled(self, cell: Cell, message: Any) -> None:
        """Learn that *cell*, the actor's own, has handled a message, well or not."""
        raise NotImplementedError

    def end(self) -> None:
        """Learn that the actor stops."""


def policy_of(cell: Cell, declared: Any) -> Policy | None:
    """Return what a class's `stop_policy()` means.

    Args:
        cell: The actor, for the error.
        declared: What it returned.

    Returns:
        The policy at work; None for `StopMode.NEVER`.

    Raises:
        TypeError: If it is no stop policy.
    """
    if declared is StopMode.NEVER:
        return None
    if declared is StopMode.ONE_TIME:
        return _OneTime()
    if isinstance(declared, AfterMessage):
        return _AfterMessage(declared.message)
    if isinstance(declared, AfterIdle):
        return _AfterIdle(declared.seconds)
    msg = (
        f"{type(cell.actor).__name__}.stop_policy must return StopMode.NEVER, StopMode.ONE_TIME, "
        f"AfterMessage(message) or AfterIdle(seconds), returned {declared!r}"
    )
    raise TypeError(msg)


@final
class _OneTime(Policy):
    __slots__ = ()

    @override
    def ends_with(self, message: Any) -> bool:
        return True

    @override
    def handled(self, cell: Cell, message: Any) -> None:
        _stop(cell, "one message")


@final
class _AfterMessage(Policy):
    __slots__ = ("_last",)

    def __init__(self, last: Any) -> None:
        self._last = last

    @override
    def ends_with(self, message: Any) -> bool:
        try:
            return bool(message == self._last)
        except Exception:  # of the comparison: `handled` tells
            return False

    @override
    def handled(self, cell: Cell, message: Any) -> None:
        try:
            last = bool(message == self._last)
        except Exception:  # a comparison is the user's code, and no handler
            cell.system.log.exception(
                "%s: cannot compare %r with the message of its stop policy, %r",
                cell.full_path,
                message,
                self._last,
            )
            return
        if last:
            _stop(cell, f"after {message!r}")


@final
class _AfterIdle(Policy):
    """Stops when nothing has been received for a while.

    One timer serves many messages: when it fires too early, it is set again for the rest.
    """

    __slots__ = ("_cell", "_seconds", "_since", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since = 0.0
        self._timer: Timer | None = None
        self._cell: Any = None

    @override
    def begin(self, cell: Cell) -> None:
        self._cell = cell
        self._since = cell.clock()
        if self._timer is None:
            self._set(self._seconds)

    @override
    def handled(self, cell: Cell, message: Any) -> None:
        self._since = cell.clock()

    def _set(self, seconds: float) -> None:
        cell = self._cell
        what = f"idle time of {cell.ref.path}"
        self._timer = cell.system.world.call_later(seconds, self._fired, what)

    def _fired(self) -> None:
        cell = self._cell
        self._timer = None
        if cell.state == STOPPED or not cell.is_alive:
            return
        busy = cell.is_busy
        left = self._seconds if busy else self._seconds - (cell.clock() - self._since)
        # Clocks count in floats: what is left of a second may be a few ulps.
        if left > _INSTANT:
            self._set(left)
        else:
            _stop(cell, f"idle for {self._seconds:g} s")

    @override
    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


_INSTANT = 1e-9


def _stop(cell: Cell, why: str) -> None:
    front = cell.front
    if front.is_alive:
        request_stop(front, PolicyStop(why))
