"""Laws of the interpreter itself: it is a homomorphism from programs to runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import Died, FailedWith, Succeeded, fail, perform, pure
from effactor.testing.comparing import comparable
from effactor.testing.effects import Add, Broken, Ledger, Take, Wrong
from effactor.testing.functions import Raises
from effactor.testing.law import Same, law
from effactor.testing.observing import Observation, difference, observe

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram

    Step = Callable[[Any], AnyProgram]


def _gives(same: Same, program: AnyProgram, expected: Any) -> None:
    outcome = same.run(program)
    assert comparable(outcome) == comparable(expected), (
        f"the interpreter is wrong about a program:\n\n{program}\n  gave {outcome}\n"
        f"  instead of {expected}"
    )


@law("interpreter", "run(pure(a)) = Succeeded(a)")
def pure_answers(same: Same, a: Any) -> None:
    _gives(same, pure(a), Succeeded(a))


@law("interpreter", "run(fail(e)) = FailedWith(e)")
def fail_fails(same: Same, e: Any) -> None:
    _gives(same, fail(e), FailedWith(e))


@law("interpreter", "run(pure(a).map(raise)) = Died(what was raised)")
def what_raises_dies(same: Same, a: Any) -> None:
    _gives(same, pure(a).map(Raises("raised")), Died(Broken("raised", a)))


@law("interpreter", "run(u.bind(k)) = run(u), then run(k(answer))")
def a_bind_is_run_as_one_run_after_the_other(same: Same, u: AnyProgram, v: AnyProgram) -> None:
    def step(answer: Any) -> AnyProgram:
        return v.map(lambda x: (answer, x))

    ledger = Ledger()
    outcome = same.run(ledger.handling(u))
    if isinstance(outcome, Succeeded):
        outcome = same.run(ledger.handling(step(outcome.value)))
    apart = Observation(outcome, tuple(ledger.entries), dict(ledger.balances))
    whole = u.bind(step)
    at_once = observe(whole, same.interpreter)
    assert at_once == apart, difference(
        "one run differs from two", whole, at_once, "the same in two runs", apart
    )


@law("interpreter", "run(perform(x)) = what x's handler answers, fails with or raises")
def an_effect_is_run_as_its_handler(same: Same, n: int, m: int) -> None:
    ledger = Ledger()
    ledger.balances[()] = m
    _gives(same, ledger.handling(perform(Add(n))), Succeeded(n + m))
    ledger.balances[()] = m
    taken = Succeeded(m - n) if n <= m else FailedWith(Wrong(m))
    _gives(same, ledger.handling(perform(Take(n))), taken)


@law("interpreter", "run(p) = run(p)")
def two_runs_of_a_program_are_equal(same: Same, p: AnyProgram) -> None:
    same(p, p)
