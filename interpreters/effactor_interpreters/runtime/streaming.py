"""What programs do with streams of replies: `free_ask_stream` and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returns.maybe import Nothing, Some
from typing_extensions import override

from effactor.programs.streaming import AskStream, CloseReplies, NextReply, Replies
from effactor_interpreters.runtime.asking import patience, within, within_deadline
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.engine.signals import OperationFailed
from effactor_interpreters.runtime.letters import letter_of
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.takers import outsider
from effactor_interpreters.runtime.taking import open_stream
from effactor_interpreters.runtime.waits import FiberWait, as_failure, subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.ref import ActorRef
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.streams import Stream
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.waits import Link


class StreamOperations:
    """The operations of one system that are about streams of replies."""

    def __init__(self, system: ActorSystem, find: Callable[[ActorRef[Any]], Cell | None]) -> None:
        """Begin.

        Args:
            system: The system.
            find: Finds a ref's cell.
        """
        self._system = system
        self._find = find

    def table(self) -> dict[type[Any], Callable[[Any, Fiber], Any]]:
        """List the functions by operation.

        Returns:
            Their part of the table for the engine.
        """
        return {AskStream: self.ask, NextReply: next_reply, CloseReplies: close_replies}

    def ask(self, operation: AskStream[Any, Any], fiber: Fiber) -> Replies[Any, Any]:
        """Send the message; the stream ends with the program's scope."""
        ref, message = operation.ref, operation.message
        cell = self._find(ref)
        if cell is None:
            raise OperationFailed(self._system.nobody(ref, message))
        owner = fiber.owner
        timeout = patience(self._system, operation.time_limit, "free_ask_stream")
        letter = letter_of(owner)
        limit = fiber.time_limit
        if letter is not None and letter.limit is not None:
            limit = letter.limit if limit is None else min(limit, letter.limit)
        stream = open_stream(
            cell, message, owner, timeout, limit, operation.credits, operation.options
        )
        replies: Replies[Any, Any] = Replies(ref, message, stream)
        finalizers, close = fiber.its_scope().finalizers, CloseReplies(replies)
        finalizers.append(close)

        def ended() -> None:
            # A program that goes on for ever may open any number of streams.
            for index, finalizer in enumerate(finalizers):
                if finalizer is close:
                    del finalizers[index]
                    break

        stream.on_end = ended
        stream.send()
        return replies


class _ItemWait(FiberWait):
    """What a fiber waits for until the next item is there."""

    __slots__ = ("_stream",)

    def __init__(self, fiber: Fiber, stream: Stream, timeout: float | None) -> None:
        super().__init__(fiber, stream.cell, stream.letter.message)
        self._stream = stream
        stream.when_ready(self._ready)
        if timeout is not None:
            what = f"timeout of {subject(self.message)} to {stream.cell.ref.path}"
            self.timer = fiber.owner.call_later(timeout, lambda: self._expired(timeout), what)

    def _ready(self) -> None:
        stream = self._stream
        if not stream.has_item and not stream.is_over:
            stream.when_ready(self._ready)
            return
        fiber = self._take()
        if fiber is None:
            return
        try:
            item = _next(stream)
        except OperationFailed as failed:
            fiber.resume_failed(failed.error)
        else:
            fiber.resume(item)

    def _expired(self, timeout: float) -> None:
        self._stream.forget(self._ready)
        error = self._stream.timed_out(timeout)
        fiber = self._take()
        if fiber is not None:
            fiber.resume_failed(error)

    @override
    def link(self) -> Link | None:
        """Return the ask without whose reply the program can never go on, if it is one."""
        return None if self._stream.is_coming else super().link()

    @override
    def withdraw(self) -> bool:
        """Forget the fiber."""
        self._stream.forget(self._ready)
        return super().withdraw()


def next_reply(operation: NextReply[Any, Any], fiber: Fiber) -> Any:
    """Answer the next item, or wait for it."""
    stream: Stream = operation.replies.stream
    owner = fiber.owner
    # A branch may be interrupted by the others: what it waits for is no lasting deadlock.
    asker = owner if fiber.parent is None and hasattr(owner, "guarded") else None
    stream.taken_by(_taker(fiber))
    if stream.has_item or stream.is_over:
        return _next(stream)
    timeout = within(owner, within_deadline(fiber, stream.timeout))
    if timeout is None and asker is not None and not (asker.guarded or stream.is_coming):
        deadlock = find_cycle(asker, stream.cell, stream.letter.message)
        if deadlock is not None:
            stream.close(deadlock)
            raise deadlock
    return fiber.wait(_ItemWait(fiber, stream, timeout))


def _next(stream: Stream) -> Any:
    if stream.has_item:
        return Some(stream.take())
    stream.end()
    error = stream.error
    if error is None:
        return Nothing
    if stream.handler_raised:
        error = as_failure(stream.cell, stream.letter.message, error)
    raise OperationFailed(error)


def _taker(fiber: Fiber) -> Any:
    owner = fiber.owner
    if fiber.parent is not None:
        return None
    return outsider(owner.system, owner) if isinstance(owner, Run) else owner


def close_replies(operation: CloseReplies, _fiber: Fiber) -> None:
    """Leave a stream."""
    stream: Stream = operation.replies.stream
    stream.close()
