"""What the coordination operations mean, in every interpreter.

The rules say who is served when (`effactor.coordination`); here fibers wait for it.
All that can wait is withdrawn from its line when its fiber is interrupted, and all
that was handed over is taken back if the fiber is interrupted before it goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor.coordination.deferred import DeferredComplete, DeferredGet, DeferredIsDone
from effactor.coordination.queue import QueueDone, QueueGet, QueueJoin, QueuePut, QueueSize
from effactor.coordination.semaphore import (
    SemaphoreAcquire,
    SemaphoreAvailable,
    SemaphoreRelease,
    counted,
)
from effactor.coordination.state import StateGet, StateModify, StatePut
from effactor.programs.exits import FailedWith
from effactor.programs.structure import is_program
from effactor_interpreters.runtime.engine.contents import Waiting, settle
from effactor_interpreters.runtime.engine.signals import OperationFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.coordination.deferred_rules import DeferredRules
    from effactor.coordination.items import Entry
    from effactor.coordination.queue_rules import QueueRules
    from effactor.coordination.semaphore_rules import SemaphoreRules
    from effactor.coordination.state import State
    from effactor.programs.exits import Succeeded
    from effactor_interpreters.runtime.engine.fiber import Fiber

# ------------------------------------------------------------ deferreds


class _Awaiting(Waiting):
    """Waits until a deferred is completed."""

    __slots__ = ()

    @override
    def serve(self, given: Succeeded[Any] | FailedWith[Any]) -> None:
        if isinstance(given, FailedWith):
            self.fiber.resume_failed(given.error)
        else:
            self.fiber.resume(given.value)

    @override
    def describe(self) -> str:
        return f"the completion of {self.operation.deferred.describe()}"


def deferred_get(operation: DeferredGet[Any, Any], fiber: Fiber) -> Any:
    """Answer or fail as the deferred was completed, once it is."""
    rules: DeferredRules[Waiting] = fiber.owner.coordination.of(operation.deferred)
    outcome = rules.outcome
    if outcome is None:
        return _Awaiting(fiber, rules, rules.waiting, operation).wait()
    if isinstance(outcome, FailedWith):
        raise OperationFailed(outcome.error)
    return outcome.value


def deferred_complete(operation: DeferredComplete, fiber: Fiber) -> bool:
    """Complete the deferred, unless it is completed."""
    rules: DeferredRules[Waiting] = fiber.owner.coordination.of(operation.deferred)
    is_first = rules.complete(operation.outcome)
    settle(rules)
    return is_first


def deferred_is_done(operation: DeferredIsDone, fiber: Fiber) -> bool:
    """Say whether the deferred is completed."""
    rules: DeferredRules[Waiting] = fiber.owner.coordination.of(operation.deferred)
    return rules.outcome is not None


# ------------------------------------------------------------ queues


class _Getting(Waiting):
    """Waits for an item."""

    __slots__ = ()

    @override
    def serve(self, given: Entry) -> None:
        rules: QueueRules[Waiting] = self.rules

        def take_back() -> None:
            rules.give_back(given)
            settle(rules)

        self.fiber.resume(given.item, take_back=take_back)

    @override
    def describe(self) -> str:
        return f"an item of {self.operation.queue.describe()}"


class _Putting(Waiting):
    """Waits for room."""

    __slots__ = ()

    @override
    def serve(self, given: Entry) -> None:
        rules: QueueRules[Waiting] = self.rules

        def take_back() -> None:
            if rules.revoke(given):
                settle(rules)

        self.fiber.resume(None, take_back=take_back)

    @override
    def describe(self) -> str:
        return f"room in {self.operation.queue.describe()}"


class _Joining(Waiting):
    """Waits until all jobs are finished."""

    __slots__ = ()

    @override
    def serve(self, given: None) -> None:
        self.fiber.resume(None)

    @override
    def describe(self) -> str:
        unfinished = len(self.rules.items) + self.rules.in_hand
        jobs = "1 job" if unfinished == 1 else f"{unfinished} jobs"
        return f"the end of {jobs} of {self.operation.queue.describe()}"


def queue_put(operation: QueuePut, fiber: Fiber) -> Any:
    """Put an item in, once there is room."""
    rules: QueueRules[Waiting] = fiber.owner.coordination.of(operation.queue)
    item, priority = operation.item, operation.priority
    if not rules.has_room:
        return _Putting(fiber, rules, rules.putters, operation).wait((item, priority))
    rules.put(item, priority)
    settle(rules)
    return None


def queue_get(operation: QueueGet[Any], fiber: Fiber) -> Any:
    """Take the next item, once there is one."""
    rules: QueueRules[Waiting] = fiber.owner.coordination.of(operation.queue)
    if not rules.items:
        return _Getting(fiber, rules, rules.getters, operation).wait()
    item = rules.take().item
    settle(rules)
    return item


def queue_done(operation: QueueDone, fiber: Fiber) -> None:
    """Count one item in hand as finished."""
    rules: QueueRules[Waiting] = fiber.owner.coordination.of(operation.queue)
    if not rules.done():
        msg = (
            f"done: no item of {operation.queue.describe()} is in hand: call it once for each "
            "get, and not at all with process, which does it itself"
        )
        raise RuntimeError(msg)
    settle(rules)


def queue_join(operation: QueueJoin, fiber: Fiber) -> Any:
    """Wait until all jobs are finished."""
    rules: QueueRules[Waiting] = fiber.owner.coordination.of(operation.queue)
    if rules.is_finished:
        return None
    return _Joining(fiber, rules, rules.joiners, operation).wait()


def queue_size(operation: QueueSize, fiber: Fiber) -> int:
    """Count the items that wait to be taken."""
    rules: QueueRules[Waiting] = fiber.owner.coordination.of(operation.queue)
    return len(rules.items)


# ------------------------------------------------------------ semaphores


class _Acquiring(Waiting):
    """Waits for permits."""

    __slots__ = ()

    @override
    def serve(self, given: int) -> None:
        rules: SemaphoreRules[Waiting] = self.rules

        def take_back() -> None:
            rules.release(given)
            settle(rules)

        self.fiber.resume(None, take_back=take_back)

    @override
    def describe(self) -> str:
        return f"{counted(self.operation.permits)} of {self.operation.semaphore.describe()}"


def semaphore_acquire(operation: SemaphoreAcquire, fiber: Fiber) -> Any:
    """Take permits, once there are enough."""
    rules: SemaphoreRules[Waiting] = fiber.owner.coordination.of(operation.semaphore)
    if rules.acquire(operation.permits):
        return None
    return _Acquiring(fiber, rules, rules.waiting, operation).wait(operation.permits)


def semaphore_release(operation: SemaphoreRelease, fiber: Fiber) -> None:
    """Give permits back."""
    rules: SemaphoreRules[Waiting] = fiber.owner.coordination.of(operation.semaphore)
    rules.release(operation.permits)
    settle(rules)


def semaphore_available(operation: SemaphoreAvailable, fiber: Fiber) -> int:
    """Count the permits that nobody holds."""
    rules: SemaphoreRules[Waiting] = fiber.owner.coordination.of(operation.semaphore)
    return rules.available


# ------------------------------------------------------------ states


def _kept(state: State[Any], fiber: Fiber) -> dict[State[Any], Any]:
    """Return where the state is kept: with the actor, or with the run's first fiber."""
    if state.per == "actor":
        of_actor: dict[State[Any], Any] | None = fiber.owner.states
        if of_actor is not None:
            return of_actor
    if fiber.states is None:
        # The root's, from the nearest that has met them: branches may be nested deeply.
        above = fiber
        while above.states is None and above.parent is not None:
            above = above.parent
        if above.states is None:
            above.states = {}
        fiber.states = above.states
    return fiber.states


def state_get(operation: StateGet[Any], fiber: Fiber) -> Any:
    """Read the state."""
    state = operation.state
    return _kept(state, fiber).get(state, state.initial)


def state_put(operation: StatePut, fiber: Fiber) -> None:
    """Change the state."""
    _kept(operation.state, fiber)[operation.state] = operation.value


def state_modify(operation: StateModify[Any], fiber: Fiber) -> Any:
    """Change the state to what the function makes of it."""
    state, kept = operation.state, _kept(operation.state, fiber)
    value = operation.function(kept.get(state, state.initial))
    if is_program(value):
        msg = (
            f"modify: function must return the new value of {state.describe()}, got {value!r}; "
            "to run a program in between, get the state and put it"
        )
        raise TypeError(msg)
    kept[state] = value
    return value


COORDINATION: Final[dict[type[Any], Callable[[Any, Fiber], Any]]] = {
    DeferredGet: deferred_get,
    DeferredComplete: deferred_complete,
    DeferredIsDone: deferred_is_done,
    QueuePut: queue_put,
    QueueGet: queue_get,
    QueueDone: queue_done,
    QueueJoin: queue_join,
    QueueSize: queue_size,
    SemaphoreAcquire: semaphore_acquire,
    SemaphoreRelease: semaphore_release,
    SemaphoreAvailable: semaphore_available,
    StateGet: state_get,
    StatePut: state_put,
    StateModify: state_modify,
}
