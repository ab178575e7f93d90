"""The actors of a system by path: their start, their names, and what finds nobody."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from typing_extensions import TypeVar

from effactor.actors.actor import Actor
from effactor.errors import ActorNotFound, ActorStopped, NameTaken
from effactor.programs.operations import check_spawn
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import START, Question, StopRequest
from effactor_interpreters.runtime.scheduler import Scheduler
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.waits import START_OF, Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.ref import ActorRef, StopMode
    from effactor.actors.supervision import OneForOneStrategy
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.world import World

M = TypeVar("M")

_DEAD_LETTERS: Final = 1000


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


class Registry(Scheduler):
    """Keeps the living actors.

    Attributes:
        strategy: How actors without a parent are supervised.
        log: Where the runtime writes.
        cells: The cell of each living actor, by path.
        incarnation: What the next actor's ref is marked with; every freed name
            raises it, so that a new actor under an old name is another one.
        closing: Whether the system shuts down.
        dead_letters: The latest messages that nobody handled, at most 1000.
    """

    def __init__(self, name: str, world: World, strategy: OneForOneStrategy) -> None:
        super().__init__(name, world)
        self.strategy = strategy
        self.log: logging.Logger = logging.getLogger("effactor.actor")
        self.cells: dict[str, Cell] = {}
        self.incarnation: int = 0
        self.closing: bool = False
        self.dead_letters: deque[DeadLetter] = deque(maxlen=_DEAD_LETTERS)
        self._numbers: dict[str, int] = {}

    async def spawn_child(
        self, parent: Cell | None, actor: Callable[[], Actor[M]], name: str | None
    ) -> ActorRef[M]:
        """Start an actor under *parent*; None means under the system."""
        self.bind()
        check_spawn("spawn", actor, name)
        cell = self.create(parent, actor, name)
        if cell.starting:
            if self.current_cell() is not None:
                wait = Wait(cell, START_OF)
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
        # Every registry is a system's.
        cell = Cell(cast("ActorSystem", self), actor, parent, path)
        self.cells[path] = cell
        if parent is not None:
            parent.relations.children[name] = cell
        if factory is not type(actor):
            cell.relations.factory = factory
        if cell.behavior.has_started:
            cell.relations.starting = True
        return cell

    def start_nothing_more(self) -> None:
        """Refuse to start actors from now on."""
        self.closing = True

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

    def nearest(self, path: str) -> tuple[str, ...]:
        """List living actors' paths that look like *path*, best first."""
        wanted = path.removeprefix(f"/{self.name}") or path
        return tuple(difflib.get_close_matches(wanted, list(self.cells), n=3, cutoff=0.5))

    def dead_letter(self, message: Any, target: str, reason: str) -> None:
        """Keep a message that nobody handled."""
        self.dead_letters.append(DeadLetter(message, target, reason))
        self.log.debug("dead letter for %s: %r (%s)", target, message, reason)


def _child_name(parent: Cell, kind: str) -> str:
    parent.relations.spawned += 1
    return f"{kind}#{parent.relations.spawned}"
