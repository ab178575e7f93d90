"""The branches of a tree of text, shared by the drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def branches(lines: Sequence[tuple[int, str]]) -> list[str]:
    """Draw a tree below a title.

    Args:
        lines: Depth and text of each line, a parent before its children; 0 is right
            below the title.

    Returns:
        The lines with their branches in front.
    """
    # From below: only there is it known whether a branch goes on.
    drawn: list[str] = []
    goes_on: list[bool] = []
    for depth, words in reversed(lines):
        goes_on += [False] * (depth + 1 - len(goes_on))
        left = "".join("│  " if level else "   " for level in goes_on[:depth])
        drawn.append(f"{left}{'├─' if goes_on[depth] else '└─'} {words}")
        goes_on[depth] = True
        del goes_on[depth + 1 :]
    drawn.reverse()
    return drawn
