"""The table "Core Actor API" of everything-is-an-actor's README holds here, name by name."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

import effactor
from effactor import (
    Actor,
    ActorRef,
    AfterIdle,
    AfterMessage,
    AllForOneStrategy,
    FastMailbox,
    Mailbox,
    MemoryMailbox,
    Middleware,
    MiddlewareContext,
    Next,
    OneForOneStrategy,
    StopMode,
    StopPolicy,
    SupervisorStrategy,
    ThreadedMailbox,
)
from effactor.interpreters import ActorSystem

_TABLE = Path(__file__).with_name("core_api.txt").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!Class)(\w+) \| (.*) \|$", _TABLE, re.MULTILINE)
# Not of this package's actors: the agents' layer and brokers are extensions of their own.
LATER = {"AgentSystem", "RedisMailbox"}

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@pytest.mark.parametrize(
    ("name", "described"),
    [row for row in ROWS if row[0] not in LATER],
    ids=lambda text: text if text.isalpha() else "",
)
def test_each_name_of_the_table_is_here(name: str, described: str) -> None:
    cls = getattr(effactor, name)
    methods = re.findall(r"\b(\w+)\((?!seconds|msg\) / After)", described)
    methods += re.findall(r"\b(?:on_\w+|stop_policy|is_active|known_ids|deactivate\w*)", described)
    others = set(re.findall(r"\b(\w*Mailbox|After\w+|StopMode)\b", described)) - LATER
    for method in set(methods) - others:
        assert hasattr(cls, method), method
    for other in others:
        assert hasattr(effactor, other), other
    if name == "StopPolicy":
        assert {StopMode.NEVER, StopMode.ONE_TIME} == set(StopMode)


class Logs(Actor[Any]):
    """Overrides all that the table names."""

    def __init__(self) -> None:
        log.append("made")

    @override
    async def on_receive(self, message: Any) -> Any:
        log.append(message)
        if message == "fail":
            raise ValueError(message)
        return f"re: {message}"

    @override
    async def on_started(self) -> None:
        log.append("started")

    @override
    async def on_stopped(self) -> None:
        log.append("stopped")

    @override
    async def on_restart(self, error: BaseException) -> None:
        log.append(f"restarted after {error}")

    @override
    def stop_policy(self) -> StopPolicy:
        return AfterMessage("bye")


class Streams(Actor[Any]):
    @override
    async def on_receive(self, message: int) -> Any:
        for number in range(message):
            yield number


def test_an_actor_overrides_these_hooks(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Logs, "logs")
        with pytest.raises(ValueError, match="fail"):
            await ref.ask("fail")
        assert await ref.ask("bye") == "re: bye"
        await ref.join()

    world.run(body)
    assert log == [
        *("made", "started", "fail", "stopped"),
        *("made", "restarted after fail", "started", "bye", "stopped"),
    ]


def test_a_ref_and_a_system_do_what_the_table_says(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref: ActorRef[Any] = await system.spawn(Logs, "logs")
        streams = await system.spawn(Streams, "streams")
        await ref.tell("one")
        assert await ref.ask("two") == "re: two"
        assert [item async for item in streams.ask_stream(3)] == [0, 1, 2]
        assert await system.run_free(ref.free_ask("three")) == "re: three"
        await system.run_free(ref.free_tell("four").then(ref.free_ask("and its reply")))
        assert await system.get_actor("/sim/logs") == ref
        assert await system.ask("/logs", "five") == "re: five"
        await system.run_free(ref.free_stop())
        await ref.join()
        await system.shutdown()
        return streams.is_alive

    assert world.run(body) is False
    heard = ["one", "two", "three", "four", "and its reply", "five"]
    assert log == ["made", "started", *heard, "stopped"]


@pytest.mark.parametrize("mailbox", [MemoryMailbox(), FastMailbox(), ThreadedMailbox()], ids=repr)
def test_a_mailbox_is_an_interface_with_several_kinds(world: World, mailbox: Mailbox) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Logs, "logs", mailbox=mailbox)
        for number in range(5):
            await ref.tell(number)
        return await ref.ask("last")

    assert isinstance(mailbox, Mailbox)
    assert world.run(body) == "re: last"
    assert log[2:8] == [0, 1, 2, 3, 4, "last"]


class Intercepts(Middleware):
    @override
    async def on_receive(self, ctx: MiddlewareContext, message: Any, next_fn: Next) -> Any:
        log.append(f"intercepted {message}")
        return await next_fn(ctx, message)

    @override
    async def on_started(self, ref: ActorRef[Any]) -> None:
        log.append(f"{ref.name} starts")

    @override
    async def on_stopped(self, ref: ActorRef[Any]) -> None:
        log.append(f"{ref.name} stops")

    @override
    async def on_restart(self, ref: ActorRef[Any], error: BaseException) -> None:
        log.append(f"{ref.name} restarts")


def test_middleware_intercepts_all_lifecycle_events(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Logs, "logs", middlewares=[Intercepts()])
        with pytest.raises(ValueError, match="fail"):
            await ref.ask("fail")
        await ref.stop()
        await ref.join()

    world.run(body)
    assert [entry for entry in log if entry.startswith(("logs ", "intercepted"))] == [
        "logs starts",
        "intercepted fail",
        "logs restarts",
        "logs stops",
    ]


class Child(Actor[str]):
    """Counts what it is asked; a new instance begins anew."""

    def __init__(self) -> None:
        self.asked = 0

    @override
    async def on_receive(self, message: str) -> int:
        if message == "fail":
            raise ValueError(message)
        self.asked += 1
        return self.asked


@pytest.mark.parametrize(
    ("strategy", "sibling"),
    [
        (OneForOneStrategy(max_restarts=3, within_seconds=60), 2),
        (AllForOneStrategy(max_restarts=3, within_seconds=60), 1),
    ],
    ids=["one for one", "all for one"],
)
def test_a_strategy_restarts_the_failing_child_or_all_siblings(
    world: World, strategy: SupervisorStrategy, sibling: int
) -> None:
    class Parent(Actor[Any]):
        @override
        def supervisor_strategy(self) -> SupervisorStrategy:
            return strategy

        @override
        async def on_started(self) -> None:
            for name in ("failing", "sibling"):
                await self.context.spawn(Child, name)

    async def body(system: ActorSystem) -> Any:
        await system.spawn(Parent, "parent")
        paths = ("/parent/failing", "/parent/sibling")
        assert [await system.ask(path, "count") for path in paths] == [1, 1]
        with pytest.raises(ValueError, match="fail"):
            await system.ask("/parent/failing", "fail")
        await asyncio.sleep(1)
        return [await system.ask(path, "count") for path in paths]

    assert world.run(body) == [1, sibling]


@pytest.mark.parametrize(
    ("policy", "lives"),
    [
        (StopMode.NEVER, True),
        (StopMode.ONE_TIME, False),
        (AfterMessage("go"), False),
        (AfterMessage("another"), True),
        (AfterIdle(seconds=5), False),
        (AfterIdle(seconds=1000), True),
    ],
    ids=repr,
)
def test_a_stop_policy_ends_an_actor_when_it_says(
    world: World, policy: StopPolicy, lives: bool
) -> None:
    class Mortal(Child):
        @override
        def stop_policy(self) -> StopPolicy:
            return policy

    async def body(system: ActorSystem) -> bool:
        ref = await system.spawn(Mortal)
        assert await ref.ask("go") == 1
        await asyncio.sleep(10)
        return ref.is_alive

    assert world.run(body) is lives
