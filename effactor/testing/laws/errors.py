"""Laws of failures and defects: who stops them, and who must not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returns.result import Success

from effactor import Succeeded, catch, fail, from_result, never, pure, race
from effactor.testing.blocks import catching, recovering, swallowing
from effactor.testing.effects import Broken, Wrong
from effactor.testing.functions import Raises, as_it_ended
from effactor.testing.law import Same, law

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram

    Step = Callable[[Any], AnyProgram]


def dying(value: Any) -> AnyProgram:
    """Make a program that dies."""
    return pure(value).map(Raises("dying"))


@law("errors", "fail(e).lash(k) ~ k(e), and pure(a).lash(k) ~ pure(a)")
def a_recovery_gets_the_failure(same: Same, a: Any, e: Any, k: Step) -> None:
    same(fail(e).lash(k), pure(e).bind(k))
    same(pure(a).lash(k), pure(a))


@law("errors", "p.lash(fail) ~ p")
def failing_again_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(p.lash(fail), p)


@law("errors", "p.lash(k).lash(j) ~ p.lash(lambda x: k(x).lash(j))")
def recoveries_are_associative(same: Same, p: AnyProgram, k: Step, j: Step) -> None:
    # A step that raises is a defect in both: `pure(x).bind(k)` raises when it runs.
    same(p.lash(k).lash(j), p.lash(lambda x: pure(x).bind(k).lash(j)))


@law("errors", "p.alt(f) ~ p.lash(lambda x: fail(f(x)))")
def alt_is_a_recovery(same: Same, p: AnyProgram, f: Callable[[Any], Any]) -> None:
    same(p.alt(f), p.lash(lambda x: fail(f(x))))


@law("errors", "p.or_else(q) ~ p.lash(lambda _: q)")
def or_else_is_a_recovery(same: Same, p: AnyProgram, q: AnyProgram) -> None:
    same(p.or_else(q), p.lash(lambda _: q))


@law("errors", "catch(Wrong)(k)(fail(w)) ~ k(w), of other failures fail(e), of pure(a) pure(a)")
def a_catch_gets_failures_of_its_class(same: Same, a: Any, k: Step) -> None:
    same(catch(Wrong)(k)(fail(Wrong(a))), pure(Wrong(a)).bind(k))
    same(catch(Wrong)(k)(fail(a)), fail(a))
    same(catch(Wrong)(k)(pure(a)), pure(a))


@law("errors", "catch(Wrong)(k)(p) ~ p.lash(lambda x: k(x) if x is a Wrong else fail(x))")
def a_catch_is_a_recovery_that_looks(same: Same, p: AnyProgram, k: Step) -> None:
    same(catch(Wrong)(k)(p), p.lash(lambda x: k(x) if isinstance(x, Wrong) else fail(x)))


@law("errors", "a block that tries p, except Wrong: k ~ catch(Wrong)(k)(p)")
def try_in_a_block_is_a_catch(same: Same, p: AnyProgram, k: Step) -> None:
    same(catching(p, k), catch(Wrong)(k)(p))


@law("errors", "a block that tries p, except Failed: k ~ p.lash(k), if no failure is an exception")
def a_block_sees_other_failures_as_failed(same: Same, p: AnyProgram, k: Step) -> None:
    plain = p.alt(lambda x: ("plain", x))
    same(recovering(plain, k), plain.lash(k))


@law("errors", "dying.lash(k), .attempt(), .or_else(q), catch(Broken)(k)(dying) ~ dying")
def no_recovery_gets_a_defect(same: Same, a: Any, k: Step, q: AnyProgram) -> None:
    for recovered in (
        dying(a).lash(k),
        dying(a).attempt(),
        dying(a).or_else(q),
        catch(Broken)(k)(dying(a)),
        dying(a).alt(lambda x: x),
        recovering(dying(a), k),
    ):
        same(recovered, dying(a))


@law("errors", "race(never().exit().then(p), pure(a)) ~ pure(a)")
def no_recovery_gets_an_interrupt(same: Same, a: Any, p: AnyProgram, k: Step) -> None:
    for recovered in (
        never().exit(),
        never().attempt(),
        never().lash(k),
        never().or_else(p),
        never().refine(BaseException),
        swallowing(never()),
    ):
        same(race(recovered.then(p), pure(a)), pure(a))


@law("errors", "p.attempt().bind(from_result) ~ p")
def an_attempt_can_be_undone(same: Same, p: AnyProgram) -> None:
    same(p.attempt().bind(from_result), p)


@law("errors", "p.exit().bind(as_it_ended) ~ p")
def an_exit_can_be_undone(same: Same, p: AnyProgram) -> None:
    same(p.exit().bind(as_it_ended), p)


@law("errors", "p.attempt().attempt() ~ p.attempt().map(Success)")
def an_attempt_cannot_fail(same: Same, p: AnyProgram) -> None:
    same(p.attempt().attempt(), p.attempt().map(Success))


@law("errors", "p.exit().exit() ~ p.exit().map(Succeeded)")
def an_exit_cannot_fail_or_die(same: Same, p: AnyProgram) -> None:
    same(p.exit().exit(), p.exit().map(Succeeded))


@law("errors", "dying.refine(Broken) ~ fail(the defect), p.refine(Broken) twice ~ once")
def refining_makes_a_failure_of_a_defect(same: Same, p: AnyProgram, a: Any) -> None:
    same(dying(a).refine(Broken), fail(Broken("dying", a)))
    same(p.refine(Broken).refine(Broken), p.refine(Broken))


@law("errors", "p.refine(Unrelated) ~ p")
def refining_leaves_other_defects_alone(same: Same, p: AnyProgram) -> None:
    same(p.refine(FloatingPointError), p)
