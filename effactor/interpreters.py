"""The interpreters that ship with effactor.

The code lives in `interpreters/effactor_interpreters`; import it from here. Each
name loads only what it needs, so that a live system never loads the simulator.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effactor.traces.canonical import digest
    from effactor.traces.record import Record
    from effactor.traces.trace import Trace
    from effactor_interpreters.dry_run.interpreter import dry_run
    from effactor_interpreters.runtime.engine.stepping import Request, Stepping, step
    from effactor_interpreters.runtime.engine.synchronous import run_free
    from effactor_interpreters.runtime.middlewares.rates import RateLimitMiddleware
    from effactor_interpreters.runtime.middlewares.records import LoggingMiddleware
    from effactor_interpreters.runtime.middlewares.retries import RetryMiddleware
    from effactor_interpreters.runtime.middlewares.timings import Timing, TimingMiddleware
    from effactor_interpreters.runtime.recordings import LiveRecording, Occurrence, record
    from effactor_interpreters.runtime.registry import DeadLetter
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.virtual.registry import VirtualActorRegistry
    from effactor_interpreters.runtime.virtual.sqlite import SQLiteRegistryStore
    from effactor_interpreters.simulation.conforming import conform
    from effactor_interpreters.simulation.equivalence import Equivalence, equivalent
    from effactor_interpreters.simulation.exploring import Failure, Verdict, explore
    from effactor_interpreters.simulation.faults.budget import (
        Faults,
    )
    from effactor_interpreters.simulation.faults.plan import (
        Fault,
        bug,
        clock,
        crash,
        delay,
        drop,
        duplicate,
        external,
        mailbox_full,
        partition,
        pause,
        reorder,
        restart,
        slow,
    )
    from effactor_interpreters.simulation.faults.recovering import (
        Situation,
        at_least_one_copy,
        eventually_heals,
        minority_of,
    )
    from effactor_interpreters.simulation.runs import Run, replay, simulate
    from effactor_interpreters.simulation.simulation import Simulation

__all__ = [
    "ActorSystem",
    "DeadLetter",
    "Equivalence",
    "Failure",
    "Fault",
    "Faults",
    "LiveRecording",
    "LoggingMiddleware",
    "Occurrence",
    "RateLimitMiddleware",
    "Record",
    "Request",
    "RetryMiddleware",
    "Run",
    "SQLiteRegistryStore",
    "Simulation",
    "Situation",
    "Stepping",
    "Timing",
    "TimingMiddleware",
    "Trace",
    "Verdict",
    "VirtualActorRegistry",
    "at_least_one_copy",
    "bug",
    "clock",
    "conform",
    "crash",
    "delay",
    "digest",
    "drop",
    "dry_run",
    "duplicate",
    "equivalent",
    "eventually_heals",
    "explore",
    "external",
    "mailbox_full",
    "minority_of",
    "partition",
    "pause",
    "record",
    "reorder",
    "replay",
    "restart",
    "run_free",
    "simulate",
    "slow",
    "step",
]

_HOMES = {
    "ActorSystem": "effactor_interpreters.runtime.system",
    "DeadLetter": "effactor_interpreters.runtime.registry",
    "Equivalence": "effactor_interpreters.simulation.equivalence",
    "Failure": "effactor_interpreters.simulation.exploring",
    "Fault": "effactor_interpreters.simulation.faults.plan",
    "Faults": "effactor_interpreters.simulation.faults.budget",
    "LiveRecording": "effactor_interpreters.runtime.recordings",
    "LoggingMiddleware": "effactor_interpreters.runtime.middlewares.records",
    "Occurrence": "effactor_interpreters.runtime.recordings",
    "RateLimitMiddleware": "effactor_interpreters.runtime.middlewares.rates",
    "Record": "effactor.traces.record",
    "Request": "effactor_interpreters.runtime.engine.stepping",
    "RetryMiddleware": "effactor_interpreters.runtime.middlewares.retries",
    "Run": "effactor_interpreters.simulation.runs",
    "SQLiteRegistryStore": "effactor_interpreters.runtime.virtual.sqlite",
    "Simulation": "effactor_interpreters.simulation.simulation",
    "Situation": "effactor_interpreters.simulation.faults.recovering",
    "Stepping": "effactor_interpreters.runtime.engine.stepping",
    "Timing": "effactor_interpreters.runtime.middlewares.timings",
    "TimingMiddleware": "effactor_interpreters.runtime.middlewares.timings",
    "Trace": "effactor.traces.trace",
    "Verdict": "effactor_interpreters.simulation.exploring",
    "VirtualActorRegistry": "effactor_interpreters.runtime.virtual.registry",
    "at_least_one_copy": "effactor_interpreters.simulation.faults.recovering",
    "bug": "effactor_interpreters.simulation.faults.plan",
    "clock": "effactor_interpreters.simulation.faults.plan",
    "conform": "effactor_interpreters.simulation.conforming",
    "crash": "effactor_interpreters.simulation.faults.plan",
    "delay": "effactor_interpreters.simulation.faults.plan",
    "digest": "effactor.traces.canonical",
    "drop": "effactor_interpreters.simulation.faults.plan",
    "dry_run": "effactor_interpreters.dry_run.interpreter",
    "duplicate": "effactor_interpreters.simulation.faults.plan",
    "equivalent": "effactor_interpreters.simulation.equivalence",
    "eventually_heals": "effactor_interpreters.simulation.faults.recovering",
    "explore": "effactor_interpreters.simulation.exploring",
    "external": "effactor_interpreters.simulation.faults.plan",
    "mailbox_full": "effactor_interpreters.simulation.faults.plan",
    "minority_of": "effactor_interpreters.simulation.faults.recovering",
    "partition": "effactor_interpreters.simulation.faults.plan",
    "pause": "effactor_interpreters.simulation.faults.plan",
    "record": "effactor_interpreters.runtime.recordings",
    "reorder": "effactor_interpreters.simulation.faults.plan",
    "replay": "effactor_interpreters.simulation.runs",
    "restart": "effactor_interpreters.simulation.faults.plan",
    "run_free": "effactor_interpreters.runtime.engine.synchronous",
    "simulate": "effactor_interpreters.simulation.runs",
    "slow": "effactor_interpreters.simulation.faults.plan",
    "step": "effactor_interpreters.runtime.engine.stepping",
}


# Hidden from type checkers: they know all names, and would take any other for Any.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            msg = f"module 'effactor.interpreters' has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(import_module(home), name)
        # Show the public name in reprs, tracebacks and the docs.
        value.__module__ = __name__
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
