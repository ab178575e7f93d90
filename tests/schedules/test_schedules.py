"""Each schedule by itself: its delays, and what it refuses."""

# What a wrong call returns has no type, and neither has the lambda that makes it.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from effactor import Schedule, exponential, fixed, recurs, spaced
from effactor.schedules.schedule import Decision


def is_busy(failure: str) -> bool:
    return failure == "busy"


async def is_busy_later(failure: str) -> bool:
    return is_busy(failure)


def test_recurs_lists_so_many_delays_of_nothing() -> None:
    assert recurs(3).delays() == [0.0, 0.0, 0.0]
    assert recurs(0).delays() == []


def test_spaced_waits_as_long_after_each_end() -> None:
    assert spaced(2.5).delays(3) == [2.5, 2.5, 2.5]
    assert spaced(2.5).delays(3, durations=[1, 7, 3]) == [2.5, 2.5, 2.5]


def test_fixed_is_aligned_to_its_beginning() -> None:
    assert fixed(10).delays(3) == [10, 10, 10]
    assert fixed(10).delays(3, durations=3) == [7, 7, 7]


def test_a_late_round_of_fixed_misses_its_turn_and_does_not_pile_up() -> None:
    # Ends at 3, 45, 51, 60.
    assert fixed(10).delays(durations=[3, 35, 1, 0]) == [7, 5, 9, 10]


def test_a_round_of_fixed_that_takes_just_the_interval_is_in_time() -> None:
    assert fixed(10).delays(3, durations=10) == [0, 0, 0]
    assert fixed(0.1).delays(50, durations=0.1) == pytest.approx([0] * 50, abs=1e-9)


def test_fixed_does_not_begin_twice_because_of_rounding() -> None:
    assert fixed(0.1).delays(1000) == pytest.approx([0.1] * 1000)
    assert (fixed(0.1) & recurs(1000)).up_to(1).delays() == pytest.approx([0.1] * 10)


def test_fixed_keeps_its_multiples_where_something_else_begins_before() -> None:
    assert (fixed(1) | spaced(0.3)).delays(5) == pytest.approx([0.3, 0.3, 0.3, 0.1, 0.3])
    assert (fixed(1) & spaced(1.5)).delays(3) == pytest.approx([1.5, 1.5, 1.5])


def test_exponential_grows_by_its_factor_up_to_its_cap() -> None:
    assert exponential(0.1).delays(4) == [0.1, 0.2, 0.4, 0.8]
    assert exponential(1, 3).delays(4) == [1, 3, 9, 27]
    assert exponential(1, factor=10, cap=50).delays(4) == [1, 10, 50, 50]
    assert exponential(3, factor=1).delays(3) == [3, 3, 3]


def test_exponential_without_a_cap_stays_a_time_that_can_be_waited() -> None:
    grown = exponential(1).delays(2000)
    assert max(grown) == grown[-1] == 1e9
    assert exponential(0).delays(2000) == [0.0] * 2000
    assert exponential(5e9).delays(2) == [5e9, 5e9]


def test_jitter_takes_a_part_of_the_delay_away() -> None:
    assert exponential(1, jitter=0.5).delays(3, chance=0.5) == [0.75, 1.5, 3.0]
    assert exponential(1, jitter=1.0).delays(3, chance=[0, 0.5, 0.75]) == [1.0, 1.0, 1.0]
    assert exponential(1, cap=2, jitter=1.0).delays(3, chance=0.5) == [0.5, 1.0, 1.0]


def test_one_chance_is_shared_by_all_parts() -> None:
    jittered = exponential(1, jitter=1.0)
    chances = [0.1, 0.2, 0.9]
    assert (jittered & jittered).delays(chance=chances) == jittered.delays(chance=chances)


def test_while_is_over_at_the_first_denial_and_for_good() -> None:
    schedule = spaced(1).while_(is_busy)
    assert schedule.delays(inputs=["busy", "busy", "gone", "busy"]) == [1, 1]
    either = schedule | spaced(5)
    assert either.delays(inputs=["busy", "gone", "busy"]) == [1, 5, 5]


def test_up_to_counts_from_the_beginning_and_with_the_rounds() -> None:
    assert spaced(1).up_to(3).delays() == [1, 1, 1]
    assert spaced(1).up_to(3).delays(durations=0.5) == [1, 1]
    assert spaced(0.1).up_to(0.3).delays() == [0.1, 0.1, 0.1]
    assert recurs(2).up_to(0).delays() == [0, 0]


def test_then_begins_the_second_when_the_first_is_over() -> None:
    assert recurs(2).then(exponential(1)).delays(5) == [0, 0, 1, 2, 4]
    # It is over at 3, and the next begins then: its second ends at 5.
    assert spaced(1).up_to(3).then(spaced(1).up_to(2)).delays() == [1, 1, 1, 1, 1]
    assert spaced(0.7).up_to(1).then(fixed(1)).delays(3) == [0.7, 1, 1]


def test_both_waits_for_the_longer_and_either_for_the_shorter() -> None:
    assert (exponential(1) & spaced(3) & recurs(4)).delays() == [3, 3, 4, 8]
    assert (exponential(1) | spaced(3)).delays(4) == [1, 2, 3, 3]
    assert (recurs(2) | spaced(1)).delays(4) == [0, 0, 1, 1]


def test_listing_ends_with_the_shortest_of_what_is_given() -> None:
    assert spaced(1).delays(inputs=[1, 2]) == [1, 1]
    assert spaced(1).delays(chance=[0.5]) == [1]
    assert spaced(1).delays(durations=[1, 1, 1]) == [1, 1, 1]
    assert spaced(1).delays(0) == []
    assert spaced(1).delays(2, inputs=itertools.count()) == [1, 1]


def test_listing_without_end_is_refused() -> None:
    assert len(recurs(1000).delays()) == 1000
    with pytest.raises(ValueError, match=r"spaced\(1\) goes on after 1000 delays: say how many"):
        spaced(1).delays()
    with pytest.raises(ValueError, match=r"as in delays\(10\)"):
        recurs(1001).delays()
    assert len(spaced(1).delays(5000)) == 5000


def test_listing_says_what_is_missing() -> None:
    with pytest.raises(ValueError, match=r"while_\(is_busy\) looks at what it is given: say inp"):
        spaced(1).while_(is_busy).delays(3)
    with pytest.raises(ValueError, match=r"jitter=0.5\) has a jitter: say chance=0.5"):
        exponential(1, jitter=0.5).delays(3)


def test_a_repr_has_parentheses_only_where_they_are_needed() -> None:
    a, b, c = recurs(1), spaced(2), fixed(0.5)
    assert repr(a & (b & c)) == repr((a & b) & c) == "recurs(1) & spaced(2) & fixed(0.5)"
    assert repr((a | b) & c) == "(recurs(1) | spaced(2)) & fixed(0.5)"
    assert repr((a & b) | c) == "recurs(1) & spaced(2) | fixed(0.5)"
    assert repr((a & b).then(b | c).then(a)) == (
        "(recurs(1) & spaced(2)).then(spaced(2) | fixed(0.5)).then(recurs(1))"
    )
    assert repr((a | b).while_(is_busy).up_to(3)) == (
        "(recurs(1) | spaced(2)).while_(is_busy).up_to(3)"
    )
    assert repr(exponential(1, 2.0)) == "exponential(1)"
    assert repr(exponential(1, 3, 9, 0.5)) == "exponential(1, factor=3, cap=9, jitter=0.5)"


def test_different_schedules_differ() -> None:
    every = [
        recurs(1), recurs(2), spaced(1), fixed(1), exponential(1), exponential(1, 3),
        recurs(1) & spaced(1), recurs(1) | spaced(1), recurs(1).then(spaced(1)),
        recurs(1).up_to(1), recurs(1).while_(is_busy),
    ]  # fmt: skip
    assert len(set(every)) == len(every)
    assert spaced(1) == spaced(1.0)


@dataclass(frozen=True)
class Fibonacci(Schedule[object]):
    """A schedule of a user's."""

    unit: float

    @override
    def begin(self) -> tuple[int, int]:
        return 1, 1

    @override
    def decide(
        self, state: tuple[int, int], given: object, elapsed: float, chance: float
    ) -> Decision:
        now, following = state
        return Decision(self.unit * now, (following, now + following))


def test_a_users_own_schedule_combines_with_the_others() -> None:
    assert (Fibonacci(0.5) & recurs(5)).delays() == [0.5, 0.5, 1, 1.5, 2.5]
    assert repr(Fibonacci(0.5).up_to(3)) == "Fibonacci(unit=0.5).up_to(3)"


def test_a_schedule_that_decides_nothing_says_so() -> None:
    with pytest.raises(NotImplementedError):
        Schedule[Any]().delays()


NAN = math.nan


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: recurs(-1), r"recurs: n must be a whole number >= 0, got -1"),
        (lambda: recurs(2.0), r"got 2.0; spaced\(0\) goes on for ever"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: recurs(True), r"n must be a whole number >= 0, got True"),
        (lambda: spaced(-0.5), "spaced: seconds must be a finite number of seconds >= 0, got -0.5"),
        (lambda: spaced(NAN), "spaced: seconds must be a finite number of seconds >= 0, got nan"),
        (lambda: spaced(math.inf), "must be a finite number of seconds >= 0, got inf"),
        (lambda: spaced(10**400), "must be a finite number of seconds >= 0, got 1000"),
        (lambda: spaced(False), "spaced: seconds must be a number of seconds, got False"),
        (lambda: spaced("1"), "spaced: seconds must be a number of seconds, got '1'"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: spaced(timedelta(1)), r"got .*timedelta.*; give its total_seconds\(\)"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: fixed(0), "fixed: seconds must be a finite number of seconds >= 1e-06, got 0"),
        (lambda: exponential(-1), "exponential: base must be"),
        (lambda: exponential(1, 0.5), "exponential: factor must be a finite number >= 1, got 0.5"),
        (lambda: exponential(1, None), "exponential: factor must be a number, got None"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: exponential(1, cap=-1), "exponential: cap must be"),
        (lambda: exponential(1, jitter=1.5), "jitter must be a finite number from 0 to 1, got 1.5"),
        (lambda: exponential(1, jitter=True), "exponential: jitter must be a number, got True"),
        (lambda: recurs(1).up_to(-1), "up_to: seconds must be a finite number of seconds >= 0"),
        (lambda: recurs(1).while_(3), "while_: predicate must be a function that returns a bool"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: recurs(1).while_(is_busy_later), "is_busy_later is a coroutine function"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: recurs(1) & 3, r"&: the right side must be a Schedule, got 3; write recurs\(3\)"),  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
        (lambda: 3 & recurs(1), r"&: the left side must be a Schedule, got 3; write recurs\(3\)"),  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
        (lambda: recurs(1) | spaced, r"\|: the right side must be a Schedule, .*; call it"),  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
        (lambda: "x" | recurs(1), r"\|: the left side must be a Schedule, got 'x'$"),  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
        (lambda: recurs(1).then(None), "then: following must be a Schedule, got None"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: recurs(1) and spaced(1), "neither true nor false: write a & b"),
        (lambda: recurs(1).delays(-1), "delays: limit must be a whole number >= 0, got -1"),
        (lambda: recurs(1).delays(chance=2), "delays: chance must be a finite number from 0 to 1"),
        (lambda: recurs(1).delays(chance=[NAN]), "delays: chance must be a finite number"),
        (lambda: recurs(1).delays(durations="12"), "delays: durations must be a number of seco"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: recurs(1).delays(durations=[-1]), "delays: durations must be a finite number"),
    ],
)
def test_wrong_arguments_are_refused_at_once(call: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        call()
