"""The base class of actors: ordinary Python classes with handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol

from typing_extensions import TypeVar, override

from effactor.actors.handlers import Behavior, behavior_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from effactor.actors.ref import ActorRef
    from effactor.actors.supervision import OneForOneStrategy
    from effactor.programs.program import Program

A = TypeVar("A")
E = TypeVar("E")
M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True, default=Any)


class ActorContext(Protocol):
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
    def system(self) -> Any:
        """The `ActorSystem` it lives in."""
        ...

    def spawn(
        self, actor: Callable[[], Actor[M]], name: str | None = None
    ) -> Coroutine[Any, Any, ActorRef[M]]:
        """Start a child actor; it stops when this actor stops."""
        ...

    def run_free(self, program: Program[A, E]) -> Coroutine[Any, Any, A]:
        """Run a program as this actor."""
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
    __effactor_behavior__: ClassVar[Behavior]
    _cell: HasContext

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check the handlers and build the dispatch table."""
        super().__init_subclass__(**kwargs)
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

    def on_restart(self, error: BaseException) -> Any:
        """Learn why this new instance replaces another, before its `on_started`.

        Args:
            error: What the handler of the old instance raised.
        """

    def supervisor_strategy(self) -> OneForOneStrategy | None:
        """Choose how this actor's children are supervised.

        Returns:
            A strategy, or None for the system's default.
        """
        return None


Actor.__effactor_behavior__ = behavior_of(Actor)
