"""Dispatchers: threads in which `def` handlers run that would hold up the event loop.

An actor keeps its one message at a time: its cell waits until the thread has ended, also
when the handler is to be cancelled, because a thread cannot be. In a simulated world
such a handler is one step on the loop's own thread.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from effactor_interpreters.runtime.coroutines import coroutine

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.letters import Letter

THREAD: Final = "thread"
"""Name of the dispatcher that every system has."""

handled_in_thread: ContextVar[Letter | None] = ContextVar("handled_in_thread", default=None)
"""The letter of the message that this thread handles."""


def outside_threads() -> Context | None:
    """Return the context for what a handler in a thread hands to the loop.

    Returns:
        A copy of the current one, in which no message is handled in a thread; None if that
        is so in the current one anyway.
    """
    if handled_in_thread.get() is None:
        return None
    context = copy_context()
    context.run(handled_in_thread.set, None)
    return context


class Dispatcher:
    """A pool of threads for the handlers of some actors.

    Attributes:
        name: What `spawn(dispatcher=...)` calls it.
    """

    def __init__(self, name: str, pool: int | Executor | None) -> None:
        """Keep the pool, or how many threads one may have; None leaves that to Python."""
        self.name: str = name
        self._size: int | None = None
        self._executor: Executor | None = None
        self._own = not isinstance(pool, Executor)
        if isinstance(pool, Executor):
            self._executor = pool
        else:
            self._size = pool

    def executor(self) -> Executor:
        """Return the pool, started when it is first needed."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self._size, f"effactor-{self.name}")
        return self._executor

    def end(self) -> None:
        """Let the threads end, if the pool is the system's own."""
        executor, own = self._executor, self._own
        if executor is not None and own:
            self._executor = None
            executor.shutdown(wait=False, cancel_futures=True)

    @coroutine
    def run(
        self, cell: Cell, letter: Letter, handler: Callable[..., Any], message: Any
    ) -> Generator[Any, Any, Any]:
        """Run a handler in a thread.

        Args:
            cell: The actor.
            letter: The message's letter.
            handler: The handler.
            message: The message.

        Yields:
            What the cell waits for.

        Returns:
            What the handler returned.
        """
        # The cell's own context may be entered on the loop meanwhile.
        variables = cell.variables.copy()
        variables.run(handled_in_thread.set, letter)
        system = cell.system
        # Asks are handled on their asker's stack without a look at the thread while this is not
        # used up.
        system.budget = 0
        running = system.world.in_thread(
            self.executor, partial(variables.run, handler, cell.actor, message)
        )
        if not running.done():
            cell.relations.thread = running
            try:
                yield from self._wait(system.loop, running)
            finally:
                cell.relations.thread = None
                if not running.done():  # the actor is left behind by a shutdown
                    system.log.error(
                        "a handler of %s still runs in a thread of the dispatcher %r, which "
                        "cannot be ended",
                        cell.full_path,
                        self.name,
                    )
        return running.result()

    @coroutine
    def _wait(self, loop: Any, running: Future[Any]) -> Generator[Any, Any, None]:
        """Wait for a thread, also while the handler is cancelled."""
        cancelled: CancelledError | None = None
        while not running.done():
            waiting = loop.create_future()
            running.add_done_callback(partial(_wake, loop, waiting))
            try:
                yield from waiting
            except CancelledError as error:
                cancelled = error
                if running.cancel():
                    break  # it has not begun
        if cancelled is not None:
            raise cancelled


def _wake(loop: Any, waiting: Any, _running: Future[Any]) -> None:
    def ring() -> None:
        if not waiting.done():
            waiting.set_result(None)

    try:
        loop.call_soon_threadsafe(ring)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more


class Dispatchers:
    """The dispatchers of a system, by name."""

    def __init__(self, pools: Mapping[str, int | Executor]) -> None:
        """Check the pools.

        Raises:
            TypeError: If they are no mapping from names, or one is neither a number of threads
                nor an executor.
            ValueError: If a number is below 1.
        """
        if not isinstance(pools, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = (
                "ActorSystem: dispatchers must map names to numbers of threads or to "
                f'executors, such as {{"io": 4}}, got {pools!r}'
            )
            raise TypeError(msg)
        self._found: dict[str, Dispatcher] = {THREAD: Dispatcher(THREAD, None)}
        for name, pool in pools.items():
            if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
                msg = f"ActorSystem: the keys of dispatchers must be names, got {name!r}"
                raise TypeError(msg)
            if isinstance(pool, bool) or not isinstance(pool, int | Executor):  # pyright: ignore[reportUnnecessaryIsInstance]
                msg = (
                    "ActorSystem: dispatchers must map names to numbers of threads or to "
                    f"executors, got {pool!r} for {name!r}"
                )
                raise TypeError(msg)
            if isinstance(pool, int) and pool < 1:
                msg = f"ActorSystem: dispatchers[{name!r}] must be at least 1, got {pool!r}"
                raise ValueError(msg)
            self._found[name] = Dispatcher(name, pool)

    def find(self, name: str, cell: Cell) -> Dispatcher:
        """Find a dispatcher for an actor.

        Args:
            name: Its name.
            cell: The actor.

        Returns:
            The dispatcher.

        Raises:
            ValueError: If there is none of this name.
            TypeError: If the actor has no `def` handler.
        """
        found = self._found.get(name)
        if found is None:
            known = ", ".join(repr(each) for each in self._found)
            msg = (
                f"spawn: dispatcher must be one of {known}, got {name!r}; name others in "
                f"ActorSystem(dispatchers={{{name!r}: 4}})"
            )
            raise ValueError(msg)
        behavior = cell.behavior
        catches = behavior.catch_all is not None and not behavior.catch_all_is_coroutine
        if not (behavior.plain or catches):
            kind = type(cell.actor).__name__
            msg = (
                f"spawn: dispatcher={name!r} runs `def` handlers in threads, and {kind} has only "
                "`async def` handlers, which run on the event loop; write the blocking ones "
                "as `def`, or leave the dispatcher out"
            )
            raise TypeError(msg)
        return found

    def end(self) -> None:
        """Let all threads end."""
        for dispatcher in self._found.values():
            dispatcher.end()
