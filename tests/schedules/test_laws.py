"""The laws of schedules, up to what they decide: seen by listing their delays."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effactor import Program, Schedule, exponential, fail, fixed, free_call, recurs, spaced
from effactor.interpreters import run_free
from effactor.programs import operations

AnySchedule: TypeAlias = Schedule[Any]


def is_even(given: int) -> bool:
    return given % 2 == 0


def is_small(given: int) -> bool:
    return given < 8


seconds = st.sampled_from([0, 0.1, 0.3, 1, 1.5, 2, 7.25])
intervals = st.sampled_from([0.1, 0.3, 1, 1.5, 2])
counts = st.integers(0, 5)
leaves: st.SearchStrategy[AnySchedule] = st.one_of(
    counts.map(recurs),
    seconds.map(spaced),
    intervals.map(fixed),
    st.builds(
        exponential,
        seconds,
        st.sampled_from([1, 2, 3]),
        st.none() | seconds,
        st.sampled_from([0, 0.5, 1]),
    ),
)


def combine(inner: st.SearchStrategy[AnySchedule]) -> st.SearchStrategy[AnySchedule]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda t: t[0] & t[1]),
        st.tuples(inner, inner).map(lambda t: t[0] | t[1]),
        st.tuples(inner, inner).map(lambda t: t[0].then(t[1])),
        st.tuples(inner, st.sampled_from([is_even, is_small])).map(lambda t: t[0].while_(t[1])),
        st.tuples(inner, seconds).map(lambda t: t[0].up_to(t[1])),
    )


schedules = st.recursive(leaves, combine, max_leaves=5)


@dataclass
class Circumstances:
    """What a schedule meets with: what each round ends with, the chances, the durations."""

    inputs: list[int]
    chances: list[float]
    durations: list[float]

    def see(self, schedule: AnySchedule) -> list[float]:
        return schedule.delays(
            inputs=self.inputs, chance=self.chances, durations=self.durations, limit=20
        )


ROUNDS = 12
circumstances = st.builds(
    Circumstances,
    st.lists(st.integers(0, 9), min_size=ROUNDS, max_size=ROUNDS),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=ROUNDS, max_size=ROUNDS),
    st.lists(st.sampled_from([0, 0.05, 0.5, 2.5]), min_size=ROUNDS, max_size=ROUNDS),
)


@given(schedules, schedules, circumstances)
def test_both_and_either_are_commutative(a: Any, b: Any, world: Circumstances) -> None:
    assert world.see(a & b) == world.see(b & a)
    assert world.see(a | b) == world.see(b | a)


@given(schedules, schedules, schedules, circumstances)
def test_both_either_and_then_are_associative(a: Any, b: Any, c: Any, world: Circumstances) -> None:
    assert world.see((a & b) & c) == world.see(a & (b & c))
    assert world.see((a | b) | c) == world.see(a | (b | c))
    assert world.see(a.then(b).then(c)) == world.see(a.then(b.then(c)))


@given(schedules, circumstances)
def test_both_and_either_are_idempotent_even_with_jitter(a: Any, world: Circumstances) -> None:
    assert world.see(a & a) == world.see(a)
    assert world.see(a | a) == world.see(a)


@given(schedules, circumstances)
def test_what_never_recurs_ends_both_and_is_neutral_in_the_others(
    a: Any, world: Circumstances
) -> None:
    assert world.see(recurs(0)) == []
    assert world.see(recurs(0) & a) == []
    assert world.see(recurs(0) | a) == world.see(a)
    assert world.see(a.then(recurs(0))) == world.see(a)


@given(schedules, circumstances)
def test_what_always_recurs_at_once_is_neutral_in_both(a: Any, world: Circumstances) -> None:
    assert world.see(spaced(0) & a) == world.see(a)


@given(counts, counts, circumstances)
def test_counts_combine_as_their_minimum_maximum_and_sum(
    a: int, b: int, world: Circumstances
) -> None:
    assert world.see(recurs(a)) == [0.0] * a
    assert world.see(recurs(a) & recurs(b)) == world.see(recurs(min(a, b)))
    assert world.see(recurs(a) | recurs(b)) == world.see(recurs(max(a, b)))
    assert world.see(recurs(a).then(recurs(b))) == world.see(recurs(a + b))


@given(schedules, circumstances)
def test_a_limit_changes_nothing_before_it(a: Any, world: Circumstances) -> None:
    whole = world.see(a)
    for limited in (a.while_(is_small), a.up_to(3), a & recurs(3)):
        seen = world.see(limited)
        assert seen == whole[: len(seen)]
    assert len(world.see(a & recurs(3))) == min(3, len(whole))


@given(schedules, seconds, circumstances)
def test_nothing_begins_later_than_the_limit(a: Any, limit: float, world: Circumstances) -> None:
    elapsed = world.durations[0]
    for delay, duration in zip(world.see(a.up_to(limit)), world.durations[1:], strict=False):
        assert elapsed + delay <= limit + 1e-6
        elapsed += delay + duration


@given(schedules, circumstances)
def test_a_schedule_that_needs_no_time_or_chance_does_not_look_at_it(
    a: Any, world: Circumstances
) -> None:
    other = Circumstances(world.inputs, [0.25] * ROUNDS, [7.0] * ROUNDS)
    if not a.needs_time:
        other.chances = world.chances
        assert world.see(a) == other.see(a)
    if not a.needs_time and not a.needs_chance:
        other.chances = [0.25] * ROUNDS
        assert world.see(a) == other.see(a)
    if not a.needs_input:
        other = Circumstances([1] * ROUNDS, world.chances, world.durations)
        assert world.see(a) == other.see(a)


@given(schedules, circumstances)
def test_a_schedule_is_never_used_up(a: Any, world: Circumstances) -> None:
    assert world.see(a) == world.see(a)


@given(schedules)
def test_a_schedule_is_a_value(a: Any) -> None:
    again = pickle.loads(pickle.dumps(a))
    assert again == a
    assert hash(again) == hash(a)
    assert repr(again) == repr(a)
    for name in a.__dataclass_fields__:
        with pytest.raises(AttributeError):
            setattr(a, name, getattr(a, name))


@given(schedules)
def test_the_repr_is_the_expression_that_made_it(a: Any) -> None:
    assert eval(repr(a)) == a  # noqa: S307 - our own text


class Clock:
    """Answers the operations that a schedule leads to, and notes what is waited for."""

    def __init__(self, world: Circumstances) -> None:
        self.elapsed = 0.0
        self.waited: list[float] = []
        self.inputs = iter(world.inputs)
        self.durations = iter(world.durations)

    def now(self, _operation: Any) -> datetime:
        return datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def sleep(self, operation: operations.Sleep) -> None:
        assert operation.seconds > 0
        self.waited.append(operation.seconds)
        self.elapsed += operation.seconds

    def call(self, _operation: Any) -> int:
        self.elapsed += next(self.durations)
        return next(self.inputs)


@pytest.mark.parametrize("retried", [True, False])
@given(a=schedules, world=circumstances)
def test_what_is_listed_is_what_is_waited(retried: bool, a: Any, world: Circumstances) -> None:
    limited = recurs(ROUNDS - 1) & a
    clock = Clock(world)
    one: Program[int] = free_call(int)
    again: Program[Any, Any] = one.bind(fail).retry(limited) if retried else one.repeat(limited)
    run_free(
        again.attempt(),
        {
            operations.Now: clock.now,
            operations.Random: lambda _: 0.5,
            operations.Sleep: clock.sleep,
            operations.Call: clock.call,
        },
    )
    world.chances = [0.5] * ROUNDS
    listed = world.see(limited)
    assert clock.waited == pytest.approx([delay for delay in listed if delay > 0])
    assert ROUNDS - len(list(clock.inputs)) == len(listed) + 1
