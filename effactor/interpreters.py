"""The interpreters that ship with effactor.

The code lives in `interpreters/effactor_interpreters`; import it from here.
"""

from __future__ import annotations

from effactor.traces.canonical import digest
from effactor.traces.record import Record
from effactor.traces.trace import Trace
from effactor_interpreters.dry_run.interpreter import dry_run
from effactor_interpreters.runtime.engine.synchronous import run_free
from effactor_interpreters.runtime.system import ActorSystem, DeadLetter
from effactor_interpreters.simulation.exploring import Failure, Verdict, explore
from effactor_interpreters.simulation.runs import Run, replay, simulate
from effactor_interpreters.simulation.simulation import Simulation

__all__ = [
    "ActorSystem",
    "DeadLetter",
    "Failure",
    "Record",
    "Run",
    "Simulation",
    "Trace",
    "Verdict",
    "digest",
    "dry_run",
    "explore",
    "replay",
    "run_free",
    "simulate",
]

# Show the public name in reprs, tracebacks and the docs.
for _name in __all__:
    globals()[_name].__module__ = __name__
