"""Goes the way that a script tells of, and the default way elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from effactor.errors import NonDeterminism
from effactor_interpreters.simulation.faults.script import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.faults.script import Deviation, Mode, Script


class Retracing:
    """Chooses as a script says.

    Args:
        script: The script; its faults are the world's business.
        mode: `strict` demands the same events at the same choices; `places` goes by the
            place, as far as that exists; `guided` by the identity of events: one that happened
            in place of another does so again, wherever that is.

    Attributes:
        left: Deviations that have not been met.
        forced: How many were met with other events.
    """

    def __init__(self, script: Script, mode: Mode) -> None:
        self.left: dict[int, Deviation] = {each.position: each for each in script.deviations}
        self.forced: int = 0
        self._mode = mode

    def __call__(self, position: int, options: Sequence[Event]) -> int:
        """Take what happened."""
        if self._mode == "guided":
            return self._by_identity(options)
        deviation = self.left.pop(position, None)
        if deviation is None:
            return 0
        if self._mode == "strict":
            self._check(deviation, options)
            return deviation.index
        if deviation.event:
            for index, event in enumerate(options):
                if identity(event.key) == deviation.event:
                    return index
            self.forced += 1
        return min(deviation.index, len(options) - 1)

    def _by_identity(self, options: Sequence[Event]) -> int:
        default = identity(options[0].key)
        for position, deviation in self.left.items():
            if deviation.default != default:
                continue
            for index, event in enumerate(options):
                if index and identity(event.key) == deviation.event:
                    del self.left[position]
                    return index
        return 0

    def _check(self, deviation: Deviation, options: Sequence[Event]) -> None:
        position, index = deviation.position, deviation.index
        if index >= len(options):
            expected = f"at least {index + 1} options at choice {position}"
            raise NonDeterminism(expected, f"{len(options)} options{_listed(options)}")
        for number, expected_event in ((index, deviation.event), (0, deviation.default)):
            event = options[number]
            if identity(event.key) != expected_event:
                expected = f"another event as option {number} of choice {position}"
                raise NonDeterminism(expected, event.describe())

    @override
    def __repr__(self) -> str:
        return f"Retracing({self.left!r}, {self._mode!r})"


def _listed(options: Sequence[Event]) -> str:
    return f" ({'; '.join(event.describe() for event in options)})"
