"""Laws of `handle`: who answers an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import fail, gather, handle, on, perform, pure
from effactor.programs.structure import is_program
from effactor.testing.effects import Add, Take
from effactor.testing.functions import Tags
from effactor.testing.law import Same, law

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram

    Step = Callable[[Any], AnyProgram]
    Handler = Callable[[Any], Any]


def _adding(h: Handler) -> Callable[[AnyProgram], AnyProgram]:
    return handle(Add)(h)


def _taking(h: Handler) -> Callable[[AnyProgram], AnyProgram]:
    return handle(Take)(h)


@law("handlers", "handle(h)(pure(a)) ~ pure(a), and handle(h)(fail(e)) ~ fail(e)")
def what_performs_nothing_needs_no_handler(same: Same, h: Handler, a: Any, e: Any) -> None:
    same(_adding(h)(pure(a)), pure(a))
    same(_adding(h)(fail(e)), fail(e))


@law("handlers", "handle(h)(p.bind(k)) ~ handle(h)(p).bind(lambda x: handle(h)(k(x)))")
def a_handler_distributes_over_bind(same: Same, h: Handler, p: AnyProgram, k: Step) -> None:
    handled = _adding(h)
    same(handled(p.bind(k)), handled(p).bind(lambda x: handled(k(x))))


@law("handlers", "handle(h)(p.lash(k)) ~ handle(h)(p).lash(lambda x: handle(h)(k(x)))")
def a_handler_distributes_over_lash(same: Same, h: Handler, p: AnyProgram, k: Step) -> None:
    handled = _adding(h)
    same(handled(p.lash(k)), handled(p).lash(lambda x: handled(k(x))))


@law("handlers", "handle(h)(perform(x)) ~ h(x)")
def to_perform_is_to_ask_the_handler(same: Same, h: Handler, n: int) -> None:
    effect = Add(n)

    def answered(_: object) -> AnyProgram:
        answer = h(effect)
        return answer if is_program(answer) else pure(answer)

    same(_adding(h)(perform(effect)), pure(None).bind(answered))


@law("handlers", "handle(perform)(p) ~ p")
def to_pass_effects_on_changes_nothing(same: Same, p: AnyProgram) -> None:
    same(_adding(perform)(p), p)


@law("handlers", "handle(i)(handle(h)(p)) ~ handle(h)(p), if h performs nothing")
def the_nearest_handler_wins(same: Same, p: AnyProgram, i: Handler) -> None:
    inner = _adding(Tags("h"))(p)
    same(_adding(i)(inner), inner)


@law("handlers", "handle(h)(pure(a)).bind(k) ~ k(a), and handle(h)(fail(e)).lash(k) ~ k(e)")
def a_handler_answers_only_what_it_is_around(
    same: Same, h: Handler, k: Step, a: Any, e: Any
) -> None:
    same(_adding(h)(pure(a)).bind(k), pure(a).bind(k))
    same(_adding(h)(fail(e)).lash(k), pure(e).bind(k))


@law("handlers", "handle(h)(handle(i)(p)) ~ handle(i)(handle(h)(p)), for different effects")
def handlers_of_different_effects_commute(same: Same, p: AnyProgram) -> None:
    f: Handler = Tags("f")
    g: Handler = Tags("g")
    nested = _adding(f)(_taking(g)(p))
    same(nested, _taking(g)(_adding(f)(p)))
    same(nested, handle(on(Add)(f), on(Take)(g))(p))


@law("handlers", "handle(h) around perform(x), with h in handle(i): what h performs is i's")
def what_a_handler_performs_is_left_to_those_further_out(
    same: Same, p: AnyProgram, i: Handler, n: int
) -> None:
    def instead(effect: Add) -> AnyProgram:
        return perform(Add(effect.n + n, "instead"))

    # `i` sees only the changed effects; handled at once, it is the same.
    same(
        _adding(i)(_adding(instead)(p)),
        _adding(lambda effect: _adding(i)(instead(effect)))(p),
    )


@law("handlers", "handle(h)(gather([p])) ~ gather([handle(h)(p)])")
def branches_and_forks_see_the_handlers_around_them(same: Same, p: AnyProgram, h: Handler) -> None:
    handled = _adding(h)
    same(handled(gather([p])), gather([handled(p)]))
    same(handled(p.fork().bind(lambda fiber: fiber.join())), handled(p))
