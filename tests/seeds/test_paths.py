"""The section "Path-Based Lookup" of everything-is-an-actor's README runs as it is."""

from __future__ import annotations

import ast
import asyncio
import inspect
from pathlib import Path
from typing import Any

from foreign_code import blocks
from typing_extensions import override

from effactor import Actor
from effactor.interpreters import ActorSystem

(CODE,) = blocks(Path(__file__).with_name("paths.txt"))


class Collector(Actor[str]):
    def __init__(self) -> None:
        self.asked = 0

    @override
    async def on_receive(self, message: str) -> str:
        self.asked += 1
        return f"{message} {self.asked}"


class Workers(Actor[Any]):
    @override
    async def on_started(self) -> None:
        await self.context.spawn(Collector, "collector")


def test_actors_are_addressed_by_path() -> None:
    async def main() -> None:
        async with ActorSystem("app") as system:
            await system.spawn(Workers, "workers")
            names: dict[str, Any] = {"system": system}
            code = compile(CODE, "<paths>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            running = eval(code, names)  # noqa: S307 - code of this folder
            assert inspect.iscoroutine(running)
            await running
            assert names["ref"].path == "/workers/collector"
            assert names["result"] == "status 2"

    asyncio.run(main())
