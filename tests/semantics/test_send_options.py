"""What a sender adds to a message arrives by every way of sending, in every world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    AskCancelled,
    BranchesFailed,
    CancellationToken,
    Envelope,
    Message,
    SendOptions,
    StopMode,
    free_ask,
    free_ask_stream,
    free_tell,
    handler,
)
from effactor.interpreters import ActorSystem, VirtualActorRegistry


@dataclass(frozen=True)
class Look(Message[Any]):
    """Its handler notes what it came with."""


@dataclass(frozen=True)
class Items(Message[list[Any]]):
    """The same, as a stream of one item."""


@dataclass(frozen=True)
class Send(Message[Any]):
    """Send by one way or another, from within."""

    ref: ActorRef[Any]
    way: str
    options: Any


seen: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    seen.clear()


def _note(envelope: Envelope) -> Any:
    seen.append((envelope.correlation_id, dict(envelope.headers), envelope.priority))
    return seen[-1]


class Looks(Actor[Look | Items]):
    @handler
    def look(self, message: Look) -> Any:
        return _note(self.context.message)

    @handler
    async def items(self, message: Items) -> AsyncIterator[Any]:
        yield _note(self.context.message)


class Once(Looks):
    """A child for one message."""

    @override
    def stop_policy(self) -> StopMode:
        return StopMode.ONE_TIME


async def _all(stream: Any) -> list[Any]:
    return [item async for item in stream]


# By an actor `a`, to a ref `r`.
INSIDE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "ref.ask": lambda a, r, o: r.ask(Look(), options=o),
    "ref.tell": lambda a, r, o: r.tell(Look(), options=o),
    "ref.ask_stream": lambda a, r, o: _all(r.ask_stream(Items(), options=o)),
    "system.ask": lambda a, r, o: a.context.system.ask(r, Look(), options=o),
    "system.ask, path": lambda a, r, o: a.context.system.ask(r.path, Look(), options=o),
    "system.tell": lambda a, r, o: a.context.system.tell(r, Look(), options=o),
    "system.tell, path": lambda a, r, o: a.context.system.tell(r.path, Look(), options=o),
    "self.ask": lambda a, r, o: a.ask(r, Look(), options=o),
    "self.ask, path": lambda a, r, o: a.ask(r.path, Look(), options=o),
    "self.ask, child": lambda a, r, o: a.ask(Looks, Look(), options=o),
    "self.tell": lambda a, r, o: a.tell(r, Look(), options=o),
    "self.tell, child": lambda a, r, o: a.tell(Once, Look(), options=o),
    "context.ask": lambda a, r, o: a.context.ask(r, Look(), options=o),
    "context.ask, path": lambda a, r, o: a.context.ask(r.path, Look(), options=o),
    "context.ask, child": lambda a, r, o: a.context.ask(Looks, Look(), options=o),
    "context.tell": lambda a, r, o: a.context.tell(r, Look(), options=o),
    "context.tell, child": lambda a, r, o: a.context.tell(Once, Look(), options=o),
    "context.sequence": lambda a, r, o: a.context.sequence([(r, Look())], options=o),
    "context.traverse": lambda a, r, o: a.context.traverse([Look()], Looks, options=o),
    "context.race": lambda a, r, o: a.context.race([(r.path, Look())], options=o),
    "context.zip": lambda a, r, o: a.context.zip((r, Look()), (Looks, Look()), options=o),
    "context.stream": lambda a, r, o: _all(a.context.stream(r, Items(), options=o)),
    "context.stream, child": lambda a, r, o: _all(a.context.stream(Looks, Items(), options=o)),
    "free_ask": lambda a, r, o: a.context.run_free(free_ask(r, Look(), options=o)),
    "free_tell": lambda a, r, o: a.context.run_free(free_tell(r, Look(), options=o)),
    "free_ask_stream": lambda a, r, o: a.context.run_free(
        free_ask_stream(r, Items(), options=o).bind(lambda replies: replies.to_list())
    ),
    "registry.ask": lambda a, r, o: _registry(a).ask(Looks, "v", Look(), options=o),
    "registry.tell": lambda a, r, o: _registry(a).tell(Looks, "v", Look(), options=o),
}


def _registry(actor: Any) -> VirtualActorRegistry:
    system = actor.context.system
    return system.virtual_actors or VirtualActorRegistry(system)


class Sends(Actor[Send]):
    @handler
    async def send(self, message: Send) -> Any:
        return await INSIDE[message.way](self, message.ref, message.options)


@pytest.mark.parametrize("way", INSIDE)
def test_options_arrive_by_every_way_of_sending(world: World, way: str) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Looks, "looks")
        sends = await system.spawn(Sends, "sends")
        options = SendOptions(correlation_id="c", headers={"locale": "de"}, priority=5)
        await sends.ask(Send(ref, way, options))
        await asyncio.sleep(1)
        assert seen == [("c", {"locale": "de"}, 5)] * (2 if way == "context.zip" else 1)

    world.run(body)


@pytest.mark.parametrize("way", INSIDE)
def test_what_are_no_options_is_refused_by_every_way_of_sending(world: World, way: str) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Looks, "looks")
        sends = await system.spawn(Sends, "sends")
        with pytest.raises(TypeError, match=r"options must be SendOptions\(\.\.\.\), got 5"):
            await sends.ask(Send(ref, way, 5))
        await asyncio.sleep(1)
        assert seen == []
        children = [path for path in system.actors() if path.startswith("/sends/")]
        assert children == []

    world.run(body)


SEVERAL = ["context.sequence", "context.traverse", "context.race", "context.zip"]


@pytest.mark.parametrize("way", SEVERAL)
def test_several_messages_cannot_have_one_id(world: World, way: str) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Looks, "looks")
        sends = await system.spawn(Sends, "sends")
        with pytest.raises(ValueError, match=r"id names one message.*correlation_id"):
            await sends.ask(Send(ref, way, SendOptions(id="order-1")))
        assert seen == []

    world.run(body)


class Slow(Actor[Look | Items]):
    """Does not reply for long."""

    @handler
    async def look(self, message: Look) -> Any:
        await asyncio.sleep(1000)

    @handler
    async def items(self, message: Items) -> AsyncIterator[Any]:
        await asyncio.sleep(1000)
        yield 1


CANCELLED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "system.ask": lambda a, r, o: a.context.system.ask(r, Look(), options=o),
    "self.ask": lambda a, r, o: a.ask(Slow, Look(), options=o),
    "context.ask": lambda a, r, o: a.context.ask(r, Look(), options=o),
    "context.sequence": lambda a, r, o: a.context.sequence(
        [(r, Look()), (Slow, Look())], options=o
    ),
    "context.race": lambda a, r, o: a.context.race([(r, Look()), (Slow, Look())], options=o),
    "context.stream": lambda a, r, o: _all(a.context.stream(Slow, Items(), options=o)),
}


@pytest.mark.parametrize("way", CANCELLED)
def test_a_token_takes_back_what_the_context_asks(world: World, way: str) -> None:
    class Asks(Actor[Send]):
        @handler
        async def send(self, message: Send) -> Any:
            try:
                await CANCELLED[message.way](self, message.ref, message.options)
            except AskCancelled:
                return AskCancelled, list(self.context.children)
            except BranchesFailed:
                return BranchesFailed, list(self.context.children)

    async def body(system: ActorSystem) -> None:
        slow = await system.spawn(Slow, "slow")
        asks = await system.spawn(Asks, "asks")
        token = CancellationToken()
        asked = asks.ask_nowait(Send(slow, way, SendOptions(cancellation=token)))
        await asyncio.sleep(5)
        token.cancel()
        expected = BranchesFailed if way == "context.race" else AskCancelled
        assert await asked == (expected, [])

    world.run(body)
