"""The replies of an ephemeral child, one by one: what `self.context.stream` returns."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any, Self

from effactor.actors.ref import binding_of
from effactor.errors import AskTimeout
from effactor.programs.operations import Join, Stop
from effactor.programs.program import Always, FlatMap, Pure
from effactor.programs.resources import Ensure

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from effactor.actors.ref import ActorRef, Binding, StopManner
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.ephemeral import Errand

    RunAs = Callable[[Cell, Program[Any, Any]], Coroutine[Any, Any, Any]]


class ChildStream:
    """The items that an ephemeral child yields for one message.

    The child starts when the first item is asked for. It has stopped when the last item was
    taken, when an error is raised, and when `aclose` or `async with` is over; leaving the
    loop by `break` stops it at once, and nobody waits for that.
    """

    __slots__ = (
        "_ahead",
        "_cell",
        "_errand",
        "_items",
        "_over",
        "_run_as",
        "_starting",
        "_timeout",
    )

    def __init__(
        self, cell: Cell, errand: Errand, timeout: float | None, ahead: int, run_as: RunAs
    ) -> None:
        """Begin with nothing.

        Args:
            cell: The parent.
            errand: The child's start and message.
            timeout: Seconds to wait for each item, as for `ref.ask_stream`.
            ahead: How many items its handler may be ahead.
            run_as: Runs a program as the parent.
        """
        self._cell = cell
        self._errand = errand
        self._timeout = timeout
        self._ahead = ahead
        self._run_as = run_as
        self._items: Any = None
        self._starting = False
        self._over = False

    def __aiter__(self) -> Self:
        """Iterate over the items, once."""
        return self

    async def __anext__(self) -> Any:
        """Wait for the next item.

        Raises:
            StopAsyncIteration: After the last one.
            AskFailed: Or what the handler raised, after the items that came before.
            RuntimeError: If another task is starting the child.
        """
        if self._over:
            raise StopAsyncIteration
        try:
            items = self._items
            if items is None:
                items = await self._start()
            return await items.__anext__()
        except StopAsyncIteration:
            await self._end("graceful")
            raise
        except Exception as error:
            # After any other error the child may be ending by itself: its on_stopped must
            # not be cut short.
            await self._end("now" if type(error) is AskTimeout else "graceful")
            raise
        except BaseException:  # a cancellation
            await self._end("now")
            raise

    async def _start(self) -> Any:
        if self._starting:
            msg = "context.stream: the child is still starting; share it after the first item"
            raise RuntimeError(msg)
        self._starting = True
        errand = self._errand
        await self._run_as(self._cell, errand.begin())
        child = errand.ref
        assert child is not None  # or the start had raised
        bound: Binding = binding_of(child)
        self._items = bound.ask_stream(errand.message, self._timeout, self._ahead, errand.options)
        return self._items

    async def aclose(self) -> None:
        """Leave the stream; the child is interrupted at once, and has stopped after this."""
        await self._end("now")

    async def _end(self, mode: StopManner) -> None:
        self._over = True
        if mode == "now" and self._items is not None:
            self._items.close()
        child = self._errand.ref
        if child is not None:
            # A finaliser: whoever is cancelled meanwhile still waits for the child's end.
            ending: Program[Any] = FlatMap(Stop(child, mode), Always(Join(child)))
            await self._run_as(self._cell, Ensure(Pure(None), ending))

    async def __aenter__(self) -> Self:
        """Return the stream."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Leave the stream."""
        await self.aclose()

    def __del__(self) -> None:
        """Stop the child: `break` leaves nobody else to do so."""
        child = self._errand.ref
        if self._over or child is None or self._cell.system.loop.is_closed():
            return
        if get_ident() == self._cell.system.thread:
            _stop(self._cell, child)
        else:  # garbage is collected on any thread
            self._cell.system.loop.call_soon_threadsafe(_stop, self._cell, child)


def _stop(parent: Cell, child: ActorRef[Any]) -> None:
    cell = parent.system.find(child)
    if cell is not None:
        parent.system.stop_cell(cell, "now")
