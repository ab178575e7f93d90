"""Middleware that bounds how many messages a second are handled: a token bucket.

In the form of the generic cell rate algorithm (ITU-T I.371): what is kept is the time
from which on the bucket is full again.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Literal, final, get_args

from typing_extensions import override

from effactor.actors.middleware import Middleware

if TYPE_CHECKING:
    from effactor.actors.middleware import MiddlewareContext, Next
    from effactor.actors.ref import ActorRef

Excess = Literal["wait", "drop"]

_INSTANT = 1e-9
"""Seconds that the clock may be off by, because it counts in floats."""


@final
class RateLimitMiddleware(Middleware):
    """Lets *rate* messages a second pass, and *burst* of them at once.

    Args:
        rate: Messages a second, greater than 0.
        burst: How many may pass at once after a pause, at least 1.
        on_excess: What happens to one more: `"wait"` lets it, and the actor, wait until its
            turn; `"drop"` drops it at once, so its asker gets `MessageDropped`. One whose
            asker will have given up before its turn is dropped at once either way.
        shared: Whether all actors with this middleware share the rate, as for the limit of
            an API that they all use; else each has its own.

    Raises:
        TypeError: If *rate* or *burst* is no number.
        ValueError: If one of them is too small, or *on_excess* is unknown.
    """

    def __init__(
        self, rate: float, burst: int = 1, on_excess: Excess = "wait", *, shared: bool = False
    ) -> None:
        """Begin with full buckets."""
        _check(rate, burst, on_excess)
        self._interval: float = 1 / rate
        self._slack: float = (burst - 1) / rate
        self._words: str = f"{rate:g} a second, {burst} at once"
        self._on_excess: Excess = on_excess
        self._shared: bool = shared
        # When the next message would pass if there were no bursts, by actor.
        self._due: dict[ActorRef[Any] | None, float] = {}

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        """Let it pass in its time."""
        now = asyncio.get_running_loop().time()
        bucket = None if self._shared else ctx.actor_ref
        due = max(self._due.get(bucket, now), now)
        wait = due - self._slack - now
        if wait > _INSTANT:
            await self._wait(ctx, bucket, due, wait)
        else:
            self._due[bucket] = due + self._interval
        return await next_fn(ctx, message)

    async def _wait(self, ctx: Any, bucket: Any, due: float, wait: float) -> None:
        if self._on_excess == "drop":
            ctx.drop(f"more than {self._words}")
        if ctx.limit is not None and asyncio.get_running_loop().time() + wait >= ctx.limit:
            ctx.drop(f"its turn would come after its deadline: {self._words}")
        self._due[bucket] = due + self._interval
        try:
            await asyncio.sleep(wait)
        except BaseException:
            # Its turn is another's, if nobody has got a later one already.
            if self._due.get(bucket) == due + self._interval:
                self._due[bucket] = due
            raise

    @override
    async def on_stopped(self, ref: ActorRef[Any]) -> None:
        """Forget the actor's bucket."""
        self._due.pop(ref, None)


def _check(rate: Any, burst: Any, on_excess: Any) -> None:
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        msg = f"RateLimitMiddleware: rate must be a number of messages a second, got {rate!r}"
        raise TypeError(msg)
    if not 0 < rate < math.inf:
        msg = f"RateLimitMiddleware: rate must be a finite number > 0, got {rate!r}"
        raise ValueError(msg)
    if isinstance(burst, bool) or not isinstance(burst, int):
        msg = f"RateLimitMiddleware: burst must be a whole number, got {burst!r}"
        raise TypeError(msg)
    if burst < 1:
        msg = f"RateLimitMiddleware: burst must be at least 1, got {burst!r}"
        raise ValueError(msg)
    if on_excess not in get_args(Excess):
        known = ", ".join(get_args(Excess))
        msg = f"RateLimitMiddleware: on_excess must be one of {known}, got {on_excess!r}"
        raise ValueError(msg)
