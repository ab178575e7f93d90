"""All programs of the benchmark."""

from __future__ import annotations

from benchmarks.actorbugs import (
    atomicity,
    commits,
    consensus,
    crashes,
    deadlocks,
    delivery,
    ordering,
    raft,
    sctbench,
    timeouts,
)
from benchmarks.actorbugs.bug import Bug

BUGS: tuple[Bug, ...] = (
    *atomicity.BUGS,
    *sctbench.BUGS,
    *ordering.BUGS,
    *deadlocks.BUGS,
    *timeouts.BUGS,
    *delivery.BUGS,
    *crashes.BUGS,
    *commits.BUGS,
    *raft.BUGS,
    *consensus.BUGS,
)
"""Every program, by theme."""
