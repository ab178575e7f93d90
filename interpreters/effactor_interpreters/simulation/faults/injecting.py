"""When faults happen in a run: those of a script, those of a plan, and those of a budget."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import NonDeterminism
from effactor_interpreters.runtime.reviving import can_revive
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.simulation.events import Event, Firing
from effactor_interpreters.simulation.faults.afflictions import Afflictions
from effactor_interpreters.simulation.faults.events import FaultEvent, Spared, in_words
from effactor_interpreters.simulation.faults.messages import is_message, next_in_line
from effactor_interpreters.simulation.faults.performing import perform
from effactor_interpreters.simulation.faults.plan import BOTH_WAYS, ONE_WAY, OUTCOMES
from effactor_interpreters.simulation.faults.recovering import Situation
from effactor_interpreters.simulation.faults.script import Taken, identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.simulation.faults.budget import Faults
    from effactor_interpreters.simulation.faults.plan import Fault, Kind, Recorded
    from effactor_interpreters.simulation.faults.script import Mode
    from effactor_interpreters.simulation.world import SimulatedWorld

_OF_ACTORS: Final[tuple[Kind, ...]] = ("crash", "restart", "pause", "slow")
_OF_MESSAGES: Final[tuple[Kind, ...]] = ("drop", "duplicate", "delay", "reorder")
_LASTING: Final[frozenset[Kind]] = frozenset(("pause", "slow", "delay", "partition"))
_NANO: Final = 1_000_000_000
_SCENARIO: Final = "/scenario"
_RIGHT: Final = (0, 0.0)


class Hazards:
    """Decides when faults happen.

    Args:
        world: The world.
        faults: What is planned and permitted; None for nothing.
        script: Faults to repeat.
        mode: How they are repeated.
        lossy: Whether any message may be lost, beside the budget.
        duplicating: Whether any message may come twice, beside the budget.

    Attributes:
        state: What is wrong at the moment.
        taken: The faults that happened.
        over: Whether no fault is chosen any more.
        misaligned: Faults of the script that did not fit.
    """

    def __init__(
        self,
        world: SimulatedWorld,
        faults: Faults | None = None,
        script: Sequence[Taken] = (),
        mode: Mode = "strict",
        *,
        lossy: bool = False,
        duplicating: bool = False,
    ) -> None:
        self.state: Afflictions = Afflictions()
        self.taken: list[Taken] = []
        self.over: bool = False
        self.misaligned: list[Taken] = []
        self._world = world
        self._faults = faults
        self._mode = mode
        self._free: frozenset[Kind] = frozenset(
            [*(["drop"] if lossy else []), *(["duplicate"] if duplicating else [])]  # type: ignore[list-item]
        )
        permitted: set[Kind] = set(self._free)
        if faults is not None:
            permitted |= faults.most.keys()
        self._permitted = permitted
        self._left = 0 if faults is None else faults.budget
        self._counts: dict[Kind, int] = {}
        self.events: dict[str, int] = {}
        self._effects: dict[str, int] = {}
        self._calls: dict[tuple[str, str], int] = {}
        self._last = ""
        self._offered: dict[Any, Any] = {}
        self._copies: dict[Any, None] = {}
        steps = [fault for fault in script if fault.place == "step"]
        self._script: list[Taken] = steps
        self._script_within: dict[tuple[Recorded, str, str, int], Taken] = {
            (fault.kind, fault.target, fault.place, fault.at): fault
            for fault in script
            if fault.place not in {"step", "time"}
        }
        self._wrong_clocks: tuple[str, ...] = ()
        if faults is not None:
            skew, drift = faults.skew, faults.drift
            self._wrong_clocks = (
                f"{skew!r} 0.0",
                f"{-skew!r} 0.0",
                f"0.0 {drift!r}",
                f"0.0 {-drift!r}",
            )
        self._times = [fault for fault in script if fault.place == "time"]
        plan = () if faults is None else faults.plan
        self._plan: list[Fault] = [fault for fault in plan if fault.anchor.place.endswith("event")]
        self._plan_within: dict[tuple[Kind, str, str, int], Fault] = {
            (fault.kind, fault.target, fault.anchor.place, fault.anchor.at): fault
            for fault in plan
            if fault.anchor.place in {"before effect", "after effect", "call"}
        }
        self._times += [_taken(f, "time", f.anchor.at) for f in plan if f.anchor.place == "time"]
        self._heals: tuple[str, ...] | None = None
        if faults is not None and faults.heal is not None:
            # Noted at once: a token must know of it, whenever it comes.
            at = round(faults.heal_after * _NANO)
            paths = " ".join(faults.heal)
            self._times.append(Taken("heal", "", "time", at, detail=paths, planned=True))
        self._within: frozenset[Recorded] = frozenset(
            kind for kind, *_ in (*self._script_within, *self._plan_within)
        )

    def begin(self) -> None:
        """Set the timers of faults that come at a time."""
        for fault in self._times:
            self.taken.append(fault)
            if fault.kind == "heal":
                self._heals = tuple(fault.detail.split())
                what = "end of the fault phase"
                self._world.fault_timer(fault.at, self.heal_if_planned, what)
            else:
                self._world.fault_timer(fault.at, partial(self._at_time, fault), "")

    def _at_time(self, fault: Taken) -> None:
        if not perform(self, self._world, fault, None):
            self.misaligned.append(fault)

    # ------------------------------------------------------------ between steps

    def happened(self, event: Event) -> None:
        """Count an event of its target."""
        target = event.target
        self.events[target] = self.events.get(target, 0) + 1
        self._last = target

    def due(self, options: list[Event]) -> bool:
        """Let a fault happen whose time has come, if there is one.

        Args:
            options: What may happen next; not empty.

        Returns:
            Whether one has happened: then everything must be looked at anew.
        """
        if self._script and self._repeat(options):
            return True
        for number, fault in enumerate(self._plan):
            anchor = fault.anchor
            count = self.events.get(anchor.of, 0)
            about: Event | None = None
            if anchor.place == "after event":
                if count < anchor.at:
                    continue
            else:
                if count != anchor.at - 1:
                    continue
                coming = [event for event in options if event.target == anchor.of]
                if fault.kind in _OF_MESSAGES:
                    coming = [event for event in coming if is_message(event)]
                if not coming:
                    continue
                about = coming[0] if fault.kind in _OF_MESSAGES else None
            taken = replace(
                _taken(fault, "step", self._world.steps),
                events=self.events.get(fault.target, 0),
                message=0 if about is None else identity(about.key),
            )
            if self._take(taken, about):
                del self._plan[number]
                return True
        return False

    def _repeat(self, options: list[Event]) -> bool:
        """Repeat the script's next fault, if this is its place."""
        steps = self._world.steps
        if self._mode == "guided":
            return self._realign(options)
        while self._script and self._script[0].at <= steps:
            fault = self._script.pop(0)
            about = _find(fault.message, options) if fault.message else None
            fits = fault.at == steps and (about is not None or not fault.message)
            if fits and self._take(fault, about):
                return True
            self.misaligned.append(fault)
            if self._mode == "strict":
                text = in_words(fault)
                found = f"{self._world.steps} events, of which the last was to {self._last!r}"
                raise NonDeterminism(f"{text} after {fault.at} events", found)
        return False

    def _realign(self, options: list[Event]) -> bool:
        for number, fault in enumerate(self._script):
            about = None
            if fault.message:
                about = _find(fault.message, options)
                if about is None:
                    continue
            elif self.events.get(fault.target, 0) < fault.events:
                continue
            del self._script[number]
            if self._take(fault, about):
                return True
            self.misaligned.append(fault)
            return False
        return False

    def end(self) -> list[Taken]:
        """List the faults of the script that never found their place."""
        return [*self.misaligned, *self._script, *self._script_within.values()]

    def _take(self, fault: Taken, about: Event | None) -> bool:
        noted = len(self._world.records) + 1
        if not perform(self, self._world, fault, about):
            return False
        self.taken.append(fault)
        if not fault.planned:
            event = FaultEvent(fault, about)
            self._world.faults_in_words.append((noted, event))
        return True

    def take(self, event: FaultEvent) -> None:
        """Let a fault happen that was chosen."""
        kind = event.fault.kind
        self._spend(kind)
        self._take(event.fault, event.about)

    def _spend(self, kind: Recorded) -> None:
        if kind != "heal" and kind not in self._free:
            self._left -= 1
            self._counts[kind] = self._counts.get(kind, 0) + 1

    # ------------------------------------------------------------ the budget

    def offers(self, options: list[Event]) -> list[FaultEvent]:
        """List the faults that could happen now, and would mean something.

        Args:
            options: What may happen next; not empty.

        Returns:
            The faults, those of actors first.
        """
        if self.over or not self._permitted or (self._left <= 0 and not self._free):
            return []
        found: list[FaultEvent] = []
        self._offer_actors(options, found)
        messages = [event for event in options if is_message(event)]
        for kind in _OF_MESSAGES:
            if self._may(kind):
                for event in messages:
                    self._offer_message(kind, event, found)
        if self._may("partition"):
            self._offer_partitions(messages, found)
        return found

    def _may(self, kind: Kind) -> bool:
        if kind not in self._permitted or self.over:
            return False
        if kind in self._free:
            return True
        if self._left <= 0:
            return False
        most = None if self._faults is None else self._faults.most.get(kind)
        return most is None or self._counts.get(kind, 0) < most

    def _hits(self, kind: Kind, target: str) -> bool:
        return kind in self._free or (
            self._faults is not None and self._faults.permits(kind, target)
        )

    def _lasts(self, kind: Kind) -> int:
        if self._faults is None or kind not in _LASTING:
            return -1
        return round(self._faults.lasting * _NANO)

    def _offer_actors(self, options: list[Event], found: list[FaultEvent]) -> None:
        kinds: list[Kind] = [kind for kind in _OF_ACTORS if self._may(kind)]
        if not kinds:
            return
        for path in dict.fromkeys([*(event.target for event in options), self._last]):
            cell = self._world.cell_at(path)
            if cell is None or not can_revive(cell):
                continue
            mail = sum(event.target == path for event in options)
            for kind in kinds:
                if not self._hits(kind, path) or path in self._afflicted(kind):
                    continue
                if kind == "restart" and cell.starting:
                    continue
                # The same again, as long as nothing happens to it, is no other fault.
                if self._is_new((kind, path), (self.events.get(path, 0), mail)):
                    self._offer(found, kind, path, lasting=self._lasts(kind))

    def _afflicted(self, kind: Kind) -> dict[str, None]:
        return {"pause": self.state.paused, "slow": self.state.slow}.get(kind, {})

    def _offer_message(self, kind: Kind, event: Event, found: list[FaultEvent]) -> None:
        if not self._hits(kind, event.target):
            return
        if kind == "duplicate" and event.key in self._copies:
            return
        if kind == "reorder" and next_in_line(self._world, event) is None:
            return
        if self._is_new((kind, event.key), True):  # noqa: FBT003 - a mark
            self._offer(
                found,
                kind,
                event.target,
                message=identity(event.key),
                about=event,
                lasting=self._lasts(kind),
            )

    def _offer_partitions(self, messages: Sequence[Event], found: list[FaultEvent]) -> None:
        ends = dict.fromkeys(path for event in messages for path in (event.source, event.target))
        for path in ends:
            cell = self._world.cell_at(path)
            if cell is None or not self._hits("partition", path):
                continue
            if path in self.state.down():
                continue
            about = tuple(e.key for e in messages if path in (e.source, e.target))
            if not self._is_new(("partition", path), about):
                continue
            lasting = self._lasts("partition")
            sides = [f"{path} {BOTH_WAYS} *"]
            if any(event.source == path for event in messages):
                sides.append(f"{path} {ONE_WAY} *")
            if any(event.target == path for event in messages):
                sides.append(f"* {ONE_WAY} {path}")
            for detail in sides:
                self._offer(found, "partition", path, detail=detail, lasting=lasting)

    def _is_new(self, what: Any, situation: Any) -> bool:
        if self._offered.get(what) == situation:
            return False
        self._offered[what] = situation
        return True

    def _offer(
        self,
        found: list[FaultEvent],
        kind: Kind,
        target: str,
        *,
        message: int = 0,
        about: Event | None = None,
        detail: str = "",
        lasting: int = -1,
    ) -> None:
        if not self._recovers(kind, target, lasting):
            return
        steps, events = self._world.steps, self.events.get(target, 0)
        taken = Taken(kind, target, "step", steps, events, message, detail, lasting)
        found.append(FaultEvent(taken, about))

    def _recovers(self, kind: Kind, target: str, lasting: int) -> bool:
        recoverable = None if self._faults is None else self._faults.recoverable
        if recoverable is None:
            return True
        down = {*self._world.crashed, *self.state.down()}
        forgetful = {*self.state.forgetful, *self._world.crashed}
        if kind in {"crash", "pause", "partition"}:
            down.add(target)
        if kind in {"crash", "restart"}:
            forgetful.add(target)
        seconds: float | None = 0.0
        if kind == "crash":
            seconds = None
        elif kind in _LASTING:
            seconds = None if lasting < 0 else lasting / _NANO
        situation = Situation(
            kind, target, seconds, frozenset(down), frozenset(forgetful), len(self.taken)
        )
        return bool(recoverable(situation))

    # ------------------------------------------------------------ in the midst of a step

    def counts(self, kind: Kind) -> bool:
        """Tell whether calls of a kind have to be looked at."""
        return kind in self._permitted or kind in self._within

    def call(self, kind: Kind, target: str, outcomes: Sequence[str]) -> str | None:
        """Decide what goes wrong with a call.

        Args:
            kind: `external`, `buggify`, `mailbox_full` or `clock`.
            target: A name or a path.
            outcomes: What may.

        Returns:
            One of *outcomes*, or what a plan or script says; None if all goes well.
        """
        number = self._calls[kind, target] = self._calls.get((kind, target), 0) + 1
        return self._within_step(kind, target, "call", number, outcomes)

    def _within_step(
        self, kind: Kind, target: str, place: Any, number: int, outcomes: Sequence[str]
    ) -> str | None:
        fault = self._script_within.pop((kind, target, place, number), None)
        if fault is None:
            planned = self._plan_within.pop((kind, target, place, number), None)
            fault = None if planned is None else _taken(planned, place, number)
        if fault is None and self._may(kind) and self._hits(kind, target):
            fault = self._draw(kind, target, place, number, outcomes)
        if fault is None:
            return None
        self.taken.append(fault)
        if not fault.planned:
            self._world.faults_in_words.append((len(self._world.records) + 1, FaultEvent(fault)))
        return fault.detail

    def _draw(
        self, kind: Kind, target: str, place: Any, number: int, outcomes: Sequence[str]
    ) -> Taken | None:
        if not self._recovers(kind, target, -1):
            return None
        events = self.events.get(target, 0)
        faults = [
            FaultEvent(Taken(kind, target, place, number, events, 0, outcome))
            for outcome in outcomes
        ]
        index = self._world.tape.fault(Spared(faults[0].fault), faults)
        if index is None:
            return None
        self._spend(kind)
        return faults[index].fault

    def outside(self, name: str) -> str | None:
        """Decide what becomes of a call that `sim.answer` answers."""
        return self.call("external", name, OUTCOMES) if self.counts("external") else None

    def effect(self, cell: Cell) -> Callable[[str], bool]:
        """Count an effect of an actor's program.

        Args:
            cell: The actor.

        Returns:
            A function that says whether the power goes before, or after it; it does the rest.
        """
        path = cell.ref.path
        number = self._effects[path] = self._effects.get(path, 0) + 1

        def strikes(place: str) -> bool:
            if cell.state == STOPPED or not can_revive(cell):
                return False
            for kind in ("crash", "restart"):
                if not self.counts(kind):
                    continue
                # Before the next effect is the same as after this one: its own memory is lost.
                key = (kind, path, place, number)
                said = key in self._script_within or key in self._plan_within
                if place == "before effect" and not said:
                    continue
                if self._within_step(kind, path, place, number, ("",)) is None:
                    continue
                if kind == "crash":
                    self._world.crash(cell)
                else:
                    self.state.forgetful[path] = None
                    self._world.restart(cell)
                return True
            return False

        return strikes

    def clock_of(self, path: str) -> tuple[int, float]:
        """Return how wrong a clock is, which somebody goes by now.

        Args:
            path: Whose.

        Returns:
            Nanoseconds that it is ahead, and how much too slow it runs.
        """
        if self.counts("clock") and path != _SCENARIO:
            detail = self.call("clock", path, self._wrong_clocks)
            if detail is not None:
                perform(self, self._world, Taken("clock", path, "call", 0, detail=detail), None)
        return self.state.clocks.get(path, _RIGHT)

    def finds_full(self, cell: Cell) -> bool:
        """Decide whether a message that is sent now finds its mailbox full."""
        path = cell.ref.path
        faults = self._faults
        anywhere = faults is not None and faults.actors.get("mailbox_full", ()) is None
        if anywhere and ("mailbox_full", path) not in {key[:2] for key in self._plan_within}:
            equipment = cell.equipment
            mailbox = None if equipment is None else equipment.props.mailbox
            if getattr(mailbox, "capacity", None) is None:
                return False  # it has room for all: no sender expects anything else
        return self.call("mailbox_full", path, ("full",)) is not None

    def revived(self, path: str) -> int:
        """Count how often an actor has come back."""
        number = self._calls["revived", path] = self._calls.get(("revived", path), 0) + 1
        return number

    # ------------------------------------------------------------ the end of the fault phase

    def heal_if_planned(self) -> bool:
        """Heal what `Faults(heal=...)` names, once.

        Returns:
            Whether that has been done now.
        """
        if self._heals is None:
            return False
        paths, self._heals = self._heals, None
        self._world.heal_core(paths)
        return True

    def copied(self, key: Any) -> None:
        """Remember a message that is a copy: it is not copied again."""
        self._copies[key] = None


def _find(message: int, options: list[Event]) -> Event | None:
    return next(
        (e for e in options if not isinstance(e, Firing) and identity(e.key) == message), None
    )


def _taken(fault: Fault, place: Any, at: int) -> Taken:
    lasting = -1 if fault.lasting is None else round(fault.lasting * _NANO)
    return Taken(fault.kind, fault.target, place, at, 0, 0, fault.detail, lasting, planned=True)
