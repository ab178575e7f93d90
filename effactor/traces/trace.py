"""A trace: what a run did, or a program would do, as a value to read and compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.traces import as_json, mermaid, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from effactor.programs.exits import Exit
    from effactor.traces.record import Record


@dataclass(frozen=True, slots=True, repr=False)
class Trace:
    """What happened in a run, in order.

    `print(trace)` shows a tree; in a notebook it is a diagram.

    Attributes:
        records: What happened.
        outcome: How the program ended; None if that is not known, or if the trace
            is of several programs.
    """

    records: tuple[Record, ...]
    outcome: Exit[Any, Any] | None = None

    def __len__(self) -> int:
        """Count the records."""
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        """Go through the records in order."""
        return iter(self.records)

    def to_text(self) -> str:
        """Write the trace as a tree.

        Returns:
            A line for each record.
        """
        return text.to_text(self.records)

    def to_mermaid(self) -> str:
        """Draw the trace as a Mermaid sequence diagram.

        Returns:
            The diagram's source for Markdown, a notebook or the Mermaid editor.
            Long texts are cut, and so is a diagram that Mermaid would refuse as
            too large; `to_json` keeps all.
        """
        return mermaid.to_mermaid(self.records)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Write the trace as JSON.

        Args:
            indent: Spaces for each level; None puts all on one line.

        Returns:
            An object with `records` and `outcome`. A message is an object with
            `type` and `fields`; fields that its class hides from its repr stay
            hidden. Equal traces give equal text.
        """
        return as_json.to_json(self, indent)

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        """Show the diagram in a notebook."""
        return {"text/plain": self.to_text(), "text/vnd.mermaid": self.to_mermaid()}

    @override
    def __str__(self) -> str:
        return self.to_text()

    @override
    def __repr__(self) -> str:
        return f"<Trace of {len(self.records)} records>"
