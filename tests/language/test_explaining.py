"""`explain` draws what can be seen of a program, whatever its size and its values."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import itemgetter
from typing import Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Deferred,
    Do,
    Effect,
    Message,
    Program,
    Queue,
    Semaphore,
    State,
    acquire_release,
    as_completed,
    at_least,
    bracket,
    catch,
    every,
    explain,
    fail,
    first_success,
    free_ask,
    free_call,
    free_log,
    free_sleep,
    free_spawn,
    free_tell,
    gather,
    handle,
    never,
    on,
    perform,
    program,
    provide,
    pure,
    race,
    scoped,
    service,
    traverse,
    zip_,
)
from effactor.programs.explaining import Explanation
from effactor.programs.operations import Operation

MILLION = 1_000_000
LEGEND = "\n\n⋯ known only when it runs; a dry run shows one way it may go"


@dataclass(frozen=True)
class Get(Message[int]):
    """A message of these tests."""


@dataclass(frozen=True)
class Charge(Message[str]):
    cents: int
    card: str = field(repr=False)


@dataclass(frozen=True)
class Sql(Effect[int]):
    text: str


@dataclass(frozen=True)
class Llm(Effect[str]):
    prompt: str


class Database:
    pass


class Clerk(Actor[Get]):
    @override
    def on_receive(self, message: Get) -> None: ...


class NoStock(Exception):
    pass


a: ActorRef[Any] = ActorRef.at("/a")
b: ActorRef[Any] = ActorRef.at("/b")
get = free_ask(a, Get())


def f(value: Any) -> Any:
    return value


def g(value: Any) -> Program[Any]:
    return pure(value)


def h(_extra: object, value: Any) -> Program[Any]:
    return pure(value)


@program
def audit(text: str, work: Program[int, Any], *, strict: bool) -> Do[int, Any]:
    yield from free_log("info", text)
    return (yield from work)


def place(function: Any) -> str:
    """Say where a function of this file is written."""
    function = getattr(function, "__wrapped__", function)
    return f"{__file__.rpartition('/')[2]}:{function.__code__.co_firstlineno}"


def tree(explanation: Explanation) -> str:
    """Leave out the places: they change with each line of this file."""
    return re.sub(r"   [a-z_]+\.py:\d+", "", explanation.to_text()).removesuffix(LEGEND)


def test_a_chain_is_a_flat_sequence_in_the_order_it_was_written() -> None:
    assert str(explain(get.map(f).bind(g).timeout(2))) == (
        f"""\
timeout 2 s
├─ ask /a Get()
├─ map f
└─ bind g ⋯   {place(g)}

⋯ known only when it runs; a dry run shows one way it may go"""
    )


def everything() -> Program[Any, Any, Any]:
    jobs = Queue[int](name="jobs")
    ready = Deferred[int](name="ready")
    permits = Semaphore(3, name="printers")
    visits = State("visits", 0)
    either: Program[Any, Any] = race(get.map(str), free_sleep(1).then(pure("late")), never())
    paid = catch(NoStock, AskFailed)(partial(h, 1))(
        free_ask(b, Charge(5, "4000"), timeout=2.5).tap(g)
    )
    pieces: list[Program[Any, Any, Any]] = [
        free_spawn(Clerk, "clerk").bind(g),
        either.named("the quick one"),
        paid.alt(f).lash(g).or_else(fail(NoStock("tea"))),
        zip_(get.attempt(), get.exit(), get.refine(OSError, KeyError)),
        gather([get, audit("x", get.map(f), strict=True)], 2, mode="collect"),
        traverse(range(1_000), g, concurrency=8),
        first_success(get, at_least(2, get, get, get)),
        as_completed([get, get]),
        bracket(get, g, lambda _it: free_log("info", "closed")),
        scoped(acquire_release(get, g).bind(g)).uninterruptible(),
        get.ensure(free_tell(a, "done").then(free_tell(b, "done"))).deadline(0.5),
        get.on_interrupt(free_tell(a, "stop")).fork().bind(lambda fiber: fiber.join()),
        permits.with_permits(2)(jobs.process(g)),
        jobs.put(1).then(ready.succeed(2)).then(visits.modify(f)),
        handle(on(Sql)(f), on(Llm)(g), provide(Database()))(
            perform(Sql("select 1")).then(perform(Llm("hello"))).then(service(Database))
        ),
        every(60, get.delayed(1).retry(3)).map(itemgetter(1)),
        free_call(f, 1, key=2).bind_result(f).apply(pure(f)),
    ]
    return reduce(Program.then, pieces)


EVERYTHING = """\
program
├─ spawn Clerk as 'clerk'
├─ bind g ⋯
"""


def test_every_node_is_seen() -> None:
    assert tree(explain(everything())) == EVERYTHING
