"""The part of asyncio.Task that code asks of `asyncio.current_task()`.

`asyncio.timeout` and `TaskGroup` use the public half; anyio reads the private
attributes, and its cancel scopes would hang without them.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from effactor_interpreters.runtime.driver import Driver
from effactor_interpreters.runtime.fallback import TaskDriver
from effactor_interpreters.runtime.states import RUNNING

if TYPE_CHECKING:
    import asyncio
    from contextvars import Context

    from effactor.actors.ref import ActorRef
    from effactor_interpreters.runtime.relations import Relations
    from effactor_interpreters.runtime.system import ActorSystem


class _BegunCoroutine:
    """What `inspect.getcoroutinestate` takes for a coroutine that has begun."""

    cr_running = False
    cr_suspended = True
    cr_frame = type("Frame", (), {"f_lasti": 0})()


_BEGUN = _BegunCoroutine()


class TaskProtocol:
    """Lets a cell stand as the current task of its handlers."""

    __slots__ = ()

    if TYPE_CHECKING:
        driver: Driver | TaskDriver | None
        mailbox: Any
        state: int

        @property
        def relations(self) -> Relations:
            """The rarely needed part of the cell."""
            ...

        ref: ActorRef[Any]
        system: ActorSystem
        variables: Context

    def cancel(self, msg: Any = None) -> bool:
        """Cancel what the handler waits for, as Task.cancel does."""
        driver = self.driver
        if driver is None:
            if self.state != RUNNING:
                return False
            # In its first step the handler waits for nothing yet; it is cancelled when
            # it does.
            self.relations.cancelled += 1
            self._notice_end_of_turn()
            return True
        if isinstance(driver, TaskDriver):
            driver.cancel()
            return True
        driver.cancellations += 1
        if driver.waiting is not None and driver.waiting.cancel(msg=msg):
            return True
        driver.must_cancel = True
        return True

    def _notice_end_of_turn(self) -> None:
        # A turn on an asker's stack ends without a look at the relations if there is no
        # mailbox. Where no such turn exists there must be none: tells would go into it
        # past the world.
        if self.mailbox is None and self.system.world.inline:
            self.mailbox = deque()

    def cancelling(self) -> int:
        """Count the cancellations of the running handler."""
        driver = self.driver
        if driver is None:
            self.relations.guarded = True
            self._notice_end_of_turn()
            return self.relations.cancelled
        if isinstance(driver, Driver):
            driver.guarded = True
        return driver.cancellations

    def uncancel(self) -> int:
        """Take one cancellation back."""
        driver = self.driver
        if driver is None:
            self.relations.cancelled = max(0, self.relations.cancelled - 1)
            return self.relations.cancelled
        driver.cancellations = max(0, driver.cancellations - 1)
        return driver.cancellations

    def done(self) -> bool:
        """Tell whether the task has ended: an actor's has not while it runs handlers."""
        return False

    def cancelled(self) -> bool:
        """Tell whether the task was cancelled."""
        return False

    def get_name(self) -> str:
        """Return the actor's path."""
        return self.ref.path

    def set_name(self, _value: object) -> None:
        """Keep the actor's path: it is the name."""

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop."""
        loop: asyncio.AbstractEventLoop = self.system.loop
        return loop

    def get_context(self) -> Context:
        """Return the context variables of the handlers."""
        return self.variables

    def get_coro(self) -> Any:
        """Return something that has begun."""
        return _BEGUN

    @property
    def _must_cancel(self) -> bool:
        return isinstance(self.driver, Driver) and self.driver.must_cancel

    @property
    def _fut_waiter(self) -> Any:
        return None if self.driver is None else self.driver.waiting
