"""Tell whether the simulator could have done what a live system did.

The scenario is simulated along the recording: of all that may happen next, what the live
system did next comes first. Messages are recognised by sender, receiver and content, the
n-th of them by their order, which is that of their sender. Two runs are taken to be the
same if each actor sees the same in the same order; what different actors do at the same
time has no order (Mazurkiewicz traces). Where the recording does not tell what comes next
(timers, stops), the other choices are tried too, up to a number of runs.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from effactor.errors import NotConforming
from effactor.programs.program import Program
from effactor.traces.canonical import canonical
from effactor_interpreters.runtime.controls import START, Control, StopRequest
from effactor_interpreters.runtime.recordings import LiveRecording, Occurrence
from effactor_interpreters.simulation.boundary import guarded
from effactor_interpreters.simulation.events import Beginning, Delivery, Firing, Return
from effactor_interpreters.simulation.runs import (
    MAX_STEPS,
    Run,
    check_scenario,
    check_seed,
    run_once,
    scenario_name,
)
from effactor_interpreters.simulation.tape import Following

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.simulation import Simulation

ATTEMPTS: Final = 200
"""Runs that `conform` may take."""

_NEVER: Final = 1 << 60
_BEGINS: Final = frozenset(("delivered", "dropped", "dead letter"))
_STARTS: Final = frozenset(("started", "spawn failed", "restarted"))


class _OffTrack(BaseException):
    """Ends an attempt that does something else than the recording. No failure."""


class _Expected:
    """What each actor did live, and how much of that it has done here.

    Each actor's occurrences are a lane, to be gone through in order. What becomes of messages
    that a stop leaves over is in no order with the rest: it has lanes of its own.
    """

    def __init__(self, recording: LiveRecording) -> None:
        self.done: int = 0
        self._occurrences = recording.occurrences
        self._lanes: defaultdict[_Lane, list[int]] = defaultdict(list)
        self._next: defaultdict[_Lane, int] = defaultdict(int)
        self._actors = frozenset(occurrence.target for occurrence in self._occurrences)
        for index, occurrence in enumerate(self._occurrences):
            self._lanes[_lane(occurrence)].append(index)

    @property
    def is_over(self) -> bool:
        """Whether all that was recorded has happened."""
        return self.done == len(self._occurrences)

    @property
    def first(self) -> int:
        """Index of the first occurrence that has not happened yet."""
        left = (ends[self._next[lane]] for lane, ends in self._lanes.items() if self._left(lane))
        return min(left, default=_NEVER)

    def _left(self, lane: _Lane) -> int:
        return len(self._lanes.get(lane, ())) - self._next[lane]

    def find(self, lane: _Lane, fits: Callable[[Occurrence], bool]) -> int:
        """Say when something happens in a lane: the index of its occurrence."""
        for index in self._lanes.get(lane, [])[self._next[lane] :]:
            if fits(self._occurrences[index]):
                return index
        return _NEVER

    def first_left_over(self, path: str) -> int:
        """Say when the first message is found to be left over by the stop of an actor."""
        ends = (
            indexes[self._next[lane]]
            for lane, indexes in self._lanes.items()
            if lane[0] == path and lane[1] and self._left(lane)
        )
        return min(ends, default=_NEVER)

    def is_left_over(self, index: int) -> bool:
        """Tell whether an occurrence is that of a message which a stop leaves over."""
        return _is_left_over(self._occurrences[index])

    def happened(self, occurrence: Occurrence) -> int | None:
        """Take in what happened here.

        Returns:
            Index of the occurrence that should have happened instead; None if it is the same.
        """
        lane = _lane(occurrence)
        if not self._left(lane):
            # What it did after the end of the recording nobody knows, but it was not this yet.
            return None if self.is_over or lane[1] else self.first
        index = self._lanes[lane][self._next[lane]]
        if self._facts(self._occurrences[index]) != self._facts(occurrence):
            return index
        self._next[lane] += 1
        self.done += 1
        return None

    def _facts(self, occurrence: Occurrence) -> tuple[str, ...]:
        sender = self.who(occurrence.sender)
        return (occurrence.kind, sender, occurrence.message, occurrence.outcome)

    def who(self, sender: str) -> str:
        """Name a sender: a run without its number, which depends on how long others take."""
        return sender if sender in self._actors else sender.partition("#")[0]


_Lane: TypeAlias = tuple[str, str, str]


def _lane(occurrence: Occurrence) -> _Lane:
    if _is_left_over(occurrence):
        return occurrence.target, occurrence.kind, occurrence.message
    return occurrence.target, "", ""


def _is_left_over(occurrence: Occurrence) -> bool:
    if occurrence.kind == "dead letter":
        return True
    return occurrence.kind == "dropped" and occurrence.outcome == "ActorStopped"


class _Guide:
    """Chooses what the live system did next; remembers where it had to guess.

    Attributes:
        guesses: At which choice, and what else could be tried there, best last.
        missed: Index of the occurrence that did not happen, and what did.
    """

    sees_all: bool = True

    def __init__(self, recording: LiveRecording, prefix: dict[int, int]) -> None:
        self.guesses: list[tuple[int, list[int]]] = []
        self.chosen: dict[int, int] = {}
        self.missed: tuple[int, str] | None = None
        self.heard: LiveRecording = LiveRecording()
        self.expected: _Expected = _Expected(recording)
        self._prefix = prefix
        self._seen = 0

    def check(self) -> None:
        """Compare what has happened since the last time.

        Raises:
            _OffTrack: If it is something else than the recording says.
        """
        occurrences = self.heard.occurrences
        while self._seen < len(occurrences):
            here = occurrences[self._seen]
            self._seen += 1
            instead = None if self.expected.is_over else self.expected.happened(here)
            if instead is not None:
                self.missed = instead, f"the simulator has {here}"
                raise _OffTrack

    def __call__(self, position: int, options: Sequence[Event]) -> int:
        """Choose."""
        self.check()
        if len(options) == 1:
            return 0
        index = self._choose(position, options)
        self.chosen[position] = index
        return index

    def _choose(self, position: int, options: Sequence[Event]) -> int:
        if self.expected.is_over:
            return 0
        if position in self._prefix:
            return self._prefix[position]
        first = self.expected.first
        ranked = sorted((self._rank(each, first), n) for n, each in enumerate(options))
        best = ranked[0][0]
        if best > _EXACT:
            self.guesses.append((position, [n for _, n in reversed(ranked[1:])]))
        return ranked[0][1]

    def _rank(self, event: Event, first: int) -> tuple[int, int]:
        """Say how soon an event is due: the smaller, the sooner."""
        if isinstance(event, Return | Beginning):
            return 0, -event.order[0]  # live, these happen at once
        if isinstance(event, Firing):
            return 2, 0
        when = self._due(event)
        if when == first:
            return self._certainty(event, when)
        return (3, when) if when < _NEVER else (4, 0)

    def _certainty(self, event: Event, when: int) -> tuple[int, int]:
        """Rank what is due now: it may be that something else brings the same about."""
        if isinstance(event.subject, StopRequest):
            return 1, 1
        return (1, 2) if self.expected.is_left_over(when) else _EXACT

    def _due(self, event: Event) -> int:
        """Say which occurrence the event brings about, if things go on as they did live."""
        find, subject = self.expected.find, event.subject
        lane = (event.target, "", "")
        if subject is START:
            return find(lane, lambda o: o.kind in _STARTS)
        if isinstance(subject, StopRequest):
            stopped = find(lane, lambda o: o.kind == "stopped")
            return min(stopped, self.expected.first_left_over(event.target))
        noted = event.noted
        if isinstance(noted, Control) or not isinstance(event, Delivery):
            return _NEVER
        text, senders = canonical(noted), {"", self.expected.who(event.source)}

        def fits(o: Occurrence) -> bool:
            is_it = o.kind in _BEGINS and o.message == text
            return is_it and self.expected.who(o.sender) in senders

        left_over = (find((event.target, kind, text), fits) for kind in ("dropped", "dead letter"))
        return min(find(lane, fits), *left_over)


_EXACT: Final = (1, 0)


def conform(
    recording: LiveRecording,
    scenario: Program[Any, Any] | Callable[[Simulation], Any],
    *,
    seed: int = 0,
    max_steps: int = MAX_STEPS,
    attempts: int = ATTEMPTS,
) -> Run[Any]:
    """Check that the simulator can do what a live system did.

    Args:
        recording: What `record` has recorded, from before the first spawn on. It may end
            anywhere.
        scenario: The same set-up and programs for the simulator: a program, or a function
            of the `Simulation`, which may be `async def`. Its `sim.answer` gives what the
            outside world answered live.
        seed: Seed of the programs' randomness.
        max_steps: Steps after which an attempt is given up.
        attempts: Runs that it may take to find out, at least 1.

    Returns:
        A run in which each actor did what it did live, in the same order. Its `token`
        replays that; what follows the end of the recording is the default order, and
        `error` what the scenario raised after all.

    Raises:
        NotConforming: If there is none, or none was found. It names the first occurrence
            that the simulator does not come to.
        TypeError: If an argument is of another kind.
        ValueError: If *attempts* is below 1, or *seed* negative.
    """
    if not isinstance(recording, LiveRecording):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = "conform: recording must be a LiveRecording, as record(system) makes, "
        msg += f"got {recording!r}"
        raise TypeError(msg)
    check_scenario("conform", scenario)
    check_seed("conform", seed)
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"conform: attempts must be an integer >= 1, got {attempts!r}"
        raise ValueError(msg)
    prefix: dict[int, int] = {}
    guesses: list[tuple[int, list[int], dict[int, int]]] = []
    furthest: tuple[int, int, str] = (-1, 0, "")
    tried = 0
    with guarded():
        while tried < attempts:
            tried += 1
            guide = _Guide(recording, prefix)
            run = run_once(
                _heard_by(guide, scenario), guide, seed=seed, time="async", max_steps=max_steps
            )
            missed = _missed(guide, run)
            if missed is None:
                return _unheard(run, scenario, seed, max_steps)
            furthest = max(furthest, (guide.expected.done, *missed))
            guesses += [(at, others, dict(guide.chosen)) for at, others in guide.guesses]
            if not guesses:
                break
            at, others, chosen = guesses[-1]
            prefix = {**{p: i for p, i in chosen.items() if p < at}, at: others.pop()}
            if not others:
                guesses.pop()
    _, index, found = furthest
    occurrence = recording.occurrences[index]
    raise NotConforming(str(occurrence), index + 1, found, tried, not guesses)


def _unheard(run: Run[Any], scenario: Any, seed: int, max_steps: int) -> Run[Any]:
    """Do it again with nobody listening, as whoever replays the token will."""
    chooser = Following(run.tape_deviations, strict=False)
    plain = run_once(scenario, chooser, seed=seed, time="async", max_steps=max_steps)
    # To a stopped actor nothing is sent, unless somebody listens for dead letters.
    return plain if (plain.choices, plain.widths) == (run.choices, run.widths) else run


def _heard_by(guide: _Guide, scenario: Any) -> Callable[[Simulation], Any]:
    def heard(sim: Simulation) -> Any:
        guide.heard.listen(sim.system)
        return sim.run(scenario) if isinstance(scenario, Program) else scenario(sim)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]

    # The run's token is one of the scenario.
    heard.__name__ = scenario_name(scenario)
    return heard


def _missed(guide: _Guide, run: Run[Any]) -> tuple[int, str] | None:
    """Say what did not happen, and what did instead."""
    if guide.missed is None:
        try:
            guide.check()
        except _OffTrack:
            pass
    if guide.missed is not None:
        return guide.missed
    if guide.expected.is_over:
        return None
    if run.error is None:
        return guide.expected.first, "the scenario has ended"
    return guide.expected.first, f"the scenario has raised {type(run.error).__name__}: {run.error}"
