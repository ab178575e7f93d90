"""What became of everything: outcomes, counted by label, with their notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

_NOTES: Final = 8  # of one label, in the table


class Outcomes:
    """Counts outcomes.

    Attributes:
        total: How many there were.
        counts: How many of each label, in the order of their first.
        notes: Their notes that are not empty, by label.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.total: int = 0
        self.counts: dict[str, int] = {}
        self.notes: dict[str, list[str]] = {}

    def count(self, label: str, note: str) -> None:
        """Count one.

        Args:
            label: What became of it.
            note: What else there is to say; empty for nothing.
        """
        self.total += 1
        self.counts[label] = self.counts.get(label, 0) + 1
        if note:
            self.notes.setdefault(label, []).append(note)

    def in_words(self) -> str:
        """Say it in one line.

        Returns:
            Text such as `488 sold, 7 out of stock`.
        """
        return ", ".join(f"{count:,} {label}" for label, count in self._ranked())

    def as_json(self) -> dict[str, Any]:
        """Say it as plain data.

        Returns:
            Counts by label, and all notes.
        """
        return {"total": self.total, "outcomes": dict(self._ranked()), "notes": self.notes}

    def table(self, seconds: float) -> RenderableType:
        """Say it as a table, most frequent label first.

        Args:
            seconds: How long it took.

        Returns:
            The table; the first few notes of each label.
        """
        table = Table(box=box.SIMPLE, show_header=False, show_footer=True, pad_edge=False)
        rate = f" ({self.total / seconds:,.0f}/s)" if seconds > 0 else ""
        table.add_column(justify="right", style="bold", footer=f"{self.total:,}")
        table.add_column(footer=f"in {seconds:.2f} s{rate}")
        table.add_column(overflow="fold", style="dim")
        for label, count in self._ranked():
            notes = self.notes.get(label, [])
            shown = notes[:_NOTES]
            if len(notes) > _NOTES:
                shown.append(f"... and {len(notes) - _NOTES:,} more")
            table.add_row(f"{count:,}", Text(label), Text("\n".join(shown)))
        return table

    def _ranked(self) -> list[tuple[str, int]]:
        return sorted(self.counts.items(), key=lambda item: -item[1])
