"""A small picture of operations in time, one line each, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from effactor.consistency.history import Operation

_WIDTH: Final = 48
_LABEL: Final = 34
_NAME: Final = 16


def diagram(operations: Sequence[Operation], notes: Mapping[int, str] | None = None) -> str:
    """Draw operations as lines from their beginning to their end.

    Time is the order of the records: columns are not to scale. An operation of unknown
    outcome goes on to the right-hand side, because it may take effect at any time.

    Args:
        operations: What to draw, at most a screenful.
        notes: Words to put behind some, by number of the operation.

    Returns:
        The lines.
    """
    notes = notes or {}
    rows = sorted(operations, key=lambda operation: operation.begin)
    times = sorted(
        {row.begin for row in rows}
        | {row.end for row in rows if row.end is not None and row.outcome == "ok"}
    )
    last = len(times)
    step = max(1, min(4, _WIDTH // max(1, last)))
    column = {time: place * step for place, time in enumerate(times)}
    name = max((len(_cut(row.client, _NAME)) for row in rows), default=0)
    label = max((len(_cut(str(row), _LABEL)) for row in rows), default=0)
    lines: list[str] = []
    for row in rows:
        begin = column[row.begin]
        if row.outcome == "ok" and row.end is not None:
            bar = "├" + "─" * (column[row.end] - begin - 1) + "┤"
        else:
            bar = "├" + "╌" * (last * step - begin - 1)
        drawn = f"{_cut(row.client, _NAME):<{name}}  {_cut(str(row), _LABEL):<{label}}  "
        drawn += " " * begin + bar
        note = notes.get(row.number)
        if note:
            drawn = f"{drawn:<{name + label + 4 + last * step}}  {note}"
        lines.append(drawn.strip() if not name else drawn.rstrip())
    return "\n".join(lines)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def moments(operation: Operation) -> str:
    """Tell when an operation was, if that is known.

    Args:
        operation: The operation.

    Returns:
        Such as ` (from 1.5 s to 2 s)`, or nothing.
    """
    if operation.began_at is None or operation.ended_at is None:
        return ""
    if operation.began_at == operation.ended_at:
        return ""
    return f" ({operation.ended_at - operation.began_at:g} s)"
