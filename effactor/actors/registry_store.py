"""Where the ids of virtual actors are kept, beside the memory of the process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

from typing_extensions import override


class RegistryStore(ABC):
    """Keeps keys: the directory behind a `VirtualActorRegistry`, which others can implement.

    A key is put before its actor starts, and deleted after it has stopped; so a store that
    survives the process knows which actors were active when the process died. The registry
    never calls `put` and `delete` of the same key at the same time, but it does call the
    store for several keys at once.
    """

    @abstractmethod
    async def put(self, key: str) -> None:
        """Keep a key; one that is kept already changes nothing.

        Args:
            key: The key.
        """

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Forget a key; one that is unknown changes nothing.

        Args:
            key: The key.
        """

    @abstractmethod
    async def list_all(self) -> list[str]:
        """List the keys, in any order.

        Returns:
            The keys.
        """


@final
class MemoryRegistryStore(RegistryStore):
    """Keeps keys in memory: what registries share within a process, or a simulation."""

    def __init__(self) -> None:
        """Begin empty."""
        self._keys: dict[str, None] = {}

    @override
    async def put(self, key: str) -> None:
        """Keep a key."""
        self._keys[key] = None

    @override
    async def delete(self, key: str) -> None:
        """Forget a key."""
        self._keys.pop(key, None)

    @override
    async def list_all(self) -> list[str]:
        """List the keys, the oldest first."""
        return list(self._keys)
