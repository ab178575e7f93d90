"""The laws that `returns` states for its containers hold for programs.

They compare with `==`. Here two programs are equal if they do the same: the module
lets them run in the simulator, over an actor with a state, and compares how they end,
what the actor and the effects were asked, in order, and the state that is left.

`EFFACTOR_LAW_EXAMPLES=500 pytest tests/returns/test_laws.py` checks each law with 500
examples instead of 50.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from returns.contrib.hypothesis import laws

from effactor import (
    Actor,
    ActorRef,
    Died,
    Do,
    Effect,
    Failed,
    FailedWith,
    Message,
    Program,
    Succeeded,
    fail,
    free_ask,
    free_call,
    free_now,
    free_sleep,
    free_tell,
    handle,
    handler,
    perform,
    program,
    pure,
)
from effactor.interpreters import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from effactor import Exit
    from effactor.interpreters import Simulation

AnyProgram: TypeAlias = Program[Any, Any, Any]
EXAMPLES = int(os.environ.get("EFFACTOR_LAW_EXAMPLES", "50"))


class Empty(Exception):
    """Declared by Take."""


@dataclass(frozen=True)
class Put(Message[int]):
    n: int


@dataclass(frozen=True)
class Take(Message[int, Empty]):
    n: int


@dataclass(frozen=True)
class Draw(Effect[int]):
    n: int


class Account(Actor[Put | Take]):
    """A number that every message changes; what it answers depends on it."""

    def __init__(self, log: list[object]) -> None:
        self.log = log
        self.n = 0

    @handler
    def put(self, message: Put) -> int:
        self.log.append(message)
        self.n += message.n
        return self.n

    @handler
    async def take(self, message: Take) -> int:
        self.log.append(message)
        if self.n < message.n:
            raise Empty(message.n)
        self.n -= message.n
        return self.n


def observe(value: AnyProgram) -> tuple[Any, ...]:
    """Run a program in the simulator.

    Returns:
        How it ended, what it asked for in order, the actor's state and the time.
    """
    log: list[object] = []

    def draw(effect: Draw) -> Program[int, int]:
        log.append(effect)
        return fail(len(log)) if effect.n == 0 else pure(effect.n * len(log))

    def scenario(sim: Simulation) -> tuple[Any, ...]:
        account = sim.spawn(lambda: Account(log), "account")
        handled: Program[Any, Any] = handle(Draw)(draw)(value)
        ending = reduced(sim.run(handled.exit()))
        now = sim.run(free_now())
        sim.settle()
        return ending, tuple(log), sim.actor(account).n, now

    run = simulate(scenario, seed=0)
    if run.error is not None:
        raise run.error
    assert run.value is not None
    return run.value


def reduced(ending: Exit[Any, Any]) -> tuple[Any, ...]:
    """Reduce an exit to what can be compared and hashed."""
    match ending:
        case Succeeded(value):
            return "succeeded", value
        case FailedWith(error):
            return "failed", error
        case Died(defect):
            return "died", type(defect)
        case _:
            return (repr(ending),)


small = st.integers(-2, 2)
account: ActorRef[Put | Take] = ActorRef.at("/account")


def crash(n: int) -> int:
    raise ZeroDivisionError(n)


def take(n: int) -> Program[int, int]:
    # Failures are numbers, because the laws draw pure functions of them: of two
    # exceptions from two runs they would not make the same.
    return free_ask(account, Take(n)).alt(lambda error: 2 if isinstance(error, Empty) else 3)


@program
def block(n: int) -> Do[int, int, Draw]:
    x = yield from free_ask(account, Put(n)).alt(lambda _: 4)
    try:
        y = yield from take(x + n)
    except Failed:
        y = yield from perform(Draw(n))
    return x + y


leaves: st.SearchStrategy[AnyProgram] = st.one_of(
    small.map(pure),
    small.map(fail),
    small.map(lambda n: free_ask(account, Put(n)).alt(lambda _: 5)),
    small.map(take),
    small.map(lambda n: free_tell(account, Put(n)).map(lambda _: n)),
    small.map(lambda n: perform(Draw(n))),
    small.map(block),
    small.map(lambda n: free_sleep(abs(n)).map(lambda _: n)),
    small.map(lambda n: free_call(crash, n)),
)
steps: st.SearchStrategy[Callable[[Any], AnyProgram]] = st.sampled_from(
    [pure, fail, take, block, lambda n: perform(Draw(n))]
)


def then_step(value: AnyProgram, step: Callable[[Any], AnyProgram]) -> AnyProgram:
    return value.bind(step)


def else_step(value: AnyProgram, step: Callable[[Any], AnyProgram]) -> AnyProgram:
    return value.lash(step)


def then(value: AnyProgram, following: AnyProgram) -> AnyProgram:
    return value.then(following)


def finally_(value: AnyProgram, finalizer: AnyProgram) -> AnyProgram:
    return value.ensure(finalizer.exit())


def combine(inner: st.SearchStrategy[AnyProgram]) -> st.SearchStrategy[AnyProgram]:
    return st.one_of(
        st.builds(then_step, inner, steps),
        st.builds(else_step, inner, steps),
        st.builds(then, inner, inner),
        st.builds(finally_, inner, inner),
        inner.map(lambda p: p.map(lambda n: n + 1)),
        inner.map(lambda p: p.alt(lambda n: n - 1)),
        inner.map(lambda p: p.swap()),
        inner.map(lambda p: p.attempt().map(lambda result: result.value_or(7))),
        inner.map(lambda p: p.named("named")),
    )


def any_number(_type: object) -> st.SearchStrategy[int]:
    return small


def any_program(_type: object) -> st.SearchStrategy[AnyProgram]:
    return programs


programs = combine(st.recursive(leaves, combine, max_leaves=4))

compared: Counter[str] = Counter()


@pytest.fixture(autouse=True, scope="module")
def programs_are_equal_if_they_do_the_same() -> Iterator[None]:
    """Only in this module: to users, equal programs have equal structure."""

    def equal(one: AnyProgram, other: AnyProgram) -> bool:
        left, right = observe(one), observe(other)
        compared["programs"] += 1
        compared["programs that did something"] += bool(left[1])
        return left == right

    def hashed(one: AnyProgram) -> int:
        # A pure function that Hypothesis draws finds what it returns by its argument.
        return hash(observe(one))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Program, "__eq__", equal)
        patch.setattr(Program, "__hash__", hashed)
        yield


# In parts the types of `returns`' functions for tests are unknown.
check_all_laws: Callable[..., None] = laws.check_all_laws  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
check_all_laws(
    Program,
    container_strategy=any_program,
    type_strategies={TypeVar: any_number},
    settings_kwargs={
        "max_examples": EXAMPLES,
        # `check_all_laws` registers its strategies anew for each example.
        "suppress_health_check": [HealthCheck.too_slow],
    },
)
checked: dict[str, Callable[[], None]] = {
    name: law for name, law in globals().items() if name.startswith("test_program_")
}


def test_every_law_of_a_container_like_a_result_is_checked() -> None:
    assert len(checked) == 17


def test_the_programs_that_a_law_compares_perform_operations() -> None:
    compared.clear()
    checked["test_program_mappablen_associative_law"]()
    assert compared["programs"] >= EXAMPLES
    assert compared["programs that did something"] > compared["programs"] / 3
