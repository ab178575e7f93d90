"""Forks and results as they come, in every world."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    Deadlock,
    Deferred,
    Died,
    Do,
    Effect,
    FailedWith,
    Fiber,
    FiberInterrupted,
    Interrupted,
    Message,
    Program,
    State,
    Succeeded,
    as_completed,
    fail,
    free_ask,
    free_call,
    free_self,
    free_sleep,
    free_stop,
    gather,
    handle,
    handler,
    never,
    perform,
    program,
    pure,
    race,
    scoped,
)
from effactor.interpreters import (
    ActorSystem,
    Simulation,
    dry_run,
    explore,
    replay,
    run_free,
    simulate,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


def say(word: Any) -> Program[None]:
    return free_call(log.append, word)


def after(seconds: float, word: Any) -> Program[Any]:
    """Say a word later, and answer it."""
    return free_sleep(seconds).then(say(word)).then(pure(word))


class Broken(Exception):
    """A defect of these tests."""


def die(text: str) -> Program[Any]:
    def raises() -> Any:
        raise Broken(text)

    return pure(None).map(lambda _: raises())


def run(world: World, value: Any) -> Any:
    async def body(system: ActorSystem) -> Any:
        return await system.run_free(value.exit())

    return world.run(body)


# ------------------------------------------------------------ handles


def test_a_fork_runs_beside_what_goes_on(world: World) -> None:
    @program
    def work() -> Do[Any]:
        fiber = yield from after(2, "fork").fork()
        yield from after(1, "main")
        return (yield from fiber.join())

    assert run(world, work()) == Succeeded("fork")
    assert log == ["main", "fork"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (after(1, "x"), Succeeded("x")),
        (free_sleep(1).then(fail("no")), FailedWith("no")),
        (pure("at once"), Succeeded("at once")),
        (fail("at once"), FailedWith("at once")),
    ],
)
def test_join_ends_like_the_fork_as_often_as_asked(
    world: World, source: Program[Any], expected: Any
) -> None:
    @program
    def work(pause: float) -> Do[Any]:
        fiber = yield from source.fork()
        yield from free_sleep(pause)
        one = yield from fiber.join().exit()
        two = yield from gather([fiber.join().exit(), fiber.wait()])
        return [one, *two]

    assert run(world, work(0)) == Succeeded([expected] * 3)
    assert run(world, work(5)) == Succeeded([expected] * 3)


def test_a_defect_of_a_fork_is_the_joiners(world: World) -> None:
    @program
    def work() -> Do[Any]:
        fiber = yield from free_sleep(1).then(die("fork")).fork()
        seen = yield from fiber.wait()
        assert isinstance(seen, Died)
        return (yield from fiber.join())

    assert str(run(world, work()).defect) == "fork"


def test_interrupt_waits_for_the_finalisers_and_answers_the_exit(world: World) -> None:
    @program
    def work() -> Do[Any]:
        slow = yield from never().ensure(after(2, "ensured")).fork()
        done = yield from pure(3).fork()
        firm = yield from after(4, "firm").uninterruptible().fork()
        yield from free_sleep(1)
        exits: list[Any] = []
        for fiber in (slow, done, firm):
            exits.append((yield from fiber.interrupt()))
            log.append("went on")
        exits.append((yield from slow.interrupt()))
        exits.append((yield from slow.wait()))
        return exits

    stopped = Interrupted()
    answer = [stopped, Succeeded(3), stopped, stopped, stopped]
    assert run(world, work()) == Succeeded(answer)
    assert log == ["ensured", "went on", "went on", "firm", "went on"]


def test_a_fork_that_is_interrupted_before_its_first_turn_never_begins(world: World) -> None:
    value = say("never").fork().bind(lambda fiber: fiber.interrupt())
    assert run(world, value) == Succeeded(Interrupted())
    assert log == []


def test_to_join_an_interrupted_fork_is_a_defect_that_names_it(world: World) -> None:
    @program
    def sleeper() -> Do[None]:
        yield from never()

    @program
    def work() -> Do[Any]:
        fiber = yield from sleeper().fork()
        yield from fiber.interrupt()
        return (yield from fiber.join())

    defect = run(world, work()).defect
    assert isinstance(defect, FiberInterrupted)
    assert "the fork sleeper was interrupted" in str(defect)


def test_a_handle_is_a_value_that_stays_here() -> None:
    async def body(system: ActorSystem) -> Fiber[Any, Any]:
        return await system.run_free(after(1, "x").named("brew").fork())

    async def main() -> Fiber[Any, Any]:
        async with ActorSystem("sim") as system:
            return await body(system)

    fiber = asyncio.run(main())
    assert repr(fiber) == "<Fiber brew>"
    assert fiber.name == "brew"
    assert fiber.join() == fiber.join()
    assert fiber.join() != fiber.wait()
    assert "join" in repr(fiber.join()).lower()
    refused = "<Fiber brew> cannot be pickled: it runs here; send its answer instead"
    for value in (fiber, fiber.join(), fiber.wait().map(str), fiber.interrupt()):
        with pytest.raises(TypeError, match=refused):
            pickle.dumps(value)
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.copy(fiber)


# ------------------------------------------------------------ who waits


def test_a_fork_can_be_joined_by_another_fork_a_run_and_an_actor(world: World) -> None:
    @dataclass(frozen=True)
    class Join(Message[str]):
        fiber: Fiber[str, Any]

    class Joiner(Actor[Join]):
        @handler
        @program
        def join(self, message: Join) -> Do[str, Any]:
            answer = yield from message.fiber.join()
            return f"actor got {answer}"

    async def body(system: ActorSystem) -> Any:
        joiner = await system.spawn(Joiner)
        handles: list[Fiber[str, Any]] = []

        @program
        def work() -> Do[list[str], Any]:
            fiber = yield from after(5, "x").fork()
            handles.append(fiber)
            other = yield from fiber.join().map(lambda it: f"fork got {it}").fork()
            asked = yield from free_ask(joiner, Join(fiber))
            return [asked, (yield from other.join())]

        task = asyncio.ensure_future(system.run_free(work()))
        await asyncio.sleep(1)
        got = await system.run_free(handles[0].join())
        late = await system.run_free(handles[0].join())
        return [got, late, *(await task)]

    assert world.run(body) == ["x", "x", "actor got x", "fork got x"]


def test_a_fork_that_joins_itself_or_an_ancestor_is_a_deadlock(world: World) -> None:
    @program
    def work(how: str, deep: bool) -> Do[Any]:
        handles: list[Fiber[Any, Any]] = []

        @program
        def circular() -> Do[Any, Any]:
            yield from free_sleep(1)
            inner: Program[Any] = getattr(handles[0], how)()
            if not deep:
                return (yield from inner)
            fiber = yield from gather([inner.timeout(5)]).fork()
            return (yield from fiber.join())

        handles.append((yield from circular().fork()))
        return (yield from handles[0].join())

    for how in ("join", "wait", "interrupt"):
        for deep in (False, True):
            defect = run(world, work(how, deep)).defect
            assert isinstance(defect, Deadlock)
            assert "the fork circular waits for its own end" in str(defect)


def test_a_joiner_that_is_interrupted_leaves_the_outcome_to_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    @program
    def work() -> Do[Any]:
        fiber = yield from free_sleep(5).then(fail("no")).fork()
        yield from fiber.join().timeout(1).exit()
        joiner = yield from fiber.join().fork()
        yield from free_sleep(1)
        yield from joiner.interrupt()
        return (yield from fiber.wait())

    assert run(world, work()) == Succeeded(FailedWith("no"))
    assert caplog.messages == []


# What follows needs an interrupt after something was handed to a fiber, and before that
# goes on with it. Whoever waits for a deferred goes on before those who are woken later
# in the turn that completes it.


@pytest.mark.parametrize("how", ["join", "wait"])
@pytest.mark.parametrize("bad", [fail("bad"), die("bad")])
@pytest.mark.parametrize("others", [False, True])
def test_an_outcome_that_an_interrupt_took_from_its_joiner_is_not_lost(
    world: World, caplog: pytest.LogCaptureFixture, how: str, bad: Any, others: bool
) -> None:
    done: Deferred[None] = Deferred()

    @program
    def work() -> Do[None]:
        handles: list[Fiber[Any, Any]] = []
        killer = done.get().bind(lambda _: handles[1].interrupt())
        handles.append((yield from killer.fork()))
        fiber = yield from free_sleep(1).then(done.succeed(None)).then(bad).fork()
        waiting: Program[Any] = getattr(fiber, how)()
        handles.append((yield from waiting.exit().bind(say).fork()))
        if others:
            yield from fiber.wait().bind(say).fork()
        yield from free_sleep(2)

    outcome = run(world, scoped(work()))
    reported = isinstance(outcome, Died) or "nobody has joined" in caplog.text
    assert reported == (log == [])  # not both, and not neither
    assert len(log) >= int(others)
    if world.name == "live":
        assert len(log) == int(others)


@pytest.mark.parametrize("next_in_line", ["already waits", "comes later", "never comes"])
def test_a_result_that_an_interrupt_took_is_the_next_ones(
    world: World, caplog: pytest.LogCaptureFixture, next_in_line: str
) -> None:
    done: Deferred[None] = Deferred()

    @program
    def work() -> Do[None]:
        handles: list[Fiber[Any, Any]] = []
        killer = done.get().bind(lambda _: handles[0].interrupt())
        yield from killer.fork()
        first = free_sleep(1).then(done.succeed(None)).then(fail("bad"))
        last: list[Program[Any]] = [never()] if next_in_line == "already waits" else []
        following = yield from as_completed([first, *last])
        handles.append((yield from following[0].exit().bind(say).fork()))
        if next_in_line == "already waits":
            yield from following[1].exit().bind(say).fork()
        yield from free_sleep(2)
        if next_in_line == "comes later" and not log:
            yield from following[0].exit().bind(say)

    assert run(world, scoped(work())) == Succeeded(None)
    reported = "nobody has joined" in caplog.text
    assert [*log, *(["reported"] if reported else [])] in (
        [FailedWith("bad")],
        ["reported"],
    )
    if next_in_line != "never comes":
        assert not reported
    elif world.name == "live":
        assert reported


def test_an_interrupt_that_comes_while_a_fork_runs_takes_effect_where_it_waits(
    world: World,
) -> None:
    class Killer(Actor[Fiber[Any, Any]]):
        """Interrupts whoever asks it, on that one's own stack."""

        @handler
        @program
        def kill(self, message: Fiber[Any, Any]) -> Do[None]:
            yield from message.interrupt()

    async def body(system: ActorSystem) -> Any:
        killer: ActorRef[Fiber[Any, Any]] = await system.spawn(Killer)
        handles: list[Fiber[Any, Any]] = []

        @program
        def victim() -> Do[None, Any]:
            yield from free_sleep(1)
            yield from free_ask(killer, handles[0]).on_interrupt(say("told"))
            yield from say("never")

        @program
        def work() -> Do[Any]:
            handles.append((yield from victim().fork()))
            return (yield from handles[0].wait())

        return await system.run_free(work().timeout(100))

    assert world.run(body) == Interrupted()
    assert log == ["told"]


# ------------------------------------------------------------ scopes


def test_the_scopes_of_a_fork(world: World) -> None:
    def started(name: str) -> Program[Any]:
        return never().on_interrupt(say(f"end of {name}")).fork()

    @program
    def block() -> Do[None]:
        yield from started("main")

    @program
    def work() -> Do[None]:
        yield from block()
        yield from started("main").timeout(1).attempt()
        yield from free_sleep(2)
        yield from say("still running")
        yield from gather([started("branch").then(free_sleep(1))])
        yield from say("branch over")
        outer = yield from started("fork").then(free_sleep(1)).fork()
        yield from outer.join()
        yield from say("fork over")
        yield from scoped(started("scoped").then(free_sleep(1)))
        yield from say("scoped over")

    run(world, work())
    ends = [f"{kind} {name}" for name in ("branch", "fork", "scoped") for kind in ("end of",)]
    inner = [line for end in ends for line in (end, f"{end.removeprefix('end of ')} over")]
    assert log == ["still running", *inner, "end of main", "end of main"]


def test_forks_are_interrupted_together_at_the_end(world: World) -> None:
    async def body(system: ActorSystem) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        slow = never().ensure(free_sleep(5)).fork()
        await system.run_free(scoped(slow.then(slow).then(slow).then(free_sleep(1))))
        return loop.time() - began

    assert world.run(body) == pytest.approx(6, abs=0.5)


@pytest.mark.parametrize(
    ("bad", "as_it_ends"),
    [(fail("lost"), False), (die("lost"), False), (die("lost"), True)],
    ids=["failure", "defect", "defect at the end"],
)
def test_what_an_interrupted_joiner_has_not_seen_is_logged_where_the_scope_is_over(
    world: World, caplog: pytest.LogCaptureFixture, bad: Any, as_it_ends: bool
) -> None:
    gate = Deferred[None]()
    fibers: list[Fiber[Any, Any]] = []

    @program
    def inside() -> Do[None]:
        fibers.append((yield from gate.get().then(bad).uninterruptible().fork()))
        yield from free_sleep(1)
        yield from free_sleep(1.5) if as_it_ends else gate.get()

    @program
    def work() -> Do[Any]:
        scope = yield from scoped(inside()).fork()
        yield from free_sleep(2)
        joiner = yield from fibers[0].join().fork()
        yield from free_sleep(1)
        # The joiner is told how the fork ended, and before it goes on this is next.
        yield from gate.get().then(joiner.interrupt()).fork()
        yield from free_sleep(1)
        yield from gate.succeed(None)
        return (yield from scope.wait())

    outcome = run(world, work())
    assert outcome == Succeeded(Succeeded(None))
    [message] = caplog.messages
    assert "a fork ended badly, and who has joined it was interrupted" in message
    assert "lost" in caplog.text


def test_a_failure_that_nobody_joined_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    value = scoped(fail("lost").fork().then(free_sleep(1)))
    assert run(world, value.then(pure("fine"))) == Succeeded("fine")
    assert caplog.messages == ["/sim/fail#1: a fork failed that nobody has joined"]
    assert "failed with 'lost'" in caplog.text


@pytest.mark.parametrize("end", [pure(1), fail("no"), die("main")])
def test_a_defect_that_nobody_joined_is_the_scopes(world: World, end: Any) -> None:
    one, two = die("one").fork(), free_sleep(1).then(die("two")).fork()
    assert str(run(world, scoped(one.then(free_sleep(1)).then(end))).defect) == "one"
    defect: Any = run(world, scoped(one.then(two).then(free_sleep(2)).then(end))).defect
    assert type(defect) is ExceptionGroup
    assert [str(error) for error in defect.exceptions] == ["one", "two"]
    assert (defect.__context__ is None) == isinstance(end, type(pure(1)))


def test_a_defect_that_was_seen_is_nobody_elses(world: World) -> None:
    value = die("seen").fork().bind(lambda fiber: fiber.wait()).then(pure("fine"))
    assert run(world, value) == Succeeded("fine")


def test_a_fork_that_dies_at_the_end_of_its_scope_is_not_lost(world: World) -> None:
    value = scoped(never().ensure(die("finaliser")).fork().then(free_sleep(1)))
    assert str(run(world, value).defect) == "finaliser"


def test_forks_of_forks_end_from_the_inside(world: World) -> None:
    @program
    def deep(level: int) -> Do[None]:
        if level:
            yield from deep(level - 1).fork()
        yield from never().on_interrupt(say(level))

    run(world, scoped(deep(20).fork().then(free_sleep(1))))
    # Each is interrupted when the body of the one that forked it has ended.
    assert log == list(range(20, -1, -1))


def test_a_chain_of_forks_takes_time_in_proportion_to_its_length() -> None:
    cell = State("forks", 0)

    def lines_of(levels: int) -> int:
        """Count the lines of Python that a chain of so many forks takes."""
        value: Program[Any, Any] = cell.get()
        for _ in range(levels):
            value = cell.modify(_one_more).then(value).fork().bind(_join)
        return _lines(lambda: run_free(value))

    assert lines_of(400) < 2.2 * lines_of(200)


def _one_more(count: int) -> int:
    return count + 1


def _join(fiber: Fiber[Any, Any]) -> Program[Any, Any]:
    return fiber.join()


def _lines(action: Callable[[], object]) -> int:
    count = 0

    def trace(_frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def test_a_chain_of_forks_thousands_deep_ends_without_recursion(world: World) -> None:
    @program
    def deep(level: int) -> Do[int]:
        if not level:
            return 0
        fiber = yield from deep(level - 1).fork()
        return 1 + (yield from fiber.join())

    assert run(world, deep(3000)) == Succeeded(3000)


def test_a_scope_forgets_forks_that_ended_well() -> None:
    @program
    def work(count: int) -> Do[int]:
        total = 0
        for number in range(count):
            value: Program[Any] = pure(number) if number % 3 else die("seen")
            fiber = yield from value.fork()
            if number % 2 or not number % 3:
                total += (yield from fiber.wait()) == Succeeded(number)
            if number % 1000 == 0:
                yield from never().timeout(1).attempt()  # lets the forks run
        gc.collect()
        sizes.append(sum(type(thing).__name__ == "Forked" for thing in gc.get_objects()))
        return total

    sizes: list[int] = []
    assert run_free(work(100_000)) == sum(number % 3 > 0 for number in range(1, 100_000, 2))
    assert sizes[0] <= 1000


def test_a_fork_forgets_those_who_do_not_wait_any_more() -> None:
    @program
    def work() -> Do[None]:
        fiber = yield from never().fork()
        for _ in range(300):
            yield from fiber.join().timeout(1).attempt()
        gc.collect()
        sizes.append(sum(type(thing).__name__ == "ForkWait" for thing in gc.get_objects()))

    sizes: list[int] = []
    run_free(work())
    assert sizes[0] <= 2


def test_many_short_forks_in_one_run(world: World) -> None:
    @program
    def work() -> Do[int]:
        total = 0
        for number in range(2000):
            fiber = yield from pure(number).fork()
            total += yield from fiber.join()
        return total

    assert run(world, work()) == Succeeded(sum(range(2000)))


# ------------------------------------------------------------ surroundings


@dataclass(frozen=True)
class Sql(Effect[str]):
    text: str


def test_a_fork_has_the_handlers_of_where_it_was_started(world: World) -> None:
    @program
    def work() -> Do[Any, Any, Any]:
        fork = free_sleep(1).then(perform(Sql("fork"))).fork()
        fiber = yield from handle(Sql)(lambda op: f"inner {op.text}")(fork)
        results = as_completed([perform(Sql("first"))])
        following = yield from handle(Sql)(lambda op: f"inner {op.text}")(results)
        return [(yield from fiber.join()), (yield from following[0])]

    value = handle(Sql)(lambda op: f"outer {op.text}")(work())
    assert run(world, value) == Succeeded(["inner fork", "inner first"])


def test_a_fork_is_the_same_actor(world: World) -> None:
    class Forker(Actor[str]):
        @handler
        @program
        def fork(self, message: str) -> Do[bool]:
            mine = yield from free_self()
            fiber = yield from free_sleep(1).then(free_self()).fork()
            return mine == (yield from fiber.join())

    async def body(system: ActorSystem) -> Any:
        return await (await system.spawn(Forker)).ask("x")

    assert world.run(body) is True


class Holder(Actor[str]):
    """Its handler has forks that never end by themselves."""

    @handler
    @program
    def hold(self, message: str) -> Do[str]:
        yield from never().ensure(after(0.2, "fork ended")).fork()
        if message == "stop yourself":
            me = yield from free_self()
            yield from free_stop(me, "now")
        yield from free_sleep(100).on_interrupt(say("handler interrupted"))
        return message


@pytest.mark.parametrize("how", ["stop", "shutdown", "itself"])
def test_stopping_an_actor_now_ends_the_forks_of_its_handler(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Holder)
        ask = asyncio.ensure_future(ref.ask("stop yourself" if how == "itself" else "x"))
        await asyncio.sleep(1)
        if how == "stop":
            await ref.stop("now")
        elif how == "shutdown":
            await system.shutdown()
        await ref.join()
        await asyncio.wait([ask])
        assert ask.exception() is not None

    world.run(body)
    assert log == ["handler interrupted", "fork ended"]


def test_shutdown_ends_the_forks_of_runs(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        forks = never().ensure(after(2, "fork ended")).fork().then(never())
        task = asyncio.ensure_future(system.run_free(forks.ensure(say("run ended"))))
        await asyncio.sleep(1)
        await system.shutdown()
        await asyncio.wait([task])
        assert task.cancelled()

    world.run(body)
    assert log == ["run ended", "fork ended"]


def test_a_fork_ends_with_the_handler_that_started_it(world: World) -> None:
    class Short(Actor[str]):
        @handler
        @program
        def short(self, message: str) -> Do[str]:
            yield from never().on_interrupt(say("fork ended")).fork()
            yield from free_sleep(1)
            return message

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Short)
        answer = await ref.ask("x")
        log.append("answered")
        return answer

    assert world.run(body) == "x"
    assert log == ["fork ended", "answered"]


# ------------------------------------------------------------ results as they come


@program
def taken(programs: list[Program[Any, Any]], concurrency: int | None = None) -> Do[list[Any]]:
    exits: list[Any] = []
    for following in (yield from as_completed(programs, concurrency)):
        exits.append((yield from following.exit()))
        log.append("took")
    return exits


def test_results_come_in_the_order_of_completion(world: World) -> None:
    value = taken([after(3, "c"), after(1, "a"), free_sleep(2).then(fail("b"))])
    assert run(world, value) == Succeeded([Succeeded("a"), FailedWith("b"), Succeeded("c")])
    assert log == ["a", "took", "took", "c", "took"]


def test_concurrency_limits_how_many_run_at_a_time(world: World) -> None:
    running: list[int] = []
    most: list[int] = []

    @program
    def one(number: int) -> Do[int]:
        running.append(number)
        most.append(len(running))
        yield from free_sleep(1)
        running.remove(number)
        return number

    value = taken([one(number) for number in range(7)], 3)
    outcome = run(world, value)
    assert sorted(exit_.value for exit_ in outcome.value) == list(range(7))
    assert max(most) == 3


def test_no_programs_give_no_results(world: World) -> None:
    assert run(world, as_completed([])) == Succeeded(())


def test_they_run_whether_or_not_their_results_are_taken(world: World) -> None:
    value = as_completed([after(1, "one"), after(2, "two")]).then(free_sleep(5))
    run(world, value.then(say("end")))
    assert log == ["one", "two", "end"]


def test_to_take_more_than_there_are_is_a_defect(world: World) -> None:
    @program
    def work() -> Do[Any]:
        first, _ = yield from as_completed([pure(1), pure(2)])
        answers = [(yield from first), (yield from first)]
        assert sorted(answers) == [1, 2]
        return (yield from first)

    defect = run(world, work()).defect
    assert str(defect) == "as_completed: all 2 results have been taken already"


def test_an_interrupt_while_taking_leaves_the_result_to_the_next(world: World) -> None:
    @program
    def work(pause: float) -> Do[Any]:
        first, second = yield from as_completed([after(2, "one"), after(4, "two")])
        # At 2 seconds the result and the time's end come together, in any order.
        early: Any = yield from first.map(str).timeout(pause).exit()
        rest: list[Any] = [] if isinstance(early, FailedWith) else [early.value]
        rest.append((yield from second))
        if len(rest) == 1:
            rest.append((yield from first))
        return rest

    assert run(world, work(1)) == Succeeded(["one", "two"])
    assert run(world, work(2)) == Succeeded(["one", "two"])


def test_the_loser_of_a_race_to_take_gives_its_result_back(world: World) -> None:
    @program
    def work() -> Do[Any]:
        first, second, third = yield from as_completed(
            [free_sleep(1).then(pure(name)) for name in "abc"]
        )
        won = yield from race(first, second, third)
        return [won, (yield from second), (yield from third)]

    assert sorted(run(world, work()).value) == ["a", "b", "c"]


def test_those_who_take_are_served_in_order(world: World) -> None:
    @program
    def work() -> Do[Any]:
        nexts = yield from as_completed([after(2, "a"), after(3, "b"), after(4, "c")])
        one, two, three = nexts
        slow = yield from gather(
            [free_sleep(0.3).then(one), free_sleep(0.2).then(two), free_sleep(0.1).then(three)]
        )
        return slow

    assert run(world, work()) == Succeeded(["c", "b", "a"])


def test_untaken_failures_are_logged_and_defects_are_the_scopes(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    results = as_completed([fail("untaken"), pure(1)])
    assert run(world, scoped(results.then(free_sleep(1))).then(pure(2))) == Succeeded(2)
    assert "nobody has joined" in caplog.text
    caplog.clear()
    results = as_completed([die("untaken"), fail("other")])
    outcome = run(world, scoped(results.then(free_sleep(1))).then(pure(2)))
    assert str(outcome.defect) == "untaken"
    caplog.clear()
    seen = taken([die("taken"), fail("taken")])
    assert run(world, scoped(seen).map(len)) == Succeeded(2)
    assert caplog.messages == []


def test_results_taken_after_their_scope_are_those_that_came(world: World) -> None:
    @program
    def work() -> Do[Any]:
        first, second = yield from scoped(
            as_completed([after(1, "one"), after(5, "two")]).bind(
                lambda them: free_sleep(2).then(pure(them))
            )
        )
        answers: list[Any] = [(yield from first)]
        answers.append((yield from second.exit()))
        return answers

    one, two = run(world, work()).value
    assert one == "one"
    assert isinstance(two.defect, FiberInterrupted)


def test_who_waits_for_a_result_of_a_scope_that_ends_is_told(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        handles: list[Any] = []
        start = as_completed([never()]).map(handles.extend)
        task = asyncio.ensure_future(system.run_free(start.then(free_sleep(3))))
        await asyncio.sleep(1)
        outcome = await system.run_free(handles[0].exit())
        await task
        return outcome

    assert isinstance(world.run(body).defect, FiberInterrupted)


def test_the_end_of_the_scope_interrupts_what_runs_for_results(world: World) -> None:
    slow = never().on_interrupt(say("interrupted"))
    run(world, scoped(as_completed([slow, slow]).then(free_sleep(1))).then(say("after")))
    assert log == ["interrupted", "interrupted", "after"]


def test_taken_results_are_not_kept_by_the_scope() -> None:
    @program
    def work() -> Do[None]:
        for _ in range(300):
            for following in (yield from as_completed([pure(1), fail("seen")])):
                yield from following.exit()
        gc.collect()
        sizes.append(sum(type(thing).__name__ == "Completions" for thing in gc.get_objects()))

    sizes: list[int] = []
    run_free(work())
    assert sizes[0] <= 2


# ------------------------------------------------------------ the simulator


@program
def insistent(name: str) -> Do[None]:
    """Wait for ever, with a finaliser inside of another that both perform effects."""
    try:
        try:
            try:
                yield from never()
            finally:
                yield from say(f"{name} inner")
        finally:
            yield from free_sleep(1)
    finally:
        yield from say(f"{name} outer")


def test_the_worlds_end_performs_nothing_and_leaves_nothing_over() -> None:
    @program
    def work() -> Do[None]:
        yield from insistent("fork").fork()
        yield from insistent("uninterruptible").uninterruptible().fork()
        ending = insistent("of a scope that ends").uninterruptible().fork()
        yield from scoped(ending.then(free_sleep(1)))

    @program
    def deeper() -> Do[None]:
        yield from insistent("fork of an outer scope").fork()
        yield from scoped(insistent("inner fork").fork().then(scoped(never())))

    limited = insistent("branch").timeout(1e6).attempt().then(never())
    error = simulate(gather([work(), deeper(), limited])).error
    assert isinstance(error, Deadlock)
    gc.collect()  # "generator ignored GeneratorExit" would be a warning now
    assert log == ["branch inner", "branch outer"]


def test_a_deadlock_names_the_fork_that_is_waited_for() -> None:
    @program
    def lazy() -> Do[None]:
        yield from never()

    firm = lazy().uninterruptible().fork()
    joined = simulate(lazy().fork().bind(lambda fiber: fiber.join())).error
    assert "waits for the fork lazy, which waits for never()" in str(joined)
    ending = simulate(firm.then(free_sleep(1))).error
    assert "waits for the end of the fork lazy, which waits for never()" in str(ending)
    five = firm.then(firm).then(firm).then(firm).then(firm).then(free_sleep(1))
    said = str(simulate(five).error)
    assert "waits for the end of 5 forks (lazy, lazy, lazy, ...)" in said
    taking = simulate(as_completed([lazy()]).bind(lambda following: following[0])).error
    assert "waits for the next of several results" in str(taking)


def test_a_deadlock_of_forks_that_wait_for_each_other_or_in_a_long_chain_is_told() -> None:
    @program
    def waits(handles: list[Fiber[Any, Any]], number: int) -> Do[Any]:
        yield from free_sleep(1)
        return (yield from handles[number].join())

    @program
    def chained(count: int, circle: bool) -> Do[Any]:
        handles: list[Fiber[Any, Any]] = []
        for number in range(1, count + 1):
            one = waits(handles, number).named(f"n{number}")
            handles.append((yield from one.fork()))
        last: Program[Any] = waits(handles, 0) if circle else never()
        handles.append((yield from last.named("last").fork()))
        return (yield from handles[0].join())

    said = str(simulate(chained(1, True)).error)
    assert "waits for the fork n1, which waits for the fork last" in said
    said = str(simulate(chained(500, False)).error)
    assert "waits for the fork n1, which waits for the fork n2" in said


class Crashing(Actor[str]):
    """It has forks and finalisers when it crashes."""

    @handler
    @program
    def hold(self, message: str) -> Do[str]:
        yield from insistent("fork").ensure(say("fork ensured")).fork()
        yield from insistent("handler").ensure(say("ensured"))
        return message


def test_a_crash_runs_no_finaliser_of_forks() -> None:
    def scenario(sim: Simulation) -> None:
        ref = sim.spawn(Crashing, "a")
        ask = free_ask(ref, "x").exit()
        crash = free_sleep(1).then(free_call(sim.crash, ref)).then(free_sleep(1))
        (outcome, _) = sim.run(gather([ask, crash]))
        assert isinstance(outcome, FailedWith)

    outcome = simulate(scenario)
    assert outcome.error is None
    gc.collect()
    assert log == []


def test_every_order_of_forks_is_tried_and_can_be_replayed() -> None:
    @program
    def adds(amounts: list[int], cell: list[int]) -> Do[None]:
        for amount in amounts:
            seen = cell[0]
            yield from free_sleep(1)  # another fork may go in between
            cell[0] = seen + amount

    @program
    def lost_update(cell: list[int]) -> Do[None]:
        one = yield from adds([1], cell).fork()
        yield from free_sleep(1)
        two = yield from adds([1], cell).fork()
        yield from one.join()
        yield from two.join()

    def scenario(sim: Simulation) -> None:
        cell = [0]
        sim.run(lost_update(cell))
        assert cell == [2]

    verdict = explore(scenario, 200)
    assert not verdict.ok
    assert verdict.failure is not None
    again = replay(scenario, verdict.failure.token)
    assert isinstance(again.error, AssertionError)
    assert again.trace == verdict.failure.trace


# ------------------------------------------------------------ the other interpreters


def pause(seconds: float) -> Program[Any]:
    """Let time pass without a sleep, which `run_free` without a system has not."""
    return never().timeout(seconds).attempt()


@program
def tour(word: Any) -> Do[Any, Any, Any]:
    """Use all there is about forks."""
    fiber = yield from pause(2).then(pure(word)).fork()
    lazy = yield from never().fork()
    failing = yield from pause(1).then(fail("no")).fork()
    exits: list[Any] = [(yield from lazy.interrupt()), (yield from failing.wait())]
    for following in (yield from as_completed([pause(4).then(pure(4)), pause(3).then(pure(3))])):
        answer = yield from following
        exits.append(answer)
    exits.append((yield from fiber.join()))
    exits.append((yield from lazy.join().exit()))
    return exits


def test_forks_mean_the_same_in_every_interpreter(world: World) -> None:
    here: Any = run_free(tour("tea").exit())
    assert here.value[:-1] == [Interrupted(), FailedWith("no"), 3, 4, "tea"]
    assert isinstance(here.value[-1].defect, FiberInterrupted)
    assert repr(run(world, tour("tea"))) == repr(here)
    assert repr(dry_run(tour("tea")).outcome) == repr(here)


def test_run_free_answers_the_effects_of_forks_and_says_where_it_is_stuck() -> None:
    asked = perform(Sql("x")).fork().bind(lambda fiber: fiber.join())
    assert run_free(asked, {Sql: lambda op: op.text}) == "x"
    with pytest.raises(Deadlock, match="waits for the fork never, which waits for never"):
        run_free(never().named("never").fork().bind(lambda fiber: fiber.join()))


def test_a_dry_run_shows_forks_as_branches_of_their_own() -> None:
    @program
    def work() -> Do[None]:
        fiber = yield from free_sleep(1).named("brew").fork()
        yield from fiber.join()

    text = str(dry_run(work()))
    assert "fork brew" in text
    assert "sleep 1 s" in text
