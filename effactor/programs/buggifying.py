"""Places where code says itself what could go wrong: FoundationDB's BUGGIFY."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

decides: ContextVar[Callable[[str], bool] | None] = ContextVar("effactor_buggify", default=None)
"""Who decides; an interpreter that can, sets it."""


def buggify(site: str) -> bool:
    """Tell whether something unusual but permitted should happen here.

    Handlers and programs call it: a cache that forgets, a batch of one, a retry at once.
    It is False, but for runs of the simulator with `Faults(buggify=...)`, where True is one
    of the faults of a run.

    Args:
        site: A name for the place, the same each time, such as `"the cache is cold"`.

    Returns:
        Whether.

    Raises:
        TypeError: If *site* is no text, or empty.
    """
    if not isinstance(site, str) or not site:  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"buggify: site must be a text that names the place, got {site!r}"
        raise TypeError(msg)
    decide = decides.get()
    return decide is not None and decide(site)
