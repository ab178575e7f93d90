"""Effects: a handled one leaves the type; one that is left is an error where it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never, assert_type

from vocabulary import Get, NoStock, counter

from effactor import (
    ActorSystem,
    AskFailed,
    Do,
    Effect,
    Program,
    fail,
    free_ask,
    handle,
    perform,
    program,
    pure,
    run_free,
)


@dataclass(frozen=True)
class Sql(Effect[list[str]]):
    text: str


@dataclass(frozen=True)
class Llm(Effect[str]):
    prompt: str


@dataclass(frozen=True)
class Clock(Effect[float]):
    pass


assert_type(perform(Sql("select 1")), Program[list[str], Never, Sql])
perform(Sql)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
perform(Get())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@program
def work(key: str) -> Do[str, AskFailed, Sql | Llm]:
    rows = yield from perform(Sql(key))
    assert_type(rows, list[str])
    n = yield from free_ask(counter, Get())
    out = yield from perform(Llm(rows[n]))
    assert_type(out, str)
    return out


@program
def undeclared_effect() -> Do[str, AskFailed, Sql]:
    return (yield from perform(Llm("?")))  # type: ignore[misc]  # pyright: ignore[reportReturnType]


both = work("k")
assert_type(both, Program[str, AskFailed, Sql | Llm])
assert_type(both.map(len), Program[int, AskFailed, Sql | Llm])
assert_type(both.lash(lambda e: perform(Clock()).map(str)), Program[str, Never, Sql | Llm | Clock])
assert_type(both.attempt().map(repr), Program[str, Never, Sql | Llm])
assert_type(both.ensure(perform(Clock())), Program[str, AskFailed, Sql | Llm | Clock])


def on_sql(effect: Sql) -> list[str]:
    return [effect.text]


def on_llm(effect: Llm) -> Program[str]:
    return pure(effect.prompt)


def on_llm_by_sql(effect: Llm) -> Program[str, NoStock, Sql]:
    return perform(Sql(effect.prompt)).bind(
        lambda rows: pure(rows[0]) if rows else fail(NoStock(""))
    )


one = handle(Sql)(on_sql)(both)
assert_type(one, Program[str, AskFailed, Llm])
two = handle(Llm)(on_llm)(one)
assert_type(two, Program[str, AskFailed])
assert_type(both.pipe(handle(Sql)(on_sql)).pipe(handle(Llm)(on_llm)), Program[str, AskFailed])
assert_type(handle(Llm)(on_llm_by_sql)(one), Program[str, AskFailed | NoStock, Sql])
assert_type(handle(Sql)(lambda effect: [effect.text])(both), Program[str, AskFailed, Llm])
assert_type(handle(Clock)(lambda _: 1.0)(two), Program[str, AskFailed])


# mypy joins what is left to its base class where two or more are left and it does not
# know what to expect; pyright is exact.
three = both.ensure(perform(Clock()))
left = handle(Clock)(lambda _: 1.0)(three)
assert_type(left, Program[str, AskFailed, Sql | Llm])  # type: ignore[assert-type]
expected: Program[str, AskFailed, Sql | Llm] = handle(Clock)(lambda _: 1.0)(three)
assert_type(handle(Sql)(on_sql)(expected), Program[str, AskFailed, Llm])


def wrong_answer(effect: Sql) -> int:
    return 1


def wrong_program(effect: Sql) -> Program[int]:
    return pure(1)


handle(Sql)(wrong_answer)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
handle(Sql)(wrong_program)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
handle(Sql)(on_llm)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
handle(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

assert_type(run_free(two), str)
run_free(both)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
run_free(one)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
assert_type(run_free(both, {Sql: on_sql, Llm: on_llm}), str)


async def live(system: ActorSystem) -> None:
    assert_type(await system.run_free(two), str)
    assert_type(await system.run_free(free_ask(counter, Get())), int)
    await system.run_free(both)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await system.run_free(one)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await system.run_free(work)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
