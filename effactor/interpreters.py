"""The interpreters that ship with effactor.

The code lives in `interpreters/effactor_interpreters`; import it from here.
"""

from __future__ import annotations

from effactor_interpreters.runtime.engine.synchronous import run_free
from effactor_interpreters.runtime.system import ActorSystem, DeadLetter

__all__ = [
    "ActorSystem",
    "DeadLetter",
    "run_free",
]

# Show the public name in reprs, tracebacks and the docs.
for _name in __all__:
    globals()[_name].__module__ = __name__
