"""Dynamic partial-order reduction: one run for each order of conflicting steps.

Flanagan, Godefroid, "Dynamic Partial-Order Reduction for Model Checking Software", POPL
2005; with source sets and sleep sets after Abdulla, Aronis, Jonsson, Sagonas, "Optimal
Dynamic Partial Order Reduction", POPL 2014. What is reordered here are messages and other
events, and what conflicts is known from what each step touched (`footprints`): actors
share nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from effactor.errors import NonDeterminism
from effactor_interpreters.simulation.footprints import Footprint, Footprints
from effactor_interpreters.simulation.strategies.races import HappensBefore
from effactor_interpreters.simulation.strategies.strategy import Proposal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from effactor_interpreters.simulation.events import Event, Key
    from effactor_interpreters.simulation.footprints import Step
    from effactor_interpreters.simulation.strategies.races import Race
    from effactor_interpreters.simulation.strategies.strategy import Observed


class Redundant(BaseException):
    """Ends a run that could only repeat what earlier ones have shown. No failure."""


class _Node:
    """A point of the search: what happened there, and what else is to be tried.

    Attributes:
        enabled: Identities of what could happen.
        chosen: What did.
        asleep: What need not be tried, because it was from here or from before, each with
            what it touched.
        wanted: What is to be tried.
    """

    __slots__ = ("asleep", "chosen", "enabled", "wanted")

    def __init__(self, enabled: tuple[Key, ...], asleep: dict[Key, Footprint]) -> None:
        self.enabled: tuple[Key, ...] = enabled
        self.asleep: dict[Key, Footprint] = asleep
        self.chosen: Key = next((key for key in enabled if key not in asleep), ())
        self.wanted: set[Key] = {self.chosen}


class _Guided:
    """Goes where the search wants to go next, and on from there."""

    sees_all: bool = True

    def __init__(self, nodes: list[_Node]) -> None:
        self.footprints: Footprints = Footprints()
        self._nodes = nodes

    def __call__(self, _position: int, options: Sequence[Event]) -> int:
        """Follow the nodes that there are, and add one where they end."""
        nodes, steps = self._nodes, self.footprints.steps
        depth = len(steps)
        keys = [option.key for option in options]
        if depth >= len(nodes):
            self.footprints.complete()
            while depth > len(nodes):  # the scenario has gone on: nobody chose that
                nodes.append(_Node((), self._asleep()))
            nodes.append(_Node(tuple(keys), self._asleep()))
            if not nodes[depth].chosen:
                nodes.pop()
                raise Redundant
        chosen = nodes[depth].chosen
        if chosen not in keys:
            raise NonDeterminism(f"{chosen} among what may happen", f"{keys}")
        return keys.index(chosen)

    def _asleep(self) -> dict[Key, Footprint]:
        """Say what need not be tried after the step that came last."""
        if not self._nodes:
            return {}
        last = self.footprints.steps[len(self._nodes) - 1].footprint
        asleep = self._nodes[-1].asleep
        return {key: each for key, each in asleep.items() if not each.conflicts(last)}


class PartialOrderReduction:
    """The strategy `dpor`."""

    bound = None

    def __init__(self, _seed: int) -> None:
        self.exhausted: bool = False
        self.floors: dict[int, float] = {}
        self.redundant: int = 0
        self._nodes: list[_Node] = []
        self._order = HappensBefore()
        self._chooser = _Guided(self._nodes)

    @property
    def done(self) -> bool:
        """Whether nothing is left to try."""
        return self.exhausted

    def propose(self) -> Proposal:
        """Propose the next order of conflicting steps."""
        self._chooser = _Guided(self._nodes)
        return Proposal(self._chooser, 0)

    def observe(self, run: Observed) -> None:
        """Find the races of the run, and what is to be tried because of them."""
        del run
        footprints, order = self._chooser.footprints, self._order
        steps = footprints.steps
        known = len(order)
        for step in steps[known:]:
            self._reverse(step, len(order))
            order.append(step)
        for before, step in footprints.missed:
            self._reverse(step, before)
            race = order.race_with(step, before - 1) if before else None
            if race is not None:
                self._want(race)
        self._back()

    def _reverse(self, step: Step, length: int) -> None:
        for race in self._order.races(step, length):
            self._want(race)

    def _want(self, race: Race) -> None:
        node = self._nodes[race.at]
        if race.instead & (node.wanted | node.asleep.keys()):
            return
        possible = [key for key in node.enabled if key in race.instead]
        if possible:
            node.wanted.add(possible[0])
        else:
            node.wanted.update(node.enabled)

    def _back(self) -> None:
        """Go back to the deepest point where something is to be tried."""
        nodes, steps = self._nodes, self._chooser.footprints.steps
        while nodes:
            node = nodes[-1]
            index = len(nodes) - 1
            if index < len(steps) and node.enabled:
                node.asleep[node.chosen] = steps[index].footprint
            left = [key for key in node.enabled if key in node.wanted and key not in node.asleep]
            if left:
                node.chosen = left[0]
                self._order.keep(index)
                return
            nodes.pop()
        self.exhausted = True
