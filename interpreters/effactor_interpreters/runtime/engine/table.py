"""The nodes that mean the same in every interpreter: the rest is each one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.programs.effects import Perform
from effactor_interpreters.runtime.engine.completions import COMPLETIONS
from effactor_interpreters.runtime.engine.coordination import COORDINATION
from effactor_interpreters.runtime.engine.effects import perform_effect
from effactor_interpreters.runtime.engine.forks import FORKS
from effactor_interpreters.runtime.engine.parallel import PARALLEL
from effactor_interpreters.runtime.engine.timeouts import TIMEOUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.runtime.engine.fiber import Fiber

ENGINE: dict[type[Any], Callable[[Any, Fiber], Any]] = {
    **PARALLEL,
    **TIMEOUTS,
    **FORKS,
    **COMPLETIONS,
    **COORDINATION,
    Perform: perform_effect,
}
"""Their functions, by node."""
