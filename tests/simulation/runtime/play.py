"""One run of a scenario: the system, its actors and clients, and the end of all."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from simulation.runtime.invariants import check_all, no_timer_is_left, what_happened
from simulation.runtime.ledger import Ledger
from simulation.runtime.messages import Act, Flow, Job, Quick, Slow
from simulation.runtime.senders import Sender
from simulation.runtime.workers import Worker

from effactor import (
    ActorRef,
    ActorStopped,
    Do,
    NameTaken,
    SendOptions,
    free_sleep,
    free_stop,
    gather,
    program,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from effactor.interpreters import Simulation

Step = tuple[Any, ...]
"""What a client does: `("sleep", seconds)`, `("tell", name, job, options)`,
`("ask", name, job, timeout, options)`, `("asks", [(name, job, timeout, options), ...])`."""

TICK = 0.5


class Play:
    """What actors, clients and invariants of one run share.

    Attributes:
        random: Draws the workload.
        ledger: What has happened.
        refs: The present ref of each actor, by name.
        cells: All cells there ever were.
        doors: All their doors.
        crashed: The cells that crashed.
        heard: The events, in a run that listens to them.
        notes: What scenarios and their actors keep beside.
        seen: What has happened, by name: so that a campaign can tell what it never met.
        depth: How many drivers the system has.
    """

    def __init__(self, sim: Simulation, seed: int) -> None:
        self.sim = sim
        inside: dict[str, Any] = vars(sim)  # it looks where scenarios do not
        self.system: Any = inside["system"]
        self.world: Any = inside["_world"]
        self.random = Random(f"workload {seed}")
        self.ledger = Ledger(self.world.clock)
        self.refs: dict[str, ActorRef[Any]] = {}
        self.cells: list[Any] = []
        self.doors: list[Any] = []
        self.crashed: list[Any] = []
        self.heard: list[Any] = []
        self.notes: dict[Any, Any] = {}
        self.seen: Counter[str] = Counter()
        self.depth: int = len(self.system.pool)
        self._number = 0
        self._tasks: list[asyncio.Task[Any]] = []
        create: Callable[..., Any] = self.system.create

        def recorded(*args: Any, **kwargs: Any) -> Any:
            cell = create(*args, **kwargs)
            self.cells.append(cell)
            if getattr(cell, "door", None) is not None:
                self.doors.append(cell.door)
            return cell

        self.system.create = recorded
        sim.always(self.ledger.check, name="the ledger")
        if seed % 5 == 4:
            # Then all messages travel in letters, of all actors.
            self.system.events.subscribe(self.heard.append)

    def keep(self, what: Any) -> None:
        """Keep what was raised, as whoever looks at it later does, until all is over."""
        self.notes.setdefault("kept", []).append(what)

    def left_in_coordination(self) -> Iterator[Any]:
        """List the fibers that still wait at queues and the like."""
        for rules in self.system.coordination._rules.values():
            for line in rules.lines():
                yield from line

    # ------------------------------------------------------------ actors

    def make(self, kind: Callable[..., Any] = Worker, **how: Any) -> Callable[[], Any]:
        """Return what makes an actor of this run."""
        return partial(kind, self, **how)

    async def spawn(
        self, name: str, factory: Callable[[], Any] | None = None, **options: Any
    ) -> ActorRef[Any]:
        """Start an actor under the system, and let *name* mean it."""
        ref: ActorRef[Any] = await self.system.spawn(factory or self.make(), name, **options)
        self.refs[name] = ref
        return ref

    def crash(self, ref: ActorRef[Any]) -> None:
        """Crash an actor, if it lives."""
        cell = self.system.find(ref)
        if cell is None:
            return
        gone = [cell]
        for each in gone:
            gone += each.children.values()
        self.ledger.crashes([each.ref.path for each in gone])
        self.crashed += gone
        self.sim.crash(ref)

    # ------------------------------------------------------------ workloads

    def chance(self, probability: float) -> bool:
        """Draw yes or no."""
        return self.random.random() < probability

    def pause(self) -> float:
        """Draw a few seconds."""
        return TICK * self.random.randint(1, 4)

    def number(self) -> int:
        """Return a number that no message has yet."""
        self._number += 1
        return self._number

    def job(self, acts: tuple[Act, ...] = (), kinds: str = "qsf") -> Job:
        """Make a message of a random kind: quick, slow or flow."""
        kind = {"q": Quick, "s": Slow, "f": Flow}[self.random.choice(kinds)]
        return kind(self.number(), acts)

    def some_job(
        self,
        *,
        further: tuple[str, ...] = (),
        failures: tuple[str, ...] = (),
        fails: float = 0.25,
        pauses: float = 0.5,
        stops: float = 0.0,
        swallows: float = 0.0,
        patience: float = 0.3,
        kinds: str = "qsf",
    ) -> Job:
        """Draw a message that pauses, sends to those *further* on, fails, or stops its actor."""
        acts: list[Act] = []
        if self.chance(pauses):
            acts.append(("pause", self.pause()))
        if self.chance(swallows):
            acts.append(("swallow", self.pause()))
        if further and self.chance(0.5):
            place = self.random.randrange(len(further))
            job = self.some_job(
                further=further[place + 1 :], failures=failures, fails=fails, kinds=kinds
            )
            if self.chance(0.6):
                timeout = self.pause() if self.chance(patience) else None
                acts.append(("ask", further[place], job, timeout))
            else:
                acts.append(("tell", further[place], job))
        if self.chance(stops):
            acts.append(("stop", self.random.choice(["graceful", "current", "now"])))
        self.random.shuffle(acts)
        if failures and self.chance(fails):
            acts.append(("fail", self.random.choice(failures)))
        return self.job(tuple(acts), kinds)

    def some_steps(
        self,
        names: tuple[str, ...],
        count: int,
        *,
        options: Callable[[], SendOptions | None] = lambda: None,
        patience: float = 0.3,
        chains: bool = True,
        **job: Any,
    ) -> list[Step]:
        """Draw what a client does."""
        steps: list[Step] = []

        def ask() -> tuple[Any, ...]:
            place = self.random.randrange(len(names))
            further = names[place + 1 :] if chains else ()
            timeout = self.pause() if self.chance(patience) else None
            return names[place], self.some_job(further=further, **job), timeout, options()

        for _ in range(count):
            drawn = self.random.random()
            if drawn < 0.15:
                steps.append(("sleep", self.pause()))
            elif drawn < 0.5:
                name, message, _, chosen = ask()
                steps.append(("tell", name, message, chosen))
            elif drawn < 0.8:
                steps.append(("ask", *ask()))
            else:
                steps.append(("asks", [ask(), ask()]))
        return steps

    # ------------------------------------------------------------ clients

    def sender(self, name: str) -> Sender:
        """Return what sends in somebody's name."""
        return Sender(self.ledger, name)

    def begin(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Let a task run beside the others; `finish` waits for it."""
        self._tasks.append(asyncio.get_running_loop().create_task(work, name=name))

    def client(self, name: str, steps: list[Step]) -> None:
        """Let a client begin: a task that awaits, or a program."""
        sender = Sender(self.ledger, name)
        if self.chance(0.5):
            self.begin(name, self._awaits(sender, steps))
        else:
            self.begin(name, self.runs(free_steps(self, sender, steps).named(name)))

    async def runs(self, running: Any) -> None:
        """Run a program, which the end of the system may cut short."""
        try:
            await self.system.run_free(running)
        except ActorStopped:
            pass  # the system shuts down
        except asyncio.CancelledError:
            pass  # the shutdown has interrupted it

    async def _awaits(self, sender: Sender, steps: list[Step]) -> None:
        for step in steps:
            match step:
                case ("sleep", seconds):
                    await asyncio.sleep(seconds)
                case ("tell", name, job, options):
                    await sender.tell(self.refs[name], job, options)
                case ("ask", name, job, timeout, options):
                    await sender.ask(self.refs[name], job, timeout, options)
                case ("stop", name, mode):
                    await self.refs[name].stop(mode)
                case ("asks", asks):
                    replies = [
                        sender.ask_nowait(self.refs[name], job, timeout, options)
                        for name, job, timeout, options in asks
                    ]
                    for reply in replies:
                        await reply
                case _:
                    raise AssertionError(step)

    # ------------------------------------------------------------ what goes wrong

    def trouble(self, steps: list[tuple[Any, ...]]) -> None:
        """Let stops, crashes and new starts strike while the others work.

        Each step is `(seconds, what, name, ...)`: `stop` with a mode, `crash`, or `again` with
        what makes an actor of the name anew.
        """
        self.begin("trouble", self._makes_trouble(steps))

    async def _makes_trouble(self, steps: list[tuple[Any, ...]]) -> None:
        for seconds, *what in steps:
            await asyncio.sleep(seconds)
            match what:
                case ("stop", name, mode):
                    await self.refs[name].stop(mode)
                case ("crash", name):
                    self.crash(self.refs[name])
                case ("again", name, factory, options):
                    try:
                        await self.refs[name].stop("now")
                        await self.refs[name].join()
                        await self.spawn(name, factory, **options)
                    except (NameTaken, ActorStopped):
                        pass  # somebody was quicker, or all is over
                case _:
                    raise AssertionError(what)

    def some_trouble(
        self,
        names: tuple[str, ...],
        count: int,
        factory: Callable[[], Any] | None = None,
        **options: Any,
    ) -> list[tuple[Any, ...]]:
        """Draw what goes wrong."""
        steps: list[tuple[Any, ...]] = []
        for _ in range(count):
            name, drawn = self.random.choice(names), self.random.random()
            if drawn < 0.5:
                mode = self.random.choice(["graceful", "current", "now"])
                steps.append((self.pause(), "stop", name, mode))
            elif drawn < 0.7:
                steps.append((self.pause(), "crash", name))
            else:
                steps.append((self.pause(), "again", name, factory or self.make(), options))
        return steps

    # ------------------------------------------------------------ the end

    async def finish(
        self, mode: Any = "drain", *, timeout: float | None = None, wait: bool = True
    ) -> None:
        """Wait for all tasks, shut down, and judge.

        Args:
            mode: How to shut down.
            timeout: After how many seconds to kill.
            wait: Whether the tasks end before the shutdown, and not because of it.
        """
        if wait:
            await self.all_ended()
        await self.system.shutdown(mode, timeout=timeout)
        await self.all_ended()
        no_timer_is_left(self)
        self.sim.settle()
        check_all(self)
        self.seen += what_happened(self)

    async def all_ended(self) -> None:
        """Wait for all tasks, and raise what the first of them raised."""
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result


@program
def free_steps(play: Play, sender: Sender, steps: list[Step]) -> Do[None]:
    """Do what a client does, as a program."""
    for step in steps:
        match step:
            case ("sleep", seconds):
                yield from free_sleep(seconds)
            case ("tell", name, job, options):
                yield from sender.free_tell(play.refs[name], job, options)
            case ("ask", name, job, timeout, options):
                yield from sender.free_ask(play.refs[name], job, timeout, options)
            case ("stop", name, mode):
                yield from free_stop(play.refs[name], mode=mode)
            case ("asks", asks):
                yield from gather(
                    [
                        sender.free_ask(play.refs[name], job, timeout, options)
                        for name, job, timeout, options in asks
                    ]
                )
            case _:
                raise AssertionError(step)
