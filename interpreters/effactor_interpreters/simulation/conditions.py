"""Under which conditions a run takes place: its network, and what may go wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from effactor_interpreters.simulation.delivery import check_delivery
from effactor_interpreters.simulation.faults.budget import check_faults

if TYPE_CHECKING:
    from effactor_interpreters.simulation.delivery import Order
    from effactor_interpreters.simulation.faults.budget import Faults


@dataclass(frozen=True, slots=True)
class Conditions:
    """The network of a run, and what may go wrong.

    Attributes:
        delivery: In which order messages arrive.
        lossy: Whether any message may be lost.
        duplicating: Whether any message may come twice.
        faults: What else is planned and permitted.
    """

    delivery: Order = "fifo"
    lossy: bool = False
    duplicating: bool = False
    faults: Faults | None = None

    @property
    def may_fail(self) -> bool:
        """Whether faults are chosen as events are."""
        return (
            self.lossy or self.duplicating or (self.faults is not None and bool(self.faults.most))
        )

    def without_choice(self) -> Conditions:
        """Leave only what happens in any case, for runs that repeat the rest."""
        faults = None if self.faults is None else self.faults.without_choice()
        return replace(self, lossy=False, duplicating=False, faults=faults)


CALM = Conditions()
"""Messages of one sender and receiver in order, and nothing goes wrong."""


def conditions_of(
    where: str,
    faults: Faults | None,
    delivery: Order,
    *,
    lossy: bool,
    duplicating: bool,
) -> Conditions:
    """Check the arguments of `explore` and `simulate`.

    Args:
        where: The function that received them, for errors.
        faults: What may go wrong, or None.
        delivery: In which order messages arrive.
        lossy: Whether any message may be lost.
        duplicating: Whether any message may come twice.

    Returns:
        The conditions.

    Raises:
        TypeError: If *faults* is no `Faults`, or a flag no bool.
        ValueError: If there is no such *delivery*.
    """
    check_faults(where, faults)
    check_delivery(where, delivery)
    for name, flag in (("lossy", lossy), ("duplicating", duplicating)):
        if not isinstance(flag, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = (
                f"{where}: {name} must be True or False, got {flag!r}; for a bounded number of "
                f"faults write faults=Faults(...)"
            )
            raise TypeError(msg)
    return Conditions(delivery, lossy, duplicating, faults)
