"""Stores of virtual actors' ids, on real threads and files."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import Actor, ActorSystem, RegistryStore, VirtualActorRegistry, VirtualId
from effactor.errors import EscapedEffect
from effactor.interpreters import Simulation, SQLiteRegistryStore, simulate

if TYPE_CHECKING:
    from pathlib import Path


class Echo(Actor[str]):
    @override
    def on_receive(self, message: str) -> str:
        return message


NAME = VirtualId.of(Echo, "a/b")


async def test_sqlite_knows_who_is_active_until_they_have_stopped(tmp_path: Path) -> None:
    store = SQLiteRegistryStore(tmp_path / "ids.db")
    async with ActorSystem("app") as system:
        registry = VirtualActorRegistry(system, store)
        asks = (registry.ask(Echo, f"e{number}", "x") for number in range(20))
        assert await asyncio.gather(*asks) == ["x"] * 20
        assert len(await store.list_all()) == 20
        await registry.deactivate(Echo, "e7")
        assert VirtualId.of(Echo, "e7") not in await registry.known_ids()
        assert await registry.ask(Echo, "a/b", "y") == "y"
        assert NAME.key in await store.list_all()
    assert await store.list_all() == []
    store.close()


async def test_ids_of_a_process_that_died_are_known_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "ids.db"
    program = """
import asyncio, os, sys
from effactor import Actor, ActorSystem, VirtualActorRegistry
from effactor.interpreters import SQLiteRegistryStore

class Echo(Actor):
    def on_receive(self, message):
        return message

async def main():
    registry = VirtualActorRegistry(ActorSystem("app"), SQLiteRegistryStore(sys.argv[1]))
    await registry.ask(Echo, "survivor", "x")
    await registry.ask(Echo, "stopped", "x")
    await registry.deactivate(Echo, "stopped")
    os._exit(1)

asyncio.run(main())
"""
    died = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, str(path)], check=False
    )
    assert died.returncode == 1
    store = SQLiteRegistryStore(path)
    async with ActorSystem("app") as system:
        registry = VirtualActorRegistry(system, store)
        assert await registry.known_ids() == [VirtualId("__main__.Echo", "survivor")]
        assert not registry.active_ids
    store.close()


async def test_sqlite_takes_any_text_and_forgets_what_it_never_knew(tmp_path: Path) -> None:
    store = SQLiteRegistryStore(str(tmp_path / "ids.db"))
    keys = ["'; DROP TABLE virtual_actors; --", "ü/\n", "x" * 10_000]
    for key in (*keys, *keys):
        await store.put(key)
    await store.delete("unknown")
    assert sorted(await store.list_all()) == sorted(keys)
    store.close()


async def test_two_stores_may_share_a_file(tmp_path: Path) -> None:
    one, two = (SQLiteRegistryStore(tmp_path / "ids.db") for _ in range(2))
    await asyncio.gather(*(store.put(f"k{n}") for n in range(20) for store in (one, two)))
    assert len(await two.list_all()) == 20
    one.close()
    await two.delete("k3")
    assert len(await two.list_all()) == 19
    two.close()


async def test_closing_waits_for_what_is_being_written_and_later_calls_say_so(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ids.db"
    store = SQLiteRegistryStore(path)
    puts = [asyncio.create_task(store.put(f"k{number}")) for number in range(50)]
    await asyncio.wait(puts, return_when=asyncio.FIRST_COMPLETED)
    store.close()
    store.close()
    results = await asyncio.gather(*puts, return_exceptions=True)
    written = sum(result is None for result in results)
    assert written > 0
    assert all("is closed" in str(result) for result in results if result is not None)
    with pytest.raises(RuntimeError, match=r"ids.db'?\)? is closed; close it after the system"):
        await store.list_all()
    again = SQLiteRegistryStore(path)
    assert len(await again.list_all()) == written
    again.close()


async def test_a_store_that_was_closed_too_early_holds_up_no_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SQLiteRegistryStore(tmp_path / "ids.db")
    async with ActorSystem("app") as system:
        registry = VirtualActorRegistry(system, store)
        store.close()
        assert await registry.ask(Echo, "e", "x") == "x"
    assert "failed to put the id of /app/virtual/" in caplog.text
    assert "failed to delete the id of" in caplog.text


def test_a_file_that_cannot_be_opened_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        SQLiteRegistryStore(tmp_path / "missing" / "ids.db")
    text = tmp_path / "text"
    text.write_text("no database, but long enough to look like one" * 10)
    with pytest.raises(sqlite3.DatabaseError):
        SQLiteRegistryStore(text)


def test_a_simulation_has_no_threads_for_it(tmp_path: Path) -> None:
    store = SQLiteRegistryStore(tmp_path / "ids.db")

    async def scenario(sim: Simulation) -> Any:
        return await VirtualActorRegistry(sim.system, store).ask(Echo, "e", "x")

    assert isinstance(simulate(scenario).error, EscapedEffect)
    store.close()


def test_a_store_must_have_all_three_methods() -> None:
    class Half(RegistryStore):
        @override
        async def put(self, key: str) -> None: ...

    with pytest.raises(TypeError, match="abstract"):
        Half()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
