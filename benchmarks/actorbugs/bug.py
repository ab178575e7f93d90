"""What a program of the benchmark is: a bug, its fixed twin, and what is known about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from effactor.interpreters import Simulation

Scenario = Callable[[Simulation], None]

# The kinds of message-passing bugs of Torres Lopez, Marr, Gonzalez Boix and Mossenboeck, "A
# Study of Concurrency Bugs and Advanced Development Support for Actor-based Programs" (2018),
# and what faults add to them.
Kind = Literal[
    "order violation",
    "atomicity violation",
    "communication deadlock",
    "behavioural deadlock",
    "timeout race",
    "lost message",
    "duplicated message",
    "lost state",
    "broken agreement",
]

Fault = Literal["crash", "drop", "duplicate", "delay", "partition"]


@dataclass(frozen=True, slots=True)
class Bug:
    """A program with a real concurrency bug, and the same program without it.

    Attributes:
        name: Identifies it, as in `--only`.
        title: What goes wrong, in a few words.
        source: Where the bug, or the algorithm that it breaks, is from.
        kind: The class of the bug.
        faults: What must fail for it to show; without faults it is a matter of order alone.
        depth: The least number of deviations from the default order with which it shows.
        scenario: The program. It passes in the default order.
        fixed: The twin, which passes in every order.
    """

    name: str
    title: str
    source: str
    kind: Kind
    faults: tuple[Fault, ...]
    depth: int
    scenario: Scenario
    fixed: Scenario
