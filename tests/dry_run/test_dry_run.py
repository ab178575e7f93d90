"""The dry run: every operation is recorded and none is performed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from returns.result import Failure, Success
from typing_extensions import override

from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorSystem,
    AskFailed,
    Died,
    Do,
    Effect,
    FailedWith,
    Livelock,
    Message,
    MissingAnswer,
    Program,
    Succeeded,
    VirtualActorRegistry,
    VirtualId,
    catch,
    fail,
    free_ask,
    free_call,
    free_join,
    free_log,
    free_lookup,
    free_now,
    free_random,
    free_self,
    free_sleep,
    free_spawn,
    free_stop,
    free_tell,
    free_uuid,
    handle,
    perform,
    program,
    pure,
)
from effactor.traces.canonical import digest
from effactor.traces.record import Record
from effactor_interpreters.dry_run import recorder
from effactor_interpreters.dry_run.interpreter import dry_run


class NoStock(Exception):
    """Nothing on the shelf."""


@dataclass(frozen=True)
class Reserve(Message[int, NoStock]):
    sku: str


@dataclass(frozen=True)
class Items(Message[list[str]]):
    """Asks for a list."""


@dataclass(frozen=True)
class Release(Message[None]):
    number: int


@dataclass(frozen=True)
class Price(Effect[int]):
    sku: str


class Till(Actor[Any]):
    """Must never be made by a dry run."""

    def __init__(self, name: str = "") -> None:
        raise AssertionError(name)


def load(number: int) -> str:
    raise AssertionError(number)


def make_till() -> Till:
    raise AssertionError


SHELF: ActorRef[Any] = ActorRef.at("/inventory")
ME = "/shopping#1"


def kinds(records: tuple[Record, ...]) -> list[str]:
    return [r.kind for r in records]


def test_every_operation_is_recorded_in_order_with_its_answer() -> None:
    @program
    def shopping() -> Do[str, AskFailed | NoStock | ActorNotFound]:
        number = yield from free_ask(SHELF, Reserve("tea"), timeout=1.0)
        yield from free_tell(SHELF, Release(number))
        yield from free_sleep(1.5)
        yield from free_now()
        yield from free_random()
        yield from free_uuid()
        yield from free_uuid()
        till = yield from free_spawn(Till, "till")
        yield from free_stop(till, "now")
        yield from free_join(till)
        yield from free_lookup("/shop/office")
        me = yield from free_self()
        yield from free_log("info", "sold", number=number)
        text = yield from free_call(load, 42)
        return me.path + text

    r: Any = Record
    now = datetime(2000, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    expected = [
        r(1, "ask", ME, "/inventory", Reserve("tea")),
        r(2, "reply", "/inventory", ME, 0),
        r(3, "tell", ME, "/inventory", Release(0)),
        r(4, "sleep", ME, ME, 1.5),
        r(5, "now", ME, ME, now, 1.5),
        r(6, "random", ME, ME, 0.5, 1.5),
        r(7, "uuid", ME, ME, UUID("00000000-0000-4000-8000-000000000001"), 1.5),
        r(8, "uuid", ME, ME, UUID("00000000-0000-4000-8000-000000000002"), 1.5),
        r(9, "spawn", ME, "/till", Till, 1.5),
        r(10, "stop", ME, "/till", "now", 1.5),
        r(11, "join", ME, "/till", None, 1.5),
        r(12, "lookup", ME, "/shop/office", "/shop/office", 1.5),
        r(13, "self", ME, ME, None, 1.5),
        r(14, "log", ME, ME, free_log("info", "sold", number=0), 1.5),
        r(15, "call", ME, ME, free_call(load, 42), 1.5),
        r(16, "reply", ME, ME, "", 1.5),
        r(17, "end", ME, ME, Succeeded(ME), 1.5),
    ]
    trace = dry_run(shopping())
    assert list(trace) == expected
    assert trace.outcome == Succeeded(ME)


def test_a_dry_run_can_be_repeated() -> None:
    workflow = free_uuid().then(free_spawn(Till)).then(free_now())
    assert dry_run(workflow) == dry_run(workflow)
    assert digest(dry_run(workflow)) == digest(dry_run(workflow))


@pytest.mark.parametrize(
    ("factory", "paths"),
    [
        (Till, ["/Till#1", "/Till#2"]),
        (partial(Till, "x"), ["/Till#1", "/Till#2"]),
        (make_till, ["/Till#1", "/Till#2"]),
        (lambda: Till("x"), ["/Actor#1", "/Actor#2"]),
    ],
)
def test_a_spawned_actor_is_named_but_not_made(factory: Any, paths: list[str]) -> None:
    trace = dry_run(free_spawn(factory).then(free_spawn(factory)))
    assert [r.target for r in trace if r.kind == "spawn"] == paths
    assert trace.outcome == Succeeded(ActorRef[Any].at(paths[-1]))


def test_time_adds_up_exactly() -> None:
    workflow = free_sleep(0.1).then(free_sleep(0.2)).then(free_now())
    assert dry_run(workflow).records[2].time == 0.3
    assert dry_run(workflow).outcome == Succeeded(
        datetime(2000, 1, 1, 0, 0, 0, 300_000, tzinfo=UTC)
    )


@pytest.mark.parametrize("forever", [1e300, 1e18])
def test_a_very_long_sleep_is_no_problem(forever: float) -> None:
    trace = dry_run(free_sleep(forever))
    assert trace.records[-1].time == forever
    assert trace.outcome == Succeeded(None)


def test_what_the_program_does_with_an_answer_does_not_change_the_trace() -> None:
    @program
    def greedy() -> Do[list[str], AskFailed]:
        items = yield from free_ask(SHELF, Items())
        items.append("mine")
        return items

    stub = ["tea"]

    def items(_message: Items) -> list[str]:
        return stub

    assert dry_run(greedy()).records[1].subject == []
    assert dry_run(greedy(), answers={Items: items}).records[1].subject == ["tea"]


def test_a_failure_of_the_program_is_its_outcome() -> None:
    trace = dry_run(free_sleep(1).then(fail(NoStock("tea"))))
    assert isinstance(trace.outcome, FailedWith)
    assert trace.records[-1].kind == "end"
    assert trace.records[-1].subject is trace.outcome
    assert str(trace).endswith("fails with NoStock: tea   at 1 s")


def test_a_defect_of_the_program_is_its_outcome() -> None:
    trace = dry_run(pure(0).map(lambda n: 1 // n))
    assert isinstance(trace.outcome, Died)
    assert isinstance(trace.outcome.defect, ZeroDivisionError)


def test_finalisers_and_recoveries_are_followed() -> None:
    charge = free_ask(SHELF, Reserve("tea")).ensure(free_tell(SHELF, Release(1)))
    recovered = charge.pipe(catch(NoStock)(lambda _: free_log("info", "sold out")))
    trace = dry_run(recovered, answers={Reserve: NoStock("tea")})
    assert kinds(trace.records) == ["ask", "failure", "tell", "log", "end"]
    assert trace.outcome == Succeeded(None)


def test_records_know_the_named_programs_that_they_are_inside_of() -> None:
    @program
    def shopping() -> Do[None, AskFailed]:
        yield from free_sleep(1).then(free_sleep(2).named("inner")).named("outer")
        yield from free_sleep(3)
        yield from free_ask(SHELF, Reserve("tea")).named("failing").named("outer").attempt()
        yield from free_sleep(4).ensure(free_sleep(5).named("last")).named("outer")
        yield from pure(0).map(lambda n: 1 // n).named("dying").exit()
        yield from free_sleep(6)

    trace = dry_run(shopping(), answers={Reserve: NoStock("tea")})
    assert [r.within for r in trace if r.kind in {"sleep", "ask", "failure"}] == [
        ("outer",),
        ("outer", "inner"),
        (),
        ("outer", "failing"),
        ("outer", "failing"),
        ("outer",),
        ("outer", "last"),
        (),
    ]


def test_a_named_program_inside_thousands_of_others_keeps_the_outermost_names() -> None:
    @program
    def down(n: int) -> Do[None]:
        yield from free_sleep(1)
        if n:
            yield from down(n - 1).named(str(n))
        yield from free_sleep(1)

    trace = dry_run(down(2_000))
    names = tuple(str(n) for n in range(2_000, 2_000 - 32, -1))
    assert trace.records[2_000].within == names
    assert trace.records[-3].within == names[:1]
    assert trace.records[-2].within == ()


def test_effects_with_a_handler_are_handled_by_it() -> None:
    priced = handle(Price)(lambda effect: free_ask(SHELF, Reserve(effect.sku)))(
        perform(Price("tea"))
    )
    trace = dry_run(priced, answers={Reserve: 3, Price: 4})
    assert trace.outcome == Succeeded(3)
    assert kinds(trace.records) == ["ask", "reply", "end"]


def test_effects_without_a_handler_are_answered_like_messages() -> None:
    def price(effect: Price) -> int:
        return len(effect.sku)

    trace = dry_run(perform(Price("tea")), answers={Price: price})
    assert trace.outcome == Succeeded(3)
    assert [(r.kind, r.subject) for r in trace][:2] == [("perform", Price("tea")), ("reply", 3)]
    assert dry_run(perform(Price("tea"))).outcome == Succeeded(0)


def test_a_program_may_make_the_answer_of_an_effect() -> None:
    def priced(_effect: Price) -> Program[int]:
        return free_sleep(1).then(pure(7))

    trace = dry_run(perform(Price("tea")), answers={Price: priced})
    assert trace.outcome == Succeeded(7)
    assert kinds(trace.records) == ["perform", "sleep", "reply", "end"]


def test_long_programs_need_no_stack() -> None:
    chain: Program[int] = pure(0)
    for _ in range(300_000):
        chain = chain.map(lambda n: n + 1)
    assert dry_run(chain).outcome == Succeeded(300_000)


def test_a_program_may_do_as_many_operations_as_the_limit() -> None:
    @program
    def some(n: int) -> Do[None]:
        for _ in range(n):
            yield from free_sleep(1)

    assert len(dry_run(some(10_000))) == 10_001
    assert len(dry_run(some(3), limit=3)) == 4
    with pytest.raises(Livelock):
        dry_run(some(10_001))
    with pytest.raises(Livelock) as caught:
        dry_run(some(4), limit=3)
    assert caught.value.steps == 3
    assert caught.value.__notes__ == [
        "dry_run stops after limit=3 operations; give answers that end the loop, or a larger limit",
        "the last of 3 records:\n  sleep 1 s\n  sleep 1 s\n  sleep 1 s",
    ]


@program
def polling() -> Do[None, AskFailed | NoStock]:
    while True:
        try:
            yield from free_ask(SHELF, Reserve("tea"))
        except Exception:  # noqa: S110 - it must not stop the dry run from stopping
            pass


@pytest.mark.parametrize("answer", [1, NoStock("tea")])
def test_a_loop_ends_even_if_the_program_catches_everything(answer: object) -> None:
    with pytest.raises(Livelock) as caught:
        dry_run(polling(), answers={Reserve: answer}, limit=100)
    assert caught.value.busiest == ("/inventory",)


def test_a_loop_without_operations_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    @program
    def spinning() -> Do[None]:
        yield from free_sleep(1)
        while True:
            yield from pure(1)

    monkeypatch.setattr(recorder, "IDLE", 100_000)
    with pytest.raises(Livelock) as caught:
        dry_run(spinning())
    assert caught.value.busiest == ("/spinning#1",)


def test_a_program_that_thinks_between_operations_is_no_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @program
    def thinking() -> Do[int]:
        for _ in range(10):
            for _ in range(10_000):
                yield from pure(1)
            yield from free_sleep(1)
        return 1

    monkeypatch.setattr(recorder, "IDLE", 50_000)
    assert dry_run(thinking()).outcome == Succeeded(1)


def test_giving_up_closes_the_programs_blocks_and_performs_nothing_more() -> None:
    closed: list[str] = []

    @program
    def careful() -> Do[None, AskFailed]:
        try:
            yield from free_ask(SHELF, "no stub")
        finally:
            closed.append("closed")
            yield from free_sleep(1)

    with pytest.raises(MissingAnswer):
        dry_run(careful().ensure(free_sleep(1)))
    assert closed == ["closed"]


def test_attempts_have_results() -> None:
    ask = free_ask(SHELF, Reserve("tea")).attempt()
    assert dry_run(ask).outcome == Succeeded(Success(0))
    error = NoStock("tea")
    assert dry_run(ask, answers={Reserve: error}).outcome == Succeeded(Failure(error))


@pytest.mark.parametrize(
    ("wrong", "arguments", "words"),
    [
        (polling, {}, r"program must be a Program, got .* \(call it"),
        (None, {}, "program must be a Program, got None"),
        (pure(1), {"answers": [1]}, r"answers must map .* as in \{Look: 3\}; got \[1\]"),
        (pure(1), {"answers": {Reserve: int}}, "the answer to Reserve is the class int; give"),
        (pure(1), {"limit": 2.5}, "limit must be a number of operations, got 2.5"),
        (pure(1), {"limit": True}, "limit must be a number of operations, got True"),
    ],
)
def test_wrong_arguments_are_refused_with_advice(
    wrong: Any, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        dry_run(wrong, **arguments)


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="limit must be at least 1 operation, got 0"):
        dry_run(pure(1), limit=0)


@dataclass(frozen=True)
class Put(Message[list[str]]):
    number: int


class Cart(Actor[Put]):
    """A virtual actor."""

    @override
    def on_receive(self, message: Put) -> list[str]:
        raise AssertionError


def test_virtual_actors_are_asked_like_others_and_none_is_started() -> None:
    carts = VirtualActorRegistry(ActorSystem("shop"))

    @program
    def visit() -> Do[Any, Any]:
        yield from carts.free_tell(Cart, "ada", Put(1))
        items = yield from carts.free_ask(Cart, "eu/ada", Put(2))
        replies = yield from carts.free_ask_stream(Cart, "ada", Put(3))
        return items, (yield from replies.to_list())

    nothing: list[str] = []
    assert dry_run(visit()).outcome == Succeeded((nothing, nothing))
    trace = dry_run(visit(), answers={Put: ["tea"]})
    assert trace.outcome == Succeeded((["tea"], ["tea"]))
    told, asked, streamed = (record for record in trace.records if record.kind in {"tell", "ask"})
    path = VirtualId.of(Cart, "ada").path
    assert (told.kind, told.target, told.subject) == ("tell", path, Put(1))
    assert (asked.kind, asked.target) == ("ask", VirtualId.of(Cart, "eu/ada").path)
    assert (streamed.kind, streamed.target) == ("ask", path)
    assert not carts.active_count
