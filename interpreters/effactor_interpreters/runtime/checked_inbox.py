"""A user's own inbox, held to what `Inbox` promises.

What it does against its contract must not make the actor spin, or hide that mail is lost. So
what it answers is looked at, and the letters that wait in it are known here, too.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from typing_extensions import override

from effactor.actors.mailboxes import Full, Inbox
from effactor_interpreters.runtime.letters import Letter

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

    from effactor.actors.mailboxes import Queued

_MANY: Final = 64
"""Letters from which on those are looked for that the inbox keeps no longer itself."""

_NOT_TAKEN: Final = "not taken"
"""Marks a letter whose sender was told that the inbox does not take it."""


class WrongInbox(TypeError):
    """An inbox has done what it must not: it cannot be relied upon any more."""


@final
class CheckedInbox(Inbox):
    """Hands everything on to the inbox of a user, and looks at what it answers.

    Args:
        inbox: The inbox.
        path: The actor's path, for the log.
        log: Where failures go that are nobody's reply.
    """

    __slots__ = (
        "_counts",
        "_given",
        "_hollow",
        "_inbox",
        "_is_wrong",
        "_last",
        "_log",
        "_path",
        "_waiting",
    )

    def __init__(self, inbox: Inbox, path: str, log: logging.Logger) -> None:
        self._inbox = inbox
        self._path = path
        self._log = log
        # An item without an identity of its own, as a broker's, is not among these.
        self._waiting: dict[Letter, None] = {}
        self._last: Any = None
        self._given = False  # whether it may have something although it counts nothing
        self._hollow: int | None = None  # what it counted when it had nothing to give
        self._counts = True
        self._is_wrong = False

    def _says(self, what: str) -> str:
        return f"{type(self._inbox).__name__}.{what}"

    # ------------------------------------------------------------ in

    @override
    def put(self, item: Queued) -> Queued | Full | None:
        letter: Any = item if type(item) is Letter else None
        try:
            answer: Any = self._inbox.put(item)
            if answer is not None and type(answer) is not Full and not _is_item(answer):
                msg = self._says(
                    "put must answer None, Full.WAIT, Full.REJECT, or the item that it dropped, "
                    f"answered {answer!r}"
                )
                raise TypeError(msg)
        except CancelledError as error:  # it is nobody's who runs here
            if letter is not None:
                letter.kept_by = _NOT_TAKEN
            raise RuntimeError(self._says("put was cancelled")) from error
        except BaseException:
            if letter is not None:
                letter.kept_by = _NOT_TAKEN
            raise
        if type(answer) is Full or answer is item:
            return item if answer is item else answer
        if letter is not None:
            self._keep(letter)
        self.more()
        if type(answer) is Letter and not self._leaves(answer):
            msg = self._says(f"put must drop an item that waits in it, dropped {answer!r}")
            raise TypeError(msg)
        dropped: Queued | Full | None = answer
        return dropped

    def more(self) -> None:
        """Learn that there may be something to take."""
        self._hollow = None
        self._given = self._given or not self._count()

    def _keep(self, letter: Letter) -> None:
        letter.kept_by = self
        waiting = self._waiting
        waiting[letter] = None
        if len(waiting) > _MANY and len(waiting) > 2 * self._count():
            # It keeps something else in their place, as what sends them elsewhere does.
            for each in list(waiting)[: len(waiting) // 2]:
                if each.reply is None or each.reply.done():
                    del waiting[each]

    def _leaves(self, letter: Letter) -> bool:
        """Note that a letter waits no more; say whether it did."""
        here = letter.kept_by is self
        letter.kept_by = None
        self._waiting.pop(letter, None)
        return here

    # ------------------------------------------------------------ out

    @override
    def take(self) -> Queued | None:
        """Return the next item.

        Raises:
            WrongInbox: If there is no way to go on with this inbox.
        """
        item = self._next(self._inbox.take)
        if item is None:
            self._given, self._hollow = False, self._count()
            if self._hollow:
                self._log.warning(
                    "the mailbox of %s: %s answered None although it counts %d; it is asked again "
                    "when something has come",
                    self._path,
                    self._says("take"),
                    self._hollow,
                )
        return item

    def _next(self, take: Callable[[], Any]) -> Queued | None:
        while True:
            before = self._count()
            try:
                item = take()
            except CancelledError as error:  # it is nobody's who runs here
                raise RuntimeError(self._says("take was cancelled")) from error
            if item is None:
                return None
            if not _is_item(item):
                self._breaks(
                    f"must answer None, or an item with its message and priority, answered {item!r}"
                )
            if item is self._last and self._count() >= before:
                self._breaks(f"must remove what it answers, kept {item!r}")
            self._last = item
            if type(item) is not Letter:
                other: Queued = item
                return other
            refused = item.kept_by is _NOT_TAKEN
            if self._leaves(item):
                return item
            if not refused:  # else its sender knows that it is not handled
                self._breaks(f"must answer an item once, answered {item!r} again")

    def _breaks(self, what: str) -> NoReturn:
        self._is_wrong = True
        raise WrongInbox(self._says(f"take {what}"))

    @override
    def sweep(self, withdrawn: Callable[[Queued], bool]) -> None:
        def leaves(item: Queued) -> bool:
            if type(item) is Letter:
                if item.kept_by is not self:
                    return item.kept_by is _NOT_TAKEN
                if not withdrawn(item):
                    return False
                self._leaves(item)
                return True
            return _is_item(item) and withdrawn(item)

        try:
            self._inbox.sweep(leaves)
        except Exception:
            self._log.exception("the mailbox of %s failed to sweep", self._path)

    @override
    def close(self) -> Iterator[Queued]:
        # What it is asked for in vain it may not count down.
        items = iter(self._inbox.close())
        while (item := self._next(lambda: next(items, None))) is not None:
            yield item

    def left_behind(self, *, failed: bool) -> list[Queued]:
        """List the letters that it has not given up.

        Args:
            failed: Whether it has failed to; else what was told may wait where others take it.
        """
        left: list[Queued] = [
            letter
            for letter in self._waiting
            if failed or self._is_wrong or (letter.reply is not None and not letter.reply.done())
        ]
        self._waiting.clear()
        return left

    # ------------------------------------------------------------ the rest

    @override
    def __len__(self) -> int:
        count = self._count()
        if count == self._hollow:
            return 0  # until something comes
        return max(count, 1) if self._given else count

    def _count(self) -> int:
        try:
            return len(self._inbox)
        except Exception:
            if self._counts:
                self._counts = False
                self._log.exception(
                    "the mailbox of %s: %s failed; it is taken from until it answers None",
                    self._path,
                    self._says("__len__"),
                )
            return 1

    @override
    def attach(self, wake: Callable[[], None]) -> None:
        self._inbox.attach(wake)


def _is_item(answer: Any) -> bool:
    return type(answer) is Letter or (hasattr(answer, "message") and hasattr(answer, "priority"))
