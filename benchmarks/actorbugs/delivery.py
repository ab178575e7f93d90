"""Messages that a network loses, doubles, or holds up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.chaos import Link, LinkFault, strike
from effactor import Actor, ActorRef, Cancellable, Do, free_tell, handler, program
from effactor.interpreters import Simulation

# ---------------------------------------------------------------- a deposit that comes twice


@dataclass(frozen=True, slots=True)
class Deposit:
    number: int
    amount: int


class Account(Actor[Deposit]):
    def __init__(self, *, remembers: bool) -> None:
        self.remembers = remembers
        self.seen: set[int] = set()
        self.balance = 0

    @handler
    def deposit(self, message: Deposit) -> None:
        if self.remembers and message.number in self.seen:
            return
        # Bug: delivery is at least once, so the same deposit may be here already.
        self.seen.add(message.number)
        self.balance += message.amount


def duplicate_deposit(sim: Simulation, *, remembers: bool = False) -> None:
    account = sim.spawn(partial(Account, remembers=remembers), "account")
    link = sim.spawn(partial(Link, account), "link")
    sim.run_all([free_tell(link, Deposit(1, 10)), strike(link, LinkFault.DUPLICATE)])
    sim.settle()
    assert sim.actor(account).balance == 10, "one deposit counts twice"


def duplicate_deposit_fixed(sim: Simulation) -> None:
    duplicate_deposit(sim, remembers=True)


# ---------------------------------------------------------------- a request that is lost


@dataclass(frozen=True, slots=True)
class Begin:
    pass


@dataclass(frozen=True, slots=True)
class Request:
    client: ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Reply:
    pass


@dataclass(frozen=True, slots=True)
class Retry:
    pass


class Server(Actor[Request]):
    @handler
    def request(self, message: Request) -> None:
        message.client.tell_nowait(Reply())


class Client(Actor[Begin | Reply | Retry]):
    def __init__(self, link: ActorRef[Any], *, tries: int) -> None:
        self.link = link
        self.tries = tries
        self.is_done = False

    @handler
    def begin(self, message: Begin | Retry) -> None:
        if self.is_done or not self.tries:
            return
        self.tries -= 1
        self.link.tell_nowait(Request(self.context.self_ref))
        if self.tries:
            # Bug: whoever tries only once waits for ever if that one is lost.
            self.context.schedule_once(1.0, Retry())

    @handler
    def reply(self, message: Reply) -> None:
        self.is_done = True


def lost_request(sim: Simulation, *, tries: int = 1) -> None:
    server = sim.spawn(Server, "server")
    link = sim.spawn(partial(Link, server), "link")
    client = sim.spawn(partial(Client, link, tries=tries), "client")
    sim.run_all([free_tell(client, Begin()), strike(link, LinkFault.DROP)])
    sim.settle()
    assert sim.actor(client).is_done, "the client waits for ever"


def lost_request_fixed(sim: Simulation) -> None:
    lost_request(sim, tries=2)  # the network loses one message


# ---------------------------------------------------------------- a held-up update


@dataclass(frozen=True, slots=True)
class Update:
    version: int


class Replica(Actor[Update]):
    def __init__(self, *, compares: bool) -> None:
        self.compares = compares
        self.version = 0

    @handler
    def update(self, message: Update) -> None:
        # Bug: the last one to arrive need not be the last one sent.
        if not self.compares or message.version > self.version:
            self.version = message.version


@program
def update_twice(link: ActorRef[Any]) -> Do[None]:
    yield from free_tell(link, Update(1))
    yield from free_tell(link, Update(2))


def untimely_update(sim: Simulation, *, compares: bool = False) -> None:
    replica = sim.spawn(partial(Replica, compares=compares), "replica")
    link = sim.spawn(partial(Link, replica), "link")
    sim.run_all([update_twice(link), strike(link, LinkFault.DELAY)])
    sim.settle()
    assert sim.actor(replica).version == 2, "the replica stays behind for ever"


def untimely_update_fixed(sim: Simulation) -> None:
    untimely_update(sim, compares=True)


# ---------------------------------------------------------------- a partition


@dataclass(frozen=True, slots=True)
class Put:
    value: str


@dataclass(frozen=True, slots=True)
class Replicate:
    value: str


@dataclass(frozen=True, slots=True)
class Replicated:
    value: str


@dataclass(frozen=True, slots=True)
class Promote:
    """The backup takes over."""


class Primary(Actor[Put | Replicated]):
    def __init__(self, link: ActorRef[Any], *, waits: bool) -> None:
        self.link = link
        self.waits = waits
        self.acknowledged: list[str] = []

    @handler
    def put(self, message: Put) -> None:
        self.link.tell_nowait(Replicate(message.value))
        if not self.waits:
            # Bug: if the backup takes over before it has the value, the value is lost.
            self.acknowledged.append(message.value)

    @handler
    def replicated(self, message: Replicated) -> None:
        if self.waits:
            self.acknowledged.append(message.value)


class Backup(Actor[Replicate | Promote]):
    def __init__(self) -> None:
        self.values: list[str] = []
        self.is_primary = False

    @handler
    async def replicate(self, message: Replicate) -> None:
        if not self.is_primary:  # an old primary has no say any more
            self.values.append(message.value)
            await self.tell("/primary", Replicated(message.value))

    @handler
    def promote(self, message: Promote) -> None:
        self.is_primary = True


@program
def cut_off(link: ActorRef[Any], backup: ActorRef[Promote]) -> Do[None]:
    yield from strike(link, LinkFault.PARTITION)
    yield from free_tell(backup, Promote())


def hasty_failover(sim: Simulation, *, waits: bool = False) -> None:
    backup = sim.spawn(Backup, "backup")
    link = sim.spawn(partial(Link, backup), "link")
    primary = sim.spawn(partial(Primary, link, waits=waits), "primary")
    sim.run_all([free_tell(primary, Put("x")), cut_off(link, backup)])
    sim.settle()
    lost = set(sim.actor(primary).acknowledged) - set(sim.actor(backup).values)
    assert not lost, f"acknowledged and lost: {sorted(lost)}"


def hasty_failover_fixed(sim: Simulation) -> None:
    hasty_failover(sim, waits=True)


# ---------------------------------------------------------------- the alternating bit


@dataclass(frozen=True, slots=True)
class Data:
    bit: int
    item: str


@dataclass(frozen=True, slots=True)
class Ack:
    bit: int


@dataclass(frozen=True, slots=True)
class TryAgain:
    bit: int


class Receiver(Actor[Data]):
    def __init__(self) -> None:
        self.expected = 0
        self.items: list[str] = []

    @handler
    async def data(self, message: Data) -> None:
        if message.bit == self.expected:
            self.items.append(message.item)
            self.expected = 1 - self.expected
        await self.tell("/sender", Ack(message.bit))


class Sender(Actor[Begin | Ack | TryAgain]):
    def __init__(self, link: ActorRef[Any], *, checks: bool) -> None:
        self.link = link
        self.checks = checks
        self.items = ["a", "b"]
        self.bit = 0
        self.timer: Cancellable | None = None

    @handler
    def begin(self, message: Begin) -> None:
        self.transmit()
        self.timer = self.context.schedule_once(1.0, TryAgain(self.bit))

    @handler
    def try_again(self, message: TryAgain) -> None:
        if self.items and message.bit == self.bit:
            self.transmit()  # for the last time: the network loses one message

    @handler
    def ack(self, message: Ack) -> None:
        if not self.items or (self.checks and message.bit != self.bit):
            return
        # Bug: without its bit, the second acknowledgement of "a" is taken for that of "b".
        if self.timer is not None:
            self.timer.cancel()
        del self.items[0]
        self.bit = 1 - self.bit
        if self.items:
            self.begin(Begin())

    def transmit(self) -> None:
        self.link.tell_nowait(Data(self.bit, self.items[0]))


def alternating_bit(sim: Simulation, *, checks: bool = False) -> None:
    receiver = sim.spawn(Receiver, "receiver")
    link = sim.spawn(partial(Link, receiver), "link")
    sender = sim.spawn(partial(Sender, link, checks=checks), "sender")
    sim.run_all([free_tell(sender, Begin()), strike(link, LinkFault.DROP)])
    sim.settle()
    items = sim.actor(receiver).items
    assert items == ["a", "b"], f"of a and b, {items} arrived"


def alternating_bit_fixed(sim: Simulation) -> None:
    alternating_bit(sim, checks=True)


BUGS = (
    Bug(
        "duplicate_deposit",
        "a deposit is delivered twice, and counts twice",
        "at-least-once delivery; Helland, Idempotence Is Not a Medical Condition (2012)",
        "duplicated message",
        ("duplicate",),
        1,
        duplicate_deposit,
        duplicate_deposit_fixed,
    ),
    Bug(
        "lost_request",
        "a request is lost, and nobody tries again",
        "the end-to-end argument; Saltzer, Reed and Clark (1984)",
        "lost message",
        ("drop",),
        1,
        lost_request,
        lost_request_fixed,
    ),
    Bug(
        "untimely_update",
        "an old update arrives after a new one, and stays",
        "untimely messages, TaxDC: Leesatapornwongsa et al. (2016)",
        "order violation",
        ("delay",),
        1,
        untimely_update,
        untimely_update_fixed,
    ),
    Bug(
        "hasty_failover",
        "a backup takes over without what the primary has acknowledged",
        "asynchronous replication, as Jepsen's analyses of MongoDB and Redis found it",
        "lost state",
        ("partition",),
        1,
        hasty_failover,
        hasty_failover_fixed,
    ),
    Bug(
        "alternating_bit",
        "an acknowledgement without its bit counts for the next item",
        "Bartlett, Scantlebury and Wilkinson (1969), without the bit in the acknowledgement",
        "lost message",
        ("drop",),
        2,
        alternating_bit,
        alternating_bit_fixed,
    ),
)
