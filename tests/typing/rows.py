"""Effects: a handled one leaves the type; one that is left is an error where it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never, assert_type

from vocabulary import Declined, Get, NoStock, counter

from effactor import (
    ActorSystem,
    AskFailed,
    Do,
    Effect,
    Handling,
    Program,
    fail,
    free_ask,
    handle,
    on,
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
handle(Get)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]

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


# ---------------------------------------------------------------- several at once


@dataclass(frozen=True)
class Mail(Effect[None]):
    to: str


@dataclass(frozen=True)
class Flag(Effect[bool]):
    name: str


def on_clock(effect: Clock) -> float:
    return 1.0


def on_mail(effect: Mail) -> Program[None, Declined]:
    return fail(Declined())


def on_flag_by_clock(effect: Flag) -> Program[bool, Never, Clock]:
    return perform(Clock()).map(bool)


# Exactly the effects named leave the type, whatever the handlers' own programs do.
assert_type(on(Sql)(on_sql), Handling[Sql])
assert_type(on(Llm)(on_llm_by_sql), Handling[Llm, NoStock, Sql])
assert_type(handle(on(Sql)(on_sql), on(Llm)(on_llm)), Handling[Sql | Llm])
assert_type(handle(on(Sql)(on_sql), on(Llm)(on_llm))(both), Program[str, AskFailed])
assert_type(handle(on(Sql)(on_sql))(both), Program[str, AskFailed, Llm])
assert_type(both.pipe(handle(on(Sql)(on_sql), on(Llm)(on_llm))), Program[str, AskFailed])
assert_type(handle(on(Sql)(on_sql), on(Clock)(lambda _: 1.0))(three), Program[str, AskFailed, Llm])
assert_type(
    handle(on(Sql)(on_sql), on(Llm)(on_llm), on(Clock)(on_clock))(three), Program[str, AskFailed]
)
# A handler for an effect that the program never performs does no harm.
assert_type(
    handle(on(Sql)(on_sql), on(Llm)(on_llm), on(Mail)(on_mail))(both),
    Program[str, AskFailed | Declined],
)

# What the handlers' programs perform is not handled on their own level: it stays.
assert_type(
    handle(on(Sql)(on_sql), on(Llm)(on_llm_by_sql))(both), Program[str, AskFailed | NoStock, Sql]
)
assert_type(
    handle(on(Mail)(on_mail), on(Llm)(on_llm_by_sql)),
    Handling[Mail | Llm, Declined | NoStock, Sql],
)
assert_type(handle(on(Mail)(on_mail), on(Llm)(on_llm)), Handling[Mail | Llm, Declined])
assert_type(handle(on(Flag)(on_flag_by_clock), on(Sql)(on_sql)), Handling[Flag | Sql, Never, Clock])
assert_type(
    handle(on(Flag)(on_flag_by_clock), on(Llm)(on_llm_by_sql)),
    Handling[Flag | Llm, NoStock, Clock | Sql],
)
assert_type(
    handle(
        on(Sql)(on_sql),
        on(Llm)(on_llm_by_sql),
        on(Clock)(on_clock),
        on(Mail)(on_mail),
        on(Flag)(on_flag_by_clock),
    ),
    Handling[Sql | Llm | Clock | Mail | Flag, NoStock | Declined, Sql | Clock],
)
assert_type(
    handle(handle(on(Sql)(on_sql), on(Llm)(on_llm)), on(Clock)(on_clock))(three),
    Program[str, AskFailed],
)


@program
def five_effects() -> Do[None, AskFailed, Sql | Llm | Clock | Mail | Flag]:
    yield from three
    yield from perform(Mail("ada"))
    yield from perform(Flag("new"))


many = five_effects()
assert_type(many, Program[None, AskFailed, Sql | Llm | Clock | Mail | Flag])
four = handle(on(Sql)(on_sql), on(Llm)(on_llm), on(Clock)(on_clock), on(Mail)(on_mail))
assert_type(four, Handling[Sql | Llm | Clock | Mail, Declined])
assert_type(four(many), Program[None, AskFailed | Declined, Flag])
# Three are left: pyright is exact, mypy when it knows what to expect.
two_handled = handle(on(Sql)(on_sql), on(Llm)(on_llm))
assert_type(two_handled(many), Program[None, AskFailed, Clock | Mail | Flag])  # type: ignore[assert-type]
some: Program[None, AskFailed, Clock | Mail | Flag] = two_handled(many)
assert_type(
    handle(on(Clock)(on_clock), on(Mail)(on_mail))(some), Program[None, AskFailed | Declined, Flag]
)


@dataclass(frozen=True)
class One(Effect[int]):
    pass


@dataclass(frozen=True)
class Two(Effect[int]):
    pass


@dataclass(frozen=True)
class Three(Effect[int]):
    pass


eight = handle(
    on(Sql)(on_sql),
    on(Llm)(on_llm),
    on(Clock)(on_clock),
    on(Mail)(lambda _: None),
    on(Flag)(lambda _: True),
    on(One)(lambda _: 1),
    on(Two)(lambda _: 2),
    on(Three)(lambda _: 3),
)
assert_type(eight, Handling[Sql | Llm | Clock | Mail | Flag | One | Two | Three])
assert_type(eight(many), Program[None, AskFailed])

on(Sql)(wrong_answer)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
on(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
handle()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
handle(on(Sql))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
handle(Sql, Llm)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
handle(Sql, on(Llm)(on_llm))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
handle(on(Sql)(on_sql), both)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
run_free(four(many))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def later(effect: Sql) -> list[str]:
    return [effect.text]


on(Sql)(later)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]


def pass_on(effect: Sql) -> Program[list[str], Never, Sql]:
    return perform(effect) if effect.text else pure([])


assert_type(handle(Sql)(pass_on)(both), Program[str, AskFailed, Llm | Sql])
