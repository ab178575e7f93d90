"""What a handler may return instead of its reply: work that is still to be done."""

from __future__ import annotations

import types
from asyncio import Future
from typing import Any, Final

from effactor.programs.program import Program

# Of type Any: type checkers do not know that a coroutine may `yield from` another.
COROUTINE: Final[Any] = types.CoroutineType
"""What an `async def` handler returns."""

GENERATOR: Final[Any] = types.AsyncGeneratorType
"""What a handler must be, and not return."""

WORK: Final[Any] = (Program, COROUTINE, Future, GENERATOR)
"""What a handler may return instead of its reply, and what only looks like it."""

PLAIN: Final[Any] = frozenset({type(None), bool, int, float, str, bytes, tuple, list, dict, set})
"""Types that are surely no work: finding one in here takes half as long as isinstance."""
