"""Guards, priorities and streams of handlers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Annotated, assert_type

from vocabulary import Get, Inc, NoStock, Reserve

from effactor import Actor, Do, Message, Priority, Program, fail, handler, program, pure


@dataclass(frozen=True)
class Items(Message[list[int]]):
    n: int


def is_large(self: Chosen, message: Inc) -> bool:
    return message.by > self.limit


class Chosen(Actor[Inc | Annotated[Get, Priority(1)] | Reserve | Items | str]):
    limit = 3

    @handler(Inc, when=lambda self, message: message.by > 10)
    def huge(self, message: Inc) -> None:
        assert_type(message, Inc)

    @handler(Inc, when=is_large, priority=3)
    async def large(self, message: Inc) -> None:
        assert_type(message, Inc)

    @handler(when=lambda self, message: bool(message.by))
    def some(self, message: Inc) -> None:
        assert_type(message, Inc)

    @handler(priority=-1)
    def inc(self, message: Annotated[Inc, Priority(-1)]) -> None:
        assert_type(message, Inc)

    @handler(Get, when=lambda _, message: message == Get())
    @program
    def get(self, message: Get) -> Do[int]:
        return (yield from pure(1))

    @handler(Reserve, priority=2)
    def reserve(self, message: Reserve) -> Program[int, NoStock]:
        return fail(NoStock(message.sku))

    @handler(str, when=lambda _, message: message.isupper())
    def text(self, message: str) -> int:
        return len(message)

    @handler(Items)
    async def items(self, message: Items) -> AsyncIterator[int]:
        for i in range(message.n):
            yield i

    def calls(self) -> None:
        assert_type(self.huge(Inc()), None)
        assert_type(self.some(Inc()), None)
        assert_type(self.get(Get()), Program[int])
        assert_type(self.reserve(Reserve("tea")), Program[int, NoStock])
        assert_type(self.text(""), int)
        assert_type(self.items(Items(1)), AsyncIterator[int])


class Bare(Actor[Items]):
    @handler
    async def items(self, message: Items) -> AsyncGenerator[int, None]:
        yield message.n

    def calls(self) -> None:
        assert_type(self.items(Items(1)), AsyncGenerator[int, None])


class Wrong(Actor[Inc | Get | Items | str]):
    @handler(Inc, when=lambda self, message: message.sku)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownLambdaType]
    def sku(self, message: Inc) -> None:
        pass

    @handler(Inc, when=lambda message: True)  # type: ignore[arg-type, misc]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def without_self(self, message: Inc) -> None:
        pass

    @handler(Get, when=is_large)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def anothers(self, message: Get) -> int:
        return 1

    @handler(Get, priority="high")  # type: ignore[call-overload, untyped-decorator]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def text_as_priority(self, message: Get) -> int:
        return 1

    @handler(Get, when=lambda self, message: True)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def wrong_reply(self, message: Get) -> str:
        return ""

    @handler(Items)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    async def wrong_items(self, message: Items) -> AsyncIterator[str]:
        yield ""

    @handler(Get)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    async def streams_no_list(self, message: Get) -> AsyncIterator[int]:
        yield 1

    @handler(Items, priority=1)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
    def one_item(self, message: Items) -> int:
        return 1


Priority("high")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
