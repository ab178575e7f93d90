"""Oracles: what a scenario demands of its runs, while they last and at their end.

`always`, `eventually`, `leads_to` and `goal` are the usual properties of safety and
liveness (Manna, Pnueli, 1992); liveness is judged when everything has settled, or at a
virtual time. `sometimes`, `reachable` and `unreachable` are about the tests themselves:
a suite that never comes to what it is meant to test says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor.actors.ref import ActorRef
from effactor.consistency import linearizable, serializable
from effactor.errors import Violation
from effactor.programs.operations import seconds
from effactor_interpreters.simulation.recorded_history import RecordedHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from effactor.consistency import History, Model
    from effactor.consistency.model import Partition
    from effactor_interpreters.simulation.world import SimulatedWorld


class Property:
    """Something that is looked at after each step, and at the end.

    Attributes:
        name: What reports call it.
        reads: Paths of the actors whose state it reads; empty if that was not said.
    """

    def __init__(self, name: str, reads: tuple[str, ...]) -> None:
        """Keep both."""
        self.name: str = name
        self.reads: tuple[str, ...] = reads

    def look(self, world: SimulatedWorld) -> None:
        """Look after a step."""

    def at_the_end(self, world: SimulatedWorld) -> None:
        """Look when everything has settled."""


class _Always(Property):
    def __init__(self, name: str, reads: tuple[str, ...], holds: Callable[[], Any]) -> None:
        super().__init__(name, reads)
        self._holds = holds

    @override
    def look(self, world: SimulatedWorld) -> None:
        if not self._holds():
            raise Violation("always", self.name, world.steps)


class _Eventually(Property):
    def __init__(
        self, name: str, reads: tuple[str, ...], holds: Callable[[], Any], deadline: int | None
    ) -> None:
        super().__init__(name, reads)
        self._holds = holds
        self._deadline = deadline
        self._held = False

    @override
    def look(self, world: SimulatedWorld) -> None:
        if self._held:
            return
        self._held = bool(self._holds())
        late = self._deadline is not None and world.nanoseconds > self._deadline
        if late and not self._held:
            raise Violation("eventually", self.name, world.steps)

    @override
    def at_the_end(self, world: SimulatedWorld) -> None:
        if not self._held:
            raise Violation("eventually", self.name, world.steps)


class _LeadsTo(Property):
    def __init__(
        self,
        name: str,
        reads: tuple[str, ...],
        cause: Callable[[], Any],
        effect: Callable[[], Any],
        within: int | None,
    ) -> None:
        super().__init__(name, reads)
        self._cause = cause
        self._effect = effect
        self._within = within
        self._since: tuple[int, int] | None = None  # step and time of a cause without effect

    @override
    def look(self, world: SimulatedWorld) -> None:
        if self._effect():
            self._since = None
        elif self._since is None:
            if self._cause():
                self._since = world.steps, world.nanoseconds
        elif self._within is not None and world.nanoseconds - self._since[1] > self._within:
            raise Violation("leads_to", self.name, self._since[0])

    @override
    def at_the_end(self, world: SimulatedWorld) -> None:
        if self._since is not None:
            raise Violation("leads_to", self.name, self._since[0])


class _Goal(Property):
    def __init__(self, name: str, holds: Callable[[], Any]) -> None:
        super().__init__(name, ())
        self._holds = holds

    @override
    def at_the_end(self, world: SimulatedWorld) -> None:
        if not self._holds():
            raise Violation("goal", self.name, world.steps)


class _Quiet(Property):
    """Something of which nothing may be left at the end."""

    def __init__(self, kind: str, name: str, left: Callable[[], list[str]]) -> None:
        super().__init__(name, ())
        self._kind = kind
        self._left = left

    @override
    def at_the_end(self, world: SimulatedWorld) -> None:
        left = self._left()
        if left:
            raise Violation(self._kind, self.name, world.steps, ", ".join(left[:_SHOWN]))


class Oracles:
    """What a scenario may demand of its run: a part of `Simulation`.

    Attributes:
        hits: How often each `sometimes` was true and each `reachable` was reached, by name.
        unknown: Names of checks of histories that gave up at their limit.
    """

    _world: SimulatedWorld

    def __init__(self) -> None:
        """Demand nothing yet."""
        self._watched: list[Property] = []  # after each step
        self._finally: list[Property] = []  # at the end
        self._histories: list[tuple[str, str, Callable[[], Any]]] = []
        self._history: RecordedHistory | None = None
        self._spawned: set[str] = set()
        self.hits: dict[str, int] = {}
        self.unknown: list[str] = []

    # ------------------------------------------------------------ while it runs

    def always(
        self,
        predicate: Callable[[], Any],
        *,
        reads: Iterable[ActorRef[Any]] = (),
        name: str | None = None,
    ) -> None:
        """Demand that something is true after every step from now on.

        Args:
            predicate: A function without arguments.
            reads: Refs of the actors whose state it reads, all of them. Without it the
                strategy `dpor` takes it that every step may matter, and can skip nothing.
            name: What to call it in a report.

        Raises:
            Violation: Now, if it is false already.
        """
        a_predicate("sim.always", "predicate", predicate)
        found = _Always(name or name_of(predicate), paths("sim.always", reads), predicate)
        self._watched.append(found)
        found.look(self._world)

    def eventually(
        self,
        predicate: Callable[[], Any],
        *,
        within: float | None = None,
        reads: Iterable[ActorRef[Any]] = (),
        name: str | None = None,
    ) -> None:
        """Demand that something becomes true at least once from now on.

        Args:
            predicate: A function without arguments.
            within: Seconds of virtual time that it may take; None until all has settled.
            reads: See `always`.
            name: What to call it in a report.
        """
        a_predicate("sim.eventually", "predicate", predicate)
        deadline = self._nanoseconds("sim.eventually", within)
        if deadline is not None:
            deadline += self._world.nanoseconds
        read = paths("sim.eventually", reads)
        found = _Eventually(name or name_of(predicate), read, predicate, deadline)
        self._watched.append(found)
        self._finally.append(found)
        found.look(self._world)

    def leads_to(
        self,
        cause: Callable[[], Any],
        effect: Callable[[], Any],
        *,
        within: float | None = None,
        reads: Iterable[ActorRef[Any]] = (),
        name: str | None = None,
    ) -> None:
        """Demand that whenever one thing is true, another is then or later.

        Args:
            cause: A function without arguments.
            effect: Another.
            within: Seconds of virtual time that it may take; None until all has settled.
            reads: See `always`; of both functions.
            name: What to call it in a report.
        """
        a_predicate("sim.leads_to", "cause", cause)
        a_predicate("sim.leads_to", "effect", effect)
        label = name or f"{name_of(cause)} leads to {name_of(effect)}"
        limit = self._nanoseconds("sim.leads_to", within)
        found = _LeadsTo(label, paths("sim.leads_to", reads), cause, effect, limit)
        self._watched.append(found)
        self._finally.append(found)
        found.look(self._world)

    @staticmethod
    def _nanoseconds(where: str, within: float | None) -> int | None:
        seconds(where, "within", within)
        return None if within is None else round(within * 1e9)

    def unreachable(self, name: str) -> None:
        """Say that the run must never come here.

        Args:
            name: What it has come to.

        Raises:
            Violation: Always. The run fails also if a handler swallows it.
        """
        violation = Violation("unreachable", name, self._world.steps)
        self._world.broken = self._world.broken or violation
        raise violation

    # ------------------------------------------------------------ at the end

    def goal(self, predicate: Callable[[], Any], *, name: str | None = None) -> None:
        """Demand that something is true in the end, when everything has settled.

        Args:
            predicate: A function without arguments.
            name: What to call it in a report.
        """
        a_predicate("sim.goal", "predicate", predicate)
        self._finally.append(_Goal(name or name_of(predicate), predicate))

    def no_dead_letters(self) -> None:
        """Demand that in the end no message was left without a taker."""

        def left() -> list[str]:
            letters = [each for s in self._world.systems for each in s.dead_letters]
            return [f"{each.message!r} to {each.target}" for each in letters]

        self._finally.append(_Quiet("no_dead_letters", "no dead letters", left))

    def no_leaks(self, *, besides: Iterable[ActorRef[Any]] = ()) -> None:
        """Demand that in the end no actor lives that programs and handlers have started.

        Args:
            besides: Refs of actors that may. So may those that the scenario itself has
                spawned, and children of all these.
        """
        allowed = paths("sim.no_leaks", besides, "besides")

        def left() -> list[str]:
            kept = {*self._spawned, *allowed}
            cells = [cell for s in self._world.systems for cell in s.cells.values()]
            return [
                cell.full_path
                for cell in cells
                if not any(f"{cell.ref.path}/".startswith(f"{path}/") for path in kept)
            ]

        self._finally.append(_Quiet("no_leaks", "no leaked actors", left))

    def no_failures(self) -> None:
        """Demand that in the end no handler has raised what nobody was told of.

        An exception of a handler that was asked goes to its asker. One that was told, and is
        restarted, fails in silence otherwise.
        """
        self._finally.append(_Quiet("no_failures", "no failures", lambda: self._world.failures))

    # ------------------------------------------------------------ histories

    @property
    def history(self) -> History:
        """History of this run, to record operations in; `linearizable` judges it."""
        if self._history is None:
            self._history = RecordedHistory(self._world)
        return self._history

    def linearizable(
        self,
        model: Model[Any],
        *,
        history: History | None = None,
        partition: Partition | None = None,
        limit: int = 1_000_000,
        name: str | None = None,
    ) -> None:
        """Demand that in the end a history is linearizable.

        Args:
            model: What the object should do, used by one after another.
            history: The history; None for `history` of this simulation.
            partition: See `effactor.consistency.linearizable`.
            limit: How many configurations to explore at most. Beyond it the verdict is
                unknown: the run does not fail, and `Verdict.unknown` counts it.
            name: What to call it in a report.
        """
        found = self.history if history is None else history
        linearizable((), model, partition=partition, limit=limit)  # wrong arguments: at once
        label = name or f"the history of a {model.name}"

        def judge() -> Any:
            return linearizable(found, model, partition=partition, limit=limit)

        self._histories.append(("linearizable", label, judge))

    def serializable(
        self,
        *,
        history: History | None = None,
        strict: bool = False,
        versions: Mapping[Any, Sequence[Any]] | None = None,
        limit: int = 100_000,
        name: str | None = None,
    ) -> None:
        """Demand that in the end a history of transactions is serializable.

        Args:
            history: The history; None for `history` of this simulation.
            strict: See `effactor.consistency.serializable`.
            versions: See there.
            limit: How many configurations to explore at most, see `linearizable`.
            name: What to call it in a report.
        """
        found = self.history if history is None else history

        def judge() -> Any:
            return serializable(found, strict=strict, versions=versions, limit=limit)

        self._histories.append(("serializable", name or "the transactions", judge))

    # ------------------------------------------------------------ about the tests

    def sometimes(self, condition: object, name: str) -> None:
        """Note whether something interesting happened in this run.

        `explore` fails if it never happened in any run: then the runs did not
        test what they were meant to.

        Args:
            condition: Counts as a hit if true.
            name: What to call it.
        """
        self.hits[name] = self.hits.get(name, 0) + bool(condition)

    def reachable(self, name: str) -> Callable[[], None]:
        """Declare a place that some run must come to, or `explore` fails.

        Args:
            name: What to call it.

        Returns:
            A function to call at that place.
        """
        self.hits.setdefault(name, 0)

        def reached() -> None:
            self.hits[name] += 1

        return reached

    # ------------------------------------------------------------ judging

    def look(self) -> None:
        """Look at all that is looked at after each step."""
        world = self._world
        footprints = world.footprints
        for found in self._watched:
            if footprints is None:
                found.look(world)
                continue
            footprints.judge(found.name, found.reads)
            footprints.begin_judging()
            try:
                found.look(world)
            finally:
                footprints.end_judging()

    def judge(self) -> None:
        """Look at all that is looked at when everything has settled."""
        for found in self._finally:
            found.at_the_end(self._world)
        for kind, name, judge in self._histories:
            report = judge()
            if report.verdict == "unknown":
                self.unknown.append(name)
            elif not report.ok:
                raise Violation(kind, name, self._world.steps, str(report))

    @property
    def judges_the_end(self) -> bool:
        """Whether something is demanded of the end."""
        return bool(self._finally or self._histories)


_SHOWN = 8


def paths(where: str, refs: Any, argument: str = "reads") -> tuple[str, ...]:
    """Take the paths of refs.

    Args:
        where: The function that received them, for the error.
        refs: Refs of actors.
        argument: What its argument is called.

    Returns:
        The paths.

    Raises:
        TypeError: If one is no ref.
    """
    if isinstance(refs, ActorRef):
        refs = (refs,)
    found: list[str] = []
    for ref in refs:
        if not isinstance(ref, ActorRef):
            msg = f"{where}: {argument} must be refs of actors, as in (account,), got {ref!r}"
            raise TypeError(msg)
        found.append(ref.path)
    return tuple(found)


def a_predicate(where: str, argument: str, predicate: object) -> None:
    """Refuse what cannot be looked at.

    Args:
        where: The function that received it, for the error.
        argument: What its argument is called.
        predicate: What was given.

    Raises:
        TypeError: If it is no function.
    """
    if not callable(predicate):
        msg = f"{where}: {argument} must be a function without arguments, got {predicate!r}"
        raise TypeError(msg)


def name_of(predicate: Any) -> str:
    """Name a property by its function.

    Args:
        predicate: The function.

    Returns:
        Its name, or where a lambda stands.
    """
    code = getattr(predicate, "__code__", None)
    name = getattr(predicate, "__name__", repr(predicate))
    if name == "<lambda>" and code is not None:
        return f"the lambda in line {code.co_firstlineno}"
    return str(name)
