"""For each kind of fault a program that it breaks, and one that it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    MailboxFull,
    MemoryMailbox,
    Message,
    Program,
    buggify,
    free_ask,
    free_call,
    free_now,
    free_sleep,
    free_tell,
    handler,
    program,
    pure,
)
from effactor.interpreters import Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.interpreters import Simulation


@dataclass(frozen=True)
class Add(Message[int]):
    amount: int = 1
    key: str = ""


@dataclass(frozen=True)
class Set(Message[None]):
    value: int
    version: int = 0


@dataclass(frozen=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True)
class Move(Message[None]):
    amount: int


class Account(Actor[Add | Set | Get]):
    """A number in memory, which can be told what it has heard before."""

    def __init__(self) -> None:
        self.value = 0
        self.keys: set[str] = set()
        self.version = -1

    @handler
    def add(self, message: Add) -> int:
        if message.key not in self.keys:
            self.value += message.amount
            if message.key:
                self.keys.add(message.key)
        return self.value

    @handler
    def set_to(self, message: Set) -> None:
        if not message.version:
            self.value = message.value
        elif message.version > self.version:
            self.value, self.version = message.value, message.version

    @handler
    def get(self, message: Get) -> int:
        return self.value


# ------------------------------------------------------------ a crash in the midst of a program


class Teller(Actor[Move]):
    """Moves money by two messages: a crash between them loses some."""

    def __init__(self, a: ActorRef[Any], b: ActorRef[Any]) -> None:
        self.accounts = a, b

    @handler
    @program
    def move(self, message: Move) -> Do[None]:
        a, b = self.accounts
        yield from free_tell(a, Add(-message.amount))
        yield from free_tell(b, Add(message.amount))


class Sender(Actor[Move]):
    """Sends both within one handler that nothing interrupts."""

    def __init__(self, a: ActorRef[Any], b: ActorRef[Any]) -> None:
        self.accounts = a, b

    @handler
    def move(self, message: Move) -> None:
        a, b = self.accounts
        a.tell_nowait(Add(-message.amount))
        b.tell_nowait(Add(message.amount))


def moving(teller: Any) -> Callable[[Simulation], None]:
    def scenario(sim: Simulation) -> None:
        a, b = sim.spawn(Account, "a"), sim.spawn(Account, "b")
        till = sim.spawn(lambda: teller(a, b), "teller")
        sim.goal(lambda: sim.actor(a).value + sim.actor(b).value == 0, name="no money is lost")
        sim.run(free_tell(till, Move(5)))

    return scenario


# ------------------------------------------------------------ a restart


class Durable(Account):
    """Keeps its value where a power cut does not reach."""

    def __init__(self, disk: dict[str, int]) -> None:
        super().__init__()
        self.disk = disk
        self.value = disk.get("value", 0)

    @handler
    @override
    def add(self, message: Add) -> int:
        super().add(message)
        self.disk["value"] = self.value
        return self.value


@program
def acknowledged(account: ActorRef[Any]) -> Do[tuple[int, int]]:
    """Count the deposits that were acknowledged, and look what is there."""
    done = 0
    for _ in range(2):
        reply = yield from free_ask(account, Add()).map(lambda _: 1).lash(lambda _: pure(0))
        done += reply
    there = yield from free_ask(account, Get()).lash(lambda _: pure(1000))
    return done, there


def remembering(*, durable: bool) -> Callable[[Simulation], None]:
    def scenario(sim: Simulation) -> None:
        disk: dict[str, int] = {}
        account = sim.spawn((lambda: Durable(disk)) if durable else Account, "account")
        done, there = sim.run(acknowledged(account))
        assert there >= done, f"{done} deposits were acknowledged, {there} are there"

    return scenario


# ------------------------------------------------------------ timeouts, in time mode latency


def retrying(key: str) -> Callable[[Simulation], None]:
    @program
    def patient(account: ActorRef[Any]) -> Do[None]:
        for _ in range(20):
            reply = yield from free_ask(account, Add(1, key), timeout=3.0).attempt()
            if reply.map(lambda _: True).value_or(False):
                return

    def scenario(sim: Simulation) -> None:
        account = sim.spawn(Account, "account")
        sim.goal(lambda: sim.actor(account).value == 1, name="added once")
        sim.run(patient(account))
        sim.settle()

    return scenario


def delegating(key: str) -> Callable[[Simulation], None]:
    """Tells again if nothing is heard in time."""

    @program
    def insists(account: ActorRef[Any]) -> Do[None]:
        yield from free_tell(account, Add(1, key))
        reply = yield from free_ask(account, Get(), timeout=3.0).attempt()
        if not reply.map(lambda _: True).value_or(False):
            yield from free_tell(account, Add(1, key))

    def scenario(sim: Simulation) -> None:
        account = sim.spawn(Account, "account")
        sim.goal(lambda: sim.actor(account).value == 1, name="added once")
        sim.run(insists(account))

    return scenario


# ------------------------------------------------------------ the network


def telling(*, again: bool) -> Callable[[Simulation], None]:
    @program
    def tells(account: ActorRef[Any]) -> Do[None]:
        yield from free_tell(account, Add(1, "once"))
        if again:
            yield from free_tell(account, Add(1, "once"))

    def scenario(sim: Simulation) -> None:
        account = sim.spawn(Account, "account")
        sim.goal(lambda: sim.actor(account).value == 1, name="it arrived")
        sim.run(tells(account))

    return scenario


def setting(first: int, second: int) -> Callable[[Simulation], None]:
    @program
    def sets(account: ActorRef[Any]) -> Do[None]:
        yield from free_tell(account, Set(1, first))
        yield from free_tell(account, Set(2, second))

    def scenario(sim: Simulation) -> None:
        account = sim.spawn(Account, "account")
        sim.goal(lambda: sim.actor(account).value == 2, name="the last one counts")
        sim.run(sets(account))

    return scenario


def adding(key: str) -> Callable[[Simulation], None]:
    def scenario(sim: Simulation) -> None:
        account = sim.spawn(Account, "account")
        sim.goal(lambda: sim.actor(account).value == 1, name="added once")
        sim.run(free_tell(account, Add(1, key)))

    return scenario


# ------------------------------------------------------------ clocks


@dataclass(frozen=True)
class Check(Message[bool]):
    issued: Any


class Gate(Actor[Check]):
    """Lets nobody in whose ticket is from another hour."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = timedelta(seconds=tolerance)

    @handler
    @program
    def check(self, message: Check) -> Do[bool]:
        now = yield from free_now()
        return bool(abs(now - message.issued) <= self.tolerance)


def entering(tolerance: float) -> Callable[[Simulation], None]:
    @program
    def visit(gate: ActorRef[Any]) -> Do[bool, AskFailed]:
        now = yield from free_now()
        return (yield from free_ask(gate, Check(now)))

    def scenario(sim: Simulation) -> None:
        gate = sim.spawn(lambda: Gate(tolerance), "gate")
        assert sim.run(visit(gate)), "a new ticket was refused"

    return scenario


class Lease(Actor[str]):
    """Believes for a while that it holds a lease."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.holds = False

    @handler
    @program
    def hold(self, message: str) -> Do[None]:
        self.holds = True
        yield from free_sleep(self.seconds)
        self.holds = False


def leasing(seconds: float) -> Callable[[Simulation], None]:
    """Somebody else takes the lease after 10 seconds."""

    def scenario(sim: Simulation) -> None:
        holder = sim.spawn(lambda: Lease(seconds), "holder")
        sim.run(free_tell(holder, "hold"))
        sim.advance(10.0)
        assert not sim.actor(holder).holds, "two hold the lease"

    return scenario


# ------------------------------------------------------------ full mailboxes, calls, sites


def filling(*, catches: bool) -> Callable[[Simulation], None]:
    def scenario(sim: Simulation) -> None:
        account = sim.spawn(Account, "account", mailbox=MemoryMailbox(9, "reject"))
        tell: Program[None, Any] = free_tell(account, Add())
        if catches:
            tell = tell.refine(MailboxFull).lash(lambda _: pure(None))
        sim.run(tell)

    return scenario


class Bank:
    """The outside world."""

    def __init__(self) -> None:
        self.charges: list[str] = []

    def charge(self, key: str) -> str:
        if not key or key not in self.charges:
            self.charges.append(key)
        return "paid"


def charge(key: str) -> str:
    raise AssertionError(key)


def paying(key: str) -> Callable[[Simulation], None]:
    @program
    def pays() -> Do[str]:
        while True:
            call = free_call(charge, key).refine(OSError).map(lambda text: text)
            reply: str = yield from call.lash(lambda _: pure(""))
            if reply:
                return reply

    def scenario(sim: Simulation) -> None:
        bank = Bank()
        sim.answer(charge, bank.charge)
        assert sim.run(pays()) == "paid"
        assert len(bank.charges) == 1, f"charged {len(bank.charges)} times"

    return scenario


class Cache(Actor[Get]):
    """Counts how often it had to look; forgets if it is told to."""

    def __init__(self, *, looks_again: bool) -> None:
        self.looks_again = looks_again

    @handler
    def get(self, message: Get) -> int:
        if buggify("the cache is cold"):
            if self.looks_again:
                return 42
            raise KeyError
        return 42


def caching(*, looks_again: bool) -> Callable[[Simulation], None]:
    def scenario(sim: Simulation) -> None:
        cache = sim.spawn(lambda: Cache(looks_again=looks_again), "cache")
        assert sim.run(free_ask(cache, Get())) == 42

    return scenario


Case = tuple[str, Any, Any, dict[str, Any]]

CASES: Final[list[Case]] = [
    ("crash", moving(Teller), moving(Sender), {"faults": Faults(crash="/teller")}),
    (
        "restart",
        remembering(durable=False),
        remembering(durable=True),
        {"faults": Faults(restart=True)},
    ),
    ("pause", delegating(""), delegating("k"), {"faults": Faults(pause=True), "time": "latency"}),
    ("slow", delegating(""), delegating("k"), {"faults": Faults(slow=True), "time": "latency"}),
    ("delay", retrying(""), retrying("k"), {"faults": Faults(delay=True), "time": "latency"}),
    (
        "partition",
        retrying(""),
        retrying("k"),
        {"faults": Faults(partition=True), "time": "latency"},
    ),
    ("drop", telling(again=False), telling(again=True), {"faults": Faults(drop=True)}),
    ("duplicate", adding(""), adding("k"), {"faults": Faults(duplicate=True)}),
    ("reorder", setting(0, 0), setting(1, 2), {"faults": Faults(reorder=True)}),
    ("clock-skew", entering(5.0), entering(61.0), {"faults": Faults(clock="/gate")}),
    ("clock-drift", leasing(8.0), leasing(4.0), {"faults": Faults(clock=True), "time": "latency"}),
    (
        "mailbox_full",
        filling(catches=False),
        filling(catches=True),
        {"faults": Faults(mailbox_full=True)},
    ),
    ("external", paying(""), paying("k"), {"faults": Faults(2, external=True)}),
    (
        "buggify",
        caching(looks_again=False),
        caching(looks_again=True),
        {"faults": Faults(buggify=True)},
    ),
    ("lossy", telling(again=False), retrying("k"), {"lossy": True}),
    ("duplicating", adding(""), adding("k"), {"duplicating": True}),
    ("unordered", setting(0, 0), setting(1, 2), {"delivery": "unordered"}),
]
