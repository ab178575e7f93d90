"""The messages of the workloads: each has a number of its own, and says what its handler does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from effactor import Message

Act = tuple[Any, ...]
"""One thing that a handler does: its name, and arguments. `workers` explains each."""


@dataclass(frozen=True)
class Job(Message[Any]):
    """A message whose reply is its number."""

    number: int
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Quick(Job):
    """For a `def` handler, which does what needs no waiting."""


@dataclass(frozen=True)
class Slow(Job):
    """For an `async def` handler."""


@dataclass(frozen=True)
class Flow(Job):
    """For a handler that returns a program."""


class Boom(Exception):
    """Restarts whoever raises it."""


class Skip(Exception):
    """Lets whoever raises it go on."""


class Halt(Exception):
    """Stops whoever raises it."""


class Up(Exception):
    """Is handed on to the supervisor of whoever raises it."""


FAILURES: dict[str, type[Exception]] = {"boom": Boom, "skip": Skip, "halt": Halt, "up": Up}
