"""Laws of `bind`: programs one after another. And of do-blocks, which are binds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import fail, pure
from effactor.testing.blocks import binding, in_turn
from effactor.testing.law import Same, law

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram

    Step = Callable[[Any], AnyProgram]


@law("monad", "pure(a).bind(k) ~ k(a)")
def pure_is_neutral_before(same: Same, a: Any, k: Step) -> None:
    # `k` may raise: where nothing runs yet, the second one must not be called.
    same(pure(a).bind(k), pure(None).bind(lambda _: k(a)))


@law("monad", "p.bind(pure) ~ p")
def pure_is_neutral_after(same: Same, p: AnyProgram) -> None:
    same(p.bind(pure), p)


@law("monad", "p.bind(k).bind(j) ~ p.bind(lambda x: k(x).bind(j))")
def binds_are_associative(same: Same, p: AnyProgram, k: Step, j: Step) -> None:
    same(p.bind(k).bind(j), p.bind(lambda x: k(x).bind(j)))


@law("monad", "p.map(f) ~ p.bind(lambda x: pure(f(x)))")
def map_is_a_bind(same: Same, p: AnyProgram, f: Callable[[Any], Any]) -> None:
    same(p.map(f), p.bind(lambda x: pure(f(x))))


@law("monad", "p.then(q) ~ p.bind(lambda _: q)")
def then_is_a_bind(same: Same, p: AnyProgram, q: AnyProgram) -> None:
    same(p.then(q), p.bind(lambda _: q))


@law("monad", "p.tap(k) ~ p.bind(lambda x: k(x).map(lambda _: x))")
def tap_is_a_bind(same: Same, p: AnyProgram, k: Step) -> None:
    same(p.tap(k), p.bind(lambda x: k(x).map(lambda _: x)))


@law("monad", "fail(e).bind(k) ~ fail(e)")
def nothing_comes_after_a_failure(same: Same, e: Any, k: Step) -> None:
    same(fail(e).bind(k), fail(e))


@law("monad", "a block that yields from p, k(x) and j(y) ~ p.bind(k).bind(j)")
def a_block_is_its_chain_of_binds(same: Same, p: AnyProgram, k: Step, j: Step) -> None:
    same(binding(p, k, j), p.bind(k).bind(j))


@law("monad", "a block that yields from p, then q, then r ~ their binds")
def a_loop_in_a_block_is_a_chain_of_binds(
    same: Same, p: AnyProgram, q: AnyProgram, r: AnyProgram
) -> None:
    same(
        in_turn(parts=(p, q, r)),
        p.bind(lambda x: q.bind(lambda y: r.map(lambda z: [x, y, z]))),
    )


@law("monad", "a block in a block ~ one block")
def blocks_nest(same: Same, p: AnyProgram, k: Step, j: Step) -> None:
    same(binding(binding(p, k), j), binding(p, k, j))
