"""Streams of replies have the items' type; events have their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

from returns.maybe import Maybe

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    Message,
    Program,
    Replies,
    ReplyIterator,
    VirtualActorRegistry,
    free_ask_stream,
    handler,
    program,
    pure,
)
from effactor.events import Event, HandlerFailed, Replied
from effactor.interpreters import ActorSystem


class TornPage(Exception):
    """A failure that the message declares."""


@dataclass(frozen=True)
class Read(Message[list[str], TornPage]):
    """Its items are texts."""


@dataclass(frozen=True)
class Size(Message[int]):
    """Its reply is no list."""


class Book(Actor[Read | Size]):
    """A handler with a stream."""


async def refs(ref: ActorRef[Read | Size]) -> None:
    assert_type(ref.ask_stream(Read()), ReplyIterator[str])
    assert_type(ref.ask_stream(Size()), ReplyIterator[Any])
    async for page in ref.ask_stream(Read(), credits=1):
        assert_type(page, str)
    assert_type(await ref.ask(Read()), list[str])
    ref.ask_stream("no message of it")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


@program
def programs(ref: ActorRef[Read | Size]) -> Do[int, AskFailed | TornPage]:
    replies = yield from free_ask_stream(ref, Read())
    assert_type(replies, Replies[str, TornPage])
    taking: Program[Maybe[str], AskFailed | TornPage] = replies.next()
    assert_type((yield from taking), Maybe[str])
    assert_type((yield from replies.to_list()), list[str])
    yield from replies.close()
    return (yield from replies.for_each(lambda page: pure(len(page))))


async def virtual(books: VirtualActorRegistry) -> None:
    assert_type(VirtualActorRegistry.of(ActorSystem("library")), VirtualActorRegistry)
    assert_type(books.ask_stream(Book, "moby", Read()), ReplyIterator[str])
    assert_type(await books.ask(Book, "moby", Read()), list[str])


@program
def virtual_programs(books: VirtualActorRegistry) -> Do[int, AskFailed | TornPage]:
    reading: Program[list[str], AskFailed | TornPage] = books.free_ask(Book, "moby", Read())
    assert_type((yield from reading), list[str])
    streaming: Program[Replies[str, TornPage], AskFailed] = books.free_ask_stream(
        Book, "moby", Read(), credits=1
    )
    assert_type((yield from streaming), Replies[str, TornPage])
    other = yield from books.free_ask_stream(Book, "moby", Size())
    assert_type(other, Replies[Any, Any])
    return 0


class Reader(Actor[Size]):
    """Streams from a child."""

    @handler
    async def size(self, message: Size) -> int:
        assert_type(self.context.stream(Book, Read(), name="book"), ReplyIterator[str])
        assert_type(self.context.stream("/book", Read()), ReplyIterator[str])
        assert_type(self.context.stream("/book", 1), ReplyIterator[Any])
        return len([page async for page in self.context.stream(Book, Read())])


def listens(event: Event) -> None:
    assert_type(event.at, float)
    assert_type(event.target, str)
    match event:
        case Replied(reply=reply):
            assert_type(reply, Any)
            assert_type(event.parent, int | None)
        case HandlerFailed(error=error):
            assert_type(error, BaseException)
        case _:
            pass


def systems(system: ActorSystem) -> None:
    with system.events.subscribe(listens, Replied, HandlerFailed) as subscription:
        subscription.cancel()
    system.events.subscribe(listens, int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
