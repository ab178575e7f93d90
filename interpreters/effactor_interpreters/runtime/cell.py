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
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor.actors.ref import ActorRef
from effactor.errors import Unhandled
from effactor.events import Started
from effactor.programs.exits import Interrupted
from effactor.programs.operations import check_stop_mode
from effactor.programs.program import Program
from effactor_interpreters.runtime.asking import (
    BUDGET,
    ask_in_envelope,
    ask_in_envelope_nowait,
    awaiting,
    begin,
    enter,
    tell_in_envelope,
    waiting,
)
from effactor_interpreters.runtime.context_timers import Tick
from effactor_interpreters.runtime.controls import (
    Continue,
    Control,
    Failure,
    Question,
    StopRequest,
)
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.driver import DONE, Driver
from effactor_interpreters.runtime.engine.fiber import Deadline, Fiber
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.engine.synchronous import answer_of
from effactor_interpreters.runtime.fallback import TaskDriver, process_in_task
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.letters import Letter, tell_of_drop
from effactor_interpreters.runtime.mailbox import Closed
from effactor_interpreters.runtime.recovery import instance_of
from effactor_interpreters.runtime.relations import Relations
from effactor_interpreters.runtime.stashing import NO_MESSAGE, STASHED
from effactor_interpreters.runtime.states import (
    IDLE,
    QUEUED,
    RESUMING,
    RUNNING,
    STOPPED,
    SUSPENDED,
)
from effactor_interpreters.runtime.stopping import (
    close,
    join,
    stop_idle,
    stopped,
    stopped_error,
    why_stopped,
)
from effactor_interpreters.runtime.suspended import step, suspend
from effactor_interpreters.runtime.taking import ask_stream
from effactor_interpreters.runtime.task_protocol import TaskProtocol
from effactor_interpreters.runtime.threads import ask_from_thread, tell_from_thread
from effactor_interpreters.runtime.view import View
from effactor_interpreters.runtime.waits import (
    ProgramWait,
    Wait,
    as_raised,
    is_declared,
    is_unhandled,
    note_handling,
    wait_for,
)
from effactor_interpreters.runtime.work import COROUTINE, GENERATOR, PLAIN, WORK

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Generator, Iterator
    from concurrent.futures import Future
    from contextvars import Context

    from effactor.actors.actor import Actor
    from effactor.actors.dispatch import Behavior
    from effactor.actors.envelope import SendOptions
    from effactor.actors.ref import StopManner
    from effactor_interpreters.runtime.crews import Crew
    from effactor_interpreters.runtime.engine.contents import Contents
    from effactor_interpreters.runtime.equipment import Equipment
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.taking import ReplyStream
    from effactor_interpreters.runtime.waits import Link
    from effactor_interpreters.runtime.world import Timer


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
        handling: The message whose handler returned the program that runs now, until
            that program does `stash`; else a mark.
        ref: Its ref.
        parent: The cell that spawned it, or None.
    """

    __slots__ = (
        "_relations",
        "actor",
        "behavior",
        "driver",
        "handling",
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
        self.handling: Any = NO_MESSAGE
        self._relations: Relations | None = None
        self.ref: ActorRef[Any] = ActorRef(path, system.incarnation, self)
        # The same as in `adopt`, repeated because a spawn is so short that a call counts.
        self.actor: Actor[Any] = actor
        self.behavior: Behavior = type(actor).__effactor_behavior__
        self.plain: dict[type[Any], Callable[..., Any]] = self.behavior.plain
        actor._cell = self  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def adopt(self, actor: Actor[Any]) -> None:
        """Make *actor* this cell's instance."""
        self.actor = actor
        self.behavior = type(actor).__effactor_behavior__
        self.plain = self.behavior.plain
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
    @override
    def relations(self) -> Relations:
        """Children, joiners and the like; made when first asked for."""
        if self._relations is None:
            self._relations = Relations()
        return self._relations

    @property
    def relations_made(self) -> Relations | None:
        """The same, or None if nobody has asked for it yet."""
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
    def equipment(self) -> Equipment | None:
        """What the actor has beyond the default, or None."""
        return None if self._relations is None else self._relations.equipment

    @property
    def leads(self) -> Crew | None:
        """The crew that handles its messages in its place, or None."""
        return None

    @property
    def front(self) -> Cell:
        """The cell that receives the actor's messages and lives its life."""
        return self

    @property
    def is_plain(self) -> bool:
        """Whether its messages may travel bare."""
        return True

    @property
    def may_run_here(self) -> bool:
        """Whether a message may be handled at once, on the stack of whoever sends it."""
        return self.state == IDLE

    @property
    def may_run_letters_here(self) -> bool:
        """The same, for a message in a letter."""
        return self.state == IDLE

    def drivers(self) -> Iterator[Driver | TaskDriver]:
        """List what runs handlers of this actor, and waits."""
        if self.driver is not None:
            yield self.driver

    def ready_for_mail(self) -> None:
        """Learn that it has started."""
        system = self.system
        if system.observed and Started in system.events.wanted:
            system.events.emit(Started(self.ref.path, self.clock()))

    def priority_of(self, message: Any) -> int:
        """Say how urgent a message is if its sender says nothing."""
        kind: type[Any] = type(message)  # pyright: ignore[reportUnknownVariableType]
        return self.behavior.priority_of(kind)

    @property
    def guarded(self) -> bool:
        """Whether the handler that runs may end by itself, as under `asyncio.timeout`."""
        if self.driver is not None:
            return self.driver.guarded
        return self._relations is not None and self._relations.guarded

    @property
    def starting(self) -> bool:
        """Whether `on_started` has yet to begin."""
        return self._relations is not None and self._relations.starting

    @property
    def ended(self) -> str:
        """Why it stops or has stopped, in words; "" if it does not."""
        mailbox = self.mailbox
        if type(mailbox) is Closed:
            return mailbox.reason
        return "" if self._relations is None else self._relations.ended

    @property
    def is_alive(self) -> bool:
        """Whether what is sent now can still be handled."""
        return not self.closed and (self._relations is None or not self._relations.ended)

    @property
    def closed(self) -> bool:
        """Whether the mailbox refuses everything at once."""
        return type(self.mailbox) is Closed

    # ------------------------------------------------------------ asking

    async def ask(
        self,
        message: object,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Any:
        """Send a message and wait for its reply."""
        system = self.system
        if timeout is not None or options is not None or system.limits:
            return await ask_in_envelope(self, message, timeout, options)
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
                reply = begin(self, answer, message, None)
            else:
                handler = self.behavior.coroutine.get(kind)
                if handler is not None and system.pool and system.native:
                    system.budget = budget - 1 if budget else BUDGET
                    self.state = RUNNING
                    work = handler(self.actor, message)
                    # The same as in `begin`.
                    loop = system.loop
                    previous = current_tasks.get(loop)
                    current_tasks[loop] = self
                    driver = system.pool.pop()
                    try:
                        waited = self.variables.run(driver.send, (self, None, work))
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
                        if type(answer) in PLAIN or not isinstance(answer, WORK):
                            if self.mailbox is None:
                                self.state = IDLE
                            else:
                                self.after_turn()
                            return answer
                        # An `async def` handler that returned a program.
                        reply = begin(self, answer, message, None)
                    else:
                        reply = waiting(self, driver, work, message, None, waited)
                else:
                    reply = enter(self, message, None)
        else:
            reply = enter(self, message, None)
        if reply is None:
            return system.output
        awaiting(self, reply, message, system.ask_timeout, system.current_cell())
        if type(reply) is Wait:
            return await wait_for(reply)
        return await reply

    def link(self) -> Link | None:
        """Return the ask without whose reply this actor can never go on, if there is one."""
        driver = self.driver
        if driver is None or self.state != SUSPENDED or not isinstance(driver.waiting, Wait):
            return None
        if self.guarded:
            return None
        return driver.waiting.link()

    def ask_nowait(
        self, message: Any, timeout: float | None, options: SendOptions | None = None
    ) -> Awaitable[Any]:
        """Send a message at once; the result is a future of its reply."""
        if timeout is not None or options is not None or type(self) is not Cell:
            promised: Awaitable[Any] = ask_in_envelope_nowait(self, message, timeout, options)
            return promised
        system = self.system
        future: asyncio.Future[Any] = system.loop.create_future()
        system.world.deliver(self, Question((message, future)))
        if system.ask_timeout is not None:
            awaiting(self, future, message, system.ask_timeout, None)
        return future

    def ask_stream(
        self, message: Any, timeout: float | None, ahead: int, options: SendOptions | None
    ) -> ReplyStream:
        """Send a message, and take the replies one by one."""
        return ask_stream(self, message, timeout, ahead, options)

    # ------------------------------------------------------------ from other threads

    def tell_threadsafe(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message from any thread."""
        tell_from_thread(self, message, options)

    def ask_threadsafe(
        self, message: Any, timeout: float | None, options: SendOptions | None = None
    ) -> Future[Any]:
        """Send a message from another thread."""
        return ask_from_thread(self, message, timeout, options)

    # ------------------------------------------------------------ telling

    async def tell(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message."""
        # The same as `tell_nowait`, repeated to save its call.
        mailbox = self.mailbox
        if options is not None:
            tell_in_envelope(self, message, options, "tell")
        elif mailbox is not None:
            mailbox.append(message)
        else:
            self.system.world.deliver(self, message)

    def tell_nowait(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message."""
        mailbox = self.mailbox
        if options is not None:
            tell_in_envelope(self, message, options)
        elif mailbox is not None:
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
            self.enqueue()

    def put_first(self, item: Any) -> None:
        """Put an item before all others; the turn that runs, or the next one, takes it."""
        if self.mailbox is None:
            self.mailbox = self.system.world.new_mailbox(self)
        self.mailbox.appendleft(item)

    def fail_soon(self, failure: Failure) -> None:
        """Treat this actor as failed, before its next message."""
        if self.is_alive:
            self.put_first(failure)
            if self.state == IDLE:
                self.enqueue()

    def refuse(self, item: Any) -> None:
        """Fail an ask, or make a dead letter of a message, that comes too late."""
        message, reply = item if type(item) is Question else (item, None)
        if type(message) is Letter:
            if self.system.traced and (reply is None or not reply.done()):
                tell_of_drop(message, stopped_error(self, message.message))
            message = message.message
        if isinstance(message, StopRequest):
            return
        if type(message) is Continue:
            if type(message.work) is COROUTINE:
                message.work.close()
            message = message.message
        elif type(message) is Tick:
            message = message.message
        if reply is not None:
            if not reply.done():
                reply.set_exception(stopped_error(self, message))
        elif not isinstance(message, Control):
            self.system.dead_letter(message, self.full_path, why_stopped(self))

    def unhandled(self, message: Any, reply: Any) -> None:
        """Say that no handler takes *message*."""
        error = Unhandled(self.full_path, message, self.behavior.names)
        if reply is None:
            self.system.dead_letter(message, self.full_path, str(error))
        elif not reply.done():
            reply.set_exception(error)

    # ------------------------------------------------------------ turns

    def enqueue(self) -> None:
        """Ask for a turn."""
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
            self.variables.run(self.step, None)

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
            self.crashed(error)
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
            suspend(self, driver, None, waited)

    def after_turn(self) -> None:
        """Become idle, or ask for another turn."""
        if self.state == STOPPED:
            return
        if self._relations is not None:
            self._relations.turn_is_over()
        mailbox = self.mailbox
        if mailbox is None:
            self.state = IDLE
        elif mailbox:
            self.enqueue()
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
        if isinstance(error, FATAL) and not isinstance(error, GeneratorExit):
            self.crashed(error)
            return error
        error = as_raised(self, message, error)
        if not is_declared(message, error) and not is_unhandled(self, message, error):
            note_handling(self, message, error)
            self.put_first(Failure(error, message, instance_of(self)))
        self.after_turn()
        return error

    def crashed(self, error: BaseException) -> None:
        """Stop at once: KeyboardInterrupt and its like are for the whole process."""
        for child in list(self.children.values()):
            child.crashed(error)
            if child.driver is not None:
                child.driver.close()
        close(self, f"died of {error!r}")
        stopped(self)

    @coroutine
    def finish(
        self, work: Any, message: Any = NO_MESSAGE, time_limit: float | None = None
    ) -> Generator[Any, Any, Any]:
        """Finish what a handler or hook returned instead of an answer, in the driver.

        Args:
            work: The program or coroutine.
            message: The message that is handled; without one it is a hook's.
            time_limit: When the asker's deadline is over: the program's asks inherit it.

        Yields:
            What it waits for.

        Returns:
            The answer; `STASHED` if the program set the message aside.
        """
        while isinstance(work, WORK):
            if isinstance(work, GENERATOR):
                raise _not_a_reply(self, message, work)
            if isinstance(work, Program):
                self.handling = message
                try:
                    work = yield from self.run_program(work, time_limit)  # pyright: ignore[reportUnknownArgumentType]
                    if self.handling is STASHED:
                        work = STASHED
                finally:
                    self.handling = NO_MESSAGE
                break
            work = yield from work  # pyright: ignore[reportUnknownVariableType]
        return work  # pyright: ignore[reportUnknownVariableType]

    @coroutine
    def run_program(
        self, program: Program[Any, Any, Any], time_limit: float | None = None
    ) -> Generator[Any, Any, Any]:
        """Run a program as this actor, in the driver or a coroutine that it runs."""
        fiber = Fiber(self.system.table, self)
        if time_limit is not None:
            fiber.deadline = Deadline(time_limit, reaches=False)
        outcome = fiber.start(program)
        if outcome is None:
            outcome = yield from wait_for(ProgramWait(fiber))
        if type(outcome) is Interrupted:
            raise CancelledError
        return answer_of(outcome)

    # ------------------------------------------------------------ fibers it owns

    @property
    def coordination(self) -> Contents:
        """What is in the queues and the like of its system."""
        return self.system.coordination

    @property
    def states(self) -> dict[Any, Any]:
        """The values of the `State` cells that are kept per actor."""
        relations = self.relations
        if relations.states is None:
            relations.states = {}
        return relations.states

    def wake(self, fiber: Fiber) -> None:
        """Let a program that runs as this actor go on soon."""
        self.system.make_ready(fiber)

    def run_fiber(self, fiber: Fiber) -> None:
        """Let a program that runs as this actor go on now; after a crash, never."""
        state = self.state
        if state <= QUEUED:  # or idle
            # The program of a task that a handler has made: no handler may begin within.
            self.state = RUNNING
            try:
                self.variables.run(self._fiber_turn, fiber)
            finally:
                self.after_turn()
        elif state != STOPPED:
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

    def clock(self) -> float:
        """Return the seconds of the clock that timers go by."""
        now: float = self.system.loop.time()
        return now

    def call_later(self, seconds: float, callback: Callable[[], None], what: str) -> Timer:
        """Call *callback* after *seconds*, unless the actor has crashed by then."""

        def unless_crashed() -> None:
            # The timers of a normal end are cancelled; a crash cancels nothing, and what
            # a dead actor's program would do then must not happen.
            if self.state != STOPPED:
                callback()

        return self.system.world.call_later(seconds, unless_crashed, what)

    def out_of_fuel(self, fiber: Fiber) -> bool:
        """Let others run: a program without waits must not keep the loop."""
        self.system.world.refuel(self.full_path)
        self.system.make_ready(fiber)
        return True

    # ------------------------------------------------------------ suspended handlers

    def step(self, error: BaseException | None) -> None:
        """Go on with the suspended handler: a callback of the loop."""
        step(self, error)

    def wakeup(self, future: Any) -> None:
        """Go on with the suspended handler: the future it waited for is done."""
        try:
            future.result()
        except BaseException as error:  # the handler gets it
            step(self, error)
        else:
            step(self, None)

    # ------------------------------------------------------------ stopping

    async def stop(self, mode: StopManner) -> None:
        """Ask the actor to stop."""
        if mode != "graceful":
            check_stop_mode("stop", mode)
        elif stop_idle(self):
            return
        if get_ident() != self.system.thread:
            check_here(self.system, "ref.stop")
        self.system.stop_cell(self, mode)

    async def join(self) -> None:
        """Wait until the actor has stopped."""
        if self.state != STOPPED:
            check_here(self.system, "ref.join")
            await join(self)
        else:
            self.system.world.found_closed(self)

    def replace_actor(self) -> None:
        """Make a new instance in place of the failed one."""
        factory = self.relations.factory or type(self.actor)
        actor = factory()
        if actor is self.actor or hasattr(actor, "_cell"):
            msg = f"{factory!r} returned an actor that is spawned already; it must make a new one"
            raise TypeError(msg)
        self.relations.states = None
        self.adopt(actor)


def _not_a_reply(cell: Cell, message: Any, generator: Any) -> TypeError:
    """Make the error of a handler that returns an async generator instead of being one."""
    what = "a hook" if message is NO_MESSAGE else f"the handler for {type(message).__name__}"
    return TypeError(
        f"{what} of {cell.full_path} returned the async generator {generator.__qualname__}(), "
        "whose items nobody would take; yield them in an async def handler, as in "
        "`async for item in ...: yield item`"
    )


_SPARE_MAILBOXES: Final = 64
