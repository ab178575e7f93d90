"""What two outcomes must have in common: values that can be compared with `==`."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from returns.pipeline import is_successful
from returns.result import Result


def comparable(value: Any) -> Any:
    """Replace what `==` cannot compare, or compares by identity.

    Args:
        value: An exit, or anything that a program answers or fails with.

    Returns:
        The same value with each exception in it replaced by its class and arguments (of
        an exception group, its message and exceptions), and containers by tuples that
        begin with their class.
    """
    # By its class, because `isinstance` would tell a type checker just enough to complain.
    cls: Any = value.__class__
    if issubclass(cls, BaseExceptionGroup):
        return cls, value.message, comparable(value.exceptions)
    if issubclass(cls, BaseException):
        return cls, comparable(value.args)
    if issubclass(cls, tuple | list):
        return cls, *map(comparable, value)
    if issubclass(cls, Result):
        return cls, comparable(value.unwrap() if is_successful(value) else value.failure())
    if issubclass(cls, dict):
        return cls, {key: comparable(item) for key, item in value.items()}
    if is_dataclass(cls):
        return cls, *(comparable(getattr(value, field.name)) for field in fields(cls))
    return value
