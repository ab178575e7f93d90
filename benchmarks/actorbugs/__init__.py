"""ActorBugBench: small programs with a concurrency bug each, and their fixed twins.

`python -m benchmarks.actorbugs` counts the schedules until each strategy finds each bug.
"""

from benchmarks.actorbugs.bug import Bug, Fault, Kind, Scenario
from benchmarks.actorbugs.catalogue import BUGS

__all__ = ["BUGS", "Bug", "Fault", "Kind", "Scenario"]
