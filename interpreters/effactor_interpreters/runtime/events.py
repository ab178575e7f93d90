"""Who listens to what happens in a system."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections import deque
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import ref

from effactor import events
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.here import check_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from effactor_interpreters.runtime.system import ActorSystem

_ALL: Final[frozenset[type[events.Event]]] = frozenset(
    {
        events.DeadLetter,
        events.Delivered,
        events.Dropped,
        events.HandlerFailed,
        events.Replied,
        events.Restarted,
        events.Sent,
        events.SpawnFailed,
        events.Started,
        events.Stopped,
    }
)


_OF_MESSAGES: Final = frozenset(k for k in _ALL if issubclass(k, events.MessageEvent))


class Subscription:
    """A listener that is being told. Also a context manager, which ends it.

    Attributes:
        listener: The listener.
        kinds: What it wants to hear of.
        ended: Whether it is told nothing more.
    """

    __slots__ = ("_events", "ended", "kinds", "listener")

    def __init__(
        self,
        subscribed: Events,
        listener: Callable[[Any], object],
        kinds: frozenset[type[events.Event]],
    ) -> None:
        self._events = subscribed
        self.listener: Callable[[Any], object] = listener
        self.kinds: frozenset[type[events.Event]] = kinds
        self.ended: bool = False

    def cancel(self) -> None:
        """Tell the listener nothing more. Cancelling twice does nothing."""
        self._events.unsubscribe(self)

    def __enter__(self) -> Self:
        """Return the subscription."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.cancel()


class Events:
    """The events of one system.

    Attributes:
        wanted: The kinds that somebody listens to: no others are made.
        next_span: Numbers the next message's span.
    """

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self._subscriptions: tuple[Subscription, ...] = ()
        self._of_kind: dict[type[events.Event], tuple[Subscription, ...]] = {}
        self._streams: list[ref[EventStream]] = []
        self._over = False
        self.wanted: frozenset[type[events.Event]] = frozenset()
        self.next_span: Callable[[], int] = count(1).__next__

    def subscribe(
        self, listener: Callable[[Any], object], *kinds: type[events.Event]
    ) -> Subscription:
        """Call *listener* with everything that happens from now on.

        It is called at once, in the midst of what happens, so it must be quick, and not wait.
        What it raises is logged, by the logger `effactor.actor`. One that sends messages should
        say which kinds it wants: else it hears of those, too, and of those, ...

        Args:
            listener: A function of one event.
            kinds: The classes of the events it wants; without any, all of them. A base class
                such as `MessageEvent` stands for all below it.

        Returns:
            The subscription, whose `cancel` ends it; `with` ends it, too.

        Raises:
            TypeError: If *listener* cannot be called, or is a coroutine function, or a kind is
                no class of events.
            RuntimeError: In another thread or event loop than the system's.
        """
        if not callable(listener):
            msg = f"subscribe: listener must be a function of an event, got {listener!r}"
            raise TypeError(msg)
        if inspect.iscoroutinefunction(listener):
            msg = (
                f"subscribe: listener must not be a coroutine function, got {listener!r}; "
                "iterate over events.stream() in a task of its own"
            )
            raise TypeError(msg)
        chosen: set[type[events.Event]] = set()
        for kind in kinds:
            if not (isinstance(kind, type) and issubclass(kind, events.Event)):  # pyright: ignore[reportUnnecessaryIsInstance]
                msg = f"subscribe: kinds must be classes of effactor.events, got {kind!r}"
                raise TypeError(msg)
            chosen |= {each for each in _ALL if issubclass(each, kind)}
        check_here(self._system, "subscribe")
        subscription = Subscription(self, listener, frozenset(chosen) if kinds else _ALL)
        self._subscriptions += (subscription,)
        self._changed()
        return subscription

    def stream(self, *kinds: type[events.Event], capacity: int = 1000) -> EventStream:
        """Iterate over what happens from now on: `async for event in system.events.stream()`.

        Args:
            kinds: As for `subscribe`.
            capacity: How many events may wait to be taken; then the oldest are forgotten, and
                counted in `missed`.

        Returns:
            An async iterator, and a context manager that ends it. It ends with the system.

        Raises:
            TypeError: If a kind is no class of events.
            ValueError: If *capacity* is below 1.
        """
        made = EventStream(self, kinds, capacity, self._system)
        if self._over:
            made.end()
        self._streams = [each for each in self._streams if each() is not None]
        self._streams.append(ref(made))
        return made

    def end(self) -> None:
        """Let the streams end: the system is shut down, and nothing happens any more."""
        self._over = True
        for each in self._streams:
            stream = each()
            if stream is not None:
                stream.end()

    def unsubscribe(self, subscription: Subscription) -> None:
        """Tell a listener nothing more."""
        if subscription.ended:
            return
        check_here(self._system, "cancel")
        subscription.ended = True
        self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
        self._changed()

    def _changed(self) -> None:
        self.wanted = frozenset().union(*(s.kinds for s in self._subscriptions))
        self._of_kind = {
            kind: tuple(s for s in self._subscriptions if kind in s.kinds) for kind in self.wanted
        }
        self._system.observe(
            observed=bool(self.wanted), traced=not self.wanted.isdisjoint(_OF_MESSAGES)
        )

    def emit(self, event: events.Event) -> None:
        """Tell all who want it."""
        for subscription in self._of_kind.get(type(event), ()):
            # Another listener may have ended this one a moment ago.
            if not subscription.ended:
                try:
                    subscription.listener(event)
                except FATAL:
                    raise
                except (Exception, CancelledError):
                    listener = subscription.listener
                    self._system.log.exception("the listener %r failed at %r", listener, event)


class EventStream:
    """Events that wait to be taken.

    Attributes:
        missed: How many were forgotten, because nobody took them in time.
    """

    def __init__(
        self,
        subscribed: Events,
        kinds: tuple[type[events.Event], ...],
        capacity: int,
        system: ActorSystem,
    ) -> None:
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"stream: capacity must be a whole number of at least 1, got {capacity!r}"
            raise ValueError(msg)
        self.missed: int = 0
        self._system = system
        self._waiting: deque[events.Event] = deque()
        self._capacity = capacity
        self._bells: list[Any] = []
        self._ended = False
        # A stream that is left by `break` is garbage, and must not go on listening.
        itself = ref(self)

        def take_in(event: events.Event) -> None:
            stream = itself()
            if stream is not None:
                stream.take_in(event)

        self._subscription = subscribed.subscribe(take_in, *kinds)

    def take_in(self, event: events.Event) -> None:
        """Keep an event until somebody takes it."""
        if len(self._waiting) >= self._capacity:
            self._waiting.popleft()
            self.missed += 1
        self._waiting.append(event)
        self._ring()

    def _ring(self) -> None:
        bells, self._bells = self._bells, []
        for bell in bells:
            if not bell.done():
                bell.set_result(None)

    def __aiter__(self) -> Self:
        """Iterate over the events, once."""
        return self

    async def __anext__(self) -> Any:
        """Wait for the next event.

        Raises:
            StopAsyncIteration: After `close`, or when the system is shut down.
        """
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            check_here(self._system, "events.stream")
            bell = self._system.loop.create_future()
            self._bells.append(bell)
            try:
                await bell
            finally:
                if bell in self._bells:
                    self._bells.remove(bell)
        return self._waiting.popleft()

    def close(self) -> None:
        """Listen no longer; what waits can still be taken. Closing twice does nothing."""
        self._subscription.cancel()
        self.end()

    def end(self) -> None:
        """End the iteration once all that has happened is taken."""
        self._ended = True
        self._ring()

    async def aclose(self) -> None:
        """Do the same as `close`."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return the stream."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Listen no longer."""
        self.close()

    def __del__(self) -> None:
        """Listen no longer: `break` leaves nobody else to say so."""
        subscription: Subscription | None = getattr(self, "_subscription", None)
        if subscription is None or subscription.ended:
            return
        system = self._system
        if system.loop is None or system.world.is_here():
            subscription.cancel()
            return
        with suppress(RuntimeError):  # garbage is collected on any thread; the loop may close
            system.loop.call_soon_threadsafe(subscription.cancel)
