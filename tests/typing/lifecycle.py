"""Watching, and shutting down."""

from __future__ import annotations

from typing import Any, Never, assert_type

from vocabulary import Counter, Get, Inc, counter

from effactor import (
    Actor,
    ActorRef,
    ActorSystem,
    Program,
    Terminated,
    When,
    free_ask,
    free_unwatch,
    free_watch,
    handler,
)

watching = [assert_type(free_watch(counter), Program[None, Never])]
watching = [assert_type(free_unwatch(counter), Program[None, Never])]
watching = [free_watch("/counter")]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
watching = [free_watch(Counter)]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Guard(Actor[Inc | Get]):
    """Handles Terminated, which it does not declare."""

    @handler
    def get(self, message: Get) -> int:
        return 1

    @handler
    def inc(self, message: Inc) -> None:
        self.context.watch(counter)
        self.context.unwatch(counter)
        self.context.watch("/counter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    @handler(Terminated)
    def gone(self, message: Terminated) -> None:
        assert_type(message.ref, ActorRef[Any])
        assert_type(message.reason, str)


async def ends(system: ActorSystem) -> None:
    await system.shutdown()
    await system.shutdown("drain", timeout=None)
    await system.shutdown(mode="after_current", timeout=1)
    await system.shutdown(When(lambda: True, then="now", poll=1))
    await system.shutdown("softly")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await system.shutdown(lambda: True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    async def holds() -> bool:
        return bool(await system.run_free(free_ask(counter, Get())))

    await system.shutdown(When(holds))
    When(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    When(lambda: True, then="graceful")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
