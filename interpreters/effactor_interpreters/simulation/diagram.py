"""A sequence diagram in plain text, for reports on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from effactor.traces.wording import brief
from effactor_interpreters.simulation.events import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from effactor.traces.record import Record
    from effactor.traces.trace import Trace

_ROWS: Final = 24
_COLUMNS: Final = 6
_WIDTH: Final = 100
ARROWS: Final = frozenset({"ask", "tell", "reply", "failure", "stop"})
SHOWN: Final = ARROWS | {"stash", "unstashed", "timer", "crash", "fault"}


def sequence(trace: Trace, marks: Mapping[int, str], outcome: str) -> list[str]:
    """Draw the messages of a trace, the last ones if it is long.

    Args:
        trace: The trace.
        marks: Remarks by number of the record.
        outcome: What the last line says.

    Returns:
        Lines of at most 100 characters.
    """
    events = [record for record in trace.records if record.kind in SHOWN]
    cut = max(0, len(events) - _ROWS)
    shown = events[cut:]
    names: list[str] = []
    for record in shown:
        for path in (record.source, record.target):
            if path not in names:
                names.append(path)
    # Whoever acts most is drawn when there are too many for the screen.
    if len(names) > _COLUMNS:
        weight = {p: sum(p in (r.source, r.target) for r in shown) for p in names}
        kept = sorted(names, key=lambda p: -weight[p])[:_COLUMNS]
        names = [p for p in names if p in kept]
    if not names:
        return [f"x {_cut(outcome, _WIDTH - 8)}"]
    gap = max(12, min(26, (_WIDTH - 36) // len(names)))
    place = {path: gap // 2 + i * gap for i, path in enumerate(names)}
    width = gap * len(names)
    lines = [_row(width, {place[p]: _cut(short(p), gap - 2) for p in names})]
    if cut:
        lines.append(f"... {cut} earlier events")
    left = dict(marks)
    for record in shown:
        line = _event(record, place, width)
        if line is not None:
            # A mark whose own event is not drawn goes to the next one that is.
            due = [left.pop(step) for step in sorted(left) if step <= record.step]
            lines.append(f"{line}  {due[-1] if due else ''}".rstrip())
    lines.append(f"x {_cut(outcome, _WIDTH - 8)}")
    return lines


def _row(width: int, texts: dict[int, str]) -> str:
    row = [" "] * width
    for centre, text in texts.items():
        start = max(0, min(centre - len(text) // 2, width - len(text)))
        row[start : start + len(text)] = text
    return "".join(row[:width])


def _event(record: Record, place: dict[str, int], width: int) -> str | None:
    source, target = place.get(record.source), place.get(record.target)
    if source is None or target is None:
        return None
    row = [" "] * width
    for column in place.values():
        row[column] = "|"
    if record.kind not in ARROWS or source == target:
        text = _note(record)
        start = min(target, max(0, width - len(text)))
        row[start : start + len(text)] = text
        return "".join(row[: max(width, start + len(text))])
    low, high = min(source, target), max(source, target)
    label = _cut(_label(record), high - low - 4)
    arrow = f"{label:-^{high - low - 2}}"
    arrow = f"-{arrow[:-1]}>" if source < target else f"<{arrow[1:]}-"
    row[low + 1 : high] = (
        f"{arrow:-<{high - low - 1}}" if source > target else f"{arrow:->{high - low - 1}}"
    )
    return "".join(row)


def _label(record: Record) -> str:
    if record.kind == "stop":
        return f"stop ({record.subject})"
    mark = "! " if record.kind == "failure" else ""
    return mark + brief(record.subject)


def _note(record: Record) -> str:
    if record.kind == "timer":
        return f"* {record.subject} fires"
    if record.kind == "crash":
        return "* crashes"
    if record.kind == "begin":
        return "* begins"
    if record.kind == "fault":
        return f"* {record.subject}"
    return f"* {record.kind} {_label(record)}"


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: max(1, width - 1)] + "~"
