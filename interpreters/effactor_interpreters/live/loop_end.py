"""What happens to a system that is still there when its event loop closes."""

from __future__ import annotations

import sys
import warnings
import weakref
from typing import TYPE_CHECKING

from effactor_interpreters.runtime.abandoning import abandon
from effactor_interpreters.runtime.states import IDLE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from effactor_interpreters.runtime.system import ActorSystem


class LoopEnd:
    """Ends a system with its loop, and says so, unless it was shut down before.

    `asyncio.run` closes the asynchronous generators of its loop before the loop
    itself. One of them is this object's: it shuts the system down while handlers can
    still clean up. Who closes a loop without `loop.shutdown_asyncgens()` leaves only
    garbage collection to notice; then what waits is closed without a chance to await.
    """

    def __init__(self, system: ActorSystem) -> None:
        """Begin to watch; the loop of the system must be running."""
        self._system = system
        self._over = False
        self._generator = _until_closed(weakref.ref(self))
        # Its first step makes the loop know it, and waits for nothing.
        try:
            self._generator.__anext__().send(None)
        except StopIteration:
            pass

    def release(self) -> None:
        """Stop watching: the system was shut down."""
        if not self._over:
            self._over = True
            try:
                self._generator.aclose().send(None)
            except StopIteration:
                pass

    async def loop_closes(self) -> None:
        """End the system while its loop still runs."""
        if self._over:
            return
        self._over = True
        system = self._system
        warning = _warning(system)
        await system.shutdown(timeout=0.0)
        if warning:
            warnings.warn(warning, RuntimeWarning, stacklevel=2)

    def loop_is_closed(self) -> None:
        """End the system although its loop is closed already."""
        if self._over:
            return
        self.release()
        system = self._system
        warning = _warning(system)
        system.start_nothing_more()
        abandon(system)
        if warning:
            warnings.warn(warning, RuntimeWarning, stacklevel=2)

    def __del__(self) -> None:
        """Notice that system and loop are garbage; `_system` is, too, but whole."""
        if not self._over and not sys.is_finalizing():
            self.loop_is_closed()


def _warning(system: ActorSystem) -> str:
    """Say what is wrong; nothing, if it is a private system that is idle: it loses nothing."""
    if not system.is_private:
        return (
            f"the actor system {system.name!r} was never shut down: it ends with its event loop, "
            'or because nothing refers to it; write "async with ActorSystem(...) as system", or '
            '"await system.shutdown()"'
        )
    busy = [cell.full_path for cell in system.cells.values() if cell.state != IDLE]
    if not busy:
        return ""
    return (
        f"{busy[0]} was never stopped, and ends at work with its event loop: write "
        '"await ref.stop()" and "await ref.join()"'
    )


async def _until_closed(end: weakref.ref[LoopEnd]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        watching = end()
        if watching is not None:
            await watching.loop_closes()
