"""Handlers and services as values, what they refuse and how they say it; conversions."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import pytest
from returns.converters import result_to_maybe
from returns.io import IOFailure, IOResult, IOSuccess
from returns.maybe import Maybe, Nothing, Some
from returns.result import Failure, Result, Success

from effactor import (
    Effect,
    MissingAnswer,
    Needs,
    Program,
    Succeeded,
    UnhandledEffect,
    fail,
    free_call,
    from_io_result,
    from_maybe,
    from_result,
    handle,
    on,
    perform,
    provide,
    pure,
    run_free,
    service,
)
from effactor.interpreters import dry_run


@dataclass(frozen=True)
class Sql(Effect[list[str]]):
    query: str


@dataclass(frozen=True)
class Count(Effect[int]):
    of: str


@dataclass(frozen=True)
class Audit(Count):
    """A `Count` of a special kind."""


def rows(effect: Sql) -> list[str]:
    return [effect.query]


def length(effect: Count) -> int:
    return len(effect.of)


def answer_all(need: Needs[Any]) -> Any:
    return need.service()


async def later(effect: Sql) -> list[str]:
    return [effect.query]


class LaterObject:
    async def __call__(self, effect: Sql) -> list[str]:
        return [effect.query]


@dataclass(frozen=True)
class Memory:
    count: int = 0


@dataclass(frozen=True)
class Large(Memory):
    """A `Memory` of a special kind."""


class Port(Protocol):
    """Not checkable at run time."""

    @property
    def count(self) -> int: ...


# ---------------------------------------------------------------- handle and on


def test_handlers_are_values() -> None:
    one = handle(on(Sql)(rows), on(Count)(length))
    same = handle(on(Sql)(rows), on(Count)(length))
    assert one == same
    assert hash(one) == hash(same)
    assert one != handle(on(Count)(length), on(Sql)(rows))
    assert pickle.loads(pickle.dumps(one)) == one
    assert on(Sql)(rows) == handle(Sql)(rows) == handle(on(Sql)(rows))
    assert one(perform(Sql("x"))) == same(perform(Sql("x")))
    handled = one(perform(Sql("x")))
    assert run_free(pickle.loads(pickle.dumps(handled))) == ["x"]


def test_handlers_may_be_joined_step_by_step() -> None:
    joined = handle(handle(on(Sql)(rows)), on(Count)(length))
    assert joined == handle(on(Sql)(rows), on(Count)(length))


def untyped(function: Any, *args: Any) -> Any:
    """Call a function as code without types does."""
    return function(*args)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: untyped(handle), "handle: name at least one effect, as in handle(Sql)"),
        (
            lambda: untyped(handle, on(Sql)(rows), on(Sql)(rows)),
            "handle: Sql is handled twice; keep one of them, or nest two handle(...)",
        ),
        (
            lambda: untyped(handle, on(Count)(length), on(Audit)(length)),
            "handle: on(Audit) would never get an effect, because on(Count) before it gets",
        ),
        (
            lambda: untyped(handle, on(Sql)),
            "handle: entry 1, for Sql, has no function: write on(Sql)(function)",
        ),
        (
            lambda: untyped(handle, on(Sql)(rows), on(Count)),
            "handle: entry 2, for Count, has no function: write on(Count)(function)",
        ),
        (
            lambda: untyped(handle, Sql, on(Count)(length)),
            "handle: entry 1 is the class Sql: with several entries write handle(on(Sql)(function)",
        ),
        (
            lambda: untyped(handle, on(Count)(length), Sql),
            "handle: entry 2 is the class Sql",
        ),
        (
            lambda: untyped(handle, on(Sql)(rows), pure(1)),
            "handle: entry 2 is a program, which comes in a call of its own: write handle(on(",
        ),
        (
            lambda: untyped(handle, on(Sql)(rows), rows),
            "handle: entry 2 must be on(Effect)(function), got <function rows",
        ),
        (lambda: untyped(handle, 3), "handle: effect must be a subclass of Effect, got 3"),
        (
            lambda: untyped(on, Sql("x")),
            "on: effect must be a subclass of Effect, got Sql(query='x') (name its class)",
        ),
        (lambda: untyped(on(Sql), 3), "on: function must map a Sql to its answer, got 3"),
        (lambda: untyped(on(Sql), pure([])), "on: function must map a Sql to its answer, got Pure"),
        (lambda: untyped(handle(Sql), 3), "handle: function must map a Sql to its answer, got 3"),
        (
            lambda: untyped(handle(on(Sql)(rows)), 3),
            "handle: program must be a Program, got 3",
        ),
    ],
)
def test_mistakes_are_refused_before_anything_runs(build: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        build()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("function", [later, partial(later), LaterObject()])
def test_an_asynchronous_handler_is_refused_with_advice(function: Any) -> None:
    for entry in (handle(Sql), on(Sql)):
        with pytest.raises(TypeError, match=r"for Sql is asynchronous.*free_call\(.*, effect\)"):
            untyped(entry, function)
    advised = handle(Sql)(lambda effect: free_call(later, effect))
    assert isinstance(advised(perform(Sql("x"))), Program)


# ---------------------------------------------------------------- services


def test_requests_and_providers_are_values() -> None:
    assert service(Memory) == service(Memory)
    assert service(Memory) != service(Large)
    assert hash(service(Memory)) == hash(service(Memory))
    need: Needs[Memory] = Needs(Memory)
    assert repr(need) == "Needs(Memory)"
    asked = pickle.loads(pickle.dumps(service(Memory)))
    assert asked == service(Memory)
    assert provide(Memory(1)) == provide(Memory(1))
    assert provide(Memory(1)) != provide(Memory(2))
    assert provide(Memory(1)) != provide(Memory, Memory(1))
    provided = pickle.loads(pickle.dumps(provide(Memory(1))(asked)))
    assert run_free(provided) == Memory(1)


def test_the_first_of_one_level_that_fits_answers() -> None:
    level = handle(provide(Memory, Memory(1)), provide(Large(2)))
    any_memory, large = service(Memory), service(Large)
    assert run_free(level(any_memory)) == Memory(1)
    assert run_free(level(large)) == Large(2)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: untyped(service, Memory()),
            "service: service must be a class, got Memory(count=0",
        ),
        (
            lambda: untyped(service, list[int]),
            "service: service must be a class, got list[int]",
        ),
        (
            lambda: untyped(provide, Memory),
            "provide: got the class Memory: give an instance, or provide(service, Memory) if",
        ),
        (
            lambda: untyped(provide, pure(Memory())),
            "provide: the implementation must be a value, got the program Pure(",
        ),
        (
            lambda: untyped(provide, Memory, fail(Memory())),
            "provide: the implementation must be a value, got the program Fail(",
        ),
        (
            lambda: untyped(provide, Large, Memory()),
            "provide: implementation must be an instance of Large, got Memory(count=0)",
        ),
        (
            lambda: untyped(provide, "Memory", Memory()),
            "provide: service must be a class, got 'Memory'",
        ),
        (lambda: untyped(provide), "provide: one implementation, or a class and its implementat"),
        (
            lambda: untyped(provide, 1, 2, 3),
            "provide: one implementation, or a class and its implementation, got 3 arguments",
        ),
        (
            lambda: handle(provide(Memory(1)), provide(Memory(2))),
            "handle: the Memory would never be used, because provide(Memory) before it answers",
        ),
        (
            lambda: handle(provide(Large(1)), on(Sql)(rows), provide(Memory, Memory())),
            "handle: the Memory would never be used, because provide(Large)",
        ),
        (
            lambda: untyped(handle, on(Needs)(answer_all), provide(Memory())),
            "handle: Needs is handled twice",
        ),
        (
            lambda: untyped(handle, provide(Memory()), on(Needs)(answer_all)),
            "handle: Needs is handled twice; keep one of them",
        ),
    ],
)
def test_mistakes_with_services_are_refused_before_anything_runs(build: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        build()
    assert str(caught.value).startswith(message)


def test_whether_an_implementation_fits_a_protocol_is_left_to_the_type_checkers() -> None:
    asked = service(Port)
    assert run_free(provide(Port, Memory(3))(asked)).count == 3


def test_a_function_may_answer_every_request() -> None:
    parts: dict[Any, Any] = {Memory: Memory(1), int: 5}

    def part(need: Needs[Any]) -> Any:
        return parts[need.service]

    both = service(Memory).bind(lambda memory: service(int).map(lambda n: memory.count + n))
    assert run_free(handle(Needs)(part)(both)) == 6
    assert run_free(both, {Needs: part}) == 6


def test_the_error_for_a_missing_service_names_it_and_survives_pickling() -> None:
    with pytest.raises(UnhandledEffect) as caught:
        untyped(run_free, service(Memory))
    said = "nothing provides Memory: wrap the program in provide(Memory, implementation)"
    assert str(caught.value) == said
    assert str(pickle.loads(pickle.dumps(caught.value))) == said


def test_the_dry_run_never_makes_a_service_up() -> None:
    with pytest.raises(MissingAnswer) as caught:
        dry_run(service(Memory))
    assert str(caught.value) == (
        "no answer for service(Memory): wrap the program in provide(Memory, implementation), or "
        "give dry_run(..., answers={service(Memory): pure(implementation)})"
    )
    counted = service(Memory).map(lambda memory: memory.count)
    assert dry_run(counted, answers={service(Memory): pure(Memory(4))}).outcome == Succeeded(4)
    assert dry_run(provide(Memory(5))(counted)).outcome == Succeeded(5)


def test_the_dry_run_records_only_requests_that_nobody_in_the_program_answers() -> None:
    answers = {service(Memory): pure(Memory(4))}
    trace = dry_run(provide(3)(service(Memory)), answers=answers)
    assert [record.kind for record in trace.records] == ["perform", "reply", "end"]
    assert [r.kind for r in dry_run(provide(Memory())(service(Memory))).records] == ["end"]


def test_the_dry_run_handles_several_effects_at_once() -> None:
    value = perform(Sql("ab")).bind(lambda found: perform(Count(found[0])))
    assert dry_run(handle(on(Sql)(rows), on(Count)(length))(value)).outcome == Succeeded(2)


# ---------------------------------------------------------------- methods and conversions


def double(n: int) -> Result[int, str]:
    return Success(n * 2)


def test_or_else_and_bind_result_are_values() -> None:
    built = pure(1).bind_result(double).or_else(pure(0))
    same = pure(1).bind_result(double).or_else(pure(0))
    assert built == same
    assert hash(built) == hash(same)
    assert built != pure(1).bind_result(double).or_else(pure(1))
    assert run_free(pickle.loads(pickle.dumps(built))) == 2


def test_or_else_and_bind_result_refuse_what_they_cannot_use() -> None:
    with pytest.raises(TypeError, match="or_else: other must be a Program, got 3"):
        untyped(pure(1).or_else, 3)
    with pytest.raises(TypeError, match="bind_result: function must be a function that returns"):
        untyped(pure(1).bind_result, Success(3))


def test_programs_of_maybes() -> None:
    assert from_maybe(Some(1)) == pure(1)
    assert from_maybe(Some(None)) == pure(None)
    nothing: Maybe[int] = Nothing
    assert from_maybe(nothing) == fail(None)
    assert from_maybe(nothing, "gone") == fail("gone")
    assert from_maybe(Some(1), "gone") == pure(1)


def test_programs_of_io_results_answer_what_is_known_already() -> None:
    good: IOResult[int, str] = IOSuccess(1)
    bad: IOResult[int, str] = IOFailure("no")
    assert from_io_result(good) == pure(1)
    assert from_io_result(bad) == fail("no")


def test_attempt_is_the_way_back() -> None:
    good: Program[int, str] = from_result(Success(1))
    bad: Program[int, str] = from_result(Failure("no"))
    assert run_free(good.attempt().map(result_to_maybe)) == Some(1)
    assert run_free(bad.attempt().map(result_to_maybe)) == Nothing
    assert run_free(good.attempt().map(IOResult.from_result)) == IOSuccess(1)
    assert run_free(bad.attempt().map(IOResult.from_result)) == IOFailure("no")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: untyped(from_result, 3), "from_result: result must be a Success or Failure of"),
        (lambda: untyped(from_maybe, 3), "from_maybe: maybe must be a Some or Nothing of returns"),
        (lambda: untyped(from_maybe, None), "from_maybe: maybe must be a Some or Nothing"),
        (
            lambda: untyped(from_io_result, Success(1)),
            "from_io_result: io_result must be an IOSuccess or IOFailure of returns, got <Success",
        ),
    ],
)
def test_conversions_refuse_other_values(build: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        build()
    assert str(caught.value).startswith(message)
