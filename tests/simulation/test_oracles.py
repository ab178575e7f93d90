"""What scenarios may demand: each oracle fails what it must, and spares what it may not."""

# What a wrong call takes has no type, and neither has the lambda that makes it.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    Do,
    Message,
    free_ask,
    free_join,
    free_sleep,
    free_spawn,
    free_stop,
    free_tell,
    handler,
    program,
)
from effactor.consistency import models
from effactor.errors import Violation
from effactor.interpreters import explore, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.simulation import Simulation


@dataclass(frozen=True)
class Read(Message[int]):
    """Answer the value."""


@dataclass(frozen=True)
class Write(Message[None]):
    """Replace the value."""

    value: int


@dataclass(frozen=True)
class Break(Message[None]):
    """Raise."""


class Register(Actor[Read | Write | Break]):
    """One value."""

    def __init__(self) -> None:
        super().__init__()
        self.value: int = 0

    @handler
    def read(self, message: Read) -> int:
        return self.value

    @handler
    def write(self, message: Write) -> None:
        self.value = message.value

    @handler
    def fail(self, message: Break) -> None:
        raise ValueError(message)


Ref = ActorRef[Read | Write | Break]


def violation(scenario: Callable[[Simulation], Any], **options: Any) -> Violation:
    """Run a scenario that must break a property in some schedule."""
    verdict = explore(scenario, 300, **options)
    assert verdict.failure is not None, verdict
    error = verdict.failure.error
    assert isinstance(error, Violation), error
    return error


def written(sim: Simulation) -> Ref:
    return sim.spawn(Register, "register")


# ------------------------------------------------------------ eventually


def test_eventually_holds_if_it_was_true_for_one_moment() -> None:
    def scenario(sim: Simulation) -> None:
        ref = written(sim)
        sim.eventually(lambda: sim.actor(ref).value == 1, name="one")
        sim.run(free_ask(ref, Write(1)).then(free_ask(ref, Write(2))))

    assert explore(scenario, 100).ok


def test_eventually_fails_at_the_end() -> None:
    def scenario(sim: Simulation) -> None:
        ref = written(sim)
        sim.eventually(lambda: sim.actor(ref).value == 3, name="three")
        sim.run(free_ask(ref, Write(1)))

    assert str(violation(scenario)) == "'three' must become true, and was false to the end"


@pytest.mark.parametrize(("within", "ok"), [(4.0, False), (6.0, True)])
def test_eventually_may_have_a_deadline(within: float, ok: bool) -> None:
    def scenario(sim: Simulation) -> None:
        ref = written(sim)
        sim.eventually(lambda: sim.actor(ref).value == 1, within=within)
        sim.run(free_sleep(5.0).then(free_ask(ref, Write(1))))

    assert explore(scenario, 50, time="latency").ok is ok


# ------------------------------------------------------------ leads_to


@program
def pulse(ref: Ref, *values: int) -> Do[None, Any]:
    for value in values:
        yield from free_ask(ref, Write(value))
        yield from free_sleep(1.0)


@pytest.mark.parametrize(
    ("values", "within", "ok"),
    [
        ((1, 2, 1, 2), None, True),
        ((1, 2, 1), None, False),
        ((0, 0), None, True),
        ((1, 0, 0, 2), 3.5, True),
        ((1, 0, 0, 2), 2.5, False),
        ((1, 2, 1, 0, 0, 2), 2.5, False),
    ],
)
def test_leads_to(values: tuple[int, ...], within: float | None, ok: bool) -> None:
    def scenario(sim: Simulation) -> None:
        ref = written(sim)
        sim.leads_to(
            lambda: sim.actor(ref).value == 1,
            lambda: sim.actor(ref).value == 2,
            within=within,
            reads=(ref,),
            name="one, two",
        )
        sim.run(pulse(ref, *values))

    for strategy in ("portfolio", "dpor"):
        assert explore(scenario, 50, time="latency", strategy=strategy).ok is ok
    if not ok:
        assert "'one, two': what began with step" in str(violation(scenario, time="latency"))


# ------------------------------------------------------------ reachable and unreachable


def test_what_is_declared_reachable_must_be_reached_in_some_run() -> None:
    def scenario(sim: Simulation, values: tuple[int, ...]) -> None:
        ref = written(sim)
        reached = sim.reachable("the second write came first")
        sim.run_all([free_ask(ref, Write(value)) for value in values])
        if sim.actor(ref).value == 1:
            reached()

    verdict = explore(lambda sim: scenario(sim, (1, 2)), 100)
    assert verdict.ok
    assert 0 < verdict.hits["the second write came first"] < 100
    error = violation(lambda sim: scenario(sim, (2, 2)))
    assert (error.kind, error.name) == ("sometimes", "the second write came first")


def test_what_is_unreachable_fails_the_run_though_a_handler_swallows_it() -> None:
    class Swallowing(Register):
        def __init__(self, sim: Simulation) -> None:
            super().__init__()
            self.sim = sim

        @override
        @handler
        def write(self, message: Write) -> None:
            try:
                self.sim.unreachable("a write")
            except AssertionError:
                pass

    def scenario(sim: Simulation) -> None:
        ref: Ref = sim.spawn(lambda: Swallowing(sim), "register")
        sim.run(free_tell(ref, Write(1)))

    assert "'a write' must never be reached" in str(violation(scenario))


# ------------------------------------------------------------ what is left


def test_no_dead_letters_names_them() -> None:
    def scenario(sim: Simulation) -> None:
        ref = written(sim)
        sim.no_dead_letters()
        sim.run_all([free_stop(ref), free_tell(ref, Write(7))])

    error = violation(scenario)
    assert "Write(value=7)" in error.detail
    assert "/sim/register" in error.detail


def test_no_leaks_names_the_actors_that_programs_left() -> None:
    @program
    def work(stops: bool) -> Do[None, Any]:
        ref = yield from free_spawn(Register, "helper")
        yield from free_ask(ref, Write(1))
        if stops:
            yield from free_stop(ref)
            yield from free_join(ref)

    def scenario(sim: Simulation, stops: bool) -> None:
        written(sim)  # its own
        sim.no_leaks()
        sim.run(work(stops))

    assert explore(lambda sim: scenario(sim, stops=True), 20).ok
    error = violation(lambda sim: scenario(sim, stops=False))
    assert error.detail == "/sim/helper"

    def allowed(sim: Simulation) -> None:
        sim.no_leaks(besides=(ActorRef.at("/helper"),))
        sim.run(work(stops=False))

    assert explore(allowed, 20).ok


def test_no_failures_finds_what_nobody_was_told_of() -> None:
    def scenario(sim: Simulation, tell: bool) -> None:
        ref = written(sim)
        sim.no_failures()
        sim.run((free_tell(ref, Break()) if tell else free_ask(ref, Break())).exit())

    assert "ValueError" in violation(lambda sim: scenario(sim, tell=True)).detail
    assert explore(lambda sim: scenario(sim, tell=False), 20).ok


# ------------------------------------------------------------ histories


class Stale(Actor[Write]):
    """Takes writes, and passes them on to the copy that readers ask."""

    def __init__(self, copy: Ref) -> None:
        super().__init__()
        self.copy = copy

    @handler
    async def write(self, message: Write) -> None:
        await self.copy.tell(message)


@program
def writer(sim: Simulation, ref: ActorRef[Any]) -> Do[None, Any]:
    yield from sim.history.free_ask(ref, Write(1), operation=models.Write(1), client="writer")


@program
def reader(sim: Simulation, ref: Ref) -> Do[None, Any]:
    for _ in range(2):
        yield from sim.history.free_ask(ref, Read(), operation=models.Read(), client="reader")


@pytest.mark.parametrize("strategy", ["portfolio", "dpor"])
def test_linearizable_fails_with_the_history(strategy: str) -> None:
    def scenario(sim: Simulation) -> None:
        copy = written(sim)
        front = sim.spawn(lambda: Stale(copy), "front")
        sim.linearizable(models.register(0))
        sim.run(writer(sim, front))
        sim.run(reader(sim, copy))

    error = violation(scenario, strategy=strategy)
    assert error.kind == "linearizable"
    assert "reader" in error.detail

    def right(sim: Simulation) -> None:
        ref = written(sim)
        sim.linearizable(models.register(0))
        sim.run_all([writer(sim, ref), reader(sim, ref)])

    verdict = explore(right, 2000, strategy=strategy)
    assert verdict.ok
    assert verdict.exhausted or strategy == "portfolio"


def test_a_check_that_gives_up_is_told_of_and_no_failure() -> None:
    def scenario(sim: Simulation) -> None:
        ref = written(sim)
        sim.linearizable(models.register(0), limit=1, name="the register")
        sim.run_all([writer(sim, ref), reader(sim, ref)])

    verdict = explore(scenario, 20)
    assert verdict.ok
    assert verdict.unknown == {"the register": verdict.runs}
    assert "'the register' is not known to hold in" in str(verdict)
    assert simulate(scenario).unknown == ("the register",)


def test_serializable_fails_with_the_anomaly() -> None:
    def scenario(sim: Simulation) -> None:
        history = sim.history
        for client, key, other in (("a", "x", "y"), ("b", "y", "x")):
            number = history.invoke([models.Get(other), models.Put(key, 1)], client=client)
            history.ok(number, [None, None])
        sim.serializable()

    error = violation(scenario)
    assert error.kind == "serializable"
    assert "G2" in error.detail


# ------------------------------------------------------------ wrong arguments


WRONG: list[tuple[Any, str]] = [
    (lambda sim: sim.eventually(3), "sim.eventually: predicate must be a function"),
    (lambda sim: sim.leads_to(3, bool), "sim.leads_to: cause must be a function"),
    (lambda sim: sim.leads_to(bool, 3), "sim.leads_to: effect must be a function"),
    (lambda sim: sim.eventually(bool, within=-1), "within must be a finite number"),
    (lambda sim: sim.always(lambda: True, reads=("/a",)), "reads must be refs of actors"),
    (lambda sim: sim.no_leaks(besides=("/a",)), "besides must be refs of actors"),
    (lambda sim: sim.linearizable(3), "model must be a Model"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG)
def test_wrong_arguments_are_refused_at_once(wrong: Any, text: str) -> None:
    error = simulate(wrong).error
    assert isinstance(error, TypeError | ValueError)
    assert text in str(error)
