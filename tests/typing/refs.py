"""Refs: what they receive, what they reply, and which ref is usable as which."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, assert_type

from vocabulary import (
    Declined,
    Fetch,
    Foreign,
    Get,
    Inc,
    NoStock,
    Pay,
    Reserve,
    anyone,
    counter,
    shop,
    store,
)

from effactor import ActorRef, AskFailed, Message, Program, free_ask, free_tell


class Command:
    pass


@dataclass(frozen=True)
class Read(Command, Message[int]):
    pass


@dataclass(frozen=True)
class Write(Command, Message[None, Declined]):
    value: int


cell: ActorRef[Command] = ActorRef.at("/cell")

# The function and the method say the same.
assert_type(free_ask(counter, Get()), Program[int, AskFailed])
assert_type(free_ask(counter, Get(), timeout=1.0), Program[int, AskFailed])
assert_type(counter.free_ask(Get()), Program[int, AskFailed])
assert_type(counter.free_ask(Inc(2), timeout=1), Program[None, AskFailed])
assert_type(free_ask(shop, Reserve("tea")), Program[int, AskFailed | NoStock])
assert_type(shop.free_ask(Pay(1)), Program[str, AskFailed | NoStock | Declined])
assert_type(counter.free_tell(Inc()), Program[None])
assert_type(counter.free_stop(), Program[None])
assert_type(counter.free_join(), Program[None])
maybe: Program[int | None, AskFailed] = free_ask(counter, Get())

# Generic messages.
assert_type(free_ask(store, Fetch(str)), Program[str, AskFailed])
assert_type(store.free_ask(Fetch(int)), Program[int, AskFailed])

# A family of classes instead of a union.
assert_type(free_ask(cell, Read()), Program[int, AskFailed])
assert_type(cell.free_ask(Write(1)), Program[None, AskFailed | Declined])

# Whoever receives more is usable where less is sent.
narrow: ActorRef[Get] = counter
one: ActorRef[Read] = cell
wide: ActorRef[Inc | Get | Foreign] = counter  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

# No type argument means Any: everything may be sent, declared replies are still known.
assert_type(anyone, ActorRef[Any])
assert_type(free_ask(anyone, Get()), Program[int, AskFailed])
assert_type(anyone.free_ask(Reserve("tea")), Program[int, AskFailed | NoStock])
assert_type(free_ask(anyone, "hello"), Program[Any, AskFailed])
assert_type(anyone.free_ask(7), Program[Any, AskFailed])
assert_type(free_tell(anyone, ("any", "thing")), Program[None])
assert_type(ActorRef.at("/x"), ActorRef[Any])


def any_ref(ref: ActorRef) -> ActorRef[Foreign]:
    return ref


# Foreign messages.
free_ask(counter, Foreign())  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
free_tell(counter, Foreign())  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
counter.free_ask(Foreign())  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
counter.free_tell(Foreign())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
free_ask(cell, Get())  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
free_ask(counter, Get)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
free_ask(counter, Get(), timeout="1")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
counter.free_stop("later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def plain() -> None:
    assert_type(await counter.ask(Get()), int)
    assert_type(await counter.ask(Inc(), timeout=1), None)
    assert_type(await store.ask(Fetch(str)), str)
    assert_type(await cell.ask(Read()), int)
    assert_type(await anyone.ask(Get()), int)
    assert_type(await anyone.ask("hello"), Any)
    await counter.tell(Inc())
    counter.tell_nowait(Inc())
    assert_type(counter.ask_nowait(Get()), Awaitable[int])
    assert_type(await counter.ask_nowait(Get(), timeout=1), int)
    await counter.stop("now")
    await counter.join()
    assert_type(counter.is_alive, bool)
    assert_type(counter.path, str)
    assert_type(counter.name, str)
    await counter.ask(Foreign())  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    await counter.tell(Foreign())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    counter.tell_nowait(Foreign())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    counter.ask_nowait(Foreign())  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
