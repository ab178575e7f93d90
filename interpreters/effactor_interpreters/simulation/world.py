"""The simulated world: virtual time, and one choice at a time of what happens next.

Every message, reply, timer and beginning of a program is an event. A step lets one
event happen and then runs the actor it woke, without interruption, until nothing
is ready: that is also the live runtime's atomicity. Messages from one sender to
one receiver stay in order; all else is free.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import ActorStopped, Livelock, MailboxFull
from effactor.programs.buggifying import decides
from effactor.traces.wording import brief
from effactor_interpreters.runtime.abandoning import abandon
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import START, Control, Question, StopRequest
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.dispatchers import handled_in_thread, outside_threads
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.equipment import Equipped
from effactor_interpreters.runtime.here import elsewhere
from effactor_interpreters.runtime.letters import Letter
from effactor_interpreters.runtime.lifecycle import crash
from effactor_interpreters.runtime.names import Names
from effactor_interpreters.runtime.quiescence import is_busy
from effactor_interpreters.runtime.reviving import Bystanders, can_revive, revive
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.states import IDLE, STOPPED
from effactor_interpreters.runtime.stopping import stopped_error
from effactor_interpreters.runtime.watching import DeathNotice
from effactor_interpreters.simulation.ahead import Ahead
from effactor_interpreters.simulation.boundary import escape
from effactor_interpreters.simulation.delivery import Causality, any_of
from effactor_interpreters.simulation.events import (
    Beginning,
    Delivery,
    Event,
    Firing,
    Return,
    Returning,
    Taking,
    Unstashed,
    takings,
)
from effactor_interpreters.simulation.faults.injecting import Hazards
from effactor_interpreters.simulation.faults.plan import called
from effactor_interpreters.simulation.faults.script import Deviation, Script, identity
from effactor_interpreters.simulation.footprints import (
    CLOCK,
    RANDOM,
    NoteworthyCells,
    process,
)
from effactor_interpreters.simulation.loop import SimulatedLoop
from effactor_interpreters.simulation.recording import recording_effects
from effactor_interpreters.simulation.timers import Timers, VirtualTimer
from effactor_interpreters.simulation.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    from effactor.errors import EscapedEffect, Violation
    from effactor.traces.record import Kind
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.simulation.conditions import Conditions
    from effactor_interpreters.simulation.delivery import Order
    from effactor_interpreters.simulation.events import Key
    from effactor_interpreters.simulation.faults.events import FaultEvent
    from effactor_interpreters.simulation.faults.script import Mode, Taken
    from effactor_interpreters.simulation.footprints import Footprints
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
        footprints: What each step touches; None where nobody asks.
        seed: Seed of the program's randomness.
        time_mode: `async` lets a timer fire while messages are under way, `latency`
            only when there are none.
        nanoseconds: Virtual time since the run began.
        steps: Events that have happened.
        records: One entry an event or effect: kind, source, target, subject, time.
        deviations: For each choice that was not the default: number of the record,
            event, default event.
        faults_in_words: The faults that were not planned, each with the number of its record.
        answers: What functions of `free_call` answer instead of being called.
        delivery: In which order messages arrive.
        hazards: Decides about faults; None while there are none.
        crashed: Actors that have crashed and not come back, by path.
        escaped: The first attempt to leave the simulation.
        parked: Drivers of crashed actors.
        broken: What the run has come to and must not, perhaps swallowed by a handler.
        failures: What handlers have raised that nobody was told of, in words.
        fiber: The fiber whose turn it is; None where none has begun a turn.
        drew_from_module: Whether the functions of the module `random` were used.
    """

    inline = False
    direct = False
    instant = False

    def __init__(
        self,
        tape: Tape,
        seed: int,
        time_mode: TimeMode,
        max_refuels: int = 1000,
        delivery: Order = "fifo",
    ) -> None:
        self.tape = tape
        self.footprints: Footprints | None = tape.footprints
        self.seed = seed
        self.time_mode: TimeMode = time_mode
        self.nanoseconds: int = 0
        self.steps: int = 0
        self.records: list[tuple[Kind, str, str, Any, int]] = []
        self.deviations: list[tuple[int, Event, Event]] = []
        self.faults_in_words: list[tuple[int, FaultEvent]] = []
        self.answers: dict[Any, Any] = {}
        self.delivery: Order = delivery
        self.hazards: Hazards | None = None
        self.crashed: dict[str, Cell] = {}
        self._causality: Causality | None = Causality() if delivery == "causal" else None
        self._fault_timers = 0
        self._cut_midway: list[Cell] = []
        self.escaped: EscapedEffect | None = None
        self.parked: list[Any] = []
        self.fiber: Fiber | None = None
        self.broken: Violation | None = None
        self.failures: list[str] = []
        if self.footprints is not None:
            self.footprints.attach(self)
        self.system: Any = None
        self.names: Names = Names()
        self._others: list[ActorSystem] = []  # that the scenario made, beside `system`
        # Abstract for mypy alone: what it does not define, it refuses.
        self._loop = SimulatedLoop(self)  # type: ignore[abstract]
        self._channels: dict[tuple[str, Cell, bool], deque[Delivery]] = {}
        self._unstashed: dict[Cell, deque[Unstashed]] = {}  # before other mail, in order
        self._loose: list[Event] = []  # replies and beginnings: in no channel
        self._timers = Timers()
        self._handling: dict[Cell, list[tuple[Delivery, Any]]] = {}  # the asks that each handles
        self._seq = 0
        self._counts: dict[Key, int] = {}  # events caused so far
        self._inboxes: dict[Equipped, None] = {}  # those that have something
        self._random: Random | None = None
        self._identities: Random | None = None
        self._entropy: Random | None = None
        self.drew_from_module = False
        self._ended = False
        self._max_refuels = max_refuels
        self._awaiting_rest: list[tuple[ActorSystem, Callable[[], None]]] = []
        self._refuels = 0

    def expect_faults(self, conditions: Conditions, repeated: Sequence[Taken], mode: Mode) -> None:
        """Learn, before the run, what is to go wrong and what may.

        Args:
            conditions: The network, a plan and a budget.
            repeated: Faults of an earlier run.
            mode: How they are repeated.
        """
        decides.set(self.buggify)
        if conditions.may_fail or conditions.faults is not None or repeated:
            self.hazards = Hazards(
                self,
                conditions.faults,
                repeated,
                mode,
                lossy=conditions.lossy,
                duplicating=conditions.duplicating,
            )
            self.hazards.begin()

    @property
    def script(self) -> Script:
        """Return what the run did against the default, deviations and faults."""
        deviations = tuple(
            Deviation(position, index, identity(event.key), identity(default.key))
            for position, index, event, default in self.tape.picked
        )
        return Script(deviations, () if self.hazards is None else tuple(self.hazards.taken))

    # ------------------------------------------------------------ entropy and time

    @property
    def random(self) -> Random:
        """Randomness of programs, from the seed."""
        if self.footprints is not None:
            self.footprints.write(RANDOM)
        if self._random is None:
            self._random = Random(f"{self.seed}:program")
        return self._random

    @property
    def entropy(self) -> Random:
        """Randomness of the operating system, as handlers see it, from the seed."""
        if self.footprints is not None:
            self.footprints.write(RANDOM)
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
        self._read_clock()
        return EPOCH + timedelta(microseconds=(self.nanoseconds + self._ahead()) // 1000)

    def wall_seconds(self) -> float:
        """Return the virtual time of day as `time.time` does."""
        self._read_clock()
        return _EPOCH_SECONDS + (self.nanoseconds + self._ahead()) / _NANO

    def wall_nanoseconds(self) -> int:
        """Return the virtual time of day as `time.time_ns` does."""
        self._read_clock()
        return _EPOCH_SECONDS * _NANO + self.nanoseconds + self._ahead()

    def _ahead(self) -> int:
        """Return how far the clock of whoever is running is ahead, in nanoseconds."""
        return 0 if self.hazards is None else self.hazards.clock_of(self.sender())[0]

    def _read_clock(self) -> None:
        if self.footprints is not None:
            self.footprints.read(CLOCK)

    def read_clock(self) -> float:
        """Return virtual time, in seconds, to whoever acts by it."""
        self._read_clock()
        return self.nanoseconds / _NANO

    def skip(self, seconds: float) -> None:
        """Move the clock without letting anything happen."""
        self.nanoseconds += round(seconds * _NANO)

    # ------------------------------------------------------------ World

    def loop(self) -> SimulatedLoop:
        """Return the loop of handlers' coroutines."""
        return self._loop

    def bound(self, system: ActorSystem) -> None:
        """Let another system take part: what it does is recorded, and ends with the rest."""
        system.ready = Turns(self)
        if self.footprints is not None:
            system.cells = NoteworthyCells(self.footprints)
        if system is not self.system:
            self._others.append(system)
            system.log = self.system.log
            system.table = recording_effects(system.table, self)

    @property
    def cuts_power_within(self) -> bool:
        """Whether an actor may crash in the midst of a step."""
        hazards = self.hazards
        return hazards is not None and (hazards.counts("crash") or hazards.counts("restart"))

    @property
    def events(self) -> int:
        """How many events have come about, whether they happened or not."""
        return self._seq

    @property
    def systems(self) -> list[ActorSystem]:
        """All systems of this world."""
        return [self.system, *self._others]

    def call_later(self, seconds: float, callback: Callable[[], object], what: str) -> VirtualTimer:
        """Set a timer *seconds* from now."""
        return self._set_timer(self.nanoseconds + round(seconds * _NANO), callback, what)

    def call_at(self, when: float, callback: Callable[[], object], what: str) -> VirtualTimer:
        """Set a timer at *when*, in seconds of virtual time."""
        return self._set_timer(round(when * _NANO), callback, what)

    def _set_timer(self, when: int, callback: Callable[[], object], what: str) -> VirtualTimer:
        self._seq += 1
        self._read_clock()
        source = self.sender()
        if self.hazards is not None and when > self.nanoseconds:
            slow = self.hazards.clock_of(source)[1]
            when = self.nanoseconds + round((when - self.nanoseconds) * (1 + slow))
        timer = VirtualTimer(
            max(when, self.nanoseconds),
            self._seq,
            self._key(source),
            self.steps,
            what,
            source,
            callback,
        )
        if not self._ended:
            self._timers.add(timer)
        return timer

    def fault_timer(self, when: int, callback: Callable[[], object], what: str) -> None:
        """Set a timer of a fault at *when*, in nanoseconds; it counts as nobody's effect."""
        self._seq += 1
        self._fault_timers += 1
        key = ("/faults", self._fault_timers)
        what = what or "planned fault"
        when = max(when, self.nanoseconds)
        source = "/faults"
        if not self._ended:
            self._timers.add(VirtualTimer(when, self._seq, key, self.steps, what, source, callback))

    def timers_set(self) -> list[VirtualTimer]:
        """List the timers that are set, in no order that means anything."""
        return self._timers.pending()

    def schedule(self, drain: Callable[[], None]) -> None:
        """Drain the run queue within this step."""
        self._loop.call_soon(drain)

    def _key(self, source: str) -> Key:
        """Make the identity of what *source* causes now: no global counter plays a part in it."""
        fiber = self.fiber
        where = (source,) if fiber is None else (source, *fiber.within)
        counts = self._counts
        counts[where] = n = counts.get(where, 0) + 1
        return (*where, n)

    def sender(self) -> str:
        """Return the path of whoever is running."""
        sender = self.system.sender()
        if self._others and not isinstance(sender, Cell):
            sender = next((s.running for s in self._others if s.running is not None), sender)
        if isinstance(sender, Cell):
            return sender.ref.path
        if isinstance(sender, Run):
            return sender.path
        return "/scenario" if sender is None else f"/{sender.get_name()}"

    def deliver(self, cell: Cell, item: Any, *, urgent: bool = False) -> None:
        """Put a message on its way."""
        if self._ended:
            return
        if not self.is_here():
            raise elsewhere(cell.full_path)
        message, reply = item if type(item) is Question else (item, None)
        source = message.source if type(message) is DeathNotice else self.sender()
        if self.hazards is not None and self._is_turned_away(cell, message, reply):
            return
        if reply is not None:
            reply = Returning(self, reply, cell.ref.path, source)
        if type(message) is Letter:
            message.source = source
        if isinstance(cell, Equipped) and not urgent and cell.equipment_made.inbox is not None:
            # Its inbox is the one of production: messages wait there, and not on their way.
            if type(message) is Letter:
                message.place = (self.steps, self._seq, self._key(source))
            if isinstance(message, StopRequest | Letter) or (
                isinstance(message, Control) and message.behind_mail
            ):
                self._seq += 1
                if self.footprints is not None:
                    self.footprints.write(("inbox", cell.front.ref.path))
                cell.accept(message if reply is None else Question((message, reply)))
                return
        self._seq += 1
        event = Delivery(
            self.steps, self._seq, self._key(source), source, cell, message, reply, urgent=urgent
        )
        if self._causality is not None:
            self._causality.sent(event)
        channel = self._channels.get((source, cell, urgent))
        if channel is None:
            self._channels[source, cell, urgent] = deque((event,))
        else:
            channel.append(event)

    def _is_turned_away(self, cell: Cell, message: Any, reply: Any) -> bool:
        """Let a mailbox be full, if that is the fault of the moment."""
        hazards = self.hazards
        if hazards is None or not hazards.counts("mailbox_full"):
            return False
        if isinstance(message, Control) and type(message) is not Letter:
            return False  # of the runtime: no mailbox turns it away
        if not isinstance(self.system.sender(), Cell | Run):
            return False  # a timer's message: nobody is there to learn of it
        if not hazards.finds_full(cell):
            return False
        about = message.message if type(message) is Letter else message
        error = MailboxFull(cell.full_path, about, _capacity(cell) or 0)
        self.note("fault", cell.ref.path, cell.ref.path, f"{cell.ref.path} was full")
        if reply is None:
            raise error
        Returning(self, reply, cell.ref.path, self.sender()).set_exception(error)
        return True

    def number(self) -> int:
        """Number an event."""
        self._seq += 1
        return self._seq

    def put_on_its_way(self, event: Delivery) -> None:
        """Let a message arrive behind what is on its way from the same sender."""
        if self._causality is not None:
            self._causality.sent(event)
        self._channels.setdefault((event.source, event.cell, event.urgent), deque()).append(event)

    def channel_of(self, event: Delivery) -> deque[Delivery]:
        """Return what is on its way from the sender of a message to its receiver, in order."""
        return self._channels.get((event.source, event.cell, event.urgent), deque())

    def take_out(self, event: Event) -> None:
        """Take a message out that is on its way: it will not arrive."""
        self._remove(event)
        if self._causality is not None:
            self._causality.over(event, happened=False)

    def _remove(self, event: Event) -> None:
        if not isinstance(event, Delivery):
            self._loose.remove(event)
            return
        channel = self._channels[event.source, event.cell, event.urgent]
        if channel[0] is event:
            channel.popleft()
        else:
            channel.remove(event)
        if not channel:
            del self._channels[event.source, event.cell, event.urgent]

    def cell_at(self, path: str) -> Cell | None:
        """Find the living actor of a path, in any of the systems."""
        for system in self.systems:
            cell: Cell | None = system.cells.get(path)
            if cell is not None:
                return cell
        return None

    def in_thread(
        self, executor: Callable[[], Executor], function: Callable[[], Any]
    ) -> Future[Any]:
        """Run it here and now: in a thread it would be out of the simulation's reach."""
        del executor
        done: Future[Any] = Future()
        try:
            done.set_result(function())
        except FATAL:
            raise
        except BaseException as error:  # of the handler, for whoever waits
            done.set_exception(error)
        return done

    def is_here(self) -> bool:
        """Tell whether this is no handler of a dispatcher: live, that would be another thread."""
        return handled_in_thread.get() is None

    def from_thread(self, what: str, function: Callable[[], object]) -> None:
        """Do within this step what a dispatcher's handler tells; refuse what others want.

        Raises:
            EscapedEffect: For another thread, which is out of the simulation's reach, and for
                an ask: live, the thread would wait for it, which nothing here can do.
        """
        if what == "tell_threadsafe" and not self.is_here():
            self._loop.call_soon(function, context=outside_threads())
            return
        del function
        advice = "threads are out of its reach: use tell and ask, which it schedules"
        raise escape(what, advice)

    def wake(self, cell: Equipped) -> None:
        """Let the cell take a message from its inbox, in some step to come."""
        door = cell.door
        if door is not None and door.items:
            if cell.state == IDLE:
                cell.enqueue()
        elif not self._ended:
            self._inboxes[cell] = None
        crew = cell.leads
        if crew is not None and cell.state != IDLE:
            crew.mail_meanwhile()

    def identity(self) -> str:
        """Draw 32 hexadecimal digits, from the seed."""
        if self.footprints is not None:
            self.footprints.write(RANDOM)
        if self._identities is None:
            self._identities = Random(f"{self.seed}:identities")
        return f"{self._identities.getrandbits(128):032x}"

    def new_mailbox(self, cell: Cell) -> deque[Any]:
        """Make one for the runtime's own items: messages arrive as events, one at a time."""
        return Ahead(cell)

    def put_back(self, cell: Cell, items: list[Any]) -> None:
        """Put messages that were set aside on their way again."""
        events: list[Unstashed] = []
        for item in items:
            message, reply = item if type(item) is Question else (item, None)
            self._seq += 1
            source = cell.ref.path
            key = self._key(source)
            events.append(
                Unstashed(self.steps, self._seq, key, source, cell, message, reply, urgent=False)
            )
        self._unstashed.setdefault(cell, deque()).extendleft(reversed(events))
        # Until their handlers begin anew, a crash finds them on their way.
        asks = self._handling.get(cell, [])
        asks[:] = [ask for ask in asks if all(ask[1] is not event.reply for event in events)]

    def pass_on(self, cell: Equipped, item: Any) -> None:
        """Put an item on its way that has waited behind the mail in the cell's inbox."""
        if self._ended:
            return
        message, reply = item if type(item) is Question else (item, None)
        self._seq += 1
        source = reply.asker if type(reply) is Returning else cell.ref.path
        key = self._key(source)
        event = Delivery(self.steps, self._seq, key, source, cell, message, reply, urgent=False)
        self._channels.setdefault((source, cell, False), deque()).append(event)

    def returning(self, reply: Any, source: Cell, what: str, letter: Letter | None = None) -> Any:
        """Let the outcome travel back as an event of its own."""
        del what
        asker = self.sender() if letter is None else letter.source
        return Returning(self, reply, source.ref.path, asker)

    def send_back(self, source: str, target: str, subject: Any, reply: Any, outcome: str) -> None:
        """Put an outcome on its way back."""
        if not self._ended:
            self._seq += 1
            key = self._key(source)
            event = Return(self.steps, self._seq, key, source, target, subject, reply, outcome)
            if self._causality is not None:
                self._causality.sent(event)
            self._loose.append(event)

    def begin_later(self, run: Run, begin: Callable[[], object]) -> None:
        """Let a program begin, in some step to come."""
        self._seq += 1
        if self._causality is not None:
            self._causality.begins(run)
        self._loose.append(Beginning(self._seq, run, begin))

    def when_quiet(self, system: ActorSystem, callback: Callable[[], None]) -> None:
        """Look now and after each step; what follows belongs to the step that brought the rest."""
        self._awaiting_rest.append((system, callback))
        self._loop.call_soon(self.look_for_rest)

    def look_for_rest(self) -> None:
        """Tell those who wait until all is quiet, if it is."""
        for waiting in self._awaiting_rest[:]:
            system, callback = waiting
            if not self._is_under_way(system) and not any(map(is_busy, system.cells.values())):
                self._awaiting_rest.remove(waiting)
                callback()

    @property
    def is_ending(self) -> bool:
        """Whether a system shuts down, or waits until all is quiet."""
        return bool(self._awaiting_rest) or any(system.closing for system in self.systems)

    def pending(self) -> list[Event]:
        """List all that may still happen, now or later."""
        lines: list[deque[Any]] = [*self._unstashed.values(), *self._channels.values()]
        events: list[Event] = [event for line in lines for event in line if not event.withdrawn()]
        for taker in self._inboxes:
            door: Any = taker.door
            candidates = None if door is None else getattr(door.inbox, "candidates", None)
            if candidates is not None:
                events += [
                    Taking(taker, letter)
                    for letter in candidates()
                    if letter.reply is None or not letter.reply.done()
                ]
        events += [e for e in self._loose if not (isinstance(e, Return) and e.reply.done())]
        events += [Firing(timer) for timer in self._timers.pending()]
        return events

    def _is_under_way(self, system: ActorSystem) -> bool:
        lines: Iterable[Iterable[Delivery]] = (
            *self._channels.values(),
            *self._unstashed.values(),
        )
        return any(
            event.cell.system is system and not event.withdrawn()
            for line in lines
            for event in line
        )

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function for `free_call`, or answer in its place."""
        for known, answer in self.answers.items():
            if known == function:
                if self.hazards is not None:
                    return self._call_with_faults(function, answer, args, kwargs)
                return _answered(answer, args, kwargs)
        return function(*args, **kwargs)

    def _call_with_faults(self, function: Any, answer: Any, args: Any, kwargs: Any) -> Any:
        assert self.hazards is not None
        name = called(function)
        outcome = self.hazards.outside(name)
        if outcome is None:
            return _answered(answer, args, kwargs)
        said = {"error": "failed", "timeout": "timed out", "maybe": "ran and seemed to time out"}
        sender = self.sender()
        self.note("fault", sender, sender, f"{name} {said[outcome]}")
        if outcome == "error":
            msg = f"the call of {name} failed (a fault of the simulation)"
            raise ConnectionError(msg)
        if outcome == "timeout":
            msg = f"the call of {name} timed out (a fault of the simulation; it did not run)"
            raise TimeoutError(msg)
        msg = f"the call of {name} timed out (a fault of the simulation; it did run)"
        lost = _answered(answer, args, kwargs)
        if isawaitable(lost):
            return _losing(lost, msg)
        raise TimeoutError(msg)

    def buggify(self, site: str) -> bool:
        """Decide for `buggify`."""
        hazards = self.hazards
        if hazards is None or not hazards.counts("buggify"):
            return False
        if hazards.call("buggify", site, ("true",)) is None:
            return False
        sender = self.sender()
        self.note("fault", sender, sender, f"{site} was switched on")
        return True

    def found_closed(self, cell: Cell) -> None:
        """Learn that somebody acts as it does because *cell* takes nothing in any more."""
        if self.footprints is not None:
            self.footprints.read(process(cell.front.ref.path))

    def failed(self, cell: Cell, message: Any, error: BaseException) -> None:
        """Put it into the trace: no reply carries it."""
        self.failures.append(f"{cell.full_path} raised {error!r} for {brief(message)}")
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
            elif self.delivery == "unordered":
                if channel[0].urgent or key[1] not in self._unstashed:
                    ready += any_of(channel)
            elif channel[0].enabled() and (channel[0].urgent or key[1] not in self._unstashed):
                ready.append(channel[0])
        for key in emptied:
            del self._channels[key]
        for taker in list(self._inboxes):
            takes = takings(taker)
            if takes is None:
                del self._inboxes[taker]
            elif taker not in self._unstashed:
                ready += takes
        loose = self._loose
        if loose:
            kept = [e for e in loose if not (isinstance(e, Return) and e.reply.done())]
            if len(kept) != len(loose):
                self._loose = kept
            ready += kept
        if self._causality is not None:
            ready = [e for e in ready if self._causality.may_happen(e)]
        if len(ready) > 1:
            ready.sort(key=_default_order)
        if self.hazards is not None:
            return self._options_with_faults(ready, timers=timers)
        if timers and (not ready or self.time_mode == "async"):
            ready += [Firing(timer) for timer in self._timers.due()]
        return ready

    def _options_with_faults(self, ready: list[Event], *, timers: bool) -> list[Event]:
        assert self.hazards is not None
        state = self.hazards.state
        ready, late = state.sift(ready)
        if timers and (not ready or self.time_mode == "async"):
            due = self._timers.due_except(state.stops) if state.paused else self._timers.due()
            ready += [Firing(timer) for timer in due]
        return ready + late

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
        faults = None
        if self.hazards is not None:
            if self.hazards.due(options):
                return True
            faults = self.hazards.offers(options)
        if faults:
            index = self.tape.choose_or_fault(options, faults)
            if index >= len(options):
                fault = faults[index - len(options)]
                assert self.hazards is not None
                self.hazards.take(fault)
                return True
            if index:
                default, event = event, options[index]
                self.deviations.append((len(self.records) + 1, event, default))
        elif len(options) > 1 or self.tape.sees_all:
            index = self.tape.choose(options)
            if index:
                default, event = event, options[index]
                self.deviations.append((len(self.records) + 1, event, default))
        if self.footprints is not None:
            self.footprints.begin(event, options)
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
            elif isinstance(event, Taking):
                event.take()
            else:
                self._remove(event)
            if event.reply is not None:
                asks = self._handling.setdefault(event.cell, [])
                # One at a time, but for those whose handlers overlap.
                asks[:] = [ask for ask in asks if not ask[1].done()]
                asks.append((event, event.reply))
        elif not isinstance(event, Firing):
            self._loose.remove(event)
        if self._causality is not None:
            self._causality.over(event, happened=True)
        if self.hazards is not None:
            self.hazards.happened(event)
        at = self.nanoseconds
        if isinstance(event, Firing):
            at = max(at, event.timer.when)
        self.records.append((event.kind, event.source, event.target, event.noted, at))
        self.run_step(lambda: event.happen(self))
        if self._awaiting_rest:
            self.run_step(self.look_for_rest)

    def run_step(self, action: Callable[[], object]) -> None:
        """Do something as one step: it and all that it makes ready.

        Args:
            action: What to do.

        Raises:
            EscapedEffect: If something tried to leave the simulation.
        """
        self._refuels = 0
        self.fiber = None
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
        while self._cut_midway:
            # Its handler had its first step, and no driver of its own before that ended.
            cut = self._cut_midway.pop()
            if cut.driver is not None:
                self.parked.append(cut.driver)
                cut.driver = None
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
        path = cell.ref.path
        self.crashed[path] = cell
        if cell.state not in {IDLE, STOPPED}:
            self._cut_midway.append(cell)
        self.note("crash", cell.ref.path, cell.ref.path, None)
        if self.footprints is not None:
            for each in [cell, *_below(cell)]:
                self.footprints.write(process(each.front.ref.path))
        in_hand = list(_in_hand(cell))
        self.parked += crash(cell)
        for held in in_hand:
            if held.reply is not None and not held.reply.done():
                why = stopped_error(held.cell, held.message)
                error = ActorStopped(why.target, held.message, why.reason, delivered=True)
                held.reply.set_exception(error)
        # The asks that were being handled get no reply from the actor any more.
        for event, reply in [ask for asks in self._handling.values() for ask in asks]:
            letter = event.letter
            # A worker of a pool, perhaps, to which the pool has handed the message.
            handler = event.cell if letter is None else letter.handled_by.front
            if STOPPED in {event.cell.state, handler.state} and not reply.done():
                message = event.subject
                error = stopped_error(handler if handler.state == STOPPED else event.cell, message)
                reply.set_exception(
                    ActorStopped(error.target, message, error.reason, delivered=True)
                )
        for crashed in [each for each in self._handling if each.state == STOPPED]:
            del self._handling[crashed]

    def restart(self, cell: Cell) -> None:
        """Cut an actor's power, and start it anew: memory and mail are lost, its ref stays.

        Args:
            cell: The actor; one that has crashed just starts.
        """
        path = cell.ref.path
        bystanders = None
        if cell.state != STOPPED:
            bystanders = Bystanders(cell)
            self.crash(cell)
        self.crashed.pop(path, None)
        self._lose_mail(cell)
        if self.cell_at(path) is not None:
            return  # somebody else has its name by now
        self.note("fault", path, path, "starts anew")
        try:
            made = revive(cell)
        except Exception:
            cell.system.log.exception("%s could not be started anew", cell.full_path)
            return
        if bystanders is not None:
            bystanders.give(made)
        self._move_controls(cell, made)
        if made.starting:
            key = (path, "starts anew", self.hazards_made.revived(path))
            event = Delivery(
                self.steps, self.number(), key, path, made, START, _Nobody(), urgent=False
            )
            self._channels[path, made, False] = deque((event,))

    def _lose_mail(self, cell: Cell) -> None:
        lines: list[deque[Any]] = self._channels_to(cell)
        if cell in self._unstashed:
            lines.append(self._unstashed.pop(cell))
        for line in lines:
            for event in list(line):
                if not isinstance(event.subject, Control) or event.subject is START:
                    line.remove(event)
                    if not event.withdrawn():
                        lost = event.item
                        cell.refuse(lost if event.reply is None else Question((lost, event.reply)))
                    if self._causality is not None:
                        self._causality.over(event, happened=False)

    def _channels_to(self, cell: Cell) -> list[deque[Any]]:
        return [line for (_, target, _), line in self._channels.items() if target is cell]

    def _move_controls(self, cell: Cell, made: Cell) -> None:
        """Send the runtime's own items to who has come back: only mail is lost."""
        for (source, target, urgent), line in list(self._channels.items()):
            if target is cell:
                del self._channels[source, target, urgent]
                if line:
                    for event in line:
                        event.cell = made
                    self._channels[source, made, urgent] = line

    @property
    def hazards_made(self) -> Hazards:
        """What decides about faults; made when first asked for."""
        if self.hazards is None:
            self.hazards = Hazards(self)
        return self.hazards

    def heal_core(self, paths: Iterable[str]) -> None:
        """End the faults of some actors, and let no others begin: they reach each other again.

        Args:
            paths: Of the core, which must make progress from now on.
        """
        hazards = self.hazards_made
        hazards.over = True
        core = list(paths)
        hazards.state.heal(core)
        self.note("fault", "/faults", "/faults", f"healed {', '.join(core)}")
        for path in core:
            cell = self.crashed.get(path)
            if cell is not None and can_revive(cell):
                self.restart(cell)

    # ------------------------------------------------------------ the end

    def blocked(self) -> tuple[str, ...]:
        """Say who waits, and for what, in the order of their start."""
        waiting: list[str] = []
        cells = [cell for system in self.systems for cell in system.cells.values()]
        for cell in cells:
            for driver in cell.drivers():
                describe = getattr(driver.waiting, "describe", None)
                what = "an await that nothing completes" if describe is None else describe()
                waiting.append(f"{cell.full_path} waits for {what}")
        for run in [run for system in self.systems for run in system.runs]:
            pending = run.fiber.pending
            if run.fiber.outcome is None and pending is not None:
                waiting.append(f"{run.full_path} waits for {pending.describe()}")
        if waiting:  # a message in the stash alone holds up nobody
            waiting += _stashes(cells)
        return tuple(waiting)

    def end(self) -> None:
        """Close whatever still waits; it performs no effects any more."""
        if self.footprints is not None:
            self.footprints.finish()
        self._ended = True
        abandon(self.system, self.parked)
        for system in self._others:
            abandon(system)
        self._loop.shut()


def _below(cell: Cell) -> Iterator[Cell]:
    """List an actor's children, and theirs."""
    for child in cell.children.values():
        yield child
        yield from _below(child)


def _in_hand(cell: Cell) -> Iterator[Letter]:
    """List the letters that an actor's crew handles, and its children's.

    A crew takes some by itself, while its actor waits for a restart: no event tells of those.
    """
    crew = cell.leads
    for member in () if crew is None else crew.members:
        relations = member.relations_made
        if relations is not None and relations.letter is not None:
            yield relations.letter
    for child in cell.children.values():
        yield from _in_hand(child)


def _stashes(cells: Iterable[Cell]) -> Iterator[str]:
    """Say who may be the one that others wait for: whoever has set messages aside."""
    for cell in cells:
        stashed = () if cell.relations_made is None else cell.relations_made.stashed
        if stashed:
            items = [item[0] if type(item) is Question else item for item in stashed]
            names = ", ".join(dict.fromkeys(type(message).__name__ for message in items))
            yield f"{cell.full_path} waits for its own unstash_all() ({names})"


class _Nobody:
    """Wants no reply: whoever starts an actor anew does not wait for it."""

    def done(self) -> bool:
        return True


def _answered(answer: Any, args: Any, kwargs: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    return answer(*args, **kwargs) if callable(answer) else answer


async def _losing(answer: Any, msg: str) -> None:
    await answer
    raise TimeoutError(msg)


def _capacity(cell: Cell) -> int | None:
    equipment = cell.equipment
    mailbox = None if equipment is None else equipment.props.mailbox
    capacity: int | None = getattr(mailbox, "capacity", None)
    return capacity


def _default_order(event: Event) -> tuple[int, int]:
    return event.order
