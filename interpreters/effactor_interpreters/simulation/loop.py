"""An asyncio loop on virtual time, for the coroutines of `async def` handlers.

Its ready callbacks run in asyncio's own FIFO order; its timers are choices of the
world like all others. Whatever would touch the machine is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVarTuple

from typing_extensions import TypeVar, override

from effactor.errors import Livelock
from effactor_interpreters.simulation.boundary import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from effactor_interpreters.simulation.timers import VirtualTimer
    from effactor_interpreters.simulation.world import SimulatedWorld

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LOG = logging.getLogger("effactor.simulation")

_CALLBACKS_PER_STEP: Final = 100_000

_OF_THE_WORLD: Final = frozenset(("drain", "look_for_rest"))


class Callback:
    """A ready callback, with the interface of asyncio.Handle."""

    __slots__ = ("_args", "_callback", "_cancelled", "_context")

    def __init__(self, callback: Any, args: tuple[Any, ...], context: Context | None) -> None:
        self._callback = callback
        self._args = args
        self._context = copy_context() if context is None else context
        self._cancelled = False

    def cancel(self) -> None:
        """Make sure that it never runs."""
        self._cancelled = True

    def cancelled(self) -> bool:
        """Tell whether it was cancelled."""
        return self._cancelled

    @property
    def is_of_the_world(self) -> bool:
        """Whether it lets others run, and does nothing by itself."""
        return getattr(self._callback, "__name__", "") in _OF_THE_WORLD

    def get_context(self) -> Context:
        """Return the context it runs in."""
        return self._context

    def run(self) -> None:
        """Run it, unless it was cancelled."""
        if not self._cancelled:
            self._context.run(self._callback, *self._args)


class TimerCallback(Callback):
    """A callback that waits for its time, with the interface of asyncio.TimerHandle."""

    __slots__ = ("_when", "timer")

    def __init__(
        self, when: float, callback: Any, args: tuple[Any, ...], context: Context | None
    ) -> None:
        super().__init__(callback, args, context)
        self._when = when
        self.timer: VirtualTimer | None = None

    def when(self) -> float:
        """Return its time, in seconds of the loop's clock."""
        return self._when

    @override
    def cancel(self) -> None:
        super().cancel()
        if self.timer is not None:
            self.timer.cancel()


class SimulatedFuture(asyncio.Future[Any]):
    """A future whose place in a set does not depend on its address.

    asyncio keeps futures and tasks in sets (TaskGroup, `wait`), and wakes them in the
    order of the set.
    """

    @override
    def __hash__(self) -> int:
        return _number(self)


class SimulatedTask(asyncio.Task[T]):
    """A task whose place in a set does not depend on its address."""

    @override
    def __hash__(self) -> int:
        return _number(self)


def _number(future: Any) -> int:
    # Not in `__init__`: asyncio registers a task, in a set, before that has ended.
    try:
        number: int = future.effactor_number
    except AttributeError:
        number = future.effactor_number = future.get_loop().next_number()
    return number


class SimulatedLoop(asyncio.AbstractEventLoop):
    """The event loop that handlers see in the simulator.

    Args:
        world: The world, whose clock and timers it uses.
    """

    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world
        self._ready: deque[Callback] = deque()
        self._tasks: list[asyncio.Task[Any]] = []
        self._closed = False
        self._numbers = 0

    # ------------------------------------------------------------ the world's side

    @property
    def effactor_world(self) -> SimulatedWorld:
        """The world, for systems that are made in a scenario."""
        return self._world

    def run_ready(self) -> None:
        """Run callbacks in order until none is ready.

        Raises:
            Livelock: If there is no end to them.
        """
        ready = self._ready
        footprints = self._world.footprints
        left = _CALLBACKS_PER_STEP
        while ready:
            left -= 1
            if left < 0:
                busiest = getattr(ready[0], "_callback", None)
                raise Livelock(_CALLBACKS_PER_STEP, (repr(busiest),))
            callback = ready.popleft()
            if footprints is not None:
                footprints.called(callback)
            callback.run()

    def next_number(self) -> int:
        """Number the next future that is put into a set."""
        self._numbers += 1
        return self._numbers

    def shut(self) -> None:
        """End the tasks that are left, without running what they wait for."""
        self._closed = True
        self._ready.clear()
        for task in self._tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
                coroutine = task.get_coro()
                if coroutine is not None:  # pyright: ignore[reportUnnecessaryComparison]
                    try:
                        coroutine.close()
                    except Exception:  # noqa: S110 - a dying coroutine may say anything
                        pass
        self._ready.clear()

    # ------------------------------------------------------------ asyncio's side

    @override
    def time(self) -> float:
        return self._world.read_clock()

    @override
    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Any:
        handle = Callback(callback, args, context)
        if not self._closed:
            self._ready.append(handle)
        return handle

    @override
    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Any:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Any:
        handle = TimerCallback(when, callback, args, context)
        handle.timer = self._world.call_at(when, handle.run, "a timer of asyncio")
        return handle

    @override
    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Any:
        return self.call_soon(callback, *args, context=context)

    @override
    def create_future(self) -> asyncio.Future[Any]:
        return SimulatedFuture(loop=self)

    @override
    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **_: Any,
    ) -> asyncio.Task[T]:
        # asyncio's own default names count through the whole process.
        name = f"task#{len(self._tasks) + 1}" if name is None else str(name)
        work: Any = coro  # Task takes a generator up to Python 3.11 only
        task: asyncio.Task[T] = SimulatedTask(work, loop=self, name=name, context=context)
        self._tasks.append(task)
        return task

    @override
    def get_debug(self) -> bool:
        return False

    @override
    def is_running(self) -> bool:
        return not self._closed

    @override
    def is_closed(self) -> bool:
        return self._closed

    @override
    def call_exception_handler(self, context: dict[str, Any]) -> None:
        _LOG.debug(context.get("message", "asyncio"), exc_info=context.get("exception"))

    @override
    def default_exception_handler(self, context: dict[str, Any]) -> None:
        _LOG.debug(context.get("message", "asyncio"), exc_info=context.get("exception"))

    @override
    def get_exception_handler(self) -> None:
        return None

    @override
    def set_exception_handler(self, handler: object) -> None:
        del handler

    @override
    async def shutdown_asyncgens(self) -> None:
        pass

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        pass

    @override
    def get_task_factory(self) -> None:
        return None

    def _refuse(self, name: str) -> NoReturn:
        raise escape(f"loop.{name}")


def _refusal(name: str) -> Any:
    def refuse(self: SimulatedLoop, *_args: object, **_kwargs: object) -> NoReturn:
        self._refuse(name)  # pyright: ignore[reportPrivateUsage]

    return refuse


for _name in (  # noqa: SIM905 - as a list they would fill a page
    "run_in_executor add_reader remove_reader add_writer remove_writer add_signal_handler "
    "remove_signal_handler create_connection create_server create_datagram_endpoint "
    "create_unix_connection create_unix_server connect_accepted_socket connect_read_pipe "
    "connect_write_pipe subprocess_exec subprocess_shell getaddrinfo getnameinfo sock_recv "
    "sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall sock_sendto sock_connect "
    "sock_accept sock_sendfile sendfile start_tls run_forever run_until_complete "
    "set_default_executor set_task_factory"
).split():
    setattr(SimulatedLoop, _name, _refusal(_name))
