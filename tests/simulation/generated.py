"""Small concurrent programs, made at random: what strategies are compared by."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from effactor import (
    Actor,
    ActorRef,
    Deferred,
    Do,
    MemoryMailbox,
    Message,
    Program,
    Queue,
    Semaphore,
    Terminated,
    Timer,
    free_ask,
    free_join,
    free_log,
    free_now,
    free_sleep,
    free_spawn,
    free_stop,
    free_tell,
    free_watch,
    gather,
    handler,
    pool,
    program,
    race,
    schedule_once,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.simulation import Simulation


@dataclass(frozen=True)
class Add(Message[int, Any]):
    """Add to the value; answers the new one."""

    n: int


@dataclass(frozen=True)
class Double(Message[int, Any]):
    """Double the value: the order of this and of `Add` matters."""


@dataclass(frozen=True)
class Relay(Message[None, Any]):
    """Tell another actor something."""

    to: str
    n: int


@dataclass(frozen=True)
class Fetch(Message[int, Any]):
    """Ask another actor, and add what it answers."""

    to: str
    n: int


@dataclass(frozen=True)
class Nap(Message[int, Any]):
    """Wait a while, then add."""

    seconds: float


@dataclass(frozen=True)
class Both(Message[int, Any]):
    """Ask two actors at once."""

    one: str
    two: str


@dataclass(frozen=True)
class Later(Message[Timer, Any]):
    """Tell oneself something later."""

    seconds: float


@dataclass(frozen=True)
class Watch(Message[None, Any]):
    """Watch another actor."""

    who: str


@dataclass(frozen=True)
class Fail(Message[None, Any]):
    """Raise."""


def at(path: str) -> ActorRef[Any]:
    """Name an actor."""
    return ActorRef.at(path)


class Node(Actor[Any]):
    """Has a value, and knows the others by name."""

    def __init__(self) -> None:
        super().__init__()
        self.value: int = 1

    @handler
    def add(self, message: Add) -> int:
        self.value += message.n
        return self.value

    @handler
    def double(self, message: Double) -> int:
        self.value *= 2
        return self.value

    @handler
    def relay(self, message: Relay) -> Program[None]:
        return free_tell(at(message.to), Add(message.n))

    @handler
    @program
    def fetch(self, message: Fetch) -> Do[int]:
        got = yield from free_ask(at(message.to), Add(message.n))
        self.value += got
        return self.value

    @handler
    async def nap(self, message: Nap) -> int:
        await asyncio.sleep(message.seconds)
        self.value += 3
        return self.value

    @handler
    @program
    def both(self, message: Both) -> Do[int]:
        got = yield from gather(
            free_ask(at(message.one), Add(1)), free_ask(at(message.two), Add(2))
        )
        self.value += 2 * got[0] + got[1]
        return self.value

    @handler
    def later(self, message: Later) -> Program[Timer]:
        return schedule_once(message.seconds, self.context.self_ref, Add(5))

    @handler
    def watch(self, message: Watch) -> Program[None]:
        return free_watch(at(message.who))

    @handler
    def gone(self, message: Terminated) -> None:
        self.value += 7

    @handler
    def fail(self, message: Fail) -> None:
        raise ValueError(message)


class Overlapping(Node):
    """Handles two messages at once."""

    concurrency = 2


class Shared:
    """What the clients of one program have in common."""

    def __init__(self) -> None:
        self.deferred: Deferred[int] = Deferred(name="d")
        self.queue: Queue[int] = Queue(1, name="q")
        self.semaphore: Semaphore = Semaphore(1, name="s")


Client = list[Any]
"""The operations of one client, each a function of what is shared that makes a program."""


def operation(draw: random.Random, paths: list[str], *, rich: bool) -> Callable[[Shared], Any]:
    """Draw one operation of a client."""
    to = draw.choice(paths)
    other = draw.choice(paths)
    n = draw.randrange(1, 4)
    message = draw.choice(
        [Add(n), Add(n), Double(), Double(), Relay(other, n), Fetch(other, n), Nap(float(n))]
        + ([Both(to, other), Later(float(n)), Watch(other), Fail()] if rich else [])
    )
    kinds: list[Callable[[Shared], Any]] = [
        lambda _: free_ask(at(to), message),
        lambda _: free_ask(at(to), message),
        lambda _: free_tell(at(to), message),
        lambda _: free_tell(at(to), message),
        lambda _: free_ask(at(to), message, timeout=float(n)),
    ]
    if rich:
        kinds += [
            lambda _: free_stop(at(to), draw_mode),
            lambda _: free_join(at(to)).timeout(50.0),
            lambda _: free_sleep(float(n)),
            lambda _: free_now(),
            lambda _: free_spawn(Node).map(lambda ref: ref.path),
            lambda _: race(free_ask(at(to), message), free_sleep(2.0)),
            lambda _: free_ask(at(to), message).timeout(2.0),
            lambda _: gather([free_tell(at(to), Add(n)), free_ask(at(other), Double())]),
            lambda shared: shared.deferred.succeed(n),
            lambda shared: shared.deferred.get().timeout(50.0),
            lambda shared: shared.queue.put(n).timeout(50.0),
            lambda shared: shared.queue.get().timeout(50.0),
            lambda shared: shared.semaphore.with_permit(free_ask(at(to), message)),
            lambda _: free_log("info", "note"),
        ]
    draw_mode: Any = draw.choice(["graceful", "current", "now"])
    return draw.choice(kinds)


def generated(seed: int, outcomes: set[Any], *, rich: bool = True) -> Callable[[Simulation], None]:
    """Make a scenario.

    Args:
        seed: Which one.
        outcomes: What its runs come to is added here.
        rich: Whether it may stop actors, wait for time, and use coordination values.

    Returns:
        The scenario. It never fails: what goes wrong is part of the outcome.
    """
    draw = random.Random(seed)
    paths = ["/a", "/b", "/c"][: draw.randrange(1, 4)]
    ways: list[dict[str, Any]] = [{}] * 5
    if rich:
        ways += [{"mailbox": MemoryMailbox(1)}, {"mailbox": MemoryMailbox(2, overflow="reject")}]
        ways += [{"reentrant": True}]
    how = [draw.choice(ways) for _ in paths]
    kinds = [
        draw.choice([Node, Node, Node, Overlapping, pool(Node, 2)] if rich else [Node])
        for _ in paths
    ]
    how = [{} if kind is not Node else way for kind, way in zip(kinds, how, strict=True)]
    clients = [
        [operation(draw, paths, rich=rich) for _ in range(draw.randrange(1, 3))]
        for _ in range(draw.randrange(2, 4))
    ]

    def scenario(sim: Simulation) -> None:
        shared = Shared()
        for path, kind, way in zip(paths, kinds, how, strict=True):
            sim.spawn(kind, path[1:], **way)
        came: Any
        try:
            came = sim.run_all([client(ops, shared) for ops in clients])
        except Exception as error:
            came = type(error).__name__
        try:
            sim.settle()
        except Exception as error:
            came = (came, type(error).__name__)
        values = [
            (path, getattr(sim.actor(at(path)), "value", None))
            for path in paths
            if path in sim.system.actors()
        ]
        letters = sorted(f"{each.target} {each.message}" for each in sim.system.dead_letters)
        outcomes.add(repr((came, values, letters)))

    return scenario


def client(operations: list[Any], shared: Shared) -> Program[list[str]]:
    """Run the operations of a client one after another, whatever becomes of each."""

    @program
    def steps() -> Do[list[str]]:
        came: list[str] = []
        for make in operations:
            ended = yield from make(shared).exit()
            came.append(worded(ended))
        return came

    return steps()


def worded(ended: Any) -> str:
    """Say how an operation ended, without what depends on the moment."""
    for name in ("error", "defect"):
        error = getattr(ended, name, None)
        if error is not None:
            return type(error).__name__
    return repr(getattr(ended, "value", ended))
