"""How middleware may go on to the rest of its chain, and what it is told if it goes on wrongly.

One message at a time holds behind middleware, too: the rest runs while `on_receive` does, and
one call of it after the other.
"""

from __future__ import annotations

from inspect import CORO_CREATED, getcoroutinestate, isawaitable
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final

from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.waits import Wait, wait_for
from effactor_interpreters.runtime.work import COROUTINE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator

    from effactor.actors.middleware import Middleware
    from effactor_interpreters.runtime.letters import Letter

RUNNING: Final[Any] = object()
"""Stands for a call of the rest that runs, in `Letter.further`."""

UNFINISHED: Final = frozenset({COROUTINE, GeneratorType})
"""Types of answers that have yet to be awaited, perhaps: a reply may be a generator."""

_AWAIT: Final = "write return await next_fn(ctx, message)"


def check_call(letter: Letter) -> None:
    """Refuse a call of the rest while another runs, or after the end.

    Args:
        letter: The context that was given.

    Raises:
        RuntimeError: If it comes at a wrong time.
    """
    if letter.further is RUNNING:
        msg = (
            "next_fn: the handler still runs after another call, and an actor handles one message "
            "at a time; await each call before the next"
        )
        raise RuntimeError(msg)
    if not letter.is_handled:
        msg = f"next_fn: on_receive has returned, and its message is done; {_AWAIT}"
        raise RuntimeError(msg)


def awaited(middleware: Middleware, made: Any) -> Awaitable[Any]:
    """Refuse what a hook has returned if it cannot be awaited.

    Args:
        middleware: Whose `on_receive` it was.
        made: What it has returned.

    Returns:
        The same.

    Raises:
        TypeError: If it is nothing to await.
    """
    if not isawaitable(made):
        kind = type(middleware).__name__
        msg = (
            f"{kind}.on_receive must be an `async def`, because it is awaited; it returned {made!r}"
        )
        raise TypeError(msg)
    return made


@coroutine
def check_end(letter: Letter, answer: Any) -> Generator[Any, Any, None]:
    """Refuse the answer of middleware that has left the rest behind.

    Args:
        letter: The message's letter.
        answer: What the outermost `on_receive` has returned.

    Yields:
        What the end of the rest is waited for with.

    Raises:
        TypeError: If the rest was called, and not awaited.
    """
    further = letter.further
    if further is RUNNING:
        yield from outlive(letter)
        msg = f"Middleware.on_receive returned before the handler that it called ended; {_AWAIT}"
        raise TypeError(msg)
    letter.further = None
    if type(further) is COROUTINE and getcoroutinestate(further) == CORO_CREATED:
        further.close()
        msg = f"Middleware.on_receive did not await next_fn, so no handler has run; {_AWAIT}"
        raise TypeError(msg)
    left: Any = answer  # what is known to be awaitable is not known to have a `close`
    if type(left) in UNFINISHED and isawaitable(answer):
        left.close()
        msg = (
            "Middleware.on_receive returned what has yet to be awaited, so no handler has run; "
            f"{_AWAIT}"
        )
        raise TypeError(msg)


@coroutine
def outlive(letter: Letter) -> Generator[Any, Any, None]:
    """Wait for the rest that still runs, in a task of middleware that has ended.

    The actor takes no other message meanwhile.

    Args:
        letter: The message's letter.

    Yields:
        What is waited for.
    """
    wait = letter.further = Wait(None, "the handler that its middleware did not wait for")
    yield from wait_for(wait)


def ended(letter: Letter) -> None:
    """Learn that a call of the rest has ended.

    Args:
        letter: The message's letter.
    """
    further, letter.further = letter.further, None
    if type(further) is Wait and not further.done():
        further.set_result(None)
