"""How urgent a message is, as a value that annotations carry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Priority:
    """States the priority of a message: `Annotated[Cancel, Priority(10)]`.

    It stands in the annotation of a handler's message, or in `Actor[...]`. A mailbox
    ordered by priority takes the highest first, and equal ones in the order they came;
    other mailboxes pay no heed to it.

    Attributes:
        value: Any integer; a message without a stated priority has 0.
    """

    value: int

    def __post_init__(self) -> None:
        """Refuse what is no integer."""
        check_priority("Priority", "value", self.value)


def check_priority(where: str, name: str, value: object) -> None:
    """Refuse a priority that is no integer.

    Args:
        where: Whose argument it is, for the error.
        name: The argument's name.
        value: The priority.

    Raises:
        TypeError: If it is none.
    """
    if type(value) is not int:
        msg = f"{where}: {name} must be an integer, the higher the sooner, got {value!r}"
        raise TypeError(msg)
