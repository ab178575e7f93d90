"""How an actor is to be run, beside its class: what `spawn` takes as keywords."""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 - `SpawnOptions` is read at run time
from dataclasses import dataclass
from typing import Any, TypedDict, final

from effactor.actors.mailboxes import Mailbox
from effactor.actors.middleware import Middleware
from effactor.actors.overlapping import overlap


@final
@dataclass(frozen=True, slots=True)
class Props:
    """How an actor is to be run: a value, named as in Akka.

    Attributes:
        mailbox: How its messages wait; None for the default.
        middlewares: What stands before its handlers, the outermost first.
        dispatcher: Where its `def` handlers run: None for the event loop, `"thread"`, or the
            name of one of the system's dispatchers.
        concurrency: How many of its handlers may overlap; `math.inf` for any number, None for
            what its class declares.
    """

    mailbox: Mailbox | None = None
    middlewares: tuple[Middleware, ...] = ()
    dispatcher: str | None = None
    concurrency: float | None = None


DEFAULT = Props()


class SpawnOptions(TypedDict, total=False):
    """What `spawn` and its like take as keywords, to say how an actor is run.

    Attributes:
        mailbox: How its messages wait; `MemoryMailbox()` unless said otherwise.
        middlewares: What stands before its handlers, the outermost first.
        dispatcher: Where its `def` handlers run: None for the event loop, `"thread"`, or the
            name of one of the system's dispatchers.
        reentrant: Whether any number of its handlers may overlap.
        concurrency: How many may. Both say otherwise than the class; one at a time if none does.
    """

    mailbox: Mailbox | None
    middlewares: Iterable[Middleware]
    dispatcher: str | None
    reentrant: bool | None
    concurrency: int | None


def props(where: str, options: SpawnOptions) -> Props:
    """Check the keywords of `spawn`.

    Args:
        where: The function that received them, for errors.
        options: The keywords.

    Returns:
        The value.

    Raises:
        TypeError: If one of them is unknown, or of another kind.
        ValueError: If *concurrency* is below 1, or contradicts *reentrant*.
    """
    if not options:
        return DEFAULT
    unknown = [name for name in options if name not in SpawnOptions.__annotations__]
    if unknown:
        known = ", ".join(SpawnOptions.__annotations__)
        msg = f"{where}: unknown option {unknown[0]!r}; there are {known}"
        raise TypeError(msg)
    mailbox: Any = options.get("mailbox")
    if mailbox is not None and not isinstance(mailbox, Mailbox):
        hint = f"; write {mailbox.__name__}()" if isinstance(mailbox, type) else ""
        msg = (
            f"{where}: mailbox must be a Mailbox such as MemoryMailbox(100), got {mailbox!r}{hint}"
        )
        raise TypeError(msg)
    made = Props(
        mailbox,
        _middlewares(where, options.get("middlewares", ())),
        _dispatcher(where, options.get("dispatcher")),
        overlap(where, options.get("reentrant"), options.get("concurrency")),
    )
    return DEFAULT if made == DEFAULT else made


def _middlewares(where: str, given: Any) -> tuple[Middleware, ...]:
    if isinstance(given, Middleware):
        msg = (
            f"{where}: middlewares must be a list, got {given!r}; write [{type(given).__name__}()]"
        )
        raise TypeError(msg)
    if isinstance(given, type) or not hasattr(given, "__iter__"):
        hint = f"; write [{given.__name__}()]" if isinstance(given, type) else ""
        msg = f"{where}: middlewares must be a list, got {given!r}{hint}"
        raise TypeError(msg)
    found = tuple(given)
    for middleware in found:
        if not isinstance(middleware, Middleware):
            made = f"; write {middleware.__name__}()" if isinstance(middleware, type) else ""
            msg = f"{where}: middlewares must be objects of Middleware, got {middleware!r}{made}"
            raise TypeError(msg)
    return found


def _dispatcher(where: str, given: Any) -> str | None:
    if given is not None and (not isinstance(given, str) or not given):
        msg = (
            f"{where}: dispatcher must be 'thread' or the name of one of the system's "
            f"dispatchers, got {given!r}"
        )
        raise TypeError(msg)
    return given
