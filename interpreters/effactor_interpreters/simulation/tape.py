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
    from effactor_interpreters.simulation.faults.events import FaultEvent
    from effactor_interpreters.simulation.footprints import Footprints


class Chooser(Protocol):
    """Decides which of *options* happens at the *position*-th choice.

    One that has a true attribute `sees_all` is asked before every step, also where there
    is one option only; one that has `footprints` gets them filled in; for one that has a
    true attribute `draws` faults are drawn apart, see `Swarm`.
    """

    def __call__(self, position: int, options: Sequence[Event], /) -> int:
        """Return an index into *options*, of which there are at least two."""
        ...


class Tape:
    """Records the choices that a chooser makes.

    Attributes:
        choices: The index taken at each choice.
        widths: The number of options there were.
        position: Choices between events so far; those of faults are not counted.
        picked: For each of these that was not the default: its position, the index taken,
            the event, and the default.
        sees_all: Whether the chooser is asked before every step.
        footprints: What steps touch is noted here, if the chooser wants to know.
    """

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self.choices: list[int] = []
        self.widths: list[int] = []
        self.position: int = 0
        self.picked: list[tuple[int, int, Event, Event]] = []
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
            if index:
                self.picked.append((self.position, index, options[index], options[0]))
            self.position += 1
        return index

    def choose_or_fault(self, options: list[Event], faults: list[FaultEvent]) -> int:
        """Take one of *options*, or one of *faults*, which come after them.

        Args:
            options: What may happen, in the default order.
            faults: What may go wrong instead; at least one.

        Returns:
            The index taken, of both together.
        """
        index = self._chooser(len(self.choices), [*options, *faults])
        self.choices.append(index)
        self.widths.append(len(options) + len(faults))
        if index < len(options) and len(options) > 1:
            if index:
                self.picked.append((self.position, index, options[index], options[0]))
            self.position += 1
        return index

    def fault(self, spared: Event, faults: list[FaultEvent]) -> int | None:
        """Say, in the midst of a step, what goes wrong in it.

        Args:
            spared: Stands for that nothing does.
            faults: What could, at least one.

        Returns:
            An index into *faults*, or None.
        """
        draw = getattr(self._chooser, "fault", None)
        if draw is not None:
            drawn: int | None = draw(faults)
            index = 0 if drawn is None else drawn + 1
        else:
            index = self._chooser(len(self.choices), [spared, *faults])
        self.choices.append(index)
        self.widths.append(1 + len(faults))
        return None if index == 0 else index - 1

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

    draws: bool = True

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
