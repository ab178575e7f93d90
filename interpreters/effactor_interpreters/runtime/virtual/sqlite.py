"""A registry store in a SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from effactor.actors.registry_store import RegistryStore

if TYPE_CHECKING:
    import os

_TABLE = "CREATE TABLE IF NOT EXISTS virtual_actors (key TEXT PRIMARY KEY) WITHOUT ROWID"
_PATIENCE = 30.0
"""Seconds to wait for other processes that write to the file."""


@final
class SQLiteRegistryStore(RegistryStore):
    """Keeps the ids of virtual actors in a SQLite file, which survives the process.

    What `put` and `delete` have returned from, a crash of the process does not undo. Several
    processes may use one file. All work is done in worker threads, over one connection. A
    simulation has no threads: give it a `MemoryRegistryStore`.

    Args:
        path: The file; it is made if there is none.

    Raises:
        sqlite3.OperationalError: If the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file."""
        self._path = path
        # The lock lets the worker threads take turns.
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            # Readers and a writer do not wait for each other, and a put is one small write.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_TABLE)
        except BaseException:
            self._connection.close()
            raise

    @override
    async def put(self, key: str) -> None:
        """Keep a key."""
        await asyncio.to_thread(
            self._do, "INSERT OR IGNORE INTO virtual_actors (key) VALUES (?)", key
        )

    @override
    async def delete(self, key: str) -> None:
        """Forget a key."""
        await asyncio.to_thread(self._do, "DELETE FROM virtual_actors WHERE key = ?", key)

    @override
    async def list_all(self) -> list[str]:
        """List the keys, in alphabetical order."""
        rows = await asyncio.to_thread(self._do, "SELECT key FROM virtual_actors ORDER BY key")
        return [row[0] for row in rows]

    def _do(self, statement: str, *values: str) -> list[Any]:
        with self._lock:
            if self._connection is None:
                msg = (
                    f"SQLiteRegistryStore: {self._path!r} is closed; close it after the system "
                    "that uses it has shut down"
                )
                raise RuntimeError(msg)
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close the file, once what is being written is written. Closing twice does nothing."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @override
    def __repr__(self) -> str:
        return f"SQLiteRegistryStore({self._path!r})"
