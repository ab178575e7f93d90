"""The producer's end of a stream of replies: a handler that sends items, and waits to be let on."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.streams import END, Arrival
from effactor_interpreters.runtime.takers import Outsider, fail
from effactor_interpreters.runtime.waits import TAKING, Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Generator

    from effactor.errors import Deadlock
    from effactor_interpreters.runtime.letters import Letter
    from effactor_interpreters.runtime.streams import Stream
    from effactor_interpreters.runtime.waits import Link


@coroutine
def produce(letter: Letter, generator: Any) -> Generator[Any, Any, Any]:
    """Send the items of a handler to the stream of its message.

    Args:
        letter: The message's letter.
        generator: What the handler returned.

    Yields:
        What the handler waits for.

    Returns:
        `END`.
    """
    stream: Stream = letter.stream
    stream.generates = True
    try:
        while True:
            try:
                item: Any = yield from generator.__anext__().__await__()  # pyright: ignore[reportUnknownVariableType]
            except StopAsyncIteration:
                return END
            yield from put(stream, item)
    finally:
        # Now, and not when the garbage is collected: its `finally` is this message's.
        yield from generator.aclose().__await__()


@coroutine
def put(stream: Stream, item: Any) -> Generator[Any, Any, None]:
    """Send an item, and wait while the handler is too far ahead.

    Args:
        stream: The stream.
        item: The item.

    Yields:
        What the handler's cell waits for.

    Raises:
        CancelledError: If the asker has left.
        Deadlock: If whoever takes the items waits for the handler's actor.
    """
    if stream.closed:
        raise CancelledError
    number = stream.produced
    stream.produced += 1
    stream.credits -= 1
    world, source = stream.cell.system.world, stream.cell
    world.returning(Arrival(stream, number), source, "item", stream.letter).set_result(item)
    while stream.credits <= 0 and not stream.closed:
        wait = stream.producer = _Taking(stream)
        if wait.deadlock() is not None:
            # Perhaps a task was just made that takes the next one.
            stream.cell.system.loop.call_soon(wait.look_again)
        try:
            yield from wait_for(wait)
        finally:
            stream.producer = None


class _Taking(Wait):
    """What a handler waits for until its items are taken."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        taker = stream.taker
        about = f"whoever takes the items of {stream.cell.full_path}" if taker is None else TAKING
        super().__init__(taker, about)
        self._stream = stream

    @override
    def link(self) -> Link | None:
        """Return itself, if nobody else takes items, and the stream has not been left."""
        stream = self._stream
        if stream.closed or stream.takers.has_others(self.target):
            return None
        return super().link()

    def deadlock(self) -> Deadlock | None:
        """Find the circle that whoever takes the items waits in, if there is one."""
        if self.finished or self.link() is None:
            return None
        stream = self._stream
        taker: Any = stream.taker
        cell = stream.letter.handled_by
        return None if cell.guarded else find_cycle(cell, taker, TAKING)

    def look_again(self) -> None:
        """Let somebody in the circle fail, if it is one still."""
        deadlock = self.deadlock()
        if deadlock is None:
            return
        taker: Any = self._stream.taker
        if not isinstance(taker, Outsider):
            self.set_exception(deadlock)
        elif taker.asked is not None:
            fail(taker.asked.reply, deadlock)  # this actor has done nothing wrong
