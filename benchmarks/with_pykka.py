"""pykka: an actor is a thread. Its asks block the thread that asks, and are no coroutines."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from typing_extensions import override

from benchmarks.actors import Get, Handled, Hop
from benchmarks.libraries import Library

# By name: it is in the group `bench` only, and type checkers need not find it.
pykka: Any = import_module("pykka")

PATIENCE: Final = 60.0
"""Seconds after which a benchmark is given up."""


class Counting(pykka.ThreadingActor):  # type: ignore[misc]  # see `pykka`
    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]  # see `pykka`
        self.handled_count = 0

    def on_receive(self, message: Any) -> Any:
        if type(message) is Handled:
            return self.handled_count
        self.handled_count += 1
        return message.number


class Relay(pykka.ThreadingActor):  # type: ignore[misc]  # see `pykka`
    def __init__(self, following: Any) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]  # see `pykka`
        self.following = following

    def on_receive(self, message: Any) -> Any:
        return 0 if self.following is None else 1 + self.following.ask(message, timeout=PATIENCE)


class Pykka(Library):
    """The library on PyPI."""

    name = "pykka"

    @override
    async def start(self, count: int) -> list[Any]:
        return [Counting.start() for _ in range(count)]

    @override
    async def start_chain(self, length: int) -> Any:
        first = None
        for _ in range(length):
            first = Relay.start(first)
        return first

    @override
    async def stop(self, actors: Sequence[Any]) -> None:
        for stopping in [actor.stop(block=False) for actor in actors]:
            stopping.get(timeout=PATIENCE)

    @override
    async def __aexit__(self, *_: object) -> None:
        pykka.ActorRegistry.stop_all(timeout=PATIENCE)

    @override
    async def ask(self, actor: Any, times: int) -> None:
        message = Get(1)
        for _ in range(times):
            actor.ask(message, timeout=PATIENCE)

    @override
    async def ask_chain(self, first: Any, times: int) -> int:
        message, answer = Hop(), 0
        for _ in range(times):
            answer = first.ask(message, timeout=PATIENCE)
        return answer

    @override
    async def tell(self, actors: Sequence[Any], each: int) -> None:
        message = Get(1)
        for actor in actors:
            for _ in range(each - 1):
                actor.tell(message)
        for actor in actors:
            actor.ask(message, timeout=PATIENCE)

    @override
    async def handled(self, actors: Sequence[Any]) -> int:
        return sum(actor.ask(Handled(), timeout=PATIENCE) for actor in actors)

    @override
    async def live_and_die(self, count: int) -> None:
        await self.stop(await self.start(count))
