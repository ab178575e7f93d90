"""Laws of programs at once: branches, forks, timeouts, and what becomes of losers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import (
    Deferred,
    Interrupted,
    Queue,
    Quorum,
    Timeout,
    as_completed,
    at_least,
    fail,
    first_success,
    free_sleep,
    gather,
    never,
    perform,
    pure,
    race,
    scoped,
    traverse,
    zip_,
)
from effactor.testing.blocks import binding, in_turn
from effactor.testing.effects import Add, Ledger, Take, elsewhere
from effactor.testing.functions import Raises
from effactor.testing.law import Same, law
from effactor.testing.waiting import HOUR, later, stuck

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram

    Step = Callable[[Any], AnyProgram]


def apart(programs: list[AnyProgram]) -> list[AnyProgram]:
    """Let programs act on accounts of their own."""
    return [elsewhere(number, program) for number, program in enumerate(programs)]


def plain(failure: Any) -> Any:
    """Forget which program was timed out: it may be written in another way."""
    return Timeout if isinstance(failure, Timeout) else failure


# ------------------------------------------------------------ several at once


@law("concurrency", "zip_(p, pure(b)) ~ p.map(lambda x: (x, b)), and the other way round")
def zipping_with_an_answer_pairs(same: Same, p: AnyProgram, b: Any) -> None:
    same(zip_(p, pure(b)), p.map(lambda x: (x, b)))
    same(zip_(pure(b), p), p.map(lambda x: (b, x)))


@law("concurrency", "gather([p]) ~ p.map(lambda x: [x]), and zip_(p) ~ p.map(lambda x: (x,))")
def one_branch_is_its_program(same: Same, p: AnyProgram) -> None:
    same(gather([p]), p.map(lambda x: [x]))
    same(zip_(p), p.map(lambda x: (x,)))


@law("concurrency", 'gather([p], mode="collect") ~ p.exit().map(lambda x: [x])')
def collecting_one_outcome_is_its_exit(same: Same, p: AnyProgram) -> None:
    same(gather([p], mode="collect"), p.exit().map(lambda x: [x]))


@law("concurrency", "traverse(ns, pure) ~ pure(ns)")
def traversing_without_effects_changes_nothing(same: Same, ns: list[Any]) -> None:
    same(traverse(ns, pure), pure(ns))


@law("concurrency", "traverse([a, b], k, concurrency=1) ~ k(a), then k(b)")
def one_at_a_time_is_one_after_the_other(same: Same, k: Step, a: Any, b: Any) -> None:
    def waiting(item: Any) -> AnyProgram:
        return later(pure(item).bind(k))

    same(traverse([a, b], waiting, concurrency=1), in_turn(parts=(waiting(a), waiting(b))))


@law("concurrency", "gather(us, concurrency=n) ~ gather(us), if they do not interact")
def a_limit_changes_timing_only(same: Same, us: list[AnyProgram], n: int) -> None:
    limited = gather(apart(us), mode="collect", concurrency=n + 1)
    same(limited, gather(apart(us), mode="collect"))


@law("concurrency", "gather(ps, concurrency=n): never more than n have begun and not ended")
def no_more_run_at_once_than_the_limit(same: Same, n: int, m: int) -> None:
    one = perform(Add(1)).then(later(perform(Take(1)), turns=2))
    ledger = Ledger()
    same.run(ledger.handling(gather([one] * (n + m + 1), concurrency=n + 1)))
    running, most = 0, 0
    for effect in ledger.entries:
        running += 1 if isinstance(effect, Add) else -1
        most = max(most, running)
    assert most <= n + 1, f"{most} ran at once, and the limit was {n + 1}"


@law("concurrency", "gather of pure(0), pure(1) ..., each after some turns ~ pure([0, 1 ...])")
def results_are_in_the_order_of_the_programs(same: Same, ns: list[int]) -> None:
    branches = [later(pure(index), turns) for index, turns in enumerate(ns)]
    same(gather(branches), pure(list(range(len(ns)))))


@law("concurrency", "gather([u, v]) ~ gather([v, u]).map(reversed), if they do not interact")
def branches_that_do_not_interact_commute(same: Same, u: AnyProgram, v: AnyProgram) -> None:
    first, second = apart([u, v])
    same(
        gather([first, second], mode="collect"),
        gather([second, first], mode="collect").map(lambda both: both[::-1]),
    )


@law("concurrency", "gather([s, then never(), finally q; fail(e)]) ~ s, q, fail(e)")
def the_first_bad_end_interrupts_the_others_first(
    same: Same, s: AnyProgram, q: AnyProgram, e: Any
) -> None:
    same(gather([stuck(s, q), later(fail(e))]), s.exit().then(q.exit()).then(fail(e)))
    same(zip_(stuck(s, q), fail(e)), s.exit().then(q.exit()).then(fail(e)))


# ------------------------------------------------------------ races


@law("concurrency", "race(p, never()) ~ p ~ race(never(), p)")
def a_race_against_what_never_ends_is_won(same: Same, p: AnyProgram) -> None:
    same(race(p, never()), p)
    same(race(never(), p), p)
    same(race(p), p)


@law("concurrency", "race(pure(a), p) ~ pure(a), and race(fail(e), p) ~ fail(e)")
def what_had_not_begun_when_a_race_was_won_never_does(
    same: Same, a: Any, e: Any, p: AnyProgram
) -> None:
    same(race(pure(a), p), pure(a))
    same(race(fail(e), p), fail(e))


@law("concurrency", "race(s, then never(), finally q; p) ~ s, p.exit(), q, then as p ended")
def the_finalisers_of_losers_run_before_the_race_answers(
    same: Same, s: AnyProgram, q: AnyProgram, p: AnyProgram
) -> None:
    after = perform(Add(1, "after the race"))
    same(
        race(stuck(s, later(q)), p).ensure(after),
        s.exit().then(p.ensure(q.exit())).ensure(after),
    )


@law("concurrency", "race(never().ensure(dying), pure(a)) ~ dying")
def the_defect_of_a_loser_is_not_lost(same: Same, a: Any) -> None:
    dying = pure(a).map(Raises("dying"))
    same(race(never().ensure(dying), pure(a)), dying)


@law("concurrency", "race(race(never().ensure(p), never()), pure(a)) ~ p, then pure(a)")
def an_interrupt_reaches_branches_of_branches(same: Same, p: AnyProgram, a: Any) -> None:
    inner = gather([never().ensure(p.exit()), never()])
    # A turn later, so that the inner branches have begun.
    same(race(inner, later(pure(a), turns=3)), p.exit().then(pure(a)))


@law("concurrency", "first_success(fail(e), pure(a), p) ~ pure(a)")
def the_first_success_goes_before_failures(same: Same, a: Any, e: Any, p: AnyProgram) -> None:
    same(first_success(fail(e), pure(a), p), pure(a))


@law("concurrency", "at_least(2, pure(a), fail(e), pure(b), p) ~ pure(Quorum((a, b), (e,)))")
def a_quorum_lists_who_succeeded_and_who_failed(
    same: Same, a: Any, b: Any, e: Any, p: AnyProgram
) -> None:
    answered = at_least(2, pure(a), fail(e), pure(b), p)
    same(answered, pure(Quorum(succeeded=(a, b), failed=(e,))))


# ------------------------------------------------------------ timeouts


@law("concurrency", "p.timeout(an hour) ~ p, and p.deadline(an hour) ~ p")
def a_timeout_that_is_not_reached_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(p.timeout(HOUR), p)
    same(p.deadline(HOUR), p)


@law("concurrency", "s.timeout(0) ~ s")
def what_never_waits_is_never_late(same: Same, s: AnyProgram) -> None:
    same(s.timeout(0), s)


@law("concurrency", "(s, then never(), finally q).timeout(0) ~ s, q, fail(Timeout)")
def a_timeout_interrupts_and_then_fails(same: Same, s: AnyProgram, q: AnyProgram) -> None:
    same(stuck(s, q).timeout(0).alt(plain), s.exit().then(q.exit()).then(fail(Timeout)))


@law("concurrency", "race(never().timeout(2), sleep 1, then s) ~ s", needs_time=True)
def a_timeout_takes_its_time(same: Same, s: AnyProgram, n: int) -> None:
    timed = never().timeout(n + 1).alt(plain)
    same(race(timed, free_sleep(n).then(s)), s)
    same(race(timed, free_sleep(n + 2).then(s)), fail(Timeout))


# ------------------------------------------------------------ forks


@law("concurrency", "p.fork().bind(join) ~ p, and p.fork().bind(wait) ~ p.exit()")
def to_join_a_fork_is_to_run_it(same: Same, p: AnyProgram) -> None:
    same(p.fork().bind(lambda fiber: fiber.join()), p)
    same(p.fork().bind(lambda fiber: fiber.wait()), p.exit())


@law("concurrency", "(s, then never(), finally q).fork().bind(interrupt) ~ s, q, pure(Interrupted)")
def to_interrupt_a_fork_is_to_wait_for_its_finalisers(
    same: Same, s: AnyProgram, q: AnyProgram
) -> None:
    begun: Deferred[None] = Deferred()
    forked = stuck(s.exit().then(begun.succeed(None)), q).fork()
    interrupted = forked.bind(lambda fiber: begun.get().then(fiber.interrupt()))
    same(interrupted, s.exit().then(q.exit()).then(pure(Interrupted())))


@law("concurrency", "scoped((s, then never(), finally q).fork().then(p)) ~ s, p.exit(), q")
def the_end_of_a_scope_interrupts_its_forks_and_awaits_them(
    same: Same, s: AnyProgram, q: AnyProgram, p: AnyProgram
) -> None:
    begun: Deferred[None] = Deferred()
    forked = stuck(s.exit().then(begun.succeed(None)), later(q)).fork()
    after = perform(Add(1, "after the scope"))
    same(
        scoped(forked.then(begun.get()).then(p)).ensure(after),
        s.exit().then(p.ensure(q.exit())).ensure(after),
    )


@law("concurrency", "scoped(dying.fork().then(p)) ~ p.exit(), then dying")
def the_defect_of_a_fork_becomes_the_scopes_own(same: Same, p: AnyProgram, a: Any) -> None:
    ended: Deferred[None] = Deferred()
    dying = pure(a).map(Raises("dying"))
    forked = dying.ensure(ended.succeed(None)).fork()
    same(scoped(forked.then(ended.get()).then(p.exit())), p.exit().then(dying))


@law("concurrency", "the one result of as_completed([p]) ~ p")
def the_one_result_of_one_program_is_its_own(same: Same, p: AnyProgram) -> None:
    same(scoped(as_completed([p]).bind(lambda results: results[0])), p)


@law("concurrency", "as_completed of sleeps: their order", needs_time=True)
def results_come_in_the_order_of_completion(same: Same, ns: list[int]) -> None:
    # No two at the same time: who comes first then is the interpreter's business.
    seconds = list(dict.fromkeys(ns))
    sleeping = [free_sleep(n).then(pure(n)) for n in seconds]
    taking = as_completed(sleeping).bind(lambda results: in_turn(parts=results))
    same(scoped(taking), pure(sorted(seconds)))


# ------------------------------------------------------------ what is given and not taken


@law("concurrency", "race(queue.get(), queue.put(a)), then queue.get() ~ pure(a)")
def what_a_loser_was_given_goes_to_the_next(same: Same, a: Any) -> None:
    queue: Queue[Any] = Queue()
    same(race(queue.get(), queue.put(a)).then(queue.get()), pure(a))


@law("concurrency", "queue.put(a), queue.put(b), queue.get(), queue.get() ~ pure(a), pure(b)")
def a_queue_keeps_the_order(same: Same, a: Any, b: Any) -> None:
    queue: Queue[Any] = Queue()
    taking = in_turn(parts=(queue.get(), queue.get()))
    same(queue.put(a).then(queue.put(b)).then(taking), pure([a, b]))


@law("concurrency", "a deferred's get() in one branch ~ what another branch gave it")
def a_deferred_answers_what_it_was_given(same: Same, a: Any, k: Step) -> None:
    deferred: Deferred[Any] = Deferred()
    waiting = binding(deferred.get(), k)
    both = gather([waiting, later(deferred.succeed(a))], mode="collect")
    same(both.map(lambda exits: exits[0]), pure(a).bind(k).exit())
