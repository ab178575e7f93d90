"""The asker's end of a stream of replies: `async for item in ref.ask_stream(message)`."""

from __future__ import annotations

from asyncio import CancelledError
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn, Self

from typing_extensions import override

from effactor_interpreters.runtime.asking import patience, within
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.letters import Letter, letter_of
from effactor_interpreters.runtime.streams import Stream
from effactor_interpreters.runtime.takers import outsider
from effactor_interpreters.runtime.waits import Wait, subject, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.envelope import SendOptions
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.waits import Link


class ReplyStream:
    """The items that a handler yields for one ask: `async for item in ref.ask_stream(message)`.

    Leaving the loop stops the handler at once. It is an async context manager, too, for code
    that keeps the stream in a variable.
    """

    __slots__ = ("_begin", "_stream")

    def __init__(self, begin: Callable[[], Stream]) -> None:
        self._begin = begin
        self._stream: Stream | None = None

    def __aiter__(self) -> Self:
        """Iterate over the items, once."""
        return self

    async def __anext__(self) -> Any:
        """Wait for the next item.

        Raises:
            StopAsyncIteration: After the last one.
            AskFailed: Or what the handler raised, after the items that came before.
        """
        stream, taker = self._stream, None
        try:
            if stream is None:
                stream = self._stream = self._begin()
            asker = stream.cell.system.current_cell()
            taker = asker or outsider(stream.cell.system)
            stream.taken_by(taker)
            while not stream.has_item and not stream.is_over:
                await _ready(stream, asker)  # others may be faster to take the item
        except CancelledError:
            if stream is not None:
                stream.interrupted(taker)
            raise
        finally:
            # Whoever keeps what is raised keeps this frame, which must not keep the stream open.
            del self
        if stream.has_item:
            return stream.take()
        stream.end()
        if stream.error is not None:
            raise stream.error
        raise StopAsyncIteration

    def __await__(self) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: Always: there is not one reply to wait for.
        """
        msg = (
            'ask_stream: a stream is iterated, "async for item in ref.ask_stream(...)"; '
            'for the list of all items write "await ref.ask(...)"'
        )
        raise TypeError(msg)

    async def aclose(self) -> None:
        """Leave the stream."""
        self.close()

    def close(self) -> None:
        """Leave the stream, and stop the handler if it still runs."""
        if self._stream is not None:
            check_here(self._stream.cell.system, "close")
            self._stream.close()

    async def __aenter__(self) -> Self:
        """Return the stream."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Leave the stream."""
        self.close()

    def __del__(self) -> None:
        """Leave the stream: `break` leaves nobody else to do so."""
        stream = self._stream
        if stream is None or stream.done() or stream.cell.system.loop.is_closed():
            return
        system = stream.cell.system
        if get_ident() == system.thread:
            stream.close()
        else:  # garbage is collected on any thread
            system.loop.call_soon_threadsafe(stream.close)


class _ItemWait(Wait):
    """What a handler waits for until the next item is there."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.cell, stream.letter.message)
        self._stream = stream

    @override
    def link(self) -> Link | None:
        """Return the ask without whose reply the waiter can never go on, if there is one."""
        return None if self._stream.is_coming else super().link()


async def _ready(stream: Stream, asker: Cell | None) -> None:
    """Wait until there is an item, or none any more."""
    system = stream.cell.system
    check_here(system, "ask_stream")
    timeout = within(asker, stream.timeout)
    waiting: Any
    if asker is None:
        waiting = system.loop.create_future()
    else:
        waiting = _ItemWait(stream)
        if timeout is None and not asker.guarded and not stream.is_coming:
            deadlock = find_cycle(asker, stream.cell, stream.letter.message)
            if deadlock is not None:
                stream.close(deadlock)
                raise deadlock

    def ready() -> None:
        if waiting.done():
            return
        if stream.has_item or stream.is_over:
            waiting.set_result(None)
        else:
            stream.when_ready(ready)

    def expired() -> None:
        if not waiting.done():
            stream.forget(ready)
            waiting.set_exception(stream.timed_out(timeout or 0.0))

    timer = None
    if timeout is not None:
        what = f"timeout of {subject(stream.letter.message)} to {stream.cell.ref.path}"
        timer = system.world.call_later(timeout, expired, what)
        if asker is not None:
            waiting.timer = timer
    stream.when_ready(ready)
    try:
        if asker is None:
            await waiting
        else:
            await wait_for(waiting)
    finally:
        stream.forget(ready)
        if timer is not None:
            timer.cancel()


def ask_stream(
    cell: Cell, message: Any, timeout: float | None, ahead: int, options: SendOptions | None
) -> ReplyStream:
    """Ask for a stream of replies; the message is sent when the first item is asked for.

    Args:
        cell: The actor asked.
        message: The message.
        timeout: Seconds to wait for each item; None for the system's default, infinite for ever.
        ahead: How many items the handler may be ahead.
        options: What travels with the message, or None.

    Returns:
        The stream.
    """
    return ReplyStream(lambda: begin_stream(cell, message, timeout, ahead, options))


def begin_stream(
    cell: Cell, message: Any, timeout: float | None, ahead: int, options: SendOptions | None
) -> Stream:
    """Send the message of a stream, on behalf of whoever runs.

    Args:
        cell: The actor asked.
        message: The message.
        timeout: See `ask_stream`.
        ahead: How many items the handler may be ahead.
        options: What travels with the message, or None.

    Returns:
        The stream.
    """
    system = cell.system
    check_here(system, "ask_stream")
    asker = system.actor_or_run()
    letter = letter_of(asker)
    limit = None if letter is None else letter.limit
    seconds = patience(system, timeout, "ask_stream")
    stream = open_stream(cell, message, asker, seconds, limit, ahead, options)
    stream.send()
    return stream


def open_stream(
    cell: Cell,
    message: Any,
    asker: Any,
    timeout: float | None,
    limit: float | None,
    ahead: int,
    options: SendOptions | None,
) -> Stream:
    """Make a stream whose message is still to be sent.

    Args:
        cell: The actor asked.
        message: The message.
        asker: Who asks: an actor, a run, or None.
        timeout: Seconds to wait for each item; None for ever.
        limit: When its asker has no use for items any more, on the loop's clock.
        ahead: How many items the handler may be ahead.
        options: What travels with the message, or None.

    Returns:
        The stream.
    """
    letter = Letter(cell, message, "ask", asker, options, limit)
    return Stream(cell, letter, timeout, ahead)
