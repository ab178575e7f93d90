"""Probabilistic concurrency testing, for messages: PCTCP.

Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic
Guarantees of Finding Bugs", ASPLOS 2010, gives each thread a priority and lowers it at
d - 1 random points. Ozkan, Majumdar, Niksic, Tabaei Befrouei, Weissenbacher, "Randomized
Testing of Distributed Systems with Probabilistic Guarantees", OOPSLA 2018, puts causal
chains of messages in the place of threads: a bug that d ordering constraints bring about
is found in one run with probability at least 1 / (k n^(d-1)), for k chains and n events.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from effactor_interpreters.simulation.strategies.walks import Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.strategies.strategy import Observed
    from effactor_interpreters.simulation.tape import Chooser

DEPTHS: Final = (1, 2, 3)
"""Depths that the strategy tries in turn where none is said."""


UNFAIR: Final = 20
"""How many times the shortest run a run may last before its choices become fair."""


class Chains:
    """Chooses by the priorities of causal chains.

    Args:
        seed: Any text; equal texts give equal choices on every platform.
        depth: Ordering constraints of the bugs it is after, at least 1.
        horizon: How many events the run will have, more or less.
        unfair: After how many steps the choices become fair: a chain that never ends would
            starve the others for ever, which is no finding.

    Attributes:
        depth: The same.
        chains: How many chains there were.
    """

    sees_all: bool = True
    draws: bool = True

    def __init__(self, seed: str, depth: int, horizon: int, unfair: int) -> None:
        self.depth: int = depth
        self.chains: int = 0
        drawing = random.Random(seed)  # schedules are no secrets
        self._random = drawing.random
        self._unfair_until = unfair
        places = drawing.sample(range(1, max(horizon, depth) + 1), depth - 1)
        self._changes: dict[int, int] = {place: n for n, place in enumerate(places, 1)}
        self._chain_of: dict[object, int] = {}
        self._priorities: list[float] = []
        self._tails: list[object] = []
        self._happened: list[object] = [None]  # event by step, counted from 1
        self._last_of_channel: dict[tuple[str, str], object] = {}

    def __call__(self, _position: int, options: Sequence[Event]) -> int:
        """Take what is first in the chain of highest priority."""
        if len(self._happened) > self._unfair_until:
            return int(self._random() * len(options))
        while True:
            best = max(range(len(options)), key=lambda n: self._priorities[self._chain(options[n])])
            change = self._changes.pop(options[best].order[1], None)
            if change is None:
                break
            # Below all that have not been lowered, and below earlier changes' lower numbers.
            self._priorities[self._chain(options[best])] = -float(change)
        self._happened.append(options[best].key)
        return best

    def _chain(self, event: Event) -> int:
        key = event.key
        chain = self._chain_of.get(key)
        if chain is not None:
            return chain
        step = -event.order[0]
        channel = (event.source, event.target)
        cause = self._happened[step] if step < len(self._happened) else None
        for before in (cause, self._last_of_channel.get(channel)):
            chain = None if before is None else self._chain_of.get(before)
            if chain is not None and self._tails[chain] == before:
                break
            chain = None
        if chain is None:
            chain = len(self._priorities)
            self._priorities.append(self._random())
            self._tails.append(key)
            self.chains += 1
        self._tails[chain] = key
        self._chain_of[key] = chain
        self._last_of_channel[channel] = key
        return chain


class ProbabilisticConcurrencyTesting(Sampling):
    """The strategy `pct`: it measures the default order first.

    Args:
        seed: The seed.
        depth: Ordering constraints of the bugs it is after; None for 1, 2 and 3 in turn.
    """

    def __init__(self, seed: int, depth: int | None = None) -> None:
        super().__init__(seed)
        self._depths = DEPTHS if depth is None else (depth,)
        self._chooser: Chains | None = None
        self._horizon = 1
        self._least = 0  # events of the shortest run
        self._chains = 1
        self._tried: dict[int, int] = {}

    @property
    @override
    def floors(self) -> dict[int, float]:
        """Least probability that a bug would have been found by now, by its depth."""
        found: dict[int, float] = {}
        for depth, runs in sorted(self._tried.items()):
            once = 1 / (self._chains * self._horizon ** (depth - 1))
            found[depth] = 1 - (1 - once) ** runs
        return found

    @override
    def sample(self, number: int) -> Chooser:
        """Draw the chains of the *number*-th run, counted from 1."""
        depth = self._depths[number % len(self._depths)]
        self._chooser = Chains(
            f"{self._seed}:{number}:pct", depth, self._horizon, UNFAIR * self._least
        )
        return self._chooser

    @override
    def observe(self, run: Observed) -> None:
        """Measure the run."""
        super().observe(run)
        self._horizon = max(self._horizon, run.events)
        self._least = min(self._least or run.events, run.events)
        if self._chooser is not None:
            self._chains = max(self._chains, self._chooser.chains)
            depth = self._chooser.depth
            self._tried[depth] = self._tried.get(depth, 0) + 1
