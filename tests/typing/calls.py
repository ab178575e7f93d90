"""Operations on the outside world, and `await` on a program."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type
from uuid import UUID

from vocabulary import counter

from effactor import (
    Do,
    Program,
    free_call,
    free_join,
    free_log,
    free_now,
    free_random,
    free_sleep,
    free_stop,
    free_uuid,
    program,
    pure,
)


def price(sku: str, quantity: int = 1, *, gift: bool = False) -> float:
    return float(len(sku) * quantity)


async def fetch(url: str) -> bytes:
    return url.encode()


assert_type(free_call(price, "tea"), Program[float])
assert_type(free_call(price, "tea", quantity=2, gift=True), Program[float])
assert_type(free_call(fetch, "http://x"), Program[bytes])
assert_type(free_call(fetch, url="http://x"), Program[bytes])
assert_type(free_call(lambda: 1), Program[int])
assert_type(free_call(dict[str, int]), Program[dict[str, int]])
assert_type(free_call(fetch, "http://x").refine(OSError), Program[bytes, OSError])
free_call(price)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
free_call(price, 1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
free_call(price, "tea", colour=1)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
free_call(fetch, 1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
free_call(price("tea"))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]

assert_type(free_now(), Program[datetime])
assert_type(free_random(), Program[float])
assert_type(free_uuid(), Program[UUID])
assert_type(free_sleep(1), Program[None])
assert_type(free_log("info", "sold", sku="tea", n=1), Program[None])
assert_type(free_stop(counter, "now"), Program[None])
assert_type(free_join(counter), Program[None])
free_sleep("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
free_log("loud", "sold")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@program
def block() -> Do[UUID]:
    now = yield from free_now()
    assert_type(now, datetime)
    text = yield from free_call(fetch, "http://x")
    assert_type(text, bytes)
    return (yield from free_uuid())


async def awaited() -> Any:
    # Accepted by type checkers, refused when it runs: being awaitable lets mypy's
    # `unused-awaitable` report programs that are made and dropped.
    return await pure(1)
