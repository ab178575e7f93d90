"""Middleware that measures how long messages take to be handled.

Durations are counted in buckets whose bounds grow by a constant factor, as in
HdrHistogram (Tene): percentiles are exact to 5 %, and memory has a bound.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

from typing_extensions import override

from effactor.actors.middleware import Middleware

if TYPE_CHECKING:
    from effactor.actors.middleware import MiddlewareContext, Next

_GROWTH: Final = math.log(1.05)
_LEAST: Final = 1e-9
"""Durations below this many seconds are counted as 0."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long messages of one type took one actor.

    Attributes:
        count: How many were handled, well or not.
        failed: How many of them ended with an exception.
        total: Seconds they took together.
        longest: Seconds that the longest took.
        buckets: How many took at most so many seconds and more than the bound before, by
            bound, in order.
    """

    count: int
    failed: int
    total: float
    longest: float
    buckets: tuple[tuple[float, int], ...]

    @property
    def mean(self) -> float:
        """Seconds that one took on average."""
        return self.total / self.count

    @property
    def median(self) -> float:
        """Seconds that half of them took at most, to 5 %."""
        return self.percentile(50)

    def percentile(self, percent: float) -> float:
        """Say how long so many of them took at most.

        Args:
            percent: How many, from 0 to 100.

        Returns:
            Seconds, to 5 %, and never more than `longest`.

        Raises:
            ValueError: If *percent* is out of bounds.
        """
        if not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
            msg = f"percentile: percent must be from 0 to 100, got {percent!r}"
            raise ValueError(msg)
        wanted = percent / 100 * self.count
        seen = 0
        for bound, count in self.buckets:
            seen += count
            if seen >= wanted:
                return min(bound, self.longest)
        return self.longest


class _Counts:
    __slots__ = ("buckets", "count", "failed", "longest", "total")

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.total = 0.0
        self.longest = 0.0
        self.buckets: dict[int, int] = {}

    def add(self, seconds: float, *, failed: bool) -> None:
        self.count += 1
        self.failed += failed
        self.total += seconds
        self.longest = max(self.longest, seconds)
        # Bucket 0 holds what takes no time, as most does in virtual time.
        bucket = 0
        if seconds > _LEAST:
            bucket = max(1, math.ceil(math.log(seconds / _LEAST) / _GROWTH))
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def value(self) -> Timing:
        bounds = sorted(self.buckets.items())
        return Timing(
            count=self.count,
            failed=self.failed,
            total=self.total,
            longest=self.longest,
            buckets=tuple((_bound(bucket), count) for bucket, count in bounds),
        )


def _bound(bucket: int) -> float:
    return _LEAST * math.exp(_GROWTH * bucket) if bucket else 0.0


@final
class TimingMiddleware(Middleware):
    """Counts and measures messages by actor and type; look at them with `snapshot`.

    A duration is that of what stands behind this middleware: the handler, with all that it
    waits for, and the middleware after this one. The time in the mailbox is not in it.

    Args:
        keep: Of how many actors to keep the figures, also after they have stopped; those
            that were heard of longest ago are forgotten.

    Raises:
        ValueError: If *keep* is no whole number of at least 1.
    """

    def __init__(self, keep: int = 1000) -> None:
        """Begin without figures."""
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"TimingMiddleware: keep must be a whole number of at least 1, got {keep!r}"
            raise ValueError(msg)
        self._keep: int = keep
        self._actors: OrderedDict[str, dict[type[Any], _Counts]] = OrderedDict()

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        """Measure how long it takes."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        failed = True
        try:
            reply = await next_fn(ctx, message)
            failed = False
            return reply
        finally:
            if not ctx.stashed:
                self._add(ctx.actor_ref.path, message, clock() - begun, failed=failed)

    def _add(self, path: str, message: object, seconds: float, *, failed: bool) -> None:
        kinds = self._actors.get(path)
        if kinds is None:
            kinds = self._actors[path] = {}
            if len(self._actors) > self._keep:
                self._actors.popitem(last=False)
        else:
            self._actors.move_to_end(path)
        counts = kinds.get(type(message))
        if counts is None:
            counts = kinds[type(message)] = _Counts()
        counts.add(seconds, failed=failed)

    def snapshot(self) -> dict[str, dict[type[Any], Timing]]:
        """Return the figures of this moment.

        Returns:
            By path of the actor and type of the message; later messages do not change it.
        """
        return {
            path: {kind: counts.value() for kind, counts in kinds.items()}
            for path, kinds in self._actors.items()
        }

    def reset(self) -> None:
        """Forget all figures."""
        self._actors.clear()
