"""Middleware around the handlers of an actor, nested: the chain that each message goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from effactor_interpreters.runtime.letters import Letter, handle_within
from effactor_interpreters.runtime.next_calls import (
    RUNNING,
    awaited,
    check_call,
)
from effactor_interpreters.runtime.work import COROUTINE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from effactor.actors.middleware import Middleware, Next


_NOTHING: Final[Any] = object()


def chain(middlewares: tuple[Middleware, ...]) -> Callable[[Letter, Any], Awaitable[Any]]:
    """Nest middleware around the handlers, the first outermost.

    Args:
        middlewares: At least one.

    Returns:
        A function of a letter and its message.
    """
    rest: Any = _innermost
    for middleware in reversed(middlewares[1:]):
        rest = _around(middleware, rest)
    return _outermost(middlewares[0], rest)


def _innermost(ctx: Any = _NOTHING, message: Any = _NOTHING, *more: Any) -> Any:
    if type(ctx) is not Letter or message is _NOTHING or more:
        raise _wrong(ctx, more)
    if ctx.further is RUNNING:
        check_call(ctx)
    made = ctx.further = handle_within(ctx.handled_by, ctx, message)
    return made


def _around(middleware: Middleware, rest: Next) -> Next:
    receive = middleware.on_receive

    def further(ctx: Any = _NOTHING, message: Any = _NOTHING, *more: Any) -> Any:
        if type(ctx) is not Letter or message is _NOTHING or more:
            raise _wrong(ctx, more)
        if ctx.further is RUNNING:
            check_call(ctx)
        made: Any = receive(ctx, message, rest)
        if type(made) is not COROUTINE:
            made = awaited(middleware, made)
        ctx.further = made
        return made

    return further


def _outermost(middleware: Middleware, rest: Next) -> Callable[[Letter, Any], Any]:
    receive = middleware.on_receive

    def enter(letter: Letter, message: Any) -> Any:
        letter.further = None
        made: Any = receive(letter, message, rest)
        # A letter steps it, and does not await it.
        return made if type(made) is COROUTINE else awaited(middleware, made).__await__()

    return enter


def _wrong(ctx: Any, more: tuple[Any, ...]) -> TypeError:
    if more:
        got = f"{2 + len(more)} arguments"
    elif ctx is _NOTHING:
        got = "nothing"
    else:
        got = "no message" if type(ctx) is Letter else repr(ctx)
    return TypeError(
        f"next_fn: ctx must be the context that on_receive got, and message a message, got {got}; "
        "write await next_fn(ctx, message)"
    )
