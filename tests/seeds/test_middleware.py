"""The section "Middleware" of everything-is-an-actor's README runs as it is."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import Actor, Middleware
from effactor.interpreters import ActorSystem

(CODE,) = re.findall(
    r"^```python\n(.*?)^```$",
    Path(__file__).with_name("middleware.txt").read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)


class MyActor(Actor[str]):
    @override
    async def on_receive(self, message: str) -> str:
        return message.upper()


def test_a_middleware_logs_messages_and_replies(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    async def body(system: ActorSystem) -> None:
        names: dict[str, Any] = {"Middleware": Middleware, "MyActor": MyActor, "system": system}
        code = compile(CODE, "<middleware>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, names)  # noqa: S307 - code of this folder
        assert inspect.iscoroutine(running)
        await running
        assert await names["ref"].ask("hi") == "HI"

    world.run(body)
    assert capsys.readouterr().out == "[/worker] <- hi\n[/worker] -> HI\n"
