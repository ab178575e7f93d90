"""What an actor sees as `self.context`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar, Unpack

from effactor.actors.becoming import check_become
from effactor.actors.props import props
from effactor.actors.stop_policy import StopMode
from effactor.programs.operations import a_ref, check_options, check_spawn
from effactor_interpreters.runtime.becoming import become, check_inside, unbecome
from effactor_interpreters.runtime.context_timers import ContextTimers
from effactor_interpreters.runtime.dispatchers import handled_in_thread
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.letters import letter_of
from effactor_interpreters.runtime.orchestration import Orchestrating, lives
from effactor_interpreters.runtime.stashing import put_back
from effactor_interpreters.runtime.watching import unwatch, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.actor import Actor
    from effactor.actors.envelope import Envelope, SendOptions
    from effactor.actors.props import SpawnOptions
    from effactor.actors.ref import ActorRef, StopManner
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.system import ActorSystem

A = TypeVar("A")
M = TypeVar("M")


def check_temporary(actor: Actor[Any]) -> None:
    """Refuse an actor that would never stop, where nobody gets its ref.

    Args:
        actor: The new instance.

    Raises:
        TypeError: If its stop policy is `StopMode.NEVER`.
    """
    if actor.stop_policy() is StopMode.NEVER:
        kind = type(actor).__name__
        msg = (
            f"tell: {kind} would live for ever: a temporary actor needs a non-NEVER stop_policy; "
            f"return StopMode.ONE_TIME from {kind}.stop_policy(), or spawn it and tell its ref"
        )
        raise TypeError(msg)


class View(Orchestrating, ContextTimers):
    """An actor's surroundings; made when asked for, because few actors ask."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    @property
    def self_ref(self) -> ActorRef[Any]:
        """The actor's own ref."""
        return self._cell.ref

    @property
    def parent(self) -> ActorRef[Any] | None:
        """The ref of the actor that spawned it; None for children of the system."""
        parent = self._cell.parent
        return None if parent is None else parent.ref

    @property
    def children(self) -> dict[str, ActorRef[Any]]:
        """Refs of the living children by name, in the order of their start."""
        # A list first: a handler in a thread may read this while they change.
        return {name: cell.ref for name, cell in list(self._cell.children.items())}

    @property
    def message(self) -> Envelope:
        """The envelope of the message that is being handled.

        Raises:
            RuntimeError: If none is, or it travelled without an envelope.
        """
        in_thread = handled_in_thread.get()
        if in_thread is not None and in_thread.handled_by.front is self._cell:
            return in_thread
        cell = self._cell.system.current_cell()
        letter = None if cell is None or cell.front is not self._cell else letter_of(cell)
        if letter is None:
            kind = type(self._cell.actor).__name__
            msg = (
                f"context.message: {self._cell.full_path} handles no message here, or it came "
                f"without an envelope, because no method of {kind} reads self.context.message; "
                f"write `envelopes = True` in the class {kind}"
            )
            raise RuntimeError(msg)
        return letter

    @property
    def system(self) -> ActorSystem:
        """The system it lives in."""
        return self._cell.system

    async def spawn(
        self,
        actor: Callable[[], Actor[M]],
        name: str | None = None,
        **options: Unpack[SpawnOptions],
    ) -> ActorRef[M]:
        """Start a child actor; it stops when this actor stops.

        Args:
            actor: The actor's class, or a function without arguments that makes one.
            name: Name among its siblings; None makes one from the class's name.
            options: How it is run: see `SpawnOptions`.

        Returns:
            The child's ref, after its `on_started`.
        """
        system = self._cell.system
        cell = system.checked(self._cell, actor, name, props("spawn", options))
        if cell.starting:
            await system.start_cell(cell)
        return cell.ref

    async def tell(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M] | str,
        message: M,
        *,
        options: SendOptions | None = None,
    ) -> None:
        """Send a message: to an actor, or to a temporary child that it starts.

        Args:
            target: A ref, a path, or the class (or factory) of a child that ends by
                its stop policy.
            message: The message.
            options: What travels with the message, or None.

        Raises:
            TypeError: If the child's stop policy is `StopMode.NEVER`.
            ActorNotFound: If nobody lives at the path.
        """
        system = self._cell.system
        given: Any = target
        if lives("tell", given):
            await system.tell(given, message, options=options)
            return
        check_spawn("tell", given, None, "target")
        if options is not None:
            check_options("tell", options)
        child: ActorRef[Any] = await system.spawn_child(
            self._cell, given, None, check=check_temporary
        )
        await child.tell(message, options=options)

    async def stop_self(self, mode: StopManner = "graceful") -> None:
        """Ask the actor itself to stop, after what was sent before.

        Args:
            mode: As for `ref.stop`.
        """
        await self._cell.stop(mode)

    def watch(self, ref: ActorRef[Any]) -> None:
        """Receive one `Terminated` when another actor has stopped; see `free_watch`.

        Args:
            ref: The other actor; if it has stopped already, or never was, the
                `Terminated` comes at once. A second time changes nothing.

        Raises:
            ValueError: If it is this actor itself.
            TypeError: If this actor has no handler for `Terminated`, or *ref* is no ref.
        """
        check_here(self._cell.system, "context.watch")
        a_ref("context.watch", ref)
        watch("context.watch", self._cell, ref)

    def unwatch(self, ref: ActorRef[Any]) -> None:
        """Receive no `Terminated` of another actor, not even one on its way already.

        Args:
            ref: The other actor; if it is not watched nothing changes.

        Raises:
            TypeError: If *ref* is no ref.
        """
        check_here(self._cell.system, "context.unwatch")
        a_ref("context.unwatch", ref)
        unwatch(self._cell, ref)

    async def run_free(self, program: Program[A, Any]) -> A:
        """Run a program as this actor.

        Args:
            program: The program.

        Returns:
            Its answer; failures are raised.
        """
        return await self._cell.system.run_free(program)

    def become(self, *handlers: Callable[[Any], Any]) -> None:
        """Let other handlers take the messages, from the next one on; see `effactor.become`.

        Args:
            handlers: Functions of one message, usually bound methods such as `self.locked`.

        Raises:
            TypeError: As `effactor.become` does.
            RuntimeError: If no handler of this actor is running, or one of *handlers* is
                a method of another actor.
        """
        check_become(handlers)
        check_inside(self._cell, "become")
        become(self._cell, handlers)

    def unbecome(self) -> None:
        """Let the class's handlers take the messages again, from the next one on.

        Raises:
            RuntimeError: If no handler of this actor is running.
        """
        check_inside(self._cell, "unbecome")
        unbecome(self._cell)

    def unstash_all(self) -> int:
        """Put the messages that `stash()` has set aside back, before all other mail.

        Returns:
            How many messages that were; see `effactor.unstash_all`.

        Raises:
            RuntimeError: If no handler of this actor is running.
        """
        check_inside(self._cell, "unstash_all")
        return put_back(self._cell)
