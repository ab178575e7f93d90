"""The states of a cell."""

# IDLE --ask-------------------------> RUNNING --done--> IDLE, or QUEUED if mail came
# IDLE --tell, or an ask that queues-> QUEUED --turn--> RUNNING
# RUNNING --the handler waits--------> SUSPENDED --woken--> RESUMING --turn--> RUNNING

from __future__ import annotations

from typing import Final

# Plain integers, not an enum: every ask compares them, and an enum's attribute
# access costs more than the comparison.
IDLE: Final = 0
QUEUED: Final = 1
RUNNING: Final = 2
SUSPENDED: Final = 3
RESUMING: Final = 4
STOPPED: Final = 5
