"""Actors that count what they handle: a load tells whether a message was lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.actors import (
    Counting,
    CountingPlain,
    CountingPlainState,
    CountingState,
    Get,
    Handled,
)
from benchmarks.classic import (
    ClassicActor,
    Direct,
    Dispatching,
    PlainDirect,
    PlainDispatching,
    stop_all,
)
from effactor import ActorSystem


@dataclass(frozen=True, slots=True)
class Crowd:
    """Some actors of one kind.

    Attributes:
        to: Where to send to, one for each: refs, or classic actors.
        counts: What to await for the number of messages that one has handled.
    """

    to: list[Any]
    counts: list[Callable[[], Awaitable[int]]]

    async def handled(self) -> int:
        """Return how many messages they have handled."""
        return sum([await count() for count in self.counts])

    async def stop(self) -> None:
        """Stop them."""
        await stop_all(actor for actor in self.to if isinstance(actor, ClassicActor))
        for ref in self.to:
            if not isinstance(ref, ClassicActor):
                await ref.stop()


async def crowds(system: ActorSystem, size: int) -> dict[str, Crowd]:
    """Start *size* actors of each kind.

    Args:
        system: Where effactor's live.
        size: How many.

    Returns:
        `async` and `def` of effactor; `classic ...` without and `dispatching ...` with
        a look-up of the handler.
    """
    made = {
        "async": await _ours(system, Counting, size),
        "def": await _ours(system, CountingPlain, size),
    }
    starts: dict[str, Callable[[], tuple[ClassicActor, Any]]] = {
        "classic async": lambda: (Direct((state := CountingState()).get), state),
        "classic def": lambda: (PlainDirect((state := CountingPlainState()).get), state),
        "dispatching async": lambda: (Dispatching({Get: (state := CountingState()).get}), state),
        "dispatching def": lambda: (
            PlainDispatching({Get: (state := CountingPlainState()).get}),
            state,
        ),
    }
    for kind, start in starts.items():
        made[kind] = _classic([start() for _ in range(size)])
    return made


async def _ours(system: ActorSystem, actor: Any, size: int) -> Crowd:
    refs: list[Any] = [await system.spawn(actor) for _ in range(size)]

    def count(ref: Any) -> Callable[[], Awaitable[int]]:
        return lambda: ref.ask(Handled())

    return Crowd(refs, [count(ref) for ref in refs])


def _classic(started: list[tuple[ClassicActor, Any]]) -> Crowd:
    def count(state: Any) -> Callable[[], Awaitable[int]]:
        async def handled() -> int:
            found: int = state.handled
            return found

        return handled

    return Crowd([actor for actor, _ in started], [count(state) for _, state in started])
