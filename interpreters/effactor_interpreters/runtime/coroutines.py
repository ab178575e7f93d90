"""Generator functions that are coroutines too: cheaper to step than `async def`."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from typing_extensions import ParamSpec, TypeVar

    Y_co = TypeVar("Y_co", covariant=True)
    R_co = TypeVar("R_co", covariant=True)
    P = ParamSpec("P")

    class GeneratorCoroutine(Generator[Y_co, Any, R_co], Awaitable[R_co]):
        """What a decorated function returns: for `yield from` and for `await`."""

    def coroutine(
        function: Callable[P, Generator[Y_co, Any, R_co]],
    ) -> Callable[P, GeneratorCoroutine[Y_co, R_co]]:
        """Do what `types.coroutine` does; its own annotation forgets the generator."""
        ...

else:
    coroutine = types.coroutine
