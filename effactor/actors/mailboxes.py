"""Mailboxes as values: how an actor's messages wait, and what happens when too many do.

A `Mailbox` is a value that many actors may share, and that programs carry; each actor
opens an `Inbox` of its own from it. Whoever brings another kind, over a broker for
example, implements these two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Literal, Never, Protocol, final, get_args

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Overflow = Literal["block", "reject", "drop_newest", "drop_oldest"]
Order = Literal["fifo", "priority"]


class Queued(Protocol):
    """A message in an inbox.

    Attributes:
        message: The message.
        priority: How urgent it is: more is sooner.
    """

    @property
    def message(self) -> Any:
        """The message."""
        ...

    @property
    def priority(self) -> int:
        """How urgent it is; more is sooner."""
        ...


class Full(Enum):
    """Why an inbox did not take an item."""

    WAIT = "wait"
    """There is no room; the sender waits until there is."""

    REJECT = "reject"
    """There is no room; the sender gets `MailboxFull`."""


class Inbox(ABC):
    """The messages that wait for one actor. One consumer: its actor.

    The runtime calls all methods on the thread of the event loop; if the mailbox is
    `threaded`, on any thread, but on one at a time. It keeps the senders that wait, and
    tells those whose messages were refused.
    """

    @abstractmethod
    def put(self, item: Queued) -> Queued | Full | None:
        """Take an item.

        Args:
            item: The item.

        Returns:
            None if it was taken. Else a `Full`, or the item that was dropped because there
            was no room: *item* itself, or one that had waited.
        """

    @abstractmethod
    def take(self) -> Queued | None:
        """Return the next item, and keep it no longer; or None if there is none.

        An ask gets its reply only through the item that was put in, itself. What this raises
        is logged, and it is called again a little later: a broker that is out of reach for
        a moment does not end the actor. One that answers the same item again, or what is no
        item, stops it.
        """

    @abstractmethod
    def __len__(self) -> int:
        """Count the items."""

    def attach(self, wake: Callable[[], None]) -> None:  # noqa: B027 - few need it
        """Learn how to wake the actor, for items that arrive by other ways than `put`.

        Args:
            wake: Call it when there is something to take; on any thread.
        """

    def sweep(self, withdrawn: Callable[[Queued], bool]) -> None:  # noqa: B027 - as above
        """Make room: forget the items that nobody wants any more.

        Args:
            withdrawn: Tells which.
        """

    def close(self) -> Iterator[Queued]:
        """Give up what is left, in order: the actor has stopped.

        What it raises is logged, and it is called again for the rest, twice at most.

        Yields:
            Items that the runtime refuses: their askers learn that the actor stopped.
        """
        while (item := self.take()) is not None:
            yield item


class Mailbox(ABC):
    """How an actor's messages wait: a value, for `spawn(Worker, mailbox=...)`.

    Attributes:
        threaded: Whether `put` may be called on any thread.
        capacity: How many messages fit; None for any number.
        time_to_live: Seconds after which a message that waits is dropped, unless its
            sender says otherwise; None for never.
    """

    __slots__ = ()

    threaded: bool = False
    capacity: int | None = None
    time_to_live: float | None = None

    @abstractmethod
    def open(self) -> Inbox | None:
        """Make the inbox of one actor; None stands for the plain one, which takes everything."""


def _check(mailbox: Any) -> None:
    """Refuse bounds that make no sense."""
    where = type(mailbox).__name__
    capacity = mailbox.capacity
    if capacity is not None:
        if isinstance(capacity, bool) or not isinstance(capacity, int):
            msg = f"{where}: capacity must be a whole number or None, got {capacity!r}"
            raise TypeError(msg)
        if capacity < 1:
            msg = f"{where}: capacity must be at least 1, or None for no bound, got {capacity!r}"
            raise ValueError(msg)
    if mailbox.overflow not in get_args(Overflow):
        known = ", ".join(get_args(Overflow))
        msg = f"{where}: overflow must be one of {known}, got {mailbox.overflow!r}"
        raise ValueError(msg)
    if mailbox.order not in get_args(Order):
        known = ", ".join(get_args(Order))
        msg = f"{where}: order must be one of {known}, got {mailbox.order!r}"
        raise ValueError(msg)
    from effactor.programs.operations import seconds

    seconds(where, "time_to_live", mailbox.time_to_live)


def _check_full(mailbox: Any, default: Overflow) -> None:
    """Refuse a rule for what can never happen.

    Args:
        mailbox: The mailbox.
        default: How it overflows if nobody says so.
    """
    overflow = mailbox.overflow
    if mailbox.capacity is None and overflow != default:
        where = type(mailbox).__name__
        msg = (
            f"{where}: overflow={overflow!r} says what happens when it is full, but without a "
            f"capacity it never is; write {where}(100, overflow={overflow!r})"
        )
        raise ValueError(msg)


@final
@dataclass(frozen=True, slots=True)
class MemoryMailbox(Mailbox):
    """The mailbox that actors have by default: in memory, in order, without a bound.

    Attributes:
        capacity: How many messages may wait; None for any number.
        overflow: What happens to a message that finds no room. `"block"`: its sender
            waits (`tell_nowait`, which cannot, raises `MailboxFull`). `"reject"`: its
            sender gets `MailboxFull`. `"drop_newest"`: it is dropped; `"drop_oldest"`:
            the one is that has waited longest, of the least priority. Whoever asked what
            is dropped gets `MessageDropped`; a told message becomes a dead letter.
        order: `"fifo"`, or `"priority"`: the most urgent first, FIFO within a priority.
        time_to_live: Seconds after which a message is dropped whose handler has not
            begun; None for never.
    """

    capacity: int | None = None
    overflow: Overflow = "block"
    order: Order = "fifo"
    time_to_live: float | None = None

    def __post_init__(self) -> None:
        """Refuse bounds that make no sense."""
        _check(self)
        _check_full(self, "block")

    @override
    def open(self) -> Inbox | None:
        """Make the inbox of one actor."""
        if self.capacity is None and self.order == "fifo" and self.time_to_live is None:
            return None
        if self.order == "priority":
            return PriorityInbox(self.capacity, self.overflow)
        return FifoInbox(self.capacity, self.overflow)


@final
@dataclass(frozen=True, slots=True)
class FastMailbox(Mailbox):
    """The shortest way: no bound, no order but arrival, and nothing is ever evicted.

    It has no options: what bounds a mailbox costs a look at every message, so a bounded one
    is a `MemoryMailbox`.

    Raises:
        TypeError: If it is given any.
    """

    def __init__(self, *given: Never, **options: Never) -> None:
        """Refuse a bound."""
        if given or options:
            values: tuple[object, ...] = given
            named: dict[str, object] = {**options}
            words = [repr(value) for value in values]
            words += [f"{name}={value!r}" for name, value in named.items()]
            wanted = ", ".join(words)
            msg = f"FastMailbox: it takes no options, got {wanted}; write MemoryMailbox({wanted})"
            raise TypeError(msg)

    @override
    def open(self) -> None:
        """Choose the plain inbox."""


@final
@dataclass(frozen=True, slots=True)
class ThreadedMailbox(Mailbox):
    """A mailbox into which any thread may tell: `ref.tell_nowait(message)`.

    No thread belongs to it: it wakes the actor on its event loop.

    Attributes:
        capacity: How many messages may wait; None for any number.
        overflow: As in `MemoryMailbox`; `"block"` cannot make a thread wait, and is refused.
        time_to_live: As in `MemoryMailbox`.
    """

    capacity: int | None = None
    overflow: Overflow = "reject"
    time_to_live: float | None = None
    order: Literal["fifo"] = "fifo"

    threaded = True

    def __post_init__(self) -> None:
        """Refuse bounds that make no sense."""
        _check(self)
        if self.order != "fifo":
            msg = (
                f"ThreadedMailbox: order must be 'fifo', got {self.order!r}; for another, "
                "tell_threadsafe to an actor with a MemoryMailbox"
            )
            raise ValueError(msg)
        if self.overflow == "block":
            msg = (
                "ThreadedMailbox: overflow must not be 'block', which would hold up the thread; "
                "use 'reject', 'drop_newest' or 'drop_oldest', or tell_threadsafe to an actor "
                "with a MemoryMailbox"
            )
            raise ValueError(msg)
        _check_full(self, "reject")

    @override
    def open(self) -> Inbox:
        """Make the inbox of one actor."""
        return FifoInbox(self.capacity, self.overflow)


class FifoInbox(Inbox):
    """Items in the order they came."""

    __slots__ = ("_capacity", "_items", "_overflow")

    def __init__(self, capacity: int | None, overflow: Overflow) -> None:
        """Begin empty."""
        self._capacity = capacity
        self._overflow: Overflow = overflow
        # Its methods are atomic: threads may put while the actor takes.
        self._items: deque[Queued] = deque()

    @override
    def put(self, item: Queued) -> Queued | Full | None:
        if self._capacity is not None and len(self._items) >= self._capacity:
            if self._overflow == "drop_newest":
                return item
            if self._overflow != "drop_oldest":
                return Full.WAIT if self._overflow == "block" else Full.REJECT
            oldest = self._items.popleft()
            self._items.append(item)
            return oldest
        self._items.append(item)
        return None

    @override
    def take(self) -> Queued | None:
        return self._items.popleft() if self._items else None

    @override
    def __len__(self) -> int:
        return len(self._items)

    @override
    def sweep(self, withdrawn: Callable[[Queued], bool]) -> None:
        self._items = deque(item for item in self._items if not withdrawn(item))

    def candidates(self) -> Iterator[Queued]:
        """List the items that a scheduler may choose from, in order."""
        return iter(tuple(self._items))

    def remove(self, item: Queued) -> None:
        """Take out one of the candidates."""
        self._items.remove(item)


class PriorityInbox(Inbox):
    """Items by priority, and in the order they came within one."""

    __slots__ = ("_capacity", "_count", "_heap", "_overflow")

    def __init__(self, capacity: int | None, overflow: Overflow) -> None:
        """Begin empty."""
        self._capacity = capacity
        self._overflow: Overflow = overflow
        self._heap: list[tuple[int, int, Queued]] = []
        self._count = 0

    @override
    def put(self, item: Queued) -> Queued | Full | None:
        dropped: Queued | None = None
        if self._capacity is not None and len(self._heap) >= self._capacity:
            if self._overflow == "drop_newest":
                return item
            if self._overflow != "drop_oldest":
                return Full.WAIT if self._overflow == "block" else Full.REJECT
            least = max(urgency for urgency, _, _ in self._heap)
            if -item.priority > least:
                return item  # less urgent than all that wait
            oldest = min(entry for entry in self._heap if entry[0] == least)
            self._heap.remove(oldest)
            self._heap.sort()  # a sorted list is a heap
            dropped = oldest[2]
        # The number is drawn with the push, so that equals never compare their items.
        self._count += 1
        heappush(self._heap, (-item.priority, self._count, item))
        return dropped

    @override
    def take(self) -> Queued | None:
        return heappop(self._heap)[2] if self._heap else None

    @override
    def __len__(self) -> int:
        return len(self._heap)

    @override
    def sweep(self, withdrawn: Callable[[Queued], bool]) -> None:
        self._heap = sorted(entry for entry in self._heap if not withdrawn(entry[2]))

    def candidates(self) -> Iterator[Queued]:
        """List the items that a scheduler may choose from: the most urgent, in order."""
        if self._heap:
            first = self._heap[0][0]
            yield from (item for urgency, _, item in sorted(self._heap) if urgency == first)

    def remove(self, item: Queued) -> None:
        """Take out one of the candidates."""
        self._heap = [entry for entry in sorted(self._heap) if entry[2] is not item]
