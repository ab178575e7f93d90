"""An explanation as a Mermaid flowchart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from effactor.traces.mermaid import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from effactor.programs.explaining import Line

# Mermaid draws nothing above 50,000 characters or 500 arrows.
_SIZE: Final = 40_000
_NODES: Final = 400

# Mermaid takes any text in a flowchart for Markdown.
_MARKDOWN: Final = str.maketrans({c: f"#{ord(c)};" for c in "*_-[]"})

_ARROWS: Final = {"step": "-->", "part": "-.->"}


def to_mermaid(lines: Sequence[Line]) -> str:
    """Draw the lines of an explanation.

    Args:
        lines: The lines, each before what is inside of it.

    Returns:
        The flowchart's source. A line with others inside is a box around them; an arrow
        leads from a step to the next, a dotted one to what has a role of its own, and
        branches that run at once are not joined.
    """
    boxes, arrows = ["flowchart TB"], list[str]()
    before = list[str]()  # on each level that is open, the line drawn last
    labels = _that_fit(lines)
    for number, label in enumerate(labels):
        line = lines[number]
        _close(boxes, before, line.depth + 1)
        node = f"n{number}"
        if len(before) == line.depth:
            before.append(node)
        else:
            if line.kind in _ARROWS:
                arrows.append(f"    {before[-1]} {_ARROWS[line.kind]} {node}")
            before[-1] = node
        # Mermaid refuses a box without anything inside.
        is_box = number + 1 < len(labels) and lines[number + 1].depth > line.depth
        boxes.append(f'{_indented(line.depth)}{"subgraph " if is_box else ""}{node}["{label}"]')
    _close(boxes, before, 1)
    if len(labels) < len(lines):
        boxes.append(f'    more["{len(lines) - len(labels)} more are not drawn"]')
    return "\n".join([*boxes, *arrows])


def _that_fit(lines: Sequence[Line]) -> list[str]:
    """Write the texts of as many lines as Mermaid draws."""
    labels: list[str] = []
    size = 0
    for line in lines[:_NODES]:
        label = escaped(f"{line.words} ⋯" if line.hidden else line.words).translate(_MARKDOWN)
        # Besides the text: its node, box and arrow.
        size += len(label) + 2 * len(_indented(line.depth)) + 50
        if size > _SIZE:
            break
        labels.append(label)
    return labels


def _close(boxes: list[str], before: list[str], levels: int) -> None:
    """Close boxes until so many levels are open."""
    while len(before) > levels:
        before.pop()
        boxes.append(f"{_indented(len(before) - 1)}end")


def _indented(depth: int) -> str:
    return "    " * (depth + 1)
