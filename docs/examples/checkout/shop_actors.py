"""The shop's actors: ordinary classes, and the messages they answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from effactor import Actor, Message, handler


class NoStock(Exception):
    """There are fewer on the shelf than were asked for."""


class Declined(Exception):
    """The bank refuses the card."""


@dataclass(frozen=True)
class Look(Message[int]):
    sku: str


@dataclass(frozen=True)
class Take(Message[None]):
    sku: str
    quantity: int


@dataclass(frozen=True)
class Reserve(Message[int, NoStock]):  # replies the reservation's number, or fails with NoStock
    sku: str
    quantity: int


@dataclass(frozen=True)
class Release(Message[None]):
    reservation: int


@dataclass(frozen=True)
class Charge(Message[str, Declined]):  # replies the receipt
    order: str
    card: str
    cents: int


@dataclass(frozen=True)
class Cancel(Message[None]):
    order: str


@dataclass(frozen=True)
class Record(Message[None]):
    order: str
    cents: int


class Inventory(Actor[Look | Take | Reserve | Release]):
    def __init__(self, stock: Mapping[str, int]) -> None:
        self.stock = dict(stock)
        self.reserved: dict[int, Reserve] = {}
        self.numbers = count(1)

    @handler
    def look(self, message: Look) -> int:
        return self.stock.get(message.sku, 0)

    @handler
    def take(self, message: Take) -> None:
        self.stock[message.sku] -= message.quantity

    @handler
    def reserve(self, message: Reserve) -> int:
        # One message is handled at a time: nobody comes between the look and the take.
        if self.stock.get(message.sku, 0) < message.quantity:
            raise NoStock(message.sku)  # declared, so it is a reply; the actor lives on
        self.stock[message.sku] -= message.quantity
        number = next(self.numbers)
        self.reserved[number] = message
        return number

    @handler
    def release(self, message: Release) -> None:
        reserved = self.reserved.pop(message.reservation)
        self.stock[reserved.sku] += reserved.quantity


class Payment(Actor[Charge | Cancel]):
    """Speaks to the bank, which takes its time."""

    blocked = frozenset({"4000000000000002"})

    def __init__(self, seconds: float = 0.002) -> None:
        self.seconds = seconds
        self.charged: dict[str, int] = {}

    @handler
    async def charge(self, message: Charge) -> str:
        await asyncio.sleep(self.seconds)
        if message.card in self.blocked:
            raise Declined(f"card ending in {message.card[-4:]}")
        self.charged[message.order] = message.cents
        return f"receipt of {message.order}"

    @handler
    def cancel(self, message: Cancel) -> None:
        self.charged.pop(message.order, None)


class Ledger(Actor[Record]):
    def __init__(self) -> None:
        self.sales: dict[str, int] = {}

    @handler
    def record(self, message: Record) -> None:
        self.sales[message.order] = message.cents
