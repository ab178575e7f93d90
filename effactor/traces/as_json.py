"""A trace as JSON."""

from __future__ import annotations

import json
import math
from collections import deque
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from returns.primitives.container import BaseContainer

from effactor.traces.canonical import canonical
from effactor.traces.fields import class_of, fields
from effactor.traces.wording import shown

if TYPE_CHECKING:
    from effactor.traces.trace import Trace

_LEVELS: Final = 40
_REPR: Final = 1_000  # characters of a repr

# JavaScript, and with it many readers, has no larger integers.
_SAFE_INTEGER: Final = 2**53


def to_json(trace: Trace, indent: int | None) -> str:
    """Write a trace as JSON.

    Args:
        trace: The trace.
        indent: Spaces for each level; None puts all on one line.

    Returns:
        An object with `records` and `outcome`, its keys sorted.
    """
    document = {
        "records": [
            {
                "step": r.step,
                "kind": r.kind,
                "source": r.source,
                "target": r.target,
                "subject": jsonable(r.subject),
                "time": r.time,
                "within": list(r.within),
            }
            for r in trace.records
        ],
        "outcome": jsonable(trace.outcome),
    }
    return json.dumps(document, indent=indent, sort_keys=True, allow_nan=False)


def jsonable(value: object) -> Any:
    """Turn a value into what JSON can say.

    Args:
        value: Any value.

    Returns:
        Plain data as it is; a value with fields as `{"type": ..., "fields": ...}`,
        without the fields that its repr hides; anything else as its repr, without
        memory addresses.
    """
    return _jsonable(value, ())


def _jsonable(value: Any, path: tuple[int, ...]) -> Any:
    cls = class_of(value)
    if value is None or cls is bool or cls is str:
        return value
    if cls is int:
        return value if abs(value) < _SAFE_INTEGER else canonical(value)
    if cls is float:
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Enum):
        return f"{cls.__qualname__}.{value.name}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if len(path) >= _LEVELS or id(value) in path:
        return "..."
    path = (*path, id(value))
    found = fields(value, hidden=False)
    if found is not None:
        inside = {name: _jsonable(content, path) for name, content in found}
        return {"type": cls.__qualname__, "fields": inside}
    if issubclass(cls, BaseContainer):  # Success and Failure, for two
        return {"type": cls.__qualname__, "fields": {"value": _jsonable(value._inner_value, path)}}  # noqa: SLF001
    if cls in {list, tuple, deque}:
        return [_jsonable(content, path) for content in value]
    if cls in {set, frozenset}:
        return [_jsonable(content, path) for content in sorted(value, key=canonical)]
    if issubclass(cls, dict):
        return _object(value, path)
    return shown(value, _REPR)


def _object(value: Any, path: tuple[int, ...]) -> Any:
    if all(isinstance(key, str) for key in value):
        return {str(key): _jsonable(content, path) for key, content in value.items()}
    # Keys that JSON has no words for: a list of pairs.
    return [
        [_jsonable(key, path), _jsonable(value[key], path)] for key in sorted(value, key=canonical)
    ]
