"""Schedules: what they can look at must be what a program fails with, or answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never, assert_type

from vocabulary import Declined, Get, NoStock, Pay, Reserve, counter, shop

from effactor import (
    AskFailed,
    Effect,
    Program,
    Schedule,
    every,
    exponential,
    fail,
    fixed,
    free_ask,
    perform,
    pure,
    recurs,
    spaced,
)


@dataclass(frozen=True)
class Sql(Effect[list[str]]):
    text: str


get = free_ask(counter, Get())
reserve = free_ask(shop, Reserve("tea"))
pay = free_ask(shop, Pay(1))
safe = pure(1)

assert_type(recurs(3), Schedule[object])
assert_type(exponential(0.1, 3, cap=10, jitter=1.0), Schedule[object])
assert_type(recurs(3) & spaced(1) | fixed(2), Schedule[object])
assert_type(recurs(3).then(spaced(1)).up_to(60), Schedule[object])
assert_type(recurs(3).delays(), list[float])
recurs("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
spaced(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
wrong = recurs(3) & 3  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]
wrong = recurs(3) | None  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]
recurs(3).then(3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


def is_tea(error: NoStock) -> bool:
    return error.sku == "tea"


def is_worth_it(error: AskFailed | NoStock) -> bool:
    return isinstance(error, NoStock)


def is_small(answer: int) -> bool:
    return answer < 3


def no_bool(answer: int) -> None:
    return None


# A predicate narrows what a schedule can look at, and so does combining with one.
assert_type(recurs(3).while_(is_tea), Schedule[NoStock])
assert_type(recurs(3).while_(is_tea).while_(is_worth_it), Schedule[NoStock])
assert_type(recurs(3).while_(is_worth_it).up_to(1), Schedule[AskFailed | NoStock])
assert_type(recurs(3).while_(is_tea) & spaced(1), Schedule[NoStock])
assert_type(spaced(1) & recurs(3).while_(is_tea), Schedule[NoStock])
assert_type(spaced(1) | recurs(3).while_(is_tea), Schedule[NoStock])
assert_type(spaced(1).then(recurs(3).while_(is_tea)), Schedule[NoStock])
assert_type(recurs(3).while_(is_tea).delays(inputs=[NoStock("tea")]), list[float])
recurs(3).while_(no_bool)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
recurs(3).while_(is_tea).delays(inputs=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]

# What looks at more is usable where less is given, and not the other way round.
wide: Schedule[NoStock] = recurs(3).while_(is_worth_it)
narrow: Schedule[AskFailed | NoStock] = recurs(3).while_(is_tea)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]

assert_type(reserve.retry(3), Program[int, AskFailed | NoStock])
assert_type(reserve.retry(exponential(1) & recurs(3)), Program[int, AskFailed | NoStock])
assert_type(reserve.retry(recurs(3).while_(is_worth_it)), Program[int, AskFailed | NoStock])
assert_type(
    reserve.retry(recurs(3).while_(lambda e: isinstance(e, NoStock))),
    Program[int, AskFailed | NoStock],
)
reserve.retry(recurs(3).while_(is_tea))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
reserve.retry(recurs(3).while_(is_small))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
reserve.retry("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
reserve.retry(2.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
assert_type(safe.retry(3), Program[int])
assert_type(safe.retry(recurs(3).while_(is_tea)), Program[int])
assert_type(fail(Declined()).retry(spaced(1)), Program[Never, Declined])

assert_type(get.repeat(3), Program[int, AskFailed])
assert_type(get.repeat(spaced(1).while_(is_small)), Program[int, AskFailed])
assert_type(get.repeat(spaced(1).while_(lambda n: n < 3)), Program[int, AskFailed])
assert_type(perform(Sql("q")).repeat(spaced(60)), Program[list[str], Never, Sql])
get.repeat(spaced(1).while_(is_tea))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pay.repeat(spaced(1).while_(is_small))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

assert_type(reserve.delayed(1), Program[int, AskFailed | NoStock])
assert_type(perform(Sql("q")).delayed(0.5), Program[list[str], Never, Sql])
get.delayed("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

assert_type(every(60, reserve), Program[Never, AskFailed | NoStock])
assert_type(every(60, perform(Sql("q"))), Program[Never, Never, Sql])
every(reserve, 60)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
