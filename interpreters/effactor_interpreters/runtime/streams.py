"""Streams of replies: the items of a handler that is an async generator, on their way to its asker.

The handler may be some items ahead, its credits; then it waits until one is taken, so
nothing is ever buffered without a bound. A stream is the reply of its ask: its end, and
what the handler raised, settle it, and count only when all items have arrived.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from typing_extensions import TypeVar, override

from effactor.errors import AskCancelled, AskTimeout
from effactor_interpreters.runtime.asking import patience, within
from effactor_interpreters.runtime.controls import Question
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.letters import Letter, letter_of
from effactor_interpreters.runtime.stashing import Mark
from effactor_interpreters.runtime.takers import Outsider, Takers, outsider
from effactor_interpreters.runtime.waits import Phase, Wait, subject, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor.actors.envelope import SendOptions
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.waits import Link

T = TypeVar("T")

END: Final[Any] = Mark("END")
"""What a handler replies after the last of its items."""

TAKING: Final = Phase("its taking of the next item")


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
        on_end: Called once when the asker has left, or all is taken; or None.
    """

    __slots__ = (
        "_arrived",
        "_credits",
        "_early",
        "_ended",
        "_expected",
        "_produced",
        "_producer",
        "_unlink",
        "_waiting",
        "cell",
        "closed",
        "error",
        "generates",
        "handler_raised",
        "letter",
        "on_end",
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
        self._credits = ahead
        self._arrived: deque[Any] = deque()
        self._early: dict[int, Any] = {}  # that overtook another
        self._expected = 0
        self._produced = 0
        self._producer: Wait | None = None
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

    # ------------------------------------------------------------ the handler's end

    @coroutine
    def put(self, item: Any) -> Generator[Any, Any, None]:
        """Send an item, and wait while the handler is too far ahead.

        Args:
            item: The item.

        Yields:
            What the handler's cell waits for.

        Raises:
            CancelledError: If the asker has left.
            Deadlock: If whoever takes the items waits for the handler's actor.
        """
        if self.closed:
            raise CancelledError
        number = self._produced
        self._produced += 1
        self._credits -= 1
        world, source = self.cell.system.world, self.cell
        world.returning(_Item(self, number), source, "item", self.letter).set_result(item)
        while self._credits <= 0 and not self.closed:
            wait = _Taking(self)
            if wait.link() is not None:
                cell = self.letter.handled_by
                taker: Any = self.taker
                deadlock = None if cell.guarded else find_cycle(cell, taker, TAKING)
                if deadlock is not None:
                    if not isinstance(taker, Outsider):
                        raise deadlock
                    if taker.asked is not None:
                        taker.asked.fail(deadlock)  # this actor has done nothing wrong
            self._producer = wait
            try:
                yield from wait_for(wait)
            finally:
                self._producer = None

    # ------------------------------------------------------------ the reply

    @property
    def has_sent(self) -> bool:
        """Whether its handler has yielded items."""
        return self._produced > 0

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
        return self.closed or (self._ended and self._expected >= self._produced)

    @property
    def is_coming(self) -> bool:
        """Whether an item is there or on its way: whoever waits for it does not wait for ever."""
        return bool(self._arrived) or self._expected < self._produced

    @property
    def has_item(self) -> bool:
        """Whether an item is there."""
        return bool(self._arrived)

    def take(self) -> Any:
        """Take the item that is there, and let the handler go on."""
        item = self._arrived.popleft()
        self._credits += 1
        if self._producer is not None and not self._producer.done():
            self._producer.set_result(None)
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


class _Item:
    """Where one item goes."""

    __slots__ = ("number", "stream")

    def __init__(self, stream: Stream, number: int) -> None:
        self.stream = stream
        self.number = number

    def done(self) -> bool:
        return self.stream.closed

    def set_result(self, item: Any) -> None:
        self.stream.arrive(self.number, item)


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
            yield from stream.put(item)
    finally:
        # Now, and not when the garbage is collected: its `finally` is this message's.
        yield from generator.aclose().__await__()


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
