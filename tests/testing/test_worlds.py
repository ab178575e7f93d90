"""Worlds for Hypothesis: data and schedule are searched, shrunk and reproduced together."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import (
    HealthCheck,
    Phase,
    assume,
    example,
    given,
    reproduce_failure,
    seed,
    settings,
)
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from races import Counter, Get, Set, add_one, count

from effactor import ActorRef, AskFailed, Do, free_random, free_sleep, program, pure
from effactor.errors import BadToken
from effactor.interpreters import Faults, Simulation, replay
from effactor.testing import World, worlds

QUICK = settings(
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@program
def add(counter: ActorRef[Get | Set], times: int) -> Do[None, AskFailed]:
    for _ in range(times):
        yield from add_one(counter)


def notes_of(test: Any) -> tuple[BaseException, str]:
    """Run a test that must fail; give its error, and what Hypothesis says."""
    with pytest.raises(AssertionError) as raised:
        test()
    return raised.value, "\n".join(getattr(raised.value, "__notes__", ()))


def a_test(*, schedules: int = 10, strategy: str = "portfolio") -> Any:
    @given(
        times=st.lists(st.integers(0, 5), max_size=5),
        world=worlds(schedules=schedules, strategy=strategy),
    )
    def test_counts(times: list[int], world: World) -> None:
        def counts(sim: Simulation) -> None:
            counter = sim.spawn(Counter, "counter")
            sim.run_all([add(counter, n) for n in times])
            assert sim.actor(counter).n == sum(times), f"{times} lose some"

        world.run(counts)

    return test_counts


def test_data_and_schedule_are_shrunk_to_the_least_that_fails() -> None:
    error, said = notes_of(QUICK(seed(1)(a_test())))
    assert str(error).startswith("[1, 1] lose some")
    assert "times=[1, 1]" in said
    assert "shrunk: 1 deviation from the default order" in said
    assert "add#2 began before" in said


@pytest.mark.parametrize("strategy", ["random", "deviations", "pos", "portfolio"])
def test_every_strategy_finds_it_by_drawing_alone(strategy: str) -> None:
    test = settings(QUICK, max_examples=300)(seed(1)(a_test(schedules=1, strategy=strategy)))
    _, said = notes_of(test)
    assert "shrunk: 1 deviation from the default order" in said


def test_the_token_of_a_failure_is_an_example_that_fails_again() -> None:
    _, said = notes_of(QUICK(seed(1)(a_test())))
    (token,) = re.findall(r"World\('(.*?)'\)", said)
    runs: list[int] = []

    @settings(QUICK, phases=[Phase.explicit])
    @example(times=[1, 1], world=World(token))
    @given(times=st.just([]), world=worlds())
    def test_again(times: list[int], world: World) -> None:
        def counts(sim: Simulation) -> None:
            counter = sim.spawn(Counter, "counter")
            sim.run_all([add(counter, n) for n in times])
            runs.append(sim.actor(counter).n)
            assert runs[-1] == sum(times)

        world.run(counts)

    for _ in range(2):  # the same example, twice
        notes_of(test_again)
    assert runs == [1, 1]


def test_the_database_brings_a_failure_back_at_once() -> None:
    kept = InMemoryExampleDatabase()
    runs: list[bool] = []

    @settings(QUICK, database=kept, max_examples=200)
    @given(times=st.lists(st.integers(0, 3), max_size=4), world=worlds(schedules=1))
    def test_counts(times: list[int], world: World) -> None:
        def counts(sim: Simulation) -> bool:
            counter = sim.spawn(Counter, "counter")
            sim.run_all([add(counter, n) for n in times])
            return bool(sim.actor(counter).n == sum(times))

        runs.append(world.run(counts))
        assert runs[-1]

    notes_of(test_counts)
    runs.clear()
    notes_of(test_counts)
    assert not runs[0]


def test_a_failure_is_reproduced_from_its_blob() -> None:
    _, said = notes_of(settings(QUICK, print_blob=True)(seed(1)(a_test())))
    (call,) = [line for line in said.splitlines() if "@reproduce_failure" in line]
    decorate = eval(  # noqa: S307 - what Hypothesis tells users to paste
        call[call.index("reproduce_failure(") : call.rindex(")") + 1],
        {"reproduce_failure": reproduce_failure},
    )
    error, _ = notes_of(decorate(QUICK(a_test())))
    assert str(error).startswith("[1, 1] lose some")


def test_programs_answer_and_run_side_by_side() -> None:
    @settings(QUICK, max_examples=10)
    @given(world=worlds())
    def test_answers(world: World) -> None:
        assert world.run(pure(1)) == 1
        assert world.run_all([pure(1), free_sleep(9).map(lambda _: 2)]) == [1, 2]
        assert world.run(asynchronous) == 0
        assert len(world.tokens) == 3

    async def asynchronous(sim: Simulation) -> int:
        ref = await sim.system.spawn(Counter, "counter")
        return await ref.ask(Get())

    test_answers()


def test_what_a_run_raises_is_raised() -> None:
    @settings(QUICK, max_examples=5)
    @given(world=worlds())
    def test_raises(world: World) -> None:
        def scenario(sim: Simulation) -> None:
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            world.run(scenario)

    test_raises()


def test_assume_inside_a_scenario_discards_the_example() -> None:
    ran: list[int] = []

    @settings(QUICK, max_examples=30)
    @given(n=st.integers(0, 3), world=worlds())
    def test_assumes(n: int, world: World) -> None:
        def scenario(sim: Simulation) -> None:
            assume(n > 1)
            ran.append(n)

        world.run(scenario)

    test_assumes()
    assert set(ran) == {2, 3}


def test_a_run_longer_than_hypothesis_can_draw_ends_in_the_default_order() -> None:
    @settings(QUICK, max_examples=3)
    @given(world=worlds(schedules=1, strategy="random", max_steps=100_000))
    def test_long(world: World) -> None:
        world.run(lambda sim: count(sim, 600))

    test_long()


def test_random_programs_differ_between_examples() -> None:
    drawn: set[float] = set()

    @settings(QUICK, max_examples=20)
    @given(world=worlds(schedules=1))
    def test_draws(world: World) -> None:
        drawn.add(world.run(free_random()))

    test_draws()
    assert len(drawn) > 5


def test_tokens_of_drawn_runs_replay_them() -> None:
    @settings(QUICK, max_examples=20)
    @given(world=worlds(time="latency"))
    def test_replays(world: World) -> None:
        def scenario(sim: Simulation) -> int:
            return count(sim, 3)

        counted = world.run(scenario)
        assert replay(scenario, world.tokens[0]).value == counted

    test_replays()


def test_a_world_without_tokens_takes_the_default_order() -> None:
    assert World().run(lambda sim: count(sim, 3)) == 3
    assert repr(World("ef1:AA")) == "World('ef1:AA')"
    with pytest.raises(BadToken):
        World("nonsense").run(lambda sim: count(sim, 3))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"strategy": "pct"}, "strategy must be one of portfolio, deviations, pos, random"),
        ({"time": "soon"}, 'worlds: time must be "async" or "latency"'),
        ({"schedules": 0}, "worlds: schedules must be an integer >= 1, got 0"),
    ],
    ids=["strategy", "time", "schedules"],
)
def test_wrong_arguments_are_refused_at_once(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        worlds(**arguments)
    with pytest.raises(TypeError, match=r"world\.run: expected a Program or a scenario"):
        World().run(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_faults_are_drawn_and_shrunk_with_the_data() -> None:
    @settings(QUICK, max_examples=300)
    @seed(1)
    @given(n=st.integers(0, 50), world=worlds(schedules=1, faults=Faults(budget=1, crash=True)))
    def test_survives(n: int, world: World) -> None:
        def adds(sim: Simulation) -> None:
            counter = sim.spawn(Counter, "counter")
            got = sim.run(add_one(counter).attempt())
            assert n < 7 or got.map(lambda _: True).value_or(False), "a crash was not survived"

        world.run(adds)

    _, said = notes_of(test_survives)
    assert "n=7" in said
    assert "shrunk: 1 fault" in said
