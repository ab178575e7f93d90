"""What `effactor.testing` promises to people who check an interpreter of their own."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from by_hand import stepping, virtual
from hypothesis import find, given, settings
from hypothesis import strategies as st

from effactor import (
    Died,
    Exit,
    FailedWith,
    Program,
    Succeeded,
    fail,
    free_call,
    perform,
    pure,
    step,
)
from effactor.interpreters import simulate
from effactor.programs.operations import Sleep
from effactor.testing import (
    Add,
    Ledger,
    Observation,
    Take,
    Wrong,
    assert_equivalent,
    observe,
    program_laws,
    programs,
)

AnyProgram = Program[Any, Any, Any]
GROUPS = {
    "functor",
    "monad",
    "applicative",
    "errors",
    "schedules",
    "resources",
    "concurrency",
    "handlers",
    "interpreter",
    "values",
}


def forgetful(program: AnyProgram) -> Exit[Any, Any]:
    """Forget failures."""
    outcome = virtual(program)
    return Succeeded(None) if isinstance(outcome, FailedWith) else outcome


def twice(program: AnyProgram) -> Exit[Any, Any]:
    """Run what it runs twice."""
    virtual(program)
    return virtual(program)


def law_named(name: str, interpreter: Any) -> Any:
    (law,) = [law for law in program_laws(interpreter, waits=False) if law.name == name]
    return law


# ------------------------------------------------------------ laws


def test_a_law_says_what_it_is_about() -> None:
    law = program_laws(virtual)[0]
    assert str(law) == "interpreter: pure answers"
    assert law.statement == "run(pure(a)) = Succeeded(a)"
    assert {law.group for law in program_laws(virtual)} == GROUPS
    names = Counter(law.name for law in program_laws(virtual))
    assert set(names.values()) == {1}


def test_an_interpreter_that_cannot_wait_is_spared_the_laws_about_time() -> None:
    everything = {law.name for law in program_laws(virtual)}
    spared = everything - {law.name for law in program_laws(virtual, waits=False)}
    assert spared == {
        "a delay is a sleep",
        "a delay takes its time",
        "a timeout takes its time",
        "results come in the order of completion",
    }


def test_a_broken_law_shows_the_simplest_program_for_which_it_is() -> None:
    with pytest.raises(AssertionError) as caught:
        law_named("fail fails", forgetful)()
    assert str(caught.value) == (
        "the interpreter is wrong about a program:\n"
        "\n"
        "Fail(error=0)\n"
        "  gave Succeeded(value=None)\n"
        "  instead of FailedWith(error=0)"
    )
    assert caught.value.__notes__[-1] == (
        "the law: run(fail(e)) = FailedWith(e)\n(interpreter: fail fails)"
    )


def test_what_differs_is_shown_of_both_programs() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_equivalent(perform(Add(3)).map(str), perform(Take(1)), virtual)
    assert str(caught.value) == (
        "these programs differ:\n"
        "\n"
        "Map(function=<class 'str'>, source=Perform(effect=Add(n=3, given=None, account=())))\n"
        "  gave Succeeded(value='3')\n"
        "  did\n"
        "    Add(n=3, given=None, account=())\n"
        "  left 3\n"
        "\n"
        "Perform(effect=Take(n=1, given=None, account=()))\n"
        "  gave FailedWith(error=Wrong(0))\n"
        "  did\n"
        "    Take(n=1, given=None, account=())\n"
        "  left 0"
    )


def test_an_interpreter_that_runs_programs_twice_breaks_a_law() -> None:
    law_named("two runs of a program are equal", twice)()  # it is so each time
    with pytest.raises(AssertionError, match="instead of Succeeded"):
        law_named("an effect is run as its handler", twice)()


def test_what_is_no_interpreter_is_refused() -> None:
    with pytest.raises(TypeError, match="interpreter must be a function from a program"):
        program_laws(pure(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"must return an Exit .* got 7"):
        program_laws(lambda _: 7)[0]()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="operations must be a Hypothesis strategy"):
        program_laws(virtual, operations=[pure(1)])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="examples must be at least 1, got 0"):
        program_laws(virtual)[0](examples=0)


def test_the_users_operations_are_parts_of_the_programs() -> None:
    called: list[int] = []

    def interpret(program: AnyProgram) -> Exit[Any, Any]:
        stepped = step(program)
        while stepped.outcome is None:
            operation = stepped.requests[0].operation
            if not isinstance(operation, Sleep):
                called.append(1)
            stepped.requests[0].answer(7)
        return stepped.outcome

    laws = program_laws(interpret, operations=st.just(free_call(int)))
    (law,) = [law for law in laws if law.name == "mapping with the identity changes nothing"]
    law()
    assert called


# ------------------------------------------------------------ observations


def test_an_observation_compares_exceptions_by_class_and_arguments() -> None:
    def saw(error: object) -> Observation:
        return observe(fail(error), virtual)

    assert saw(ValueError(1)) == saw(ValueError(1))
    assert saw(ValueError(1)) != saw(ValueError(2))
    assert saw(ValueError(1)) != saw(TypeError(1))
    assert saw((ExceptionGroup("a", [ValueError(1)]),)) == saw(
        (ExceptionGroup("a", [ValueError(1)]),)
    )
    assert saw([ValueError(1)]) != saw((ValueError(1),))
    assert saw({"a": ValueError(1)}) == saw({"a": ValueError(1)})
    assert observe(pure(1), virtual) != observe(perform(Add(1)), virtual)


def test_an_observation_sees_the_order_on_one_account_only() -> None:
    one, other = perform(Add(1)), perform(Add(2))
    assert observe(one.then(other).then(pure(0)), virtual) != observe(
        other.then(one).then(pure(0)), virtual
    )
    there = perform(Add(2, account=(1,)))
    assert observe(one.then(there).then(pure(0)), virtual) == observe(
        there.then(one).then(pure(0)), virtual
    )


def test_a_ledger_answers_balances_and_refuses_to_go_below_nothing() -> None:
    ledger = Ledger()
    program = perform(Add(3)).then(perform(Take(1))).then(perform(Take(5)))
    assert virtual(ledger.handling(program)) == FailedWith(Wrong(2))
    assert ledger.entries == [Add(3), Take(1), Take(5)]
    assert ledger.balances == {(): 2}


# ------------------------------------------------------------ programs


def test_programs_end_in_every_way_and_perform_effects() -> None:
    seen: list[Observation] = []

    @settings(max_examples=300, database=None)
    @given(programs(waits=False))
    def look(value: AnyProgram) -> None:
        seen.append(observe(value, virtual))

    look()
    ends = Counter(type(one.exit) for one in seen)
    assert min(ends[Succeeded], ends[FailedWith], ends[Died]) > 20
    assert sum(bool(one.trace) for one in seen) > len(seen) / 3


@given(programs(prompt=True))
def test_a_prompt_program_never_waits(value: AnyProgram) -> None:
    assert step(Ledger().handling(value)).outcome is not None


@given(programs(), st.integers(0, 99))
def test_how_a_program_ends_does_not_depend_on_the_schedule(value: AnyProgram, seed: int) -> None:
    def simulated(program: AnyProgram) -> Exit[Any, Any]:
        run = simulate(program.exit(), seed=seed)
        if run.error is not None:
            raise run.error
        assert run.value is not None
        return run.value

    assert observe(value, simulated) == observe(value, stepping)


def sleeps(value: AnyProgram) -> bool:
    """Tell whether a sleep, no timeout, is among the first that it waits for."""
    return any(
        isinstance(request.operation, Sleep) and request.operation.seconds < 2
        for request in step(Ledger().handling(value)).requests
    )


def test_programs_sleep_only_if_they_may() -> None:
    assert sleeps(find(programs(), sleeps))

    @given(programs(waits=False))
    def look(value: AnyProgram) -> None:
        assert not sleeps(value)

    look()


def test_what_is_found_is_simple() -> None:
    def does_something(value: AnyProgram) -> bool:
        return bool(observe(value, virtual).trace)

    assert find(programs(waits=False), does_something) == perform(Add(0))


def test_without_hypothesis_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['hypothesis'] = None; import effactor.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "which is not installed: pip install effactor[testing]" in done.stderr


def test_effactor_alone_does_not_load_hypothesis() -> None:
    code = "import sys, effactor, effactor.interpreters; print('hypothesis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
