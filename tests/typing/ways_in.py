"""What is known of replies where actors are reached by class, ref or path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

from effactor import Actor, ActorRef, Message, SendOptions, handler
from effactor.interpreters import ActorSystem


@dataclass(frozen=True)
class Count(Message[int]):
    pass


class Counter(Actor[Count]):
    @handler
    def count(self, message: Count) -> int:
        del message
        return 1


async def a_started_instance_has_a_typed_ref() -> None:
    ref = await Counter().start("counter")
    assert_type(ref, ActorRef[Count])
    assert_type(await ref.ask(Count()), int)
    await ref.ask("count")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await Counter().start(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_system_asks(system: ActorSystem, ref: ActorRef[Count]) -> None:
    assert_type(await system.ask(ref, Count(), timeout=1), int)
    assert_type(await system.ask("/counter", Count()), int)
    assert_type(await system.ask(ref, Count(), options=SendOptions(id="a")), int)
    await system.ask(ref, Count(), options=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await system.tell(ref, Count(), options=SendOptions(priority=1))
    assert_type(await system.ask("/counter", "count"), Any)
    await system.tell("/counter", "count")
    await system.tell(ref, Count())
    await system.tell(ref, "count")  # type: ignore[misc]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await system.ask(ref, "count")  # type: ignore[misc]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await system.stop(ref, "later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(system.actors(), dict[str, ActorRef[Any]])


def make() -> Counter:
    return Counter()


class Shop(Actor[str]):
    async def asks(self, ref: ActorRef[Count]) -> None:
        assert_type(await self.ask(Counter, Count()), int)
        assert_type(await self.ask(make, Count(), timeout=1), int)
        assert_type(await self.ask(ref, Count()), int)
        assert_type(await self.ask("/counter", Count()), int)
        assert_type(await self.ask("/counter", "count"), Any)
        assert_type(await self.spawn(Counter), ActorRef[Count])
        await self.tell(Counter, Count())
        await self.tell(ref, Count())
        await self.tell("/counter", "count")
        await self.stop_self("now")
        await self.tell(Counter, "count")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        await self.ask(ref, "count")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        await self.stop_self("later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
