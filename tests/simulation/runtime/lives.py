"""Scenarios about the lives of actors: supervision, stops, shutdown, policies, watch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from simulation.runtime.messages import Act, Boom, Halt, Quick, Skip, Up
from simulation.runtime.workers import Keeper, Worker
from typing_extensions import override

from effactor import (
    ActorRef,
    AfterIdle,
    AfterMessage,
    AllForOneStrategy,
    Directive,
    MemoryMailbox,
    OneForOneStrategy,
    RestForOneStrategy,
    ShutdownManner,
    StopMode,
    StopPolicy,
    SupervisorStrategy,
    Terminated,
    When,
    handler,
    spaced,
)

if TYPE_CHECKING:
    from simulation.runtime.ledger import Life
    from simulation.runtime.play import Play

ABC = ("a", "b", "c")
DECIDER = {
    Boom: Directive.RESTART,
    Skip: Directive.RESUME,
    Halt: Directive.STOP,
    Up: Directive.ESCALATE,
}


async def plain_actors(play: Play) -> None:
    """Actors ask and tell each other; some fail, stop, crash and come again."""
    for name in ABC:
        await play.spawn(name)
    for number in range(3):
        steps = play.some_steps(ABC, 3, failures=("boom",))
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(ABC, 2))
    await play.finish()


async def a_long_queue(play: Play) -> None:
    """One slow actor, many senders, and hooks that take their time."""
    make = play.make(hooks_take=0.5)
    await play.spawn("a", make)
    for number in range(4):
        steps = play.some_steps(("a",), 4, failures=("boom",), fails=0.15, pauses=0.3)
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(("a",), 1, make))
    await play.finish()


# ------------------------------------------------------------ supervision


async def _family(play: Play, strategy: SupervisorStrategy, *, hooks_take: float = 0.0) -> None:
    """A supervisor with three children; all of them may fail, stop and crash."""
    children = tuple((name, play.make(hooks_take=hooks_take)) for name in ABC)
    kind = play.random.choice([Worker, Keeper])
    make = play.make(kind, supervises=strategy, children=children)
    await play.spawn("boss", make)
    failures = ("boom", "boom", "skip", "halt", "up")
    names = ("boss", *ABC)
    for number in range(3):
        steps = play.some_steps(names, 3, failures=failures, fails=0.4, patience=0.2)
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(ABC, 1))
    await play.finish(play.random.choice(["drain", "after_current", "now"]))


async def one_for_one(play: Play) -> None:
    """A child that fails is restarted, resumed, stopped or escalated, alone."""
    limit = play.random.choice([0, 1, 3, None])
    await _family(play, OneForOneStrategy(max_restarts=limit, decider=DECIDER))


async def all_for_one(play: Play) -> None:
    """A child that fails takes its siblings with it."""
    limit = play.random.choice([1, 3, None])
    await _family(play, AllForOneStrategy(max_restarts=limit, decider=DECIDER))


async def rest_for_one(play: Play) -> None:
    """A child that fails takes those with it that were started later."""
    limit = play.random.choice([1, 3, None])
    await _family(play, RestForOneStrategy(max_restarts=limit, decider=DECIDER), hooks_take=0.5)


async def back_off(play: Play) -> None:
    """A child that fails is restarted after a while; stops come meanwhile."""
    kind = play.random.choice([OneForOneStrategy, AllForOneStrategy, RestForOneStrategy])
    await _family(play, kind(max_restarts=5, decider=DECIDER, backoff=spaced(1.0)))


# ------------------------------------------------------------ stopping


async def stops(play: Play) -> None:
    """Actors with children are stopped in every manner, by others and by themselves."""
    make = play.make(children=(("child", play.make(hooks_take=0.5)),), hooks_take=0.5)
    for name in ("a", "b"):
        await play.spawn(name, make)
    for number in range(3):
        steps = play.some_steps(("a", "b"), 3, stops=0.3, failures=("boom",), swallows=0.1)
        play.client(f"client-{number}", steps)
    play.trouble(play.some_trouble(("a", "b"), 3, make))
    await play.finish()


async def graceful_stops(play: Play) -> None:
    """A graceful stop comes after what its sender has sent before."""
    options: dict[str, Any] = play.random.choice([{}, {"mailbox": MemoryMailbox(2)}])
    for name in ("a", "b"):
        await play.spawn(name, **options)
    for number in range(2):
        names = ("a",) if number == 0 else ("a", "b")
        steps = play.some_steps(names, 4, chains=False)
        play.client(
            f"client-{number}", [*steps, ("stop", "a", "graceful")] if not number else steps
        )
    await play.finish()
    for entry in play.ledger.entries.values():
        first = entry.sender == "client-0" and entry.outcome is None
        play.ledger.demand(entry.handled or not first, "a graceful stop comes last", entry)
    play.ledger.check()


async def _shuts_down(play: Play, mode: Any) -> None:
    """Shut down while all are at work, perhaps twice, perhaps with a deadline."""
    make = play.make(children=(("child", play.make()),), hooks_take=play.random.choice([0, 0.5]))
    for name in ("a", "b"):
        await play.spawn(name, make)
    names = ("a", "b", "child")
    for number in range(3):
        steps = play.some_steps(names, 3, failures=("boom",), stops=0.1, swallows=0.1)
        play.client(f"client-{number}", steps)

    async def again() -> None:
        await asyncio.sleep(play.pause())
        await play.system.shutdown(play.random.choice(["now", "after_current"]), timeout=None)

    if play.chance(0.5):
        play.begin("again", again())
    if play.chance(0.5):
        play.trouble(play.some_trouble(("a", "b"), 2, make))
    await asyncio.sleep(play.random.choice([0, play.pause()]))
    timeout = play.random.choice([None, None, 0.0, 1.0])
    await play.finish(mode, timeout=timeout, wait=False)


async def shutdown_drains(play: Play) -> None:
    """What was sent is handled, and then all stop."""
    await _shuts_down(play, "drain")


async def shutdown_after_current(play: Play) -> None:
    """Each ends what it handles, and refuses the rest."""
    await _shuts_down(play, "after_current")


async def shutdown_now(play: Play) -> None:
    """All handlers are interrupted."""
    await _shuts_down(play, "now")


async def shutdown_when(play: Play) -> None:
    """Nothing stops before a condition holds."""

    def enough() -> bool:
        return sum(entry.ended for entry in play.ledger.entries.values()) >= 3

    manners: list[ShutdownManner] = ["drain", "after_current", "now"]
    then = play.random.choice(manners)
    for name in ("a", "b"):
        await play.spawn(name)
    for number in range(2):
        play.client(f"client-{number}", play.some_steps(("a", "b"), 4, failures=("boom",)))
    if play.chance(0.5):
        play.trouble(play.some_trouble(("a", "b"), 2))
    await play.finish(When(enough, then, poll=0.5), timeout=20.0, wait=False)


# ------------------------------------------------------------ stop policies


class OneTime(Worker):
    """Stops after one message."""

    @override
    def stop_policy(self) -> StopPolicy:
        return StopMode.ONE_TIME


class AfterThat(Worker):
    """Stops after the last message of its run."""

    @override
    def stop_policy(self) -> StopPolicy:
        return AfterMessage(Quick(0))


class Idle(Worker):
    """Stops when it has been idle."""

    @override
    def stop_policy(self) -> StopPolicy:
        return AfterIdle(1.0)


async def stop_policies(play: Play) -> None:
    """Actors that stop by themselves, and are started again."""
    kinds = {"a": OneTime, "b": AfterThat, "c": Idle}
    for name, kind in kinds.items():
        await play.spawn(name, play.make(kind))
    for number in range(3):
        steps = play.some_steps(ABC, 3, failures=("boom",), chains=False)
        play.client(f"client-{number}", steps)

    async def says_the_last_word() -> None:
        await asyncio.sleep(play.pause())
        sender = play.sender("last")
        await sender.tell(play.refs["b"], Quick(0))

    play.begin("last", says_the_last_word())
    again: list[Any] = [
        (play.pause(), "again", n, play.make(kinds[n]), {}) for n in ABC if play.chance(0.5)
    ]
    play.trouble(again)
    await play.finish()
    for life in play.ledger.lives:
        if isinstance(life.actor, OneTime):
            handled = [e for e in play.ledger.entries.values() if life in e.handled]
            play.ledger.demand(len(handled) <= 1, "ONE_TIME handles one message", handled)
    play.ledger.check()


# ------------------------------------------------------------ death watch


class Watcher(Worker):
    """Watches others: `("watch", name)` and `("unwatch", name)`."""

    @override
    async def act(self, life: Life, act: Act) -> None:
        match act:
            case ("watch", name):
                ref = self.play.refs[name]
                self.context.watch(ref)
                # Whoever has been told and watches again is told again.
                self.watched[self.me, ref] = "watched"
            case ("unwatch", name):
                ref = self.play.refs[name]
                self.context.unwatch(ref)
                if self.watched.get((self.me, ref)) == "watched":
                    del self.watched[self.me, ref]
            case _:
                await super().act(life, act)

    @property
    def me(self) -> ActorRef[Any]:
        return self.context.self_ref

    @property
    def watched(self) -> dict[Any, str]:
        """What has become of each watch."""
        found: dict[Any, str] = self.play.notes.setdefault("watched", {})
        return found

    @handler
    def gone(self, message: Terminated) -> None:
        demand, key = self.play.ledger.demand, (self.me, message.ref)
        demand(self.watched.get(key) == "watched", "one Terminated for each watch", key)
        demand(not message.ref.is_alive, "whoever is Terminated has stopped", key)
        self.watched[key] = "told"
        self.play.seen["Terminated"] += 1


async def watch_and_join(play: Play) -> None:
    """Watchers hear of each end once, whatever way it came; joins end, and touch nobody."""
    play.notes["watched"] = {}
    for name in ("a", "b"):
        await play.spawn(name)
    for name in ("w", "v"):
        await play.spawn(name, play.make(Watcher))
    for number in range(3):
        steps: list[Any] = play.some_steps(("a", "b"), 2, failures=("boom",), stops=0.2)
        for _ in range(2):
            acts: list[Act] = [("watch", play.random.choice(("a", "b", "w")))]
            if play.chance(0.3):
                acts.append(("unwatch", play.random.choice(("a", "b"))))
            if play.chance(0.3):
                acts.append(("fail", "boom"))
            who = play.random.choice(("w", "v", "v"))
            acts = [act for act in acts if act[1] != who]
            steps.append(("tell", who, play.job(tuple(acts), "s"), None))
        play.random.shuffle(steps)
        play.client(f"client-{number}", steps)

    async def joins(name: str, patience: float) -> None:
        ref = play.refs[name]
        try:
            async with asyncio.timeout(patience):
                await ref.join()
        except TimeoutError:
            return
        play.ledger.demand(not ref.is_alive, "a join ends with its actor", ref)

    for number, name in enumerate(("a", "b", "a")):
        play.begin(f"joins-{number}", joins(name, play.pause()))
    play.trouble(play.some_trouble(("a", "b"), 2))
    await play.all_ended()
    for name in ("a", "b"):
        if play.chance(0.5):
            await play.refs[name].stop()
            await play.refs[name].join()
    play.sim.settle()
    watched: dict[tuple[ActorRef[Any], ActorRef[Any]], str] = play.notes["watched"]
    for (watcher, ref), how in watched.items():
        if watcher.is_alive:
            told = (how == "told") == (not ref.is_alive)
            play.ledger.demand(told, "every Terminated comes", watcher, ref, how)
    await play.finish()


SCENARIOS = (
    plain_actors,
    a_long_queue,
    one_for_one,
    all_for_one,
    rest_for_one,
    back_off,
    stops,
    graceful_stops,
    shutdown_drains,
    shutdown_after_current,
    shutdown_now,
    shutdown_when,
    stop_policies,
    watch_and_join,
)
