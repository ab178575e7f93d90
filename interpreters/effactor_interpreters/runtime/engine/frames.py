"""Frames: what is left to do after the node that is evaluated, and how they are left.

Each frame is `(kind, payload, next frame)`. A node that surrounds another pushes one,
an answer is returned to it, a failure, defect or interrupt unwinds it. The frequent
kinds, of `map`, `bind` and do-blocks, are left in the fiber's own loop.
"""

# Programs erase the types between their steps, so frames hold values of any type.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returns.result import Failure, Success

from effactor.errors import Failed, NoInterpreter
from effactor.programs.exits import Died, FailedWith, Succeeded
from effactor.programs.operations import Operation
from effactor.programs.program import (
    Attempt,
    Catch,
    Composite,
    ExitOf,
    FlatMap,
    Handle,
    Lash,
    Named,
    Pure,
    Refine,
)
from effactor.programs.resources import Bracket, Ensure, OnInterrupt, Scoped, Uninterruptible
from effactor_interpreters.runtime.engine.lost import lost
from effactor_interpreters.runtime.engine.notes import note, set_context
from effactor_interpreters.runtime.engine.scopes import AmongHandlers, Scope
from effactor_interpreters.runtime.engine.signals import (
    ACQUIRE,
    AFTER,
    ATTEMPT,
    BLOCK,
    CATCH,
    DEFECT,
    EFFECTS,
    ENSURE,
    EVALUATE,
    EXIT,
    FAILURE,
    FATAL,
    INTERRUPT,
    LASH,
    MASK,
    NAMED,
    NAMES,
    ON_INTERRUPT,
    REFINE,
    SCOPE,
    SUCCESS,
    Interruption,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.runtime.engine.fiber import Fiber

Frame = Any  # (kind, payload, next frame) or None: a recursive tuple, built millions of times


# ------------------------------------------------------------ entering


def enter(fiber: Fiber, p: Any, frames: Frame) -> tuple[Any, Frame]:
    """Enter a node that is none of the frequent ones.

    Args:
        fiber: The fiber that evaluates it.
        p: The node.
        frames: What is left to do after it.

    Returns:
        What to evaluate next, and the frames.

    Raises:
        NoInterpreter: If it is an operation without a function in the table.
        TypeError: If it is no program.
    """
    entering = _ENTER.get(type(p))
    if entering is not None:
        return entering(fiber, p, frames)
    if isinstance(p, Composite):
        return p.expand(), frames
    if isinstance(p, Operation):
        raise NoInterpreter(p.describe(), fiber.owner.description)
    msg = (
        f"expected a Program, got {p!r}; in a do-block write "
        '"yield from program", and functions given to bind, lash, catch, traverse, bracket and '
        "the like must return a Program"
    )
    raise TypeError(msg)


def _named(fiber: Fiber, p: Any, frames: Frame) -> tuple[Any, Frame]:
    outer = fiber.within
    if len(outer) < NAMES:
        fiber.within = (*outer, p.name)
    return p.source, (NAMED, (p.name, outer), frames)


def _handle(fiber: Fiber, p: Any, frames: Frame) -> tuple[Any, Frame]:
    outer, fiber.effects = fiber.effects, (p.table, fiber.effects)
    return p.source, (EFFECTS, outer, frames)


def _among_handlers(fiber: Fiber, p: Any, frames: Frame) -> tuple[Any, Frame]:
    outer, fiber.effects = fiber.effects, p.effects
    return p.source, (EFFECTS, outer, frames)


def _uninterruptible(fiber: Fiber, p: Any, frames: Frame) -> tuple[Any, Frame]:
    fiber.masked += 1
    return p.source, (MASK, None, frames)


def _bracket(fiber: Fiber, p: Any, frames: Frame) -> tuple[Any, Frame]:
    if not p.interruptible:
        fiber.masked += 1
    return p.acquire, (ACQUIRE, p, frames)


def _scoped(fiber: Fiber, p: Any, frames: Frame) -> tuple[Any, Frame]:
    scope = Scope(fiber.scope, fiber.spawn_scope)
    fiber.scope = fiber.spawn_scope = scope
    return p.source, (SCOPE, scope, frames)


_ENTER: dict[type[Any], Callable[[Fiber, Any, Frame], tuple[Any, Frame]]] = {
    Lash: lambda _fiber, p, frames: (p.source, (LASH, p.function, frames)),
    Catch: lambda _fiber, p, frames: (p.source, (CATCH, (p.classes, p.function), frames)),
    Attempt: lambda _fiber, p, frames: (p.source, (ATTEMPT, None, frames)),
    ExitOf: lambda _fiber, p, frames: (p.source, (EXIT, None, frames)),
    Refine: lambda _fiber, p, frames: (p.source, (REFINE, p.classes, frames)),
    Ensure: lambda _fiber, p, frames: (p.source, (ENSURE, p.finalizer, frames)),
    OnInterrupt: lambda _fiber, p, frames: (p.source, (ON_INTERRUPT, p.finalizer, frames)),
    Uninterruptible: _uninterruptible,
    Bracket: _bracket,
    Scoped: _scoped,
    Named: _named,
    Handle: _handle,
    AmongHandlers: _among_handlers,
}


# ------------------------------------------------------------ leaving with an answer


def leave(fiber: Fiber, kind: int, payload: Any, v: Any, frames: Frame) -> tuple[int, Any, Frame]:
    """Return the answer *v* to a frame that is none of the frequent ones.

    Args:
        fiber: The fiber.
        kind: The frame's kind.
        payload: Its payload.
        v: The answer.
        frames: The frames further out.

    Returns:
        How it goes on: an outcome and its value, usually `SUCCESS` and an answer, or
        `EVALUATE` and a program; and the frames.
    """
    if kind == ATTEMPT:
        return SUCCESS, Success(v), frames
    if kind == EXIT:
        return SUCCESS, Succeeded(v), frames
    if kind == ENSURE:
        return EVALUATE, payload, _finalising(fiber, SUCCESS, v, frames)
    if kind == AFTER:
        fiber.masked -= 1
        before, value = payload
        if before == INTERRUPT:
            return before, None, frames
        if fiber.interrupted and not fiber.masked:
            if before == DEFECT:
                fiber.overtake(before, value, "an interrupt overtook a defect")
            return INTERRUPT, None, frames
        return before, value, frames
    if kind == EFFECTS:
        fiber.effects = payload
    elif kind == NAMED:
        fiber.within = payload[1]
    elif kind == MASK:
        fiber.masked -= 1
        if fiber.interrupted and not fiber.masked:
            return INTERRUPT, None, frames
    elif kind == ACQUIRE:
        # From here on the release is certain, whatever comes first.
        frames = (ENSURE, FlatMap(Pure(v), payload.release), frames)
        if not payload.interruptible:
            fiber.masked -= 1
            if fiber.interrupted and not fiber.masked:
                return INTERRUPT, None, frames
        return EVALUATE, FlatMap(Pure(v), payload.use), frames
    elif kind == SCOPE:
        fiber.scope, fiber.spawn_scope = payload.outer, payload.outer_spawn_scope
        return close(fiber, payload, SUCCESS, v, frames)
    return SUCCESS, v, frames


def close(
    fiber: Fiber, scope: Scope | None, kind: int, value: Any, frames: Frame
) -> tuple[int, Any, Frame]:
    """End a scope, holding up the outcome with which its program ended.

    Args:
        fiber: The fiber.
        scope: Its scope; None if nothing was ever left to it.
        kind: How the program ended.
        value: Its answer, failure or defect.
        frames: The frames outside of the scope.

    Returns:
        As `leave` does.
    """
    if scope is None:
        return kind, value, frames
    if scope.is_empty():
        scope.is_over = True
        return kind, value, frames
    return EVALUATE, scope.closing(), _finalising(fiber, kind, value, frames)


def _finalising(fiber: Fiber, kind: int, value: Any, frames: Frame) -> Frame:
    """Begin a finaliser: it is not interrupted.

    Returns:
        The frames, with one that holds up the outcome until the finaliser has ended.
    """
    fiber.masked += 1
    return AFTER, (kind, value), frames


# ------------------------------------------------------------ unwinding


def unwind(fiber: Fiber, kind: int, error: Any) -> Any:
    """Carry a failure, defect or interrupt down to the frame that stops it.

    Args:
        fiber: The fiber; its frames are set for what comes next.
        kind: Which of the three.
        error: The failure or defect.

    Returns:
        The program to evaluate next; None if the fiber ended.
    """
    frames = fiber.frames
    while True:
        while frames is not None:
            tag, payload, frames = frames
            if tag == BLOCK:
                if payload.gi_frame is None:
                    continue  # it raised this itself
                raised = as_exception(kind, error)
                try:
                    p = payload.throw(raised)
                except StopIteration as stop:
                    if kind != INTERRUPT:
                        fiber.frames = frames
                        return Pure(stop.value)
                except BaseException as other:
                    if other is raised:
                        continue  # the block let it through
                    if isinstance(other, Interruption):
                        kind, error = INTERRUPT, None
                    elif isinstance(other, FATAL):
                        fiber.frames = frames
                        fiber.die(other)
                        raise
                    elif kind != INTERRUPT:
                        kind, error = fiber.raised(other)
                    else:
                        what = "a do-block died while it was interrupted"
                        fiber.overtake(*fiber.raised(other), what)
                else:
                    if kind == INTERRUPT:
                        # Its `finally` performs effects; it goes on, masked, and
                        # the interrupt goes on after it.
                        frames = _finalising(fiber, INTERRUPT, None, frames)
                    elif kind == FAILURE:
                        fiber.mark(raised)
                    fiber.frames = (BLOCK, payload, frames)
                    return p
            elif tag == ENSURE or (tag == ON_INTERRUPT and kind == INTERRUPT):
                fiber.frames = _finalising(fiber, kind, error, frames)
                return payload
            elif tag == AFTER:
                fiber.masked -= 1
                kind, error = _after_finaliser(fiber, payload, kind, error)
            elif tag == MASK or (tag == ACQUIRE and not payload.interruptible):
                fiber.masked -= 1
                kind, error = _unmasked(fiber, kind, error)
            elif tag == SCOPE:
                fiber.scope, fiber.spawn_scope = payload.outer, payload.outer_spawn_scope
                kind, error, frames = close(fiber, payload, kind, error, frames)
                if kind == EVALUATE:
                    fiber.frames = frames
                    return error
            elif tag == EFFECTS:
                fiber.effects = payload
            elif tag == NAMED:
                # Not on failures: they are the user's values, perhaps raised many times.
                name, fiber.within = payload
                if kind == DEFECT:
                    note(error, f"in {name!r}")
            elif kind == FAILURE:
                recovery = _recover(tag, payload, error)
                if recovery is not None:
                    fiber.frames = frames
                    return recovery
            elif kind == DEFECT:
                if tag == REFINE and isinstance(error, payload):
                    kind = FAILURE
                elif tag == EXIT:
                    fiber.frames = frames
                    return Pure(Died(error))
        scope, fiber.scope = fiber.scope, None
        kind, error, frames = close(fiber, scope, kind, error, None)
        if kind == EVALUATE:
            fiber.frames = frames
            return error
        fiber.end_with(kind, error)
        return None


def _unmasked(fiber: Fiber, kind: int, error: Any) -> tuple[int, Any]:
    """Let an interrupt take effect that was held up, if there is one."""
    if not fiber.interrupted or fiber.masked:
        return kind, error
    if kind == DEFECT:
        fiber.overtake(kind, error, "an interrupt overtook a defect")
    return INTERRUPT, None


def _after_finaliser(fiber: Fiber, held: tuple[int, Any], kind: int, error: Any) -> tuple[int, Any]:
    """Say how it goes on when a finaliser itself ended badly."""
    before, value = held
    if before == DEFECT and kind == FAILURE:
        # Whoever recovers from the failure would never learn of the defect.
        lost(fiber, "a finaliser failed after a defect", error)
        return _unmasked(fiber, before, value)
    if before not in {SUCCESS, INTERRUPT} and value is not error:
        set_context(error, as_exception(before, value))
    if before == INTERRUPT or (fiber.interrupted and not fiber.masked):
        # The interrupt goes on, whatever the finaliser did.
        if kind != INTERRUPT:
            fiber.overtake(kind, error, "a finaliser ended badly after an interrupt")
        return INTERRUPT, None
    return kind, error


def _recover(tag: int, payload: Any, error: Any) -> Any:
    """Return the program that goes on after a failure met this frame, if it does."""
    if tag == ATTEMPT:
        return Pure(Failure(error))
    if tag == EXIT:
        return Pure(FailedWith(error))
    if tag == LASH:
        return FlatMap(Pure(error), payload)
    if tag == CATCH and isinstance(error, payload[0]):
        return FlatMap(Pure(error), payload[1])
    return None


def as_exception(kind: int, error: Any) -> BaseException:
    """Return what a block sees raised for an outcome."""
    if kind == INTERRUPT:
        return Interruption()
    if kind == FAILURE and not isinstance(error, BaseException):
        return Failed(error)
    exception: BaseException = error
    return exception
