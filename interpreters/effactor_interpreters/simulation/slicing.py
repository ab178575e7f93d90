"""The causal slice of a failure: the steps that it depends on, and no others.

The failing schedule runs once more while its footprints are taken. What the finding is
about (an actor that a property or the scenario looked at, a run that ended) was last
changed by some step; that depends on its cause, and on the latest step of each actor, run
or coordination value that it touched; and so on, back to the beginning (Lamport, "Time,
clocks, and the ordering of events in a distributed system", 1978).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor.errors import Deadlock, Livelock, Violation
from effactor.programs.program import Program
from effactor_interpreters.simulation.events import Beginning
from effactor_interpreters.simulation.footprints import SCENARIO, Footprints, process
from effactor_interpreters.simulation.tape import Following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.footprints import Object
    from effactor_interpreters.simulation.runs import Run
    from effactor_interpreters.simulation.tape import Chooser
    from effactor_interpreters.simulation.world import SimulatedWorld

_SHARED: Final = frozenset(("process", "coordination", "inbox"))


class _Watching(Footprints):
    """Footprints that know which records belong to which step, and what was looked at.

    Attributes:
        starts: Index of the first record of each step that is an event.
        looked_at: Actors that were looked at since the latest step began.
    """

    def __init__(self) -> None:
        super().__init__()
        self.starts: dict[int, int] = {}
        self.looked_at: list[str] = []
        self._records: Sequence[Any] = ()

    @override
    def attach(self, world: SimulatedWorld) -> None:
        super().attach(world)
        self._records = world.records

    @override
    def begin(self, event: Event, options: Sequence[Event]) -> None:
        start = len(self._records)
        self.looked_at.clear()
        super().begin(event, options)
        self.starts[len(self.steps) - 1] = start
        if isinstance(event, Beginning) or event.source == SCENARIO:
            # The scenario's own order: all that went before would be a cause of it.
            self.steps[-1].cause = -1


class _Following(Following):
    """Follows a tape, and has footprints taken."""

    sees_all = True

    def __init__(self, deviations: dict[int, int]) -> None:
        super().__init__(deviations, strict=False)
        self.footprints: _Watching = _Watching()


def relevant(
    failing: Run[Any], scenario: Any, rerun: Callable[[Any, Chooser], Run[Any]]
) -> tuple[int, ...]:
    """Find the records that a failure depends on.

    Args:
        failing: The failing run.
        scenario: What was run.
        rerun: Runs a scenario with a chooser, as the failing run was.

    Returns:
        Their numbers; those of all records if the failure does not come again, or has no
        end that could depend on anything.
    """
    chooser = _Following(failing.tape_deviations)
    watching = chooser.footprints

    def watched(sim: Any) -> Any:
        look = sim.actor

        def actor(ref: Any) -> Any:
            watching.looked_at.append(ref.path)
            return look(ref)

        sim.actor = actor
        return scenario(sim)

    again = rerun(scenario if isinstance(scenario, Program) else watched, chooser)
    everything = tuple(record.step for record in failing.trace)
    steps = watching.steps
    if (
        len(again.trace) != len(everything)
        or not watching.starts
        or isinstance(failing.error, Livelock)
    ):
        return everything
    latest = _latest_before(watching)
    found: set[int] = set()
    todo = set(_roots(failing, watching))
    todo |= {_step_of(watching, number - 1) for number in failing.deviating_steps}
    while todo:
        index = todo.pop()
        if index < 0 or index in found or not steps[index].is_chosen:
            continue  # what the scenario itself does is not of interest
        found.add(index)
        todo.add(steps[index].cause)
        todo.update(latest[index])
    begins = sorted(watching.starts.values())
    ends = dict(zip(begins, [*begins[1:], len(everything)], strict=True))
    kept = set(range(begins[0]))
    for index in found:
        start = watching.starts[index]
        kept.update(range(start, ends[start]))
    return tuple(number for number in everything if number - 1 in kept)


def _roots(failing: Run[Any], watching: _Watching) -> Iterable[int]:
    """Say which steps the finding itself is about."""
    steps = watching.steps
    about: set[Object] = {process(path) for path in watching.looked_at}
    if isinstance(failing.error, Deadlock):
        who = [sentence.split(" waits for ")[0] for sentence in failing.error.waiting]
        paths = {
            each[1] for step in steps for each in step.footprint.writes if each[0] == "process"
        }
        about |= {process(path) for path in paths if any(name.endswith(path) for name in who)}
    error = failing.error
    if isinstance(error, Violation) and error.kind == "always":
        return [max(watching.starts)]  # it was true until then
    last: list[int] = []
    if not about:
        # What the scenario knows, it knows from the runs that have ended.
        last.append(max(watching.starts))
        about = {each for step in steps if not step.is_chosen for each in step.obstacles}
    chosen = [(i, step.footprint.writes) for i, step in enumerate(steps) if step.is_chosen]
    return [*last, *(max((i for i, w in chosen if each in w), default=-1) for each in about)]


def _step_of(watching: _Watching, record: int) -> int:
    return max((i for i, start in watching.starts.items() if start <= record), default=-1)


def _latest_before(watching: _Watching) -> list[list[int]]:
    """List for each step the latest earlier ones that changed what it touches."""
    last: dict[Object, int] = {}
    found: list[list[int]] = []
    for index, step in enumerate(watching.steps):
        footprint = step.footprint
        touched = [o for o in footprint.reads | footprint.writes if o[0] in _SHARED]
        found.append([last[each] for each in touched if each in last and each != process(SCENARIO)])
        for each in footprint.writes:
            last[each] = index
    return found
