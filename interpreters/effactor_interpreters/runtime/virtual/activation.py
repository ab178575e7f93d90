"""One virtual actor while it is in memory, through one incarnation after another.

Whoever sends to it finds the incarnation of the moment. One that stops refuses its mail:
what is left in its mailbox, and what comes too late. That mail waits here until the
incarnation has ended, and then goes, in order, to the next one. So there is never more
than one, and nothing is lost between two.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Final, final

from effactor.actors.mailboxes import Full
from effactor.errors import ActorStopped, MailboxFull
from effactor_interpreters.runtime.controls import START, Question
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.letters import Letter, Refusal, refuse
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.waits import as_raised, handler_failed, redirect

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor.actors.actor import Actor
    from effactor.actors.props import Props
    from effactor.actors.virtual_id import VirtualId
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.equipment import Equipped
    from effactor_interpreters.runtime.virtual.activations import Activations

_IN_VAIN: Final = 100
"""Incarnations in a row that may stop before they handle the same message."""


@final
class _Told:
    """Stands for the sender of a message that was told, and taken, long ago: it waits no more."""

    def done(self) -> bool:
        return False

    def set_result(self, _value: object) -> None:
        """Let nobody know."""

    set_exception = set_result


_TOLD: Final = _Told()


@final
class Activation:
    """One virtual actor in memory.

    Attributes:
        name: What names it.
        kind: Its class.
        how: How its next incarnation is run.
        cell: Its incarnation of the moment, which may be stopping.
    """

    __slots__ = (
        "_activations",
        "_failure",
        "_first",
        "_in_vain",
        "_left",
        "_lost",
        "_pending",
        "cell",
        "how",
        "kind",
        "name",
    )

    cell: Equipped

    def __init__(
        self, activations: Activations, name: VirtualId, kind: type[Actor[Any]], how: Props
    ) -> None:
        """Begin without an incarnation; `begin` makes the first."""
        self.name: VirtualId = name
        self.kind: type[Actor[Any]] = kind
        self.how: Props = how
        self._activations = activations
        self._pending: list[Any] = []
        self._first: Any = None
        self._in_vain: int = 0
        self._failure: BaseException | None = None
        self._lost: int = 0
        self._left: bool = False

    # ------------------------------------------------------------ incarnations

    def begin(self) -> None:
        """Make an incarnation, and give it the mail that waits."""
        cell = self._activations.incarnate(self)
        self.cell = cell
        self._left = False
        # Before anybody who joins it: whoever knows of its end may send to the next one.
        cell.relations.joiners.append(_End(self))
        cell.equipment_made.host = self
        if cell.starting:
            cell.system.world.deliver(cell, START)
        pending, self._pending = self._pending, []
        self._first = _letter(pending[0]) if pending else None
        for item in pending:
            _forward(cell, item)

    def ended(self) -> None:
        """Learn that the incarnation has ended; make the next one if there is mail for it."""
        activations, cell = self._activations, self.cell
        activations.ended(self)
        pending = self._pending
        if not pending or not self._left or cell.system.closing:
            # One that has not left by itself has crashed: then its mail is lost, too.
            self._forget(cell.refuse)
            return
        self._in_vain = self._in_vain + 1 if _letter(pending[0]) is self._first else 0
        if self._in_vain >= _IN_VAIN:
            self._forget(self._refuse_in_vain)
            return
        try:
            self.begin()
        except FATAL:
            raise
        except BaseException as error:  # its constructor is the user's code
            self._failure = error
            self._forget(self._fail)
            self._report()

    def _forget(self, refuse_item: Callable[[Any], object]) -> None:
        self._activations.forget(self)
        pending, self._pending = self._pending, []
        for item in pending:
            refuse_item(item)

    def _refuse_in_vain(self, item: Any) -> None:
        message, reply = _opened(item)
        path = self.cell.full_path
        reason = f"stopped {_IN_VAIN} times in a row before it handled a message"
        refuse(self.cell, message, reply, Refusal(ActorStopped(path, message, reason)))

    # ------------------------------------------------------------ what its incarnations tell it

    def takes(self, cell: Cell, item: Any) -> bool:
        """Take an item that an incarnation refuses, for the next one.

        Args:
            cell: The incarnation.
            item: The item of its mailbox.

        Returns:
            Whether it did. What is sent to an incarnation after its end is refused as
            anywhere else: a ref names one incarnation.
        """
        message, reply = item if type(item) is Question else (item, None)
        if message is START:
            return True  # it stops before it began
        if type(message) is not Letter or cell.state == STOPPED:
            return False
        if reply is not None and reply.done():
            return True
        if self._failure is not None:
            self._fail(item)
        else:
            self._pending.append(item)
        return True

    @coroutine
    def arriving(self) -> Generator[Any, Any, None]:
        """Put its name into the store, before `on_started`.

        Yields:
            What the store waits for.
        """
        store = self._activations.store
        if store is not None:
            try:
                yield from self.cell.finish(store.put(self.name.key))
            except FATAL:
                raise
            except BaseException as error:
                if isinstance(error, CancelledError) and self.cell.killed is not None:
                    raise
                self._log("put", "it starts all the same, and no other process knows it", error)

    def failed(self, error: BaseException) -> None:
        """Learn that it cannot start: whoever waits for it learns why.

        Args:
            error: What its `on_started` raised.
        """
        if self.cell.killed is None:
            self._failure = error

    @coroutine
    def leaving(self) -> Generator[Any, Any, None]:
        """Take its name out of the store, after `on_stopped`.

        Yields:
            What the store waits for.
        """
        self._report()
        self._left = True
        store = self._activations.store
        if store is not None:
            try:
                yield from self.cell.finish(store.delete(self.name.key))
            except FATAL:
                raise
            except BaseException as error:
                self._log("delete", "known_ids() lists it until it stops again", error)

    def _log(self, action: str, consequence: str, error: BaseException) -> None:
        path = self.cell.full_path
        text = "the registry store failed to %s the id of %s; %s"
        self.cell.system.log.error(text, action, path, consequence, exc_info=error)

    # ------------------------------------------------------------ failures

    def _fail(self, item: Any) -> None:
        message, reply = _opened(item)
        error = self._failure
        assert error is not None
        if reply is not None:
            if not reply.done():
                handler_failed(reply, as_raised(self.cell, message, error))
            return
        self._lost += 1
        reason = f"failed to start: {error!r}"
        self.cell.system.dead_letter(message, self.cell.full_path, reason)

    def _report(self) -> None:
        """Log a failure that cost messages whose senders do not hear of it."""
        error, self._failure = self._failure, None
        lost, self._lost = self._lost, 0
        if lost:
            self.cell.system.log.error(
                "%s failed to start; dead letters: %d",
                self.cell.full_path,
                lost,
                exc_info=error,
            )


@final
class _End:
    """What the end of an incarnation settles."""

    __slots__ = ("_activation",)

    def __init__(self, activation: Activation) -> None:
        self._activation = activation

    def done(self) -> bool:
        return False

    def set_result(self, _value: object) -> None:
        self._activation.ended()


def _letter(item: Any) -> Letter:
    letter: Letter = item[0] if type(item) is Question else item
    return letter


def _opened(item: Any) -> tuple[Any, Any]:
    """Return a message without its letter, and where its reply goes."""
    return _letter(item).message, item[1] if type(item) is Question else None


def _forward(cell: Equipped, item: Any) -> None:
    """Give an incarnation what another one has refused."""
    letter, reply = item if type(item) is Question else (item, None)
    letter.cell = letter.handled_by = cell
    letter.full = None
    if reply is not None:
        if reply.done():
            return
        redirect(reply, cell)
    cell.accept(item)  # and not through the world: it is there already
    door = cell.door
    if letter.full is None or reply is not None or door is None:
        return
    # Its sender does not wait for room: it was told that the message is taken.
    if letter.full is Full.WAIT:
        door.blocked.append((letter, _TOLD))
    else:
        error: MailboxFull = door.full_error(letter)
        cell.system.dead_letter(letter.message, cell.full_path, str(error))
