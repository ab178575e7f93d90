"""Handlers: a reply of another type than the message declares is an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, assert_type

from typing_extensions import TypeVar, override
from vocabulary import Counter, Fetch, Foreign, Get, Inc, NoStock, Reserve, counter

from effactor import (
    Actor,
    ActorRef,
    ActorSystem,
    AskFailed,
    Do,
    Message,
    Program,
    fail,
    free_ask,
    free_lookup,
    free_self,
    free_spawn,
    handler,
    program,
    pure,
)
from effactor.errors import ActorNotFound

T = TypeVar("T")


class Right(Actor[Inc | Get | Reserve | Foreign | Fetch[int] | str]):
    @handler(Inc)
    def inc(self, message: Inc) -> None:
        assert_type(message, Inc)

    @handler(Get)
    async def get(self, message: Get) -> int:
        return 1

    @handler(Reserve)
    def reserve(self, message: Reserve) -> Program[int, NoStock]:
        return fail(NoStock(message.sku))

    @handler(Foreign)
    @program
    def foreign(self, message: Foreign) -> Do[str]:
        n = yield from pure(1)
        return str(n)

    @handler(Fetch)
    def fetch(self, message: Fetch[int]) -> int:
        return 1

    @handler(str)
    def text(self, message: str) -> int:
        return len(message)

    def calls(self) -> None:
        assert_type(self.inc(Inc()), None)
        assert_type(self.reserve(Reserve("tea")), Program[int, NoStock])
        assert_type(self.foreign(Foreign()), Program[str])
        assert_type(self.text(""), int)


class Bare(Actor[Inc | Get | Foreign]):
    @handler
    def both(self, message: Inc | Get) -> Any:
        return None

    @handler
    @program
    def foreign(self, message: Foreign) -> Do[str]:
        return (yield from pure(""))

    def calls(self) -> None:
        assert_type(self.foreign(Foreign()), Program[str])


class CatchAll(Actor[Inc | Get]):
    @override
    def on_receive(self, message: Inc | Get) -> int:
        return 1

    @override
    async def on_started(self) -> None:
        assert_type(self.context.parent, ActorRef[Any] | None)
        assert_type(await self.context.spawn(Counter), ActorRef[Inc | Get])
        assert_type(await self.context.run_free(free_ask(counter, Get())), int)

    @override
    def on_restart(self, error: BaseException) -> Program[None]:
        return pure(None)


class Wrong(Actor[Inc | Get | Reserve]):
    @handler(Get)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def plain(self, message: Get) -> str:
        return ""

    @handler(Get)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    async def coroutine(self, message: Get) -> str:
        return ""

    @handler(Get)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def returns_program(self, message: Get) -> Program[str]:
        return pure("")

    @handler(Get)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    @program
    def block(self, message: Get) -> Do[str]:
        return (yield from pure(""))

    @handler(Inc)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def not_none(self, message: Inc) -> int:
        return 1

    @handler(Reserve)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def undeclared_failure(self, message: Reserve) -> Program[int, AskFailed | NoStock]:
        return free_ask(counter, Get())

    @handler(Get)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def wrong_message(self, message: Inc) -> int:
        return 1

    @handler(str)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    def wrong_plain_message(self, message: bytes) -> int:
        return 1

    @handler(Get)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def takes_nothing(self) -> int:
        return 1

    @override
    def on_receive(self, message: Inc) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        pass


# Inheritance: an override keeps to the reply.
class Loud(Right):
    @override
    def inc(self, message: Inc) -> None:
        super().inc(message)

    @handler(Get)
    @override
    async def get(self, message: Get) -> int:
        return 2

    @override
    def text(self, message: str) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return message


# Generic messages and generic actors.
@dataclass(frozen=True)
class Put(Message[None], Generic[T]):
    value: T


@dataclass(frozen=True)
class Take(Message[T], Generic[T]):
    pass


class Box(Actor[Put[T] | Take[T]], Generic[T]):
    def __init__(self, content: T) -> None:
        self.content = content

    @handler
    def put(self, message: Put[T]) -> None:
        self.content = message.value

    @handler
    def take(self, message: Take[T]) -> T:
        return self.content


box: ActorRef[Put[int] | Take[int]] = ActorRef.at("/box")
assert_type(free_ask(box, Take[int]()), Program[int, AskFailed])
free_ask(box, Put("text"))  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]


# No type argument means Any.
class Untyped(Actor):
    @handler
    def any_text(self, message: str) -> int:
        return len(message)

    @override
    def on_receive(self, message: object) -> object:
        return message


class UntypedCatchAll(Actor):
    @override
    def on_receive(self, message):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # pyright: ignore[reportMissingParameterType]
        return 1


def takes_any(actor: Actor) -> Actor:
    return actor


takes_any(Counter())
takes_any(Untyped())

# Spawning.
assert_type(free_spawn(Counter), Program[ActorRef[Inc | Get]])
assert_type(free_spawn(Counter, "c"), Program[ActorRef[Inc | Get]])
assert_type(free_spawn(lambda: Counter(5), "c"), Program[ActorRef[Inc | Get]])
assert_type(free_spawn(lambda: Box(1)), Program[ActorRef[Put[int] | Take[int]]])
assert_type(free_spawn(Untyped), Program[ActorRef[Any]])
assert_type(free_spawn(CatchAll), Program[ActorRef[Inc | Get]])
as_counter: Program[ActorRef[Get]] = free_spawn(Counter)
free_spawn(Counter())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
free_spawn(int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
free_spawn(Counter, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def needs_argument(start: int) -> Counter:
    return Counter(start)


free_spawn(needs_argument)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@program
def workflow() -> Do[int, AskFailed | ActorNotFound]:
    ref = yield from free_spawn(Counter, "counter")
    assert_type(ref, ActorRef[Inc | Get])
    me = yield from free_self()
    assert_type(me, ActorRef[Any])
    found = yield from free_lookup("/shop")
    assert_type(found, ActorRef[Any])
    return (yield from ref.free_ask(Get()))


assert_type(free_lookup("/x"), Program[ActorRef[Any], ActorNotFound])


async def live() -> None:
    async with ActorSystem("bank") as system:
        assert_type(system, ActorSystem)
        ref = await system.spawn(Counter, "counter")
        assert_type(ref, ActorRef[Inc | Get])
        assert_type(await system.spawn(lambda: Counter(5)), ActorRef[Inc | Get])
        assert_type(await system.spawn(Untyped), ActorRef[Any])
        assert_type(await system.get_actor("/bank/counter"), ActorRef[Any])
        assert_type(await ref.ask(Get()), int)
        assert_type(await system.run_free(workflow()), int)
        await system.spawn(Counter())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await system.spawn(int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


factory: Callable[[], Actor[Get]] = Counter
