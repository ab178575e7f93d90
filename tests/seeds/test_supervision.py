"""The section "Supervision" of everything-is-an-actor's README runs as it is, in every world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from foreign_code import blocks, run_awaiting
from typing_extensions import override
from worlds import World

from effactor import Actor, ActorStopped, Directive, OneForOneStrategy
from effactor.interpreters import ActorSystem

(CODE,) = blocks(Path(__file__).with_name("supervision.txt"))


class WorkerActor(Actor[str]):
    """Fails when it is told to; the README does not say what its own does."""

    def __init__(self) -> None:
        self.asked = 0

    @override
    async def on_receive(self, message: str) -> int:
        if message == "fail":
            raise ValueError(message)
        self.asked += 1
        return self.asked


async def spawned(system: ActorSystem) -> Any:
    """Run the block, spawn its parent, and answer the child that the parent spawned."""
    presupposed = (Actor, OneForOneStrategy, WorkerActor)
    names: dict[str, Any] = {cls.__name__: cls for cls in presupposed}
    await run_awaiting(CODE, names)
    await system.spawn(names["ParentActor"], "parent")
    return await system.get_actor("/parent/worker")


def test_the_failing_child_is_restarted_as_often_as_the_strategy_says(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        child = await spawned(system)
        assert [await child.ask("count") for _ in range(2)] == [1, 2]
        for _ in range(3):
            with pytest.raises(ValueError, match="fail"):
                await child.ask("fail")
            assert await child.ask("count") == 1  # by a new instance
        with pytest.raises(ValueError, match="fail"):
            await child.ask("fail")
        await child.join()
        with pytest.raises(ActorStopped):
            await child.ask("count")
        return sorted(system.actors())

    assert world.run(body) == ["/parent"]


def test_the_directives_are_the_four() -> None:
    assert [directive.value for directive in Directive] == ["resume", "restart", "stop", "escalate"]
