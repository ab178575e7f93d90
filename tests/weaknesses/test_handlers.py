"""Handlers are found however they are written.

The item 10 of what others got wrong, through a running actor; `tests/test_handlers.py` has
each way for itself.
"""

# The annotations of this module are postponed, which is one of the ways.
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from worlds import World

from effactor import Actor, Message, handler
from effactor.interpreters import ActorSystem


@dataclass(frozen=True)
class Eat(Message[str]):
    what: str


@dataclass(frozen=True)
class Drink(Message[str]):
    what: str


@dataclass(frozen=True)
class Gulp(Drink):
    """A subclass of a message that is handled."""


@dataclass(frozen=True)
class Sleep(Message[str]):
    pass


class Animal(Actor[Any]):
    @handler
    def consume(self, message: Eat | Drink) -> str:
        return f"{type(self).__name__} takes {message.what}"


class Cat(Animal):
    @handler
    async def sleep(self, message: Sleep) -> str:
        return f"{type(self).__name__} sleeps"


class Kitten(Cat):
    """Brings no handler of its own."""


def test_o10_all_of_it_works_together(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        kitten = await system.spawn(Kitten)
        return [await kitten.ask(m) for m in (Eat("fish"), Drink("milk"), Gulp("tea"), Sleep())]

    assert world.run(body) == [
        "Kitten takes fish",
        "Kitten takes milk",
        "Kitten takes tea",
        "Kitten sleeps",
    ]
