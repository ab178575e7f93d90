"""Handlers with guards, and handlers that are async generators, in every world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from returns.result import Success
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    HandlerFailed,
    Message,
    Program,
    Unhandled,
    free_ask,
    free_sleep,
    handler,
    program,
    stash,
    unstash_all,
)
from effactor.interpreters import ActorSystem, explore

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


class Odd(Exception):
    """An error of these tests."""


@dataclass(frozen=True)
class Deposit(Message[str, Odd]):
    amount: int


@dataclass(frozen=True)
class Items(Message[list[int]]):
    n: int


@dataclass(frozen=True)
class Open(Message[int]):
    pass


class Strict(Actor[Deposit | Open]):
    """Handles some amounts, each in another way, and is picky."""

    def __init__(self) -> None:
        self.open = False

    @override
    def on_restart(self, error: BaseException) -> None:
        log.append(f"restarted after {error!r}")

    @handler(Deposit, when=lambda _, message: 1 // message.amount == 1)
    def one(self, message: Deposit) -> str:
        return "def"

    @handler(Deposit, when=lambda _, message: message.amount == 2)
    async def two(self, message: Deposit) -> str:
        await asyncio.sleep(1)
        return "async def"

    @handler(Deposit, when=lambda _, message: message.amount == 3)
    @program
    def three(self, message: Deposit) -> Do[str, Odd]:
        yield from free_sleep(1)
        return "program"

    @handler(Deposit, when=lambda self, message: message.amount == 4 and not self.open)
    def four(self, message: Deposit) -> Program[str, Odd]:
        return stash()

    @handler(Deposit, when=lambda self, message: message.amount == 4)
    def open_four(self, message: Deposit) -> str:
        return "unstashed"

    @handler(Deposit, when=lambda _, message: message.amount == 5)
    def five(self, message: Deposit) -> str:
        raise Odd

    @handler
    def on_open(self, message: Open) -> Program[int]:
        self.open = True
        return unstash_all()


async def outcome(ask: Any) -> Any:
    try:
        return await ask
    except Exception as error:  # the outcome
        return error


def test_the_handler_whose_guard_holds_replies_whatever_it_is(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        strict = await system.spawn(Strict)
        asks = [asyncio.ensure_future(strict.ask(Deposit(n))) for n in (1, 2, 3, 4)]
        await asyncio.sleep(5)
        assert not asks[3].done()
        return await strict.ask(Open()), [await ask for ask in asks]

    assert world.run(body) == (1, ["def", "async def", "program", "unstashed"])


def test_where_no_guard_holds_an_ask_is_unhandled_and_the_actor_lives_on(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        strict = await system.spawn(Strict, "strict")
        error = await outcome(strict.ask(Deposit(9)))
        tried = await system.run_free(free_ask(strict, Deposit(9)).attempt())
        return error, tried, await strict.ask(Deposit(1))

    error, tried, after = world.run(body)
    assert after == "def"
    assert not log
    assert type(error) is Unhandled
    assert str(error) == "/sim/strict has no handler for Deposit; it handles Deposit, Open"
    assert type(tried.failure()) is Unhandled


def test_where_no_guard_holds_a_tell_is_a_dead_letter(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        strict = await system.spawn(Strict, "strict")
        await strict.tell(Deposit(9))
        await strict.ask(Deposit(1))
        return [(letter.message, letter.target) for letter in system.dead_letters]

    assert world.run(body) == [(Deposit(9), "/sim/strict")]
    assert not log


def test_a_handler_that_lets_anothers_unhandled_through_has_failed(world: World) -> None:
    class Teller(Actor[Deposit]):
        def __init__(self, bank: ActorRef[Any]) -> None:
            self.bank = bank

        @override
        def on_restart(self, error: BaseException) -> None:
            log.append("restarted")

        @handler
        async def deposit(self, message: Deposit) -> str:
            return str(await self.bank.ask(message))

    async def body(system: ActorSystem) -> Any:
        bank = await system.spawn(Strict, "strict")
        teller = await system.spawn(lambda: Teller(bank), "teller")
        tried = await system.run_free(free_ask(teller, Deposit(9)).attempt())
        return tried, await teller.ask(Deposit(1))

    tried, after = world.run(body)
    assert after == "def"
    assert log == ["restarted"]
    assert type(tried.failure()) is HandlerFailed
    assert type(tried.failure().cause) is Unhandled


def test_a_guard_that_raises_fails_as_the_handler_would(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        strict = await system.spawn(Strict, "strict")
        error = await outcome(strict.ask(Deposit(0)))
        return error, await strict.ask(Deposit(1))

    error, after = world.run(body)
    assert type(error) is ZeroDivisionError
    assert log == [f"restarted after {error!r}"]
    assert after == "def"


def test_a_declared_failure_of_a_guarded_handler_is_a_reply(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        strict = await system.spawn(Strict, "strict")
        tried = await system.run_free(free_ask(strict, Deposit(5)).attempt())
        return tried, await strict.ask(Deposit(1))

    tried, after = world.run(body)
    assert type(tried.failure()) is Odd
    assert after == "def"
    assert not log


# --- async generators


class Source(Actor[Items]):
    """Streams numbers, with pauses."""

    @handler(Items)
    async def items(self, message: Items) -> AsyncIterator[int]:
        try:
            for i in range(message.n):
                yield i
                await asyncio.sleep(1)
            if message.n == 3:
                raise Odd
        finally:
            await asyncio.sleep(0)
            log.append("closed")


def test_an_async_generator_replies_the_list_of_its_items(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        source = await system.spawn(Source)
        asked = await source.ask(Items(4))
        return asked, await system.run_free(free_ask(source, Items(2)).attempt())

    assert world.run(body) == ([0, 1, 2, 3], Success([0, 1]))
    assert log == ["closed", "closed"]


def test_an_async_generator_that_raises_fails(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        source = await system.spawn(Source)
        error = await outcome(source.ask(Items(3)))
        return type(error), await source.ask(Items(1))

    assert world.run(body) == (Odd, [0])


def test_an_async_generator_is_closed_when_its_actor_is_stopped_now(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        source = await system.spawn(Source)
        ask = asyncio.ensure_future(outcome(source.ask(Items(100))))
        await asyncio.sleep(2.5)
        assert not log
        await source.stop("now")
        await source.join()
        assert log == ["closed"]
        return isinstance(await ask, AskFailed)

    assert world.run(body)


def test_guards_hold_in_every_schedule() -> None:
    class Till(Actor[Deposit]):
        def __init__(self) -> None:
            self.sum = 0

        @handler(Deposit, when=lambda self, message: self.sum + message.amount > 10)
        def too_much(self, message: Deposit) -> str:
            return "full"

        @handler(Deposit)
        async def deposit(self, message: Deposit) -> str:
            before = self.sum
            await asyncio.sleep(0)
            self.sum = before + message.amount
            return "taken"

    def scenario(sim: Any) -> None:
        till = sim.spawn(Till, "till")
        sim.always(lambda: sim.actor(till).sum <= 10, reads=(till,), name="never more than ten")
        taken = sim.run_all([free_ask(till, Deposit(n)) for n in (4, 5, 6)])
        assert taken.count("taken") == 2
        assert sim.actor(till).sum in {9, 10}

    verdict = explore(scenario, schedules=200)
    assert verdict.ok, verdict
