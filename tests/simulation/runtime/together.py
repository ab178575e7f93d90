"""A scenario of everything at once: what is right alone may be wrong beside the rest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulation.runtime.lives import DECIDER, Watcher
from simulation.runtime.mail import Drops, Passes
from simulation.runtime.workers import Worker
from typing_extensions import override

from effactor import (
    AfterIdle,
    AllForOneStrategy,
    CancellationToken,
    MemoryMailbox,
    OneForOneStrategy,
    RestForOneStrategy,
    SendOptions,
    StopMode,
    StopPolicy,
    pool,
    spaced,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.runtime.play import Play

NAMES = ("a", "b", "c", "child")


class Various(Worker):
    """A worker with a stop policy of its own, and any bound on its handlers."""

    def __init__(self, play: Play, *, policy: StopPolicy, at_once: int | None, **how: Any) -> None:
        self.policy = policy
        self.limit = at_once
        super().__init__(play, **how)

    @override
    def stop_policy(self) -> StopPolicy:
        return self.policy


def _some_actor(play: Play, children: tuple[Any, ...]) -> tuple[Callable[[], Any], dict[str, Any]]:
    """Draw what an actor is like."""
    options: dict[str, Any] = {}
    if play.chance(0.4):
        overflow: Any = play.random.choice(["block", "reject", "drop_newest", "drop_oldest"])
        order: Any = play.random.choice(["fifo", "priority"])
        lives = play.pause() if play.chance(0.2) else None
        capacity = play.random.choice([1, 3, None])
        if capacity is None:
            overflow = "block"
        options["mailbox"] = MemoryMailbox(capacity, overflow, order, lives)
    if play.chance(0.2):
        options["middlewares"] = [play.random.choice([Drops, Passes])(play)]
    policies: list[StopPolicy] = [StopMode.NEVER] * 5
    policies += [StopMode.ONE_TIME, AfterIdle(1.5)]
    how: dict[str, Any] = {
        "policy": play.random.choice(policies),
        "at_once": 1,
        "hooks_take": play.random.choice([0, 0, 0.5]),
    }
    if play.chance(0.15):
        return pool(play.make(Various, **how), 2), options
    concurrency = play.random.choice([1, 1, 2, None])
    how["at_once"] = concurrency
    how["children"] = children
    kinds = [OneForOneStrategy, AllForOneStrategy, RestForOneStrategy]
    backoff = spaced(1.0) if play.chance(0.3) else None
    how["supervises"] = play.random.choice(kinds)(max_restarts=4, decider=DECIDER, backoff=backoff)
    if concurrency is None:
        options["reentrant"] = True
    elif concurrency > 1:
        options["concurrency"] = concurrency
    return play.make(Various, **how), options


async def all_together(play: Play) -> None:
    """Actors of all kinds, with all that messages may carry, and all that may go wrong."""
    play.ledger.begins_late = play.ledger.pools = True  # there may be middleware and pools
    play.notes["watched"] = {}
    await play.spawn("child")
    for name in ("a", "b", "c"):
        made, options = _some_actor(play, (("child", play.make()),) if play.chance(0.4) else ())
        await play.spawn(name, made, **options)
    await play.spawn("w", play.make(Watcher))
    tokens = [CancellationToken(), CancellationToken()]

    def carried() -> SendOptions | None:
        if play.chance(0.5):
            return None
        return SendOptions(
            priority=play.random.choice([None, 0, 3]),
            time_to_live=play.pause() if play.chance(0.3) else None,
            cancellation=play.random.choice(tokens) if play.chance(0.3) else None,
        )

    for number in range(4):
        steps = play.some_steps(
            NAMES,
            3,
            failures=("boom", "boom", "skip", "halt", "up"),
            stops=0.05,
            swallows=0.05,
            options=carried,
        )
        watch = play.job((("watch", play.random.choice(("a", "b", "c"))),), "s")
        steps.append(("tell", "w", watch, None))
        play.random.shuffle(steps)
        play.client(f"client-{number}", steps)

    async def cancels() -> None:
        for token in tokens:
            await asyncio.sleep(play.pause())
            token.cancel()

    async def joins(name: str) -> None:
        await play.refs[name].join()

    play.begin("cancels", cancels())
    if play.chance(0.3):
        play.begin("joins", joins(play.random.choice(("a", "b", "c"))))
    made, options = _some_actor(play, ())
    name = play.random.choice(("a", "b", "c"))
    play.trouble([*play.some_trouble(("a", "b", "c"), 1), (0.5, "again", name, made, options)])
    await asyncio.sleep(play.pause())
    await play.finish(play.random.choice(["drain", "after_current", "now"]), wait=False)


SCENARIOS = (all_together,)
