"""What each operation means in an actor system: one function an operation."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from inspect import isawaitable, iscoroutine
from typing import TYPE_CHECKING, Any
from uuid import UUID

from typing_extensions import override

from effactor.actors.mailboxes import Full
from effactor.actors.ref import ActorRef, binding_of
from effactor.errors import ActorNotFound, Deadlock
from effactor.programs import operations as ops
from effactor.programs.exits import Interrupted
from effactor.programs.structure import function_name, is_program
from effactor_interpreters.runtime import becoming, ephemeral, stashing, watching
from effactor_interpreters.runtime.asking import (
    awaiting,
    enter,
    enter_in_envelope,
    patience,
    tell_in_envelope,
    within,
    within_deadline,
)
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import START, Question, unwanted
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.engine.signals import FATAL, SUSPENDED, OperationFailed
from effactor_interpreters.runtime.engine.sleeping import sleep
from effactor_interpreters.runtime.engine.table import ENGINE
from effactor_interpreters.runtime.equipment import Equipped
from effactor_interpreters.runtime.insisting import PATIENCE
from effactor_interpreters.runtime.letters import tell_of_drop
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import joins_itself, when_stopped
from effactor_interpreters.runtime.streaming import StreamOperations
from effactor_interpreters.runtime.timers import TimerOperations
from effactor_interpreters.runtime.virtual.address import Address
from effactor_interpreters.runtime.waits import (
    END_OF,
    START_OF,
    LifecycleWait,
    RoomWait,
    as_failure,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.world import Timer

_LOG = logging.getLogger("effactor.program")
_LEVELS = logging.getLevelNamesMapping()


class Calling:
    """What a fiber waits for while an awaitable of `free_call` runs in a task."""

    __slots__ = ("_fiber", "_patience", "name", "task", "withdrawn")

    def __init__(self, fiber: Fiber, name: str, task: asyncio.Task[Any]) -> None:
        self._fiber = fiber
        self._patience: Timer | None = None
        self.name: str = name
        self.task: asyncio.Task[Any] = task
        self.withdrawn: bool = False

    def withdraw(self) -> bool:
        """Cancel the task; the fiber goes on when it has ended, or shows that it will not."""
        if not self.withdrawn:
            self.withdrawn = True
            what = f"patience with a cancelled {self.name}"
            self._patience = self._fiber.owner.call_later(PATIENCE, self._give_up, what)
            self.task.cancel()
        return False

    def ended(self) -> None:
        """Learn that the task has ended."""
        if self._patience is not None:
            self._patience.cancel()

    def _give_up(self) -> None:
        who = self._fiber.owner.full_path
        _LOG.error(
            "%s of %s goes on %g s after it was cancelled; nobody waits for it any more",
            self.name,
            who,
            PATIENCE,
        )
        self.task.cancel()
        self._fiber.resume_as(Interrupted())

    def describe(self) -> str:
        """Say what is waited for."""
        return self.name


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
            ephemeral.SpawnEphemeral: ephemeral.spawn,
            **becoming.table(),
            **stashing.table(),
            **watching.table(),
            **TimerOperations(self.system, self.tell).table(),
            **StreamOperations(self.system, self._find).table(),
        }

    def _find(self, ref: ActorRef[Any]) -> Cell | None:
        found = binding_of(ref)
        # A private system has no other way in than its refs.
        if isinstance(found, Cell) and (found.system is self.system or found.system.is_private):
            return found
        if isinstance(found, Address):
            return found.cell_in(self.system)
        return self.system.find(ref)

    def ask(self, operation: ops.Ask[Any, Any], fiber: Fiber) -> Any:
        """Send a message; the reply resumes the fiber."""
        system, message = self.system, operation.message
        found: Any = binding_of(operation.ref)
        # The most frequent case of `_find`, whose call is a tenth of an ask.
        known = type(found) is Cell and found.system is system
        cell: Cell | None = found if known else self._find(operation.ref)
        if cell is None:
            raise OperationFailed(system.nobody(operation.ref, message))
        timeout, options = operation.time_limit, operation.options
        try:
            if (
                timeout is None
                and options is None
                and fiber.deadline is None
                and not system.limits
                and type(cell) is Cell
            ):
                reply = enter(cell, message, fiber)
                timeout = system.ask_timeout
            else:
                timeout = patience(system, timeout, "free_ask")
                if fiber.deadline is not None:
                    timeout = within_deadline(fiber, timeout)
                timeout = within(fiber.owner, timeout)
                reply = enter_in_envelope(cell, message, fiber, timeout, options)
        except FATAL:
            raise
        except BaseException as error:
            raise OperationFailed(as_failure(cell, message, error)) from None
        if reply is None:
            return system.output
        # A branch's ask may be interrupted by the others, so it is no lasting deadlock.
        lasting = fiber.parent is None and isinstance(fiber.owner, Cell)
        asker = fiber.owner if lasting else None
        try:
            awaiting(cell, reply, message, timeout, asker)
        except Deadlock:
            fiber.pending = None
            raise
        return SUSPENDED

    def tell(self, operation: ops.Tell, fiber: Fiber | None) -> Any:
        """Send a message; if the mailbox makes the sender wait, room resumes the fiber."""
        cell = self._find(operation.ref)
        if cell is None:
            error = self.system.nobody(operation.ref, operation.message)
            self.system.dead_letter(operation.message, error.target, error.reason)
        elif isinstance(cell, Equipped):
            return self._tell_equipped(cell, operation, fiber)
        else:
            cell.tell_nowait(operation.message, operation.options)
        return None

    def _tell_equipped(self, cell: Equipped, operation: ops.Tell, fiber: Fiber | None) -> Any:
        message, door = operation.message, cell.door
        if fiber is None:  # a timer, which can neither wait nor be told
            try:
                cell.tell_nowait(message, operation.options)
            except Exception as error:
                self.system.dead_letter(message, cell.full_path, str(error))
            return None
        letter = tell_in_envelope(cell, message, operation.options)
        if letter.full is None or door is None:
            return None
        if letter.full is Full.REJECT:
            raise door.turned_away(letter)
        # As for asks: a branch's wait, or one with a deadline, is no lasting deadlock.
        if isinstance(fiber.owner, Cell) and fiber.parent is None and fiber.deadline is None:
            deadlock = find_cycle(fiber.owner, cell, message)
            if deadlock is not None:
                tell_of_drop(letter, deadlock)
                raise deadlock
        room = RoomWait(fiber, cell, message)
        waits = fiber.wait(room)
        door.block(letter, room)
        return waits

    def stop(self, operation: ops.Stop, _fiber: Fiber) -> None:
        """Ask an actor to stop."""
        cell = self._find(operation.ref)
        if cell is not None:
            self.system.stop_cell(cell, operation.mode)

    def join(self, operation: ops.Join, fiber: Fiber) -> Any:
        """Wait for an actor's end."""
        cell = self._find(operation.ref)
        if cell is None:
            return None
        if cell.state == STOPPED:
            self.system.world.found_closed(cell)
            return None
        if isinstance(fiber.owner, Cell) and cell is fiber.owner.front:
            raise joins_itself(cell)
        wait = LifecycleWait(fiber, cell, END_OF)
        fiber.wait(wait)
        when_stopped(cell, wait)
        return SUSPENDED

    def spawn(self, operation: ops.Spawn[Any], fiber: Fiber) -> Any:
        """Start an actor."""
        parent = fiber.owner.front if isinstance(fiber.owner, Cell) else None
        cell = self.system.create(parent, operation.actor, operation.name, operation.props)
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
        calling = Calling(fiber, operation.describe(), task)

        def ended(task: asyncio.Task[Any]) -> None:
            calling.ended()
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
    """Waits for an actor's `on_started`, and answers its ref; interrupted, for the actor's end."""

    __slots__ = ("_leaving",)

    def __init__(self, fiber: Fiber, target: Cell, message: Any) -> None:
        super().__init__(fiber, target, message)
        self._leaving = False

    @override
    def set_result(self, value: Any) -> None:
        """Answer the ref."""
        del value
        super().set_result(self.target.ref)

    @override
    def withdraw(self) -> bool:
        """Stop the actor: nobody gets its ref, so nobody else could ever do so."""
        fiber, target = self.fiber, self.target
        if fiber is None or fiber.pending is not self:  # or it will never run again
            super().withdraw()
            return not self._leaving
        self._take()
        self._leaving = True
        when_stopped(target, _Stopped(fiber, self))
        target.system.world.deliver(target, unwanted(), urgent=True)
        return False


class _Stopped:
    """The reply of the end of an actor whose spawn was interrupted."""

    __slots__ = ("_fiber", "_wait")

    def __init__(self, fiber: Fiber, wait: _SpawnWait) -> None:
        self._fiber = fiber
        self._wait = wait

    def done(self) -> bool:
        """Tell whether the program is over."""
        return self._fiber.pending is not self._wait

    def set_result(self, _value: object) -> None:
        """Let the interrupt go on."""
        if not self.done():
            self._fiber.resume_as(Interrupted())


async def _await(awaitable: Any) -> Any:
    return await awaitable
