"""The words for a record, shared by the drawings."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from effactor.programs.exits import Died, FailedWith, Interrupted, Succeeded
from effactor.programs.operations import Operation
from effactor.traces.canonical import without_addresses
from effactor.traces.fields import class_of, names_of

if TYPE_CHECKING:
    from effactor.traces.record import Record

_ITEMS: Final = 20  # of a container
_LEVELS: Final = 4  # of containers inside containers
_CONTAINERS: Final = frozenset({list, tuple, dict, set, frozenset})
_ENDINGS: Final[tuple[tuple[type[Any], str, str], ...]] = (
    (Succeeded, "answers", "value"),
    (FailedWith, "fails with", "error"),
    (Died, "dies of", "defect"),
)


def shown(value: object, width: int = 120) -> str:
    """Show a value to people: on one line, without memory addresses, cut when long.

    Args:
        value: Any value.
        width: Most characters.

    Returns:
        Its repr, more or less; `Type: message` for an exception.
    """
    return one_line(_shown(value, 0), width)


def brief(value: object, width: int = 60) -> str:
    """Show a message to people who know its class: without the names of its fields.

    Args:
        value: Any value.
        width: Most characters.

    Returns:
        `Look('tea')` for what `shown` writes as `Look(sku='tea')`; for values
        without fields the same as `shown`.
    """
    names = None if isinstance(value, BaseException) else names_of(class_of(value))
    if names is None:
        return shown(value, width)
    inside = ", ".join(shown(getattr(value, name, None), width) for name in names.shown)
    return one_line(f"{type(value).__name__}({inside})", width)


def one_line(text: str, width: int) -> str:
    """Put a text on one line.

    Args:
        text: Any text.
        width: Most characters; longer text ends in `...`.

    Returns:
        The text with a space for every character that cannot be printed.
    """
    # Cut first: a message may hold megabytes.
    line = "".join(c if c.isprintable() else " " for c in text[: width + 1])
    return line if len(line) <= width else f"{line[: width - 3]}..."


def _shown(value: Any, level: int) -> str:
    if isinstance(value, BaseException) and level == 0:
        text = without_addresses(_attempted(value, str))
        return f"{type(value).__name__}: {text}" if text else type(value).__name__
    if isinstance(value, datetime | UUID) and level == 0:
        return str(value)
    if isinstance(value, Operation):
        return without_addresses(value.describe())
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return str(value.__qualname__).replace("<locals>.", "")
    cls = class_of(value)
    if cls in _CONTAINERS and value:
        return _container(cls, value, level)
    return repr(value) if cls is str else without_addresses(_attempted(value, repr))


def _container(cls: type[Any], value: Any, level: int) -> str:
    if level >= _LEVELS:
        return "..."
    if cls is dict:
        items = [
            f"{_shown(key, level + 1)}: {_shown(value[key], level + 1)}"
            for key in islice(value, _ITEMS)
        ]
    elif cls in {set, frozenset}:
        # All of them: the first few would be others under another hash seed.
        items = sorted(_shown(content, level + 1) for content in value)[:_ITEMS]
    else:
        items = [_shown(content, level + 1) for content in islice(value, _ITEMS)]
    if len(value) > _ITEMS:
        items.append("...")
    inside = ", ".join(items)
    if cls is list:
        return f"[{inside}]"
    if cls is tuple:
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return f"{{{inside}}}"


def _attempted(value: object, function: Any) -> str:
    try:
        return str(function(value))
    except Exception:  # a user's repr may raise anything
        return f"<{type(value).__name__}>"


def sentence(record: Record) -> str:
    """Say what happened, without saying who did it.

    Args:
        record: Any record.

    Returns:
        Text such as `ask /inventory Look('tea')`.
    """
    target, subject = record.target, record.subject
    match record.kind:
        case "ask" | "tell":
            return f"{record.kind} {target} {shown(subject)}"
        case "reply":
            return f"replies {shown(subject)}"
        case "failure":
            return f"fails with {shown(subject)}"
        case "spawn":
            return f"spawn {made_by(subject)} as {target}"
        case "stop":
            return f"stop {target}" + ("" if subject in {None, "graceful"} else f" ({subject})")
        case "join" | "watch" | "unwatch":
            return f"{record.kind} {target}"
        case "lookup":
            return f"look up {target}"
        case "sleep":
            return f"sleep {seconds(subject)}"
        case "unstashed":
            return f"takes up {shown(subject)} again"
        case "crash":
            return f"crash {target}"
        case "fault":
            return f"fault: {subject}"
        case "end":
            return _ending(subject)
        case kind:
            if issubclass(class_of(subject), Operation):
                return shown(subject)  # which names itself
            return kind if subject is None else f"{kind} {shown(subject)}"


def made_by(factory: Any) -> str:
    """Name what makes an actor.

    Args:
        factory: A class or a function, perhaps with some arguments given already.

    Returns:
        Its name.
    """
    while isinstance(factory, partial):
        factory = factory.func
    return shown(factory)


def seconds(value: Any) -> str:
    """Write a duration.

    Args:
        value: Seconds.

    Returns:
        Text such as `1.5 s`.
    """
    return f"{value:g} s" if isinstance(value, int | float) else shown(value)


def _ending(outcome: Any) -> str:
    if isinstance(outcome, Interrupted):
        return "is interrupted"
    for cls, words, field in _ENDINGS:
        if issubclass(class_of(outcome), cls):
            return f"{words} {shown(getattr(outcome, field))}"
    return "ends" if outcome is None else f"ends with {shown(outcome)}"
