"""The actors of a system by path: their start, their names, and what finds nobody."""

from __future__ import annotations

import difflib
import inspect
import logging
from asyncio import CancelledError
from collections import deque
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, cast

from typing_extensions import TypeVar

from effactor import events
from effactor.actors.actor import Actor
from effactor.actors.pool import Pool
from effactor.actors.props import DEFAULT
from effactor.actors.ref import ActorRef, Unbound, binding_of
from effactor.errors import ActorNotFound, ActorStopped, NameTaken
from effactor.programs.operations import check_spawn
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import START, Question, StopRequest, unwanted
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.equipment import equip_later, equipped
from effactor_interpreters.runtime.lifecycle import stop_is_coming
from effactor_interpreters.runtime.names import NAMELESS
from effactor_interpreters.runtime.nobody import Nobody
from effactor_interpreters.runtime.pools import Worker
from effactor_interpreters.runtime.recovery import Restarts
from effactor_interpreters.runtime.scheduler import Scheduler
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import join, stop_idle, stopper, why_stopped
from effactor_interpreters.runtime.waits import START_OF, Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.props import Props
    from effactor.actors.ref import Binding, StopManner
    from effactor.actors.supervision import SupervisorStrategy
    from effactor_interpreters.runtime.crews import Crew
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.world import World

M = TypeVar("M")

_DEAD_LETTERS: Final = 1000
_NEW: Final[Any] = object.__new__


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
        restarts: Restarts of actors without a parent that count together.
        dead_letters: The latest messages that nobody handled, at most 1000.
    """

    def __init__(self, name: str, world: World, strategy: SupervisorStrategy) -> None:
        super().__init__(name, world)
        self.strategy = strategy
        self.log: logging.Logger = logging.getLogger("effactor.actor")
        self.cells: dict[str, Cell] = {}
        self.incarnation: int = 0
        self.closing: bool = False
        self.restarts: Restarts = Restarts()
        self.dead_letters: deque[DeadLetter] = deque(maxlen=_DEAD_LETTERS)
        self._numbers: dict[str, int] = {}

    async def spawn_child(
        self,
        parent: Cell | None,
        actor: Callable[[], Actor[M]],
        name: str | None,
        how: Props = DEFAULT,
        *,
        check: Callable[[Actor[Any]], None] | None = None,
    ) -> ActorRef[M]:
        """Start an actor under *parent*; None means under the system. *check* may refuse it."""
        cell = self.checked(parent, actor, name, how, check)
        if cell.starting:
            await self.start_cell(cell)
        return cell.ref

    def checked(
        self,
        parent: Cell | None,
        actor: Any,
        name: str | None,
        how: Props = DEFAULT,
        check: Callable[[Actor[Any]], None] | None = None,
    ) -> Cell:
        """Make an actor as `create` does, after a look at the loop and the arguments."""
        self.bind()
        if name is not None or type(actor) is not type:
            check_spawn("spawn", actor, name)
        return self.create(parent, actor, name, how, check=check)

    def simple_root(self, kind: Any) -> ActorRef[Any] | None:
        """Start a nameless actor whose class asks for nothing special, if it is one.

        It does what `checked` and `create` do, less what there cannot be.

        Args:
            kind: Its class, or any other class.

        Returns:
            Its ref; None if it takes more than that to start it.
        """
        behavior = getattr(kind, "__effactor_behavior__", None)
        if (
            behavior is None
            or not behavior.is_simple
            or self.observed
            or self.closing
            or get_ident() != self.thread
            or current_tasks.get(self.loop) is None
        ):
            return None
        actor = kind()
        name = kind.__name__
        numbers = self._numbers
        numbers[name] = n = numbers.get(name, 0) + 1
        path = f"/{name}#{n}"
        system: Any = self
        self.cells[path] = cell = Cell(system, actor, None, path)
        return cell.ref

    async def start_cell(self, cell: Cell) -> None:
        """Run an actor's `on_started`, and wait for it; without it, there is no actor."""
        try:
            if self.current_cell() is not None:
                wait = Wait(cell, START_OF)
                self.world.deliver(cell, Question((START, wait)))
                await wait_for(wait)
            else:
                future = self.loop.create_future()
                self.world.deliver(cell, Question((START, future)))
                await future
        except CancelledError:
            if cell.state != STOPPED:
                # Whoever is cancelled gets no ref, so nobody else could ever stop it.
                self.world.deliver(cell, unwanted(), urgent=True)
                await join(cell)
            raise

    def create(
        self,
        parent: Cell | None,
        factory: Any,
        name: str | None,
        how: Props = DEFAULT,
        *,
        member_of: Crew | None = None,
        check: Callable[[Actor[Any]], None] | None = None,
    ) -> Cell:
        """Make an actor and its cell; `on_started` has yet to run.

        Args:
            parent: The parent's cell; None for the system.
            factory: The class, or a function without arguments.
            name: The name, or None.
            how: How it is run.
            member_of: The crew of the pool that it belongs to; None for any other actor.
            check: Raises what is wrong with the new instance; then nothing is left.

        Returns:
            The cell.
        """
        # While the system drains, its actors may still start children for their work.
        if self.closing if parent is None else not parent.is_alive:
            where, words = f"/{self.name}", self.closing_words
            if parent is not None:
                where, words = parent.full_path, why_stopped(parent)
            raise ActorStopped(where, None, f"{words}; it starts no actors")
        prefix = "" if parent is None else parent.ref.path
        if name is not None and f"{prefix}/{name}" in self.cells:
            raise NameTaken(f"/{self.name}{prefix}/{name}")
        actor: Actor[Any] = factory()
        if not isinstance(actor, Actor):  # pyright: ignore[reportUnnecessaryIsInstance]
            if inspect.iscoroutine(actor):
                actor.close()
            msg = f"spawn: {factory!r} must make an Actor, made {actor!r}"
            raise TypeError(msg)
        kind = type(actor)
        # What the class has just made by `object.__new__` is new.
        if (kind is not factory or kind.__new__ is not _NEW) and hasattr(actor, "_cell"):
            msg = f"spawn: {factory!r} returned an actor that is spawned already; make a new one"
            raise TypeError(msg)
        if check is not None:
            check(actor)
        if name is not None:
            path = f"{prefix}/{name}"
        elif parent is None:
            path = f"/{self.number(_kind_name(kind, factory))}"
        else:
            name = _child_name(parent, _kind_name(kind, factory))
            path = f"{prefix}/{name}"
        system: Any = self  # every registry is a system's
        if member_of is not None:
            worker = Worker(system, actor, parent, path)
            worker.crew = member_of
            cell: Cell = worker
        elif how is DEFAULT and not self.traced and not kind.__effactor_behavior__.needs_equipment:
            cell = Cell(system, actor, parent, path)
        else:
            cell = equipped(system, actor, parent, path, how, factory)
        self.cells[path] = cell
        if parent is not None:
            parent.relations.children[cell.ref.name] = cell
        if factory is not kind:
            cell.relations.factory = factory
        if cell.behavior.has_started or how.middlewares or type(factory) is Pool:
            cell.relations.starting = True
        elif type(cell) is not Cell or self.observed:
            cell.ready_for_mail()
        return cell

    def observe(self, *, observed: bool, traced: bool) -> None:
        """Learn whether somebody listens to events.

        Args:
            observed: Whether somebody does.
            traced: Whether to those of messages: then all travel in letters from now on.
        """
        self.observed: bool = observed
        self.traced: bool = traced
        if traced:
            for cell in list(self.cells.values()):
                if type(cell) is Cell:
                    equip_later(cell)

    def start_nothing_more(self) -> None:
        """Refuse to start actors from now on."""
        self.closing = True
        if self.loop_end is not None:
            self.loop_end.release()

    @property
    def closing_words(self) -> str:
        """What errors say of the system, once its shutdown has begun."""
        raise NotImplementedError

    @property
    def is_over(self) -> bool:
        """Whether the system was shut down and nothing is left of it."""
        return self.closing and not self.cells

    def strategy_for(self, cell: Cell) -> SupervisorStrategy:
        """Return how a cell is supervised whose parent has no strategy, or which has none."""
        del cell
        return self.strategy

    def number(self, name: str) -> str:
        """Make a name unique among the system's children: `checkout` to `checkout#1`."""
        self._numbers[name] = n = self._numbers.get(name, 0) + 1
        return f"{name}#{n}"

    def forget(self, cell: Cell) -> None:
        """Take a stopped actor out; its name is free, and the next one is another incarnation."""
        path, cells, parent = cell.ref.path, self.cells, cell.parent
        if cells.get(path) is cell:
            del cells[path]
            self.incarnation += 1
        if parent is not None:
            parent.children.pop(cell.ref.name, None)

    def stop_cell(self, cell: Cell, mode: StopManner) -> None:
        """Ask a cell to stop, on behalf of whoever is running."""
        if cell.state == STOPPED or stop_idle(cell):
            return
        if mode == "graceful":
            stop_is_coming(cell)
        if not cell.closed or mode == "now":
            self.world.deliver(cell, StopRequest(mode, stopper(cell)), urgent=mode != "graceful")

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
        if not isinstance(path, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"get_actor: path must be a text, got {path!r}"
            raise TypeError(msg)
        cell = self.cells.get(path) or self.cells.get(self.relative(path))
        if cell is None:
            raise ActorNotFound(path, self.nearest(path))
        return cell.ref

    def relative(self, path: str) -> str:
        """Take the system's name off the front of a path, if it is there."""
        for name in (self.name, NAMELESS) if self.is_nameless else (self.name,):
            if path.startswith(f"/{name}/"):
                return path[len(name) + 1 :]
        return path

    def nearest(self, path: str) -> tuple[str, ...]:
        """List living actors' paths that look like *path*, best first."""
        wanted = self.relative(path)
        return tuple(difflib.get_close_matches(wanted, list(self.cells), n=3, cutoff=0.5))

    def target(self, where: str, target: ActorRef[Any] | str) -> Binding:
        """Find what a path or ref names, for an ask or tell from outside.

        Args:
            where: The function that received it, for errors.
            target: A path, or a ref of any origin.

        Returns:
            The actor's binding; for a ref to nobody, one that says so.

        Raises:
            ActorNotFound: If nobody lives at the path.
            TypeError: If it is neither a path nor a ref.
        """
        if isinstance(target, str):
            try:
                return binding_of(self.at(target))
            except ActorNotFound:
                if not self.closing:
                    raise
            raise self.nobody_left(target)
        if not isinstance(target, ActorRef):  # pyright: ignore[reportUnnecessaryIsInstance]
            # A class, or an actor.
            hint = ""
            if callable(target) or hasattr(type(target), "on_receive"):
                hint = "; spawn it first, and use the ref that spawn answers"
            msg = f"{where}: target must be a path or an ActorRef, got {target!r}{hint}"
            raise TypeError(msg)
        bound = binding_of(target)
        if not isinstance(bound, Unbound):
            return bound
        return self.find(target) or Nobody(cast("ActorSystem", self), target)

    def nobody_left(self, path: str) -> ActorStopped:
        """Make the error of a path at which nobody lives, because the system shuts down."""
        reason = f"{self.closing_words}, and nobody is left at {path!r}"
        return ActorStopped(f"/{self.name}", None, reason)

    def nobody(self, ref: ActorRef[Any], message: Any) -> ActorStopped:
        """Make the error of an ask to a ref that names no living actor."""
        path = f"/{self.name}{ref.path}"
        if ref.path in self.cells:
            return ActorStopped(path, message, "is another actor now: the one of this ref stopped")
        nearest = self.nearest(ref.path)
        hint = f" (did you mean {' or '.join(nearest)}?)" if nearest else ""
        return ActorStopped(path, message, f"is no actor{hint}")

    def dead_letter(self, message: Any, target: str, reason: str) -> None:
        """Keep a message that nobody handled."""
        self.dead_letters.append(DeadLetter(message, target, reason))
        if self.observed and events.DeadLetter in self.events.wanted:
            path = target.removeprefix(f"/{self.name}")
            at = self.loop.time() if self.loop is not None else 0.0
            self.events.emit(events.DeadLetter(path, at, message, reason))
        self.log.debug("dead letter for %s: %r (%s)", target, message, reason)


def _kind_name(kind: type[Any], factory: Any) -> str:
    """Name an actor that was given no name: by its class; a pool by that of its workers."""
    if type(factory) is not Pool:
        return kind.__name__
    worker: Any = factory.worker
    return f"{getattr(worker, '__name__', 'Worker').strip('<>')}Pool"


def _child_name(parent: Cell, kind: str) -> str:
    parent.relations.spawned += 1
    return f"{kind}#{parent.relations.spawned}"
