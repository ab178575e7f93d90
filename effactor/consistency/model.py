"""What an object should do if everybody used it one after another: its sequential specification.

A model is an initial state and a function from a state and an operation to the next
state and the answer. States are values: hashable, compared by `==`, never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar, Final, Generic, Self, final

from typing_extensions import TypeVar, override

S = TypeVar("S", bound=Hashable, default=Any)

Apply = Callable[[S, Any], tuple[S, Any] | None]
Outcomes = Callable[[S, Any], Iterable[tuple[S, Any]]]
Partition = Callable[[Any], Hashable]
ReadOnly = Callable[[Any, Any], bool]


@final
class Model(Generic[S]):
    """A sequential specification.

    Attributes:
        name: What it is called in reports.
        initial: The state before the first operation.
        outcomes: Of a state and an operation: each next state that is allowed, with the
            answer that belongs to it. None at all: the operation cannot take place in
            that state.
        partition: Of an operation: the key of the part that it concerns, if the object
            consists of independent parts that all begin in `initial`; else None.
    """

    __slots__ = ("initial", "name", "outcomes", "partition", "read_only")

    def __init__(
        self,
        initial: S,
        apply: Apply[S],
        *,
        name: str = "",
        partition: Partition | None = None,
        read_only: ReadOnly | None = None,
    ) -> None:
        """Describe an object whose operations have one outcome each.

        Args:
            initial: The state before the first operation, hashable.
            apply: Called with a state and an operation; returns the next state and the
                answer, or None if the operation cannot take place in that state.
            name: What it is called in reports; empty takes the name of *apply*.
            partition: See the attribute.
            read_only: See the attribute.

        Raises:
            TypeError: If *initial* is not hashable, or a function is none.
        """
        _check(initial, apply, partition, read_only)

        def outcomes(state: S, operation: Any) -> Iterable[tuple[S, Any]]:
            outcome = apply(state, operation)
            return () if outcome is None else (outcome,)

        self.initial: S = initial
        self.outcomes: Outcomes[S] = outcomes
        self.name: str = name or getattr(apply, "__name__", "model")
        self.partition: Partition | None = partition
        self.read_only: ReadOnly | None = read_only

    @classmethod
    def of_outcomes(
        cls,
        initial: S,
        outcomes: Outcomes[S],
        *,
        name: str = "",
        partition: Partition | None = None,
        read_only: ReadOnly | None = None,
    ) -> Self:
        """Describe an object that is free to answer in several ways.

        Args:
            initial: The state before the first operation, hashable.
            outcomes: Called with a state and an operation; returns each next state that
                is allowed, with its answer.
            name: What it is called in reports; empty takes the name of *outcomes*.
            partition: See the attribute.
            read_only: See the attribute.

        Returns:
            The model.

        Raises:
            TypeError: If *initial* is not hashable, or a function is none.
        """
        _check(initial, outcomes, partition, read_only)
        model = cls(initial, lambda state, operation: None, name="model")  # noqa: ARG005
        model.outcomes = outcomes
        model.name = name or getattr(outcomes, "__name__", "model")
        model.partition = partition
        model.read_only = read_only
        return model

    @override
    def __repr__(self) -> str:
        return f"<model {self.name}, initially {self.initial!r}>"


class _Anything:
    """An answer that tells nothing, such as that of a write: equal to every result."""

    __slots__ = ()

    @override
    def __eq__(self, other: object) -> bool:
        return True

    __hash__: ClassVar[None]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]

    @override
    def __repr__(self) -> str:
        return "anything"


ANYTHING: Final = _Anything()
"""An answer for a model to give where the result does not matter."""


class IfTold:
    """An answer that a client may have kept to itself: equal to its value and to None.

    Some sets tell whether they held the value already, some tell nothing.
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        """Keep the value."""
        self.value: object = value

    @override
    def __eq__(self, other: object) -> bool:
        return other is None or other == self.value

    __hash__: ClassVar[None]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]

    @override
    def __repr__(self) -> str:
        return repr(self.value)


def _check(initial: object, function: Any, partition: Any, read_only: Any) -> None:
    check_hashable("Model", "initial", initial)
    if not callable(function):
        msg = f"Model: needs a function of a state and an operation, got {function!r}"
        raise TypeError(msg)
    if partition is not None and not callable(partition):
        msg = f"Model: partition must be a function of an operation, got {partition!r}"
        raise TypeError(msg)
    if read_only is not None and not callable(read_only):
        msg = f"Model: read_only must be a function of an operation and a result, got {read_only!r}"
        raise TypeError(msg)


def check_hashable(where: str, what: str, value: object) -> None:
    """Refuse a value that cannot be remembered.

    Args:
        where: What needs it, for the error.
        what: Its name there.
        value: The value.

    Raises:
        TypeError: If it is not hashable.
    """
    try:
        hash(value)
    except TypeError:
        msg = (
            f"{where}: {what} must be hashable, got {value!r}; "
            "use a tuple for a list, a frozenset for a set, a frozen dataclass for an object"
        )
        raise TypeError(msg) from None
