"""The dry run's answers: which stub counts, and what it means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from effactor import (
    ActorNotFound,
    ActorRef,
    AskTimeout,
    Died,
    Effect,
    Failed,
    FailedWith,
    HandlerFailed,
    Message,
    MissingAnswer,
    Program,
    Succeeded,
    fail,
    free_ask,
    free_call,
    free_lookup,
    free_now,
    free_self,
    free_tell,
    perform,
    pure,
)
from effactor.programs import operations as ops
from effactor_interpreters.dry_run.interpreter import dry_run


class NoStock(Exception):
    """Nothing on the shelf."""


@dataclass(frozen=True)
class Busy:
    """A failure that is no exception."""

    queue: int


class Base(Message[int, NoStock | Busy]):
    """What both messages are."""

    __slots__ = ()


@dataclass(frozen=True)
class Reserve(Base):
    sku: str


@dataclass(frozen=True)
class Look(Base):
    sku: str


@dataclass
class Mutable(Message[int]):
    """Has no hash, so it is no key."""

    skus: list[str]


class Order:
    """Has no zero value."""


@dataclass(frozen=True)
class Fetch(Message[Order]):
    number: int


@dataclass(frozen=True)
class Price(Effect[Order]):
    sku: str


def load(number: int) -> Order:
    raise AssertionError(number)


def untyped(number: int) -> Any:
    raise AssertionError


SHELF: ActorRef[Any] = ActorRef.at("/inventory")
CELLAR: ActorRef[Any] = ActorRef.at("/cellar")
TEA = free_ask(SHELF, Reserve("tea"))


def answered(program: Program[Any, Any, Any], answers: dict[Any, Any]) -> Any:
    outcome = dry_run(program, answers=answers).outcome
    assert isinstance(outcome, Succeeded), outcome
    return outcome.value


def failed(program: Program[Any, Any, Any], answers: dict[Any, Any]) -> Any:
    outcome = dry_run(program, answers=answers).outcome
    assert isinstance(outcome, FailedWith), outcome
    return outcome.error


def died(program: Program[Any, Any, Any], answers: dict[Any, Any]) -> Any:
    outcome = dry_run(program, answers=answers).outcome
    assert isinstance(outcome, Died), outcome
    return outcome.defect


def test_the_nearest_stub_counts() -> None:
    # From the farthest to the nearest: each one added wins over all before it.
    answers: dict[Any, Any] = {}
    for answer, key in enumerate([ops.Ask, object, Base, Reserve, Reserve("tea"), TEA], 1):
        answers[key] = answer
        assert answered(TEA, answers) == answer
    assert answered(free_ask(CELLAR, Reserve("tea")), answers) == 5
    assert answered(free_ask(SHELF, Reserve("coffee")), answers) == 4
    assert answered(free_ask(SHELF, Look("tea")), answers) == 3


def test_a_function_gets_the_message() -> None:
    assert answered(TEA, {Base: using(lambda m: len(m.sku))}) == 3


def test_messages_without_a_hash_are_stubbed_by_type() -> None:
    assert answered(free_ask(SHELF, Mutable(["tea"])), {Mutable: 2}) == 2


def test_untyped_messages_are_stubbed_by_value_or_type() -> None:
    assert answered(free_ask(SHELF, "hello"), {"hello": "hi"}) == "hi"
    assert answered(free_ask(SHELF, "hello"), {str: using(lambda m: m.upper())}) == "HELLO"
    assert answered(free_ask(SHELF, "hello"), {str: None}) is None


def using(function: Callable[[Any], Any]) -> Any:
    """Let type checkers know what the lambda takes."""
    return function


def raising(error: BaseException) -> Any:
    def stub(_message: object) -> None:
        raise error

    return stub


def returning(answer: Any) -> Callable[[Any], Any]:
    return lambda _: answer


WAYS: dict[str, Callable[[Any], Any]] = {
    "given": lambda e: e,
    "raised": raising,
    "failed": fail,
    "returned": returning,
    "returned as a failure": lambda e: returning(fail(e)),
}

every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


@every_way
@pytest.mark.parametrize("error", [NoStock("tea"), AskTimeout("/inventory", "x", 1.0)])
def test_a_declared_error_is_the_failure_of_the_ask(way: Any, error: Exception) -> None:
    assert failed(TEA, {Reserve: way(error)}) is error


@every_way
def test_any_other_error_is_a_failed_handler(way: Any) -> None:
    error = KeyError("tea")
    found = failed(TEA, {Reserve: way(error)})
    assert isinstance(found, HandlerFailed)
    assert (found.target, found.message, found.cause) == ("/inventory", Reserve("tea"), error)


def test_a_failure_need_not_be_an_exception() -> None:
    assert failed(TEA, {Reserve: fail(Busy(3))}) == Busy(3)
    assert failed(TEA, {Reserve: raising(Failed(Busy(3)))}) == Busy(3)
    undeclared = failed(TEA, {Reserve: fail("busy")})
    assert isinstance(undeclared, HandlerFailed)
    assert isinstance(undeclared.cause, Failed)


def test_pure_is_an_answer_whatever_its_value() -> None:
    error = NoStock("tea")
    assert answered(TEA, {Reserve: pure(error)}) is error
    assert answered(TEA, {Reserve: pure(len)}) is len
    assert answered(TEA, {Reserve: pure(TEA)}) is TEA
    assert answered(TEA, {Reserve: returning(pure(int))}) is int


def same(number: int) -> int:
    return number


def test_a_call_is_stubbed_by_its_function_or_by_itself() -> None:
    order = Order()
    call = free_call(load, 42)
    assert answered(call, {load: order}) is order
    assert answered(call, {load: using(lambda number: number + 1)}) == 43
    assert answered(call, {load: 1, free_call(load, 42): 2}) == 2
    assert answered(free_call(load, number=42), {load: same}) == 42
    assert answered(call, {ops.Call: 5}) == 5


@every_way
def test_an_error_of_a_call_is_a_defect(way: Any) -> None:
    error = OSError("gone")
    call = free_call(load, 42)
    assert died(call, {load: way(error)}) is error
    assert failed(call.refine(OSError), {load: way(error)}) is error


def test_effects_are_stubbed_by_value_type_or_operation() -> None:
    tea = perform(Price("tea"))
    answers: dict[Any, Any] = {}
    for answer, key in enumerate([Effect, Price, Price("tea"), tea], 1):
        answers[key] = answer
        assert answered(tea, answers) == answer


def test_effects_may_fail_and_die() -> None:
    assert failed(perform(Price("tea")), {Price: fail("no price")}) == "no price"
    error = KeyError("tea")
    assert died(perform(Price("tea")), {Price: error}) is error


def test_any_operation_can_be_stubbed() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert answered(free_now(), {ops.Now: noon}) == noon
    assert answered(free_now(), {free_now(): returning(noon)}) == noon
    assert answered(free_self(), {ops.Self: SHELF}) == SHELF
    trace = dry_run(free_now(), answers={ops.Now: noon})
    assert [(r.kind, r.subject) for r in trace] == [
        ("now", None),
        ("reply", noon),
        ("end", Succeeded(noon)),
    ]


def test_a_lookup_can_fail() -> None:
    error = ActorNotFound("/office")
    lookup = free_lookup("/office")
    assert failed(lookup, {lookup: error}) is error
    assert failed(lookup, {ops.Lookup: fail(error)}) is error
    assert isinstance(died(lookup, {lookup: KeyError("x")}), KeyError)


def test_an_error_of_an_operation_that_cannot_fail_is_a_defect() -> None:
    error = KeyError("x")
    assert died(free_tell(SHELF, "x"), {ops.Tell: fail(error)}) is error
    assert isinstance(died(free_tell(SHELF, "x"), {ops.Tell: fail("x")}), Failed)


NO_ZERO = "which has no zero value"
SILENT = "does not declare what it answers"

MISSING: list[tuple[Program[Any, Any, Any], str, str, str]] = [
    (
        free_ask(SHELF, Fetch(1)),
        "ask /inventory Fetch(number=1)",
        f"Fetch answers Order, {NO_ZERO}",
        "Fetch",
    ),
    (free_ask(SHELF, "hello"), "ask /inventory 'hello'", f"str {SILENT}", "'hello'"),
    (free_call(load, 42), "call load(42)", f"load answers Order, {NO_ZERO}", "load"),
    (free_call(untyped, 42), "call untyped(42)", f"untyped {SILENT}", "untyped"),
    (
        perform(Price("tea")),
        "perform Price(sku='tea')",
        f"Price answers Order, {NO_ZERO}",
        "Price",
    ),
]


@pytest.mark.parametrize(("program", "operation", "why", "key"), MISSING)
def test_a_missing_answer_names_the_stub_to_add(
    program: Program[Any, Any, Any], operation: str, why: str, key: str
) -> None:
    with pytest.raises(MissingAnswer) as caught:
        dry_run(free_tell(SHELF, "first").then(program.exit()))
    assert caught.value.operation == operation
    assert caught.value.advice == f"{why}; give dry_run(..., answers={{{key}: ...}})"
    assert str(caught.value) == f"no answer for {operation}: {caught.value.advice}"
    assert "tell /inventory 'first'" in caught.value.__notes__[0]
    assert caught.value.__context__ is None


async def slow(_message: object) -> int:
    raise AssertionError


@pytest.mark.parametrize("called", [False, True])
def test_an_asynchronous_answer_is_refused(*, called: bool) -> None:
    stub = slow(1) if called else slow
    with pytest.raises(TypeError, match="is asynchronous, and a dry run never waits"):
        dry_run(TEA, answers={Reserve: stub})


def test_a_program_is_no_answer_to_a_message() -> None:
    with pytest.raises(TypeError, match="is a value, not the program"):
        dry_run(TEA.exit(), answers={Reserve: free_tell(SHELF, "x")})


def text() -> str:
    raise AssertionError


async def later() -> int:
    raise AssertionError


def soon() -> Awaitable[list[int]]:
    raise AssertionError


def lost() -> Elsewhere:  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable, reportUnknownParameterType]
    raise AssertionError


class Untyped(Effect):  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    """Does not say what it answers."""


@pytest.mark.parametrize("program", [free_call(lost), perform(Untyped())])  # pyright: ignore[reportUnknownArgumentType]
def test_what_cannot_be_known_needs_a_stub(program: Program[Any, Any, Any]) -> None:
    with pytest.raises(MissingAnswer, match="does not declare what it answers"):
        dry_run(program)


class Asking:
    def __call__(self) -> bool:
        raise AssertionError


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (text, ""),
        (later, 0),
        (soon, []),
        (Asking(), False),
        (dict, {}),
        (partial(text), ""),
        (Asking().__call__, False),
    ],
)
def test_a_call_answers_the_zero_of_its_annotation(function: Any, answer: object) -> None:
    assert answered(free_call(function), {}) == answer
