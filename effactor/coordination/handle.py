"""A handle: the identity of something whose contents an interpreter keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from typing_extensions import override

if TYPE_CHECKING:
    from typing import Never


class Handle:
    """Base of queues, deferreds and semaphores. Two are equal only if they are one.

    Attributes:
        name: What errors and traces call it, or None.
    """

    __slots__ = ("__weakref__", "name")

    KIND: ClassVar[str]

    def __init__(self, name: str | None) -> None:
        """Keep the name."""
        if name is not None and (not isinstance(name, str) or not name):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"{type(self).__name__}: name must be a text that is not empty, got {name!r}"
            raise ValueError(msg)
        self.name: str | None = name

    def empty_contents(self) -> Any:
        """Make what an interpreter keeps for this handle when it first meets it.

        Returns:
            An object of the rules that belong to its kind.
        """
        raise NotImplementedError

    def describe(self) -> str:
        """Name it in a sentence.

        Returns:
            Text such as `queue 'jobs'`, or `a queue` if it has no name.
        """
        return f"a {self.KIND}" if self.name is None else f"{self.KIND} {self.name!r}"

    def __copy__(self) -> Self:
        """Return the handle itself: a copy of an identity is that identity."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the handle itself: a copy of an identity is that identity."""
        return self

    @override
    def __reduce__(self) -> Never:
        """Refuse: what is in it does not travel."""
        msg = (
            f"cannot pickle {self.describe()}: its contents belong to the system that runs "
            "the program; make it inside the program, or keep what processes share in an actor"
        )
        raise TypeError(msg)


def count(where: str, argument: str, value: Any) -> int:
    """Return *value* if it is a number of things, at least 1.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        value: What was given.

    Returns:
        The number.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is below 1.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        msg = f"{where}: {argument} must be a whole number, got {value!r}"
        raise TypeError(msg)
    if value < 1:
        msg = f"{where}: {argument} must be at least 1, got {value!r}"
        raise ValueError(msg)
    return value
