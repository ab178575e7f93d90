"""The section "Stop Policy" of everything-is-an-actor's README runs as it is."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

import effactor
from effactor import Actor, ActorStopped, AfterMessage, StopMode, StopPolicy
from effactor.interpreters import ActorSystem

FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
POLICIES, TELL = FENCE.findall(
    Path(__file__).with_name("stop_policy.txt").read_text(encoding="utf-8")
)


def names() -> dict[str, Any]:
    """Return what the block presupposes, and what it defines."""
    found: dict[str, Any] = {**vars(effactor), "__name__": "seed", "process": str.upper}
    exec(compile(POLICIES, "<stop policy>", "exec"), found)  # noqa: S102 - code of this folder
    return found


def test_a_one_time_worker_stops_after_one_message(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        worker = await system.spawn(names()["OneTimeWorker"])
        assert await worker.ask("task") == "TASK"
        await worker.join()
        with pytest.raises(ActorStopped):
            await worker.ask("task")

    world.run(body)


def test_an_idle_cache_stops_after_a_minute(world: World) -> None:
    def make() -> Any:
        cache = names()["IdleCache"]()
        cache.cache = {"a": 1}
        return cache

    async def body(system: ActorSystem) -> None:
        cache = await system.spawn(make)
        begun = asyncio.get_running_loop().time()
        assert await cache.ask("a") == 1
        await asyncio.sleep(50)
        assert await cache.ask("b") is None
        await cache.join()
        assert asyncio.get_running_loop().time() - begun == pytest.approx(110, abs=1)

    world.run(body)


@pytest.mark.skipif(not hasattr(Actor, "tell"), reason="self.tell is another branch's")
@pytest.mark.parametrize("policy", [StopMode.ONE_TIME, AfterMessage("hello"), StopMode.NEVER])
def test_a_class_is_told_only_if_it_stops_by_itself(world: World, policy: StopPolicy) -> None:
    heard: list[str] = []

    class EchoActor(Actor[str]):
        @override
        def stop_policy(self) -> StopPolicy:
            return policy

        @override
        def on_receive(self, message: str) -> None:
            heard.append(message)

    class Teller(Actor[str]):
        @override
        async def on_receive(self, message: str) -> None:
            code = compile(TELL, "<tell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            running = eval(code, {"self": self, "EchoActor": EchoActor})  # noqa: S307 - code of this folder
            assert inspect.iscoroutine(running)
            await running

    async def body(system: ActorSystem) -> None:
        teller = await system.spawn(Teller)
        if policy is StopMode.NEVER:
            with pytest.raises(TypeError):
                await teller.ask("go")
            return
        await teller.ask("go")
        await teller.stop()
        await teller.join()

    world.run(body)
