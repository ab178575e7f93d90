"""How many handlers of one actor may overlap: a declared policy, of a class or of a spawn."""

from __future__ import annotations

import math
from typing import Any


def overlap(where: str, reentrant: Any, concurrency: Any) -> float | None:
    """Check what was declared.

    Args:
        where: What declared it, for errors.
        reentrant: Whether any number may overlap; None if nothing was said.
        concurrency: How many may; None if nothing was said.

    Returns:
        How many: `math.inf` for any number, None if nothing was said.

    Raises:
        TypeError: If one of them is of another kind.
        ValueError: If *concurrency* is below 1, or the two contradict each other.
    """
    if reentrant is not None and not isinstance(reentrant, bool):
        msg = f"{where}: reentrant must be True or False, got {reentrant!r}"
        raise TypeError(msg)
    if concurrency is None:
        if reentrant is None:
            return None
        return math.inf if reentrant else 1
    if isinstance(concurrency, bool) or not isinstance(concurrency, int):
        msg = f"{where}: concurrency must be a whole number, got {concurrency!r}"
        raise TypeError(msg)
    if concurrency < 1:
        msg = f"{where}: concurrency must be at least 1, got {concurrency!r}"
        raise ValueError(msg)
    if reentrant:
        msg = (
            f"{where}: reentrant=True lets any number of handlers overlap, which contradicts "
            f"concurrency={concurrency!r}; give one of them"
        )
        raise ValueError(msg)
    if reentrant is False and concurrency != 1:
        msg = (
            f"{where}: reentrant=False lets no handlers overlap, which contradicts "
            f"concurrency={concurrency!r}; give one of them"
        )
        raise ValueError(msg)
    return concurrency
