"""The classic asyncio actor: an asyncio.Queue, a task an actor, a future an ask.

It is what the benchmarks compare with, so it is written for speed: slots, one
look-up of the loop, no wrapper around the queue, nothing done twice. The variants
differ only in how a message finds its handler, and in whether that is awaited: a
class attribute that says so would cost a branch per message.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

from typing_extensions import override

Reply: TypeAlias = asyncio.Future[Any]

_LOG = logging.getLogger(__name__)


class ClassicActor(ABC):
    """A mailbox, and the task that empties it."""

    __slots__ = ("_loop", "_mailbox", "_task")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._mailbox: asyncio.Queue[tuple[Any, Reply | None]] = asyncio.Queue()
        self._task = self._loop.create_task(self.serve())

    async def ask(self, message: Any) -> Any:
        """Send a message and wait for its reply."""
        reply: Reply = self._loop.create_future()
        self._mailbox.put_nowait((message, reply))
        return await reply

    def ask_nowait(self, message: Any) -> Reply:
        """Send a message; the result is the future of its reply."""
        reply: Reply = self._loop.create_future()
        self._mailbox.put_nowait((message, reply))
        return reply

    async def tell(self, message: Any) -> None:
        """Send a message."""
        self._mailbox.put_nowait((message, None))

    def tell_nowait(self, message: Any) -> None:
        """Send a message."""
        self._mailbox.put_nowait((message, None))

    def stop(self) -> None:
        """End the task."""
        self._task.cancel()

    async def join(self) -> None:
        """Wait for the end of the task."""
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    @abstractmethod
    async def serve(self) -> None:
        """Handle messages, one after another."""


async def stop_all(actors: Iterable[ClassicActor]) -> None:
    """Stop actors, and wait for their ends."""
    stopped = list(actors)
    for actor in stopped:
        actor.stop()
    for actor in stopped:
        await actor.join()


def _failed(reply: Reply | None, error: Exception) -> None:
    if reply is None:
        _LOG.error("a handler failed", exc_info=error)
    elif not reply.done():
        reply.set_exception(error)


class Dispatching(ClassicActor):
    """Finds the `async def` handler by the message's class, as effactor does."""

    __slots__ = ("_handlers",)

    def __init__(self, handlers: dict[type[Any], Callable[[Any], Awaitable[Any]]]) -> None:
        self._handlers = handlers
        super().__init__()

    @override
    async def serve(self) -> None:
        get, handlers = self._mailbox.get, self._handlers
        while True:
            message, reply = await get()
            try:
                answer = await handlers[type(message)](message)
            except Exception as error:
                _failed(reply, error)
            else:
                if reply is not None and not reply.done():
                    reply.set_result(answer)


class Direct(ClassicActor):
    """Has one `async def` handler for all messages: the fastest classic actor."""

    __slots__ = ("_handler",)

    def __init__(self, handler: Callable[[Any], Awaitable[Any]]) -> None:
        self._handler = handler
        super().__init__()

    @override
    async def serve(self) -> None:
        get, handler = self._mailbox.get, self._handler
        while True:
            message, reply = await get()
            try:
                answer = await handler(message)
            except Exception as error:
                _failed(reply, error)
            else:
                if reply is not None and not reply.done():
                    reply.set_result(answer)


class PlainDispatching(ClassicActor):
    """Finds the `def` handler by the message's class."""

    __slots__ = ("_handlers",)

    def __init__(self, handlers: dict[type[Any], Callable[[Any], Any]]) -> None:
        self._handlers = handlers
        super().__init__()

    @override
    async def serve(self) -> None:
        get, handlers = self._mailbox.get, self._handlers
        while True:
            message, reply = await get()
            try:
                answer = handlers[type(message)](message)
            except Exception as error:
                _failed(reply, error)
            else:
                if reply is not None and not reply.done():
                    reply.set_result(answer)


class PlainDirect(ClassicActor):
    """Has one `def` handler for all messages."""

    __slots__ = ("_handler",)

    def __init__(self, handler: Callable[[Any], Any]) -> None:
        self._handler = handler
        super().__init__()

    @override
    async def serve(self) -> None:
        get, handler = self._mailbox.get, self._handler
        while True:
            message, reply = await get()
            try:
                answer = handler(message)
            except Exception as error:
                _failed(reply, error)
            else:
                if reply is not None and not reply.done():
                    reply.set_result(answer)
