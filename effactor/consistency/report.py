"""What a check of a history found: three verdicts, and never a silent pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from effactor.errors import Undecided

Verdict = Literal["ok", "violated", "unknown"]


@dataclass(frozen=True)
class Report:
    """The result of a check.

    True if the verdict is `"ok"`, false if it is `"violated"`. If it is `"unknown"`, asking
    which of the two raises `Undecided`.

    Attributes:
        verdict: `"ok"`, `"violated"`, or `"unknown"` if the limit was reached first.
        operations: How many operations were judged; those that failed are not.
        configurations: How many configurations were explored.
        limit: How many could have been.
    """

    verdict: Verdict
    operations: int
    configurations: int
    limit: int

    @property
    def ok(self) -> bool:
        """Whether the verdict is `"ok"`: neither violated nor unknown."""
        return self.verdict == "ok"

    def __bool__(self) -> bool:
        if self.verdict == "unknown":
            raise Undecided(self.operations, self.limit)
        return self.verdict == "ok"
