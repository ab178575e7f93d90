"""The engine's synchronous core: stack safety, tracebacks, and `run_free` on its own."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from effactor import (
    ActorRef,
    Do,
    Effect,
    Failed,
    NoInterpreter,
    Program,
    UnhandledEffect,
    fail,
    free_ask,
    free_now,
    free_random,
    from_result,
    perform,
    program,
    pure,
)
from effactor.interpreters import run_free
from effactor.programs import operations

if TYPE_CHECKING:
    from collections.abc import Callable

AnyProgram: TypeAlias = Program[Any, Any, Any]
Function: TypeAlias = "Callable[[Any], AnyProgram]"

MILLION = 1_000_000


class Draw(Effect[int]):
    """Answers a number."""


def test_a_million_left_nested_steps() -> None:
    value: Program[int] = pure(0)
    for _ in range(MILLION):
        value = value.bind(lambda n: pure(n + 1))
    assert run_free(value) == MILLION


def test_a_million_right_nested_steps() -> None:
    def count(n: int) -> Program[int]:
        return pure(n) if n == MILLION else pure(n + 1).bind(count)

    assert run_free(count(0)) == MILLION


def test_a_million_maps() -> None:
    value: Program[int] = pure(0)
    for _ in range(MILLION):
        value = value.map(lambda n: n + 1)
    assert run_free(value) == MILLION


@program
def depth(n: int) -> Do[int]:
    if n == 0:
        return 0
    return 1 + (yield from depth(n - 1))


@program
def sink(n: int) -> Do[int, str]:
    if n == 0:
        return (yield from fail("bottom"))
    return (yield from sink(n - 1))


def test_a_hundred_thousand_nested_blocks() -> None:
    assert run_free(depth(100_000)) == 100_000


def test_a_failure_unwinds_deep_blocks_and_chains() -> None:
    assert run_free(sink(2_000).attempt()) == Failure("bottom")
    value: Program[Any, str] = fail("x")
    for _ in range(100_000):
        value = value.map(lambda n: n).alt(lambda e: e)
    assert run_free(value.attempt()) == Failure("x")


def test_effects_and_operations_are_answered_by_functions() -> None:
    @program
    def both() -> Do[Any, Any, Draw]:
        drawn = yield from perform(Draw())
        number = yield from free_random()
        return drawn, number

    handlers: dict[type[Any], Callable[[Any], Any]] = {
        Draw: lambda _: pure(4),
        operations.Random: lambda _: 0.25,
    }
    assert run_free(both(), handlers) == (4, 0.25)


def test_what_nobody_answers_says_what_to_do() -> None:
    with pytest.raises(UnhandledEffect, match="handle"):
        run_free(perform(Draw()))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(NoInterpreter, match=r"cannot perform now: use .*run_free"):
        run_free(free_now())
    with pytest.raises(NoInterpreter, match=r"cannot perform ask /a 'm'"):
        run_free(free_ask(ActorRef.at("/a"), "m"))
    with pytest.raises(TypeError, match="maps classes of effects to functions, got the key 'x'"):
        run_free(pure(1), {"x": len})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType, reportCallIssue]
    with pytest.raises(TypeError, match="program must be a Program, got 3"):
        run_free(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


def test_a_failure_is_raised_and_wrapped_only_if_it_must_be() -> None:
    with pytest.raises(KeyError):
        run_free(fail(KeyError("x")))
    with pytest.raises(Failed, match="the program failed with 'x'"):
        run_free(fail("x"))


@program
def innermost() -> Do[None]:
    yield from pure(1)
    raise ValueError("here")


@program
def middle() -> Do[None]:
    yield from innermost()


@program
def outermost() -> Do[None]:
    yield from middle().map(lambda x: x)


def test_a_traceback_shows_the_workflows_own_lines() -> None:
    with pytest.raises(ValueError, match="here") as caught:
        run_free(outermost())
    frames = traceback.extract_tb(caught.value.__traceback__)
    ours = [frame.name for frame in frames if frame.filename == __file__]
    assert ours[-3:] == ["outermost", "middle", "innermost"]
    assert frames[-1].line == 'raise ValueError("here")'
    assert caught.value.__context__ is None


def test_an_exception_from_an_operation_is_raised_at_its_yield_from() -> None:
    @program
    def careful() -> Do[str]:
        try:
            yield from free_random()
        except ZeroDivisionError:
            return "caught"
        return "missed"

    assert run_free(careful(), {operations.Random: lambda _: 1 / 0}) == "caught"


def test_a_stop_iteration_from_an_operation_does_not_end_the_block() -> None:
    def stops(_op: Any) -> Any:
        raise StopIteration(5)

    @program
    def one() -> Do[str]:
        yield from free_random()
        return "went on"

    with pytest.raises(RuntimeError, match="StopIteration"):
        run_free(one(), {operations.Random: stops})


def test_generators_are_closed_when_the_process_is_told_to_stop() -> None:
    closed: list[str] = []

    @program
    def one() -> Do[None]:
        try:
            yield from free_random()
        finally:
            closed.append("closed")

    def interrupt(_op: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_free(one(), {operations.Random: interrupt})
    assert closed == ["closed"]


def test_results_convert_both_ways() -> None:
    assert run_free(from_result(Success(1))) == 1
    assert run_free(from_result(Failure("x")).attempt()) == Failure("x")


# ------------------------------------------------------------ laws

values = st.integers(-3, 3)
FUNCTIONS: list[Function] = [
    pure,
    lambda n: pure(n + 1),
    lambda n: fail(n) if n > 1 else pure(n * 2),
    lambda n: perform(Draw()).map(lambda d: d + n),
    lambda n: fail(f"failed {n}"),
]
functions = st.sampled_from(FUNCTIONS)


def combine(inner: st.SearchStrategy[AnyProgram]) -> st.SearchStrategy[AnyProgram]:
    return st.one_of(
        st.tuples(inner, functions).map(lambda t: t[0].bind(t[1])),
        st.tuples(inner, functions).map(lambda t: t[0].lash(t[1])),
        inner.map(lambda p: p.map(str).map(len)),
        inner.map(lambda p: p.attempt().map(lambda r: r.value_or(-1))),
        st.tuples(inner, inner).map(lambda t: t[0].ensure(t[1].attempt())),
    )


leaves: st.SearchStrategy[AnyProgram] = st.one_of(
    values.map(pure), values.map(fail), st.just(perform(Draw()))
)
programs = st.recursive(leaves, combine, max_leaves=6)


def observe(value: AnyProgram) -> Any:
    """Run with a stateful handler; return the outcome and the effects in order."""
    drawn: list[int] = []

    def draw(_op: Draw) -> int:
        drawn.append(len(drawn))
        return len(drawn)

    outcome: Any
    try:
        outcome = run_free(value.exit(), {Draw: draw})
    except Exception as error:
        outcome = type(error), str(error)
    if hasattr(outcome, "defect"):
        outcome = type(outcome.defect), str(outcome.defect)
    return outcome, drawn


@given(values, functions)
def test_law_left_identity(n: int, f: Function) -> None:
    assert observe(pure(n).bind(f)) == observe(f(n))


@given(programs)
def test_law_right_identity(p: AnyProgram) -> None:
    assert observe(p.bind(pure)) == observe(p)


@given(programs, functions, functions)
def test_law_associativity(p: AnyProgram, f: Function, g: Function) -> None:
    nested = p.bind(lambda n: safe(f, n).bind(lambda m: safe(g, m)))
    assert observe(p.bind(lambda n: safe(f, n)).bind(lambda m: safe(g, m))) == observe(nested)


def safe(f: Function, n: Any) -> AnyProgram:
    return f(n) if isinstance(n, int) else pure(n)


@given(programs)
def test_law_map_is_bind_of_pure(p: AnyProgram) -> None:
    def pure_repr(n: object) -> Program[str]:
        return pure(repr(n))

    assert observe(p.map(repr)) == observe(p.bind(pure_repr))


@given(values, functions)
def test_law_a_failure_is_recovered_by_lash(n: int, f: Function) -> None:
    assert observe(fail(n).lash(f)) == observe(f(n))
    assert observe(fail(n).bind(f)) == observe(fail(n))
    assert observe(pure(n).lash(f)) == observe(pure(n))


@given(programs)
def test_law_attempt_then_from_result_is_the_program(p: AnyProgram) -> None:
    assert observe(p.attempt().bind(from_result)) == observe(p)


@given(programs, functions)
def test_law_a_block_is_its_chain_of_binds(p: AnyProgram, f: Function) -> None:
    @program
    def sugar() -> Do[Any, Any, Any]:
        n = yield from p
        m = yield from safe(f, n)
        return m

    assert observe(sugar()) == observe(p.bind(lambda n: safe(f, n)))


@given(programs)
def test_law_try_except_in_a_block_is_lash(p: AnyProgram) -> None:
    @program
    def sugar() -> Do[Any, Any, Any]:
        try:
            return (yield from p)
        except Failed as failed:
            return failed.error

    assert observe(sugar()) == observe(p.lash(pure))


@given(programs)
def test_law_interpreting_twice_gives_equal_observations(p: AnyProgram) -> None:
    assert observe(p) == observe(p)


LOST = KeyError("shared by all")


def test_a_failure_that_is_one_object_everywhere_can_still_be_a_defect() -> None:
    @program
    def fails() -> Do[None, KeyError]:
        try:
            yield from fail(LOST)
        finally:
            yield from pure("effects in a finally")

    @program
    def dies() -> Do[None]:
        yield from pure(None)
        raise LOST

    for _ in range(2):
        assert type(run_free(fails().exit())).__name__ == "FailedWith"
        assert type(run_free(dies().exit())).__name__ == "Died"


def test_a_failure_may_be_any_exception() -> None:
    @program
    def passes() -> Do[None, SystemExit]:
        yield from fail(SystemExit(3))

    assert type(run_free(passes().exit())).__name__ == "FailedWith"
