"""What each step of a run read and wrote: two steps that share nothing may change places.

Actors share nothing but messages, so what a step touches is known: the actors and runs
that it let run, the clock if it set a timer or let one fire, names, coordination values,
and the events that it made superfluous. The strategy `dpor` reorders steps by this.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from typing_extensions import override

from effactor_interpreters.runtime.engine.fiber import Fiber
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.states import IDLE
from effactor_interpreters.simulation.events import Delivery, Event, Firing, Returning, Taking

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.simulation.events import Key
    from effactor_interpreters.simulation.loop import Callback
    from effactor_interpreters.simulation.world import SimulatedWorld

Object: TypeAlias = tuple[Any, ...]
"""Something that steps share, such as `("process", "/account")`."""

CLOCK: Final[Object] = ("clock",)
RANDOM: Final[Object] = ("random",)
EVENTS: Final[Object] = ("events",)
SYSTEM: Final[Object] = ("system",)

SCENARIO: Final = "/scenario"

_process: ContextVar[str] = ContextVar("process", default=SCENARIO)
"""On whose behalf the code of a callback or task runs."""


def process(path: str) -> Object:
    """Name what an actor, a run or the scenario is, for footprints."""
    return ("process", path)


class Footprint:
    """What one step touched.

    Attributes:
        reads: What it depends on.
        writes: What it may have changed.
    """

    __slots__ = ("reads", "writes")

    def __init__(self, writes: Iterable[Object] = ()) -> None:
        self.reads: set[Object] = set()
        self.writes: set[Object] = set(writes)

    def conflicts(self, other: Footprint) -> bool:
        """Tell whether the order of two steps may matter."""
        writes = other.writes
        return not (
            self.writes.isdisjoint(writes)
            and self.writes.isdisjoint(other.reads)
            and self.reads.isdisjoint(writes)
        )


class Step:
    """One event that happened, or that never did although it could have.

    Attributes:
        key: The event's identity.
        cause: Index of the step that brought it about; -1 if the scenario did before all steps.
        footprint: What it touched.
        enabled: Identities of all that could have happened instead, itself included.
        target: Path of whoever it happened to.
        needs_idle: Whether it can happen only while its target does nothing.
        was_idle: Whether its target did nothing when it happened.
        obstacles: What may have stood in its way: its target, if that was busy; timers with
            earlier deadlines; or the programs that the scenario waits for.
        segment: How often the scenario had waited for all to be quiet before.
    """

    __slots__ = (
        "cause",
        "enabled",
        "footprint",
        "key",
        "needs_idle",
        "obstacles",
        "segment",
        "target",
        "was_idle",
    )

    def __init__(
        self,
        event: Event,
        footprint: Footprint,
        enabled: tuple[Key, ...],
        segment: int,
        cause: int,
        obstacles: tuple[Object, ...],
        *,
        was_idle: bool,
    ) -> None:
        self.key: Key = event.key
        self.cause: int = cause
        self.footprint: Footprint = footprint
        self.enabled: tuple[Key, ...] = enabled
        self.target: str = _target(event)
        self.needs_idle: bool = isinstance(event, Delivery) and not event.urgent
        self.was_idle: bool = was_idle
        self.obstacles: tuple[Object, ...] = obstacles
        self.segment: int = segment

    @classmethod
    def of_scenario(
        cls, index: int, footprint: Footprint, segment: int, ended: tuple[Object, ...]
    ) -> Step:
        """Make the step in which a scenario goes on: nobody has chosen it."""
        step = cls.__new__(cls)
        step.key = (SCENARIO, "goes on", index)
        step.cause = index - 1
        step.footprint = footprint
        step.enabled = ()
        step.target = SCENARIO
        step.needs_idle = step.was_idle = False
        step.obstacles = ended
        step.segment = segment
        return step

    @property
    def is_chosen(self) -> bool:
        """Whether it is an event; else it is what a scenario does when it goes on."""
        return self.target != SCENARIO or self.key[1] != "goes on"


def _target(event: Event) -> str:
    return event.cell.front.ref.path if isinstance(event, Delivery) else event.target


def _first(event: Event) -> Footprint:
    """Say what an event touches whatever comes of it."""
    footprint = Footprint((process(_target(event)), ("event", event.key)))
    if type(event) is Firing:
        footprint.writes.add(CLOCK)
    elif isinstance(event, Taking):
        footprint.writes.add(("inbox", _target(event)))
    return footprint


class Footprints:
    """The footprints of one run, while it runs and afterwards.

    Attributes:
        steps: What happened, in order.
        missed: What could have happened and never did, each with the number of steps before
            it became impossible, or before the end.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.missed: list[tuple[int, Step]] = []
        self._current = Footprint()
        self._pending: dict[Key, Event] = {}
        self._causes: dict[Key, int] = {}  # by event: index of the step that brought it about
        self._asks: dict[Key, Returning] = {}  # that have been sent and are not settled
        self._timers: dict[Key, tuple[int, int | None]] = {}  # deadline; number of steps until gone
        self._segment = 0
        self._judging = False
        self._world: SimulatedWorld | None = None

    def attach(self, world: SimulatedWorld) -> None:
        """Begin to watch a world."""
        self._world = world

    # ------------------------------------------------------------ steps

    def begin(self, event: Event, options: Sequence[Event]) -> None:
        """Learn that a step begins."""
        self._close()
        footprint = self._current = _first(event)
        cell = self._cell(_target(event))
        self.steps.append(
            Step(
                event,
                footprint,
                tuple(option.key for option in options),
                self._segment,
                self._causes.get(event.key, -1),
                self._obstacles(event, footprint, self._causes.get(event.key, -1)),
                was_idle=cell is not None and cell.state == IDLE,
            )
        )
        if isinstance(event, Delivery) and type(event.reply) is Returning:
            self._asks.setdefault(event.key, event.reply)
        self._pending.pop(event.key, None)
        if type(event) is Firing:
            self._timers[event.key] = (event.timer.when, len(self.steps))
        self._watch_system()

    def _close(self) -> None:
        """Complete the footprint of the step that has ended."""
        self._watch_system()
        assert self._world is not None
        footprint = self._current
        for _, path in [found for found in footprint.writes if found[0] == "process"]:
            self._follow(self._cell(path))
        pending = {event.key: event for event in self._world.pending()}
        here = len(self.steps) - 1
        for key, event in pending.items():
            self._causes.setdefault(key, here)
            if type(event) is Firing:
                self._timers[key] = (event.timer.when, None)
        for key, event in self._pending.items():
            if key not in pending and type(event) is Firing:
                self._timers[key] = (event.timer.when, len(self.steps))
            if key not in pending:
                # An asker gave up, a timer was cancelled: it could have happened before.
                footprint.writes.add(("event", key))
                self._miss(event, len(self.steps))
            elif isinstance(event, Delivery) and type(event.reply) is Returning:
                self._asks.setdefault(key, event.reply)
        for key, reply in list(self._asks.items()):
            if reply.is_settled:
                # Perhaps by a timeout: earlier, that would have taken the ask back.
                footprint.writes.add(("event", key))
                del self._asks[key]
        self._pending = pending

    def _miss(self, event: Event, before: int) -> None:
        segment = self.steps[-1].segment if self.steps else 0
        footprint = _first(event)
        cause = self._causes.get(event.key, -1)
        obstacles = self._obstacles(event, footprint, cause)
        step = Step(event, footprint, (), segment, cause, obstacles, was_idle=False)
        self.missed.append((before, step))

    def complete(self) -> Footprint:
        """Return what the step that has ended touched."""
        self._close()
        return self._current

    def _obstacles(self, event: Event, footprint: Footprint, cause: int) -> tuple[Object, ...]:
        if type(event) is not Firing:
            return (process(_target(event)),)
        # It waits for timers with earlier deadlines, until they fire or are cancelled.
        timer = event.timer
        found: list[Object] = []
        for key, (when, gone) in self._timers.items():
            if when < timer.when and (gone is None or gone > cause):
                found.append(("event", key))
        footprint.reads.update(found)
        return tuple(found)

    def finish(self) -> None:
        """Learn that the run has ended."""
        self._close()
        for event in self._pending.values():
            self._miss(event, len(self.steps))

    def go_on(self, runs: Sequence[str]) -> None:
        """Learn that the scenario goes on because programs have ended.

        That is a step of its own, in which order the programs ended plays no part; it comes
        at once after the step in which the last one did.

        Args:
            runs: Paths of the programs' runs.
        """
        self._close()
        footprint = self._current = Footprint((process(SCENARIO),))
        ended = tuple(process(path) for path in runs)
        footprint.reads.update(ended)
        self.steps.append(Step.of_scenario(len(self.steps), footprint, self._segment, ended))

    def barrier(self) -> None:
        """Learn that the scenario goes on after all is quiet: nothing races across this."""
        self._close()
        self._current = Footprint()  # what the scenario looks at now belongs to no step
        self._segment += 1

    # ------------------------------------------------------------ what they touch

    def read(self, touched: Object) -> None:
        """Learn that what happens depends on something."""
        if not self._judging:
            self._current.reads.add(touched)

    def write(self, touched: Object) -> None:
        """Learn that something may have changed."""
        if not self._judging:
            self._current.writes.add(touched)

    def ran(self, who: Any) -> None:
        """Learn that a cell, a fiber or a run goes on."""
        owner = who.owner if type(who) is Fiber else who
        path: str = owner.path if isinstance(owner, Run) else owner.front.ref.path
        self._current.writes.add(process(path))

    def called(self, callback: Callback) -> None:
        """Learn that a callback of the event loop runs, in the context of whoever set it."""
        if not callback.is_of_the_world:
            self._current.writes.add(process(callback.get_context().get(_process, SCENARIO)))

    def judge(self, name: str, reads: Sequence[str]) -> None:
        """Learn which actors a property is about that is looked at after each step.

        Args:
            name: The property.
            reads: Paths of the actors; empty if they were not said.
        """
        if not reads or any(process(path) in self._current.writes for path in reads):
            self._current.writes.add(("always", name))

    def begin_judging(self) -> None:
        """Learn that what is looked at now is looked at by a property."""
        self._judging = True

    def end_judging(self) -> None:
        """Learn that properties have been looked at."""
        self._judging = False

    def _cell(self, path: str) -> Cell | None:
        assert self._world is not None
        for system in self._world.systems:
            cell = system.cells.get(path)
            if cell is not None:
                return cell
        return None

    def _follow(self, cell: Cell | None) -> None:
        """Look at what a circle of asks is found by: who waits for whom."""
        for _ in range(_LINKS):
            link = None if cell is None else cell.link()
            if link is None:
                return
            target: Any = link.target
            cell = getattr(target, "front", None)
            if cell is not None:
                self._current.reads.add(process(cell.ref.path))

    def _watch_system(self) -> None:
        assert self._world is not None
        current = self._current
        current.reads.add(SYSTEM)
        if self._world.is_ending:
            current.writes.add(SYSTEM)
        if any(system.observed for system in self._world.systems):
            current.writes.add(EVENTS)


_LINKS: Final = 50


class NoteworthyCells(dict[str, Any]):
    """The actors of a system by path; tells who looks for a name, takes one or frees it."""

    def __init__(self, footprints: Footprints) -> None:
        """Begin empty."""
        super().__init__()
        self._footprints = footprints

    @override
    def __setitem__(self, path: str, cell: Cell) -> None:
        name, numbered, _ = path.partition("#")
        if numbered:
            self._footprints.write(("number", name))
        self._footprints.write(("name", path))
        cell.variables.run(_process.set, cell.front.ref.path)
        super().__setitem__(path, cell)

    @override
    def __delitem__(self, path: str) -> None:
        self._footprints.write(("name", path))
        super().__delitem__(path)

    @override
    def pop(self, path: str, default: Any = None) -> Any:
        """Free a name."""
        self._footprints.write(("name", path))
        return super().pop(path, default)

    @override
    def get(self, path: str, default: Any = None) -> Any:
        """Look for a name."""
        self._footprints.read(("name", path))
        return super().get(path, default)

    @override
    def __contains__(self, path: object) -> bool:
        self._footprints.read(("name", path))
        return super().__contains__(path)
