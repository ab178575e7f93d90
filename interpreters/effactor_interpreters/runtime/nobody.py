"""Stands for the actor that a ref does not find: asks fail, tells are dead letters."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Never

from effactor.programs.operations import check_stop_mode, seconds
from effactor_interpreters.runtime.taking import ReplyStream

if TYPE_CHECKING:
    from effactor.actors.envelope import SendOptions
    from effactor.actors.ref import ActorRef, StopManner
    from effactor_interpreters.runtime.system import ActorSystem


class Nobody:
    """A binding without an actor."""

    __slots__ = ("_ref", "_system")

    def __init__(self, system: ActorSystem, ref: ActorRef[Any]) -> None:
        """Keep what the errors say."""
        self._system = system
        self._ref = ref

    async def ask(
        self,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Never:
        """Fail: nobody will reply."""
        seconds("ask", "timeout", timeout)
        raise self._system.nobody(self._ref, message)

    def ask_nowait(
        self, message: Any, timeout: float | None, options: SendOptions | None = None
    ) -> Any:
        """Fail: nobody will reply."""
        seconds("ask_nowait", "timeout", timeout)
        future = self._system.loop.create_future()
        future.set_exception(self._system.nobody(self._ref, message))
        return future

    def tell_nowait(self, message: Any, options: SendOptions | None = None) -> None:
        """Make a dead letter of it."""
        error = self._system.nobody(self._ref, message)
        self._system.dead_letter(message, error.target, error.reason)

    async def tell(self, message: Any, options: SendOptions | None = None) -> None:
        """Make a dead letter of it."""
        self.tell_nowait(message)

    def ask_stream(
        self, message: Any, timeout: float | None, ahead: int, options: SendOptions | None
    ) -> ReplyStream:
        """Fail: nobody will reply."""

        def begin() -> Never:
            raise self._system.nobody(self._ref, message)

        return ReplyStream(begin)

    def tell_threadsafe(self, message: Any, options: SendOptions | None = None) -> None:
        """Make a dead letter of it."""
        self.tell_nowait(message)

    def ask_threadsafe(
        self, message: Any, timeout: float | None, options: SendOptions | None = None
    ) -> Future[Any]:
        """Fail: nobody will reply."""
        failed: Future[Any] = Future()
        failed.set_exception(self._system.nobody(self._ref, message))
        return failed

    async def stop(self, mode: StopManner) -> None:
        """Do nothing: it has stopped."""
        check_stop_mode("stop", mode)

    async def join(self) -> None:
        """Wait for nothing: it has stopped."""

    @property
    def is_alive(self) -> bool:
        """Say no."""
        return False
