"""Resources and interrupts, in every world: what must happen however a program ends."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import WORLDS, World

from effactor import (
    Actor,
    Died,
    Do,
    Effect,
    Failed,
    FailedWith,
    Program,
    Succeeded,
    acquire_release,
    bracket,
    fail,
    free_call,
    free_sleep,
    gather,
    handle,
    handler,
    never,
    perform,
    program,
    pure,
    race,
    scoped,
    zip_,
)
from effactor.interpreters import ActorSystem, run_free
from effactor.programs.resources import Bracket

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


def say(*words: Any) -> Program[None]:
    return free_call(log.append, words[0] if len(words) == 1 else words)


def run(world: World, value: Any) -> Any:
    async def body(system: ActorSystem) -> Any:
        return await system.run_free(value.exit())

    return world.run(body)


def cancelled_after(world: World, seconds: float, value: Any) -> None:
    """Run *value*, and cancel the run after some seconds."""

    async def body(system: ActorSystem) -> None:
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)


class Broken(Exception):
    """A failure or defect of these tests."""


def die(text: str) -> Program[Any]:
    def raises() -> None:
        raise Broken(text)

    return pure(None).map(lambda _: raises())


# ------------------------------------------------------------ the property
#
# A shape is a tree; `build` makes a program of it that writes what happens, and when,
# into a history. Everything that takes time takes one second, so that an interrupt
# after each half second meets every point at which the program can wait.

Shape = tuple[Any, ...]

leaves = st.sampled_from([("step",), ("step",), ("step",), ("fail",), ("die",)])


def _deeper(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    flags = st.sampled_from(["good", "good", "good", "dies"])
    return st.one_of(
        st.tuples(st.just("then"), inner, inner),
        st.tuples(st.just("ensure"), inner, flags),
        st.tuples(st.just("bracket"), inner, flags, st.booleans()),
        st.tuples(st.just("scoped"), inner, st.integers(1, 3), flags),
        st.tuples(st.just("block"), inner),
        st.tuples(st.just("on_interrupt"), inner),
        st.tuples(st.just("uninterruptible"), inner),
        st.tuples(st.just("attempt"), inner),
        st.tuples(st.just("exit"), inner),
        st.tuples(st.just("timeout"), inner, st.sampled_from([1.5, 2.5, 1000])),
        st.tuples(st.just("gather"), inner, inner),
        st.tuples(st.just("race"), inner, inner),
        st.tuples(st.just("fork"), inner, inner),
    )


shapes: st.SearchStrategy[Shape] = _deeper(st.recursive(leaves, _deeper, max_leaves=8))


@dataclass
class History:
    """What happened in one run.

    Attributes:
        clock: Tells the time.
        inside: Each resource's enclosing one.
        held: Resources that are acquired and not released.
        released: How often each was.
        steps: When steps ran that an interrupt of the whole stops.
        regions: What `on_interrupt` regions did, by number.
        numbers: Numbers of resources and regions.
    """

    clock: Callable[[], float]
    inside: dict[int, int | None] = field(default_factory=dict[int, "int | None"])
    held: set[int] = field(default_factory=set[int])
    released: Counter[int] = field(default_factory=Counter[int])
    steps: list[float] = field(default_factory=list[float])
    regions: dict[int, list[tuple[str, float]]] = field(default_factory=dict[int, Any])
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def acquire(self, number: int, inside: int | None) -> int:
        self.inside[number] = inside
        assert inside is None or inside in self.held
        self.held.add(number)
        return number

    def release(self, number: int) -> None:
        assert number in self.held, "released, but not held"
        assert all(self.inside[other] != number for other in self.held), "not in reverse order"
        self.held.discard(number)
        self.released[number] += 1

    def region(self, number: int, event: str) -> None:
        self.regions.setdefault(number, []).append((event, self.clock()))


SECOND = free_sleep(1)


def build(shape: Shape, history: History, inside: int | None, stoppable: bool) -> Any:
    """Make the program. *stoppable*: whether an interrupt of the whole may stop its steps."""

    def made(part: Shape, within: int | None = inside, may: bool = stoppable) -> Program[Any, Any]:
        value: Program[Any, Any] = build(part, history, within, may)
        return value

    def release(number: int, how: str = "good") -> Program[Any]:
        over = SECOND.then(free_call(history.release, number))
        return over if how == "good" else over.then(die("release"))

    kind = shape[0]
    if kind == "step":

        def step() -> None:
            if stoppable:
                history.steps.append(history.clock())

        return SECOND.then(free_call(step))
    if kind == "fail":
        return SECOND.then(fail(Broken("failure")))
    if kind == "die":
        return SECOND.then(die("defect"))
    if kind == "then":
        return made(shape[1]).then(made(shape[2]))
    if kind == "ensure":

        def ensured(_: object) -> Program[Any, Any]:
            number = history.acquire(next(history.numbers), inside)
            return made(shape[1], number).ensure(release(number, shape[2]))

        return pure(None).bind(ensured)
    if kind == "bracket":

        def used(number: int) -> Program[Any, Any]:
            return made(shape[1], number)

        acquiring = SECOND.map(lambda _: history.acquire(next(history.numbers), inside))
        if shape[3]:
            one = free_call(lambda: history.acquire(next(history.numbers), inside))
            held: Program[Any, Any] = Bracket(
                one, used, lambda number: release(number, shape[2]), interruptible=True
            )
            return held
        return bracket(acquiring, used, lambda number: release(number, shape[2]))
    if kind == "scoped":

        def opened(left: int, within: int | None) -> Program[Any, Any]:
            if not left:
                return made(shape[1], within)
            acquiring = SECOND.map(lambda _: history.acquire(next(history.numbers), within))
            resource = acquire_release(acquiring, lambda number: release(number, shape[3]))
            return resource.bind(lambda number: opened(left - 1, number))

        return scoped(pure(None).bind(lambda _: opened(shape[2], inside)))
    if kind == "block":

        @program
        def block() -> Do[Any, Any]:
            number = history.acquire(next(history.numbers), inside)
            try:
                return (yield from made(shape[1], number))
            finally:
                yield from release(number).uninterruptible()

        return block()
    if kind == "on_interrupt":

        def region(_: object) -> Program[Any, Any]:
            number = next(history.numbers)

            def note(event: str) -> Program[None]:
                return free_call(history.region, number, event)

            inner = note("begins" if stoppable else "begins, masked").then(made(shape[1]))
            return inner.on_interrupt(note("told")).ensure(note("over"))

        return pure(None).bind(region)
    if kind == "uninterruptible":
        return made(shape[1], may=False).uninterruptible()
    if kind == "attempt":
        return made(shape[1]).attempt()
    if kind == "exit":
        return made(shape[1]).exit()
    if kind == "timeout":
        return made(shape[1]).timeout(shape[2])
    if kind == "gather":
        return gather([made(shape[1]), made(shape[2])])
    if kind == "race":
        return race(made(shape[1]), made(shape[2]))
    assert kind == "fork"

    @program
    def forking() -> Do[Any, Any]:
        # An interrupt reaches the fork when its scope ends: after what is inside has ended.
        part: Program[Any, Any] = made(shape[1], may=False)
        fiber = yield from part.fork()
        yield from made(shape[2])
        return (yield from fiber.join())

    return scoped(forking())


Way = Callable[[Program[Any, Any], float], Program[Any, Any]]


def by_fork(value: Program[Any, Any], at: float) -> Program[Any, Any]:
    return value.fork().bind(lambda fiber: free_sleep(at).then(fiber.interrupt()))


def by_scope(value: Program[Any, Any], at: float) -> Program[Any, Any]:
    return scoped(value.fork().then(free_sleep(at)))


WAYS: dict[str, Way] = {
    "race": lambda value, at: race(value, free_sleep(at)),
    "timeout": lambda value, at: value.timeout(at),
    "a failure beside": lambda value, at: zip_(value, free_sleep(at).then(fail("beside"))),
    "a defect beside": lambda value, at: gather([value, free_sleep(at).then(die("beside"))]),
    "fork": by_fork,
    "scope": by_scope,
}


def check(history: History, at: float | None) -> None:
    """Check what must be true after a run that was interrupted *at* some time, or not."""
    assert history.held == set(), "acquired, but not released"
    assert all(times == 1 for times in history.released.values())
    assert set(history.released) == set(history.inside)
    for events in history.regions.values():
        names = [name for name, _ in events]
        assert names[0].startswith("begins")
        assert names[1:] in (["over"], ["told", "over"])
    if at is None or at == int(at):
        return
    assert all(when < at + 0.25 for when in history.steps), "went on after the interrupt"
    for (kind, begin), *told, (_, over) in history.regions.values():
        if kind == "begins" and begin < at < over - 0.25:
            assert told, "interrupted, and not told"


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
@given(shape=shapes)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_acquired_is_released_once_in_reverse_order_however_it_ends(
    world: World, shape: Shape
) -> None:
    async def body(system: ActorSystem) -> None:
        loop = asyncio.get_running_loop()

        def fresh() -> History:
            began = loop.time()
            return History(lambda: loop.time() - began)

        history = fresh()
        await system.run_free(build(shape, history, None, stoppable=True).exit())
        check(history, None)
        points = [n / 2 for n in range(1, 2 * round(history.clock()) + 1)]
        for at in points:
            for way in WAYS.values():
                history = fresh()
                value = way(build(shape, history, None, stoppable=True), at)
                await system.run_free(value.exit())
                check(history, at)
            history = fresh()
            value = build(shape, history, None, stoppable=True)
            task = asyncio.ensure_future(system.run_free(value.exit()))
            await asyncio.sleep(at)
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
            check(history, at if at != int(at) else None)

    logging.getLogger("effactor.program").disabled = True
    try:
        world.run(body)
    finally:
        logging.getLogger("effactor.program").disabled = False


# ------------------------------------------------------------ brackets


def resource(name: str, acquire: float = 0, release: float = 0) -> tuple[Program[str], Any]:
    """Return an acquire and a release that take their time and say what they did."""
    acquired = free_sleep(acquire).then(say("acquired", name)).then(pure(name))

    def released(it: str) -> Program[None]:
        return free_sleep(release).then(say("released", it))

    return acquired, released


def use(name: str) -> Program[str]:
    return say("used", name).then(free_sleep(10)).then(say("went on", name)).then(pure(name))


def test_an_acquire_that_is_interrupted_goes_on_and_is_released_without_use(world: World) -> None:
    acquire, release = resource("tea", acquire=5, release=5)
    cancelled_after(world, 2, bracket(acquire, use, release))
    assert log == [("acquired", "tea"), ("released", "tea")]


def test_a_use_that_is_interrupted_is_released_and_not_gone_on_with(world: World) -> None:
    acquire, release = resource("tea", release=5)
    cancelled_after(world, 2, bracket(acquire, use, release).then(say("after")))
    assert log == [("acquired", "tea"), ("used", "tea"), ("released", "tea")]


def test_a_release_that_is_interrupted_goes_on_and_what_follows_does_not(world: World) -> None:
    acquire, release = resource("tea", release=5)
    cancelled_after(world, 12, bracket(acquire, use, release).then(say("after")))
    assert log[-2:] == [("went on", "tea"), ("released", "tea")]


def test_an_acquire_that_fails_or_dies_leaves_nothing_to_release(world: World) -> None:
    acquires: list[tuple[Any, type[Any]]] = [(fail("no"), FailedWith), (die("no"), Died)]
    for acquire, expected in acquires:
        failing: Program[str, Any] = free_sleep(1).then(acquire)
        for value in (
            bracket(failing, use, lambda _: say("released")),
            scoped(acquire_release(failing, lambda _: say("released")).bind(use)),
        ):
            assert isinstance(run(world, value), expected)
    assert log == []


@pytest.mark.parametrize("value", [fail("no"), free_sleep(1).then(fail("no"))])
def test_a_mask_ends_with_a_program_that_fails(world: World, value: Any) -> None:
    for failing in (bracket(value, use, say), value.uninterruptible(), value.ensure(pure(1))):
        cancelled_after(world, 2, failing.or_else(pure(1)).then(free_sleep(5)).then(say("never")))
    assert log == []


def test_a_use_that_raises_is_released(world: World) -> None:
    def raises(_: str) -> Program[str]:
        raise Broken("use")

    acquire, release = resource("tea")
    outcome = run(world, bracket(acquire, raises, release))
    assert str(outcome.defect) == "use"
    assert log == [("acquired", "tea"), ("released", "tea")]


def test_a_release_that_raises_is_a_defect_after_which_the_others_are_released(
    world: World,
) -> None:
    def raises(_: str) -> Program[None]:
        raise Broken("release")

    @program
    def work() -> Do[str, str]:
        yield from acquire_release(*resource("one"))
        yield from acquire_release(pure("two"), raises)
        yield from acquire_release(*resource("three"))
        yield from fail("use")
        return "never"

    outcome = run(world, scoped(work()))
    assert str(outcome.defect) == "release"
    assert isinstance(outcome.defect.__context__, Failed)
    names = [("acquired", "one"), ("acquired", "three"), ("released", "three"), ("released", "one")]
    assert log == names


def interruptible(acquire: Program[str], release: Callable[[str], Any]) -> Program[str]:
    return Bracket(acquire, use, release, interruptible=True)


def test_an_interruptible_acquire_ends_at_once_with_nothing_to_release(world: World) -> None:
    async def body(system: ActorSystem) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        slow = interruptible(free_sleep(100).map(str), lambda _: say("released"))
        assert (await system.run_free(slow.timeout(1).exit())).__class__ is FailedWith
        return loop.time() - began

    assert world.run(body) == pytest.approx(1, abs=0.5)
    assert log == []
    _, release = resource("tea")
    cancelled_after(world, 5, interruptible(pure("tea"), release))
    assert log == [("used", "tea"), ("released", "tea")]


# ------------------------------------------------------------ what ends badly


@dataclass(frozen=True)
class Frozen(Exception):
    """An exception that nothing can be assigned to."""

    text: str


def raise_frozen(text: str) -> None:
    raise Frozen(text)


def test_defects_of_finalisers_are_chained_as_python_does(world: World) -> None:
    value = die("use").ensure(die("inner")).ensure(pure(1)).ensure(die("outer"))
    defect = run(world, value).defect
    assert [str(defect), str(defect.__context__), str(defect.__context__.__context__)] == [
        "outer",
        "inner",
        "use",
    ]

    def in_except() -> None:
        try:
            raise Broken("inner")
        except Broken:
            raise Broken("outer")  # noqa: B904 - the context is what is tested

    defect = run(world, die("use").ensure(pure(None).map(lambda _: in_except()))).defect
    assert [str(defect), str(defect.__context__), str(defect.__context__.__context__)] == [
        "outer",
        "inner",
        "use",
    ]


def test_one_defect_raised_by_program_and_finalisers_has_no_circle_of_contexts(
    world: World,
) -> None:
    one, other = Broken("one"), Broken("other")

    def throw(error: Exception) -> Program[None]:
        def raises(_: object) -> None:
            raise error

        return pure(None).map(raises)

    value = throw(one).ensure(throw(other)).ensure(throw(one)).ensure(throw(other))
    assert run(world, value).defect is other
    assert other.__context__ is one
    assert one.__context__ is None


def test_a_frozen_exception_is_a_defect_like_any_other(world: World) -> None:
    broken = free_call(raise_frozen, "x").named("a").ensure(free_call(raise_frozen, "y"))
    defect = run(world, broken.named("b")).defect
    assert defect == Frozen("y")
    assert defect.__context__ == Frozen("x")
    failing: Any = free_call(raise_frozen, "x").refine(Frozen)
    both = gather([never().ensure(free_call(raise_frozen, "y")), failing])
    assert run(world, both).defect.__context__ == Frozen("x")


def test_a_finaliser_that_fails_all_the_same_hides_no_defect(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    failing: Any = fail("no")  # a finaliser's type forbids it
    assert run(world, pure(1).ensure(failing).ensure(say("outer"))) == FailedWith("no")
    assert run(world, fail("first").ensure(failing)) == FailedWith("no")
    assert caplog.messages == []
    assert str(run(world, die("first").ensure(failing).lash(pure)).defect) == "first"
    assert "a finaliser failed after a defect" in caplog.text
    assert log == ["outer"]


def test_what_ends_badly_after_an_interrupt_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    failing: Any = fail("failure")
    value = never().ensure(die("defect")).ensure(failing).ensure(say("outer"))
    cancelled_after(world, 1, value)
    assert log == ["outer"]
    assert caplog.messages == ["/sim/forever#1: a finaliser ended badly after an interrupt"] * 2
    assert "Broken: defect" in caplog.text
    assert "failed with 'failure'" in caplog.text


@pytest.mark.parametrize(
    "value",
    [
        die("lost").ensure(free_sleep(5)),
        free_sleep(5).then(die("lost")).uninterruptible(),
        never().timeout(0).ensure(free_sleep(5).then(die("lost"))),
        scoped(die("lost").ensure(pure(1)).ensure(free_sleep(5)).fork().then(free_sleep(2))),
        die("lost").ensure(free_sleep(5).then(die("other"))),
    ],
    ids=["before", "uninterruptible", "finaliser", "fork", "both"],
)
def test_a_defect_that_an_interrupt_overtakes_is_logged(
    world: World, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    cancelled_after(world, 1, value.then(say("never")))
    assert "Broken: lost" in caplog.text
    assert log == []


def test_a_failure_that_an_interrupt_overtakes_is_not_recovered_from(world: World) -> None:
    value = fail("x").ensure(free_sleep(5)).lash(lambda _: say("recovered"))
    cancelled_after(world, 1, value)
    cancelled_after(world, 1, free_sleep(5).then(fail("x")).uninterruptible().lash(say))
    assert log == []


# ------------------------------------------------------------ masks


def test_nested_masks_end_with_the_outermost(world: World) -> None:
    inner = free_sleep(2).then(say("inner")).uninterruptible()
    outer = inner.then(free_sleep(2)).then(say("outer")).uninterruptible()
    cancelled_after(world, 1, outer.then(say("never")))
    assert log == ["inner", "outer"]


def test_a_timeout_inside_of_a_mask_interrupts_what_it_has_started(world: World) -> None:
    value = never().on_interrupt(say("told")).timeout(5).attempt().then(say("after"))
    cancelled_after(world, 1, value.uninterruptible().then(say("never")))
    assert log == ["told", "after"]


def test_programs_at_once_inside_of_a_mask_are_not_interrupted(world: World) -> None:
    value = gather([free_sleep(5).then(say("one")), free_sleep(6).then(say("two"))])
    cancelled_after(world, 1, value.uninterruptible())
    assert log == ["one", "two"]


def test_on_interrupt_says_nothing_about_success_failure_and_defect(world: World) -> None:
    for value in (pure(1), fail("x"), die("x")):
        run(world, value.on_interrupt(say("told")))
    assert log == []


def test_an_interrupted_block_performs_its_finally_to_the_end(world: World) -> None:
    @program
    def block() -> Do[None]:
        try:
            yield from never()
        finally:
            try:
                yield from free_sleep(5)
                yield from say("inner")
            finally:
                yield from free_sleep(5)
                yield from say("outer")

    async def body(system: ActorSystem) -> None:
        task = asyncio.ensure_future(system.run_free(block().then(say("never"))))
        for _ in range(3):  # the second and third do not shorten it
            await asyncio.sleep(2)
            task.cancel()
        await asyncio.wait([task])

    world.run(body)
    assert log == ["inner", "outer"]


def test_a_finally_that_runs_without_an_interrupt_can_be_interrupted(world: World) -> None:
    # A known limit: nothing tells the engine that a block is in its `finally`. Those
    # who need more write `ensure`, or make its steps uninterruptible.
    @program
    def block() -> Do[None]:
        try:
            yield from pure(None)
        finally:
            yield from free_sleep(5).uninterruptible()
            yield from say("cleaned half")
            yield from free_sleep(5)
            yield from say("cleaned")

    cancelled_after(world, 7, block())
    assert log == ["cleaned half"]


def test_a_block_may_say_more_after_it_swallowed_an_interrupt_but_is_gone_after(
    world: World,
) -> None:
    @program
    def stubborn() -> Do[str]:
        for _ in range(2):
            try:
                yield from free_sleep(5)
            except BaseException:
                log.append("caught")
        return "an answer"

    cancelled_after(world, 1, stubborn().map(log.append))
    assert log == ["caught"]

    @program
    def curt() -> Do[str]:
        try:
            yield from free_sleep(5)
        except BaseException:
            return "caught at once"
        return "an answer"

    cancelled_after(world, 1, curt().map(log.append).then(say("never")))
    assert log == ["caught"]


# ------------------------------------------------------------ scopes


def test_a_do_block_and_a_timed_program_are_no_scopes(world: World) -> None:
    @program
    def work() -> Do[None]:
        yield from acquire_release(*resource("tea"))

    value = work().timeout(5).then(say("after the block"))
    assert run(world, scoped(value).tap(lambda _: say("after the scope"))) == Succeeded(None)
    assert log[1:] == ["after the block", ("released", "tea"), "after the scope"]


def test_branches_forks_and_runs_are_scopes(world: World) -> None:
    def work(name: str) -> Program[None]:
        return acquire_release(*resource(name)).then(say("end of", name))

    @program
    def main() -> Do[None]:
        yield from gather([work("branch")])
        fiber = yield from work("fork").fork()
        yield from fiber.join()
        yield from work("run")

    run(world, main())
    kinds = [[what, name] for name in ("branch", "fork", "run") for what in ("acquired", "end of")]
    for number, name in enumerate(("branch", "fork", "run")):
        kinds.insert(3 * number + 2, ["released", name])
    assert [list(entry) for entry in log] == kinds


def test_a_resource_outlives_the_bracket_it_was_acquired_in(world: World) -> None:
    inner = bracket(*_used_with(resource("inner"), acquire_release(*resource("scope"))))
    run(world, scoped(inner).then(say("after")))
    assert log == [
        ("acquired", "inner"),
        ("acquired", "scope"),
        ("released", "inner"),
        ("released", "scope"),
        "after",
    ]


def _used_with(of: tuple[Program[str], Any], used: Program[Any]) -> tuple[Any, Any, Any]:

    def use_it(_: str) -> Program[Any]:
        return used

    return of[0], use_it, of[1]


@pytest.mark.parametrize("end", [pure("fine"), fail("no"), die("no"), never()])
def test_a_scope_ends_its_forks_before_it_releases(world: World, end: Any) -> None:
    @program
    def work() -> Do[None, Any]:
        yield from acquire_release(*resource("one", release=1))
        yield from never().ensure(free_sleep(2).then(say("fork ended"))).fork()
        yield from acquire_release(*resource("two", release=1))
        yield from free_sleep(1).then(end)

    run(world, scoped(work()).timeout(3).attempt().exit().then(say("after")))
    assert log[2:] == ["fork ended", ("released", "two"), ("released", "one"), "after"]


def test_what_a_finaliser_leaves_to_the_run_ends_too(world: World) -> None:
    @program
    def late() -> Do[None]:
        yield from acquire_release(*resource("late"))
        yield from never().on_interrupt(say("late fork ended")).fork()
        yield from free_sleep(1)

    value = acquire_release(pure("tea"), lambda _: late())
    assert run(world, value) == Succeeded("tea")
    assert log == [("acquired", "late"), "late fork ended", ("released", "late")]


def test_an_interrupt_while_a_scope_ends_comes_after_it(world: World) -> None:
    value = scoped(acquire_release(*resource("tea", release=5)))
    cancelled_after(world, 2, value.then(say("never")))
    assert log == [("acquired", "tea"), ("released", "tea")]
    log.clear()
    cancelled_after(world, 2, acquire_release(*resource("tea", release=5)))
    assert log == [("acquired", "tea"), ("released", "tea")]


@pytest.mark.parametrize("end", [pure(1), fail("no"), die("no")])
def test_after_an_inner_scope_the_outer_one_is_back(world: World, end: Any) -> None:
    @program
    def work() -> Do[None]:
        yield from acquire_release(*resource("before"))
        yield from scoped(acquire_release(*resource("inner")).then(end)).exit()
        yield from acquire_release(*resource("after"))
        yield from say("end")

    assert run(world, work()) == Succeeded(None)
    assert [entry[1] for entry in log if entry[0] == "released"] == ["inner", "after", "before"]


@dataclass(frozen=True)
class Sql(Effect[str]):
    text: str


def test_a_release_is_among_the_handlers_that_its_program_was_written_in(world: World) -> None:
    work = acquire_release(pure("tea"), lambda _: perform(Sql("close")).bind(say))
    answered = handle(Sql)(lambda op: f"inner {op.text}")(work)
    assert run(world, answered.then(say("after"))) == Succeeded(None)
    run(world, handle(Sql)(lambda op: f"outer {op.text}")(answered.then(perform(Sql("x")))))
    assert log == ["after", "inner close", "inner close"]
    told: list[str] = []
    value = acquire_release(pure("tea"), lambda _: perform(Sql("close")).map(told.append))
    assert run_free(value, {Sql: lambda op: op.text}) == "tea"
    assert told == ["close"]


# ------------------------------------------------------------ calls and actors


def test_a_call_that_is_interrupted_before_it_begins_is_no_coroutine_left_over(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow() -> None:
        await asyncio.sleep(5)
        log.append("never")

    assert run(world, gather([free_call(slow), fail("at once")])) == FailedWith("at once")
    assert run(world, free_call(slow).timeout(1).attempt().then(pure(1))) == Succeeded(1)
    gc.collect()  # a coroutine that nobody awaited would warn now
    assert caplog.messages == []
    assert log == []


class Keeper(Actor[str]):
    """Its handler holds resources in every way."""

    @handler
    @program
    def keep(self, message: str) -> Do[str, Any]:
        yield from acquire_release(*resource("scope", release=0.1))
        yield from never().ensure(free_sleep(0.2).then(say("fork ended"))).fork()
        yield from bracket(*_used_with(resource("bracket", release=0.1), never()))
        return message


@pytest.mark.parametrize("how", ["stop", "shutdown"])
def test_an_actor_that_is_stopped_now_has_released_everything(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> None:
        keeper = await system.spawn(Keeper)
        ask = asyncio.ensure_future(keeper.ask("x"))
        await asyncio.sleep(1)
        if how == "stop":
            await keeper.stop("now")
            await keeper.join()
        else:
            await system.shutdown()
        log.append("stopped")
        await asyncio.wait([ask])
        assert ask.exception() is not None

    world.run(body)
    assert log[2:] == [("released", "bracket"), "fork ended", ("released", "scope"), "stopped"]
