"""Several at once and time limits: exact answers, failures and effects of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never, assert_type

from vocabulary import Declined, Get, NoStock, Pay, Reserve, counter, shop

from effactor import (
    AskFailed,
    BranchesFailed,
    Do,
    Effect,
    Exit,
    Fiber,
    Program,
    Quorum,
    Timeout,
    at_least,
    fail,
    first_success,
    free_ask,
    free_sleep,
    gather,
    handle,
    never,
    perform,
    program,
    pure,
    race,
    traverse,
    zip_,
)


@dataclass(frozen=True)
class Sql(Effect[list[str]]):
    text: str


@dataclass(frozen=True)
class Llm(Effect[str]):
    prompt: str


get = free_ask(counter, Get())
reserve = free_ask(shop, Reserve("tea"))
pay = free_ask(shop, Pay(1))
rows = perform(Sql("select 1"))
text = perform(Llm("?"))
one, two, three = pure(1), pure("two"), pure(3.0)
yes, data, nothing = pure(True), pure(b"5"), pure(None)
items, kinds = pure([1]), pure({"x"})

# ------------------------------------------------------------ zip_

assert_type(zip_(one), Program[tuple[int]])
assert_type(zip_(one, two), Program[tuple[int, str]])
assert_type(zip_(one, two, three), Program[tuple[int, str, float]])
assert_type(zip_(one, two, three, yes), Program[tuple[int, str, float, bool]])
assert_type(zip_(one, two, three, yes, data), Program[tuple[int, str, float, bool, bytes]])
assert_type(
    zip_(one, two, three, yes, data, nothing),
    Program[tuple[int, str, float, bool, bytes, None]],
)
assert_type(
    zip_(one, two, three, yes, data, nothing, items),
    Program[tuple[int, str, float, bool, bytes, None, list[int]]],
)
assert_type(
    zip_(one, two, three, yes, data, nothing, items, kinds),
    Program[tuple[int, str, float, bool, bytes, None, list[int], set[str]]],
)
# From nine on all answer the same.
assert_type(
    zip_(one, one, one, one, one, one, one, one, one),
    Program[tuple[int, ...]],
)
assert_type(zip_(*[get, get]), Program[tuple[int, ...], AskFailed])
assert_type(
    zip_(get, reserve, pay),
    Program[tuple[int, int, str], AskFailed | NoStock | Declined],
)
assert_type(zip_(get, rows, text), Program[tuple[int, list[str], str], AskFailed, Sql | Llm])
assert_type(zip_(fail(NoStock("x")), one), Program[tuple[Never, int], NoStock])

# ------------------------------------------------------------ gather, traverse

assert_type(gather([one, one]), Program[list[int]])
assert_type(gather([get, get]), Program[list[int], AskFailed])
assert_type(gather((get for _ in range(3)), 2), Program[list[int], AskFailed])
assert_type(gather([reserve], concurrency=None), Program[list[int], AskFailed | NoStock])
assert_type(gather([rows, rows]), Program[list[list[str]], Never, Sql])
assert_type(gather([get], mode="fail_fast"), Program[list[int], AskFailed])
assert_type(gather([get], mode="collect"), Program[list[Exit[int, AskFailed]]])
assert_type(
    gather([pay], 2, mode="collect"), Program[list[Exit[str, AskFailed | NoStock | Declined]]]
)
assert_type(gather([rows], mode="collect"), Program[list[Exit[list[str], Never]], Never, Sql])


def charge(cents: int) -> Program[str, AskFailed | Declined]:
    return fail(Declined()) if cents < 0 else free_ask(counter, Get()).map(str)


def generate(prompt: str) -> Program[str, NoStock, Llm]:
    return perform(Llm(prompt)) if prompt else fail(NoStock(prompt))


assert_type(traverse([1, 2], charge), Program[list[str], AskFailed | Declined])
assert_type(traverse({1: "one"}, charge, 3), Program[list[str], AskFailed | Declined])
assert_type(traverse("abc", generate), Program[list[str], NoStock, Llm])
assert_type(traverse([1], lambda n: pure(n > 0)), Program[list[bool]])
assert_type(traverse([1], charge, mode="collect"), Program[list[Exit[str, AskFailed | Declined]]])
assert_type(
    traverse(["a"], generate, 2, mode="collect"), Program[list[Exit[str, NoStock]], Never, Llm]
)

# ------------------------------------------------------------ races

assert_type(race(one), Program[int])
assert_type(race(one, two), Program[int | str])
assert_type(race(one, two, three), Program[int | str | float])
assert_type(race(one, two, three, yes), Program[int | str | float | bool])
assert_type(race(one, two, three, yes, data), Program[int | str | float | bool | bytes])
assert_type(
    race(one, two, three, yes, data, nothing),
    Program[int | str | float | bool | bytes | None],
)
assert_type(
    race(one, two, three, yes, data, nothing, items),
    Program[int | str | float | bool | bytes | None | list[int]],
)
assert_type(
    race(one, two, three, yes, data, nothing, items, kinds),
    Program[int | str | float | bool | bytes | None | list[int] | set[str]],
)
assert_type(race(*[get, get]), Program[int, AskFailed])
assert_type(race(get, reserve), Program[int, AskFailed | NoStock])
assert_type(
    race(get, pay, rows), Program[int | str | list[str], AskFailed | NoStock | Declined, Sql]
)
assert_type(race(get, free_sleep(1)), Program[int | None, AskFailed])
assert_type(never(), Program[Never])
assert_type(race(get, never()), Program[int, AskFailed])

assert_type(first_success(one), Program[int, BranchesFailed[Never]])
assert_type(
    first_success(get, pay), Program[int | str, BranchesFailed[AskFailed | NoStock | Declined]]
)
assert_type(
    first_success(get, reserve, rows),
    Program[int | list[str], BranchesFailed[AskFailed | NoStock], Sql],
)
assert_type(
    first_success(get, two, three, pay),
    Program[int | str | float, BranchesFailed[AskFailed | NoStock | Declined]],
)
assert_type(
    first_success(one, two, three, yes, get),
    Program[int | str | float | bool, BranchesFailed[AskFailed]],
)
assert_type(
    first_success(one, two, three, yes, data, get),
    Program[int | str | float | bool | bytes, BranchesFailed[AskFailed]],
)
assert_type(
    first_success(one, two, three, yes, data, nothing, get),
    Program[int | str | float | bool | bytes | None, BranchesFailed[AskFailed]],
)
assert_type(
    first_success(one, two, three, yes, data, nothing, items, rows),
    Program[
        int | str | float | bool | bytes | None | list[int] | list[str], BranchesFailed[Never], Sql
    ],
)
assert_type(first_success(*[reserve]), Program[int, BranchesFailed[AskFailed | NoStock]])

assert_type(at_least(1, get), Program[Quorum[int, AskFailed], BranchesFailed[AskFailed]])
assert_type(
    at_least(1, get, pay),
    Program[
        Quorum[int | str, AskFailed | NoStock | Declined],
        BranchesFailed[AskFailed | NoStock | Declined],
    ],
)
assert_type(
    at_least(2, get, reserve, rows),
    Program[Quorum[int | list[str], AskFailed | NoStock], BranchesFailed[AskFailed | NoStock], Sql],
)
assert_type(
    at_least(2, one, two, three, get),
    Program[Quorum[int | str | float, AskFailed], BranchesFailed[AskFailed]],
)
assert_type(
    at_least(2, one, two, three, yes, data, nothing, items, get),
    Program[
        Quorum[int | str | float | bool | bytes | None | list[int], AskFailed],
        BranchesFailed[AskFailed],
    ],
)
assert_type(at_least(2, *[get, get]), Program[Quorum[int, AskFailed], BranchesFailed[AskFailed]])

# ------------------------------------------------------------ time

assert_type(one.timeout(1), Program[int, Timeout])
assert_type(get.timeout(1), Program[int, AskFailed | Timeout])
assert_type(reserve.deadline(1), Program[int, AskFailed | NoStock | Timeout])
assert_type(rows.timeout(1), Program[list[str], Timeout, Sql])
assert_type(get.timeout(1).timeout(2), Program[int, AskFailed | Timeout])
assert_type(race(get, two).deadline(0.5), Program[int | str, AskFailed | Timeout])
assert_type(get.deadline(1).fork(), Program[Fiber[int, AskFailed | Timeout]])

# ------------------------------------------------------------ within each other, in blocks


def on_sql(effect: Sql) -> list[str]:
    return [effect.text]


assert_type(handle(Sql)(on_sql)(zip_(rows, get)), Program[tuple[list[str], int], AskFailed])
assert_type(
    zip_(race(get, two), gather([pay])),
    Program[tuple[int | str, list[str]], AskFailed | NoStock | Declined],
)


@program
def block() -> Do[str, AskFailed | Timeout | BranchesFailed[AskFailed], Llm]:
    number, words = yield from zip_(get, text)
    assert_type(number, int)
    assert_type(words, str)
    either = yield from race(get, two).timeout(1)
    assert_type(either, int | str)
    quorum = yield from at_least(1, get, one)
    assert_type(quorum.succeeded, tuple[int, ...])
    assert_type(quorum.failed, tuple[AskFailed, ...])
    return words


@program
def caught() -> Do[tuple[AskFailed, ...], AskFailed]:
    error = yield from first_success(get).map(lambda _: None).lash(pure)
    if error is None:
        return ()
    assert_type(error.failures, tuple[AskFailed, ...])
    return error.failures


@program
def undeclared_timeout() -> Do[int, AskFailed]:
    return (yield from get.timeout(1))  # type: ignore[misc]  # pyright: ignore[reportReturnType]


@program
def undeclared_failure() -> Do[list[int], AskFailed]:
    return (yield from gather([reserve]))  # type: ignore[misc]  # pyright: ignore[reportReturnType]


wrong: Program[tuple[int, str]] = zip_(one, one)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
swallowed: Program[int] = race(get, one)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
collected: Program[list[int]] = gather([get], mode="collect")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
zip_(1, one)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
race([one, two])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
gather(one, two)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
gather([one], mode="all")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
gather([one], "2")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
traverse(charge, [1])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
traverse(["a"], charge)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
traverse([1], str)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
at_least(one, two)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
first_success(one, 2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
one.timeout("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
one.deadline()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
