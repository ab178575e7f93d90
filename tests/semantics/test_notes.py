"""An error tells the path it took: blocks, operations, programs and actors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    Message,
    Program,
    fail,
    free_ask,
    free_call,
    free_sleep,
    handler,
    program,
    pure,
)
from effactor.interpreters import ActorSystem


@dataclass(frozen=True)
class Price(Message[int, KeyError]):
    text: str


@program
def parse(text: str) -> Do[int]:
    yield from free_sleep(1)
    return (yield from free_call(int, text))


async def parse_later(text: str) -> int:
    return int(text)


class Till(Actor[Price]):
    """Dies of what it cannot parse."""

    @handler
    def price(self, message: Price) -> Program[int]:
        if message.text == "declared":
            raise KeyError(message.text)
        return parse(message.text).named("pricing")


@program
def shop(till: ActorRef[Price], text: str) -> Do[int, AskFailed | KeyError]:
    yield from free_sleep(1)
    return (yield from free_ask(till, Price(text)))


@program
def mall(till: ActorRef[Price], text: str) -> Do[int, AskFailed | KeyError]:
    return (yield from shop(till, text))


def notes_of(
    world: World, make: Callable[[ActorSystem, ActorRef[Price]], Awaitable[Any]]
) -> list[str]:
    async def body(system: ActorSystem) -> BaseException:
        till = await system.spawn(Till, "till")
        with pytest.raises((ValueError, KeyError)) as caught:
            await make(system, till)
        return caught.value

    return getattr(world.run(body), "__notes__", [])


def test_a_handlers_exception_names_operation_program_actor_and_who_asked(world: World) -> None:
    notes = notes_of(world, lambda system, till: system.run_free(mall(till, "x")))
    assert notes[:3] == [
        "in /sim/till: call int('x')",
        "in 'pricing'",
        "in /sim/till: handling Price('x')",
    ]
    assert notes[3].startswith("asked for in\n")
    assert [line.rpartition(" in ")[2] for line in notes[3].splitlines()[1:]] == ["mall", "shop"]
    assert notes[4:] == []


def test_a_plain_ask_gets_the_handlers_notes(world: World) -> None:
    notes = notes_of(world, lambda _, till: till.ask(Price("x")))
    assert notes[-1] == "in /sim/till: handling Price('x')"


def test_a_declared_failure_is_left_as_it_is(world: World) -> None:
    assert notes_of(world, lambda system, till: system.run_free(mall(till, "declared"))) == []


def test_an_awaited_call_names_itself(world: World) -> None:
    notes = notes_of(world, lambda system, _: system.run_free(free_call(parse_later, "x")))
    assert notes == ["in /sim/call#1: call parse_later('x')"]


@dataclass(frozen=True)
class FrozenError(Exception):
    text: str


def test_a_frozen_exception_does_without_notes(world: World) -> None:
    def broken() -> None:
        raise FrozenError("x")

    async def body(system: ActorSystem) -> Any:
        with pytest.raises(FrozenError) as caught:
            await system.run_free(free_call(broken).named("n"))
        return caught.value

    assert not hasattr(world.run(body), "__notes__")


def test_a_function_that_raises_after_an_operation_is_not_blamed_on_it(world: World) -> None:
    notes = notes_of(world, lambda system, _: system.run_free(free_call(str, "x").map(int)))
    assert notes == []


@pytest.mark.parametrize("source", [pure(1), free_sleep(0)])
@pytest.mark.parametrize("how", ["bind", "map", "lash"])
def test_a_program_where_a_function_belongs_is_told_of_then(
    world: World, source: Any, how: str
) -> None:
    value = source.then(fail("x")) if how == "lash" else source
    broken = getattr(value, how)(pure(2))

    async def body(system: ActorSystem) -> BaseException:
        with pytest.raises(TypeError, match="not callable") as caught:
            await system.run_free(broken)
        return caught.value

    notes = getattr(world.run(body), "__notes__", [])
    assert [note for note in notes if "write then(program)" in note]
