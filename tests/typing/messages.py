"""Messages of every kind: dataclass, attrs, pydantic, NamedTuple, plain classes, builtins."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, assert_type

import attrs
from pydantic import BaseModel
from typing_extensions import TypeVar
from vocabulary import Get, NoStock, Reserve, anyone

from effactor import Actor, ActorRef, AskFailed, Message, Program, free_ask, handler

T = TypeVar("T")


@attrs.frozen
class Look(Message[int, NoStock]):
    sku: str


class Order(BaseModel, Message[int]):
    sku: str
    quantity: int = 1


class Wanted(BaseModel, Message[T], Generic[T]):
    of: T


class Point(NamedTuple):
    x: int
    y: int


class Plain:
    pass


# A subclass of a message declares what its base does.
class Urgent(Reserve):
    pass


# A generic family of messages, and one with its arguments given.
class Query(Message[T, NoStock], Generic[T]):
    pass


class Stock(Query[int]):
    pass


Kinds = Look | Order | Wanted[str] | Point | Plain | Urgent | Stock | str | bytes | int | None
mixed: ActorRef[Kinds] = ActorRef.at("/mixed")

assert_type(free_ask(mixed, Look("tea")), Program[int, AskFailed | NoStock])
assert_type(free_ask(mixed, Order(sku="tea")), Program[int, AskFailed])
assert_type(free_ask(mixed, Wanted(of="tea")), Program[str, AskFailed])
assert_type(free_ask(mixed, Urgent("tea")), Program[int, AskFailed | NoStock])
assert_type(free_ask(mixed, Stock()), Program[int, AskFailed | NoStock])
assert_type(free_ask(mixed, Point(1, 2)), Program[Any, AskFailed])
assert_type(free_ask(mixed, Plain()), Program[Any, AskFailed])
assert_type(free_ask(mixed, "hello"), Program[Any, AskFailed])
assert_type(free_ask(mixed, b"hello"), Program[Any, AskFailed])
assert_type(free_ask(mixed, 1), Program[Any, AskFailed])
assert_type(free_ask(mixed, None), Program[Any, AskFailed])
assert_type(mixed.free_ask("hello"), Program[Any, AskFailed])
assert_type(free_ask(anyone, Order(sku="tea")), Program[int, AskFailed])
Order(sku=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Look()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
free_ask(mixed, 1.5)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
free_ask(mixed, Get())  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]

# The example that the seed's users know.
shouted = free_ask(anyone, "hello").map(str.upper).flatMap(lambda s: free_ask(anyone, s))
assert_type(shouted, Program[Any, AskFailed])


class Shop(Actor[Look | Order | Point | str | None]):
    @handler(Look)
    def look(self, message: Look) -> int:
        return 1

    @handler(Order)
    async def order(self, message: Order) -> int:
        return message.quantity

    @handler
    def point(self, message: Point) -> int:
        return message.x

    @handler(str)
    def text(self, message: str) -> str:
        return message

    @handler
    def nothing(self, message: None) -> None:
        pass

    @handler(Order)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def wrong(self, message: Order) -> str:
        return message.sku


async def plain() -> None:
    assert_type(await mixed.ask(Look("tea")), int)
    assert_type(await mixed.ask(Order(sku="tea")), int)
    assert_type(await mixed.ask(Point(1, 2)), Any)
