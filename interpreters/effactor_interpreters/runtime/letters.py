"""Letters: messages that travel in an envelope, because there is something to carry.

Most messages travel bare. One is put into a letter if its sender adds something (a
deadline, headers, a priority, a cancellation token), or if its receiver wants to know
more than the message: middleware stands before it, its handlers read
`self.context.message`, its mailbox has an order, somebody listens to events.
"""

# Handlers answer values of any type, and pyright loses itself in what a coroutine of the
# driver's answers.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from asyncio import CancelledError
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from typing_extensions import override

from effactor.actors.dispatch import NoGuardHolds
from effactor.errors import AskCancelled, AskFailed, MessageDropped, Unhandled
from effactor.events import Delivered, Dropped, HandlerFailed, Replied, Sent
from effactor.traces.wording import brief
from effactor_interpreters.runtime.controls import Control
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.next_calls import (
    RUNNING,
    UNFINISHED,
    check_call,
    check_end,
    ended,
    outlive,
)
from effactor_interpreters.runtime.stashing import STASHED
from effactor_interpreters.runtime.waits import is_closed
from effactor_interpreters.runtime.work import COROUTINE, PLAIN, WORK

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from datetime import datetime

    from effactor.actors.cancellation import CancellationToken
    from effactor.actors.envelope import MessageKind, SendOptions
    from effactor.actors.mailboxes import Full
    from effactor.actors.ref import ActorRef
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.runs import Run

_NO_HEADERS: Final[Mapping[str, Any]] = MappingProxyType({})

ACTS_FOR: Final[ContextVar[Letter | None]] = ContextVar("effactor_acts_for", default=None)
"""In the tasks that a handler makes which may overlap others of its actor: its letter."""


@final
class Refusal:
    """What a letter answers if its message is not handled after all.

    Attributes:
        error: Why, for its asker; the words are those of a dead letter.
    """

    __slots__ = ("error",)

    def __init__(self, error: AskFailed) -> None:
        self.error: AskFailed = error


@final
class Letter(Control):
    """A message with its envelope. It is what handlers and middleware see of the envelope, too.

    Attributes:
        cell: The receiver.
        message: The message.
        kind: Whether it was asked, told or published.
        sender_cell: Who sent it: an actor, a run, or None for anybody else.
        options: What the sender added, or None.
        sent: When it was sent, on the loop's clock.
        limit: When its asker stops waiting, on the loop's clock; None if never.
        reply: Where its reply goes, while it is in an inbox.
        full: Why the inbox did not take it; None if it did.
        kept_by: The user's own inbox that it waits in, or None.
        handled_by: The cell whose driver handles it.
        is_handled: Whether that is happening now.
        span: Number of its life in the events; 0 if nobody listened when it was sent.
        parent_span: The span of the message that its sender was handling, or None.
        stream: The stream of replies that its asker wants, or None.
        stashed: Whether its handler has set it aside: it comes again.
        further: Behind middleware, the call of the rest: a coroutine, `RUNNING`, whoever waits
            for its end, or None.
        place: When it was sent and which effect of its sender it is, for a simulation.
        source: Path of its sender, where a simulated world keeps them apart.
    """

    # What every letter sets has a slot; the rest is rare, and the class's until it is set:
    # an ask in a letter is a fifth quicker so.
    __slots__ = (
        "__dict__",
        "cell",
        "further",  # set by the chain only
        "handled_by",
        "is_handled",
        "kind",
        "limit",
        "message",
        "options",
        "sender_cell",
        "sent",
        "stashed",
    )

    reply: Any = None
    full: Full | None = None
    source: str = ""
    stream: Any = None
    kept_by: Any = None
    place: Any = None
    span: int = 0
    parent_span: int | None = None
    _sent_at: datetime | None = None
    _cause: Letter | None = None
    _token: CancellationToken | None = None
    _id: str | None = None
    _within: Letter | None = None
    _refused: AskFailed | None = None

    def __init__(
        self,
        cell: Cell,
        message: Any,
        kind: MessageKind,
        sender: Cell | Run | None,
        options: SendOptions | None,
        limit: float | None,
    ) -> None:
        self.further: Any
        system = cell.system
        self.cell: Cell = cell
        self.message: Any = message
        self.kind: MessageKind = kind
        self.sender_cell: Cell | Run | None = sender
        self.options: SendOptions | None = options
        self.limit: float | None = limit
        self.sent: float = system.loop.time()
        self.stashed: bool = False
        self.handled_by: Cell = cell
        self.is_handled: bool = False
        letter = ACTS_FOR.get() if sender is None else letter_of(sender)
        if letter is not None:
            self._cause = letter
            if kind == "ask":
                # Whoever waits for the sender's own reply may call this off, too.
                self._token = letter.cancellation
            if options is None or options.correlation_id is None:
                # The one that names the conversation: a line of all of them would have no end.
                self._within = letter._within or letter  # noqa: SLF001 - of its own class
        if system.traced:
            self.span = system.events.next_span()
            if letter is not None:
                self.parent_span = letter.span or None
            if Sent in system.events.wanted:
                system.events.emit(Sent(self, message, self.sent))

    # ------------------------------------------------------------ envelope

    @property
    def actor_ref(self) -> ActorRef[Any]:
        """The actor that receives the message."""
        return self.cell.ref

    @property
    def id(self) -> str:
        """What names this sending; drawn when it is first asked for."""
        if self._id is None:
            chosen = None if self.options is None else self.options.id
            self._id = chosen or self.cell.system.world.identity()
        return self._id

    @property
    def correlation_id(self) -> str:
        """What names the conversation."""
        chosen = None if self.options is None else self.options.correlation_id
        if chosen is not None:
            return chosen
        # The conversation goes on, whatever becomes of the sender's own message.
        return self.id if self._within is None else self._within.correlation_id

    @property
    def sender(self) -> ActorRef[Any] | None:
        """Who sent it."""
        return None if self.sender_cell is None else self.sender_cell.ref

    @property
    def sent_at(self) -> datetime:
        """When it was sent, in UTC."""
        if self._sent_at is None:
            # Once: the machine's time of day and the loop's clock drift apart.
            system = self.cell.system
            self._sent_at = system.world.now() + timedelta(seconds=self.sent - system.loop.time())
        return self._sent_at

    @property
    def deadline(self) -> datetime | None:
        """When its asker stops waiting, in UTC."""
        limit = self.limit
        return None if limit is None else self.sent_at + timedelta(seconds=limit - self.sent)

    @property
    def headers(self) -> Mapping[str, Any]:
        """What its sender wrote on it."""
        return _NO_HEADERS if self.options is None else MappingProxyType(self.options.headers)

    @property
    def cancellation(self) -> CancellationToken | None:
        """The token that takes it back."""
        chosen = None if self.options is None else self.options.cancellation
        return self._token if chosen is None else chosen

    @property
    def priority(self) -> int:
        """How urgent it is: what its sender said, or the receiver's handler."""
        chosen = None if self.options is None else self.options.priority
        return self.cell.priority_of(self.message) if chosen is None else chosen

    @property
    def caused_by(self) -> Letter | None:
        """The letter that its sender was handling, if that is known; None once it is handled."""
        return self._cause

    @property
    def streamed(self) -> bool:
        """Whether items of a streamed reply are on their way."""
        return self.stream is not None and self.stream.has_sent

    def drop(self, reason: str = "") -> NoReturn:
        """Refuse the message, from a middleware.

        Args:
            reason: Why, in words.

        Raises:
            MessageDropped: Always; it completes an ask, and a tell becomes a dead letter.
        """
        raise self._refuse(MessageDropped(self.cell.full_path, self.message, reason))

    @override
    def __repr__(self) -> str:
        return f"<{self.kind} {brief(self.message)} to {self.cell.ref.path}>"

    # ------------------------------------------------------------ control

    @property
    @override
    def about(self) -> Any:
        return self.message

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        """Handle the message, in the driver of *cell*.

        Args:
            cell: The receiver, or one of those that handle its mail together.

        Returns:
            A generator of what the handler waits for, that returns the reply, `STASHED`, or a
            `Refusal`.
        """
        relations = self.cell.relations
        equipment = relations.equipment
        if (
            equipment is not None
            and equipment.is_bare
            and self.options is None
            and self.limit is None
            and self.stream is None
            and self._token is None
        ):
            return self._run_bare(cell, equipment.chain)
        return self._run_whole(cell)

    @coroutine
    def _run_bare(self, cell: Cell, chain: Any) -> Generator[Any, Any, Any]:
        """Do the same as `_run_whole` in fewer steps, if the letter carries no more than a span.

        Args:
            cell: As for `run`.
            chain: The receiver's middleware, or None.
        """
        system, relations, message = cell.system, cell.relations, self.message
        told = system.events if system.traced else None
        outer, relations.letter = relations.letter, self
        self.stashed = False
        self.handled_by = cell
        self.is_handled = True
        if told is not None and Delivered in told.wanted:
            told.emit(Delivered(self, message, system.loop.time()))
        try:
            handler = cell.behavior.every.get(type(message))
            if chain is not None:
                answer: Any = yield from chain(self, message)
                if self.further is not None or type(answer) in UNFINISHED:
                    yield from check_end(self, answer)
                if self.stashed:
                    answer = STASHED  # whatever middleware made of it: the message comes again
            elif handler is None:
                answer = yield from handle(cell, self, message)
            else:
                # As in `handle_bare`, which would be a generator more.
                try:
                    answer = handler(cell.actor, message)
                except NoGuardHolds:
                    raise self.unhandled(cell) from None
                if type(answer) is COROUTINE:
                    answer = yield from answer
                if type(answer) not in PLAIN and isinstance(answer, WORK):
                    answer = yield from cell.finish(answer, message, None)
                    if answer is STASHED:
                        self.stashed = True
        except BaseException as raised:
            if is_closed(cell, raised):
                raise  # nothing runs any more: its actor has crashed, or its world has ended
            if chain is not None and self.further is RUNNING:
                yield from outlive(self)
            refused = self._refused
            if refused is not None and raised is refused:
                return Refusal(refused)
            if told is not None and HandlerFailed in told.wanted:
                told.emit(HandlerFailed(self, message, system.loop.time(), raised))
            raise
        finally:
            self.is_handled = False
            if self._cause is not None:
                self._cause = None  # a line of all causes would have no end
            relations.letter = outer
        if told is not None and answer is not STASHED and Replied in told.wanted:
            told.emit(Replied(self, message, system.loop.time(), answer))
        return answer

    @coroutine
    def _run_whole(self, cell: Cell) -> Generator[Any, Any, Any]:
        error = self.withdrawn()
        if error is not None:
            return Refusal(error)
        if cell.system.traced:
            return (yield from self._run_observed(cell))
        return (yield from self._run(cell))

    @coroutine
    def _run_observed(self, cell: Cell) -> Generator[Any, Any, Any]:
        """Do the same as `_run`, and tell whoever listens."""
        told, wanted, clock = cell.system.events, cell.system.events.wanted, cell.system.loop.time
        message = self.message
        if Delivered in wanted:
            told.emit(Delivered(self, message, clock()))
        try:
            answer = yield from self._run(cell)
        except BaseException as raised:
            if is_closed(cell, raised):
                raise  # nothing runs any more: its actor has crashed, or its world has ended
            if HandlerFailed in wanted:
                told.emit(HandlerFailed(self, message, clock(), raised))
            raise
        if type(answer) is not Refusal and answer is not STASHED and Replied in wanted:
            # A refusal is told of where it is given.
            told.emit(Replied(self, message, clock(), None if self.stream else answer))
        return answer

    @coroutine
    def _run(self, cell: Cell) -> Generator[Any, Any, Any]:
        equipment = self.cell.equipment
        token = self.cancellation
        unlink = None if token is None else token.on_cancel(cell.cancel)
        # What the handler asks others meanwhile is limited, too.
        limited = self.limit is not None or token is not None
        if limited:
            cell.system.limits += 1
        relations = cell.relations
        outer, relations.letter = relations.letter, self
        self.stashed = False
        self.handled_by = cell
        self.is_handled = True
        try:
            if equipment is None:
                return (yield from handle(cell, self, self.message))
            if equipment.chain is not None:
                answer: Any = yield from self._through(cell, equipment.chain)
                # Whatever middleware made of it: the message comes again.
                return STASHED if self.stashed else answer
            return (yield from handle(cell, self, self.message))
        except AskFailed as raised:
            if raised is self._refused:
                return Refusal(raised)
            raise
        except CancelledError:
            if cell.killed is None:
                if token is not None and token.cancelled:
                    return Refusal(self.cancelled_error())
                if self.stream is not None and self.stream.closed:
                    return None  # which nobody wants
            raise
        finally:
            if limited:
                cell.system.limits -= 1
            self.is_handled = False
            if self._cause is not None:
                self._cause = None  # a line of all causes would have no end
            if unlink is not None:
                unlink()
            relations.letter = outer
            if (token is not None and token.cancelled) or (
                self.stream is not None and self.stream.closed
            ):
                yield from _too_late(cell)
            if equipment is not None and equipment.policy is not None and not self.stashed:
                equipment.policy.handled(self.cell, self.message)

    @coroutine
    def _through(self, cell: Cell, chain: Any) -> Generator[Any, Any, Any]:
        try:
            answer: Any = yield from chain(self, self.message)
        except BaseException as raised:
            if self.further is RUNNING and not is_closed(cell, raised):
                yield from outlive(self)
            raise
        if self.further is not None or type(answer) in UNFINISHED:
            yield from check_end(self, answer)
        return answer

    def withdrawn(self) -> AskFailed | None:
        """Say why the message is not to be handled any more; None if it is."""
        options = self.options
        token = self.cancellation
        if token is not None and token.cancelled:
            return self.cancelled_error()
        lives = None if options is None else options.time_to_live
        if lives is None:
            equipment = self.cell.equipment
            lives = None if equipment is None else equipment.time_to_live
        if lives is not None and self.cell.system.loop.time() - self.sent > lives:
            reason = f"it waited longer than its time to live, {lives:g} s"
            return MessageDropped(self.cell.full_path, self.message, reason)
        return None

    def cancelled_error(self) -> AskCancelled:
        """Make the error of an ask whose token was cancelled."""
        token = self.cancellation
        reason = "" if token is None else token.reason
        return AskCancelled(self.cell.full_path, self.message, reason)

    def unhandled(self, cell: Cell) -> Unhandled:
        """Make the error of a message that no handler takes."""
        error = Unhandled(cell.full_path, self.message, cell.behavior.names)
        self._refused = error
        return error

    def _refuse(self, error: AskFailed) -> AskFailed:
        self._refused = error
        return error


@coroutine
def handle(cell: Cell, letter: Letter, message: Any) -> Generator[Any, Any, Any]:
    """Let the handler of a message handle it.

    Args:
        cell: The actor.
        letter: The message's letter.
        message: The message, or what middleware made of it.

    Yields:
        What the handler waits for.

    Returns:
        Its answer, or `STASHED`.

    Raises:
        Unhandled: If no handler takes the message.
    """
    behavior = cell.behavior
    kind = type(message)
    handler = behavior.every.get(kind)
    if handler is None:
        if not behavior.resolve(kind):
            raise letter.unhandled(cell)
        handler = behavior.every[kind]
    if letter.stream is not None and kind in behavior.generators:
        from effactor_interpreters.runtime.producing import produce

        try:
            generator = behavior.generators[kind](cell.actor, message)
        except NoGuardHolds:
            pass  # the handler for it is no generator
        else:
            return (yield from produce(letter, generator))
    equipment = letter.cell.equipment
    if equipment is not None and equipment.dispatcher is not None and kind in behavior.plain:
        running = equipment.dispatcher.run(cell, letter, handler, message)
        try:
            answer: Any = yield from running
        except NoGuardHolds:
            raise letter.unhandled(cell) from None
    else:
        try:
            answer = handler(cell.actor, message)
        except NoGuardHolds:
            raise letter.unhandled(cell) from None
    if type(answer) is COROUTINE:
        answer = yield from answer
    if type(answer) not in PLAIN and isinstance(answer, WORK):
        answer = yield from cell.finish(answer, message, letter.limit)
        if answer is STASHED:
            letter.stashed = True
    return answer


async def handle_within(cell: Cell, letter: Letter, message: Any) -> Any:
    """Do the same as `handle` behind middleware, in fewer steps if nothing else stands there.

    A coroutine, because middleware may await it wrongly: then Python says so.

    Args:
        cell: The actor.
        letter: The message's letter.
        message: The message, or what middleware made of it.

    Returns:
        Its answer, or `STASHED`.

    Raises:
        RuntimeError: If another call runs, or the middleware has ended.
    """
    if letter.further is RUNNING or not letter.is_handled:
        check_call(letter)
    letter.further = RUNNING
    try:
        handler = cell.behavior.every.get(type(message))
        equipment = letter.cell.relations.equipment
        others = equipment is None or not equipment.is_bare
        if others or handler is None or letter.stream is not None:
            return await handle(cell, letter, message)
        try:
            answer: Any = handler(cell.actor, message)
        except NoGuardHolds:
            raise letter.unhandled(cell) from None
        if type(answer) is COROUTINE:
            answer = await answer
        if type(answer) not in PLAIN and isinstance(answer, WORK):
            answer = await cell.finish(answer, message, letter.limit)
            if answer is STASHED:
                letter.stashed = True
        return answer
    finally:
        if letter.further is RUNNING:
            letter.further = None
        else:
            ended(letter)


def _too_late(cell: Cell) -> Generator[Any, Any, None]:
    """Forget a cancellation that has not reached the handler: it has ended by itself.

    Else the next message's handler would be cancelled in its place.
    """
    driver: Any = cell.driver
    if cell.killed is not None:
        return
    if driver is None:
        cell.relations.cancelled = 0
    elif hasattr(driver, "must_cancel"):
        driver.must_cancel = False
        driver.cancellations = 0
    else:
        try:
            yield  # a real task forgets it only by raising it
        except CancelledError:
            pass


def letter_of(sender: Any) -> Letter | None:
    """Return the letter that an actor is handling.

    Args:
        sender: An actor's cell, or anything else.

    Returns:
        Its letter, or None.
    """
    relations = getattr(sender, "relations_made", None)
    found: Letter | None = None if relations is None else relations.letter
    return found


@contextmanager
def because_of(sender: Any, letter: Letter | None) -> Generator[None, None, None]:
    """Let what a timer of *sender* sends be caused by the message that set the timer.

    Args:
        sender: An actor's cell, which may be handling another message meanwhile, or a run.
        letter: That message's letter, or None.
    """
    relations = getattr(sender, "relations_made", None)
    if relations is None:
        yield
        return
    outer, relations.letter = relations.letter, letter
    try:
        yield
    finally:
        relations.letter = outer


def refuse(
    cell: Cell, message: Any, reply: Any, refusal: Refusal, letter: Letter | None = None
) -> None:
    """Tell whoever asked that the message was refused, or make a dead letter of it.

    Args:
        cell: The actor.
        message: The message.
        reply: Where its reply goes; None for a tell.
        refusal: Why.
        letter: Its letter, for whoever listens to events.
    """
    error = refusal.error
    if letter is not None:
        tell_of_drop(letter, error)
    if reply is None:
        reason = error.reason if isinstance(error, MessageDropped) else str(error)
        cell.system.dead_letter(message, cell.full_path, reason or "dropped")
    elif not reply.done():
        reply.set_exception(error)


def tell_of_drop(letter: Letter, error: BaseException) -> None:
    """Tell whoever listens to events that a message is not handled.

    Args:
        letter: Its letter.
        error: Why.
    """
    system = letter.cell.system
    if system.traced and Dropped in system.events.wanted:
        system.events.emit(Dropped(letter, letter.message, system.loop.time(), error))
