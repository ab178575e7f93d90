"""The base class of actors: ordinary Python classes with handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, overload

from typing_extensions import TypeVar, Unpack, override

from effactor.actors.behaviors import behavior_of
from effactor.actors.orchestrating import Orchestration
from effactor.actors.overlapping import overlap
from effactor.actors.scheduling import Scheduling
from effactor.actors.stop_policy import StopMode

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from effactor.actors.dispatch import Behavior
    from effactor.actors.envelope import Envelope, SendOptions
    from effactor.actors.message import Message, Query
    from effactor.actors.props import SpawnOptions
    from effactor.actors.ref import ActorRef, StopManner
    from effactor.actors.stop_policy import StopPolicy
    from effactor.actors.supervision import SupervisorStrategy
    from effactor.programs.program import Program

A = TypeVar("A")
E = TypeVar("E")
M = TypeVar("M")
R = TypeVar("R")
M_contra = TypeVar("M_contra", contravariant=True, default=Any)


class ActorContext(Orchestration, Scheduling, Protocol):
    """What an actor knows about its surroundings."""

    @property
    def self_ref(self) -> ActorRef[Any]:
        """The actor's own ref."""
        ...

    @property
    def parent(self) -> ActorRef[Any] | None:
        """The ref of the actor that spawned it; None for children of the system."""
        ...

    @property
    def children(self) -> Mapping[str, ActorRef[Any]]:
        """Refs of the living children by name, in the order of their start."""
        ...

    @property
    def message(self) -> Envelope:
        """The envelope of the message that is being handled."""
        ...

    @property
    def system(self) -> Any:
        """The `ActorSystem` it lives in."""
        ...

    def spawn(
        self,
        actor: Callable[[], Actor[M]],
        name: str | None = None,
        **options: Unpack[SpawnOptions],
    ) -> Coroutine[Any, Any, ActorRef[M]]:
        """Start a child actor; it stops when this actor stops."""
        ...

    def tell(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M] | str,
        message: M,
        *,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Send a message: to a ref, a path, or a temporary child of a class."""
        ...

    def stop_self(self, mode: StopManner = "graceful") -> Coroutine[Any, Any, None]:
        """Ask the actor itself to stop."""
        ...

    def run_free(self, program: Program[A, E]) -> Coroutine[Any, Any, A]:
        """Run a program as this actor."""
        ...

    def become(self, *handlers: Callable[[Any], Any]) -> None:
        """Let other handlers take the messages, from the next one on."""
        ...

    def unbecome(self) -> None:
        """Let the class's handlers take the messages again."""
        ...

    def unstash_all(self) -> int:
        """Put back the messages that were set aside; answer how many."""
        ...

    def watch(self, ref: ActorRef[Any]) -> None:
        """Receive one `Terminated` when another actor has stopped."""
        ...

    def unwatch(self, ref: ActorRef[Any]) -> None:
        """Receive no `Terminated` of another actor any more."""
        ...


class HasContext(Protocol):
    """What a runtime attaches to an actor."""

    @property
    def context(self) -> ActorContext:
        """The actor's surroundings."""
        ...


class Actor(Generic[M_contra]):
    """Base class of actors.

    Give the messages as the type argument, `class Counter(Actor[Inc | Get])`, and
    a `@handler` for each, or one `on_receive` for all. A handler is a `def`, an
    `async def`, or returns a `Program`, which then runs as this actor. One
    message is handled at a time.
    """

    # The runtime sets it after construction, so subclasses need not call
    # `super().__init__()`.
    __slots__ = ("_cell",)

    # Tells the hooks of this class, which do nothing, from a subclass's own.
    __effactor_root__: ClassVar[bool] = True

    keep_children: ClassVar[bool] = False
    """Whether the children outlive a restart of this actor. If so, `on_started` finds
    them in `self.context.children`, and must not spawn them again."""

    envelopes: ClassVar[bool | None] = None
    """Whether its messages must come in envelopes, for `self.context.message`. None finds out
    from the names that its methods use; say True where only a function elsewhere reads it."""

    __effactor_behavior__: ClassVar[Behavior]
    _cell: HasContext

    __effactor_concurrency__: ClassVar[float] = 1

    @override
    def __init_subclass__(
        cls, *, reentrant: bool | None = None, concurrency: int | None = None, **kwargs: Any
    ) -> None:
        """Check the handlers and build the dispatch table.

        Args:
            reentrant: Whether any number of handlers of one actor may overlap, as in
                `class Hub(Actor[M], reentrant=True)`; None for what the base class says.
            concurrency: How many may. `spawn` may say otherwise of one actor.
            kwargs: For other base classes.
        """
        super().__init_subclass__(**kwargs)
        declared = overlap(cls.__qualname__, reentrant, concurrency)
        if declared is not None:
            cls.__effactor_concurrency__ = declared
        cls.__effactor_behavior__ = behavior_of(cls)

    @property
    def context(self) -> ActorContext:
        """The actor's surroundings.

        Raises:
            RuntimeError: In `__init__`, or if the actor was never spawned.
        """
        try:
            return self._cell.context
        except AttributeError:
            if hasattr(self, "_cell"):
                raise
            msg = (
                f"{type(self).__name__} has no context yet: it is not spawned, or still in "
                "__init__; use on_started"
            )
            raise RuntimeError(msg) from None

    # ------------------------------------------------------------ what an actor does

    def start(
        self, name: str | None = None, **options: Unpack[SpawnOptions]
    ) -> Coroutine[Any, Any, ActorRef[M_contra]]:
        """Start this very instance in a private system: `ref = await Counter(5).start()`.

        The private system ends with the actor, by `await ref.stop()`. An instance cannot
        be made anew, so a failure stops it instead of restarting it.

        Args:
            name: Its name; None makes one from the class's.
            options: How it is run: see `SpawnOptions`.

        Returns:
            A coroutine of its ref, after `on_started`. What that raises is raised.

        Raises:
            RuntimeError: If it was started or spawned before, or no event loop runs.
        """
        from effactor.interpreters import ActorSystem

        return ActorSystem.start_alone(self, name, **options)

    @overload
    def ask(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M],
        message: Query[M, R, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, R]: ...
    @overload
    def ask(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M],
        message: M,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]: ...
    @overload
    def ask(
        self,
        target: str,
        message: Message[R, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, R]: ...
    @overload
    def ask(
        self,
        target: str,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]: ...
    def ask(
        self,
        target: Callable[[], Actor[Any]] | ActorRef[Any] | str,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Ask another actor, or a child that lives for this one message.

        Args:
            target: A ref, a path, or the class (or factory) of an ephemeral child.
            message: The message; a `Message[R, E]` types the reply.
            timeout: Seconds to wait for the reply, as in `ref.ask`.
            options: What travels with the message, or None.

        Returns:
            A coroutine of the reply; it raises what `ref.ask` raises.

        Raises:
            ActorNotFound: If nobody lives at the path.
        """
        context: Any = self.context
        # What is no target at all is refused there, too.
        if callable(target) or not (isinstance(target, str) or hasattr(target, "incarnation")):
            return context.ask(target, message, timeout=timeout, options=options)  # type: ignore[no-any-return]
        return context.system.ask(target, message, timeout=timeout, options=options)  # type: ignore[no-any-return]

    @overload
    def tell(
        self,
        target: Callable[[], Actor[M]] | ActorRef[M],
        message: M,
        *,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, None]: ...
    @overload
    def tell(
        self, target: str, message: Any, *, options: SendOptions | None = None
    ) -> Coroutine[Any, Any, None]: ...
    def tell(
        self,
        target: Callable[[], Actor[Any]] | ActorRef[Any] | str,
        message: Any,
        *,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Send a message to another actor, or to a temporary child.

        Args:
            target: A ref, a path, or the class (or factory) of a child, which is started
                for this message and ends by its stop policy.
            message: The message.
            options: What travels with the message, or None.

        Returns:
            A coroutine that ends once the mailbox has taken the message.

        Raises:
            TypeError: If the child's stop policy is `StopMode.NEVER`: it would stay for
                ever.
            ActorNotFound: If nobody lives at the path.
        """
        return self.context.tell(target, message, options=options)

    def spawn(
        self,
        actor: Callable[[], Actor[M]],
        name: str | None = None,
        **options: Unpack[SpawnOptions],
    ) -> Coroutine[Any, Any, ActorRef[M]]:
        """Start a child actor; it stops when this actor stops.

        Args:
            actor: The actor's class, or a function without arguments that makes one.
            name: Name among its siblings; None makes one from the class's name.
            options: How it is run: see `SpawnOptions`.

        Returns:
            A coroutine of the child's ref, after its `on_started`.
        """
        return self.context.spawn(actor, name, **options)

    def stop_self(self, mode: StopManner = "graceful") -> Coroutine[Any, Any, None]:
        """Ask this actor to stop, once its handler and what was sent before are done.

        Args:
            mode: As for `ref.stop`.

        Returns:
            A coroutine that ends once the stop is requested.
        """
        return self.context.stop_self(mode)

    # ------------------------------------------------------------ what a subclass defines

    def on_receive(self, message: M_contra) -> Any:
        """Handle a message that no `@handler` takes.

        Args:
            message: The message.

        Returns:
            The reply, a coroutine of it, or a program that makes it.
        """
        raise NotImplementedError

    def on_started(self) -> Any:
        """Prepare, before the first message. May be `async def` or return a program."""

    def on_stopped(self) -> Any:
        """Clean up, after the last message. May be `async def` or return a program."""

    def on_pre_restart(self, error: BaseException, message: Any) -> Any:
        """Learn that a new instance is to replace this one; the children still live.

        The children are stopped next, unless `keep_children`, and then `on_stopped`
        runs. May be `async def` or return a program. What it raises is logged.

        Args:
            error: What a handler raised: this actor's, a sibling's with which it is
                restarted, or a child's that was escalated.
            message: What was being handled; None if it was another actor that failed.
        """

    def on_restart(self, error: BaseException) -> Any:
        """Learn why this new instance replaces another, before its `on_started`.

        May be `async def` or return a program.

        Args:
            error: What the old instance's `on_pre_restart` was told.
        """

    def supervisor_strategy(self) -> SupervisorStrategy | None:
        """Choose how this actor's children are supervised.

        It is asked at each failure of a child, also while a handler of this actor waits.

        Returns:
            A strategy, or None for the system's default.
        """
        return None

    def stop_policy(self) -> StopPolicy:
        """Choose when this actor stops by itself.

        Returns:
            `StopMode.NEVER` (the default), `StopMode.ONE_TIME`, `AfterMessage(message)`
            or `AfterIdle(seconds)`.
        """
        return StopMode.NEVER

    def save_state(self) -> Any:
        """Answer what `system.save_state()` is to keep of this actor.

        It runs between two messages. May be `async def` or return a program; it should
        change nothing. What it raises is raised by `system.save_state()`, and the actor
        lives on.

        Returns:
            A mapping, or anything else that can be copied and pickled; the copy is made
            at once. None, the default, for nothing.
        """
        return None

    def load_state(self, state: Any) -> Any:
        """Take up a state that `save_state` has answered.

        It runs between two messages. May be `async def` or return a program. What it
        raises is a failure of the actor, as of a handler, which may be in no fit state.

        Args:
            state: A copy of the state; it is the actor's own.
        """
        del state
        msg = f"{type(self).__name__} has no load_state; define it beside save_state"
        raise NotImplementedError(msg)


Actor.__effactor_behavior__ = behavior_of(Actor)
