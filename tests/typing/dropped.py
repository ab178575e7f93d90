"""Programs that are made and dropped; only mypy can tell, with `unused-awaitable`."""

from __future__ import annotations

from vocabulary import Inc, counter

from effactor import Do, free_tell, program, pure


@program
def dropped() -> Do[None]:
    free_tell(counter, Inc())  # type: ignore[unused-awaitable]
    yield from free_tell(counter, Inc())


async def handled() -> None:
    counter.free_ask(Inc())  # type: ignore[unused-awaitable]
    pure(1).map(str)  # type: ignore[unused-awaitable]
