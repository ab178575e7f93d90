"""Middleware that lets a handler try again, and remembers by key what has succeeded."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, final

from typing_extensions import override

from effactor.actors.middleware import Middleware
from effactor.errors import MessageDropped, Unhandled
from effactor.schedules.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.middleware import MiddlewareContext, Next
    from effactor.actors.ref import ActorRef

IDEMPOTENCY_KEY: Final = "idempotency-key"
"""The header that names what must happen once, as in HTTP APIs."""

_ABSENT: Final[Any] = object()


class _Memory:
    """What one actor has done, by key: the latest successes, and what is under way."""

    __slots__ = ("replies", "running")

    def __init__(self) -> None:
        self.replies: OrderedDict[Any, Any] = OrderedDict()
        self.running: dict[Any, asyncio.Future[None]] = {}


@final
class RetryMiddleware(Middleware):
    """Calls the handler again if it raises, as long as a schedule says so.

    The actor is neither restarted nor does it handle other messages meanwhile. Once the
    schedule is over, or would go past the asker's deadline, the last error goes on its way.

    A message may have a key. Once one of a key has succeeded, another of that key is not
    handled again: it gets the reply of the first. So a sender may send again what it has no
    reply to. The key is the header `idempotency-key`, or whatever *key* says.

    Once a handler has yielded items to an `ask_stream` it is not called again, which would repeat
    them; nor is what it yields remembered.

    Args:
        schedule: How often to try again, and after what delays: `spaced(0.1) & recurs(3)`.
            It is given the errors.
        on: The types of errors after which to try again.
        key: A function of the context and the message that says the key, or None for no key.
        remember: How many successes are remembered per actor; the oldest are forgotten.
            They outlive a restart of the actor, not its stop.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If *remember* is below 0.
    """

    def __init__(
        self,
        schedule: Schedule[Any],
        on: type[Exception] | tuple[type[Exception], ...] = (OSError,),
        *,
        key: Callable[[MiddlewareContext, Any], object] | None = None,
        remember: int = 1024,
    ) -> None:
        """Refuse what is no schedule, no error type, no function, no number."""
        _check(schedule, key, remember)
        self._schedule: Schedule[Any] = schedule
        self._on: tuple[type[Exception], ...] = _errors(on)
        self._key: Callable[[MiddlewareContext, Any], object] | None = key
        self._remember: int = remember
        self._memories: dict[ActorRef[Any], _Memory] = {}

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        """Let it be handled, perhaps several times; or answer what is remembered."""
        key = ctx.headers.get(IDEMPOTENCY_KEY) if self._key is None else self._key(ctx, message)
        if key is None or not self._remember or _is_stream(ctx):
            return await self._attempts(ctx, message, next_fn)
        try:
            hash(key)
        except TypeError:
            # The sender's mistake, for which the actor must not be restarted.
            ctx.drop(f"its idempotency key must be hashable, is {key!r}")
        memory = self._memories.setdefault(ctx.actor_ref, _Memory())
        # Handlers may overlap: another of this key may be under way.
        while (running := memory.running.get(key)) is not None:
            await asyncio.shield(running)
        reply = memory.replies.get(key, _ABSENT)
        if reply is not _ABSENT:
            memory.replies.move_to_end(key)
            return reply
        done = memory.running[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._attempts(ctx, message, next_fn)
            if not ctx.stashed:
                memory.replies[key] = reply
                if len(memory.replies) > self._remember:
                    memory.replies.popitem(last=False)
            return reply
        finally:
            del memory.running[key]
            done.set_result(None)

    async def _attempts(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        clock = asyncio.get_running_loop().time
        begun = clock()
        state = self._schedule.begin()
        while True:
            try:
                return await next_fn(ctx, message)
            except self._on as error:
                if isinstance(error, MessageDropped | Unhandled) and error.message is message:
                    raise  # it would be again
                if ctx.streamed:
                    raise  # the asker would get the same items again
                # By the module's name: a simulation puts its own in there.
                chance = random.random() if self._schedule.needs_chance else 0.0
                decision = self._schedule.decide(state, error, clock() - begun, chance)
                if decision is None or _too_late(ctx, clock() + decision.delay):
                    raise
            state = decision.state
            await asyncio.sleep(decision.delay)

    @override
    async def on_stopped(self, ref: ActorRef[Any]) -> None:
        """Forget what the actor has done."""
        self._memories.pop(ref, None)


def _is_stream(ctx: Any) -> bool:
    """Tell whether the asker takes the replies one by one: they are not kept."""
    return ctx.stream is not None


def _too_late(ctx: Any, at: float) -> bool:
    """Tell whether the asker has given up by then: a time on the loop's clock."""
    return ctx.limit is not None and at >= ctx.limit


def _check(schedule: Any, key: Any, remember: Any) -> None:
    if not isinstance(schedule, Schedule):
        msg = (
            "RetryMiddleware: schedule must be a Schedule such as spaced(0.1) & recurs(3), "
            f"got {schedule!r}"
        )
        raise TypeError(msg)
    if key is not None and not callable(key):
        msg = (
            "RetryMiddleware: key must be a function of the context and the message, such as "
            f"lambda ctx, message: message.id, got {key!r}"
        )
        raise TypeError(msg)
    if isinstance(remember, bool) or not isinstance(remember, int):
        msg = f"RetryMiddleware: remember must be a whole number, got {remember!r}"
        raise TypeError(msg)
    if remember < 0:
        msg = f"RetryMiddleware: remember must be at least 0, got {remember!r}"
        raise ValueError(msg)


def _errors(given: Any) -> tuple[type[Exception], ...]:
    errors: list[Any] = [*given] if isinstance(given, tuple) else [given]
    for error in errors:
        # A cancellation must never be tried again.
        if not (isinstance(error, type) and issubclass(error, Exception)):
            msg = f"RetryMiddleware: on must be types of Exception, got {error!r}"
            raise TypeError(msg)
    return tuple(errors)
