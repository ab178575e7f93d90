"""Tokens that take back what was asked under them, wherever it has got to."""

from __future__ import annotations

from collections import OrderedDict
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Never, final

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class CancellationToken:
    """Cancels whatever is linked to it: asks, messages that still wait, their handlers, callbacks.

    Send with it, `ref.ask(Get(), options=SendOptions(cancellation=token))`. After
    `token.cancel()` the message is never handled if its handler has not begun; a handler
    that has begun is cancelled at once; the ask fails with `AskCancelled`. What that
    handler has asked is under the same token, unless it gave another.

    Cancelling is final. A token is no value: two are equal only if they are one. It belongs to
    the thread of its system's event loop; other threads use `loop.call_soon_threadsafe`.

    Args:
        parent: A token that cancels this one with it; None for none.
    """

    __slots__ = ("_callbacks", "_cancelled", "_parent", "_reason", "_unlink")

    def __init__(self, parent: CancellationToken | None = None) -> None:
        """Make a token; under a cancelled parent it is cancelled from the start."""
        if parent is not None and not isinstance(parent, CancellationToken):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"CancellationToken: parent must be a CancellationToken, got {parent!r}"
            raise TypeError(msg)
        # Ordered, because taking the first of a dict is slow where many have been taken.
        self._callbacks: OrderedDict[object, Callable[[], object]] = OrderedDict()
        self._cancelled: bool = False
        self._reason: str = ""
        self._parent: CancellationToken | None = parent
        # Linked only while there are callbacks: a parent that lives long must not keep
        # all the children that it ever had.
        self._unlink: Callable[[], None] | None = None

    def _source(self) -> CancellationToken | None:
        """Find the token that was cancelled: this one, or the nearest above it."""
        token: CancellationToken | None = self
        while token is not None and not token._cancelled:  # noqa: SLF001 - of its own class
            token = token._parent  # noqa: SLF001 - the same
        return token

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called, on it or on a token above it."""
        return self._source() is not None

    @property
    def reason(self) -> str:
        """Why, in the words of whoever cancelled it; empty if nobody said."""
        source = self._source()
        return "" if source is None else source._reason  # noqa: SLF001 - of its own class

    def cancel(self, reason: str = "") -> bool:
        """Cancel what is linked, in the order it was linked.

        Callbacks may use the token: add and remove callbacks, and cancel again. If some raise,
        the others are called all the same.

        Args:
            reason: Why, for errors.

        Returns:
            Whether this call was the first.

        Raises:
            ExceptionGroup: What callbacks raised.
            TypeError: If *reason* is no text.
        """
        if not isinstance(reason, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"cancel: reason must be a text, got {reason!r}"
            raise TypeError(msg)
        if self.cancelled:
            return False
        self._cancelled, self._reason = True, reason
        self._call()
        return True

    def _call(self) -> None:
        """Call the callbacks, each once, with those that they add."""
        self._unlink_if_idle(ended=True)
        errors: list[Exception] = []
        while self._callbacks:
            _, callback = self._callbacks.popitem(last=False)
            try:
                callback()
            except Exception as error:
                errors.append(error)
        if errors:
            msg = "callbacks of a CancellationToken raised"
            raise ExceptionGroup(msg, errors)

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call *callback* when the token is cancelled: at once if it is.

        Args:
            callback: A function without arguments.

        Returns:
            A function that takes the callback out again; calling it twice does nothing.

        Raises:
            TypeError: If *callback* cannot be called.
        """
        if not callable(callback):
            msg = f"on_cancel: callback must be a function, got {callback!r}"
            raise TypeError(msg)
        if iscoroutinefunction(callback):
            msg = (
                f"on_cancel: callback must not be a coroutine function, got {callback!r}, because "
                "nobody awaits it; write a `def`, which may start a task"
            )
            raise TypeError(msg)
        key = object()
        if self.cancelled:
            callback()
            return _nothing
        self._callbacks[key] = callback
        if self._parent is not None and self._unlink is None:
            self._unlink = self._parent.on_cancel(self._call)

        def take_out() -> None:
            self._callbacks.pop(key, None)
            self._unlink_if_idle()

        return take_out

    def _unlink_if_idle(self, *, ended: bool = False) -> None:
        if self._unlink is not None and (ended or not self._callbacks):
            unlink, self._unlink = self._unlink, None
            unlink()

    def child(self) -> CancellationToken:
        """Make a token that this one cancels, and that can be cancelled alone."""
        return CancellationToken(self)

    @override
    def __repr__(self) -> str:
        if not self.cancelled:
            return "<CancellationToken not cancelled>"
        why = f" {self.reason!r}" if self.reason else ""
        return f"<CancellationToken cancelled{why}>"

    @override
    def __reduce__(self) -> Never:
        msg = f"{self!r} cannot be pickled: it belongs to this process; send a message to cancel"
        raise TypeError(msg)


def _nothing() -> None:
    """Stand for a callback that is not there any more."""
