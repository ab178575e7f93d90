"""One simulated run of a program or a scenario, and its replay."""

from __future__ import annotations

import asyncio
import inspect
import sys
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from typing_extensions import TypeVar, override

from effactor.errors import NonDeterminism
from effactor.programs.naming import name_of
from effactor.programs.program import Program
from effactor.traces.record import Record
from effactor.traces.trace import Trace
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.simulation.boundary import guarded, inside
from effactor_interpreters.simulation.conditions import CALM, Conditions, conditions_of
from effactor_interpreters.simulation.faults.swarm import Swarm
from effactor_interpreters.simulation.retracing import Retracing
from effactor_interpreters.simulation.simulation import Simulation
from effactor_interpreters.simulation.tape import Tape, UniformRandom
from effactor_interpreters.simulation.token import Recording, TimeMode, decode
from effactor_interpreters.simulation.world import SimulatedWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable

    from effactor_interpreters.simulation.delivery import Order
    from effactor_interpreters.simulation.faults.budget import Faults
    from effactor_interpreters.simulation.faults.script import Mode, Script
    from effactor_interpreters.simulation.tape import Chooser

A = TypeVar("A")

MAX_STEPS = 10_000
"""Steps after which a run counts as a livelock."""


class Run(Generic[A]):
    """What one simulated run did.

    Attributes:
        value: What the program or scenario answered; None if it raised.
        error: What it raised, or None.
        steps: Number of events that happened.
        hits: How often each `sometimes` was true, by name.
        repeats: Whether it follows a script, so that its faults were offered to nobody.
        unknown: Names of checks of histories that gave up at their limit.
    """

    def __init__(
        self,
        scenario: str,
        world: SimulatedWorld,
        value: A | None,
        error: BaseException | None,
        hits: dict[str, int],
        unknown: Iterable[str] = (),
    ) -> None:
        self.value = value
        self.error = error
        self.steps: int = world.steps
        self.hits = hits
        self.unknown: tuple[str, ...] = tuple(unknown)
        self._scenario = scenario
        self._world = world
        self._misaligned = 0
        self.repeats: bool = False
        self._trace: Trace | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was raised."""
        return self.error is None

    @property
    def token(self) -> str:
        """Text that replays this run."""
        world = self._world
        recording = Recording(
            self._scenario, world.seed, world.time_mode, self.script, world.delivery
        )
        return recording.encode()

    @property
    def script(self) -> Script:
        """Return what the run did against the default, deviations and faults."""
        return self._world.script

    @property
    def misaligned(self) -> int:
        """How many deviations and faults of a replay found no place; 0 if it was no replay."""
        return self._misaligned

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that happened without being planned, in words."""
        return tuple(fault.describe() for _, fault in self._world.faults_in_words)

    @property
    def trace(self) -> Trace:
        """What happened, in order."""
        if self._trace is None:
            self._trace = Trace(
                tuple(
                    Record(number, kind, source, target, subject, nanoseconds / 1e9)
                    for number, (kind, source, target, subject, nanoseconds) in enumerate(
                        self._world.records, 1
                    )
                )
            )
        return self._trace

    @property
    def digest(self) -> str:
        """Hash of the trace and the outcome, equal for the same token everywhere."""
        from effactor.traces.canonical import canonical, digest

        return digest(self.trace, canonical(self.error if self.error is not None else self.value))

    @property
    def events(self) -> int:
        """Number of events that came about, whether they happened or not."""
        return self._world.events

    @property
    def choices(self) -> tuple[int, ...]:
        """The index taken at each choice."""
        return tuple(self._world.tape.choices)

    @property
    def drew(self) -> bool:
        """Whether programs or handlers drew at random, from the run's seed."""
        return self._world.drew

    @property
    def widths(self) -> list[int]:
        """The number of options at each choice."""
        return self._world.tape.widths

    @property
    def seed(self) -> int:
        """Seed of the programs' own randomness."""
        return self._world.seed

    @property
    def tape_deviations(self) -> dict[int, int]:
        """The choices that were not the default, as index taken by position."""
        return self._world.tape.deviations()

    @property
    def deviations(self) -> tuple[str, ...]:
        """The choices that were not the default, and the faults, in words."""
        from effactor_interpreters.simulation.explaining import in_words

        said = [(each[0], in_words(*each)) for each in self._world.deviations]
        said += [(step, fault.describe()) for step, fault in self._world.faults_in_words]
        return tuple(text for _, text in sorted(said, key=lambda each: each[0]))

    @property
    def deviating_steps(self) -> tuple[int, ...]:
        """The numbers of the events chosen against the default."""
        return tuple(step for step, _, _ in self._world.deviations)

    @property
    def fault_steps(self) -> tuple[int, ...]:
        """The numbers of the records of the faults that were not planned."""
        return tuple(step for step, _ in self._world.faults_in_words)

    def left_out(self, chooser: Retracing) -> None:
        """Learn that the run was to repeat a script; count what it did not."""
        self.repeats = True
        hazards = self._world.hazards
        self._misaligned = len(chooser.left) + chooser.forced
        if hazards is not None:
            self._misaligned += len(hazards.end())

    @override
    def __repr__(self) -> str:
        how = f"value={self.value!r}" if self.error is None else f"error={self.error!r}"
        return f"<Run {how} steps={self.steps} token={self.token!r}>"


def scenario_name(scenario: Any) -> str:
    """Name what is simulated; tokens remember a hash of it.

    Args:
        scenario: A program or a function.

    Returns:
        The name of the program, or of the function without its module.
    """
    if isinstance(scenario, Program):
        return name_of(scenario)
    if isinstance(scenario, partial):
        return scenario_name(scenario.func)
    return str(getattr(scenario, "__name__", type(scenario).__name__))


def check_scenario(where: str, scenario: Any) -> None:
    """Refuse what cannot be simulated.

    Args:
        where: The function that received it, for the error.
        scenario: What was given.

    Raises:
        TypeError: If it is neither a program nor a function of the simulation.
    """
    if isinstance(scenario, Program):
        return
    if not callable(scenario):
        msg = (
            f"{where}: expected a Program or a scenario (a function of the simulation), "
            f"got {scenario!r}"
        )
        raise TypeError(msg)
    if inspect.isgeneratorfunction(scenario) or inspect.isasyncgenfunction(scenario):
        msg = f"{where}: {scenario_name(scenario)} is a generator function: nothing would run it"
        raise TypeError(msg)
    if getattr(scenario, "__effactor_program__", None) is not None:
        name = scenario_name(scenario)
        msg = f"{where}: {name} makes a program: call it, as in {name}(...)"
        raise TypeError(msg)


@contextmanager
def _running(world: SimulatedWorld) -> Generator[None]:
    """Make the world's loop the running one, also where another loop runs already."""
    outer = asyncio._get_running_loop()  # noqa: SLF001
    task = None if outer is None else current_tasks.get(outer)
    if task is not None:
        del current_tasks[outer]
    asyncio._set_running_loop(world.loop())  # noqa: SLF001
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*hooks)
        asyncio._set_running_loop(outer)  # noqa: SLF001
        if task is not None:
            current_tasks[outer] = task


def run_once(
    scenario: Program[Any, Any] | Callable[[Simulation], Any],
    chooser: Chooser,
    *,
    seed: int,
    time: TimeMode,
    max_steps: int,
    conditions: Conditions = CALM,
    script: Script | None = None,
    mode: Mode = "strict",
) -> Run[Any]:
    """Run a scenario once; the standard library must be guarded already.

    Args:
        scenario: A program or a function of the simulation.
        chooser: Decides what happens next.
        seed: Seed of the program's randomness.
        time: When timers may fire.
        max_steps: Steps after which it is a livelock.
        conditions: The network, and what may go wrong.
        script: Faults to repeat; the chooser repeats its deviations.
        mode: How they are repeated.

    Returns:
        The run.
    """
    # In a copy, so that what a run does to context variables ends with it.
    return copy_context().run(
        _run_once, scenario, chooser, seed, time, max_steps, conditions, script, mode
    )


def _run_once(
    scenario: Program[Any, Any] | Callable[[Simulation], Any],
    chooser: Chooser,
    seed: int,
    time: TimeMode,
    max_steps: int,
    conditions: Conditions,
    script: Script | None,
    mode: Mode,
) -> Run[Any]:
    refuels = max(1, max_steps // 10)
    world = SimulatedWorld(Tape(chooser), seed, time, refuels, conditions.delivery)
    repeated = () if script is None else script.faults
    if conditions is not CALM or repeated:
        world.expect_faults(conditions, repeated, mode)
    value: Any = None
    error: BaseException | None = None
    with inside(world), _running(world):
        simulation = Simulation(world, max_steps)
        try:
            value = simulation.perform(scenario)
        except FATAL:
            raise
        except BaseException as raised:  # the finding; pytest's own are no Exceptions
            error = raised
        finally:
            world.end()
    return Run(scenario_name(scenario), world, value, error, simulation.hits, simulation.unknown)


def sampled(chooser: Chooser, conditions: Conditions, seed: str) -> Chooser:
    """Let faults be drawn beside what a chooser draws.

    Args:
        chooser: One that draws.
        conditions: What may go wrong.
        seed: Any text.

    Returns:
        The chooser itself if nothing may.
    """
    return Swarm(chooser, f"{seed}:faults") if conditions.may_fail else chooser


def repeat(
    scenario: Program[Any, Any] | Callable[[Simulation], Any],
    script: Script,
    mode: Mode,
    *,
    seed: int,
    time: TimeMode,
    max_steps: int,
    conditions: Conditions = CALM,
) -> Run[Any]:
    """Run a scenario as a script tells; the standard library must be guarded already.

    Args:
        scenario: A program or a function of the simulation.
        script: Deviations and faults.
        mode: How they are repeated.
        seed: Seed of the program's randomness.
        time: When timers may fire.
        max_steps: Steps after which it is a livelock.
        conditions: The network, and what happens in any case.

    Returns:
        The run, which knows what did not fit.
    """
    chooser = Retracing(script, mode)
    run: Run[Any] = run_once(
        scenario,
        chooser,
        seed=seed,
        time=time,
        max_steps=max_steps,
        conditions=conditions,
        script=script,
        mode=mode,
    )
    run.left_out(chooser)
    return run


def check_time(where: str, time: object) -> None:
    """Refuse a time mode that does not exist.

    Args:
        where: The function that received it, for the error.
        time: What was given.

    Raises:
        ValueError: If it is neither `"async"` nor `"latency"`.
    """
    if time not in {"async", "latency"}:
        msg = f'{where}: time must be "async" or "latency", got {time!r}'
        raise ValueError(msg)


# A scenario of any result may be one of a coroutine: the overloads overlap, and the
# first wins.
@overload
def simulate(
    scenario: Program[A, Any],
    seed: int = 0,
    *,
    time: TimeMode = "latency",
    max_steps: int = MAX_STEPS,
    faults: Faults | None = None,
    delivery: Order = "fifo",
    lossy: bool = False,
    duplicating: bool = False,
) -> Run[A]: ...
@overload
def simulate(
    scenario: Callable[[Simulation], Coroutine[Any, Any, A]],
    seed: int = 0,
    *,
    time: TimeMode = "latency",
    max_steps: int = MAX_STEPS,
    faults: Faults | None = None,
    delivery: Order = "fifo",
    lossy: bool = False,
    duplicating: bool = False,
) -> Run[A]: ...
@overload
def simulate(
    scenario: Callable[[Simulation], A],
    seed: int = 0,
    *,
    time: TimeMode = "latency",
    max_steps: int = MAX_STEPS,
    faults: Faults | None = None,
    delivery: Order = "fifo",
    lossy: bool = False,
    duplicating: bool = False,
) -> Run[A]: ...
def simulate(
    scenario: Program[Any, Any] | Callable[[Simulation], Any],
    seed: int = 0,
    *,
    time: TimeMode = "latency",
    max_steps: int = MAX_STEPS,
    faults: Faults | None = None,
    delivery: Order = "fifo",
    lossy: bool = False,
    duplicating: bool = False,
) -> Run[Any]:
    """Run a program or a scenario once, on virtual time, in the order that a seed draws.

    Args:
        scenario: A program, or a function of the `Simulation` that spawns actors
            and runs programs; it may be `async def`.
        seed: Any integer from 0; equal seeds give equal runs.
        time: `"latency"` lets timers fire only when no message is under way,
            `"async"` at any moment after they are set.
        max_steps: Steps after which the run counts as a livelock.
        faults: What goes wrong, and what may.
        delivery: `"fifo"` keeps messages of one sender to one receiver in order, `"causal"`
            also those that their senders knew of, `"unordered"` none.
        lossy: Whether any message may be lost, beside the budget of *faults*.
        duplicating: Whether any message may come twice, beside that budget.

    Returns:
        The run. What was raised is its `error`; nothing is raised here.

    Raises:
        TypeError: If *scenario* is neither a program nor a function, or *faults* no `Faults`.
        ValueError: If *seed* is negative, or *time* or *delivery* unknown.
    """
    check_scenario("simulate", scenario)
    check_time("simulate", time)
    check_seed("simulate", seed)
    conditions = conditions_of("simulate", faults, delivery, lossy=lossy, duplicating=duplicating)
    with guarded():
        chooser = sampled(UniformRandom(f"{seed}:schedule"), conditions, str(seed))
        return run_once(
            scenario, chooser, seed=seed, time=time, max_steps=max_steps, conditions=conditions
        )


def check_seed(where: str, seed: object) -> None:
    """Refuse a seed that is none.

    Args:
        where: The function that received it, for the error.
        seed: What was given.

    Raises:
        ValueError: If it is no integer of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        msg = f"{where}: seed must be an integer >= 0, got {seed!r}"
        raise ValueError(msg)


@overload
def replay(
    scenario: Program[A, Any],
    token: str,
    *,
    mode: Literal["strict", "guided"] = "strict",
    max_steps: int = MAX_STEPS,
) -> Run[A]: ...
@overload
def replay(
    scenario: Callable[[Simulation], Coroutine[Any, Any, A]],
    token: str,
    *,
    mode: Literal["strict", "guided"] = "strict",
    max_steps: int = MAX_STEPS,
) -> Run[A]: ...
@overload
def replay(
    scenario: Callable[[Simulation], A],
    token: str,
    *,
    mode: Literal["strict", "guided"] = "strict",
    max_steps: int = MAX_STEPS,
) -> Run[A]: ...
def replay(
    scenario: Program[Any, Any] | Callable[[Simulation], Any],
    token: str,
    *,
    mode: Literal["strict", "guided"] = "strict",
    max_steps: int = MAX_STEPS,
) -> Run[Any]:
    """Run a program or scenario again, as its token says. Its faults need no plan for that.

    Args:
        scenario: The program or scenario that the token was made with.
        token: `Run.token` or `Failure.token`.
        mode: `"strict"` demands that every choice fits. `"guided"`, for a scenario that has
            changed, looks for the same events wherever they are now, and takes the default
            elsewhere; `Run.misaligned` counts what was not found.
        max_steps: Steps after which the run counts as a livelock.

    Returns:
        The run. What was raised is its `error`; a scenario that has changed so much
        that the token no longer fits strictly gives the error `NonDeterminism`, which names
        the first event that differs.

    Raises:
        BadToken: If the token cannot be read, or belongs to another scenario.
        TypeError: If *scenario* is neither a program nor a function.
        ValueError: If there is no such *mode*.
    """
    check_scenario("replay", scenario)
    if mode not in {"strict", "guided"}:
        msg = f'replay: mode must be "strict" or "guided", got {mode!r}'
        raise ValueError(msg)
    recording = decode(token, scenario_name(scenario))
    conditions = Conditions(recording.delivery)
    with guarded():
        run = repeat(
            scenario,
            recording.script,
            mode,
            seed=recording.seed,
            time=recording.time,
            max_steps=max_steps,
            conditions=conditions,
        )
    if mode == "strict" and run.error is None and run.misaligned:
        expected = f"{run.misaligned} more deviations or faults"
        run.error = NonDeterminism(expected, "the end of the run, and no failure")
    return run
