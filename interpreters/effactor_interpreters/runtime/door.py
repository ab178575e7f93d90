"""The mailbox of an equipped cell: what stands between every way in and the actor."""

from __future__ import annotations

from collections import deque
from contextlib import nullcontext
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any, Final, final

from typing_extensions import override

from effactor.actors.mailboxes import FifoInbox, Full, Inbox, PriorityInbox
from effactor.errors import MailboxFull, MessageDropped
from effactor_interpreters.runtime.asking import when_settled
from effactor_interpreters.runtime.barriers import Barriers
from effactor_interpreters.runtime.checked_inbox import CheckedInbox, WrongInbox
from effactor_interpreters.runtime.controls import Control, Question, StopRequest
from effactor_interpreters.runtime.letters import Letter, Refusal, refuse, tell_of_drop
from effactor_interpreters.runtime.stopping import stopped_error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from effactor.actors.envelope import SendOptions
    from effactor.actors.mailboxes import Queued
    from effactor_interpreters.runtime.equipment import Equipped

_REST: Final = 0.1
"""Seconds until an inbox that raised is asked again."""


_NO_LOCK: Final = nullcontext()

_TRUSTED: Final = frozenset({FifoInbox, PriorityInbox})
"""Inboxes that need no look at what they answer."""


class _Nothing(Control):
    """Stands for an item that was not there after all."""

    __slots__ = ()

    @override
    def run(self, cell: Any) -> Generator[Any, Any, Any]:
        return
        yield


_NOTHING: Final = _Nothing()


@final
class Door:
    """An equipped cell's mailbox: the runtime's own items, and the messages in their inbox.

    It has those methods of a deque that cells and drivers use.

    Attributes:
        cell: The cell.
        inbox: Where messages wait; None if they wait in `items`.
        items: What comes before the inbox.
        bare: Whether `items` is all that can wait, as for the plain mailbox.
        blocked: Letters whose senders wait for room, each with what its sender waits for:
            None for an ask, which waits for its reply anyway.
        thread: The one that the actor lives in, if others may put into its inbox; else None.
    """

    __slots__ = (
        "_behind",
        "_ending",
        "_late",
        "_led",
        "_lock",
        "_many",
        "_many_threads",
        "_resting",
        "_waking",
        "bare",
        "blocked",
        "cell",
        "inbox",
        "items",
        "thread",
    )

    def __init__(self, cell: Equipped, inbox: Inbox | None) -> None:
        mailbox = cell.equipment_made.props.mailbox
        if inbox is not None and not isinstance(inbox, Inbox):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"{type(mailbox).__name__}.open must make an Inbox or None, made {inbox!r}"
            raise TypeError(msg)
        if inbox is not None and type(inbox) not in _TRUSTED:
            inbox = CheckedInbox(inbox, cell.full_path, cell.system.log)
        threaded = mailbox is not None and mailbox.threaded
        self.cell: Equipped = cell
        self._led: bool = cell.equipment_made.crew is not None
        self.inbox: Inbox | None = inbox
        self.bare: bool = inbox is None and not self._led
        self.items: deque[Any] = deque()
        self.blocked: deque[tuple[Letter, Any]] = deque()
        self.thread: int | None = get_ident() if threaded else None
        # A handler in a thread may try to tell its own actor something.
        self._many_threads: bool = threaded or cell.equipment_made.dispatcher is not None
        # An inbox is used by one thread at a time, so that it needs no locks of its own.
        self._lock: AbstractContextManager[Any] = Lock() if threaded else _NO_LOCK
        self._many: int = _MANY
        self._waking: bool = False
        self._ending: StopRequest | None = None
        self._behind: Barriers | None = None  # only while there are some
        self._late: list[Letter] = []
        self._resting: bool = False
        if inbox is not None:
            inbox.attach(self._woken)

    # ------------------------------------------------------------ in

    def append(self, item: Any) -> None:
        """Take what a ref or the runtime appends."""
        if isinstance(item, Control) or type(item) is Question:
            self.put(item)
        else:
            self.cell.tell_nowait(item)  # of a ref that was made before the cell was equipped

    def appendleft(self, item: Any) -> None:
        """Take an item of the runtime's that comes before all others."""
        self.items.appendleft(item)

    def put(self, item: Any) -> None:
        """Take an item that the world delivers."""
        letter = item[0] if type(item) is Question else item
        if self.inbox is not None:
            if type(letter) is Letter:
                letter.reply = item[1] if type(item) is Question else None
                self._offer(self.inbox, letter)
                return
            if type(letter) is StopRequest and letter.mode == "graceful":
                if self._ending is None:
                    self._ending = letter  # behind all that came before it
                self._wake()
                return
            if isinstance(letter, Control) and letter.behind_mail and self.cell.is_alive:
                self._put_behind(self.inbox, item)
                return
        self.put_now(item)

    def put_now(self, item: Any) -> None:
        """Take an item of the runtime's that waits for nothing."""
        self.items.append(item)
        self._wake()

    def _put_behind(self, inbox: Inbox, item: Any) -> None:
        """Take an item of the runtime's that waits for the mail before it."""
        if self._ending is not None:
            self.cell.refuse(item)
            return
        with self._lock:
            if self._behind is None:
                self._behind = Barriers()
            self._behind.put(item, len(inbox) + len(self.blocked))
        self._release()

    def _release(self) -> None:
        """Let those items go on that no message waits before any more."""
        while self._behind is not None:
            with self._lock:
                inbox = self.inbox
                empty = inbox is None or not (self._resting or len(inbox) or self.blocked)
                due = self._behind.due(empty=empty)
                if not self._behind:
                    self._behind = None
            if not due:
                return
            for item in due:
                self.cell.system.world.pass_on(self.cell, item)

    def _gone(self, letter: Any) -> None:
        """Learn that a message waits no more."""
        if self._behind is not None:
            self._behind.gone(letter)

    def _offer(self, inbox: Inbox, letter: Letter) -> None:
        if self._ending is not None or not self.cell.is_alive:
            if self.cell.is_alive and self.cell.equipment_made.host is not None:
                self._late.append(letter)  # for the next one, behind what this one may leave
            else:
                self.cell.refuse(_item(letter))
            return
        try:
            refused = self._try(inbox, letter)
        except Exception as error:
            self._failed(letter, error)
            if letter.reply is None:
                raise
            return
        if refused is None:
            self._wake()
        elif type(refused) is not Full:
            self._drop(refused)
            if refused is not letter:
                self._wake()
        elif refused is Full.WAIT and letter.reply is not None:
            self.block(letter, None)
        else:
            letter.full = refused  # whoever tells it looks
            if letter.reply is not None:
                letter.reply.set_exception(self.turned_away(letter))
        if self._behind is not None:
            self._release()

    def _failed(self, letter: Letter, error: Exception) -> None:
        """Learn that the inbox has failed to take a letter."""
        if letter.reply is None:
            tell_of_drop(letter, error)
            return
        # Whoever asks gets a reply from no other place.
        reason = f"its mailbox failed: {error!r}"
        failed = MessageDropped(self.cell.full_path, letter.message, reason)
        failed.__cause__ = error
        tell_of_drop(letter, failed)
        letter.reply.set_exception(failed)

    def _try(self, inbox: Inbox, letter: Letter) -> Queued | Full | None:
        """Put a letter in; if it is full, make room first."""
        withdrawn: list[Any] = []
        with self._lock:
            if self._behind is not None:
                self._behind.came(letter)
            # Those that wait for room come first.
            refused = Full.WAIT if self.blocked else inbox.put(letter)
            if refused is None:
                return None
            if type(refused) is not Full:
                return self._dropped(refused)
            inbox.sweep(lambda item: self._sweeps(item, withdrawn))
        for item in withdrawn:
            self._refuse(item)
        self._admit()
        with self._lock:
            refused = Full.WAIT if self.blocked else inbox.put(letter)
            return refused if refused is None or type(refused) is Full else self._dropped(refused)

    def _dropped(self, item: Any) -> Queued:
        """Learn of an item that an inbox has dropped."""
        self._gone(item)
        dropped: Queued = item
        return dropped

    def _sweeps(self, item: Queued, withdrawn: list[Any]) -> bool:
        """Tell whether nobody wants an item any more, as `_is_withdrawn` does."""
        if not _is_withdrawn(item, withdrawn):
            return False
        self._gone(item)
        return True

    def _refuse(self, item: Letter) -> None:
        error = item.withdrawn()
        if error is not None:
            refuse(self.cell, item.message, item.reply, Refusal(error), item)

    def block(self, letter: Letter, waiting: Any) -> None:
        """Let the sender of a letter wait for room.

        Args:
            letter: The letter.
            waiting: What its sender waits for; None for an ask, which waits for its reply.
        """
        if len(self.blocked) >= self._many:
            # Senders that have given up must not pile up while nothing is taken.
            for each in self.blocked:
                if _has_given_up(*each):
                    self._gone(each[0])
            self.blocked = deque(each for each in self.blocked if not _has_given_up(*each))
            self._many = max(_MANY, 2 * len(self.blocked))
        self.blocked.append((letter, waiting))
        token = letter.cancellation
        if token is not None and waiting is not None:

            def withdraw() -> None:
                if not waiting.done():
                    self._refuse(letter)
                    waiting.set_result(None)

            when_settled(waiting, token.on_cancel(withdraw))

    def turned_away(self, letter: Letter) -> MailboxFull:
        """Make the same error as `full_error`, and tell whoever listens to events."""
        error = self.full_error(letter)
        tell_of_drop(letter, error)
        return error

    def full_error(self, letter: Letter) -> MailboxFull:
        """Make the error of a message that finds no room."""
        mailbox = self.cell.equipment_made.props.mailbox
        capacity = None if mailbox is None else mailbox.capacity
        return MailboxFull(self.cell.full_path, letter.message, capacity or 0)

    def _drop(self, dropped: Any) -> None:
        mailbox = self.cell.equipment_made.props.mailbox
        reason = f"the mailbox was full ({mailbox!r})"
        error = MessageDropped(self.cell.full_path, dropped.message, reason)
        letter = dropped if type(dropped) is Letter else None
        reply = None if letter is None else letter.reply
        refuse(self.cell, dropped.message, reply, Refusal(error), letter)

    def _wake(self) -> None:
        self._waking = False
        self.cell.mail_came()

    def _woken(self) -> None:
        """Learn from an inbox, on any thread, that it has something."""
        self._on_loop(self._came_by_itself)

    def _came_by_itself(self) -> None:
        if type(self.inbox) is CheckedInbox:
            self.inbox.more()
        self._wake()

    # ------------------------------------------------------------ in, from other threads

    def tell(self, message: Any, options: SendOptions | None) -> None:
        """Take a message from another thread.

        Args:
            message: The message.
            options: What its sender adds.

        Raises:
            MailboxFull: If there is no room.
        """
        cell, inbox = self.cell, self.inbox
        letter = Letter(cell, message, "tell", None, options, None)
        withdrawn: list[Any] = []
        refused: Any = letter
        with self._lock:
            open_ = self.inbox is not None and self._ending is None
            if inbox is not None and open_:
                if self._behind is not None:
                    self._behind.came(letter)
                refused = inbox.put(letter)
                if type(refused) is Full:
                    inbox.sweep(lambda item: self._sweeps(item, withdrawn))
                    refused = inbox.put(letter)
                if refused is not None and type(refused) is not Full:
                    refused = self._dropped(refused)
            must_wake = refused is not letter and type(refused) is not Full and not self._waking
            if must_wake:
                self._waking = True
            behind = self._behind is not None
        for item in withdrawn:
            self._on_loop(self._refuse, item)
        if not open_:
            self._on_loop(cell.refuse, letter)
        elif type(refused) is Full:
            error = self.full_error(letter)
            self._on_loop(lambda: tell_of_drop(letter, error))
            raise error
        elif refused is not None:
            self._on_loop(self._drop, refused)
        if must_wake:
            self._on_loop(self._wake)
        if behind:
            self._on_loop(self._release)

    def _on_loop(self, function: Callable[..., object], *args: Any) -> None:
        try:
            self.cell.system.loop.call_soon_threadsafe(function, *args)
        except RuntimeError:  # the loop is closed: nobody is there but this thread
            for item in args:
                cell = self.cell
                cell.system.dead_letter(item.message, cell.full_path, "its event loop is closed")

    # ------------------------------------------------------------ out

    def popleft(self) -> Any:
        """Return the next item; what is not there after all is an item that does nothing."""
        if self.items:
            return self.items.popleft()
        letter = self._take()
        if letter is not None:
            self._admit()
            return _item(letter)
        if self.items:
            return self.items.popleft()
        if self._behind is not None and not self._resting:
            self._release()
            if self.items:
                return self.items.popleft()
        if self._ending is not None and not self._resting:
            ending, self._ending = self._ending, None
            return ending
        return _NOTHING

    def take(self, letter: Letter) -> Any:
        """Take out the item that a scheduler chose from `candidates`."""
        inbox: Any = self.inbox
        inbox.remove(letter)
        self._gone(letter)
        self._admit()
        return _item(letter)

    def _take(self) -> Letter | None:
        if self.inbox is None or self._resting:
            return None
        try:
            with self._lock:
                taken = self.inbox.take()
                if self._behind is not None and taken is not None:
                    self._behind.gone(taken)
        except WrongInbox as error:
            self._break(error)
            return None
        except Exception:
            # A broker that is out of reach must not end the actor.
            cell = self.cell
            cell.system.log.exception("the mailbox of %s failed; it is asked again", cell.full_path)
            self._resting = True
            cell.system.world.call_later(_REST, self._rested, f"mailbox of {cell.ref.path}")
            return None
        return None if taken is None else self._letter(taken)

    def _break(self, error: WrongInbox) -> None:
        """Stop the actor: its inbox may give it the same message for ever, or none."""
        cell = self.cell
        text = "the mailbox of %s is wrong, so the actor stops: %s"
        cell.system.log.error(text, cell.full_path, error)
        self._resting = True
        self.items.append(StopRequest("current", "", f"its mailbox is wrong: {error}"))

    def _letter(self, item: Queued) -> Letter:
        """Put an item into a letter that has come by another way than `put`."""
        if type(item) is Letter:
            return item
        return Letter(self.cell, item.message, "tell", None, None, None)

    def _rested(self) -> None:
        self._resting = False
        self._wake()

    def _admit(self) -> None:
        """Let in who waits for room, in order; then what waits behind the mail, if its time is."""
        while self.inbox is not None and self.blocked:
            letter, waiting = self.blocked[0]
            if _has_given_up(letter, waiting):
                self._gone(letter)
            else:
                error = letter.withdrawn()
                if error is not None:
                    self._gone(letter)
                    refuse(self.cell, letter.message, letter.reply, Refusal(error), letter)
                else:
                    refused: Any = None
                    try:
                        with self._lock:
                            refused = self.inbox.put(letter)
                            if refused is not None and type(refused) is not Full:
                                refused = self._dropped(refused)
                    except Exception as failed:
                        self.blocked.popleft()
                        self._gone(letter)
                        self._failed(letter, failed)
                        if waiting is not None:
                            waiting.set_exception(failed)
                        continue
                    if type(refused) is Full:
                        break
                    if refused is not None:
                        self._drop(refused)
                    self._wake()
                if waiting is not None:
                    waiting.set_result(None)
            self.blocked.popleft()
        if self._behind is not None:
            self._release()

    def take_those(self, wanted: Callable[[Letter], bool], room: int | None) -> list[Any]:
        """Take out some messages, in order, also of senders that wait for room.

        Args:
            wanted: Says of a letter whether it is one of them.
            room: How many at most; None for any number.

        Returns:
            Their items.
        """
        taken: list[Any] = []

        def take(item: Any) -> bool:
            letter = self._letter(item)
            if (room is not None and len(taken) >= room) or not wanted(letter):
                return False
            taken.append(_item(letter))
            self._gone(item)
            return True

        for item in list(self.items):
            letter = item[0] if type(item) is Question else item
            if type(letter) is Letter and take(letter):
                self.items.remove(item)
                taken[-1] = item
        if self.inbox is not None:
            with self._lock:
                self.inbox.sweep(take)
        for entry in list(self.blocked):
            letter, waiting = entry
            if not _has_given_up(letter, waiting) and take(letter):
                self.blocked.remove(entry)
                if waiting is not None:
                    waiting.set_result(None)
        self._admit()
        return taken

    # ------------------------------------------------------------ the rest

    @property
    def waiting(self) -> int:
        """How many messages wait in the inbox."""
        return 0 if self.inbox is None or self._resting else len(self.inbox)

    @property
    def is_plain(self) -> bool:
        """Whether it takes whatever comes, without a look at the thread that it comes from."""
        return self.inbox is None and not self._many_threads

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits in front of a message that comes now, and no crew handles it."""
        if self.items or self._ending is not None or self._resting or self._led:
            return False
        return self.inbox is None or not len(self.inbox)

    def __len__(self) -> int:
        ending = self._ending is not None and not self._resting
        return len(self.items) + self.waiting + ending

    def leftovers(self) -> list[Any]:
        """Take out everything, for good: the actor stops."""
        items = list(self.items)
        self.items.clear()
        self._ending = None  # whoever takes everything stops the actor itself
        inbox = self.inbox
        if inbox is not None:
            with self._lock:
                self.inbox = None
                items += [_item(self._letter(each)) for each in self._given_up(inbox)]
                if self._behind is not None:
                    items += self._behind.due(empty=True)
                    self._behind = None
        blocked, self.blocked = self.blocked, deque()
        for letter, waiting in blocked:
            if waiting is None:
                items.append(_item(letter))
            elif not waiting.done():
                if self.cell.equipment_made.host is not None:
                    items.append(letter)  # which has a place for it
                    waiting.set_result(None)
                    continue
                stopped = stopped_error(self.cell, letter.message)
                tell_of_drop(letter, stopped)
                waiting.set_exception(stopped)
        late, self._late = self._late, []
        items += map(_item, late)
        return items

    def _given_up(self, inbox: Inbox) -> list[Queued]:
        """Ask an inbox for what is left, a few times if it fails."""
        left: list[Queued] = []
        failed = False
        for _ in range(_ATTEMPTS):
            try:
                for item in inbox.close():
                    left.append(item)  # noqa: PERF402 - what came before it failed is kept
            except Exception:
                path = self.cell.full_path
                self.cell.system.log.exception("the mailbox of %s failed to close", path)
            else:
                break
        else:
            failed = True
        if type(inbox) is CheckedInbox:
            left += inbox.left_behind(failed=failed)
        return left


_MANY: Final = 64
"""Blocked senders from which on those are looked for that have given up."""

_ATTEMPTS: Final = 3
"""How often an inbox is asked for what is left before it is left behind."""


def _item(letter: Letter) -> Any:
    return letter if letter.reply is None else Question((letter, letter.reply))


def _has_given_up(letter: Letter, waiting: Any) -> bool:
    return bool(letter.reply.done() if waiting is None else waiting.done())


def _is_withdrawn(item: Queued, withdrawn: list[Any]) -> bool:
    """Tell whether nobody wants an item any more; note it if somebody must hear of that."""
    if type(item) is not Letter:
        return False
    if item.reply is not None and item.reply.done():
        return True
    if item.withdrawn() is None:
        return False
    withdrawn.append(item)
    return True
