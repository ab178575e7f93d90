"""A line on the terminal while one test runs for long."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE: Final = 3.0
"""Seconds of silence."""

_EVERY: Final = {True: 0.5, False: 10.0}
"""Seconds between two lines, by whether it is a terminal, where a line replaces the last."""


class Progress:
    """Says how far an exploration has come; a callable for `explore(progress=)`.

    Args:
        write: Writes text.
        test: The test's name.
        schedules: How many there will be at most.
        live: Whether a line can be written over the one before.
        clock: Tells the seconds.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        test: str,
        schedules: int,
        *,
        live: bool,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._write = write
        self._test = test
        self._schedules = schedules
        self._live = live
        self._clock = clock
        self._began = clock()
        self._next = self._began + PATIENCE
        self._width = 0

    def __call__(self, runs: int, _steps: int) -> None:
        """Write a line if it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _EVERY[self._live]
        speed = runs / (now - self._began)
        line = f"{self._test}: {runs:,} of {self._schedules:,} schedules, {speed:,.0f}/s"
        if self._live:
            self._write("\r" + line.ljust(self._width))
        else:
            self._write(("" if self._width else "\n") + line + "\n")
        self._width = len(line)

    def end(self) -> None:
        """Wipe the line away."""
        if self._live and self._width:
            self._write("\r" + " " * self._width + "\r")
