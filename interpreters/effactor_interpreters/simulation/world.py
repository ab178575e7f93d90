"""The simulated world: virtual time, and one choice at a time of what happens next.

Every message, reply, timer and beginning of a program is an event. A step lets one
event happen and then runs the actor it woke, without interruption, until nothing
is ready: that is also the live runtime's atomicity. Messages from one sender to
one receiver stay in order; all else is free.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import ActorStopped, Livelock
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import Question
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.lifecycle import crash
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import stopped_error
from effactor_interpreters.runtime.waits import ProgramWait
from effactor_interpreters.simulation.events import (
    Beginning,
    Delivery,
    Event,
    Firing,
    Return,
    Returning,
    Unstashed,
)
from effactor_interpreters.simulation.loop import SimulatedLoop
from effactor_interpreters.simulation.timers import Timers, VirtualTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from effactor.errors import EscapedEffect
    from effactor.traces.record import Kind
    from effactor_interpreters.simulation.tape import Tape
    from effactor_interpreters.simulation.token import TimeMode

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""What `free_now` answers when a simulation begins."""

_EPOCH_SECONDS: Final = int(EPOCH.timestamp())
_NANO: Final = 1_000_000_000


class SimulatedWorld:
    """Time, entropy, scheduling and delivery, all decided by a tape.

    Attributes:
        inline: False: every message is an event of its own.
        tape: Decides.
        seed: Seed of the program's randomness.
        time_mode: `async` lets a timer fire while messages are under way, `latency`
            only when there are none.
        nanoseconds: Virtual time since the run began.
        steps: Events that have happened.
        records: One entry an event or effect: kind, source, target, subject, time.
        deviations: For each choice that was not the default: number of the record,
            event, default event.
        answers: What functions of `free_call` answer instead of being called.
        escaped: The first attempt to leave the simulation.
        parked: Drivers of crashed actors.
        drew_from_module: Whether the functions of the module `random` were used.
    """

    inline = False

    def __init__(self, tape: Tape, seed: int, time_mode: TimeMode, max_refuels: int = 1000) -> None:
        self.tape = tape
        self.seed = seed
        self.time_mode: TimeMode = time_mode
        self.nanoseconds: int = 0
        self.steps: int = 0
        self.records: list[tuple[Kind, str, str, Any, int]] = []
        self.deviations: list[tuple[int, Event, Event]] = []
        self.answers: dict[Any, Any] = {}
        self.escaped: EscapedEffect | None = None
        self.parked: list[Any] = []
        self.system: Any = None
        # Abstract for mypy alone: what it does not define, it refuses.
        self._loop = SimulatedLoop(self)  # type: ignore[abstract]
        self._channels: dict[tuple[str, Cell, bool], deque[Delivery]] = {}
        self._unstashed: dict[Cell, deque[Unstashed]] = {}  # before other mail, in order
        self._loose: list[Event] = []  # replies and beginnings: in no channel
        self._timers = Timers()
        self._handling: dict[Cell, tuple[Any, Any]] = {}  # the ask that each actor handles
        self._seq = 0
        self._random: Random | None = None
        self._entropy: Random | None = None
        self.drew_from_module = False
        self._ended = False
        self._max_refuels = max_refuels
        self._refuels = 0

    # ------------------------------------------------------------ entropy and time

    @property
    def random(self) -> Random:
        """Randomness of programs, from the seed."""
        if self._random is None:
            self._random = Random(f"{self.seed}:program")
        return self._random

    @property
    def entropy(self) -> Random:
        """Randomness of the operating system, as handlers see it, from the seed."""
        if self._entropy is None:
            self._entropy = Random(f"{self.seed}:entropy")
        return self._entropy

    @property
    def drew(self) -> bool:
        """Whether anything was drawn at random."""
        return self._random is not None or self._entropy is not None or self.drew_from_module

    def clock(self) -> float:
        """Return virtual time, in seconds."""
        return self.nanoseconds / _NANO

    def now(self) -> datetime:
        """Return the virtual time of day."""
        return EPOCH + timedelta(microseconds=self.nanoseconds // 1000)

    def wall_seconds(self) -> float:
        """Return the virtual time of day as `time.time` does."""
        return _EPOCH_SECONDS + self.nanoseconds / _NANO

    def wall_nanoseconds(self) -> int:
        """Return the virtual time of day as `time.time_ns` does."""
        return _EPOCH_SECONDS * _NANO + self.nanoseconds

    def skip(self, seconds: float) -> None:
        """Move the clock without letting anything happen."""
        self.nanoseconds += round(seconds * _NANO)

    # ------------------------------------------------------------ World

    def loop(self) -> SimulatedLoop:
        """Return the loop of handlers' coroutines."""
        return self._loop

    def call_later(self, seconds: float, callback: Callable[[], object], what: str) -> VirtualTimer:
        """Set a timer *seconds* from now."""
        return self._set_timer(self.nanoseconds + round(seconds * _NANO), callback, what)

    def call_at(self, when: float, callback: Callable[[], object], what: str) -> VirtualTimer:
        """Set a timer at *when*, in seconds of virtual time."""
        return self._set_timer(round(when * _NANO), callback, what)

    def _set_timer(self, when: int, callback: Callable[[], object], what: str) -> VirtualTimer:
        self._seq += 1
        timer = VirtualTimer(
            max(when, self.nanoseconds), self._seq, self.steps, what, self.sender(), callback
        )
        if not self._ended:
            self._timers.add(timer)
        return timer

    def schedule(self, drain: Callable[[], None]) -> None:
        """Drain the run queue within this step."""
        self._loop.call_soon(drain)

    def sender(self) -> str:
        """Return the path of whoever is running."""
        sender = self.system.sender()
        if isinstance(sender, Cell):
            return sender.ref.path
        if isinstance(sender, Run):
            return sender.path
        return "/scenario" if sender is None else f"/{sender.get_name()}"

    def deliver(self, cell: Cell, item: Any, *, urgent: bool = False) -> None:
        """Put a message on its way."""
        if self._ended:
            return
        message, reply = item if type(item) is Question else (item, None)
        source = self.sender()
        if reply is not None:
            reply = Returning(self, reply, cell.ref.path, source)
        self._seq += 1
        event = Delivery(self.steps, self._seq, source, cell, message, reply, urgent=urgent)
        channel = self._channels.get((source, cell, urgent))
        if channel is None:
            self._channels[source, cell, urgent] = deque((event,))
        else:
            channel.append(event)

    def put_back(self, cell: Cell, items: list[Any]) -> None:
        """Put messages that were set aside on their way again."""
        events: list[Unstashed] = []
        for item in items:
            message, reply = item if type(item) is Question else (item, None)
            self._seq += 1
            source = cell.ref.path
            events.append(
                Unstashed(self.steps, self._seq, source, cell, message, reply, urgent=False)
            )
        self._unstashed.setdefault(cell, deque()).extendleft(reversed(events))

    def returning(self, reply: Any, source: Cell, what: str) -> Any:
        """Let the outcome travel back as an event of its own."""
        del what
        return Returning(self, reply, source.ref.path, self.sender())

    def send_back(self, source: str, target: str, subject: Any, reply: Any, outcome: str) -> None:
        """Put an outcome on its way back."""
        if not self._ended:
            self._seq += 1
            event = Return(self.steps, self._seq, source, target, subject, reply, outcome)
            self._loose.append(event)

    def begin_later(self, run: Run, begin: Callable[[], object]) -> None:
        """Let a program begin, in some step to come."""
        self._seq += 1
        self._loose.append(Beginning(self._seq, run, begin))

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function for `free_call`, or answer in its place."""
        for known, answer in self.answers.items():
            if known == function:
                if isinstance(answer, BaseException):
                    raise answer
                return answer(*args, **kwargs) if callable(answer) else answer
        return function(*args, **kwargs)

    def failed(self, cell: Cell, message: Any, error: BaseException) -> None:
        """Put it into the trace: no reply carries it."""
        del message
        self.note("failure", cell.ref.path, cell.ref.path, error)

    def refuel(self, path: str) -> None:
        """Count how long a step lasts: a program that spins never ends it."""
        self._refuels += 1
        if self._refuels > self._max_refuels:
            raise Livelock(self.steps, (path,))

    # ------------------------------------------------------------ steps

    def options(self, *, timers: bool = True) -> list[Event]:
        """List what may happen next, in the default order.

        Args:
            timers: Whether timers may fire.
        """
        ready: list[Event] = []
        emptied: list[Any] = []
        for cell, line in list(self._unstashed.items()):
            while line and line[0].withdrawn():
                line.popleft()
            if not line:
                del self._unstashed[cell]
            elif line[0].enabled():
                ready.append(line[0])
        for key, channel in self._channels.items():
            while channel and channel[0].withdrawn():
                channel.popleft()
            if not channel:
                emptied.append(key)
            elif channel[0].enabled() and (channel[0].urgent or key[1] not in self._unstashed):
                ready.append(channel[0])
        for key in emptied:
            del self._channels[key]
        loose = self._loose
        if loose:
            kept = [e for e in loose if not (isinstance(e, Return) and e.reply.done())]
            if len(kept) != len(loose):
                self._loose = kept
            ready += kept
        if len(ready) > 1:
            ready.sort(key=_default_order)
        if timers and (not ready or self.time_mode == "async"):
            ready += [Firing(timer) for timer in self._timers.due()]
        return ready

    def step(self, *, timers: bool = True) -> bool:
        """Let one event happen.

        Args:
            timers: Whether it may be a timer.

        Returns:
            False if there was none.
        """
        options = self.options(timers=timers)
        if not options:
            return False
        event = options[0]
        if len(options) > 1:
            index = self.tape.choose(len(options))
            if index:
                default, event = event, options[index]
                self.deviations.append((len(self.records) + 1, event, default))
        self._happen(event)
        return True

    def step_until(self, deadline: int) -> bool:
        """Let one event happen, unless only timers later than *deadline* are left."""
        due = self._timers.due()
        return self.step(timers=not due or due[0].when <= deadline)

    def _happen(self, event: Event) -> None:
        self.steps += 1
        if isinstance(event, Delivery):
            if isinstance(event, Unstashed):
                self._unstashed[event.cell].popleft()
            else:
                channel = self._channels[event.source, event.cell, event.urgent]
                channel.popleft()
                if not channel:
                    del self._channels[event.source, event.cell, event.urgent]
            if event.reply is not None:
                self._handling[event.cell] = (event.subject, event.reply)
        elif not isinstance(event, Firing):
            self._loose.remove(event)
        at = self.nanoseconds
        if isinstance(event, Firing):
            at = max(at, event.timer.when)
        self.records.append((event.kind, event.source, event.target, event.noted, at))
        self.run_step(lambda: event.happen(self))

    def run_step(self, action: Callable[[], object]) -> None:
        """Do something as one step: it and all that it makes ready.

        Args:
            action: What to do.

        Raises:
            EscapedEffect: If something tried to leave the simulation.
        """
        self._refuels = 0
        loop = self._loop
        # The step may be asked for by a scenario's own coroutine: its task is not
        # the current one meanwhile.
        outer = current_tasks.get(loop)
        if outer is not None:
            del current_tasks[loop]
        try:
            action()
            loop.run_ready()
        finally:
            if outer is not None:
                current_tasks[loop] = outer
        self.check_escaped()

    def check_escaped(self) -> None:
        """Raise the first attempt to leave the simulation, even if it was swallowed.

        Raises:
            EscapedEffect: If there was one.
        """
        if self.escaped is not None:
            error, self.escaped = self.escaped, None
            raise error

    def note(self, kind: Kind, source: str, target: str, subject: Any) -> None:
        """Record an effect that is no event."""
        if self._ended:
            return
        self.records.append((kind, source, target, subject, self.nanoseconds))

    def crash(self, cell: Cell) -> None:
        """End an actor as a power cut would."""
        self.note("crash", cell.ref.path, cell.ref.path, None)
        self.parked += crash(cell)
        # The asks that were being handled get no reply from the actor any more.
        for crashed, (message, reply) in list(self._handling.items()):
            if crashed.state == STOPPED:
                del self._handling[crashed]
                if not reply.done():
                    error = stopped_error(crashed, message)
                    reply.set_exception(
                        ActorStopped(error.target, message, error.reason, delivered=True)
                    )

    # ------------------------------------------------------------ the end

    def blocked(self) -> tuple[str, ...]:
        """Say who waits, and for what, in the order of their start."""
        waiting: list[str] = []
        for cell in self.system.cells.values():
            driver = cell.driver
            if driver is not None:
                describe = getattr(driver.waiting, "describe", None)
                what = "an await that nothing completes" if describe is None else describe()
                waiting.append(f"{cell.full_path} waits for {what}")
        for run in self.system.runs:
            pending = run.fiber.pending
            if run.fiber.outcome is None and pending is not None:
                waiting.append(f"{run.full_path} waits for {pending.describe()}")
        if waiting:  # a message in the stash alone holds up nobody
            waiting += _stashes(self.system.cells.values())
        return tuple(waiting)

    def end(self) -> None:
        """Close whatever still waits; it performs no effects any more."""
        self._ended = True
        for run in list(self.system.runs):
            run.fiber.abandon()
        drivers = list(self.parked)
        for cell in self.system.cells.values():
            cell.state = STOPPED  # what its handlers raise now concerns no supervisor
            if cell.driver is not None:
                drivers.append(cell.driver)
        for driver in drivers:
            if isinstance(driver.waiting, ProgramWait):
                driver.waiting.fiber.abandon()
            with suppress(Exception):  # a dying handler may say anything, or go on waiting
                driver.close()
        self._loop.shut()


def _stashes(cells: Iterable[Cell]) -> Iterator[str]:
    """Say who may be the one that others wait for: whoever has set messages aside."""
    for cell in cells:
        stashed = () if cell.relations_made is None else cell.relations_made.stashed
        if stashed:
            items = [item[0] if type(item) is Question else item for item in stashed]
            names = ", ".join(dict.fromkeys(type(message).__name__ for message in items))
            yield f"{cell.full_path} waits for its own unstash_all() ({names})"


def _default_order(event: Event) -> tuple[int, int]:
    return event.order
