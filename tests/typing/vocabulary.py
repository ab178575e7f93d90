"""The messages, failures and actors that the typing tests speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeVar

from effactor import Actor, ActorRef, Message, handler

T = TypeVar("T")


class NoStock(Exception):
    def __init__(self, sku: str) -> None:
        super().__init__(sku)
        self.sku = sku


class Declined(Exception):
    pass


@dataclass(frozen=True)
class Inc(Message[None]):
    by: int = 1


@dataclass(frozen=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True)
class Reserve(Message[int, NoStock]):
    sku: str


@dataclass(frozen=True)
class Pay(Message[str, NoStock | Declined]):
    cents: int


@dataclass(frozen=True)
class Fetch(Message[T], Generic[T]):
    of: type[T]


@dataclass(frozen=True)
class Foreign(Message[str]):
    pass


class Counter(Actor[Inc | Get]):
    def __init__(self, start: int = 0) -> None:
        self.count = start

    @handler
    def inc(self, message: Inc) -> None:
        self.count += message.by

    @handler(Get)
    def get(self, message: Get) -> int:
        return self.count


counter: ActorRef[Inc | Get] = ActorRef.at("/counter")
shop: ActorRef[Reserve | Pay] = ActorRef.at("/shop")
store: ActorRef[Fetch[int] | Fetch[str]] = ActorRef.at("/store")
anyone: ActorRef = ActorRef.at("/anyone")
