"""The actor system: its actors by path, its run queue, its runs and dead letters."""

from __future__ import annotations

import asyncio
import difflib
import inspect
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakKeyDictionary

from typing_extensions import TypeVar

from effactor.actors.actor import Actor
from effactor.errors import ActorNotFound, ActorStopped, NameTaken
from effactor.programs.exits import Interrupted
from effactor.programs.operations import check_spawn
from effactor.programs.structure import a_program
from effactor_interpreters.runtime.cell import BUDGET, Cell
from effactor_interpreters.runtime.controls import START, Question, StopRequest
from effactor_interpreters.runtime.current_task import current_tasks, supported
from effactor_interpreters.runtime.driver import Driver
from effactor_interpreters.runtime.engine.synchronous import answer_of
from effactor_interpreters.runtime.lifecycle import DEFAULT_STRATEGY
from effactor_interpreters.runtime.operations import Operations
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.waits import Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from effactor.actors.ref import ActorRef, StopMode
    from effactor.actors.supervision import OneForOneStrategy
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.world import World

A = TypeVar("A")
M = TypeVar("M")

MAX_DEPTH: Final = 64
"""Asks nested on one stack. One takes 4 to 5 of Python's 1000 recursion levels."""

SLICE: Final = 0.002
"""Seconds of actors' work before the event loop gets a turn."""

_TURNS_BETWEEN_CLOCKS: Final = 16
_SPARE_DRIVERS: Final = 256
_DEAD_LETTERS: Final = 1000
_GRACE: Final = 1.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody handled.

    Attributes:
        message: The message.
        target: Path of the actor it was for.
        reason: Why it was not handled, in words.
    """

    message: Any
    target: str
    reason: str


class ActorSystem:
    """A system of actors on one event loop.

    Use it as `async with ActorSystem("bank") as system`; leaving the block stops
    all actors. Everything happens on the loop's thread.

    Args:
        name: First segment of full paths, such as `/bank/counter`.
        strategy: How actors without a parent are supervised, and children whose
            parent has no strategy of its own.
        world: Where the system runs; None means live, on the running event loop.
    """

    def __init__(
        self,
        name: str = "system",
        *,
        strategy: OneForOneStrategy = DEFAULT_STRATEGY,
        world: World | None = None,
    ) -> None:
        """Make a system; it starts with its first actor or run."""
        is_text = isinstance(name, str)  # pyright: ignore[reportUnnecessaryIsInstance]
        if not is_text or not name or "/" in name:
            msg = f"ActorSystem: name must be a text without slashes, got {name!r}"
            raise ValueError(msg)
        if world is None:
            # The one place where the runtime names a world: users write
            # ActorSystem("bank") and mean the live one.
            from effactor_interpreters.live.world import LiveWorld

            world = LiveWorld()
        self.name = name
        self.strategy = strategy
        self.world = world
        self.log: logging.Logger = logging.getLogger("effactor.actor")
        self.cells: dict[str, Cell] = {}
        self.incarnation: int = 0
        self.runs: dict[Run, None] = {}
        self.running: Run | None = None
        self.closing: bool = False
        self.dead_letters: deque[DeadLetter] = deque(maxlen=_DEAD_LETTERS)
        self.table: dict[type[Any], Callable[[Any, Fiber], Any]] = Operations(self).table()
        # The run queue, and the budget of asks that are handled on the asker's stack.
        self.ready: deque[Any] = deque()
        self.scheduled: bool = False
        self.budget: int = 0
        self.deadline: float = 0.0
        # Drivers: the pool's length is the depth that is left on the stack.
        self.output: Any = None
        self.pool: list[Driver] = []
        self.spare: list[Driver] = []
        self.mailboxes: list[deque[Any]] = []
        self.native: bool = True
        self.turns: WeakKeyDictionary[Any, Cell] = WeakKeyDictionary()
        self.loop: Any = None
        self._numbers: dict[str, int] = {}
        self._runs_ended: Any = None
        self.settled = 0

    def bind(self) -> None:
        """Attach the system to the running event loop, once.

        Raises:
            RuntimeError: If no loop runs, or the system belongs to another one.
        """
        loop = self.world.loop()
        if self.loop is loop:
            return
        if self.loop is not None:
            msg = (
                f"the system {self.name!r} belongs to another event loop; "
                "make a system for each loop"
            )
            raise RuntimeError(msg)
        self.loop = loop
        self.native = supported(loop)
        depth = MAX_DEPTH if self.world.inline else 1
        self.pool = [Driver(self) for _ in range(depth)]

    # ------------------------------------------------------------ the run queue

    def renew(self) -> bool:
        """Say whether an ask may still be handled on the asker's stack."""
        return self.world.inline and self.world.clock() < self.deadline

    def make_ready(self, item: Any) -> None:
        """Put a cell or a fiber into the run queue."""
        self.ready.append(item)
        if not self.scheduled:
            self.scheduled = True
            self.world.schedule(self.drain)

    def drain(self) -> None:
        """Run what is ready, until nothing is or the slice of time is over."""
        ready = self.ready
        clock = self.world.clock
        if self.world.inline:
            self.budget = BUDGET
            self.deadline = deadline = clock() + SLICE
            left = _TURNS_BETWEEN_CLOCKS
        else:
            # Virtual time does not pass meanwhile: count turns instead.
            deadline, left = -1.0, len(ready)
        try:
            while ready:
                ready.popleft().run_turn()
                left -= 1
                if left <= 0:
                    if clock() > deadline:
                        break
                    left = _TURNS_BETWEEN_CLOCKS
        finally:
            if ready:
                self.world.schedule(self.drain)
            else:
                self.scheduled = False

    def new_driver(self) -> Driver:
        """Take a driver that came back after a suspension, or make one."""
        return self.spare.pop() if self.spare else Driver(self)

    def recycle(self, driver: Driver) -> None:
        """Keep a driver for later."""
        if len(self.spare) < _SPARE_DRIVERS:
            self.spare.append(driver)

    def current_cell(self) -> Cell | None:
        """Return the actor whose handler calls this, or None outside of handlers."""
        task = current_tasks.get(self.loop)
        if type(task) is Cell:
            return task
        return None if self.native or task is None else self.turns.get(task)

    def sender(self) -> Any:
        """Return who sends what is sent now: a cell, a run, a task, or None."""
        cell = self.current_cell()
        if cell is not None:
            return cell
        return self.running or current_tasks.get(self.loop)

    # ------------------------------------------------------------ actors

    async def spawn(self, actor: Callable[[], Actor[M]], name: str | None = None) -> ActorRef[M]:
        """Start an actor and wait for its `on_started`.

        Args:
            actor: The actor's class, or a function without arguments that makes one.
            name: Its name, unique in the system; None makes one from the class's.

        Returns:
            The actor's ref. What the constructor or `on_started` raises is raised.

        Raises:
            NameTaken: If an actor of this name lives.
            TypeError: If *actor* makes no actor.
            ActorStopped: If the system shuts down.
        """
        return await self.spawn_child(None, actor, name)

    async def spawn_child(
        self, parent: Cell | None, actor: Callable[[], Actor[M]], name: str | None
    ) -> ActorRef[M]:
        """Start an actor under *parent*; None means under the system."""
        self.bind()
        check_spawn("spawn", actor, name)
        cell = self.create(parent, actor, name)
        if cell.starting:
            if self.current_cell() is not None:
                wait = Wait(None, f"the start of {cell.full_path}")
                self.world.deliver(cell, Question((START, wait)))
                await wait_for(wait)
            else:
                future = self.loop.create_future()
                self.world.deliver(cell, Question((START, future)))
                await future
        return cell.ref

    def create(self, parent: Cell | None, factory: Any, name: str | None) -> Cell:
        """Make an actor and its cell; `on_started` has yet to run.

        Args:
            parent: The parent's cell; None for the system.
            factory: The class, or a function without arguments.
            name: The name, or None.

        Returns:
            The cell.
        """
        where = f"/{self.name}" if parent is None else parent.full_path
        if self.closing or (parent is not None and not parent.is_alive):
            raise ActorStopped(where, None, "is shutting down; it starts no actors")
        prefix = "" if parent is None else parent.ref.path
        if name is not None and f"{prefix}/{name}" in self.cells:
            raise NameTaken(f"{where}/{name}")
        actor: Actor[Any] = factory()
        if not isinstance(actor, Actor):  # pyright: ignore[reportUnnecessaryIsInstance]
            if inspect.iscoroutine(actor):
                actor.close()
            msg = f"spawn: {factory!r} must make an Actor, made {actor!r}"
            raise TypeError(msg)
        if hasattr(actor, "_cell"):
            msg = f"spawn: {factory!r} returned an actor that is spawned already; make a new one"
            raise TypeError(msg)
        kind = type(actor).__name__
        if name is None:
            name = self.number(kind) if parent is None else _child_name(parent, kind)
        path = f"{prefix}/{name}"
        cell = Cell(self, actor, parent, path)
        self.cells[path] = cell
        if parent is not None:
            parent.relations.children[name] = cell
        if factory is not type(actor):
            cell.relations.factory = factory
        if cell.behavior.has_started:
            cell.relations.starting = True
        return cell

    def number(self, name: str) -> str:
        """Make a name unique among the system's children: `checkout` to `checkout#1`."""
        self._numbers[name] = n = self._numbers.get(name, 0) + 1
        return f"{name}#{n}"

    def forget(self, cell: Cell) -> None:
        """Take a stopped actor out; its name is free, and the next one is another incarnation."""
        path = cell.ref.path
        if self.cells.get(path) is cell:
            del self.cells[path]
            self.incarnation += 1
        if cell.parent is not None:
            cell.parent.children.pop(cell.ref.name, None)

    def stop_cell(self, cell: Cell, mode: StopMode) -> None:
        """Ask a cell to stop, on behalf of whoever is running."""
        if cell.state == STOPPED or (cell.closed and mode != "now"):
            return
        sender = self.sender()
        by = getattr(sender, "full_path", "") if sender is not cell else "itself"
        self.world.deliver(cell, StopRequest(mode, by), urgent=mode != "graceful")

    def find(self, ref: ActorRef[Any]) -> Cell | None:
        """Find the living actor that a ref of any origin names."""
        cell = self.cells.get(ref.path)
        if cell is None or ref.incarnation is None or ref.incarnation == cell.ref.incarnation:
            return cell
        return None

    def at(self, path: str) -> ActorRef[Any]:
        """Find a living actor by its path.

        Args:
            path: Path within the system, or with the system's name in front.

        Returns:
            Its ref.

        Raises:
            ActorNotFound: If there is none.
        """
        cell = self.cells.get(path)
        if cell is None:
            cell = self.cells.get(path.removeprefix(f"/{self.name}"))
        if cell is None:
            raise ActorNotFound(path, self.nearest(path))
        return cell.ref

    async def get_actor(self, path: str) -> ActorRef[Any]:
        """Find a living actor by its path.

        Args:
            path: Path within the system, such as `/counter`, or with the system's
                name in front, `/bank/counter`.

        Returns:
            Its ref.

        Raises:
            ActorNotFound: If there is none; it names the nearest paths.
        """
        return self.at(path)

    def nearest(self, path: str) -> tuple[str, ...]:
        """List living actors' paths that look like *path*, best first."""
        wanted = path.removeprefix(f"/{self.name}") or path
        return tuple(difflib.get_close_matches(wanted, list(self.cells), n=3, cutoff=0.5))

    def dead_letter(self, message: Any, target: str, reason: str) -> None:
        """Keep a message that nobody handled."""
        self.dead_letters.append(DeadLetter(message, target, reason))
        self.log.debug("dead letter for %s: %r (%s)", target, message, reason)

    # ------------------------------------------------------------ programs

    async def run_free(self, program: Program[A, Any]) -> A:
        """Run a program: in a handler as that actor, elsewhere as an anonymous one.

        Args:
            program: The program.

        Returns:
            Its answer.

        Raises:
            Failed: If it failed with a value that is no exception. A failure that
                is one is raised itself; for `HandlerFailed`, what the handler
                raised. Defects are raised as they are.
        """
        if self.loop is None:
            self.bind()
        program = a_program("run_free", "program", program)
        cell = self.current_cell()
        if cell is not None:
            answer: A = await cell.run_program(program)
            return answer
        run = Run(self, program)
        outcome = run.begin()
        if outcome is None:
            outcome = await run.end()
        if type(outcome) is Interrupted:
            raise asyncio.CancelledError
        result: A = answer_of(outcome)
        return result

    # ------------------------------------------------------------ the end

    async def shutdown(self, *, timeout: float = 10.0) -> None:
        """Interrupt the runs, then stop all actors gracefully.

        Args:
            timeout: Seconds to wait for the runs' finalisers, and then for the
                actors; after that handlers that still run are cancelled, and one
                that survives even that is left behind, and logged.

        Raises:
            RuntimeError: In a handler, which would wait for itself.
        """
        if self.loop is None:
            self.closing = True
            return
        self.bind()
        if self.current_cell() is not None:
            msg = (
                "shutdown waits for all handlers, so a handler must not wait for it: "
                "stop actors one by one, or shut down from outside"
            )
            raise RuntimeError(msg)
        self.closing = True
        # The runs first: their finalisers may need the actors.
        for run in list(self.runs):
            run.fiber.interrupt()
        await self._all_ended(timeout)
        mode: StopMode = "graceful"
        for patience in (timeout, _GRACE):
            for cell in self._roots():
                request = StopRequest(mode, f"/{self.name}")
                self.world.deliver(cell, request, urgent=mode != "graceful")
            if await self._all_stopped(patience):
                return
            mode = "now"
        for cell in list(self.cells.values()):
            self.log.error("%s does not stop; it is left behind", cell.full_path)
            cell.close("left behind by shutdown")
            cell.stopped()

    def _roots(self) -> list[Cell]:
        return [cell for cell in self.cells.values() if cell.parent is None]

    async def _all_stopped(self, patience: float) -> bool:
        roots = self._roots()
        if not roots:
            return True
        ended = self.loop.create_future()
        left = len(roots)

        class Countdown:
            """The reply that the last root's end completes."""

            def done(self) -> bool:
                return False

            def set_result(self, _value: object) -> None:
                nonlocal left
                left -= 1
                if left == 0 and not ended.done():
                    ended.set_result(True)

        for cell in roots:
            cell.on_stopped(Countdown())
        timer = self.world.call_later(
            patience, lambda: ended.done() or ended.set_result(False), "patience of shutdown"
        )
        try:
            return bool(await ended)
        finally:
            timer.cancel()

    async def _all_ended(self, patience: float) -> None:
        if not self.runs:
            return
        ended = self._runs_ended = self.loop.create_future()
        timer = self.world.call_later(
            patience, lambda: ended.done() or ended.set_result(None), "patience of shutdown"
        )
        try:
            await ended
        finally:
            timer.cancel()
            self._runs_ended = None

    def forget_run(self, run: Run) -> None:
        """Take a run out that has ended."""
        del self.runs[run]
        if not self.runs and self._runs_ended is not None and not self._runs_ended.done():
            self._runs_ended.set_result(None)

    async def __aenter__(self) -> Self:
        """Attach the system to the running loop."""
        self.bind()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all actors."""
        await self.shutdown(timeout=10.0 if kind is None else 0.0)


def _child_name(parent: Cell, kind: str) -> str:
    parent.relations.spawned += 1
    return f"{kind}#{parent.relations.spawned}"
