"""What the exploration of one test came to, in a form that reports can carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from effactor_interpreters.testing.regressions import Entry, as_data, from_data

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Finding:
    """What the exploration of one test came to.

    Attributes:
        hits: How often each `sometimes` was true, by name.
        notes: What the session must tell at its end, whether the test passes or not.
        failed: Tokens to keep.
        fixed: Kept tokens that do not fail any more.
        story: The failure in one screen; empty if there was none.
    """

    hits: dict[str, int] = field(default_factory=dict[str, int])
    notes: list[str] = field(default_factory=list[str])
    failed: list[Entry] = field(default_factory=list[Entry])
    fixed: list[Entry] = field(default_factory=list[Entry])
    story: str = ""

    def as_data(self) -> dict[str, Any]:
        """Put it into what a report can carry from one process to another.

        Returns:
            Texts, numbers, lists and dictionaries. The story is no part of it.
        """
        return {
            "hits": self.hits,
            "notes": self.notes,
            "failed": as_data(self.failed),
            "fixed": as_data(self.fixed),
        }


def finding_of(data: Mapping[str, Any]) -> Finding:
    """Take a finding out of a report.

    Args:
        data: What `Finding.as_data` made.

    Returns:
        The finding.
    """
    return Finding(
        dict(data["hits"]),
        list(data["notes"]),
        from_data(data["failed"]),
        from_data(data["fixed"]),
    )
