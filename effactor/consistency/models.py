"""Ready models: register, compare-and-set register, counter, set, queue, key-value map.

Each names its operations below it. An acknowledgement is not judged: a `Write` may have
been answered with anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Never

from effactor.consistency.model import ANYTHING, IfTold, Model

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Read:
    """Answer the value: of a register, or of a counter."""


@dataclass(frozen=True, slots=True)
class Write:
    """Replace the value of a register."""

    value: Hashable


@dataclass(frozen=True, slots=True)
class CompareAndSet:
    """Replace the value if it is the expected one; answer whether it was."""

    expected: Hashable
    new: Hashable


@dataclass(frozen=True, slots=True)
class Add:
    """Add to a counter; a result other than None is the count afterwards."""

    amount: int = 1


@dataclass(frozen=True, slots=True)
class Insert:
    """Put a value into a set; a result other than None is whether it was new."""

    value: Hashable


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a value out of a set; a result other than None is whether it was there."""

    value: Hashable


@dataclass(frozen=True, slots=True)
class Contains:
    """Answer whether a value is in the set."""

    value: Hashable


@dataclass(frozen=True, slots=True)
class Members:
    """Answer the set: compared as a frozenset or set."""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Put a value at the end of a queue."""

    value: Hashable


@dataclass(frozen=True, slots=True)
class Dequeue:
    """Take the first value of a queue and answer it."""


@dataclass(frozen=True, slots=True)
class Get:
    """Answer the value of a key; None if it has none."""

    key: Hashable


@dataclass(frozen=True, slots=True)
class Put:
    """Give a key a value."""

    key: Hashable
    value: Hashable


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a key's value away; a result other than None is whether it had one."""

    key: Hashable


def register(initial: Hashable = None) -> Model[Hashable]:
    """Describe a register: `Read` and `Write`.

    Args:
        initial: The value before the first write.

    Returns:
        The model.
    """

    def apply(value: Hashable, operation: Any) -> tuple[Hashable, Any]:
        match operation:
            case Read():
                return value, value
            case Write(new):
                return new, ANYTHING
            case _:
                _unknown("register", operation, Read, Write)

    return Model(initial, apply, name="register", read_only=_is_read)


def cas_register(initial: Hashable = None) -> Model[Hashable]:
    """Describe a register with compare-and-set: `Read`, `Write` and `CompareAndSet`.

    Args:
        initial: The value before the first write.

    Returns:
        The model.
    """

    def apply(value: Hashable, operation: Any) -> tuple[Hashable, Any]:
        match operation:
            case Read():
                return value, value
            case Write(new):
                return new, ANYTHING
            case CompareAndSet(expected, new):
                return (new, True) if value == expected else (value, False)
            case _:
                _unknown("cas_register", operation, Read, Write, CompareAndSet)

    return Model(initial, apply, name="cas_register", read_only=_is_read)


def counter(initial: int = 0) -> Model[int]:
    """Describe a counter: `Add` and `Read`.

    Args:
        initial: The count before the first operation.

    Returns:
        The model.
    """

    def apply(count: int, operation: Any) -> tuple[int, Any]:
        match operation:
            case Read():
                return count, count
            case Add(amount):
                return count + amount, IfTold(count + amount)
            case _:
                _unknown("counter", operation, Add, Read)

    return Model(initial, apply, name="counter", read_only=_is_read)


def set_(initial: Iterable[Hashable] = ()) -> Model[frozenset[Hashable]]:
    """Describe a set: `Insert`, `Remove`, `Contains` and `Members`.

    Args:
        initial: The members before the first operation.

    Returns:
        The model.
    """

    def apply(members: frozenset[Hashable], operation: Any) -> tuple[frozenset[Hashable], Any]:
        match operation:
            case Insert(value):
                return members | {value}, IfTold(value not in members)
            case Remove(value):
                return members - {value}, IfTold(value in members)
            case Contains(value):
                return members, value in members
            case Members():
                return members, members
            case _:
                _unknown("set_", operation, Insert, Remove, Contains, Members)

    return Model(frozenset(initial), apply, name="set", read_only=_is_read)


def queue(
    initial: Iterable[Hashable] = (), *, blocking: bool = False
) -> Model[tuple[Hashable, ...]]:
    """Describe a queue, first in, first out: `Enqueue` and `Dequeue`.

    Args:
        initial: The values in it before the first operation.
        blocking: Whether `Dequeue` waits while the queue is empty; if not, it answers
            None then.

    Returns:
        The model.
    """

    def apply(
        values: tuple[Hashable, ...], operation: Any
    ) -> tuple[tuple[Hashable, ...], Any] | None:
        match operation:
            case Enqueue(value):
                return (*values, value), ANYTHING
            case Dequeue():
                if values:
                    return values[1:], values[0]
                return None if blocking else (values, None)
            case _:
                _unknown("queue", operation, Enqueue, Dequeue)

    return Model(tuple(initial), apply, name="queue")


Items = frozenset[tuple["Hashable", "Hashable"]]


def key_value(initial: Mapping[Any, Hashable] | None = None) -> Model[Items]:
    """Describe a map from keys to values: `Get`, `Put` and `Delete`.

    Its keys are independent, so `linearizable` judges each by itself.

    Args:
        initial: The entries before the first operation; None for none.

    Returns:
        The model.
    """

    def apply(items: Items, operation: Any) -> tuple[Items, Any]:
        match operation:
            case Get(key):
                return items, next((v for k, v in items if k == key), None)
            case Put(key, value):
                return _without(items, key) | {(key, value)}, ANYTHING
            case Delete(key):
                rest = _without(items, key)
                return rest, IfTold(len(rest) < len(items))
            case _:
                _unknown("key_value", operation, Get, Put, Delete)

    begin: Items = frozenset((initial or {}).items())
    return Model(begin, apply, name="key_value", partition=_key, read_only=_is_read)


def _is_read(operation: Any, result: Any) -> bool:
    match operation:
        case Read() | Contains() | Members() | Get():
            return True
        case CompareAndSet():
            return result is False
        case _:
            return False


def _without(items: Items, key: Hashable) -> Items:
    return frozenset(item for item in items if item[0] != key)


def _key(operation: Any) -> Hashable:
    if not isinstance(operation, Get | Put | Delete):
        _unknown("key_value", operation, Get, Put, Delete)
    key: Hashable = operation.key
    return key


def _unknown(model: str, operation: object, *known: type[Any]) -> Never:
    names = ", ".join(cls.__name__ for cls in known)
    msg = (
        f"models.{model}: cannot apply {operation!r}, its operations are {names}; "
        "record a message of your own with operation=..., or write a Model of your messages"
    )
    raise TypeError(msg)
