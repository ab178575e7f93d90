"""Strategies: which schedule to try next.

Every strategy proposes a chooser for each run and sees afterwards what the run did.
`STRATEGIES` lists them by the names that `explore` takes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from effactor_interpreters.simulation.strategies.dpor import PartialOrderReduction
from effactor_interpreters.simulation.strategies.pct import ProbabilisticConcurrencyTesting
from effactor_interpreters.simulation.strategies.portfolio import Portfolio
from effactor_interpreters.simulation.strategies.pos import PartialOrderSampling
from effactor_interpreters.simulation.strategies.systematic import Deviations, Exhaustive
from effactor_interpreters.simulation.strategies.walks import Random

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.strategies.strategy import Strategy

STRATEGIES: Final[dict[str, Callable[[int], Strategy]]] = {
    "portfolio": Portfolio,
    "random": Random,
    "pos": PartialOrderSampling,
    "pct": ProbabilisticConcurrencyTesting,
    "deviations": Deviations,
    "exhaustive": Exhaustive,
    "dpor": PartialOrderReduction,
}

_WITH_NUMBER: Final[dict[str, Callable[[int, int], Strategy]]] = {
    "pct": ProbabilisticConcurrencyTesting,
    "deviations": Deviations,
}


def strategy_of(where: str, name: Any, seed: int, *, reduces: bool = True) -> Strategy:
    """Make a strategy.

    Args:
        where: The function that received the name, for the error.
        name: One of `STRATEGIES`; `pct` and `deviations` may say their depth, as in `"pct(2)"`.
        seed: Its seed.
        reduces: Whether partial-order reduction is sound: it knows nothing of faults.

    Returns:
        The strategy.

    Raises:
        ValueError: If there is none of that name.
    """
    if isinstance(name, str):
        if name == "portfolio":
            return Portfolio(seed, reduces=reduces)
        if name in STRATEGIES:
            return STRATEGIES[name](seed)
        parts = re.fullmatch(r"(\w+)\(([1-9]\d?)\)", name)
        if parts is not None and parts[1] in _WITH_NUMBER:
            return _WITH_NUMBER[parts[1]](seed, int(parts[2]))
    known = ", ".join(STRATEGIES)
    msg = (
        f"{where}: strategy must be one of {known}, or pct(depth) or deviations(most) with a "
        f"number, got {name!r}"
    )
    raise ValueError(msg)
