"""Refs: addresses of actors, as values.

A ref is a path and an incarnation. What it is bound to is only a cache: a system
finds the actor by these two, so a program that holds refs can be compared,
pickled, simulated and drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, Never, Protocol, final, overload

from typing_extensions import TypeVar, override

from effactor.errors import UnboundRef

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine

    from effactor.actors.message import Query
    from effactor.errors import AskFailed
    from effactor.programs.program import Program

M_contra = TypeVar("M_contra", contravariant=True, default=Any)
R = TypeVar("R")
E = TypeVar("E")

StopMode = Literal["graceful", "current", "now"]


class Binding(Protocol):
    """What a runtime puts behind a ref."""

    def ask(self, message: Any, timeout: float | None) -> Coroutine[Any, Any, Any]:
        """Send a message and wait for its reply."""
        ...

    def tell_nowait(self, message: Any) -> None:
        """Send a message."""
        ...

    def tell(self, message: Any) -> Coroutine[Any, Any, None]:
        """Send a message; wait if the mailbox makes the sender wait."""
        ...

    def ask_nowait(self, message: Any, timeout: float | None) -> Awaitable[Any]:
        """Send a message; the result is a future of its reply."""
        ...

    def stop(self, mode: StopMode) -> Coroutine[Any, Any, None]:
        """Ask the actor to stop."""
        ...

    def join(self) -> Coroutine[Any, Any, None]:
        """Wait until the actor has stopped."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether the actor can still receive messages."""
        ...


@final
class ActorRef(Generic[M_contra]):
    """The address of an actor that receives messages of type `M`.

    Refs are values: equal if path and incarnation are equal, hashable, picklable.
    A restart keeps the incarnation; a new actor under a freed name has another.

    Attributes:
        path: Path within the system, such as `/inventory` or `/shop/till`.
        incarnation: Which actor of this path is meant; None means any.
    """

    # In two parts, because pyright takes what one literal names for data: to type
    # checkers `tell_nowait` is a method.
    __slots__ = (*("_binding", "incarnation", "path"), "tell_nowait")

    path: str
    incarnation: int | None
    _binding: Binding

    def __init__(self, path: str, incarnation: int | None, binding: Binding) -> None:
        """Make a ref that is bound to an actor; runtimes do this."""
        self.path = path
        self.incarnation = incarnation
        self._binding = binding
        # The binding's own method, and not one that calls it: a tell costs so little
        # that one call more would be a fifth of it.
        self.tell_nowait = binding.tell_nowait  # type: ignore[method-assign]

    @classmethod
    def at(cls, path: str) -> ActorRef[M_contra]:
        """Make a ref from a path alone; it needs no system.

        Args:
            path: Path within whichever system interprets the program, such as
                `/inventory`.

        Returns:
            A ref to the actor that has this path when the ref is used.

        Raises:
            ValueError: If the path does not start with a slash, or has an empty
                segment.
        """
        well_formed = isinstance(path, str) and path.startswith("/")  # pyright: ignore[reportUnnecessaryIsInstance]
        if not well_formed or "" in path[1:].split("/"):
            msg = f"ActorRef.at: path must look like '/inventory' or '/shop/till', got {path!r}"
            raise ValueError(msg)
        return cls(path, None, Unbound(path))

    @property
    def name(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_alive(self) -> bool:
        """Whether the actor can still receive messages.

        Raises:
            UnboundRef: If the ref is only an address.
        """
        return self._binding.is_alive

    @overload
    def ask(
        self, message: Query[M_contra, R, Any], *, timeout: float | None = None
    ) -> Coroutine[Any, Any, R]: ...
    @overload
    def ask(
        self, message: M_contra, *, timeout: float | None = None
    ) -> Coroutine[Any, Any, Any]: ...
    def ask(self, message: Any, *, timeout: float | None = None) -> Coroutine[Any, Any, Any]:
        """Send a message and wait for the reply: `reply = await ref.ask(message)`.

        Args:
            message: The message; a `Message[R, E]` types the reply.
            timeout: Seconds to wait for the reply; None waits for ever.

        Returns:
            A coroutine of the reply. It raises what the handler raised, or an
            `AskFailed` if there was no reply.
        """
        return self._binding.ask(message, timeout)

    def tell(self, message: M_contra) -> Coroutine[Any, Any, None]:
        """Send a message without waiting for a reply: `await ref.tell(message)`.

        Args:
            message: The message.

        Returns:
            A coroutine that ends once the mailbox has taken the message. To a
            stopped actor it is a dead letter, not an error.
        """
        return self._binding.tell(message)

    if TYPE_CHECKING:

        def tell_nowait(self, message: M_contra) -> None:
            """Send a message from code that cannot await.

            Args:
                message: The message.
            """

    @overload
    def ask_nowait(
        self, message: Query[M_contra, R, Any], *, timeout: float | None = None
    ) -> Awaitable[R]: ...
    @overload
    def ask_nowait(self, message: M_contra, *, timeout: float | None = None) -> Awaitable[Any]: ...
    def ask_nowait(self, message: Any, *, timeout: float | None = None) -> Awaitable[Any]:
        """Send a message at once and return a future of its reply.

        Args:
            message: The message.
            timeout: Seconds to wait for the reply; None waits for ever.

        Returns:
            A future; it may be given to `asyncio.gather` and `asyncio.wait`.
        """
        return self._binding.ask_nowait(message, timeout)

    def stop(self, mode: StopMode = "graceful") -> Coroutine[Any, Any, None]:
        """Ask the actor to stop: `await ref.stop()`. Wait for the end with `join`.

        Args:
            mode: `"graceful"` handles what was sent before, `"current"` only the
                message being handled, `"now"` interrupts even that.

        Returns:
            A coroutine that ends once the stop is requested.
        """
        return self._binding.stop(mode)

    def join(self) -> Coroutine[Any, Any, None]:
        """Wait until the actor has stopped: `await ref.join()`.

        Returns:
            A coroutine; cancelling it never touches the actor.
        """
        return self._binding.join()

    # A message may declare a reply or not: the overloads overlap, and the first wins.
    @overload
    def free_ask(  # type: ignore[overload-overlap]
        self, message: Query[M_contra, R, E], *, timeout: float | None = None
    ) -> Program[R, AskFailed | E]: ...
    @overload
    def free_ask(
        self, message: M_contra, *, timeout: float | None = None
    ) -> Program[Any, AskFailed]: ...
    def free_ask(self, message: Any, *, timeout: float | None = None) -> Program[Any, Any]:
        """Do the same as `free_ask(ref, message)`."""
        return operations.Ask(self, message, operations.seconds("free_ask", "timeout", timeout))

    def free_tell(self, message: M_contra) -> Program[None]:
        """Do the same as `free_tell(ref, message)`."""
        return operations.free_tell(self, message)

    def free_stop(self, mode: StopMode = "graceful") -> Program[None]:
        """Do the same as `free_stop(ref)`."""
        return operations.free_stop(self, mode)

    def free_join(self) -> Program[None]:
        """Do the same as `free_join(ref)`."""
        return operations.free_join(self)

    @override
    def __eq__(self, other: object) -> bool:
        if type(other) is not ActorRef:
            return NotImplemented
        return self.path == other.path and self.incarnation == other.incarnation

    @override
    def __hash__(self) -> int:
        return hash((self.path, self.incarnation))

    @override
    def __repr__(self) -> str:
        if self.incarnation is None:
            return f"ActorRef.at({self.path!r})"
        return f"<ActorRef {self.path} #{self.incarnation}>"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.path, self.incarnation)


def _restore(path: str, incarnation: int | None) -> ActorRef[Any]:
    return ActorRef(path, incarnation, Unbound(path))


def binding_of(ref: ActorRef[Any]) -> Binding:
    """Return what *ref* is bound to, for runtimes.

    Args:
        ref: Any ref.

    Returns:
        The binding; for a ref that is only an address, one whose methods raise.
    """
    return ref._binding  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


class Unbound:
    """The binding of a ref that is only an address: every use of it is an error."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        """Keep the path, for the error."""
        self.path: str = path

    def ask(self, message: Any, timeout: float | None) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def tell_nowait(self, message: Any) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def tell(self, message: Any) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def ask_nowait(self, message: Any, timeout: float | None) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def stop(self, mode: StopMode) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    def join(self) -> Never:
        """Refuse."""
        raise UnboundRef(self.path)

    @property
    def is_alive(self) -> bool:
        """Refuse."""
        raise UnboundRef(self.path)


# Placed last: operations need ActorRef only for their annotations.
from effactor.programs import operations  # noqa: E402
