"""What it costs that somebody looks on: a layer of middleware, a listener.

Each side is effactor's, with and without; so what is judged is an overhead. The rows "by
hand" do no more than what a user would have to write without actors: they say how much of
it is the price of Python's calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from typing_extensions import override

from benchmarks.actors import Awaited, Get, Plain
from benchmarks.asks import one_by_one
from benchmarks.measuring import NANO, Case, Comparison, Effort, Row, compare, overhead
from benchmarks.tells import BURST, bursts
from effactor import Actor, ActorSystem, Middleware, MiddlewareContext, Next

TOPIC = "observing"

KINDS: Final[tuple[tuple[str, Callable[[], Actor[Any]]], ...]] = (
    ("async def", Awaited),
    ("def", Plain),
)


async def rows(effort: Effort) -> list[Row]:
    return [
        *await with_a_layer(effort),
        *await with_a_second_layer(effort),
        *await with_a_listener(effort),
        *await by_hand(effort),
    ]


class PassOn(Middleware):
    """Does nothing but call on."""

    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        return await next_fn(ctx, message)


def ignore(_event: object) -> None:
    """Listen, and do nothing."""


def cases(effort: Effort, sides: dict[str, Any]) -> list[Case]:
    """Make the asks and the tells of each side.

    Args:
        effort: How long.
        sides: A ref by what is in front of the names of its cases.

    Returns:
        The cases `... ask` and `... tell`.
    """
    n, rounds = effort.times(20_000), effort.times(20)
    message = Get(1)

    def ask(ref: Any) -> Callable[[], Any]:
        return lambda: one_by_one(ref.ask, message, n)

    def tell(ref: Any) -> Callable[[], Any]:
        return lambda: bursts(ref.tell_nowait, ref.ask, rounds)

    return [
        case
        for name, ref in sides.items()
        for case in (
            Case(f"{name} ask", n, ask(ref)),
            Case(f"{name} tell", rounds * BURST, tell(ref)),
        )
    ]


async def with_a_layer(effort: Effort) -> list[Row]:
    async with ActorSystem("middleware") as system:
        sides: dict[str, Any] = {}
        for kind, actor in KINDS:
            sides[f"{kind}, bare"] = await system.spawn(actor)
            sides[f"{kind}, observed"] = await system.spawn(actor, middlewares=[PassOn()])
        measured = await compare(effort, *cases(effort, sides))
    return costs(measured, "through one layer of middleware", 1.25)


async def with_a_second_layer(effort: Effort) -> list[Row]:
    async with ActorSystem("layers") as system:
        sides: dict[str, Any] = {}
        for kind, actor in KINDS:
            sides[f"{kind}, bare"] = await system.spawn(actor, middlewares=[PassOn()])
            sides[f"{kind}, observed"] = await system.spawn(actor, middlewares=[PassOn()] * 2)
        measured = await compare(effort, *cases(effort, sides))
    return costs(measured, "through a second layer of it", 1.25)


async def with_a_listener(effort: Effort) -> list[Row]:
    async with ActorSystem("bare") as bare, ActorSystem("observed") as observed:
        sides: dict[str, Any] = {}
        for kind, actor in KINDS:
            sides[f"{kind}, bare"] = await bare.spawn(actor)
            sides[f"{kind}, observed"] = await observed.spawn(actor)
        with observed.events.subscribe(ignore):
            measured = await compare(effort, *cases(effort, sides))
    return costs(measured, "with a listener", 2.5)


@dataclass(slots=True)
class Context:
    """What middleware must be told, at least."""

    actor_ref: Any
    sender: Any
    kind: str


@dataclass(slots=True)
class Record:
    """What a listener must be told, at least."""

    context: Context
    message: Any
    at: float


async def by_hand(effort: Effort) -> list[Row]:
    """Measure a coroutine around another one, and three calls of a listener, without actors."""
    n = effort.times(20_000)
    message, receive, clock = Get(1), PassOn().on_receive, asyncio.get_running_loop().time
    listen: Callable[[Any], object] = ignore

    async def handle(message: Get) -> int:
        return message.number

    async def innermost(_ctx: Any, message: Any) -> Any:
        return await handle(message)

    async def bare() -> None:
        for _ in range(n):
            await handle(message)

    async def layered() -> None:
        for _ in range(n):
            context: Any = Context(None, None, "ask")
            await receive(context, message, innermost)

    async def heard() -> None:
        for _ in range(n):
            context = Context(None, None, "ask")
            listen(Record(context, message, clock()))
            listen(Record(context, message, clock()))
            await handle(message)
            listen(Record(context, message, clock()))

    measured = await compare(
        effort, Case("bare", n, bare), Case("layer", n, layered), Case("listener", n, heard)
    )
    sides = (("layer", "a layer by hand, no actor"), ("listener", "a listener by hand, no actor"))
    made: list[Row] = []
    for side, what in sides:
        nanos = (measured.seconds(side) - measured.seconds("bare")) * NANO
        made.append(Row(TOPIC, f"{what}: what a message pays", nanos, "ns", ""))
    return made


def costs(measured: Comparison, observed: str, target: float) -> list[Row]:
    """Make the rows of what being observed costs, with the absolute cost in their details."""
    made: list[Row] = []
    for act in ("ask", "tell"):
        for kind in ("async def", "def"):
            ours, bare = f"{kind}, observed {act}", f"{kind}, bare {act}"
            row = overhead(TOPIC, f"{act}, {kind}, {observed}", measured, ours, bare, target)
            cost = (measured.seconds(ours) - measured.seconds(bare)) * NANO
            made.append(replace(row, detail=f"{row.detail}: {cost:.0f} ns a message"))
    return made
