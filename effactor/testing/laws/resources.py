"""Laws of finalisers: exactly once, in reverse order, however a program ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import acquire_release, bracket, fail, never, pure, race, scoped
from effactor.testing.blocks import finishing
from effactor.testing.functions import Adds, Closes, Raises, as_it_ended
from effactor.testing.law import Same, law
from effactor.testing.waiting import later

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram

    Step = Callable[[Any], AnyProgram]


def _seen(step: Step) -> Step:
    """Let the trace show for certain what a step is given."""
    return lambda given: Adds(1)(given).then(pure(given).bind(step))


@law("resources", "p.ensure(q) ~ p.exit(), then q, then as p ended")
def a_finaliser_runs_once_after_success_failure_and_defect(
    same: Same, p: AnyProgram, q: AnyProgram
) -> None:
    same(p.ensure(q.exit()), p.exit().bind(lambda x: q.exit().then(as_it_ended(x))))


@law("resources", "race(never().ensure(p), pure(a)) ~ p, then pure(a)")
def a_finaliser_runs_once_after_an_interrupt(same: Same, p: AnyProgram, a: Any) -> None:
    same(race(never().ensure(p.exit()), pure(a)), p.exit().then(pure(a)))


@law("resources", "p.ensure(q).ensure(r) ~ p.ensure(q.then(r))")
def finalisers_run_from_the_inside_out(
    same: Same, p: AnyProgram, q: AnyProgram, r: AnyProgram
) -> None:
    same(p.ensure(q.exit()).ensure(r.exit()), p.ensure(q.exit().then(r.exit())))


@law("resources", "race(never().ensure(p).ensure(q), pure(a)) ~ p, then q, then pure(a)")
def finalisers_run_from_the_inside_out_after_an_interrupt(
    same: Same, p: AnyProgram, q: AnyProgram, a: Any
) -> None:
    same(
        race(never().ensure(p.exit()).ensure(q.exit()), pure(a)),
        p.exit().then(q.exit()).then(pure(a)),
    )


@law("resources", "p.ensure(dying).ensure(q) ~ p.exit(), then q, then dying")
def the_defect_of_a_finaliser_decides_and_the_others_run(
    same: Same, p: AnyProgram, q: AnyProgram, a: Any
) -> None:
    dying = pure(a).map(Raises("dying"))
    same(p.ensure(dying).ensure(q.exit()), p.exit().then(q.exit()).then(dying))


@law("resources", "race(pure(a).ensure(p).then(q), pure(b)) ~ p, then pure(b)")
def an_interrupt_waits_for_a_finaliser_and_then_goes_on(
    same: Same, p: AnyProgram, q: AnyProgram, a: Any, b: Any
) -> None:
    same(race(pure(a).ensure(later(p.exit())).then(q), pure(b)), p.exit().then(pure(b)))


@law("resources", "a block that tries p, finally q ~ p.ensure(q)")
def finally_in_a_block_is_a_finaliser(same: Same, p: AnyProgram, q: AnyProgram, a: Any) -> None:
    same(finishing(p, q.exit()), p.ensure(q.exit()))
    same(race(finishing(never(), q.exit()), pure(a)), race(never().ensure(q.exit()), pure(a)))


@law("resources", "bracket(p, k, j) ~ p.bind(lambda x: k(x).ensure(j(x)))")
def a_bracket_is_a_bind_and_a_finaliser(same: Same, p: AnyProgram, k: Step, j: Step) -> None:
    release = Closes(j)
    same(
        bracket(p, k, release),
        p.bind(lambda x: pure(x).bind(k).ensure(pure(x).bind(release))),
    )


@law("resources", "bracket(fail(e), k, j) ~ fail(e)")
def what_was_not_acquired_is_not_released(same: Same, e: Any, k: Step, j: Step) -> None:
    same(bracket(fail(e), k, Closes(j)), fail(e))


@law("resources", "race(bracket(p, lambda _: never(), j), pure(a)) ~ p.bind(j), then pure(a)")
def an_acquisition_is_not_interrupted_and_released(
    same: Same, p: AnyProgram, j: Step, a: Any
) -> None:
    release = Closes(j)
    bracketed = bracket(later(p.exit()), lambda _: never(), release)
    same(race(bracketed, pure(a)), p.exit().bind(release).then(pure(a)))


@law("resources", "race(bracket(pure(b), lambda _: never(), j), pure(a)) ~ j(b), then pure(a)")
def a_resource_is_released_once_after_an_interrupt(same: Same, j: Step, a: Any, b: Any) -> None:
    bracketed = bracket(pure(b), lambda _: never(), Closes(j))
    same(race(bracketed, pure(a)), Closes(j)(b).then(pure(a)))


@law("resources", "scoped(acquire_release(p, j).bind(k)) ~ bracket(p, k, j)")
def a_scope_with_one_resource_is_a_bracket(same: Same, p: AnyProgram, k: Step, j: Step) -> None:
    same(scoped(acquire_release(p, Closes(j)).bind(k)), bracket(p, k, Closes(j)))


@law("resources", "a scope that acquires a, then b, then runs p ~ p.ensure(k(b)).ensure(j(a))")
def a_scope_releases_in_reverse_order(
    same: Same, p: AnyProgram, k: Step, j: Step, a: Any, b: Any
) -> None:
    first, second = Closes(_seen(j)), Closes(_seen(k))
    acquiring = acquire_release(pure(a), first).then(acquire_release(pure(b), second))
    same(scoped(acquiring.then(p)), p.ensure(second(b)).ensure(first(a)))


@law("resources", "scoped(p) ~ p, if p leaves nothing to its scope")
def an_empty_scope_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(scoped(p), p)


@law("resources", "p.uninterruptible() ~ p, and p.on_interrupt(q) ~ p")
def without_an_interrupt_it_does_not_matter_who_expects_one(
    same: Same, p: AnyProgram, q: AnyProgram
) -> None:
    same(p.uninterruptible(), p)
    same(p.on_interrupt(q.exit()), p)


@law("resources", "race(never().on_interrupt(p), pure(a)) ~ p, then pure(a)")
def on_interrupt_runs_after_an_interrupt(same: Same, p: AnyProgram, a: Any) -> None:
    same(race(never().on_interrupt(p.exit()), pure(a)), p.exit().then(pure(a)))


@law("resources", "race(p.uninterruptible().then(q), pure(a)) ~ p.exit(), then pure(a)")
def an_interrupt_waits_for_what_is_uninterruptible(
    same: Same, p: AnyProgram, q: AnyProgram, a: Any
) -> None:
    held = later(p.exit()).uninterruptible()
    same(race(held.then(q), pure(a)), p.exit().then(pure(a)))


@law("resources", "race(p.uninterruptible().then(q).uninterruptible(), pure(a)) ~ p, q, pure(a)")
def what_is_uninterruptible_within_ends_nothing(
    same: Same, p: AnyProgram, q: AnyProgram, a: Any
) -> None:
    inner = later(p.exit()).uninterruptible()
    same(
        race(inner.then(later(q.exit())).uninterruptible(), pure(a)),
        p.exit().then(q.exit()).then(pure(a)),
    )
