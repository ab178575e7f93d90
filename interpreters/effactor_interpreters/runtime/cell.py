"""The cell: one actor's mailbox and state machine, and itself the task of its handlers.

"The cell is the task": asyncio lets a foreign object be the current task, so the
cell steps its handlers' coroutines itself and no task exists per actor or per
message. An idle actor's ask runs on the asker's stack; everything else goes
through the system's run queue. `states` draws the state machine.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, final

from effactor.actors.ref import ActorRef
from effactor.errors import ActorStopped, Deadlock, Unhandled
from effactor.programs.exits import Interrupted
from effactor.programs.operations import check_stop_mode, seconds
from effactor.programs.program import Program
from effactor_interpreters.runtime.controls import (
    Continue,
    Failure,
    Question,
    StopRequest,
)
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.driver import COROUTINE, DONE, PLAIN, WORK, Driver
from effactor_interpreters.runtime.engine.fiber import Fiber
from effactor_interpreters.runtime.engine.synchronous import answer_of
from effactor_interpreters.runtime.fallback import TaskDriver, process_in_task
from effactor_interpreters.runtime.relations import Relations
from effactor_interpreters.runtime.states import (
    IDLE,
    QUEUED,
    RESUMING,
    RUNNING,
    STOPPED,
    SUSPENDED,
)
from effactor_interpreters.runtime.task_protocol import TaskProtocol
from effactor_interpreters.runtime.view import View
from effactor_interpreters.runtime.waits import (
    FiberWait,
    ProgramWait,
    Wait,
    as_raised,
    expire,
    handler_failed,
    is_declared,
    wait_for,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Generator
    from contextvars import Context

    from effactor.actors.actor import Actor
    from effactor.actors.handlers import Behavior
    from effactor.actors.ref import StopMode
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.waits import Link

BUDGET: Final = 4
"""Asks handled on the asker's stack between two looks at the clock."""


@final
class Closed:
    """The mailbox of an actor that stops: whatever arrives is refused."""

    __slots__ = ("cell",)

    def __init__(self, cell: Cell) -> None:
        self.cell: Cell = cell

    def append(self, item: Any) -> None:
        """Refuse *item*."""
        self.cell.refuse(item)

    appendleft = append

    def __len__(self) -> int:
        return 0


@final
class Cell(TaskProtocol):
    """One actor: its instance, mailbox, state, and place in the system.

    Attributes:
        system: The system.
        actor: The user's object.
        behavior: Its dispatch table.
        plain: The table's `def` handlers, which every message is looked up in first.
        variables: The context variables of its handlers.
        state: One of `IDLE` ... `STOPPED`.
        mailbox: Queued items; None while empty, because an empty deque is large.
        driver: The driver that serves it while a handler waits.
        ref: Its ref.
        parent: The cell that spawned it, or None.
    """

    __slots__ = (
        "_relations",
        "actor",
        "behavior",
        "driver",
        "mailbox",
        "parent",
        "plain",
        "ref",
        "state",
        "system",
        "variables",
    )

    def __init__(
        self, system: ActorSystem, actor: Actor[Any], parent: Cell | None, path: str
    ) -> None:
        self.system: ActorSystem = system
        self.parent: Cell | None = parent
        self.variables: Context = copy_context()
        self.state: int = IDLE
        self.mailbox: deque[Any] | Closed | None = None
        self.driver: Driver | TaskDriver | None = None
        self._relations: Relations | None = None
        self.ref: ActorRef[Any] = ActorRef(path, system.incarnation, self)
        self.adopt(actor)

    def adopt(self, actor: Actor[Any]) -> None:
        """Make *actor* this cell's instance."""
        self.actor: Actor[Any] = actor
        self.behavior: Behavior = type(actor).__effactor_behavior__
        self.plain: dict[type[Any], Callable[..., Any]] = self.behavior.plain
        actor._cell = self  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    # ------------------------------------------------------------ identity

    @property
    def full_path(self) -> str:
        """The path with the system's name in front, for people."""
        return f"/{self.system.name}{self.ref.path}"

    @property
    def context(self) -> View:
        """What the actor sees of its surroundings."""
        return View(self)

    @property
    def description(self) -> str:
        """Name the interpreter, for errors."""
        return f"the actor system {self.system.name!r}"

    @property
    def relations(self) -> Relations:
        """Children, joiners and the like; made when first asked for."""
        if self._relations is None:
            self._relations = Relations()
        return self._relations

    @property
    def children(self) -> dict[str, Cell]:
        """Living children by name."""
        return {} if self._relations is None else self._relations.children

    @property
    def killed(self) -> str | None:
        """Why the running handler was cancelled for good, or None."""
        return None if self._relations is None else self._relations.killed

    @property
    def starting(self) -> bool:
        """Whether `on_started` has yet to begin."""
        return self._relations is not None and self._relations.starting

    @property
    def is_alive(self) -> bool:
        """Whether what is sent now can still be handled."""
        return not self.closed and (self._relations is None or not self._relations.ended)

    @property
    def closed(self) -> bool:
        """Whether the mailbox refuses everything at once."""
        return type(self.mailbox) is Closed

    # ------------------------------------------------------------ asking

    async def ask(self, message: object, timeout: float | None) -> Any:
        """Send a message and wait for its reply."""
        system = self.system
        budget = system.budget
        if self.state == IDLE and (budget or system.renew()):
            # The same as in `enter`, repeated here for the most frequent cases: one
            # call less is a fifth of their cost.
            kind = type(message)
            handler = self.plain.get(kind)
            if handler is not None:
                system.budget = budget - 1 if budget else BUDGET
                self.state = RUNNING
                try:
                    answer = self.variables.run(handler, self.actor, message)
                except BaseException as error:
                    raised = self.handler_raised(message, error)
                    if raised is error:
                        raise
                    raise raised from None
                if type(answer) in PLAIN or not isinstance(answer, WORK):
                    if self.mailbox is None:
                        self.state = IDLE
                    else:
                        self.after_turn()
                    return answer
                reply = self._begin(answer, message, None)
            else:
                handler = self.behavior.coroutine.get(kind)
                if handler is not None and system.pool and system.native:
                    system.budget = budget - 1 if budget else BUDGET
                    self.state = RUNNING
                    reply = self._begin(handler(self.actor, message), message, None)
                else:
                    reply = self.enter(message, None)
        else:
            reply = self.enter(message, None)
        if reply is None:
            return system.output
        self.awaiting(reply, message, timeout, system.current_cell())
        if type(reply) is Wait:
            return await wait_for(reply)
        return await reply

    def enter(self, message: object, fiber: Fiber | None) -> Any:
        """Handle an ask on the asker's stack if possible, else queue it.

        Args:
            message: The message.
            fiber: The fiber that asks; None for a coroutine.

        Returns:
            None if the reply is `system.output` already, else the reply to wait
            for. What the handler raises on this stack is raised.
        """
        system = self.system
        if self.state == IDLE and system.pool and (system.budget or system.renew()):
            kind = type(message)
            if kind not in self.behavior.every:
                self.behavior.resolve(kind)  # met for the first time
            system.budget = system.budget - 1 if system.budget else BUDGET
            handler = self.plain.get(kind)
            if handler is None:
                handler = self.behavior.coroutine.get(kind)
                if handler is not None and system.native:
                    self.state = RUNNING
                    return self._begin(handler(self.actor, message), message, fiber)
            else:
                self.state = RUNNING
                try:
                    answer = self.variables.run(handler, self.actor, message)
                except BaseException as error:
                    raised = self.handler_raised(message, error)
                    if raised is error:
                        raise
                    raise raised from None
                if type(answer) not in PLAIN and isinstance(answer, WORK):
                    return self._begin(answer, message, fiber)
                system.output = answer
                self.after_turn()
                return None
        reply = self._new_reply(message, fiber)
        system.world.deliver(self, Question((message, reply)))
        if self.state == QUEUED and system.pool and (system.budget or system.renew()):
            # Behind other mail: handle all of it here, in order.
            mail: Any = self.mailbox  # not None, or it would be idle
            system.budget = max(0, system.budget - len(mail))
            self.run_turn()
        return reply

    def _new_reply(self, message: Any, fiber: Fiber | None) -> Any:
        if fiber is not None:
            reply = FiberWait(fiber, self, message)
            # Before the message is sent: its refusal may settle the reply at once.
            fiber.wait(reply)
            return reply
        if self.system.current_cell() is not None:
            return Wait(self, message)
        return self.system.loop.create_future()

    def _begin(self, work: Any, message: Any, fiber: Fiber | None) -> Any:
        """Run a handler's coroutine or program on the asker's stack until it waits.

        Returns:
            As `enter` does.
        """
        system = self.system
        if not (system.pool and system.native):
            # Too deep on the stack: it goes on from the run queue.
            reply = self._new_reply(message, fiber)
            self.put_first(Question((Continue(work, message), reply)))
            self.after_turn()
            return reply
        loop = system.loop
        previous = current_tasks.get(loop)
        current_tasks[loop] = self
        driver = system.pool.pop()
        try:
            if type(work) is COROUTINE:
                waited = self.variables.run(driver.send, (self, None, work))
            else:
                waited = self.variables.run(driver.send, (self, None, self.finish(work)))
        except BaseException as error:
            system.pool.append(system.new_driver())
            raised = self.handler_raised(message, error)
            if raised is error:
                raise
            raise raised from None
        finally:
            if previous is None:
                del current_tasks[loop]
            else:
                current_tasks[loop] = previous
        if waited is DONE:
            system.pool.append(driver)
            answer = system.output
            if type(answer) not in PLAIN and isinstance(answer, Program):
                # An `async def` handler that returned a program.
                return self._begin(answer, message, fiber)
            if self.mailbox is None:
                self.state = IDLE
            else:
                self.after_turn()
            return None
        system.pool.append(system.new_driver())
        reply = self._new_reply(message, fiber)
        driver.message = message
        self._suspend(driver, reply, waited)
        return reply

    def awaiting(self, reply: Any, message: Any, timeout: float | None, asker: Cell | None) -> None:
        """Set the timer of an ask that waits, or see whether it can ever end.

        Args:
            reply: The reply waited for.
            message: The message.
            timeout: Seconds to wait; None to wait for ever.
            asker: The actor that asks, if it waits for nothing but this.

        Raises:
            Deadlock: If this actor waits, perhaps through others, for the asker.
            ValueError: If *timeout* is negative.
        """
        if timeout is not None:
            seconds("ask", "timeout", timeout)
            if reply.done():
                return
            what = f"timeout of {type(message).__name__} to {self.ref.path}"
            expired = expire(reply, self, message, timeout)
            timer = self.system.world.call_later(timeout, expired, what)
            if isinstance(reply, Wait | FiberWait):
                reply.timer = timer
            else:

                def ended(_reply: object) -> None:
                    timer.cancel()

                reply.add_done_callback(ended)
        elif asker is not None and not reply.done():
            deadlock = find_cycle(asker, self, message)
            if deadlock is not None:
                reply.cancel()
                raise deadlock

    def link(self) -> Link | None:
        """Return the ask without whose reply this actor can never go on, if there is one."""
        driver = self.driver
        if driver is None or self.state != SUSPENDED or not isinstance(driver.waiting, Wait):
            return None
        return driver.waiting.link()

    def ask_nowait(self, message: Any, timeout: float | None) -> Awaitable[Any]:
        """Send a message at once; the result is a future of its reply."""
        future: asyncio.Future[Any] = self.system.loop.create_future()
        self.system.world.deliver(self, Question((message, future)))
        if timeout is not None:
            self.awaiting(future, message, timeout, None)
        return future

    # ------------------------------------------------------------ telling

    async def tell(self, message: Any) -> None:
        """Send a message."""
        # The same as `tell_nowait`, repeated to save its call.
        mailbox = self.mailbox
        if mailbox is not None:
            mailbox.append(message)
        else:
            self.system.world.deliver(self, message)

    def tell_nowait(self, message: Any) -> None:
        """Send a message."""
        mailbox = self.mailbox
        if mailbox is not None:
            mailbox.append(message)
        else:
            self.system.world.deliver(self, message)

    def accept(self, item: Any) -> None:
        """Put an item into the mailbox, and ask for a turn if idle. Worlds call it."""
        mailbox = self.mailbox
        if mailbox is not None:
            mailbox.append(item)
            return
        spare = self.system.mailboxes
        mailbox = self.mailbox = spare.pop() if spare else deque()
        mailbox.append(item)
        if self.state == IDLE:
            self._enqueue()

    def put_first(self, item: Any) -> None:
        """Put an item before all others; the turn that runs, or the next one, takes it."""
        if self.mailbox is None:
            self.mailbox = deque()
        self.mailbox.appendleft(item)

    def fail_soon(self, failure: Failure) -> None:
        """Treat this actor as failed, before its next message."""
        if self.is_alive:
            self.put_first(failure)
            if self.state == IDLE:
                self._enqueue()

    def refuse(self, item: Any) -> None:
        """Fail an ask, or make a dead letter of a message, that comes too late."""
        message, reply = item if type(item) is Question else (item, None)
        if type(message) is StopRequest:
            return
        if type(message) is Continue:
            if type(message.work) is COROUTINE:
                message.work.close()
            message = message.message
        if reply is not None:
            if not reply.done():
                reply.set_exception(self.stopped_error(message))
        elif type(message) is not Failure:
            self.system.dead_letter(message, self.full_path, self.why_stopped())

    def unhandled(self, message: Any, reply: Any) -> None:
        """Say that no handler takes *message*."""
        error = Unhandled(self.full_path, message, self.behavior.names)
        if reply is None:
            self.system.dead_letter(message, self.full_path, str(error))
        elif not reply.done():
            reply.set_exception(error)

    # ------------------------------------------------------------ turns

    def _enqueue(self) -> None:
        self.state = QUEUED
        self.system.make_ready(self)

    def resume(self) -> None:
        """Go on with the suspended handler soon: what it waited for is there."""
        if self.state == SUSPENDED:
            self.state = RESUMING
            self.system.make_ready(self)

    def run_turn(self) -> None:
        """Do what the cell was made ready for. The run queue calls it."""
        if self.state == QUEUED:
            self.process(self.mailbox)
        elif self.state == RESUMING:
            self.variables.run(self._step, None)

    def process(self, inbox: Any) -> None:
        """Handle a batch of *inbox*, a deque of items, until a handler waits."""
        self.state = RUNNING
        if self.system.native:
            self.variables.run(self._batch, inbox)
        else:
            process_in_task(self, inbox)

    def _batch(self, inbox: Any) -> None:
        system = self.system
        loop = system.loop
        previous = current_tasks.get(loop)
        current_tasks[loop] = self
        driver = system.pool.pop() if system.pool else system.new_driver()
        try:
            waited = driver.send((self, inbox, None))
            while waited is DONE and inbox and not system.ready and system.renew():
                # Nobody else wants a turn: the next batch needs no way through the queue.
                waited = driver.send((self, inbox, None))
        except BaseException as error:
            system.pool.append(system.new_driver())
            self._crashed(error)
            raise
        finally:
            if previous is None:
                del current_tasks[loop]
            else:
                current_tasks[loop] = previous
        if waited is DONE:
            system.pool.append(driver)
            self.after_turn()
        else:
            system.pool.append(system.new_driver())
            self._suspend(driver, None, waited)

    def after_turn(self) -> None:
        """Become idle, or ask for another turn."""
        if self.state == STOPPED:
            return
        mailbox = self.mailbox
        if mailbox is None:
            self.state = IDLE
        elif mailbox:
            self._enqueue()
        else:
            self.state = IDLE
            if type(mailbox) is deque:
                self.mailbox = None
                if len(self.system.mailboxes) < _SPARE_MAILBOXES:
                    self.system.mailboxes.append(mailbox)

    def handler_raised(self, message: Any, error: BaseException) -> BaseException:
        """End a turn on an asker's stack whose handler raised.

        Returns:
            What the asker sees raised.
        """
        if not isinstance(error, Exception | CancelledError):
            self._crashed(error)
            return error
        error = as_raised(self, message, error)
        if not is_declared(message, error):
            self.put_first(Failure(error))
        self.after_turn()
        return error

    def _crashed(self, error: BaseException) -> None:
        """Stop at once: KeyboardInterrupt and its like are for the whole process."""
        self.close(f"died of {error!r}")
        self.stopped()

    @coroutine
    def finish(self, work: Any) -> Generator[Any, Any, Any]:
        """Finish what a handler or hook returned instead of an answer, in the driver."""
        while isinstance(work, WORK):
            if isinstance(work, Program):
                work = yield from self.run_program(work)  # pyright: ignore[reportUnknownArgumentType]
                break
            work = yield from work  # pyright: ignore[reportUnknownVariableType]
        return work  # pyright: ignore[reportUnknownVariableType]

    @coroutine
    def run_program(self, program: Program[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Run a program as this actor, in the driver or a coroutine that it runs."""
        fiber = Fiber(self.system.table, self)
        outcome = fiber.start(program)
        if outcome is None:
            outcome = yield from wait_for(ProgramWait(fiber))
        if type(outcome) is Interrupted:
            raise CancelledError
        return answer_of(outcome)

    # ------------------------------------------------------------ fibers it owns

    def wake(self, fiber: Fiber) -> None:
        """Let a program that runs as this actor go on soon; after a crash, never."""
        if self.state != STOPPED:
            self.system.make_ready(fiber)

    def run_fiber(self, fiber: Fiber) -> None:
        """Let a program that runs as this actor go on now."""
        self.variables.run(self._fiber_turn, fiber)

    def _fiber_turn(self, fiber: Fiber) -> None:
        loop = self.system.loop
        previous = current_tasks.get(loop)
        current_tasks[loop] = self
        try:
            fiber.turn()
        finally:
            if previous is None:
                del current_tasks[loop]
            else:
                current_tasks[loop] = previous

    def out_of_fuel(self, fiber: Fiber) -> bool:
        """Let others run: a program without waits must not keep the loop."""
        self.system.world.refuel(self.full_path)
        self.system.make_ready(fiber)
        return True

    # ------------------------------------------------------------ suspended handlers

    def _suspend(self, driver: Driver, reply: Any, waited: Any) -> None:
        driver.reply = reply
        self.driver = driver
        self.state = SUSPENDED
        if self.killed is not None:
            driver.must_cancel = True
        self._wait_on(driver, waited)

    def _wait_on(self, driver: Driver, waited: Any) -> None:
        """Do with what the handler yields what asyncio's Task does."""
        if waited is None:  # asyncio.sleep(0)
            self.system.loop.call_soon(self._step, None, context=self.variables)
            return
        if isinstance(waited, Wait):
            driver.waiting = waited
            waited.cell = self
            if waited.finished:
                self.resume()
            elif driver.must_cancel and waited.cancel():
                driver.must_cancel = False
            return
        blocking = getattr(waited, "_asyncio_future_blocking", None)
        if blocking and waited is not self:
            waited._asyncio_future_blocking = False  # noqa: SLF001
            waited.add_done_callback(self._wakeup, context=self.variables)
            driver.waiting = waited
            if driver.must_cancel and waited.cancel():
                driver.must_cancel = False
            return
        if blocking is None:
            error = RuntimeError(f"a handler of {self.full_path} awaited {waited!r}, no future")
        else:
            error = RuntimeError(f"yield was used instead of yield from with {waited!r}")
        self.system.loop.call_soon(self._step, error, context=self.variables)

    def _wakeup(self, future: Any) -> None:
        try:
            future.result()
        except BaseException as error:  # the handler gets it
            self._step(error)
        else:
            self._step(None)

    def _step(self, error: BaseException | None) -> None:
        """Go on with the suspended handler; called in the cell's context variables."""
        driver = self.driver
        if not isinstance(driver, Driver):
            return  # the cell has crashed meanwhile
        system = self.system
        driver.waiting = None
        if driver.must_cancel:
            if not isinstance(error, CancelledError):
                error = CancelledError()
            driver.must_cancel = False
        self.state = RUNNING
        reply = driver.reply
        loop = system.loop
        previous = current_tasks.get(loop)
        current_tasks[loop] = self
        try:
            waited = driver.send(None) if error is None else driver.throw(error)
        except BaseException as raised:  # only a handler that began on an asker's stack
            self.driver = None
            self._inline_handler_raised(driver.message, reply, raised)
            return
        finally:
            if previous is None:
                del current_tasks[loop]
            else:
                current_tasks[loop] = previous
        if waited is not DONE:
            self.state = SUSPENDED
            self._wait_on(driver, waited)
            return
        self.driver = None
        message, driver.message, driver.reply = driver.message, None, None
        driver.cancellations = 0
        system.recycle(driver)
        if reply is not None:
            output, system.output = system.output, None
            if output is not None and isinstance(output, Program):
                self.put_first(Question((Continue(output, message), reply)))
            elif not reply.done():
                reply.set_result(output)
        self.after_turn()

    def _inline_handler_raised(self, message: Any, reply: Any, error: BaseException) -> None:
        if not isinstance(error, Exception | CancelledError):
            if not reply.done():
                reply.set_exception(RuntimeError(f"{self.full_path} died of {error!r}"))
            self._crashed(error)
            raise error
        if self.killed is not None and isinstance(error, CancelledError):
            if not reply.done():
                reply.set_exception(
                    ActorStopped(self.full_path, message, self.killed, delivered=True)
                )
            self.after_turn()
            return
        raised = self.handler_raised(message, error)
        if not reply.done():
            handler_failed(reply, raised)

    # ------------------------------------------------------------ stopping

    async def stop(self, mode: StopMode) -> None:
        """Ask the actor to stop."""
        check_stop_mode("stop", mode)
        self.system.stop_cell(self, mode)

    def request_stop(self, request: StopRequest) -> None:
        """Stop before all other messages: for the modes `current` and `now`."""
        mailbox = self.mailbox
        if type(mailbox) is Closed:
            if request.mode == "now" and self.state != STOPPED:
                self._hurry(request)
            return
        leftovers = list(mailbox or ())
        relations = self.relations
        relations.ended, relations.ended_at = request.reason, self.system.world.clock()
        if mailbox is None:
            mailbox = self.mailbox = deque()
        mailbox.clear()
        # First in line while its leftovers are refused: what these wake up may tell us more.
        mailbox.append(request)
        for item in leftovers:
            self.refuse(item)
        if self.state == IDLE:
            self._enqueue()
        elif request.mode == "now":
            relations.killed = relations.killed or f"was stopped ({request.reason})"
            self.cancel()

    def _hurry(self, request: StopRequest) -> None:
        """Cut short what a stop waits for: the children's handlers, the actor's own hook."""
        for child in list(self.children.values()):
            self.system.world.deliver(child, request, urgent=True)
        self.cancel()

    def close(self, reason: str) -> None:
        """Refuse all mail, now and later."""
        relations = self.relations
        relations.killed = None  # done: on_stopped must not be cancelled too
        relations.ended, relations.ended_at = reason, self.system.world.clock()
        mailbox, self.mailbox = self.mailbox, Closed(self)
        if type(mailbox) is deque:
            for item in tuple(mailbox):
                self.refuse(item)
            mailbox.clear()

    def stopped(self) -> None:
        """Leave the system, and tell whoever waits for this."""
        self.state = STOPPED
        relations = self.relations
        self.system.forget(self)
        joiners, relations.joiners = relations.joiners, []
        for joiner in joiners:
            if not joiner.done():
                joiner.set_result(None)

    def why_stopped(self) -> str:
        """Say when and why the actor stopped."""
        relations = self.relations
        if self.state != STOPPED:
            return f"is stopping ({relations.ended})"
        ago = self.system.world.clock() - relations.ended_at
        return f"stopped {ago:.1f} s ago ({relations.ended})"

    def stopped_error(self, message: Any) -> ActorStopped:
        """Make the error of an ask that comes too late."""
        return ActorStopped(self.full_path, message, self.why_stopped())

    def on_stopped(self, reply: Any) -> None:
        """Settle *reply* when the actor has stopped, or at once if it has."""
        if self.state == STOPPED:
            reply.set_result(None)
        else:
            self.relations.joiners.append(self.system.world.returning(reply, self, "end"))

    async def join(self) -> None:
        """Wait until the actor has stopped."""
        if self.state == STOPPED:
            return
        joiner = self.system.current_cell()
        if joiner is self:
            raise self.joins_itself()
        if joiner is not None:
            wait = Wait(None, f"the end of {self.full_path}")
            self.on_stopped(wait)
            await wait_for(wait)
        else:
            future = self.system.loop.create_future()
            self.on_stopped(future)
            await future

    def joins_itself(self) -> Deadlock:
        """Make the error of a handler that waits for the end of its own actor."""
        path = self.full_path
        return Deadlock((f"{path} waits for the end of {path}, itself",), cycle=False)

    def replace_actor(self) -> None:
        """Make a new instance in place of the failed one."""
        factory = self.relations.factory or type(self.actor)
        actor = factory()
        if actor is self.actor:
            msg = f"{factory!r} returned the instance that failed; it must make a new one"
            raise TypeError(msg)
        self.adopt(actor)


_SPARE_MAILBOXES: Final = 64
