"""The choice tape: every free decision of a run, in order.

At each point with several options the world asks the tape. Option 0 is always the
default: the causal chain first, no timer early, no fault. A run is determined by
its seed and by its deviations, the choices that are not 0.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

from effactor.errors import NonDeterminism

if TYPE_CHECKING:
    from collections.abc import Sequence

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.footprints import Footprints


class Chooser(Protocol):
    """Decides which of *options* happens at the *position*-th choice.

    One that has a true attribute `sees_all` is asked before every step, also where there
    is one option only; one that has `footprints` gets them filled in.
    """

    def __call__(self, position: int, options: Sequence[Event], /) -> int:
        """Return an index into *options*, of which there are at least two."""
        ...


class Tape:
    """Records the choices that a chooser makes.

    Attributes:
        choices: The index taken at each choice.
        widths: The number of options there were.
        sees_all: Whether the chooser is asked before every step.
        footprints: What steps touch is noted here, if the chooser wants to know.
    """

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self.choices: list[int] = []
        self.widths: list[int] = []
        self.sees_all: bool = getattr(chooser, "sees_all", False)
        self.footprints: Footprints | None = getattr(chooser, "footprints", None)

    def choose(self, options: Sequence[Event]) -> int:
        """Take one of *options*.

        Args:
            options: What may happen, in the default order.

        Returns:
            The index taken.
        """
        index = self._chooser(len(self.choices), options)
        width = len(options)
        if width > 1:
            self.choices.append(index)
            self.widths.append(width)
        return index

    def deviations(self) -> dict[int, int]:
        """List the choices that are not the default.

        Returns:
            Index taken, by position.
        """
        return {position: index for position, index in enumerate(self.choices) if index}


def default(_position: int, _options: Sequence[Event]) -> int:
    """Choose the default everywhere."""
    return 0


class UniformRandom:
    """Chooses each option with equal probability.

    Args:
        seed: Any text; equal texts give equal choices on every platform.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random  # schedules are no secrets

    def __call__(self, _position: int, options: Sequence[Event]) -> int:
        """Draw one."""
        return int(self._random() * len(options))


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

    def __call__(self, position: int, options: Sequence[Event]) -> int:
        """Take what was recorded."""
        index = self._deviations.get(position, 0)
        if index < len(options):
            return index
        if self._strict:
            raise NonDeterminism(
                f"at least {index + 1} options at choice {position}", f"{len(options)} options"
            )
        return len(options) - 1

    @override
    def __repr__(self) -> str:
        return f"Following({self._deviations!r})"
