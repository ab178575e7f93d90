"""Asks, timers and states: the context of handlers that are no programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

from typing_extensions import override

from effactor import Actor, ActorRef, ActorSystem, Cancellable, Message, SendOptions, handler


@dataclass(frozen=True)
class Get(Message[int]): ...


@dataclass(frozen=True)
class Name(Message[str, ValueError]): ...


class Counter(Actor[Get | Name]):
    def __init__(self, start: int = 0) -> None:
        self.count = start

    @handler
    def get(self, message: Get) -> int:
        return self.count

    @handler
    async def name(self, message: Name) -> str:
        return "counter"


class Untyped(Actor):  # type: ignore[type-arg, unused-ignore]
    @override
    def on_receive(self, message: Any) -> Any:
        return message


counter: ActorRef[Get | Name] = ActorRef.at("/counter")


class Boss(Actor[Get]):
    @handler
    async def get(self, message: Get) -> int:
        context = self.context
        assert_type(await context.ask(Counter, Get()), int)
        assert_type(await context.ask(lambda: Counter(5), Name(), timeout=1, name="c"), str)
        assert_type(await context.ask(counter, Name(), options=SendOptions()), str)
        assert_type(await context.ask("/counter", Get(), timeout=1), int)
        assert_type(await context.ask("/counter", "hello"), Any)
        assert_type(await context.ask(Untyped, "hello"), Any)
        assert_type(await context.sequence([(Counter, Get()), (Counter, Get())]), list[int])
        assert_type(await context.sequence([(counter, Get()), (counter, Get())]), list[int])
        assert_type(await context.traverse([Get(), Get()], Counter, concurrency=2), list[int])
        assert_type(await context.traverse([Name()], counter, options=SendOptions()), list[str])
        assert_type(await context.traverse([Name()], "/counter"), list[str])
        assert_type(await context.race([(Counter, Get()), (Counter, Get())], timeout=1), int)
        assert_type(await context.zip((Counter, Get()), (counter, Name())), tuple[int, str])
        assert_type(await context.zip((Counter, Get()), ("/counter", Name())), tuple[int, str])
        assert_type(await context.zip((Untyped, 1), ("/counter", 2)), tuple[Any, Any])
        assert_type(context.schedule_once(1, Get()), Cancellable)
        assert_type(context.every(1, Get(), to=counter).cancel(), bool)
        await context.ask(Counter, "hello")  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
        context.every(1, "hello", counter)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
        return 1


async def states(system: ActorSystem) -> None:
    assert_type(await system.save_state(), dict[str, Any])
    await system.load_state(await system.save_state(), unknown="skip")
    await system.load_state({}, unknown="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
