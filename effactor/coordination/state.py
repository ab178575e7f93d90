"""A state cell: a value under a name, private to a run or to an actor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, final

from typing_extensions import TypeVar, override

from effactor.programs import structure
from effactor.programs.operations import Operation
from effactor.programs.program import A_co, Program

if TYPE_CHECKING:
    from collections.abc import Callable

S = TypeVar("S")


@final
# Not slots: in Python 3.11 `State[int](...)` fails for frozen generics with slots.
@dataclass(frozen=True)
class State(Generic[S]):
    """A value that programs read and change.

    Equal by all three fields, and picklable: two modules that write the same mean the
    same state. Parallel branches and forks share it; a branch that fails or is
    interrupted leaves it as it is, nothing is rolled back.

    Attributes:
        name: What errors and traces call it.
        initial: What it is at first. It must be hashable, because every run begins with
            this same object.
        per: `"program"`: private to one run, and initial again in the next.
            `"actor"`: private to an actor, whose programs find it as the earlier ones
            left it, until a restart makes it initial again; outside of actors the run
            is the actor.

    Raises:
        TypeError: If *initial* cannot be hashed.
        ValueError: If *name* is empty, or *per* none of the two.
    """

    name: str
    initial: S
    per: Literal["program", "actor"] = field(default="program", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse wrong arguments."""
        if not isinstance(self.name, str) or not self.name:  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"State: name must be a text that is not empty, got {self.name!r}"
            raise ValueError(msg)
        if self.per not in {"program", "actor"}:
            msg = f'State: per must be "program" or "actor", got {self.per!r}'
            raise ValueError(msg)
        try:
            hash(self.initial)
        except TypeError:
            msg = (
                f"State: initial must be hashable, got {self.initial!r}: every run begins with "
                "this same object, so use one that cannot change (a tuple, a frozenset, a "
                "frozen dataclass)"
            )
            raise TypeError(msg) from None

    def get(self) -> Program[S]:
        """Read it.

        Returns:
            A program that answers its value.
        """
        return StateGet(self)

    def put(self, value: S) -> Program[None]:
        """Change it.

        Args:
            value: What it is from then on.

        Returns:
            A program that answers None.
        """
        return StatePut(self, value)

    def modify(self, function: Callable[[S], S]) -> Program[S]:
        """Change it to what a function makes of it, with nobody else in between.

        Args:
            function: Called with the value; returns the new one. A plain function, not
                one that makes a program. If it raises, the state stays as it is.

        Returns:
            A program that answers the new value.

        Raises:
            TypeError: If *function* is no function.
        """
        structure.a_function("modify", "function", function, "the new value")
        return StateModify(self, function)

    def describe(self) -> str:
        """Name it in a sentence.

        Returns:
            Text such as `state 'visits'`.
        """
        return f"state {self.name!r}"


@final
class StateGet(Operation[A_co]):
    """Read a state."""

    __slots__ = ("state",)

    def __init__(self, state: State[Any]) -> None:
        """Keep the state."""
        self.state: State[Any] = state

    @override
    def describe(self) -> str:
        return f"get {self.state.describe()}"


@final
class StatePut(Operation[None]):
    """Change a state."""

    __slots__ = ("state", "value")

    def __init__(self, state: State[Any], value: Any) -> None:
        """Keep both."""
        self.state: State[Any] = state
        self.value: Any = value

    @override
    def describe(self) -> str:
        return f"put {self.value!r} into {self.state.describe()}"


@final
class StateModify(Operation[A_co]):
    """Change a state to what *function* makes of it."""

    __slots__ = ("function", "state")

    def __init__(self, state: State[Any], function: Callable[[Any], Any]) -> None:
        """Keep both."""
        self.state: State[Any] = state
        self.function: Callable[[Any], Any] = function

    @override
    def describe(self) -> str:
        return f"modify {self.state.describe()} by {structure.function_name(self.function)}"
