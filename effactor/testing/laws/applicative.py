"""Laws of `apply`: a program, and a program that answers a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import fail, pure
from effactor.testing.functions import With
from effactor.testing.law import Same, law

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram

    Function = Callable[[Any], Any]


def _after(later: Function) -> Callable[[Function], Function]:
    def composed(earlier: Function) -> Function:
        return lambda x: later(earlier(x))

    return composed


@law("applicative", "p.apply(pure(identity)) ~ p")
def applying_the_identity_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(p.apply(pure(lambda x: x)), p)


@law("applicative", "pure(a).apply(pure(f)) ~ pure(a).map(f)")
def applying_a_function_calls_it(same: Same, a: Any, f: Function) -> None:
    same(pure(a).apply(pure(f)), pure(a).map(f))


@law("applicative", "p.apply(q) ~ p.bind(lambda x: q.map(lambda f: f(x)))")
def the_program_runs_before_the_function(
    same: Same, p: AnyProgram, q: AnyProgram, f: Function
) -> None:
    answering = q.map(With).map(_after).map(lambda before: before(f))
    same(p.apply(answering), p.bind(lambda x: answering.map(lambda function: function(x))))


@law("applicative", "p.apply(q).apply(r) ~ p.apply(q.apply(r.map(compose)))")
def application_composes(same: Same, p: AnyProgram, q: AnyProgram, r: AnyProgram) -> None:
    # Functions that cannot raise: it is not the same whether they are called before r runs.
    first, second = q.map(With), r.map(With)
    same(p.apply(first).apply(second), p.apply(first.apply(second.map(_after))))


@law("applicative", "fail(e).apply(q) ~ fail(e)")
def after_a_failure_the_function_is_not_asked_for(same: Same, e: Any, q: AnyProgram) -> None:
    same(fail(e).apply(q), fail(e))
