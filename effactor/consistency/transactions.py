"""Transactions: what they read and wrote, as far as clients know.

The value of an operation is a sequence of steps, `Get`, `Put` and `Append`; its result has
one item for each step, of which those of the `Get`s count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import override

from effactor.consistency.model import check_hashable
from effactor.consistency.models import Get, Put

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from effactor.consistency.history import Operation

Step = Any
"""A `Get`, a `Put` or an `Append`."""

Kind = Literal["list", "register"]


@dataclass(frozen=True, slots=True)
class Append:
    """Put a value at the end of the list of a key; each value at most once for each key."""

    key: Hashable
    value: Hashable


@dataclass(slots=True)
class Transaction:
    """One transaction, taken apart.

    Attributes:
        operation: The operation of the history.
        steps: Its steps, each with what it answered; None for what is not known.
        writes: By key, the values it wrote, in order.
        reads: By key, what it read of others before it wrote to the key itself: a value,
            or a tuple of those of a list.
        internal: What it read that contradicts what it had read or written before, in words.
    """

    operation: Operation
    steps: list[tuple[Step, Any]]
    writes: dict[Hashable, list[Hashable]] = field(default_factory=dict[Any, Any])
    reads: dict[Hashable, Any] = field(default_factory=dict[Any, Any])
    internal: list[str] = field(default_factory=list[str])

    @property
    def committed(self) -> bool:
        """Whether it was answered."""
        return self.operation.outcome == "ok"

    @override
    def __str__(self) -> str:
        number, client = self.operation.number, self.operation.client
        parts = [
            f"{step!r}={answer!r}" if isinstance(step, Get) and self.committed else repr(step)
            for step, answer in self.steps
        ]
        by = f" by {client}" if client else ""
        return f"T{number}{by}: {', '.join(parts)}"


def transactions(operations: Iterable[Operation]) -> tuple[list[Transaction], dict[Hashable, Kind]]:
    """Take transactions apart.

    Args:
        operations: Their operations.

    Returns:
        The transactions, and of each key whether it holds a list or a single value.

    Raises:
        TypeError: If a value is no sequence of steps, a result no sequence, or a key or
            value not hashable.
        ValueError: If a result has another length than its transaction, or a key is both
            appended to and put.
    """
    found: list[Transaction] = []
    kinds: dict[Hashable, Kind] = {}
    for operation in operations:
        transaction = Transaction(operation, _steps(operation))
        for step, _ in transaction.steps:
            check_hashable("serializable", "a key", step.key)
            if isinstance(step, Get):
                continue
            kind: Kind = "list" if isinstance(step, Append) else "register"
            if kinds.setdefault(step.key, kind) != kind:
                msg = f"serializable: the key {step.key!r} is both appended to and put"
                raise ValueError(msg)
        found.append(transaction)
    for transaction in found:
        for step, answer in transaction.steps:
            # A key that nobody wrote holds what it is read as.
            if isinstance(step, Get) and isinstance(answer, tuple | list):
                _ = kinds.setdefault(step.key, "list")
    for transaction in found:
        _follow(transaction, kinds)
    return found, kinds


def _steps(operation: Operation) -> list[tuple[Step, Any]]:
    value, result = operation.value, operation.result
    known = (Get, Put, Append)
    if not isinstance(value, tuple | list) or not all(isinstance(s, known) for s in value):  # pyright: ignore[reportUnknownVariableType]
        msg = (
            "serializable: an operation must be a sequence of Get, Put and Append, "
            f"such as (Get('x'), Append('x', 1)); got {value!r}"
        )
        raise TypeError(msg)
    steps: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
    if operation.outcome != "ok":
        return [(step, None) for step in steps]
    if not isinstance(result, tuple | list):
        msg = (
            "serializable: the result of a transaction must be a sequence with one item for "
            f"each step, got {result!r} for {value!r}"
        )
        raise TypeError(msg)
    answers: list[Any] = list(result)  # pyright: ignore[reportUnknownArgumentType]
    if len(answers) != len(steps):
        msg = (
            f"serializable: a transaction of {len(steps)} steps has a result of "
            f"{len(answers)}: {result!r} for {value!r}"
        )
        raise ValueError(msg)
    return list(zip(steps, answers, strict=True))


def _follow(transaction: Transaction, kinds: dict[Hashable, Kind]) -> None:
    """Tell what a transaction read of others from what it read of itself."""
    # What it must see of a key by now, if it is alone with it.
    expected: dict[Hashable, Any] = {}
    for place, (step, given) in enumerate(transaction.steps):
        answer: Any = given
        key = step.key
        if isinstance(step, Get):
            if not transaction.committed:
                continue
            if kinds.get(key) == "list":
                answer = _listed(key, given)
                transaction.steps[place] = (step, answer)
            check_hashable("serializable", f"what was read of {key!r}", answer)
            _read(transaction, key, answer, expected)
            continue
        check_hashable("serializable", f"what is written to {key!r}", step.value)
        transaction.writes.setdefault(key, []).append(step.value)
        if isinstance(step, Put):
            expected[key] = step.value
        elif key in expected:
            expected[key] = (*expected[key], step.value)


def _listed(key: Hashable, answer: Any) -> tuple[Any, ...]:
    if answer is None:
        return ()
    if not isinstance(answer, tuple | list):
        msg = f"serializable: the list of {key!r} was read as {answer!r}, which is no list"
        raise TypeError(msg)
    return tuple(answer)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _read(
    transaction: Transaction, key: Hashable, answer: Any, expected: dict[Hashable, Any]
) -> None:
    if key in expected:
        if expected[key] != answer:
            transaction.internal.append(
                f"read {answer!r} of {key!r}, where by its own steps it had to be {expected[key]!r}"
            )
        return
    expected[key] = answer
    own = tuple(transaction.writes.get(key, ()))
    # Appends of its own, made before it read the list for the first time, come last.
    if own and answer[-len(own) :] != own:
        transaction.internal.append(f"read {answer!r} of {key!r}, without its own appends {own!r}")
        return
    transaction.reads[key] = answer[: len(answer) - len(own)] if own else answer
