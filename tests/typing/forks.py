"""Forks: to start one cannot fail; its failure is the joiner's, its effects the starter's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never, assert_type

from vocabulary import Get, NoStock, Reserve, counter, shop

from effactor import (
    AskFailed,
    Do,
    Effect,
    Exit,
    Fiber,
    Program,
    Timeout,
    as_completed,
    fail,
    free_ask,
    gather,
    handle,
    never,
    perform,
    program,
    pure,
    scoped,
)


@dataclass(frozen=True)
class Sql(Effect[list[str]]):
    text: str


get = free_ask(counter, Get())
reserve = free_ask(shop, Reserve("tea"))
query = perform(Sql("select 1"))

assert_type(pure(1).fork(), Program[Fiber[int, Never]])
assert_type(get.fork(), Program[Fiber[int, AskFailed]])
assert_type(query.fork(), Program[Fiber[list[str], Never], Never, Sql])
assert_type(fail(NoStock("x")).fork(), Program[Fiber[Never, NoStock]])
assert_type(never().fork(), Program[Fiber[Never, Never]])
assert_type(handle(Sql)(lambda _: ["x"])(query.fork()), Program[Fiber[list[str], Never]])


def use(fiber: Fiber[int, AskFailed]) -> None:
    assert_type(fiber.join(), Program[int, AskFailed])
    assert_type(fiber.wait(), Program[Exit[int, AskFailed]])
    assert_type(fiber.interrupt(), Program[Exit[int, AskFailed]])
    assert_type(fiber.name, str)
    assert_type(fiber.join().timeout(1), Program[int, AskFailed | Timeout])
    # A handle is as good as what it answers.
    wider: Fiber[object, Exception] = fiber
    del wider
    narrower: Fiber[bool, AskFailed] = fiber  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    del narrower
    fiber.result()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


assert_type(get.fork().bind(lambda fiber: fiber.join()), Program[int, AskFailed])
assert_type(scoped(reserve.fork()), Program[Fiber[int, AskFailed | NoStock]])


@program
def work() -> Do[int, AskFailed | NoStock, Sql]:
    one = yield from get.fork()
    assert_type(one, Fiber[int, AskFailed])
    two = yield from query.fork()
    assert_type((yield from two.join()), list[str])
    ended = yield from one.wait()
    assert_type(ended, Exit[int, AskFailed])
    both = yield from gather([one.join(), one.join()])
    assert_type(both, list[int])
    return both[0] + (yield from reserve)


@program
def undeclared() -> Do[int]:
    fiber = yield from get.fork()
    return (yield from fiber.join())  # type: ignore[misc]  # pyright: ignore[reportReturnType]


# ------------------------------------------------------------ results as they come

assert_type(as_completed([get, get]), Program[tuple[Program[int, AskFailed], ...]])
assert_type(as_completed([query]), Program[tuple[Program[list[str]], ...], Never, Sql])
assert_type(as_completed([pure(1)], 4), Program[tuple[Program[int], ...]])
assert_type(as_completed([pure(1)], concurrency=4), Program[tuple[Program[int], ...]])


@program
def results() -> Do[list[int], AskFailed]:
    answers: list[int] = []
    for following in (yield from as_completed([get, get])):
        answer = yield from following
        assert_type(answer, int)
        answers.append(answer)
    return answers


as_completed(get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
as_completed([1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
as_completed([get], "2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
