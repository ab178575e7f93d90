"""Laws of `map` and `alt`: they change answers and failures, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import fail, pure
from effactor.testing.law import Same, law

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram

    Function = Callable[[Any], Any]


def identity(value: Any) -> Any:
    """Return the value."""
    return value


@law("functor", "p.map(identity) ~ p")
def mapping_with_the_identity_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(p.map(identity), p)


@law("functor", "p.map(f).map(g) ~ p.map(g after f)")
def mapping_twice_is_mapping_with_both(same: Same, p: AnyProgram, f: Function, g: Function) -> None:
    same(p.map(f).map(g), p.map(lambda x: g(f(x))))


@law("functor", "pure(a).map(f) ~ pure(f(a)), or dies of what f raises")
def mapping_an_answer_calls_the_function_once(same: Same, a: Any, f: Function) -> None:
    same(pure(a).map(f), pure(a).bind(lambda x: pure(f(x))))


@law("functor", "p.alt(identity) ~ p")
def the_identity_on_failures_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(p.alt(identity), p)


@law("functor", "p.alt(f).alt(g) ~ p.alt(g after f)")
def changing_failures_twice_is_changing_them_with_both(
    same: Same, p: AnyProgram, f: Function, g: Function
) -> None:
    same(p.alt(f).alt(g), p.alt(lambda x: g(f(x))))


@law("functor", "fail(e).map(f) ~ fail(e), and pure(a).alt(f) ~ pure(a)")
def each_side_leaves_the_other_alone(same: Same, a: Any, e: Any, f: Function) -> None:
    same(fail(e).map(f), fail(e))
    same(pure(a).alt(f), pure(a))


@law("functor", "p.swap().swap() ~ p, and p.swap().map(f).swap() ~ p.alt(f)")
def swapping_exchanges_the_sides(same: Same, p: AnyProgram, f: Function) -> None:
    same(p.swap().swap(), p)
    same(p.swap().map(f).swap(), p.alt(f))


@law("functor", "p.named(text) ~ p")
def a_name_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(p.named("a name"), p)
