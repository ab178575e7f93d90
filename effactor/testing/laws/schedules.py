"""Laws of `retry`, `repeat` and their schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import fail, free_sleep, pure, race, recurs, spaced
from effactor.testing.effects import Wrong
from effactor.testing.law import Same, law

if TYPE_CHECKING:
    from effactor import Schedule
    from effactor.testing.functions import AnyProgram


def _both(same: Same, p: AnyProgram, one: Schedule[Any], other: Schedule[Any]) -> None:
    same(p.retry(one), p.retry(other))
    same(p.repeat(one), p.repeat(other))


def _is_wrong(failure: Any) -> bool:
    return isinstance(failure, Wrong)


@law("schedules", "p.retry(recurs(0)) ~ p, and p.repeat(recurs(0)) ~ p")
def what_never_recurs_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(p.retry(recurs(0)), p)
    same(p.repeat(recurs(0)), p)


@law("schedules", "pure(a).retry(n) ~ pure(a), and fail(e).repeat(n) ~ fail(e)")
def an_answer_is_not_retried_and_a_failure_not_repeated(same: Same, a: Any, e: Any, n: int) -> None:
    same(pure(a).retry(n), pure(a))
    same(fail(e).repeat(n), fail(e))


@law("schedules", "p.retry(n) ~ p.or_else(p) ..., n times")
def to_retry_is_to_try_so_often_more(same: Same, p: AnyProgram, n: int) -> None:
    unrolled = p
    for _ in range(n):
        unrolled = p.or_else(unrolled)
    same(p.retry(n), unrolled)


@law("schedules", "p.repeat(n) ~ p.then(p) ..., n times")
def to_repeat_is_to_run_so_often_more(same: Same, p: AnyProgram, n: int) -> None:
    unrolled = p
    for _ in range(n):
        unrolled = p.then(unrolled)
    same(p.repeat(n), unrolled)


@law("schedules", "recurs(n) & recurs(m) ~ recurs(min(n, m)), and | the max, then the sum")
def counts_combine_as_minimum_maximum_and_sum(same: Same, p: AnyProgram, n: int, m: int) -> None:
    _both(same, p, recurs(n) & recurs(m), recurs(min(n, m)))
    _both(same, p, recurs(n) | recurs(m), recurs(max(n, m)))
    _both(same, p, recurs(n).then(recurs(m)), recurs(n + m))


@law("schedules", "n & m ~ m & n, and n | m ~ m | n")
def both_and_either_commute(same: Same, p: AnyProgram, n: int, m: int) -> None:
    one, other = recurs(n).while_(_is_wrong), recurs(m)
    _both(same, p, one & other, other & one)
    _both(same, p, one | other, other | one)


@law("schedules", "p.retry(recurs(n).while_(c)) ~ p.lash(lambda x: again if c(x) else fail(x)) ...")
def a_condition_is_asked_with_each_failure(same: Same, p: AnyProgram, n: int) -> None:
    unrolled = p
    for _ in range(n):
        unrolled = _retried_once(p, unrolled)
    same(p.retry(recurs(n).while_(_is_wrong)), unrolled)


def _retried_once(p: AnyProgram, again: AnyProgram) -> AnyProgram:
    return p.lash(lambda failure: again if _is_wrong(failure) else fail(failure))


@law("schedules", "p.retry(spaced(1) & recurs(n)) ~ p.or_else(a sleep, p) ...", needs_time=True)
def a_delay_is_a_sleep(same: Same, p: AnyProgram, n: int) -> None:
    unrolled = p
    for _ in range(n):
        unrolled = p.or_else(free_sleep(1).then(unrolled))
    same(p.retry(spaced(1) & recurs(n)), unrolled)
    same(p.delayed(n), free_sleep(n).then(p))


@law("schedules", "fail(e).retry(spaced(2) & recurs(n)) takes 2 * n seconds", needs_time=True)
def a_delay_takes_its_time(same: Same, e: Any, a: Any, n: int) -> None:
    late = fail(e).retry(spaced(2) & recurs(n + 1))
    same(race(late, free_sleep(2 * n + 1).then(pure(a))), pure(a))
    same(race(late, free_sleep(2 * n + 3).then(pure(a))), fail(e))
    same(race(fail(e).delayed(n + 1), free_sleep(n).then(pure(a))), pure(a))
