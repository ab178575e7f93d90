"""What effects and services mean, in every world: levels, handlers' programs, failures."""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pytest
from returns.result import Failure, Result, Success
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    Died,
    Do,
    Effect,
    FailedWith,
    Message,
    Program,
    UnhandledEffect,
    fail,
    free_ask,
    free_call,
    free_sleep,
    gather,
    handle,
    handler,
    on,
    perform,
    program,
    provide,
    pure,
    service,
)
from effactor.interpreters import ActorSystem


@dataclass(frozen=True)
class Sql(Effect[list[str]]):
    query: str


@dataclass(frozen=True)
class Count(Effect[int]):
    of: str


@dataclass(frozen=True)
class Audit(Count):
    """A `Count` of a special kind."""


class Refused(Exception):
    """A failure of these tests."""


class Broken(Exception):
    """A defect of these tests."""


def run(world: World, value: Any) -> Any:
    async def body(system: ActorSystem) -> Any:
        return await system.run_free(value)

    return world.run(body)


@program
def both() -> Do[Any, Any, Any]:
    rows = yield from perform(Sql("rows"))
    count = yield from perform(Count("ab"))
    return rows, count


def rows(effect: Sql) -> list[str]:
    return [effect.query]


def length(effect: Count) -> int:
    return len(effect.of)


# ---------------------------------------------------------------- one level of several


def test_one_handle_answers_several_effects(world: World) -> None:
    assert run(world, handle(on(Sql)(rows), on(Count)(length))(both())) == (["rows"], 2)
    assert run(world, handle(on(Count)(length), on(Sql)(rows))(both())) == (["rows"], 2)


def test_handlers_of_one_level_do_not_see_each_others_effects(world: World) -> None:
    def count_rows(effect: Count) -> Any:
        return perform(Sql(effect.of)).map(len)

    level = handle(on(Sql)(rows), on(Count)(count_rows))
    with pytest.raises(UnhandledEffect) as caught:
        run(world, level(perform(Count("x"))))
    assert caught.value.effect == Sql("x")
    assert run(world, handle(Sql)(lambda _: ["outer"] * 7)(level(both()))) == (["rows"], 7)


def test_the_programs_own_effects_are_handled_again_after_a_handlers_program(world: World) -> None:
    level = handle(on(Sql)(rows), on(Count)(lambda _: free_sleep(1).then(pure(9))))
    assert run(world, level(perform(Count("x")).bind(lambda n: perform(Sql(str(n)))))) == ["9"]


def test_a_handler_passes_an_effect_on_by_performing_it(world: World) -> None:
    def only_short(effect: Sql) -> Any:
        return pure(["short"]) if len(effect.query) < 3 else perform(effect)

    inner = handle(Sql)(only_short)(perform(Sql("ab")).bind(lambda a: perform(Sql(a[0]))))
    assert run(world, handle(Sql)(lambda _: ["outer"])(inner)) == ["outer"]


def test_an_effect_of_a_subclass_goes_to_the_first_handler_that_fits(world: World) -> None:
    level = handle(on(Audit)(lambda _: -1), on(Count)(length))
    assert run(world, level(perform(Audit("abc")))) == -1
    assert run(world, level(perform(Count("abc")))) == 3
    assert run(world, handle(on(Sql)(rows), on(Count)(length))(perform(Audit("abc")))) == 3


# ---------------------------------------------------------------- how handlers end


def test_the_failure_of_a_handlers_program_is_the_failure_of_the_perform(world: World) -> None:
    @program
    def work() -> Do[Any, Any, Any]:
        try:
            yield from perform(Sql("x"))
        except Refused as refused:
            count = yield from perform(Count("abcd"))  # the handlers are in force again
            return refused.args, count
        return None

    level = handle(on(Sql)(lambda e: fail(Refused(e.query))), on(Count)(length))
    assert run(world, level(work())) == (("x",), 4)
    outcome = run(world, level(perform(Sql("y"))).exit())
    assert isinstance(outcome, FailedWith)


def test_what_a_handler_raises_is_a_defect_at_the_perform(world: World) -> None:
    def breaks(effect: Sql) -> list[str]:
        raise Broken(effect.query)

    @program
    def catches() -> Do[Any, Any, Any]:
        try:
            yield from perform(Sql("x"))
        except Broken as broken:
            return broken.args
        return None

    assert run(world, handle(Sql)(breaks)(catches())) == ("x",)
    outcome = run(world, handle(Sql)(breaks)(perform(Sql("y")).lash(lambda _: pure([]))).exit())
    assert isinstance(outcome, Died)
    assert isinstance(outcome.defect, Broken)


def test_the_traceback_of_a_broken_handler_leads_through_the_performing_blocks(
    world: World,
) -> None:
    def breaks(effect: Sql) -> list[str]:
        raise Broken(effect.query)

    @program
    def inner() -> Do[Any, Any, Any]:
        return (yield from perform(Sql("x")))

    @program
    def outer() -> Do[Any, Any, Any]:
        return (yield from inner())

    outcome = run(world, handle(Sql)(breaks)(outer()).exit())
    frames = [frame.name for frame in traceback.extract_tb(outcome.defect.__traceback__)]
    ours = [name for name in frames if name in {"outer", "inner", "breaks"}]
    assert ours == ["outer", "inner", "breaks"]


def test_a_handler_that_answers_with_a_coroutine_is_a_defect_that_says_what_to_do(
    world: World,
) -> None:
    async def later(_effect: Sql) -> list[str]:
        return []

    def hidden(effect: Sql) -> Any:  # `handle` cannot see that it is asynchronous
        return later(effect)

    value: Any = handle(Sql)(hidden)(perform(Sql("x")))
    with pytest.raises(TypeError, match=r"handler of Sql answered.*free_call\(function, effect\)"):
        run(world, value)


def test_an_asynchronous_function_answers_through_free_call(world: World) -> None:
    async def later(effect: Sql) -> list[str]:
        await asyncio.sleep(3)
        return [effect.query, "later"]

    value = handle(Sql)(lambda effect: free_call(later, effect))(perform(Sql("x")))
    assert run(world, value) == ["x", "later"]


@dataclass(frozen=True)
class Fetch(Message[list[str], Refused]):
    query: str


class Store(Actor[Fetch]):
    """Answers what it is asked, if that is not empty."""

    @handler
    async def fetch(self, message: Fetch) -> list[str]:
        await asyncio.sleep(1)
        if not message.query:
            raise Refused
        return [message.query, "stored"]


def test_an_actor_may_answer_an_effect(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        store = await system.spawn(Store)
        stored = handle(Sql)(lambda effect: free_ask(store, Fetch(effect.query)))
        found = await system.run_free(stored(perform(Sql("x"))))
        refused = await system.run_free(stored(perform(Sql(""))).attempt())
        return found, refused

    found, refused = world.run(body)
    assert found == ["x", "stored"]
    assert isinstance(refused.failure(), Refused)


def test_a_handler_is_in_force_in_the_finalisers_of_its_program(world: World) -> None:
    seen: list[str] = []
    value = fail(Refused()).ensure(perform(Sql("last")).map(seen.extend))
    assert isinstance(run(world, handle(Sql)(rows)(value).exit()), FailedWith)
    assert seen == ["last"]


# ---------------------------------------------------------------- services


class Database(ABC):
    @abstractmethod
    def rows(self) -> int: ...


class Memory(Database):
    def __init__(self, count: int = 0) -> None:
        self.count = count

    @override
    def rows(self) -> int:
        return self.count


class Mailer(Protocol):
    def send(self, to: str) -> str: ...


@runtime_checkable
class Clock(Protocol):
    def read(self) -> int: ...


class Everything:
    """A mailer and a clock."""

    def send(self, to: str) -> str:
        return f"to {to}"

    def read(self) -> int:
        return 12


def count() -> Program[int, Any, Any]:
    return service(Database).map(lambda database: database.rows())


def test_a_service_is_answered_by_what_was_provided(world: World) -> None:
    memory = Memory(3)
    assert run(world, provide(memory)(service(Memory))) is memory
    assert run(world, provide(Memory, memory)(service(Memory))) is memory


def test_an_instance_of_a_subclass_answers_for_the_base(world: World) -> None:
    assert run(world, provide(Memory(3))(count())) == 3
    assert run(world, provide(Memory, Memory(4))(count())) == 4
    assert run(world, provide(Database, Memory(5))(count())) == 5


def test_what_is_declared_as_the_base_does_not_answer_for_the_subclass(world: World) -> None:
    value = provide(Database, Memory(5))(service(Memory))
    with pytest.raises(UnhandledEffect):
        run(world, value)
    assert run(world, provide(Memory(6))(value)).count == 6


def test_the_nearest_provide_wins(world: World) -> None:
    @program
    def twice() -> Do[Any, Any, Any]:
        near = yield from provide(Memory(1))(count())
        far = yield from count()
        return near, far

    assert run(world, provide(Memory(2))(twice())) == (1, 2)


def test_a_nearer_provide_of_something_else_is_passed_by(world: World) -> None:
    @program
    def work() -> Do[Any, Any, Any]:
        database = yield from service(Database)
        clock = yield from service(Clock)
        return database.rows(), clock.read()

    everything = Everything()
    assert run(world, provide(Memory(2))(provide(everything)(work()))) == (2, 12)
    assert run(world, provide(everything)(provide(Memory(2))(work()))) == (2, 12)
    assert run(world, handle(provide(everything), provide(Memory(2)))(work())) == (2, 12)
    both = handle(provide(everything), on(Sql)(rows), provide(Memory(2)))
    assert run(world, both(work().then(perform(Sql("x"))))) == ["x"]


def test_a_service_that_nobody_provides_is_named(world: World) -> None:
    with pytest.raises(
        UnhandledEffect,
        match=r"nothing provides Database: wrap the program in provide\(Database, implementation\)",
    ):
        run(world, provide(Everything())(count()))


def test_a_protocol_is_provided_by_its_name_or_checked_at_run_time(world: World) -> None:
    everything = Everything()
    assert run(world, provide(everything)(service(Clock))) is everything
    assert run(world, provide(Mailer, everything)(service(Mailer))) is everything
    # Python cannot tell whether an object fits a protocol that is not `runtime_checkable`.
    with pytest.raises(UnhandledEffect, match="Mailer"):
        run(world, provide(everything)(service(Mailer)))


class Letters(Mailer):
    """Says itself that it is a mailer."""

    @override
    def send(self, to: str) -> str:
        return to


def test_an_implementation_that_inherits_from_a_protocol_answers_for_it(world: World) -> None:
    letters = Letters()
    assert run(world, provide(letters)(service(Mailer))) is letters
    assert run(world, provide(Letters, letters)(service(Mailer))) is letters


def test_a_handler_asks_for_its_services_further_out(world: World) -> None:
    counted = handle(Count)(lambda _: count())
    assert run(world, provide(Memory(7))(counted(perform(Count("x"))))) == 7
    with pytest.raises(UnhandledEffect):
        run(world, counted(provide(Memory(7))(perform(Count("x")))))


def test_services_are_there_after_waiting_and_after_failures(world: World) -> None:
    value = free_sleep(2).then(fail(Refused())).lash(lambda _: count())
    assert run(world, provide(Memory(8))(value)) == 8


# ---------------------------------------------------------------- in several branches


def test_branches_and_forks_have_the_handlers_of_where_they_begin(world: World) -> None:
    @program
    def work() -> Do[Any, Any, Any]:
        fiber = yield from free_sleep(2).then(perform(Count("abc"))).fork()
        found = yield from gather([free_sleep(1).then(perform(Sql("x"))), perform(Sql("y"))])
        # The fork goes on inside here, and still has the handlers of where it began.
        joined = yield from handle(Count)(lambda _: -1)(fiber.join())
        number = yield from count()
        return found, joined, number

    level = handle(on(Sql)(rows), on(Count)(length), provide(Memory(4)))
    assert run(world, level(work())) == ([["x"], ["y"]], 3, 4)


def test_a_branch_may_have_a_handler_of_its_own(world: World) -> None:
    @program
    def work() -> Do[Any, Any, Any]:
        own = handle(Sql)(lambda _: free_sleep(3).then(pure(["own"])))(perform(Sql("x")))
        return (yield from gather([own, free_sleep(1).then(perform(Sql("y"))), own]))

    assert run(world, handle(Sql)(rows)(work())) == [["own"], ["y"], ["own"]]


# ---------------------------------------------------------------- or_else, bind_result


def test_or_else_runs_the_other_program_after_a_failure_only(world: World) -> None:
    assert run(world, fail(Refused()).or_else(pure(2))) == 2
    assert run(world, pure(1).or_else(fail(Refused()))) == 1
    assert run(world, fail("a").or_else(fail("b")).attempt()) == Failure("b")
    broken = free_call(int, "x").or_else(pure(0))
    assert isinstance(run(world, broken.exit()), Died)


def test_bind_result_answers_or_fails_as_the_result_says(world: World) -> None:
    assert run(world, pure(2).bind_result(lambda n: Success(n * 2))) == 4
    assert run(world, pure(2).bind_result(lambda n: Failure(n)).attempt()) == Failure(2)  # noqa: PLW0108
    seen: list[int] = []

    def remember(n: int) -> Result[None, Any]:
        seen.append(n)
        return Success(None)

    failed = fail("no").bind_result(remember)
    assert run(world, failed.attempt()) == Failure("no")
    assert seen == []


def test_bind_result_of_something_else_is_a_defect(world: World) -> None:
    with pytest.raises(TypeError, match="bind_result: function must return a Success or Failure"):
        run(world, pure(2).bind_result(lambda n: n))  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
