"""A trace as a tree of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from effactor.traces.branches import branches
from effactor.traces.wording import one_line, seconds, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from effactor.traces.record import Record

_WIDTH: Final = 160  # of a line, without its branches

_OUTCOMES: Final = frozenset({"reply", "failure"})


def to_text(records: Sequence[Record]) -> str:
    """Write records as a tree.

    Args:
        records: The records, in order.

    Returns:
        The participant that acts, and a branch for each of its operations. What
        happened inside a `named` program, and an outcome that comes at once, are
        branches of these. With several participants each line begins with the one
        that acts.
    """
    if not records:
        return "(nothing happened)"
    actors = {r.source for r in records if r.kind not in _OUTCOMES}
    lone = len(actors) == 1
    title = actors.pop() if lone else f"{len(records)} records"
    return "\n".join([title, *branches(_lines(records, lone=lone))])


def _lines(records: Iterable[Record], *, lone: bool) -> list[tuple[int, str]]:
    """Return depth and text of each line."""
    lines: list[tuple[int, str]] = []
    inside: tuple[str, ...] = ()
    clock = 0.0
    before: Record | None = None
    for r in records:
        common = 0
        while common < min(len(inside), len(r.within)) and inside[common] == r.within[common]:
            common += 1
        lines += [(depth, name) for depth, name in enumerate(r.within) if depth >= common]
        inside = r.within
        words = sentence(r)
        nested = _answers(before, r)
        if not nested and not lone:
            words = f"{r.source}: {words}"
        if not nested and r.kind in _OUTCOMES and r.target != r.source:
            words += f" to {r.target}"
        words = one_line(words, _WIDTH)
        if r.time != clock:
            words += f"   at {seconds(r.time)}"
            clock = r.time
        lines.append((len(inside) + nested, words))
        before = r
    return lines


def _answers(before: Record | None, record: Record) -> bool:
    """Tell whether *record* is the outcome of the operation right before it."""
    return (
        before is not None
        and record.kind in _OUTCOMES
        and before.kind not in _OUTCOMES
        and (before.source, before.target) == (record.target, record.source)
        and before.within == record.within
    )
