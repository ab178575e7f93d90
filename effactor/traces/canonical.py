"""A text of any value that depends on the value alone, and the digest of a trace.

Python's own repr will not do: it shows memory addresses, the order in which a set
or a dict happens to be, and what each version of Python thinks printable. Two
runs are compared by their digests, on other machines, hash seeds and versions, so
everything here is written out by rule.
"""

from __future__ import annotations

import re
import types
from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache, partial
from hashlib import blake2b
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from returns.primitives.container import BaseContainer

from effactor.traces.fields import class_of, fields, names_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from effactor.traces.record import Record

Path = tuple[int, ...]  # identities of the containers that a value is inside of
Writer = Callable[[Any, Path], str]

DEPTH: Final = 40
"""Containers inside containers that are written out; deeper ones are `...`."""

# Python refuses to write longer integers in decimal.
_LONG: Final = 2_000

_ADDRESS: Final = re.compile(r" at 0x[0-9A-Fa-f]+")


def canonical(value: object) -> str:
    """Write a value as text that depends on nothing but the value.

    Neither the hash seed, memory addresses, the insertion order of dicts and sets,
    the platform nor the version of Python show in it. Equal values of one type
    give equal text, save numbers and times that are equal in different notation
    (`Decimal("1.0")` and `Decimal("1.00")`).

    Args:
        value: Any value. Fields that take no part in its equality are left out;
            a ref is its path; a function or class its qualified name; an object
            without fields and without a repr of its own the name of its type.

    Returns:
        Text in the manner of a repr. Cycles and what is nested deeper than 40
        levels are written `...`.
    """
    return _write(value, ())


def digest(records: Iterable[Record], *more: str) -> str:
    """Reduce a trace to a fingerprint.

    Args:
        records: A `Trace`, or its records.
        more: Texts to take in after them, such as the canonical outcome.

    Returns:
        16 hexadecimal digits (64 bits of BLAKE2b), equal for equal records.
    """
    total = blake2b(digest_size=8)
    for r in records:
        total.update(
            f"{r.step} {r.kind} {r.source!a} {r.target!a} {canonical(r.subject)} "
            f"{r.time!r} {r.within!a}\n".encode("utf-8", "surrogatepass")
        )
    for text in more:
        total.update(f"{text!a}\n".encode())
    return total.hexdigest()


def without_addresses(text: str) -> str:
    """Take memory addresses out of a repr.

    Args:
        text: Text such as `<Foo object at 0x7f01>`.

    Returns:
        Text such as `<Foo object>`.
    """
    return _ADDRESS.sub("", text)


def _write(value: Any, path: Path) -> str:
    return _writer(class_of(value))(value, path)


def _integer(value: int) -> str:
    return int.__repr__(value) if value.bit_length() <= _LONG else hex(value)


def _microseconds(value: timedelta) -> str:
    return str(value // timedelta(microseconds=1))


# Methods of the base, not of the value: a subclass may have its own ideas.
_SCALARS: Final[dict[type[Any], Callable[[Any], str]]] = {
    bool: bool.__repr__,
    int: _integer,
    float: float.__repr__,
    complex: complex.__repr__,
    str: lambda value: ascii(str.__str__(value)),
    bytes: bytes.__repr__,
    bytearray: lambda value: bytes.__repr__(bytes(value)),
    range: range.__repr__,
    slice: slice.__repr__,
    types.NoneType: repr,
    types.EllipsisType: repr,
    types.NotImplementedType: repr,
    Decimal: Decimal.__str__,
    Fraction: Fraction.__str__,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _microseconds,
    UUID: UUID.__str__,
    PurePath: PurePath.as_posix,
}
_LITERALS: Final = frozenset(
    {bool, int, float, complex, str, bytes, range, slice}
    | {types.NoneType, types.EllipsisType, types.NotImplementedType}
)
_SEQUENCES: Final = (list, tuple, deque)


@lru_cache(maxsize=1024)
def _writer(cls: Any) -> Writer:
    """Choose how the instances of a class are written."""
    name = cls.__qualname__
    if issubclass(cls, Enum):
        return lambda value, _path: f"{name}.{value.name}"
    if names_of(cls) is not None:
        return _nested(_error if issubclass(cls, BaseException) else _fields)
    for base in cls.__mro__:
        if base in _SCALARS:
            return _scalar(cls, base)
        if base in _SEQUENCES:
            return _nested(_sequence(cls))
    for base, container in ((AbstractSet, _set), (Mapping, _mapping)):
        if issubclass(cls, base):
            return _nested(container(cls))
    if issubclass(cls, types.ModuleType):
        return lambda value, _path: f"module {value.__name__}"
    if issubclass(cls, partial):
        return _nested(_partial)
    if issubclass(cls, BaseContainer):
        return _nested(lambda value, path: f"{name}({_write(value._inner_value, path)})")  # noqa: SLF001
    return _other


def _nested(writer: Writer) -> Writer:
    """Write containers with *writer*, but neither cycles nor bottomless depths."""

    def write(value: Any, path: Path) -> str:
        if len(path) >= DEPTH or id(value) in path:
            return "..."
        return writer(value, (*path, id(value)))

    return write


def _scalar(cls: type[Any], base: type[Any]) -> Writer:
    text = _SCALARS[base]
    if cls is base and base in _LITERALS:
        return lambda value, _path: text(value)
    # Which class of paths a value has depends on the platform.
    name = "Path" if base is PurePath else cls.__qualname__
    return lambda value, _path: f"{name}({text(value)})"


def _fields(value: Any, path: Path) -> str:
    found = fields(value, hidden=True) or []
    inside = ", ".join(f"{name}={_write(content, path)}" for name, content in found)
    return f"{type(value).__qualname__}({inside})"


def _error(value: Any, path: Path) -> str:
    # Its message may quote reprs, as those do that pytest makes of assertions.
    return without_addresses(_fields(value, path))


def _wrapped(cls: type[Any], plain: tuple[type[Any], ...], text: str) -> str:
    return text if cls in plain else f"{cls.__qualname__}({text})"


def _sequence(cls: type[Any]) -> Writer:
    is_tuple = issubclass(cls, tuple)

    def write(value: Any, path: Path) -> str:
        inside = ", ".join(_write(content, path) for content in value)
        if is_tuple:
            return _wrapped(cls, (tuple,), f"({inside},)" if len(value) == 1 else f"({inside})")
        return _wrapped(cls, (list,), f"[{inside}]")

    return write


def _set(cls: Any) -> Writer:
    def write(value: Any, path: Path) -> str:
        inside = ", ".join(sorted(_write(content, path) for content in value))
        return _wrapped(cls, (set, frozenset), f"{{{inside}}}" if inside else "set()")

    return write


def _mapping(cls: Any) -> Writer:
    def write(value: Any, path: Path) -> str:
        pairs = sorted((_write(key, path), _write(value[key], path)) for key in value)
        inside = ", ".join(f"{key}: {content}" for key, content in pairs)
        return _wrapped(cls, (dict,), f"{{{inside}}}")

    return write


def _partial(value: Any, path: Path) -> str:
    inside = [_write(value.func, path), *(_write(a, path) for a in value.args)]
    inside += [f"{key}={_write(a, path)}" for key, a in sorted(value.keywords.items())]
    return f"partial({', '.join(inside)})"


def _other(value: Any, _path: Path) -> str:
    cls = class_of(value)
    class_name = str(cls.__qualname__)
    name: object = getattr(value, "__qualname__", None)
    if isinstance(name, str):  # a function, a class, or what wraps one
        return name
    own: Any = cls.__repr__
    if own is object.__repr__:
        return class_name
    try:
        return without_addresses(repr(value))
    except Exception:  # a user's repr may raise anything
        return class_name
