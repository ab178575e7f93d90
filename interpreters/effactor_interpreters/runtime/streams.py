"""Streams of replies: the items of a handler that is an async generator, on their way to its asker.

The handler may be some items ahead, its credits; then it waits until one is taken, so
nothing is ever buffered without a bound. A stream is the reply of its ask: its end, and
what the handler raised, settle it, and count only when all items have arrived.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import AskCancelled, AskTimeout
from effactor_interpreters.runtime.controls import Question
from effactor_interpreters.runtime.stashing import Mark
from effactor_interpreters.runtime.takers import Takers

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.letters import Letter
    from effactor_interpreters.runtime.waits import Wait

END: Final[Any] = Mark("END")
"""What a handler replies after the last of its items."""


class Stream:
    """One stream of replies, for both of its ends.

    Attributes:
        cell: The actor asked.
        letter: The message.
        timeout: Seconds to wait for each item, or None.
        closed: Whether the asker has left.
        generates: Whether its handler is an async generator, and has begun.
        error: Why it ended, if it did not end well.
        handler_raised: Whether that is what the handler raised.
        taker: Who waited for, or took, the latest item: an actor, a run, or a task; None if
            that is not known.
        takers: All who have taken one.
        credits: How many items more the handler may send before one is taken.
        produced: How many it has sent.
        producer: What it waits for until one is taken, or None.
        on_end: Called once when the asker has left, or all is taken; or None.
    """

    __slots__ = (
        "_arrived",
        "_early",
        "_ended",
        "_expected",
        "_unlink",
        "_waiting",
        "cell",
        "closed",
        "credits",
        "error",
        "generates",
        "handler_raised",
        "letter",
        "on_end",
        "produced",
        "producer",
        "taker",
        "takers",
        "timeout",
    )

    def __init__(self, cell: Cell, letter: Letter, timeout: float | None, ahead: int) -> None:
        self.cell: Cell = cell
        self.letter: Letter = letter
        self.timeout: float | None = timeout
        self.closed: bool = False
        self.generates: bool = False
        self.error: BaseException | None = None
        self.handler_raised: bool = False
        self.taker: Any = None
        self.takers: Takers = Takers()
        self.on_end: Callable[[], None] | None = None
        self.credits: int = ahead
        self._arrived: deque[Any] = deque()
        self._early: dict[int, Any] = {}  # that overtook another
        self._expected = 0
        self.produced: int = 0
        self.producer: Wait | None = None
        self._ended = False
        self._waiting: list[Callable[[], None]] = []
        self._unlink: Callable[[], None] | None = None
        letter.stream = self

    def send(self) -> None:
        """Send the ask."""
        letter = self.letter
        token = letter.cancellation
        if token is not None:
            self._unlink = token.on_cancel(self._cancelled)
            if self.closed:
                return
        asker: Any = getattr(letter.sender_cell, "front", None)
        if asker is not None:
            # One that crashes runs no `finally`: nobody else would say that it left.
            asker.relations.joiners.append(_Leaving(self))
        self.cell.system.world.deliver(self.cell, Question((letter, self)))

    # ------------------------------------------------------------ the reply

    @property
    def has_sent(self) -> bool:
        """Whether its handler has yielded items."""
        return self.produced > 0

    def done(self) -> bool:
        """Tell whether it is settled, or nobody wants it any more."""
        return self._ended or self.closed

    def set_result(self, value: Any) -> None:
        """Settle with the handler's end; a handler that is no generator replies an item."""
        if value is not END and not self.generates:
            self._arrived.append(value)
        self._settle(None)

    def set_exception(self, error: BaseException) -> None:
        """Settle with the reason why nothing comes any more."""
        self._settle(error)

    def handler_failed(self, error: BaseException) -> None:
        """Settle with what the handler raised."""
        self.handler_raised = True
        self._settle(error)

    def cancel(self, msg: Any = None) -> bool:
        """Leave the stream."""
        del msg
        return self.close()

    def _settle(self, error: BaseException | None) -> None:
        if self.done():
            return
        self._ended, self.error = True, error
        self.cell.system.settled += 1
        self._ready()

    def arrive(self, number: int, item: Any) -> None:
        """Take an item in, in order."""
        self._early[number] = item
        while self._expected in self._early:
            self._arrived.append(self._early.pop(self._expected))
            self._expected += 1
        self._ready()

    def _ready(self) -> None:
        if self._waiting and (self._arrived or self.is_over):
            waiting, self._waiting = self._waiting, []
            for each in waiting:  # one will take it, and the others wait again
                each()

    # ------------------------------------------------------------ the asker's end

    @property
    def is_over(self) -> bool:
        """Whether no item will come any more."""
        return self.closed or (self._ended and self._expected >= self.produced)

    @property
    def is_coming(self) -> bool:
        """Whether an item is there or on its way: whoever waits for it does not wait for ever."""
        return bool(self._arrived) or self._expected < self.produced

    @property
    def has_item(self) -> bool:
        """Whether an item is there."""
        return bool(self._arrived)

    def take(self) -> Any:
        """Take the item that is there, and let the handler go on."""
        item = self._arrived.popleft()
        self.credits += 1
        if self.producer is not None and not self.producer.done():
            self.producer.set_result(None)
        return item

    def taken_by(self, taker: Any) -> None:
        """Learn who is about to take an item.

        Args:
            taker: An actor's cell, a run, what stands for a task, or None.
        """
        if taker is not self.taker:
            self.taker = taker
            if taker is not None:
                self.takers.add(taker)

    def interrupted(self, taker: Any) -> None:
        """Leave the stream if nobody is left who takes items.

        Args:
            taker: Who was cancelled while it waited for an item.
        """
        if not self.takers.has_others(taker):
            reason = "whoever took the items was cancelled"
            self.close(AskCancelled(self.cell.full_path, self.letter.message, reason))

    def when_ready(self, callback: Callable[[], None]) -> None:
        """Call *callback*, once, when there is an item, or none any more."""
        self._waiting.append(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        """Take a callback back."""
        if callback in self._waiting:
            self._waiting.remove(callback)

    def timed_out(self, seconds: float) -> AskTimeout:
        """Leave the stream because no item came in time.

        Args:
            seconds: How long it was waited for.

        Returns:
            The error, which is everybody's from now on who asks for an item.
        """
        error = AskTimeout(self.cell.full_path, self.letter.message, seconds)
        self.close(error)
        return error

    def _cancelled(self) -> None:
        # The handler, if it has begun, is cancelled by the letter.
        self._leave(self.letter.cancelled_error())

    def close(self, error: BaseException | None = None) -> bool:
        """Leave the stream: its handler is cancelled at once.

        Args:
            error: What whoever asks for an item gets from now on; None for the end.

        Returns:
            Whether it was open.
        """
        if not self._leave(error):
            return False
        if not self._ended and self.letter.is_handled:
            self.letter.handled_by.cancel()
        return True

    def _leave(self, error: BaseException | None) -> bool:
        if self.closed:
            return False
        self.closed, self.error, self.handler_raised = True, error, False
        self._arrived.clear()
        self._early.clear()
        self.cell.system.settled += 1
        self.end()
        self._ready()
        return True

    def end(self) -> None:
        """Learn that all is taken, or that the asker has left."""
        unlink, self._unlink = self._unlink, None
        on_end, self.on_end = self.on_end, None
        if unlink is not None:
            unlink()
        if on_end is not None:
            on_end()


class _Leaving:
    """Stands among those who hear of the asker's end: the stream ends with it."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def done(self) -> bool:
        return self._stream.done()

    def set_result(self, _value: object) -> None:
        self._stream.close()


class Arrival:
    """Where one item goes: one of several replies."""

    __slots__ = ("number", "stream")

    def __init__(self, stream: Stream, number: int) -> None:
        self.stream: Stream = stream
        self.number: int = number

    def done(self) -> bool:
        """Tell whether nobody wants it any more."""
        return self.stream.closed

    def set_result(self, item: Any) -> None:
        """Arrive."""
        self.stream.arrive(self.number, item)
