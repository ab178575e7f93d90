"""Do-blocks: what `yield from` answers, and what a block must declare."""

from __future__ import annotations

from typing import assert_type

from returns.result import Result
from vocabulary import (
    Declined,
    Fetch,
    Foreign,
    Get,
    Inc,
    NoStock,
    Pay,
    Reserve,
    counter,
    shop,
    store,
)

from effactor import AskFailed, Do, Program, fail, free_ask, free_stop, free_tell, program, pure


@program
def total(limit: int) -> Do[str, AskFailed | NoStock]:
    n = yield from free_ask(counter, Get())
    assert_type(n, int)
    sku = yield from free_ask(store, Fetch(str))
    assert_type(sku, str)
    left = yield from free_ask(shop, Reserve(sku))
    assert_type(left, int)
    yield from free_tell(counter, Inc(n))
    outcome = yield from free_ask(shop, Pay(left)).attempt()
    assert_type(outcome, Result[str, AskFailed | NoStock | Declined])
    if n > limit:
        return (yield from fail(NoStock(sku)))
    yield from free_stop(counter)
    return sku * n


assert_type(total(3), Program[str, AskFailed | NoStock])
assert_type(total(limit=3).map(len), Program[int, AskFailed | NoStock])
total("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@program
def nested() -> Do[str, AskFailed | NoStock]:
    text = yield from total(1)
    assert_type(text, str)
    other = yield from total(2).lash(lambda error: pure(repr(error)))
    return text + other


@program
def cannot_fail() -> Do[int]:
    answer = yield from pure(1)
    assert_type(answer, int)
    return answer


assert_type(cannot_fail(), Program[int])


@program
def caught() -> Do[int, AskFailed]:
    # A failure that is caught as an exception stays declared: types do not see `except`.
    try:
        return (yield from free_ask(counter, Get()))
    except AskFailed:
        return 0


@program
def undeclared() -> Do[int]:
    return (yield from free_ask(counter, Get()))  # type: ignore[misc]  # pyright: ignore[reportReturnType]


@program
def undeclared_of_message() -> Do[int, AskFailed]:
    return (yield from free_ask(shop, Reserve("tea")))  # type: ignore[misc]  # pyright: ignore[reportReturnType]


@program
def undeclared_fail() -> Do[int, AskFailed]:
    return (yield from fail(Declined()))  # type: ignore[misc]  # pyright: ignore[reportReturnType]


@program
def undeclared_of_block() -> Do[str, AskFailed]:
    return (yield from total(1))  # type: ignore[misc]  # pyright: ignore[reportReturnType]


@program
def forgot_from() -> Do[int, AskFailed]:
    yield free_ask(counter, Get())  # type: ignore[misc]  # pyright: ignore[reportReturnType]
    return 1


@program
def wrong_answer() -> Do[int, AskFailed]:
    return (yield from free_ask(store, Fetch(str)))  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


@program
def foreign() -> Do[None, AskFailed]:
    yield from free_ask(counter, Foreign())  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
    yield from free_tell(counter, Foreign())  # type: ignore[misc]  # pyright: ignore[reportArgumentType]


@program  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
def no_block() -> int:
    return 1


@program  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
async def coroutine() -> int:
    return 1


class Till:
    @program
    def takings(self, of: int) -> Do[int, AskFailed]:
        return of + (yield from free_ask(counter, Get()))


assert_type(Till().takings(1), Program[int, AskFailed])
