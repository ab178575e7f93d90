"""What the benchmarks need of an actor library, and effactor's own.

The handlers are alike: `async def` where the library has it, a field of a message is
answered, what was handled is counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from typing_extensions import override

from benchmarks.actors import Awaited, Counting, Get, Handled, Hop, Relay
from effactor import ActorSystem


class Library(ABC):
    """A library of actors; use it as `async with Library() as library`."""

    name: str

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    @abstractmethod
    async def start(self, count: int) -> list[Any]:
        """Start actors that count."""

    @abstractmethod
    async def start_chain(self, length: int) -> Any:
        """Start actors of which each asks the next one; return the first."""

    @abstractmethod
    async def stop(self, actors: Sequence[Any]) -> None:
        """Stop actors, and wait for their ends."""

    @abstractmethod
    async def ask(self, actor: Any, times: int) -> None:
        """Ask one by one."""

    @abstractmethod
    async def ask_chain(self, first: Any, times: int) -> int:
        """Ask the first of a chain one by one; return the last answer."""

    @abstractmethod
    async def tell(self, actors: Sequence[Any], each: int) -> None:
        """Tell each actor so many messages, one of them an ask; return when all is handled."""

    @abstractmethod
    async def handled(self, actors: Sequence[Any]) -> int:
        """Return how many messages the actors have handled."""

    @abstractmethod
    async def live_and_die(self, count: int) -> None:
        """Start actors, stop them, and wait for their ends."""


class Effactor(Library):
    """This library."""

    name = "effactor"

    def __init__(self) -> None:
        self._system = ActorSystem("libraries")

    @override
    async def __aexit__(self, *_: object) -> None:
        await self._system.shutdown()

    @override
    async def start(self, count: int) -> list[Any]:
        return [await self._system.spawn(Counting) for _ in range(count)]

    @override
    async def start_chain(self, length: int) -> Any:
        first = await self._system.spawn(lambda: Relay(None))
        for _ in range(length - 1):
            first = await self._system.spawn(partial(Relay, first))
        return first

    @override
    async def stop(self, actors: Sequence[Any]) -> None:
        for ref in actors:
            await ref.stop()
        for ref in actors:
            await ref.join()

    @override
    async def ask(self, actor: Any, times: int) -> None:
        message = Get(1)
        for _ in range(times):
            await actor.ask(message)

    @override
    async def ask_chain(self, first: Any, times: int) -> int:
        message, answer = Hop(), 0
        for _ in range(times):
            answer = await first.ask(message)
        return answer

    @override
    async def tell(self, actors: Sequence[Any], each: int) -> None:
        message = Get(1)
        for actor in actors:
            tell = actor.tell_nowait
            for _ in range(each - 1):
                tell(message)
        for actor in actors:
            await actor.ask(message)

    @override
    async def handled(self, actors: Sequence[Any]) -> int:
        return sum([await actor.ask(Handled()) for actor in actors])

    @override
    async def live_and_die(self, count: int) -> None:
        await self.stop([await self._system.spawn(Awaited) for _ in range(count)])
