"""Fibers and the branches they wait for: what reaches all of them, however deep.

A branch may itself wait for branches, thousands deep, so nothing here recurses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from effactor_interpreters.runtime.engine.signals import BLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import GeneratorType

    from effactor_interpreters.runtime.engine.fiber import Fiber, Pending
    from effactor_interpreters.runtime.engine.frames import Frame


def branches_of(pending: Pending | None) -> Sequence[Fiber]:
    """List the fibers that a fiber waits for, if that is what it waits for.

    Args:
        pending: What it waits for; None for nothing.

    Returns:
        The branches that run; none if it waits for something else.
    """
    branches = getattr(pending, "branches", None)
    found: Sequence[Fiber] = () if branches is None else branches()
    return found


def interrupt(fibers: Sequence[Fiber]) -> None:
    """Interrupt fibers, in order, each together with the branches that it waits for.

    Args:
        fibers: The fibers; those that have ended, or know already, are left alone.
    """
    left = list(reversed(fibers))
    while left:
        fiber = left.pop()
        if fiber.outcome is None and not fiber.interrupted:
            fiber.interrupted = True
            left.extend(reversed(fiber.let_go()))


def abandon(fiber: Fiber) -> None:
    """Close the open do-blocks of a fiber, its branches and forks: they never run again.

    Nothing that a block yields while it is closed is performed; one that insists on
    yielding is left to the garbage collector.

    Args:
        fiber: The fiber.
    """
    left = [fiber]
    cut: list[Frame] = []
    while left:
        frames, others = left.pop().cut_off()
        cut.append(frames)
        left.extend(reversed(others))
    for frames in reversed(cut):  # what was begun last is closed first
        while frames is not None:
            kind, payload, frames = frames  # noqa: PLW2901 - a linked list
            if kind == BLOCK:
                _close(payload)


def _close(block: GeneratorType[Any, Any, Any]) -> None:
    """Close a block: it may yield once in each `finally` that it is in."""
    for _ in range(_FINALLY):
        try:
            block.close()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: S110 - a dying block may say anything
            pass
        if block.gi_frame is None:
            return


_FINALLY: Final = 100
"""Times that a block is closed at most."""


def leaves(fibers: Sequence[Fiber], most: int) -> list[Pending]:
    """List what fibers wait for in the end: for branches what those wait for.

    Args:
        fibers: The fibers.
        most: How many to list at most.

    Returns:
        What they wait for, in the order of the branches, but for branches that are
        ready to go on.
    """
    left = list(reversed(fibers))
    found: list[Pending] = []
    while left and len(found) < most:
        pending = left.pop().pending
        inside = branches_of(pending)
        if inside:
            left.extend(reversed(inside))
        elif pending is not None:
            found.append(pending)
    return found
