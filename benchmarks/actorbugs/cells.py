"""A memory cell as an actor: what shared variables become when threads are ported to actors."""

from __future__ import annotations

from dataclasses import dataclass

from effactor import Actor, ActorRef, Message, handler


@dataclass(frozen=True, slots=True)
class Read(Message[int]):
    """Answers the value."""


@dataclass(frozen=True, slots=True)
class Write(Message[None]):
    """Sets the value."""

    value: int


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    """Adds to the value, in one step, and answers the new one."""

    amount: int


class Cell(Actor[Read | Write | Add]):
    def __init__(self, value: int = 0) -> None:
        self.value = value

    @handler
    def read(self, message: Read) -> int:
        return self.value

    @handler
    def write(self, message: Write) -> None:
        self.value = message.value

    @handler
    def add(self, message: Add) -> int:
        self.value += message.amount
        return self.value


CellRef = ActorRef[Read | Write | Add]
"""A cell's ref."""
