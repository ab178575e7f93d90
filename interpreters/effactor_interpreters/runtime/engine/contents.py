"""What is in the queues and the like of one system, and the fibers that wait at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from effactor.coordination.handle import Handle
    from effactor.coordination.line import Line
    from effactor_interpreters.runtime.engine.fiber import Fiber


class Contents:
    """What is in the queues, deferreds and semaphores of one system, or of one dry run.

    The owner of a fiber has one as `coordination`. It forgets a handle that nobody
    holds any more.
    """

    __slots__ = ("_rules",)

    def __init__(self) -> None:
        self._rules: WeakKeyDictionary[Handle, Any] = WeakKeyDictionary()

    def __len__(self) -> int:
        """Count the handles that are known."""
        return len(self._rules)

    def of(self, handle: Handle) -> Any:
        """Find what is in a handle.

        Args:
            handle: A queue, deferred or semaphore.

        Returns:
            The rules of its kind, with its contents; empty when it is met first.
        """
        rules = self._rules.get(handle)
        if rules is None:
            rules = self._rules[handle] = handle.empty_contents()
        return rules

    def forget_waiters_of(self, owner: object) -> None:
        """Take the fibers of an owner that crashed out of all lines.

        What they hold, such as permits, stays held: a crash runs no finaliser.

        Args:
            owner: The owner of fibers that will never go on.
        """
        for rules in list(self._rules.values()):
            for line in rules.lines():
                for waiter in [waiter for waiter in line if waiter.fiber.owner is owner]:
                    line.leave(waiter)
            settle(rules)


def settle(rules: Any) -> None:
    """Serve everybody whom the last change lets go on.

    Args:
        rules: What has changed.
    """
    for waiter, given in rules.settle():
        waiter.serve(given)


class Waiting:
    """A fiber in a line.

    Attributes:
        fiber: The fiber.
        rules: What it waits at.
        line: The line it stands in.
        operation: What it performs.
    """

    __slots__ = ("fiber", "line", "operation", "rules")

    def __init__(self, fiber: Fiber, rules: Any, line: Line[Any, Any], operation: Any) -> None:
        self.fiber: Fiber = fiber
        self.rules: Any = rules
        self.line: Line[Any, Any] = line
        self.operation: Any = operation

    def wait(self, wanted: Any = None) -> Any:
        """Join the line, and suspend the fiber.

        Args:
            wanted: What it asks for.

        Returns:
            What the operation's function returns.
        """
        self.line.append(self, wanted)
        return self.fiber.wait(self)

    def serve(self, given: Any) -> None:
        """Let the fiber go on with what it was given."""
        raise NotImplementedError

    def withdraw(self) -> bool:
        """Leave the line; those behind may be served now."""
        self.line.leave(self)
        settle(self.rules)
        return True

    def describe(self) -> str:
        """Say what is waited for."""
        raise NotImplementedError
