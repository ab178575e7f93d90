"""Programs that must end in time."""

from __future__ import annotations

from typing import Any, final

from effactor.programs.program import A_co, E_co, F_co, Program


@final
class TimedOut(Program[A_co, E_co, F_co]):
    """Run *source*; after *seconds* interrupt it and fail with `Timeout`."""

    __slots__ = ("seconds", "source")

    def __init__(self, source: Program[Any, Any, Any], seconds: float) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.seconds: float = seconds


@final
class Deadline(Program[A_co, E_co, F_co]):
    """Like `TimedOut`, and the asks of forks inside of it end by then, too."""

    __slots__ = ("seconds", "source")

    def __init__(self, source: Program[Any, Any, Any], seconds: float) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.seconds: float = seconds
