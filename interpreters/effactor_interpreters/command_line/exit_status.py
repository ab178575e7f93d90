"""What the exit status says."""

from __future__ import annotations

from typing import Final

FINE: Final = 0
FOUND: Final = 1
"""An exception, or a schedule that fails."""
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130
"""From the keyboard; 128 + SIGINT, as shells have it."""
