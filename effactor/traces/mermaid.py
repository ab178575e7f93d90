"""A trace as a Mermaid sequence diagram.

Mermaid's lexer gives a meaning to more characters than its manual lists: `;` and
`#` end a text, `%%{` anywhere is a directive, `<br>` and a backslash with an n
break lines, `$$` begins a formula, `:` turns `wrap` into a command. So every
character that is not known to be harmless is written as its number, `#59;`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from effactor.traces.wording import made_by, one_line, sentence, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from effactor.traces.record import Record

_HARMLESS: Final = frozenset(" .,/()[]='_-?!*|")
_WIDTH: Final = 60  # of a text, in characters before they are escaped
_SIZE: Final = 45_000  # of a diagram, in characters: Mermaid draws nothing above 50,000

_ARROWS: Final = {
    "ask": "->>",
    "reply": "-->>",
    "failure": "--x",
    "tell": "-)",
    "spawn": "-)",
    "stop": "-)",
}


def to_mermaid(records: Iterable[Record], marks: Mapping[int, str] | None = None) -> str:
    """Draw records as a Mermaid sequence diagram.

    Args:
        records: The records, in order.
        marks: Remarks by number of the record, which are put into notes.

    Returns:
        The diagram's source. Asks are solid arrows, replies dashed ones, failures
        end in a cross, tells, spawns and stops are open arrows; everything else is
        a note over whoever does it. Long texts are cut, and so is a diagram that
        Mermaid would refuse as too large.
    """
    aliases: dict[str, str] = {}
    steps: list[str] = []
    size = left_out = 0
    last = "p1"

    def alias(path: str) -> str:
        return aliases.setdefault(path, f"p{len(aliases) + 1}")

    for r in records:
        if size > _SIZE:
            left_out += 1
            continue
        known = len(aliases)
        arrow = _ARROWS.get(r.kind) if r.source != r.target else None
        if arrow is None:
            last = alias(r.target if r.kind == "crash" else r.source)
            line = f"    Note over {last}: {escaped(sentence(r))}"
        else:
            last = alias(r.source)
            line = f"    {last}{arrow}{alias(r.target)}: {escaped(_label(r))}"
        mark = None if marks is None else marks.get(r.step)
        if mark is not None:
            line += f"\n    Note over {last}: {escaped(mark)}"
        steps.append(line)
        size += len(line) + sum(len(path) + 25 for path in list(aliases)[known:])
    if left_out:
        steps.append(f"    Note over {last}: {left_out} more are not drawn")
    heads = [f"    participant {name} as {escaped(path)}" for path, name in aliases.items()]
    return "\n".join(["sequenceDiagram", *heads, *steps])


def _label(record: Record) -> str:
    """Say what an arrow carries; where it goes can be seen."""
    if record.kind == "spawn":
        return f"spawn {made_by(record.subject)}"
    if record.kind == "stop":
        return f"stop ({record.subject})"
    return shown(record.subject)


def escaped(text: str) -> str:
    """Make a text safe anywhere in a sequence diagram.

    Args:
        text: Any text.

    Returns:
        One line, cut to 60 characters, of letters, digits, harmless signs and
        numbers of characters such as `#59;`.
    """
    line = one_line(text, _WIDTH).strip() or "..."
    return "".join(c if c.isalnum() or c in _HARMLESS else f"#{ord(c)};" for c in line)
