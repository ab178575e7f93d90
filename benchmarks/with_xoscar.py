"""xoscar: its pool of actors lives in this process and on this loop, without sub-processes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module
from itertools import count as counting_from
from typing import Any, Self

from typing_extensions import override

from benchmarks.actors import Get, Hop
from benchmarks.libraries import Library

# By name: it is in the group `bench` only, and type checkers need not find it.
xoscar: Any = import_module("xoscar")


class Counting(xoscar.Actor):  # type: ignore[misc]  # see `xoscar`
    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]  # see `xoscar`
        self.handled_count = 0

    async def get(self, message: Get) -> int:
        self.handled_count += 1
        return message.number

    def count(self) -> int:
        return self.handled_count


class Relay(xoscar.Actor):  # type: ignore[misc]  # see `xoscar`
    def __init__(self, following: Any) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]  # see `xoscar`
        self.following = following

    async def hop(self, message: Hop) -> int:
        if self.following is None:
            return 0
        answer: int = await self.following.hop(message)
        return 1 + answer


class Xoscar(Library):
    """The library on PyPI."""

    name = "xoscar"

    def __init__(self) -> None:
        self._numbers = counting_from()
        self._pool: Any = None

    @override
    async def __aenter__(self) -> Self:
        self._pool = await xoscar.create_actor_pool("127.0.0.1", n_process=0)
        return self

    @override
    async def __aexit__(self, *_: object) -> None:
        await self._pool.stop()

    async def _create(self, actor: Any, *arguments: Any) -> Any:
        return await xoscar.create_actor(
            actor,
            *arguments,
            address=self._pool.external_address,
            uid=f"actor-{next(self._numbers)}",
        )

    @override
    async def start(self, count: int) -> list[Any]:
        return [await self._create(Counting) for _ in range(count)]

    @override
    async def start_chain(self, length: int) -> Any:
        first = None
        for _ in range(length):
            first = await self._create(Relay, first)
        return first

    @override
    async def stop(self, actors: Sequence[Any]) -> None:
        for actor in actors:
            await xoscar.destroy_actor(actor)

    @override
    async def ask(self, actor: Any, times: int) -> None:
        message = Get(1)
        for _ in range(times):
            await actor.get(message)

    @override
    async def ask_chain(self, first: Any, times: int) -> int:
        message, answer = Hop(), 0
        for _ in range(times):
            answer = await first.hop(message)
        return answer

    @override
    async def tell(self, actors: Sequence[Any], each: int) -> None:
        message = Get(1)
        before = await self.handled(actors)
        for actor in actors:
            tell = actor.get.tell
            for _ in range(each - 1):
                await tell(message)
        for actor in actors:
            await actor.get(message)
        # An ask may overtake tells, and nothing tells when the last one is handled.
        while await self.handled(actors) - before < each * len(actors):  # noqa: ASYNC110
            await asyncio.sleep(0)

    @override
    async def handled(self, actors: Sequence[Any]) -> int:
        return sum([await actor.count() for actor in actors])

    @override
    async def live_and_die(self, count: int) -> None:
        await self.stop(await self.start(count))
