"""Small concurrent programs, made at random: what strategies are compared by."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
    def fetch(self, message: Fetch) -> Do[int, Any]:
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
    def both(self, message: Both) -> Do[int, Any]:
        asks = [
            free_ask(at(message.one), Add(1), timeout=50.0),
            free_ask(at(message.two), Add(2), timeout=50.0),
        ]
        got = yield from gather(asks)
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


StopMode = Literal["graceful", "current", "now"]


class Shared:
    """What the clients of one program have in common."""

    def __init__(self) -> None:
        self.deferred: Deferred[int] = Deferred(name="d")
        self.queue: Queue[int] = Queue(1, name="q")
        self.semaphore: Semaphore = Semaphore(1, name="s")


Make = Callable[[Shared], Program[Any, Any]]
"""Makes an operation of a client from what the clients share."""


def operation(draw: random.Random, paths: list[str], *, rich: bool) -> Make:
    """Draw one operation of a client."""
    to: ActorRef[Any] = at(draw.choice(paths))
    other_path = draw.choice(paths)
    other: ActorRef[Any] = at(other_path)
    n = draw.randrange(1, 4)
    messages: list[Any] = [Add(n), Add(n), Double(), Double()]
    messages += [Relay(other_path, n), Fetch(other_path, n), Nap(float(n))]
    if rich:
        messages += [Both(to.path, other_path), Later(float(n)), Watch(other_path), Fail()]
    message = draw.choice(messages)
    asks: list[Program[Any, Any]] = [
        free_ask(to, message),
        free_ask(to, message),
        free_tell(to, message),
        free_tell(to, message),
        free_ask(to, message, timeout=float(n)),
    ]
    makes: list[Make] = [_always(each) for each in asks]
    if rich:
        mode: StopMode = draw.choice(["graceful", "current", "now"])
        both: list[Program[Any, Any]] = [free_tell(to, Add(n)), free_ask(other, Double())]
        programs: list[Program[Any, Any]] = [
            free_stop(to, mode),
            free_join(to).timeout(50.0),
            free_sleep(float(n)),
            free_now(),
            free_spawn(Node).map(_path),
            race(asks[0], free_sleep(2.0)),
            free_ask(to, message).timeout(2.0),
            gather(both),
            free_log("info", "note"),
        ]
        makes += [_always(each) for each in programs]
        makes += coordinating(n, asks[0])
    return draw.choice(makes)


def coordinating(n: int, ask: Program[Any, Any]) -> list[Make]:
    """List what clients do with what they share."""

    def succeed(shared: Shared) -> Program[Any, Any]:
        return shared.deferred.succeed(n)

    def get(shared: Shared) -> Program[Any, Any]:
        return shared.deferred.get().timeout(50.0)

    def put(shared: Shared) -> Program[Any, Any]:
        return shared.queue.put(n).timeout(50.0)

    def take(shared: Shared) -> Program[Any, Any]:
        return shared.queue.get().timeout(50.0)

    def permitted(shared: Shared) -> Program[Any, Any]:
        return shared.semaphore.with_permit(ask)

    return [succeed, get, put, take, permitted]


def _always(value: Program[Any, Any]) -> Make:
    return lambda _shared: value


def _path(ref: ActorRef[Any]) -> str:
    return ref.path


def generated(
    seed: int, outcomes: set[Any], *, rich: bool = True, clients: int = 3
) -> Callable[[Simulation], None]:
    """Make a scenario.

    Args:
        seed: Which one.
        outcomes: What its runs come to is added here.
        rich: Whether it may stop actors, wait for time, and use coordination values.
        clients: How many programs run at once, at most; at least 2.

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
    how = [way if kind is Node else {} for kind, way in zip(kinds, how, strict=True)]
    scripts = [
        [operation(draw, paths, rich=rich) for _ in range(draw.randrange(1, 3))]
        for _ in range(draw.randrange(2, clients + 1))
    ]

    def scenario(sim: Simulation) -> None:
        shared = Shared()
        for n, path in enumerate(paths):
            kind: Any = kinds[n]
            sim.spawn(kind, path[1:], **how[n])
        came: Any
        try:
            came = sim.run_all([client(ops, shared) for ops in scripts])
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


def client(operations: list[Make], shared: Shared) -> Program[list[str]]:
    """Run the operations of a client one after another, whatever becomes of each."""

    @program
    def steps() -> Do[list[str]]:
        came: list[str] = []
        for make in operations:
            ended: str = yield from make(shared).exit().map(worded)
            came.append(ended)
        return came

    return steps()


def worded(ended: Any) -> str:
    """Say how an operation ended, without what depends on the moment."""
    for name in ("error", "defect"):
        error = getattr(ended, name, None)
        if error is not None:
            return type(error).__name__
    return repr(getattr(ended, "value", ended))
