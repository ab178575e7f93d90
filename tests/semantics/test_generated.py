"""Generated programs over real actors mean the same live, simulated and in a dry run.

What runs at once in them is over actors of its own, so that nothing depends on who is
first: what is left over, the order between branches, is the interpreter's to choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import given
from hypothesis import strategies as st
from worlds import Live

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Died,
    Do,
    Exit,
    FailedWith,
    Interrupted,
    Message,
    Program,
    Succeeded,
    acquire_release,
    bracket,
    fail,
    free_ask,
    free_join,
    free_lookup,
    free_self,
    free_sleep,
    free_spawn,
    free_stop,
    free_tell,
    gather,
    handler,
    never,
    program,
    pure,
    race,
    scoped,
    step,
    traverse,
    zip_,
)
from effactor.interpreters import dry_run, simulate
from effactor.programs import operations as ops

if TYPE_CHECKING:
    from effactor.interpreters import ActorSystem, Simulation


class Empty(Exception):
    """Declared by Take."""


@dataclass(frozen=True)
class Put(Message[int]):
    n: int


@dataclass(frozen=True)
class Take(Message[int, Empty]):
    n: int


@dataclass(frozen=True)
class Relay(Message[Any]):
    to: str
    n: int


@dataclass(frozen=True)
class Crash(Message[None]):
    pass


class Cell(Actor[Put | Take | Relay | Crash]):
    """A number; its handlers are of every kind."""

    def __init__(self) -> None:
        self.n = 0

    @handler
    def put(self, message: Put) -> int:
        self.n += message.n
        return self.n

    @handler
    async def take(self, message: Take) -> int:
        if self.n < message.n:
            raise Empty(message.n)
        self.n -= message.n
        return self.n

    @handler
    @program
    def relay(self, message: Relay) -> Do[Any]:
        me = yield from free_self()
        if me.path == message.to:
            return "myself"
        other: ActorRef[Any] = ActorRef.at(message.to)
        outcome = yield from free_ask(other, Put(message.n)).attempt()
        return outcome.value_or("nobody")

    @handler
    def crash(self, message: Crash) -> None:
        raise ZeroDivisionError


NAMES = ("/a", "/b", "/c")
small = st.integers(0, 4)
HOUR = 3600

AnyPrograms: TypeAlias = st.SearchStrategy[Program[Any, Any]]


def at(path: str) -> ActorRef[Any]:
    return ActorRef.at(path)


def told(ref: ActorRef[Any], message: Put | Crash) -> Program[None, Any]:
    """Tell, and wait until that is handled: a relay's ask of another actor might overtake it."""
    return free_tell(ref, message).then(free_ask(ref, Put(0)).attempt()).then(pure(None))


def operations(paths: tuple[str, ...]) -> AnyPrograms:
    """Draw operations on these actors, and on no others."""
    names = st.sampled_from(paths)
    refs = names.map(at)
    return st.one_of(
        small.map(pure),
        small.map(fail),
        st.builds(free_ask, refs, st.builds(Put, small)),
        st.builds(free_ask, refs, st.builds(Take, small)),
        st.builds(free_ask, refs, st.builds(Relay, names, small)),
        st.builds(free_ask, refs, st.just(Crash())),
        st.builds(told, refs, st.builds(Put, small) | st.just(Crash())),
        refs.map(lambda ref: free_stop(ref).then(free_join(ref))),
        names.map(lambda to: free_lookup(to).map(lambda ref: ref.path)),
        small.map(free_sleep),
        st.just(free_ask(at(paths[0]), "unhandled")),
    )


# Whose name depends on what was spawned before it.
spawning = st.just(free_spawn(Cell).bind(lambda ref: free_ask(ref, Put(1))))


def in_sequence(inner: AnyPrograms) -> AnyPrograms:
    two = st.tuples(inner, inner)
    return st.one_of(
        two.map(lambda t: t[0].then(t[1])),
        two.map(lambda t: t[0].bind(lambda _: t[1])),
        two.map(lambda t: t[0].lash(lambda _: t[1])),
        two.map(lambda t: t[0].ensure(t[1].attempt())),
        inner.map(lambda p: p.attempt().map(repr)),
        inner.map(lambda p: p.exit().map(lambda e: type(e).__name__)),
        inner.map(lambda p: p.refine(ZeroDivisionError)),
        inner.map(lambda p: p.retry(1)),
        inner.map(lambda p: p.uninterruptible()),
        st.tuples(inner, inner, inner).map(
            lambda t: bracket(t[0], lambda _: t[1], lambda _: t[2].exit())
        ),
        two.map(lambda t: scoped(acquire_release(t[0], lambda _: t[1].exit()).then(t[1]))),
        st.lists(inner, max_size=4).map(lambda ps: in_order(tuple(ps))),
    )


def at_once(inner: AnyPrograms, one: AnyPrograms, other: AnyPrograms) -> AnyPrograms:
    """Draw programs that do several things at once, *one* and *other* on different actors."""
    apart = st.tuples(one, other)
    return st.one_of(
        apart.map(lambda t: gather(t, mode="collect").map(outlined)),
        apart.map(lambda t: gather(t, mode="collect", concurrency=1).map(outlined)),
        apart.map(lambda t: zip_(t[0].exit(), t[1].exit()).map(outlined)),
        apart.map(lambda t: beside(*t)),
        st.tuples(inner, inner).map(
            lambda t: race(never().ensure(t[0].exit()), t[1])  # the loser does nothing before
        ),
        inner.map(lambda p: race(p, never())),
        inner.map(lambda p: p.timeout(HOUR)),
        # Not after an hour: the window of supervision is measured in the system's time,
        # which does not jump as the loop's does.
        inner.map(lambda p: p.exit().then(never().timeout(1))),
        inner.map(lambda p: never().ensure(p.exit()).timeout(0)),
        inner.map(lambda p: p.fork().bind(lambda fiber: fiber.join())),
        st.lists(small, max_size=4).map(
            lambda ns: traverse(
                list(enumerate(ns)), lambda it: free_sleep(it[1]).then(pure(it)), concurrency=2
            )
        ),
    )


def outlined(exits: Any) -> list[Any]:
    return [observed(one) for one in exits]


@program
def beside(one: Program[Any, Any], other: Program[Any, Any]) -> Do[Any]:
    fiber = yield from one.fork()
    here = yield from other.exit()
    there = yield from fiber.wait()
    return outlined([here, there])


def over(paths: tuple[str, ...], leaves: int) -> AnyPrograms:
    """Draw programs on these actors."""
    if len(paths) < 2:
        return st.recursive(operations(paths), in_sequence, max_leaves=leaves)
    one, other = over(paths[:1], leaves // 3), over(paths[1:], leaves // 2)
    return st.recursive(
        operations(paths),
        lambda inner: in_sequence(inner) | in_sequence(inner) | at_once(inner, one, other),
        max_leaves=leaves,
    )


@program
def in_order(parts: tuple[Program[Any, Any], ...]) -> Do[Any, Any]:
    answers: list[Any] = []
    for part in parts:
        try:
            answers.append((yield from part))
        except AskFailed as error:
            answers.append(type(error).__name__)
    return tuple(answers)


programs = over(NAMES, 12)
sequential = st.recursive(operations(NAMES) | spawning, in_sequence, max_leaves=12)


def observed(outcome: Exit[Any, Any]) -> Any:
    """Reduce an exit to what must be equal in every world."""
    match outcome:
        case Succeeded(value):
            return value
        case FailedWith(error):
            return "failed", repr(error)
        case Died(defect):
            return "died", type(defect)
        case _:
            return outcome


async def effects_of(system: ActorSystem, value: Program[Any, Any]) -> Any:
    """Run it over new actors, and see what that changes."""
    for name in NAMES:
        await system.spawn(Cell, name[1:])
    outcome = observed(await system.run_free(value.exit()))
    # Tells may still be under way in the simulator; time passes only after them.
    await system.run_free(free_sleep(1))
    actors: dict[str, Any] = {path: cell.actor for path, cell in system.cells.items()}
    states = [(path, actor.n) for path, actor in actors.items()]
    # In order for each actor; what runs at once is on different ones.
    letters: dict[str, list[object]] = {path: [] for path in NAMES}
    for letter in system.dead_letters:
        letters.setdefault(letter.target, []).append(letter.message)
    return outcome, states, letters


@given(programs | sequential, st.integers(0, 1000))
def test_live_and_simulated_give_equal_answers_and_states(
    value: Program[Any, Any], seed: int
) -> None:
    async def scenario(sim: Simulation) -> Any:
        return await effects_of(sim.system, value)

    run = simulate(scenario, seed=seed)
    if run.error is not None:
        raise run.error
    assert run.value == Live().run(lambda system: effects_of(system, value))


# ------------------------------------------------------------ the dry run


@dataclass
class Recorded:
    """What a program asked for, one after the other, and what came of it."""

    operations: list[Any]
    exits: list[Exit[Any, Any]]
    outcome: Exit[Any, Any] | None = None


async def recorded(system: ActorSystem, value: Program[Any, Any]) -> Recorded:
    """Run it live, operation by operation."""
    for name in NAMES:
        await system.spawn(Cell, name[1:])
    stepped = step(value)
    record = Recorded([], [])
    while stepped.outcome is None:
        (request,) = stepped.requests
        record.operations.append(request.operation)
        record.exits.append(await system.run_free(request.operation.exit()))
        request.settle(record.exits[-1])
    record.outcome = stepped.outcome
    return record


def listed(operation: Any) -> tuple[Any, ...]:
    """Say of an operation what its record in a trace says."""
    match operation:
        case ops.Ask() | ops.Tell():
            kind = "ask" if isinstance(operation, ops.Ask) else "tell"
            return kind, operation.ref.path, operation.message
        case ops.Stop():
            return "stop", operation.ref.path, operation.mode
        case ops.Join():
            return "join", operation.ref.path, None
        case ops.Lookup():
            return "lookup", operation.path, operation.path
        case ops.Spawn():
            return "spawn", "", Cell
        case ops.Sleep():
            return "sleep", "", operation.seconds
        case _:
            raise TypeError(operation)


@given(sequential)
def test_a_dry_run_that_is_given_lives_answers_lists_the_same_operations(
    value: Program[Any, Any],
) -> None:
    live = Live().run(lambda system: recorded(system, value))
    left = iter(live.exits)

    def following(*_: object) -> Program[Any, Any]:
        outcome = next(left)
        assert not isinstance(outcome, Died | Interrupted)
        return pure(outcome.value) if isinstance(outcome, Succeeded) else fail(outcome.error)

    answers = {operation.__class__: following for operation in live.operations}
    trace = dry_run(value, answers=answers)
    effects = [
        (record.kind, "" if record.kind in {"sleep", "spawn"} else record.target, record.subject)
        for record in trace.records
        if record.kind not in {"reply", "failure", "end"}
    ]
    assert effects == [listed(operation) for operation in live.operations]
    assert trace.outcome is not None
    assert live.outcome is not None
    assert observed(trace.outcome) == observed(live.outcome)
