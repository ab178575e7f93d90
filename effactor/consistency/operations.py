"""The operations that a check is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor.consistency.history import History, Operation

if TYPE_CHECKING:
    from collections.abc import Iterable


def operations_of(where: str, history: History | Iterable[Operation]) -> list[Operation]:
    """List the operations that may have taken effect, in order of beginning.

    Args:
        where: The function that received them, for errors.
        history: A history, or operations.

    Returns:
        All but those that failed.

    Raises:
        TypeError: If something else was given.
        ValueError: If an operation was answered before it began, or two have one number.
    """
    return [o for o in all_operations(where, history) if o.outcome != "fail"]


def all_operations(where: str, history: History | Iterable[Operation]) -> list[Operation]:
    """List all operations, in order of beginning.

    Args:
        where: The function that received them, for errors.
        history: A history, or operations.

    Returns:
        The operations.

    Raises:
        TypeError: If something else was given.
        ValueError: If an operation was answered before it began, or two have one number.
    """
    given: Any = history
    if isinstance(given, History):
        return list(given.operations)
    try:
        operations: list[Any] = list(given)
    except TypeError:
        operations = [given]
    numbers: set[int] = set()
    for operation in operations:
        if not isinstance(operation, Operation):
            msg = f"{where}: history must be a History or operations, got {operation!r}"
            raise TypeError(msg)
        if operation.outcome == "ok" and (operation.end is None or operation.end < operation.begin):
            msg = f"{where}: operation {operation.number} ends before it begins: {operation!r}"
            raise ValueError(msg)
        if operation.number in numbers:
            msg = f"{where}: two operations have the number {operation.number}"
            raise ValueError(msg)
        numbers.add(operation.number)
    return sorted(operations, key=lambda operation: operation.begin)
