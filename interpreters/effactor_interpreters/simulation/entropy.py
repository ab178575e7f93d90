"""The standard library's sources of chance, drawn from the seed of the run."""

from __future__ import annotations

import os
import random
import uuid
from typing import TYPE_CHECKING, Any, Final

from effactor_interpreters.simulation.active import current_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.patches import Patches

_GREGORIAN: Final = 0x01B21DD213814000
"""Intervals of 100 ns between the epochs of UUIDs and of Unix (RFC 9562, 5.1)."""

_MULTICAST: Final = 1 << 40
"""The bit that tells a node number drawn at random from that of a network card (6.10)."""

_SEED_BITS: Final = 256

# Versions 6 and 7 (Python 3.14) go on where the latest one ended, also in the next run.
_LATEST: Final = tuple(
    name
    for name in ("_last_timestamp", "_last_timestamp_v6", "_last_timestamp_v7")
    if hasattr(uuid, name)
)


def install(patches: Patches) -> None:
    """Draw from the seed, where a simulation runs.

    Args:
        patches: Remembers what was there.
    """
    urandom = _bytes(os.urandom)
    patches.put(os, "urandom", urandom)
    patches.put(random, "_urandom", urandom)
    if hasattr(os, "getrandom"):
        patches.put(os, "getrandom", _bytes(os.getrandom))
    patches.put(random.Random, "seed", _seed(random.Random.seed))
    # The module's own is bound to its generator: it would not see the one above.
    patches.put(random, "seed", _seed_module(random.seed))
    patches.put(uuid, "uuid1", _uuid1(uuid.uuid1))


def forget() -> None:
    """Let the next UUID be the first of its run."""
    for name in _LATEST:
        setattr(uuid, name, None)


def _bytes(real: Callable[..., bytes]) -> Callable[..., bytes]:
    def draw(size: int, *flags: int) -> bytes:
        world = current_world()
        return real(size, *flags) if world is None else world.entropy.randbytes(size)

    return draw


def _seed(real: Callable[..., None]) -> Callable[..., None]:
    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        world = current_world()
        if a is None and world is not None:
            a = world.entropy.getrandbits(_SEED_BITS)
        real(self, a, version)

    return seed


def _seed_module(real: Callable[..., None]) -> Callable[..., None]:
    def seed(a: Any = None, version: int = 2) -> None:
        world = current_world()
        if a is None and world is not None:
            a = world.entropy.getrandbits(_SEED_BITS)
        real(a, version)

    return seed


def _uuid1(real: Callable[..., uuid.UUID]) -> Callable[..., uuid.UUID]:
    def uuid1(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
        world = current_world()
        if world is None:
            return real(node, clock_seq)
        draw = world.entropy.getrandbits
        # Time stands still within a step: chance alone tells its UUIDs apart.
        node = draw(48) | _MULTICAST if node is None else node
        clock_seq = draw(14) if clock_seq is None else clock_seq
        ticks = world.wall_nanoseconds() // 100 + _GREGORIAN
        return uuid.UUID(
            fields=(
                ticks & 0xFFFFFFFF,
                (ticks >> 32) & 0xFFFF,
                (ticks >> 48) & 0x0FFF,
                (clock_seq >> 8) & 0x3F,
                clock_seq & 0xFF,
                node,
            ),
            version=1,
        )

    return uuid1
