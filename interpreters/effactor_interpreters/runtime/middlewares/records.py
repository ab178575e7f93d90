"""Middleware that writes to the log what an actor receives, and what comes of it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from effactor.actors.middleware import Middleware
from effactor.errors import AskFailed, MessageDropped, Unhandled
from effactor.traces.wording import brief
from effactor_interpreters.runtime.waits import is_declared

if TYPE_CHECKING:
    from effactor.actors.middleware import MiddlewareContext, Next
    from effactor.actors.ref import ActorRef


@final
class LoggingMiddleware(Middleware):
    """Logs each message twice: when it comes in, and with its outcome and duration.

    Replies are logged at *level*, and declared failures, which are replies too; what is
    dropped, unhandled or cancelled is a warning; what a handler raises is an error. The
    record's attribute `effactor` holds the facts: `actor`, `kind`, `sender`, `id`,
    `correlation_id`, and in the second one `outcome` and `seconds`.

    Args:
        logger: A logger or its name.
        level: The level of what goes well, such as `logging.DEBUG` or `"DEBUG"`.

    Raises:
        TypeError: If *logger* is neither.
        ValueError: If there is no such *level*.
    """

    def __init__(
        self, logger: logging.Logger | str = "effactor.actor", *, level: int | str = logging.INFO
    ) -> None:
        """Refuse what is no logger or no level."""
        self._logger: logging.Logger = _logger(logger)
        self._level: int = _level(level)

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        """Log the message, and what comes of it."""
        path = ctx.actor_ref.path
        sender = None if ctx.sender is None else ctx.sender.path
        facts: dict[str, Any] = {
            "actor": path,
            "kind": ctx.kind,
            "sender": sender,
            "id": ctx.id,
            "correlation_id": ctx.correlation_id,
        }
        if self._logger.isEnabledFor(self._level):
            by = "" if sender is None else f" from {sender}"
            extra = {"effactor": facts}
            text = "%s <- %s %s%s"
            self._logger.log(self._level, text, path, ctx.kind, brief(message), by, extra=extra)
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            reply = await next_fn(ctx, message)
        except BaseException as error:
            level, outcome, text = self._judge(message, error)
            self._log(level, path, facts, outcome, text, clock() - begun)
            raise
        if ctx.stashed:
            self._log(self._level, path, facts, "stashed", "set aside", clock() - begun)
        else:
            self._log(self._level, path, facts, "replied", brief(reply), clock() - begun)
        return reply

    def _judge(self, message: Any, error: BaseException) -> tuple[int, str, str]:
        if isinstance(error, asyncio.CancelledError):
            return logging.WARNING, "cancelled", "cancelled"
        if isinstance(error, MessageDropped | Unhandled) and error.message is message:
            outcome = "dropped" if isinstance(error, MessageDropped) else "unhandled"
            return logging.WARNING, outcome, str(error)
        if is_declared(message, error):
            return self._level, "failed", f"failed with {error!r}"
        text = f"raised {error!r}"
        if isinstance(error, AskFailed):
            text = f"raised {type(error).__name__}: {error}"
        return logging.ERROR, "raised", text

    def _log(
        self, level: int, path: str, facts: dict[str, Any], outcome: str, text: str, seconds: float
    ) -> None:
        if self._logger.isEnabledFor(level):
            extra = {"effactor": {**facts, "outcome": outcome, "seconds": seconds}}
            self._logger.log(level, "%s -> %s in %.6f s", path, text, seconds, extra=extra)

    @override
    async def on_started(self, ref: ActorRef[Any]) -> None:
        """Log that the actor starts."""
        self._logger.log(self._level, "%s starts", ref.path)

    @override
    async def on_stopped(self, ref: ActorRef[Any]) -> None:
        """Log that the actor stops."""
        self._logger.log(self._level, "%s stops", ref.path)

    @override
    async def on_restart(self, ref: ActorRef[Any], error: BaseException) -> None:
        """Log that the actor restarts."""
        self._logger.warning("%s restarts after %r", ref.path, error)


def _logger(given: Any) -> logging.Logger:
    if isinstance(given, logging.Logger):
        return given
    if isinstance(given, str):
        return logging.getLogger(given)
    msg = f"LoggingMiddleware: logger must be a logging.Logger or its name, got {given!r}"
    raise TypeError(msg)


def _level(given: Any) -> int:
    known = logging.getLevelNamesMapping()
    found = known.get(given.upper()) if isinstance(given, str) else given
    # A boolean is no level; an unknown name is None.
    if type(found) is not int:
        names = ", ".join(known)
        msg = f"LoggingMiddleware: level must be a level of logging ({names}), got {given!r}"
        raise ValueError(msg)
    return found
