"""The actors that are measured, and the same handlers on the classic actor."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from benchmarks.classic import Direct, Dispatching, PlainDirect, PlainDispatching
from effactor import Actor, ActorRef, Message, handler


@dataclass(frozen=True, slots=True)
class Get(Message[int]):
    number: int


@dataclass(frozen=True, slots=True)
class Pause(Message[int]):
    number: int


@dataclass(frozen=True, slots=True)
class Handled(Message[int]):
    """Asks a counting actor how much it has handled."""


class Awaited(Actor[Get | Pause]):
    """Its handlers are `async def`."""

    @handler
    async def get(self, message: Get) -> int:
        return message.number

    @handler
    async def pause(self, message: Pause) -> int:
        await asyncio.sleep(0)
        return message.number


class Plain(Actor[Get]):
    """Its handler is `def`."""

    @handler
    def get(self, message: Get) -> int:
        return message.number


class Counting(Actor[Get | Handled]):
    """Its handler is `async def`, and counts what it has handled."""

    def __init__(self) -> None:
        self.handled = 0

    @handler
    async def get(self, message: Get) -> int:
        self.handled += 1
        return message.number

    @handler
    def count(self, message: Handled) -> int:
        return self.handled


class CountingPlain(Actor[Get | Handled]):
    """Its handler is `def`, and counts what it has handled."""

    def __init__(self) -> None:
        self.handled = 0

    @handler
    def get(self, message: Get) -> int:
        self.handled += 1
        return message.number

    @handler
    def count(self, message: Handled) -> int:
        return self.handled


class AwaitedState:
    """What the user writes for a classic actor with `async def` handlers."""

    async def get(self, message: Get) -> int:
        return message.number

    async def pause(self, message: Pause) -> int:
        await asyncio.sleep(0)
        return message.number


class PlainState:
    """What the user writes for a classic actor with `def` handlers."""

    def get(self, message: Get) -> int:
        return message.number


class CountingState:
    """Counts what a classic actor with an `async def` handler has handled."""

    def __init__(self) -> None:
        self.handled = 0

    async def get(self, message: Get) -> int:
        self.handled += 1
        return message.number


class CountingPlainState:
    """Counts what a classic actor with a `def` handler has handled."""

    def __init__(self) -> None:
        self.handled = 0

    def get(self, message: Get) -> int:
        self.handled += 1
        return message.number


def classic() -> Dispatching:
    """Start a classic actor with `async def` handlers, found by the message's class."""
    state = AwaitedState()
    return Dispatching({Get: state.get, Pause: state.pause})


def classic_direct() -> Direct:
    """Start a classic actor with one `async def` handler and no dispatch."""
    return Direct(AwaitedState().get)


def classic_plain() -> PlainDispatching:
    """Start a classic actor with a `def` handler, found by the message's class."""
    return PlainDispatching({Get: PlainState().get})


def classic_plain_direct() -> PlainDirect:
    """Start a classic actor with one `def` handler and no dispatch."""
    return PlainDirect(PlainState().get)


@dataclass(frozen=True, slots=True)
class Hop(Message[int]):
    pass


class Relay(Actor[Hop]):
    """Asks the next actor of its chain."""

    def __init__(self, following: ActorRef[Hop] | None) -> None:
        self.following = following

    @handler
    async def hop(self, message: Hop) -> int:
        if self.following is None:
            return 0
        return 1 + await self.following.ask(message)


class RelayState:
    """Asks the next classic actor of its chain."""

    def __init__(self, following: Direct | None) -> None:
        self.following = following

    async def hop(self, message: Hop) -> int:
        if self.following is None:
            return 0
        answer: int = await self.following.ask(message)
        return 1 + answer
