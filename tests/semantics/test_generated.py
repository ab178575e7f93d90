"""Generated programs over real actors mean the same live and simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    Message,
    Program,
    Succeeded,
    fail,
    free_ask,
    free_join,
    free_lookup,
    free_self,
    free_sleep,
    free_spawn,
    free_stop,
    free_tell,
    handler,
    program,
    pure,
)
from effactor.interpreters import simulate

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


NAMES = ["/a", "/b", "/c"]
names = st.sampled_from(NAMES)
small = st.integers(0, 4)


def at(path: str) -> ActorRef[Any]:
    return ActorRef.at(path)


refs = names.map(at)
operations: st.SearchStrategy[Program[Any, Any]] = st.one_of(
    small.map(pure),
    small.map(fail),
    st.builds(free_ask, refs, st.builds(Put, small)),
    st.builds(free_ask, refs, st.builds(Take, small)),
    st.builds(free_ask, refs, st.builds(Relay, names, small)),
    st.builds(free_ask, refs, st.just(Crash())),
    st.builds(free_tell, refs, st.just(Crash())),
    st.builds(free_tell, refs, st.builds(Put, small)),
    refs.map(lambda ref: free_stop(ref).then(free_join(ref))),
    names.map(lambda to: free_lookup(to).map(lambda ref: ref.path)),
    small.map(free_sleep),
    st.just(free_spawn(Cell).bind(lambda ref: free_ask(ref, Put(1)))),
    st.just(free_ask(at("/a"), "unhandled")),
)


def combine(inner: st.SearchStrategy[Program[Any, Any]]) -> st.SearchStrategy[Program[Any, Any]]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda t: t[0].then(t[1])),
        st.tuples(inner, inner).map(lambda t: t[0].bind(lambda _: t[1])),
        st.tuples(inner, inner).map(lambda t: t[0].lash(lambda _: t[1])),
        st.tuples(inner, inner).map(lambda t: t[0].ensure(t[1].attempt())),
        inner.map(lambda p: p.attempt().map(repr)),
        inner.map(lambda p: p.exit().map(lambda e: type(e).__name__)),
        inner.map(lambda p: p.refine(ZeroDivisionError)),
        st.lists(inner, max_size=4).map(lambda ps: in_order(tuple(ps))),
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


programs = st.recursive(operations, combine, max_leaves=12)


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


@given(programs, st.integers(0, 1000))
def test_live_and_simulated_give_equal_answers_and_states(
    value: Program[Any, Any], seed: int
) -> None:
    async def body(system: ActorSystem) -> Any:
        for name in NAMES:
            await system.spawn(Cell, name[1:])
        outcome = observed(await system.run_free(value.exit()))
        # Tells may still be under way in the simulator; time passes only after them.
        await system.run_free(free_sleep(1))
        actors: dict[str, Any] = {path: cell.actor for path, cell in system.cells.items()}
        states = [(path, actor.n) for path, actor in actors.items()]
        return outcome, states, [letter.message for letter in system.dead_letters]

    async def scenario(sim: Simulation) -> Any:
        return await body(sim.system)

    run = simulate(scenario, seed=seed)
    if run.error is not None:
        raise run.error
    assert run.value == Live().run(body)
