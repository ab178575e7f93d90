"""Ways in from other threads and other event loops."""

from __future__ import annotations

import asyncio
import weakref
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import ActorStopped
from effactor_interpreters.runtime.asking import patience

if TYPE_CHECKING:
    from effactor.actors.envelope import SendOptions
    from effactor_interpreters.runtime.cell import Cell

_LOOP_CLOSED: Final = "cannot be reached: the event loop of its system is closed"


def tell_from_thread(cell: Cell, message: Any, options: SendOptions | None) -> None:
    """Tell a message on any thread; it is on its way when the loop has its next turn.

    Args:
        cell: The actor.
        message: The message.
        options: What travels with it, or None.

    Raises:
        ActorStopped: If the system's event loop is closed.
    """
    _on_its_loop(cell, "tell_threadsafe", message, _Telling(cell, message, options))


def ask_from_thread(
    cell: Cell, message: Any, timeout: float | None, options: SendOptions | None
) -> Future[Any]:
    """Ask on another thread.

    Args:
        cell: The actor.
        message: The message.
        timeout: See `Cell.ask`.
        options: What travels with it, or None.

    Returns:
        A future for threads: `result()` waits, `cancel()` gives up. For the loop of another
        thread, `asyncio.wrap_future` makes it an awaitable.

    Raises:
        ActorStopped: If the system's event loop is closed.
        ValueError: If *timeout* is negative.
        RuntimeError: On the loop's own thread, where waiting would never end.
    """
    if asyncio._get_running_loop() is cell.system.loop:  # noqa: SLF001 - None is no error here
        _on_its_loop(cell, "ask_threadsafe", message, _nothing)  # a simulation has its own error
        msg = (
            f"ask_threadsafe: this is the thread of {cell.full_path} itself, where waiting for the "
            "future would hold up its reply; write await ref.ask(...)"
        )
        raise RuntimeError(msg)
    patience(cell.system, timeout, "ask_threadsafe")  # what makes no sense is refused here
    asking = _Asking(cell, message, timeout, options)
    promised = asking.promised
    promised.add_done_callback(partial(_withdraw, cell, asking.reply))
    _on_its_loop(cell, "ask_threadsafe", message, asking)
    return promised


def _nothing() -> None:
    """Do nothing."""


class _Telling:
    """A tell on its way to the loop's thread."""

    __slots__ = ("_begun", "_cell", "_message", "_options")

    def __init__(self, cell: Cell, message: Any, options: SendOptions | None) -> None:
        self._cell = cell
        self._message = message
        self._options = options
        self._begun = False

    def __call__(self) -> None:
        """Tell, on the loop's thread."""
        self._begun = True
        cell = self._cell
        try:
            cell.tell_nowait(self._message, self._options)
        except Exception as error:
            # Whoever told it has gone on: nobody else would ever know.
            cell.system.dead_letter(self._message, cell.full_path, str(error))

    def __del__(self) -> None:
        """Notice that the loop has closed without calling this."""
        if not self._begun:
            self._cell.system.dead_letter(self._message, self._cell.full_path, _LOOP_CLOSED)


class _Reply:
    """Where the reply of an ask from another thread goes, once there is one.

    Held weakly, so that a thread which waits does not keep alive what can come no more.
    """

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: weakref.ref[Any] | None = None


class _Asking:
    """An ask of another thread; the loop, and then the reply, keep it alive."""

    __slots__ = ("_cell", "_message", "_options", "_timeout", "promised", "reply")

    def __init__(
        self, cell: Cell, message: Any, timeout: float | None, options: SendOptions | None
    ) -> None:
        self._cell = cell
        self._message = message
        self._timeout = timeout
        self._options = options
        self.promised: Future[Any] = Future()
        self.reply: _Reply = _Reply()

    def __call__(self) -> None:
        """Ask, on the loop's thread."""
        if self.promised.cancelled():
            self.promised.set_running_or_notify_cancel()  # for those who wait for several
            return
        try:
            sent = self._cell.ask_nowait(self._message, self._timeout, self._options)
            future = asyncio.ensure_future(sent)
        except Exception as error:
            # Whoever waits on the other thread would wait for ever.
            self._fail(error)
            return
        self.reply.future = weakref.ref(future)
        future.add_done_callback(self._replied)
        if self.promised.cancelled():
            future.cancel()  # meanwhile

    def _replied(self, reply: Any) -> None:
        if reply.cancelled():
            self._fail(self._over())
        elif (error := reply.exception()) is not None:
            self._fail(error)
        elif self.promised.set_running_or_notify_cancel():
            self.promised.set_result(reply.result())

    def _fail(self, error: BaseException) -> None:
        if self.promised.set_running_or_notify_cancel():
            self.promised.set_exception(error)

    def _over(self) -> ActorStopped:
        delivered = self.reply.future is not None
        path = self._cell.full_path
        return ActorStopped(path, self._message, _LOOP_CLOSED, delivered=delivered)

    def __del__(self) -> None:
        """Notice that the loop has closed, and there will be no reply."""
        if not self.promised.done():
            self._fail(self._over())


def _withdraw(cell: Cell, reply: _Reply, promised: Future[Any]) -> None:
    """Give an ask up when whoever asked has cancelled its future, on any thread."""
    if not promised.cancelled():
        return

    def cancel() -> None:
        future = None if reply.future is None else reply.future()
        if future is not None:
            future.cancel()

    with suppress(RuntimeError, ActorStopped):  # without a loop there is nothing to give up
        cell.system.world.from_thread("ask_threadsafe", cancel)


def _on_its_loop(cell: Cell, what: str, message: Any, function: Any) -> None:
    try:
        cell.system.world.from_thread(what, function)
    except RuntimeError as error:
        raise ActorStopped(cell.full_path, message, _LOOP_CLOSED) from error
