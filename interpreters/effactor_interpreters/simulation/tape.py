"""The choice tape: every free decision of a run, in order.

At each point with several options the world asks the tape. Option 0 is always the
default: the causal chain first, no timer early, no fault. A run is determined by
its seed and by its deviations, the choices that are not 0.
"""

from __future__ import annotations

import random
from typing import Protocol

from typing_extensions import override

from effactor.errors import NonDeterminism


class Chooser(Protocol):
    """Decides which of *options* to take at the *position*-th choice."""

    def __call__(self, position: int, options: int, /) -> int:
        """Return an index from 0 up to, not including, *options* (at least 2)."""
        ...


class Tape:
    """Records the choices that a chooser makes.

    Attributes:
        choices: The index taken at each choice.
        widths: The number of options there were.
    """

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self.choices: list[int] = []
        self.widths: list[int] = []

    def choose(self, options: int) -> int:
        """Take one of *options*, at least two.

        Args:
            options: How many there are.

        Returns:
            The index taken.
        """
        index = self._chooser(len(self.choices), options)
        self.choices.append(index)
        self.widths.append(options)
        return index

    def deviations(self) -> dict[int, int]:
        """List the choices that are not the default.

        Returns:
            Index taken, by position.
        """
        return {position: index for position, index in enumerate(self.choices) if index}


def default(_position: int, _options: int) -> int:
    """Choose the default everywhere."""
    return 0


class UniformRandom:
    """Chooses each option with equal probability.

    Args:
        seed: Any text; equal texts give equal choices on every platform.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random  # schedules are no secrets

    def __call__(self, _position: int, options: int) -> int:
        """Draw one."""
        return int(self._random() * options)


class Following:
    """Follows recorded deviations, and the default elsewhere.

    Args:
        deviations: Index to take, by position.
        strict: Whether a deviation that does not exist here is an error; else the
            last option is taken.
    """

    def __init__(self, deviations: dict[int, int], *, strict: bool) -> None:
        self._deviations = deviations
        self._strict = strict

    def __call__(self, position: int, options: int) -> int:
        """Take what was recorded."""
        index = self._deviations.get(position, 0)
        if index < options:
            return index
        if self._strict:
            raise NonDeterminism(
                f"at least {index + 1} options at choice {position}", f"{options} options"
            )
        return options - 1

    @override
    def __repr__(self) -> str:
        return f"Following({self._deviations!r})"
