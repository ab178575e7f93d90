"""`explain`: draw what can be seen of a program before it runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

from typing_extensions import override

from effactor.programs import flowcharts, structure
from effactor.programs.chains import COUNTLESS, Chains, is_chain
from effactor.programs.outlines import Outline, Part
from effactor.programs.outlining import outline
from effactor.traces.branches import branches as drawn
from effactor.traces.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from effactor.programs.program import Program

    AnyProgram = Program[Any, Any, Any]

Kind = Literal["step", "branch", "part"]

HIDDEN: Final = "⋯"
_LEGEND: Final = f"{HIDDEN} known only when it runs; a dry run shows one way it may go"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation.

    Attributes:
        depth: How deep inside it is; the title's is 0.
        words: What is done.
        kind: `step` after the sibling before it, `branch` at the same time as its
            siblings, or `part` with a role of its own.
        hidden: Whether it makes programs that cannot be seen before it runs.
        place: Where to read what cannot be seen, such as `shop.py:47`, or nothing.
    """

    depth: int
    words: str
    kind: Kind
    hidden: bool = False
    place: str = ""

    @override
    def __str__(self) -> str:
        mark = f" {HIDDEN}" if self.hidden else ""
        return f"{self.words}{mark}{'   ' if self.place else ''}{self.place}"


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """What can be seen of a program before it runs, as a tree.

    `print(explanation)` shows it; in a notebook it is a flowchart.

    Attributes:
        lines: The title and what is below it, each line before what is inside of it.
    """

    lines: tuple[Line, ...]

    def to_text(self) -> str:
        """Write the tree.

        Returns:
            A line for each node, and what `⋯` means where it occurs.
        """
        title, *rest = self.lines
        text = [str(title), *drawn([(line.depth - 1, str(line)) for line in rest])]
        if any(line.hidden for line in self.lines):
            text += ["", _LEGEND]
        return "\n".join(text)

    def to_mermaid(self) -> str:
        """Draw the tree as a Mermaid flowchart.

        Returns:
            The flowchart's source for Markdown, a notebook or the Mermaid editor. What
            has something inside is a box around it, and arrows join the steps. Long
            texts are cut, and so is a flowchart that Mermaid would refuse as too large.
        """
        return flowcharts.to_mermaid(self.lines)

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        """Show the flowchart in a notebook."""
        return {"text/plain": self.to_text(), "text/vnd.mermaid": self.to_mermaid()}

    @override
    def __str__(self) -> str:
        return self.to_text()

    @override
    def __repr__(self) -> str:
        return self.to_text()


def explain(
    program: Program[Any, Any, Any],
    *,
    lines: int = 200,
    depth: int = 12,
    branches: int = 20,
    width: int = 120,
) -> Explanation:
    """Draw what can be seen of a program before it runs.

    Nothing runs, and no function of the program is called. So what a function given to
    `bind`, or the body of a do-block, will do is not seen: `⋯` marks it, with the place
    where it is written.

    Args:
        program: Any program.
        lines: Most lines; what is further out is shown first.
        depth: Most levels below the title.
        branches: Most branches, and most steps in a row, of one node.
        width: Most characters of what a line says, without its branches and its place.

    Returns:
        The tree, to `print` or to show in a notebook. What was left out says so: `...`.

    Raises:
        TypeError: If *program* is no program, or a bound no integer.
        ValueError: If a bound is less than 1.
    """
    seen = structure.a_program("explain", "program", program)
    for argument, bound in (
        ("lines", lines),
        ("depth", depth),
        ("branches", branches),
        ("width", width),
    ):
        _check_bound(argument, bound)
    return Explanation(_Tree(lines, depth, branches, width).lines_of(seen))


def _check_bound(argument: str, bound: object) -> None:
    msg = f"explain: {argument} must be an integer >= 1, got {bound!r}"
    if isinstance(bound, bool) or not isinstance(bound, int):
        raise TypeError(msg)
    if bound < 1:
        raise ValueError(msg)


class _Item:
    """A line that is being made, and what is inside of it."""

    __slots__ = ("depth", "inside", "kind", "more", "outline")

    def __init__(self, depth: int, kind: Kind, seen: Outline) -> None:
        self.depth = depth
        self.kind: Kind = kind
        self.outline = seen
        self.inside: list[_Item] = []
        self.more = False


class _Tree:
    """Makes the lines, level by level: so a bound cuts off what is deepest."""

    def __init__(self, lines: int, depth: int, branches: int, width: int) -> None:
        self._room = lines
        self._depth = depth
        self._branches = branches
        self._width = width
        self._chains = Chains()
        self._waiting: deque[_Item] = deque()

    def lines_of(self, program: AnyProgram) -> tuple[Line, ...]:
        """Make all lines."""
        root = self._item(0, "step", _titled("", program, "program"))
        while self._waiting:
            self._open(self._waiting.popleft())
        made: list[Line] = []
        work = [root]
        while work:
            item = work.pop()
            made.append(self._line(item))
            work += reversed(item.inside)
        return tuple(made)

    def _item(self, depth: int, kind: Kind, seen: Outline) -> _Item:
        self._room -= 1
        item = _Item(depth, kind, seen)
        if seen.source is not None or seen.branches or seen.parts:
            self._waiting.append(item)
        return item

    def _open(self, item: _Item) -> None:
        """Add what is inside of a line."""
        if item.depth >= self._depth:
            item.more = True
            return
        seen = item.outline
        if seen.source is not None:
            total = self._chains.count(seen.source)
            steps = (outline(step) for step in self._chains.steps(seen.source))
            self._add(item, "step", steps, total, self._branches)
        beside = (_titled("", branch) for branch in seen.branches)
        self._add(item, "branch", beside, len(seen.branches), self._branches)
        parts = (_part(part) for part in seen.parts)
        self._add(item, "part", parts, len(seen.parts), len(seen.parts))

    def _add(
        self, item: _Item, kind: Kind, inside: Iterator[Outline], total: int, most: int
    ) -> None:
        if total and not self._room:
            item.more = True
            return
        shown = total if total <= min(most, self._room) else min(most, self._room - 1)
        depth = item.depth + 1
        item.inside += [self._item(depth, kind, seen) for seen in islice(inside, shown)]
        if shown < total:
            left = "countless" if total == COUNTLESS else f"{total - shown:,}"
            item.inside.append(self._item(depth, kind, Outline(f"... {left} more")))

    def _line(self, item: _Item) -> Line:
        seen = item.outline
        words = one_line(seen.words, self._width)
        if item.more:
            words += "   ... more inside"
        return Line(item.depth, words, item.kind, seen.hidden, seen.place)


def _titled(label: str, program: AnyProgram, title: str = "in order") -> Outline:
    """Show a program on a line of its own, which for a chain is but a title."""
    if is_chain(program):
        return Outline(label or title, source=program)
    seen = outline(program)
    return seen._replace(words=f"{label}: {seen.words}") if label else seen


def _part(part: Part) -> Outline:
    content = part.content
    if isinstance(content, Outline):
        return content._replace(words=f"{part.label}: {content.words}")
    return _titled(part.label, content)
