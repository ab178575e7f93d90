"""What each operation means in an actor system: one function an operation."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from inspect import isawaitable, iscoroutine
from typing import TYPE_CHECKING, Any
from uuid import UUID

from typing_extensions import override

from effactor.actors.ref import ActorRef, binding_of
from effactor.errors import ActorNotFound, ActorStopped, Deadlock
from effactor.programs import operations as ops
from effactor.programs.exits import Interrupted
from effactor.programs.structure import function_name, is_program
from effactor_interpreters.runtime import stashing
from effactor_interpreters.runtime.asking import awaiting, enter
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import START, Question
from effactor_interpreters.runtime.engine.signals import FATAL, SUSPENDED, OperationFailed
from effactor_interpreters.runtime.engine.sleeping import sleep
from effactor_interpreters.runtime.engine.table import ENGINE
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import joins_itself, when_stopped
from effactor_interpreters.runtime.timers import TimerOperations
from effactor_interpreters.runtime.waits import END_OF, START_OF, LifecycleWait, as_failure

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.system import ActorSystem

_LOG = logging.getLogger("effactor.program")
_LEVELS = logging.getLevelNamesMapping()


class Calling:
    """What a fiber waits for while an awaitable of `free_call` runs in a task."""

    __slots__ = ("name", "task", "withdrawn")

    def __init__(self, name: str, task: asyncio.Task[Any]) -> None:
        self.name: str = name
        self.task: asyncio.Task[Any] = task
        self.withdrawn: bool = False

    def withdraw(self) -> bool:
        """Cancel the task; the fiber goes on when it has ended."""
        self.withdrawn = True
        self.task.cancel()
        return False

    def describe(self) -> str:
        """Say what is waited for."""
        return self.name


def _within(fiber: Fiber, timeout: float | None) -> float | None:
    """Limit an ask's timeout to the deadline, where its interrupt does not end the ask."""
    deadline = fiber.deadline
    if deadline is None or deadline.reaches or fiber.masked:
        return timeout
    left: float = max(0.0, deadline.at - fiber.owner.clock())
    return left if timeout is None else min(timeout, left)


class Operations:
    """The operations of one system.

    Attributes:
        system: The system.
    """

    def __init__(self, system: ActorSystem) -> None:
        self.system = system

    def table(self) -> dict[type[Any], Callable[[Any, Fiber], Any]]:
        """List the functions by operation.

        Returns:
            The table for the engine.
        """
        return {
            **ENGINE,
            ops.Ask: self.ask,
            ops.Tell: self.tell,
            ops.Stop: self.stop,
            ops.Join: self.join,
            ops.Spawn: self.spawn,
            ops.Lookup: self.lookup,
            ops.Self: self.own_ref,
            ops.Sleep: sleep,
            ops.Now: self.now,
            ops.Random: self.random,
            ops.Uuid: self.uuid,
            ops.Log: self.log,
            ops.Call: self.call,
            **stashing.table(),
            **TimerOperations(self.system, self.tell).table(),
        }

    def _find(self, ref: ActorRef[Any]) -> Cell | None:
        cell = binding_of(ref)
        if type(cell) is Cell and cell.system is self.system:
            return cell
        return self.system.find(ref)

    def ask(self, operation: ops.Ask[Any, Any], fiber: Fiber) -> Any:
        """Send a message; the reply resumes the fiber."""
        message = operation.message
        cell = self._find(operation.ref)
        if cell is None:
            raise OperationFailed(self._nobody(operation.ref, message))
        try:
            reply = enter(cell, message, fiber)
        except FATAL:
            raise
        except BaseException as error:
            raise OperationFailed(as_failure(cell, message, error)) from None
        if reply is None:
            return self.system.output
        # A branch's ask may be interrupted by the others, so it is no lasting deadlock.
        lasting = fiber.parent is None and type(fiber.owner) is Cell
        asker = fiber.owner if lasting else None
        timeout = operation.time_limit
        if fiber.deadline is not None:
            timeout = _within(fiber, timeout)
        try:
            awaiting(cell, reply, message, timeout, asker)
        except Deadlock:
            fiber.pending = None
            raise
        return SUSPENDED

    def _nobody(self, ref: ActorRef[Any], message: Any) -> ActorStopped:
        path = f"/{self.system.name}{ref.path}"
        if ref.path in self.system.cells:
            return ActorStopped(path, message, "is another actor now: the one of this ref stopped")
        nearest = self.system.nearest(ref.path)
        hint = f" (did you mean {' or '.join(nearest)}?)" if nearest else ""
        return ActorStopped(path, message, f"is no actor{hint}")

    def tell(self, operation: ops.Tell, _fiber: Fiber | None) -> None:
        """Send a message."""
        cell = self._find(operation.ref)
        if cell is None:
            error = self._nobody(operation.ref, operation.message)
            self.system.dead_letter(operation.message, error.target, error.reason)
        else:
            cell.tell_nowait(operation.message)

    def stop(self, operation: ops.Stop, _fiber: Fiber) -> None:
        """Ask an actor to stop."""
        cell = self._find(operation.ref)
        if cell is not None:
            self.system.stop_cell(cell, operation.mode)

    def join(self, operation: ops.Join, fiber: Fiber) -> Any:
        """Wait for an actor's end."""
        cell = self._find(operation.ref)
        if cell is None or cell.state == STOPPED:
            return None
        if cell is fiber.owner:
            raise joins_itself(cell)
        wait = LifecycleWait(fiber, cell, END_OF)
        fiber.wait(wait)
        when_stopped(cell, wait)
        return SUSPENDED

    def spawn(self, operation: ops.Spawn[Any], fiber: Fiber) -> Any:
        """Start an actor."""
        parent = fiber.owner if type(fiber.owner) is Cell else None
        cell = self.system.create(parent, operation.actor, operation.name)
        if fiber.spawn_scope is not None:
            # Before it has started: an interrupt meanwhile must not leave it behind.
            fiber.spawn_scope.finalizers.append(
                ops.Stop(cell.ref, "graceful").then(ops.Join(cell.ref))
            )
        if not cell.starting:
            return cell.ref
        wait = _SpawnWait(fiber, cell, START_OF)
        fiber.wait(wait)
        self.system.world.deliver(cell, Question((START, wait)))
        return SUSPENDED

    def lookup(self, operation: ops.Lookup[Any, Any], _fiber: Fiber) -> Any:
        """Find an actor."""
        try:
            return self.system.at(operation.path)
        except ActorNotFound as error:
            raise OperationFailed(error) from None

    def own_ref(self, _operation: ops.Self[Any], fiber: Fiber) -> Any:
        """Answer the owner's ref."""
        return fiber.owner.ref

    def now(self, _operation: ops.Now[Any], _fiber: Fiber) -> Any:
        """Answer the time of day."""
        return self.system.world.now()

    def random(self, _operation: ops.Random[Any], _fiber: Fiber) -> Any:
        """Answer a random number."""
        return self.system.world.random.random()

    def uuid(self, _operation: ops.Uuid[Any], _fiber: Fiber) -> Any:
        """Answer a random UUID."""
        return UUID(int=self.system.world.random.getrandbits(128), version=4)

    def log(self, operation: ops.Log, fiber: Fiber) -> None:
        """Write to the log."""
        level = _LEVELS[operation.level.upper()]
        if _LOG.isEnabledFor(level):
            fields = "".join(f" {key}={value!r}" for key, value in operation.fields.items())
            extra = {"effactor": {"actor": fiber.owner.full_path, **operation.fields}}
            _LOG.log(level, "%s%s", operation.text, fields, extra=extra)

    def call(self, operation: ops.Call[Any], fiber: Fiber) -> Any:
        """Call a function of the outside world."""
        answer = self.system.world.call(operation.function, operation.args, operation.kwargs)
        if not isawaitable(answer):
            return answer
        if is_program(answer):
            made = function_name(operation.function)
            msg = (
                f"free_call: {made} returned a Program, and nobody ran it; leave free_call out, "
                f'as in "yield from {made}(...)"'
            )
            raise TypeError(msg)
        # `create_task` wants a coroutine; any awaitable will do for us. A coroutine itself
        # would be left unawaited by one that is cancelled before it begins.
        task = self.system.loop.create_task(answer if iscoroutine(answer) else _await(answer))
        calling = Calling(operation.describe(), task)

        def ended(task: asyncio.Task[Any]) -> None:
            if fiber.pending is not calling:
                return
            if task.cancelled():
                if calling.withdrawn:
                    fiber.resume_as(Interrupted())
                else:
                    fiber.resume_died(CancelledError())
            elif (error := task.exception()) is not None:
                fiber.resume_died(error)
            else:
                fiber.resume(task.result())

        fiber.wait(calling)
        task.add_done_callback(ended)
        return SUSPENDED


class _SpawnWait(LifecycleWait):
    """Waits for an actor's `on_started`, and answers its ref."""

    __slots__ = ()

    @override
    def set_result(self, value: Any) -> None:
        """Answer the ref."""
        del value
        super().set_result(self.target.ref)


async def _await(awaitable: Any) -> Any:
    return await awaitable
