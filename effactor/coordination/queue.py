"""A queue: items that some programs put and others take, and the jobs they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, final

from typing_extensions import TypeVar, override

from effactor.coordination.handle import Handle, count
from effactor.coordination.queue_rules import QueueRules
from effactor.programs import structure
from effactor.programs.operations import Operation
from effactor.programs.program import A_co, Always, Composite, E_co, F_co, Map, Program
from effactor.programs.resources import Bracket

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
F = TypeVar("F")


@final
class Queue(Handle, Generic[A]):
    """Items in a line, with room for all or for some.

    A handle: it can be made anywhere and shared by programs and actors. Each system,
    simulation and dry run begins with it empty. Whoever waits, for an item or for room,
    is served in order of arrival. No item is lost: one that was just handed to a program
    that is interrupted before it goes on returns to its place, and an interrupted `put`
    has put nothing, unless somebody has taken the item by then. Once `get` has answered,
    be it to a branch of `race` or `timeout`, the item is the program's to lose: `process`
    is the way to work on items that must not be.

    Attributes:
        capacity: Most items that wait to be taken; None for no bound.
        order: `"fifo"`, or `"priority"` for the smallest priority first.
    """

    __slots__ = ("capacity", "order")

    KIND: ClassVar[str] = "queue"

    def __init__(
        self,
        capacity: int | None = None,
        order: Literal["fifo", "priority"] = "fifo",
        *,
        name: str | None = None,
    ) -> None:
        """Make a queue.

        Args:
            capacity: Most items that wait to be taken, at least 1; None for no bound.
            order: `"fifo"`, or `"priority"`: the smallest priority first, and first in,
                first out among equal ones. Those who wait for room are let in in order
                of arrival even so.
            name: What errors and traces call it.

        Raises:
            TypeError: If *capacity* is no whole number.
            ValueError: If *capacity* is below 1, *order* is none of the two, or *name*
                is empty.
        """
        super().__init__(name)
        if capacity is not None:
            count("Queue", "capacity", capacity)
        if order not in {"fifo", "priority"}:
            msg = f'Queue: order must be "fifo" or "priority", got {order!r}'
            raise ValueError(msg)
        self.capacity: int | None = capacity
        self.order: Literal["fifo", "priority"] = order

    def put(self, item: A, priority: float = 0) -> Program[None]:
        """Put an item in; wait while the queue is full.

        Args:
            item: The item. It is never compared with others.
            priority: For a queue in order of priority: smaller is taken earlier.

        Returns:
            A program that answers None once the item is in.

        Raises:
            TypeError: If *priority* is no number.
            ValueError: If *priority* is NaN, or given for a queue in another order.
        """
        if isinstance(priority, bool) or not isinstance(priority, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"put: priority must be a number, smaller is earlier, got {priority!r}"
            raise TypeError(msg)
        if priority != priority:  # noqa: PLR0124 - NaN, which has no place in an order
            msg = "put: priority must be a number that can be ordered, got nan"
            raise ValueError(msg)
        if priority and self.order != "priority":
            msg = (
                f"put: {self.describe()} takes no priority, got {priority!r}: "
                'make it with order="priority"'
            )
            raise ValueError(msg)
        return QueuePut(self, item, priority)

    def get(self) -> Program[A]:
        """Take the next item; wait while there is none.

        Returns:
            A program that answers the item. If somebody may `join` the queue, call
            `done` when the job is finished; `process` does both.
        """
        return QueueGet(self)

    def done(self) -> Program[None]:
        """Say that the job of an item taken with `get` is finished.

        Returns:
            A program that answers None. A `done` for which there was no `get` is a
            defect, a RuntimeError.
        """
        return QueueDone(self)

    def join(self) -> Program[None]:
        """Wait until every item that was put is finished.

        Returns:
            A program that answers None when no item waits and none is in hand; at once
            if nothing was ever put.
        """
        return QueueJoin(self)

    def process(self, function: Callable[[A], Program[B, E, F]]) -> Program[B, E, F]:
        """Take one item, work on it, and count it as finished however that ends.

        Args:
            function: Called with the item; its program does the job.

        Returns:
            A program that ends as the job does, by success, failure, defect or
            interrupt; the item counts as finished in every case.

        Raises:
            TypeError: If *function* is no function.
        """
        structure.a_function("process", "function", function, "a program that does the job")
        return QueueProcess(self, function)

    def size(self) -> Program[int]:
        """Count the items that wait to be taken.

        Returns:
            A program that answers the number.
        """
        return QueueSize(self)

    def empty(self) -> Program[bool]:
        """Ask whether no item waits to be taken.

        Returns:
            A program that answers True or False.
        """
        return Map(QueueSize(self), _is_nothing)

    @override
    def empty_contents(self) -> QueueRules[Any]:
        """Make one without items."""
        return QueueRules(self.capacity, by_priority=self.order == "priority")

    @override
    def __repr__(self) -> str:
        inside: list[str] = []
        if self.capacity is not None:
            inside.append(f"capacity={self.capacity}")
        if self.order != "fifo":
            inside.append(f"order={self.order!r}")
        if self.name is not None:
            inside.append(f"name={self.name!r}")
        return f"Queue({', '.join(inside)})"


def _is_nothing(size: int) -> bool:
    return size == 0


@final
class QueuePut(Operation[None]):
    """Put an item into a queue."""

    __slots__ = ("item", "priority", "queue")

    def __init__(self, queue: Queue[Any], item: Any, priority: float) -> None:
        """Keep all three."""
        self.queue: Queue[Any] = queue
        self.item: Any = item
        self.priority: float = priority

    @override
    def describe(self) -> str:
        rank = f" with priority {self.priority:g}" if self.queue.order == "priority" else ""
        return f"put {self.item!r} into {self.queue.describe()}{rank}"


@final
class QueueGet(Operation[A_co]):
    """Take the next item of a queue."""

    __slots__ = ("queue",)

    def __init__(self, queue: Queue[Any]) -> None:
        """Keep the queue."""
        self.queue: Queue[Any] = queue

    @override
    def describe(self) -> str:
        return f"get from {self.queue.describe()}"


@final
class QueueDone(Operation[None]):
    """Count one item that was taken as finished."""

    __slots__ = ("queue",)

    def __init__(self, queue: Queue[Any]) -> None:
        """Keep the queue."""
        self.queue: Queue[Any] = queue

    @override
    def describe(self) -> str:
        return f"finish a job of {self.queue.describe()}"


@final
class QueueJoin(Operation[None]):
    """Wait until every item of a queue is finished."""

    __slots__ = ("queue",)

    def __init__(self, queue: Queue[Any]) -> None:
        """Keep the queue."""
        self.queue: Queue[Any] = queue

    @override
    def describe(self) -> str:
        return f"join {self.queue.describe()}"


@final
class QueueSize(Operation[int]):
    """Count the items that wait to be taken."""

    __slots__ = ("queue",)

    def __init__(self, queue: Queue[Any]) -> None:
        """Keep the queue."""
        self.queue: Queue[Any] = queue

    @override
    def describe(self) -> str:
        return f"count the items of {self.queue.describe()}"


@final
class QueueProcess(Composite[A_co, E_co, F_co]):
    """Take one item of *queue* and run *function*'s program for it."""

    __slots__ = ("function", "queue")

    def __init__(
        self, queue: Queue[Any], function: Callable[[Any], Program[Any, Any, Any]]
    ) -> None:
        """Keep both."""
        self.queue: Queue[Any] = queue
        self.function: Callable[[Any], Program[Any, Any, Any]] = function

    @override
    def expand(self) -> Program[A_co, E_co, F_co]:
        """Get, work, done."""
        return Bracket(
            QueueGet(self.queue), self.function, Always(QueueDone(self.queue)), interruptible=True
        )
