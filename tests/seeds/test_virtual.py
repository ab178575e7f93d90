"""The sections on virtual actors of everything-is-an-actor's README run with other imports only."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from effactor.interpreters import ActorSystem

_PAGE = Path(__file__).with_name("virtual.txt").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)


class Database:
    """What the code calls `db`."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {}

    async def load(self, key: str) -> list[str]:
        await asyncio.sleep(0)
        return list(self.rows.get(key, []))

    async def save(self, key: str, row: list[str]) -> None:
        await asyncio.sleep(0)
        self.rows[key] = row


class Redis:
    """What the code calls `redis`."""

    def __init__(self) -> None:
        self.sets: dict[str, set[str]] = {}

    async def sadd(self, name: str, key: str) -> None:
        self.sets.setdefault(name, set()).add(key)

    async def srem(self, name: str, key: str) -> None:
        self.sets[name].discard(key)

    async def smembers(self, name: str) -> set[str]:
        return self.sets.get(name, set())


def page(**names: Any) -> ModuleType:
    module = ModuleType("chat")
    vars(module).update(names)
    return module


def run(module: ModuleType, code: str) -> None:
    code = code.replace("everything_is_an_actor", "effactor")
    exec(compile(code, "<virtual>", "exec"), vars(module))  # noqa: S102 - code of this folder


def test_sessions_are_activated_on_demand_and_saved_at_shutdown() -> None:
    db = Database()
    replies: list[list[str]] = []

    def respond(history: list[str]) -> str:
        replies.append(list(history))
        return history[-1]

    module = page(db=db, respond=respond)
    run(module, CODE[0])
    asyncio.run(module.main())
    assert db.rows == {"session_123": ["hello", "how are you"], "session_456": ["hi"]}
    assert sorted(replies) == [["hello"], ["hello", "how are you"], ["hi"]]
    asyncio.run(module.main())
    assert db.rows["session_456"] == ["hi", "hi"]


def test_a_store_of_ones_own_knows_the_active_ids() -> None:
    redis = Redis()

    async def main() -> None:
        module = page(db=Database(), respond=list, redis=redis, system=ActorSystem("app"))
        for code in CODE:
            run(module, code)
        await module.registry.ask(module.ChatAgent, "session_123", "hello")
        assert redis.sets == {"actors": {"chat.ChatAgent/session_123"}}
        await redis.sadd("actors", "chat.ChatAgent/session_7")
        known = [name.id for name in await module.registry.known_ids()]
        assert known == ["session_123", "session_7"]
        await module.system.shutdown()
        assert redis.sets == {"actors": {"chat.ChatAgent/session_7"}}

    asyncio.run(main())
