"""What a scenario sees: a system on virtual time, and oracles."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar, Unpack

from effactor.actors.props import props
from effactor.actors.ref import ActorRef, binding_of
from effactor.errors import ActorNotFound, Deadlock, Livelock
from effactor.programs.exits import Interrupted
from effactor.programs.operations import check_spawn, seconds
from effactor.programs.program import Program
from effactor.programs.structure import a_program
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import START, Question
from effactor_interpreters.runtime.engine.synchronous import answer_of
from effactor_interpreters.runtime.reviving import can_revive
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.system import ActorSystem
from effactor_interpreters.simulation.faults.afflictions import Cut
from effactor_interpreters.simulation.faults.plan import check_clock, path_of, sides_of
from effactor_interpreters.simulation.footprints import process
from effactor_interpreters.simulation.oracles import Oracles
from effactor_interpreters.simulation.recording import recording_effects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from effactor.actors.actor import Actor
    from effactor.actors.props import SpawnOptions
    from effactor_interpreters.simulation.faults.afflictions import Afflictions
    from effactor_interpreters.simulation.world import SimulatedWorld

A = TypeVar("A")
M = TypeVar("M")

_LAST_STEPS = 200

# Actors fail by design in thousands of schedules: heard by those who configure
# logging, and not by everyone's terminal.
_LOG = logging.getLogger("effactor.simulation")


class Simulation(Oracles):
    """The world of one simulated run, as a scenario uses it.

    Attributes:
        system: The `ActorSystem` of this run; production set-up code runs on it.
        hits: How often each `sometimes` was true and each `reachable` was reached, by name.
        unknown: Names of checks of histories that gave up at their limit.
    """

    def __init__(self, world: SimulatedWorld, max_steps: int) -> None:
        """Make the system; `simulate` and `explore` do this for each run."""
        super().__init__()
        self._world = world
        self._max_steps = max_steps
        self.system: ActorSystem = ActorSystem("sim", world=world)
        world.system = self.system
        self.system.bind()
        self.system.log = _LOG
        self.system.table = recording_effects(self.system.table, world)

    def perform(self, scenario: Program[Any, Any] | Callable[[Simulation], Any]) -> Any:
        """Run a whole scenario: to its end, to quiescence, and to its goals.

        Args:
            scenario: A program, or a function of this simulation.

        Returns:
            What it answered.
        """
        value: Any
        value = self.run(scenario) if isinstance(scenario, Program) else scenario(self)  # pyright: ignore[reportUnknownArgumentType]
        if inspect.iscoroutine(value):
            value = self._run_coroutine(value)
        if isinstance(value, Program | asyncio.Future):
            if not isinstance(value, Program):
                msg = "the scenario returned a future that nobody awaited; make it async def"
            elif isinstance(scenario, Program):
                msg = (
                    "the program answered a Program that nobody ran: write "
                    '"return (yield from ...)" in a block, and bind instead of map'
                )
            else:
                msg = "the scenario returned a Program that nobody ran; write sim.run(program)"
            raise TypeError(msg)
        self._finish()
        self._world.check_escaped()
        return value

    def _run_coroutine(self, coroutine: Any) -> Any:
        task = self._world.loop().create_task(coroutine, name="scenario")
        self._world.run_step(lambda: None)
        self._pump(task.done)
        return task.result()

    def _finish(self) -> None:
        self._heal()
        # Timers that nobody waits for, such as heartbeats, must not keep the run
        # alive; goals are judged at true quiescence.
        while self._world.step(timers=self.judges_the_end):
            self._after_step()
        if not self._world.options():
            self._check_blocked()
        self.judge()

    # ------------------------------------------------------------ actors and programs

    def spawn(
        self,
        actor: Callable[[], Actor[M]],
        name: str | None = None,
        **options: Unpack[SpawnOptions],
    ) -> ActorRef[M]:
        """Start an actor, and wait for its `on_started`.

        Args:
            actor: The actor's class, or a function without arguments that makes one.
            name: Its name; None makes one from the class's.
            options: How it is run: see `SpawnOptions`.

        Returns:
            Its ref.
        """
        check_spawn("sim.spawn", actor, name)
        cell = self.system.create(None, actor, name, props("sim.spawn", options))
        if cell.starting:
            started = self._world.loop().create_future()
            self._world.deliver(cell, Question((START, started)))
            self._pump(started.done)
            started.result()
        self._spawned.add(cell.ref.path)
        return cell.ref

    def run(self, program: Program[A, Any]) -> A:
        """Run a program to its end.

        Args:
            program: The program.

        Returns:
            Its answer. Failures and defects are raised, as `run_free` does.

        Raises:
            Deadlock: If it waits for something that can never come.
            Livelock: If it does not end.
        """
        return self.run_all([program])[0]

    def run_all(self, programs: Iterable[Program[A, Any]]) -> list[A]:
        """Run programs concurrently, all to their end.

        Args:
            programs: The programs.

        Returns:
            Their answers, in order. The first failure in that order is raised,
            after all have ended.
        """
        runs: list[Run] = []
        for program in programs:
            run = Run(self.system, a_program("sim.run", "program", program))
            self.system.runs[run] = None
            self._world.begin_later(run, run.begin)
            runs.append(run)
        self._pump(lambda: all(run.fiber.outcome is not None for run in runs))
        if self._world.footprints is not None:
            self._world.footprints.go_on([run.path for run in runs])
        answers: list[A] = []
        for run in runs:
            self.system.forget_run(run)
        for run in runs:
            outcome = run.fiber.outcome
            if outcome is None or type(outcome) is Interrupted:
                msg = f"{run.full_path} was interrupted"
                raise RuntimeError(msg)
            answers.append(answer_of(outcome))
        return answers

    def actor(self, ref: ActorRef[Any]) -> Any:
        """Return the actor object behind a ref, to look at its state.

        Args:
            ref: Its ref, which may be `ActorRef.at(path)`.

        Returns:
            The object; of a stopped actor, its last state.

        Raises:
            ActorNotFound: If the ref names none.
        """
        cell = self._cell(ref)
        footprints = self._world.footprints
        if footprints is not None:
            footprints.read(process(cell.front.ref.path))
        return cell.actor

    def _cell(self, ref: ActorRef[Any]) -> Cell:
        bound = binding_of(ref)
        if isinstance(bound, Cell) and bound.system in self._world.systems:
            return bound
        cell = self.system.find(ref)
        if cell is None:
            raise ActorNotFound(ref.path, self.system.nearest(ref.path))
        return cell

    # ------------------------------------------------------------ time

    def settle(self, within: float | None = None) -> None:
        """Let everything happen until nothing is left, timers included.

        Args:
            within: Seconds of virtual time after which to stop all the same; None
                for no limit.

        Raises:
            Deadlock: If an actor or program is left waiting.
            Livelock: If there is no end.
        """
        seconds("sim.settle", "within", within)
        if within is None:
            self._pump(None)
            self._quiet()
            self._check_blocked()
        else:
            self._pump_until(self._world.nanoseconds + round(within * 1e9))

    def advance(self, duration: float) -> None:
        """Let virtual time pass, and whatever happens in it.

        Args:
            duration: Seconds.
        """
        seconds("sim.advance", "duration", duration)
        deadline = self._world.nanoseconds + round(duration * 1e9)
        self._pump_until(deadline)
        self._world.nanoseconds = max(self._world.nanoseconds, deadline)

    def _heal(self) -> bool:
        """End the fault phase as `Faults(heal=...)` says, if it does and has not yet."""
        hazards = self._world.hazards
        return hazards is not None and hazards.heal_if_planned()

    def _quiet(self) -> None:
        """Learn that all has become quiet before the scenario goes on."""
        if self._world.footprints is not None:
            self._world.footprints.barrier()

    def _pump(self, done: Callable[[], bool] | None) -> None:
        while done is None or not done():
            if not self._world.step():
                if done is None:
                    return
                if self._heal():
                    continue  # with a healed core it may go on
                raise Deadlock(self._world.blocked() or ("the scenario itself waits",), cycle=False)
            self._after_step()

    def _pump_until(self, deadline: int) -> None:
        while self._world.step_until(deadline):
            self._after_step()
        self._quiet()

    def _after_step(self) -> None:
        if self._watched:
            self.look()
        if self._world.broken is not None:
            raise self._world.broken
        if self._world.steps >= self._max_steps:
            recent = Counter(record[2] for record in self._world.records[-_LAST_STEPS:])
            busiest = tuple(path for path, _ in recent.most_common(3))
            raise Livelock(self._world.steps, busiest)

    def _check_blocked(self) -> None:
        blocked = self._world.blocked()
        if blocked:
            raise Deadlock(blocked, cycle=False)

    # ------------------------------------------------------------ the outside, and faults

    def answer(self, function: Callable[..., Any], value_or_function: Any) -> None:
        """Answer `free_call(function, ...)` here, instead of calling the function.

        Args:
            function: The function that programs call.
            value_or_function: The answer; or a function of the same arguments that
                makes it; or an exception to raise.
        """
        self._world.answers[function] = value_or_function

    def crash(self, ref: ActorRef[Any]) -> None:
        """End an actor as a power cut would: no `finally`, no hook, mailbox lost.

        Args:
            ref: The actor; its children crash with it.
        """
        self._world.crash(self._cell(ref))

    def restart(self, ref: ActorRef[Any]) -> None:
        """Cut an actor's power and start it anew: memory and mail are lost, the ref stays.

        A new instance comes from what the actor was spawned with, and its `on_started` runs
        before its next message. Its children crash, and do not come back by themselves.

        Args:
            ref: The actor; one that has crashed comes back.

        Raises:
            ValueError: If it is part of a pool, a virtual actor or an ephemeral child, or has
                stopped by itself.
        """
        cell = self._cell(ref)
        crashed = self._world.crashed.get(ref.path) is cell
        if not can_revive(cell) or (cell.state == STOPPED and not crashed):
            msg = (
                f"sim.restart: {cell.full_path} cannot come back: it has stopped, or is one that "
                "others start anew (a worker of a pool, a virtual actor, an ephemeral child)"
            )
            raise ValueError(msg)
        self._faults.forgetful[ref.path] = None
        self._world.restart(cell)

    @property
    def _faults(self) -> Afflictions:
        return self._world.hazards_made.state

    def pause(self, ref: ActorRef[Any]) -> None:
        """Let an actor do nothing until `resume`: its messages wait, and its timers.

        Args:
            ref: The actor.
        """
        self._faults.paused[self._cell(ref).ref.path] = None
        self._say(ref.path, f"{ref.path} paused")

    def resume(self, ref: ActorRef[Any]) -> None:
        """Let an actor go on that was paused; one that was not does so anyway.

        Args:
            ref: The actor.
        """
        if self._faults.paused.pop(self._cell(ref).ref.path, 0) is None:
            self._say(ref.path, f"{ref.path} goes on")

    def partition(self, *sides: Any, one_way: bool = False) -> None:
        """Cut the network until `heal`: messages from one group to another wait.

        Args:
            sides: At least two groups, each a list of refs or paths; `"*"` for all others.
            one_way: Whether messages from later groups to earlier ones still arrive.

        Raises:
            ValueError: If there are fewer than two groups, or an actor is in two.
            TypeError: If a group is no list of actors.
        """
        detail = sides_of("sim.partition", sides, one_way=one_way)
        cuts = self._faults.cuts
        cuts[max(cuts, default=0) + 1] = Cut.read(detail)
        self._say("/faults", f"the network was cut: {detail}")

    def heal(self) -> None:
        """End all partitions."""
        self._faults.cuts.clear()
        self._say("/faults", "the network healed")

    def skew(self, ref: ActorRef[Any], seconds: float = 0.0, *, drift: float = 0.0) -> None:
        """Let an actor's clock be wrong from now on.

        Args:
            ref: The actor.
            seconds: How far its time of day is ahead; negative for behind.
            drift: How much too slow the clock runs that its timers go by, as a fraction.

        Raises:
            ValueError: If a number is not finite, or drift is -1 or less.
        """
        check_clock("sim.skew", seconds, drift)
        path = self._cell(ref).ref.path
        self._faults.clocks[path] = (round(seconds * 1e9), drift)
        self._say(path, f"the clock of {path} is wrong")

    def heal_core(self, *refs: ActorRef[Any]) -> None:
        """End the fault phase: some actors work again, and no fault begins any more.

        Those that have crashed come back, those that pause go on, clocks are right, and
        they reach each other. All others stay as they are. What must happen in
        the end is what this core can do.

        Args:
            refs: The core.
        """
        self._world.heal_core([path_of("sim.heal_core", ref) for ref in refs])

    def _say(self, path: str, what: str) -> None:
        self._world.note("fault", path, path, what)
