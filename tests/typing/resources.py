"""Resources: a finaliser cannot fail, and its effects are the whole's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never, assert_type

from vocabulary import Declined, Get, NoStock, Pay, Reserve, counter, shop

from effactor import (
    AskFailed,
    Do,
    Effect,
    Program,
    acquire_release,
    bracket,
    fail,
    free_ask,
    free_log,
    free_sleep,
    handle,
    never,
    perform,
    program,
    pure,
    scoped,
)


@dataclass(frozen=True)
class Open(Effect[int]):
    path: str


@dataclass(frozen=True)
class Close(Effect[None]):
    handle: int


get = free_ask(counter, Get())
reserve = free_ask(shop, Reserve("tea"))
log = free_log("info", "done")
opened = perform(Open("x"))


def close(handle_: int) -> Program[None, Never, Close]:
    return perform(Close(handle_))


def read(handle_: int) -> Program[str, NoStock]:
    return fail(NoStock("x")) if handle_ else pure("text")


def failing(_: int) -> Program[int, AskFailed]:
    return get


# ------------------------------------------------------------ ensure and on_interrupt

assert_type(get.ensure(log), Program[int, AskFailed])
assert_type(get.ensure(close(1)), Program[int, AskFailed, Close])
assert_type(opened.ensure(close(1)), Program[int, Never, Open | Close])
assert_type(get.on_interrupt(log), Program[int, AskFailed])
assert_type(opened.on_interrupt(close(1)), Program[int, Never, Open | Close])
assert_type(get.uninterruptible(), Program[int, AskFailed])
assert_type(opened.uninterruptible(), Program[int, Never, Open])

# A finaliser must not fail: recover in it.
get.ensure(get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get.on_interrupt(get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
assert_type(get.ensure(get.attempt()), Program[int, AskFailed])
assert_type(get.on_interrupt(get.or_else(pure(0))), Program[int, AskFailed])
get.ensure(close)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# ------------------------------------------------------------ bracket

assert_type(bracket(opened, read, close), Program[str, NoStock, Open | Close])
assert_type(bracket(reserve, lambda _: get, lambda _: log), Program[int, AskFailed | NoStock])
assert_type(bracket(pure(1), lambda n: pure(n + 1), lambda _: log), Program[int])
assert_type(
    bracket(free_ask(shop, Pay(1)), lambda _: reserve, lambda _: free_sleep(1)),
    Program[int, AskFailed | NoStock | Declined],
)
# The release must not fail, and both take the resource.
bracket(opened, read, failing)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
bracket(pure("x"), read, close)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
bracket(pure(1), read, log)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

# ------------------------------------------------------------ scopes

tea = acquire_release(opened, close)
assert_type(tea, Program[int, Never, Open | Close])
assert_type(scoped(tea.bind(read)), Program[str, NoStock, Open | Close])
assert_type(scoped(never()), Program[Never])
assert_type(acquire_release(get, lambda _: log), Program[int, AskFailed])
acquire_release(pure(1), failing)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
scoped(read)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@program
def work() -> Do[str, NoStock, Open | Close]:
    handle_ = yield from acquire_release(opened, close)
    assert_type(handle_, int)
    text = yield from bracket(pure(handle_), read, close)
    assert_type(text, str)
    return text


assert_type(scoped(work()), Program[str, NoStock, Open | Close])
# An effect of a release is handled with the others.
assert_type(handle(Close)(lambda _: None)(work()), Program[str, NoStock, Open])
