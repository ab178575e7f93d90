"""Timers that fire while what they waited for is on its way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.actorbugs.bug import Bug
from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Cancellable,
    Do,
    Message,
    Program,
    fail,
    free_ask,
    free_tell,
    handler,
    program,
    pure,
    stash,
    unstash_all,
)
from effactor.interpreters import Simulation

# ---------------------------------------------------------------- a late reply


@dataclass(frozen=True, slots=True)
class Quote:
    item: str
    client: ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Price:
    item: str
    price: int


@dataclass(frozen=True, slots=True)
class Inquire:
    item: str


@dataclass(frozen=True, slots=True)
class TooLate:
    pass


PRICES = {"tea": 3, "gin": 20}


class Shop(Actor[Quote]):
    @handler
    def quote(self, message: Quote) -> None:
        message.client.tell_nowait(Price(message.item, PRICES[message.item]))


class Shopper(Actor[Inquire | Price | TooLate]):
    def __init__(self, shop: ActorRef[Quote], *, correlates: bool) -> None:
        self.shop = shop
        self.correlates = correlates
        self.item: str | None = None
        self.prices: dict[str, int] = {}

    @handler
    def inquire(self, message: Inquire) -> None:
        self.item = message.item
        self.shop.tell_nowait(Quote(message.item, self.context.self_ref))
        self.context.schedule_once(1.0, TooLate())

    @handler
    def too_late(self, message: TooLate) -> None:
        if self.item == "tea":
            self.inquire(Inquire("gin"))

    @handler
    def price(self, message: Price) -> None:
        if self.item is None or (self.correlates and message.item != self.item):
            return
        # Bug: this may be the late reply to the question before.
        self.prices[self.item] = message.price
        self.item = None


def late_reply(sim: Simulation, *, correlates: bool = False) -> None:
    shop = sim.spawn(Shop, "shop")
    shopper = sim.spawn(partial(Shopper, shop, correlates=correlates), "shopper")
    sim.run(free_tell(shopper, Inquire("tea")))
    sim.settle()
    prices = sim.actor(shopper).prices
    assert prices in ({"tea": 3}, {"gin": 20}), f"the shopper believes {prices}"


def late_reply_fixed(sim: Simulation) -> None:
    late_reply(sim, correlates=True)


# ---------------------------------------------------------------- a stale timer


@dataclass(frozen=True, slots=True)
class Touch:
    pass


@dataclass(frozen=True, slots=True)
class Expire:
    generation: int


class Session(Actor[Touch | Expire]):
    IDLE = 10.0

    def __init__(self, *, numbers: bool) -> None:
        self.numbers = numbers
        self.generation = 0
        self.timer: Cancellable | None = None
        self.touched = 0.0
        self.was_idle: float | None = None

    @handler
    def touch(self, message: Touch) -> None:
        if self.timer is not None:
            # Bug: this cannot take back what the timer has told already.
            self.timer.cancel()
        self.generation += 1
        self.touched = time.monotonic()
        self.timer = self.context.schedule_once(self.IDLE, Expire(self.generation))

    @handler
    def expire(self, message: Expire) -> None:
        if self.was_idle is None and (not self.numbers or message.generation == self.generation):
            self.was_idle = time.monotonic() - self.touched


@program
def touch_twice(session: ActorRef[Touch]) -> Do[None]:
    yield from free_tell(session, Touch())
    yield from free_tell(session, Touch())


def stale_timer(sim: Simulation, *, numbers: bool = False) -> None:
    session = sim.spawn(partial(Session, numbers=numbers), "session")
    sim.run(touch_twice(session))
    sim.settle()
    was_idle = sim.actor(session).was_idle
    assert was_idle >= Session.IDLE, f"the session expired after {was_idle:g} idle seconds"


def stale_timer_fixed(sim: Simulation) -> None:
    stale_timer(sim, numbers=True)


# ---------------------------------------------------------------- a double charge


@dataclass(frozen=True, slots=True)
class Charge(Message[None]):
    key: str | None


class Card(Actor[Charge]):
    def __init__(self) -> None:
        self.charges = 0
        self.keys: set[str] = set()

    @handler
    def charge(self, message: Charge) -> None:
        if message.key is not None:
            if message.key in self.keys:
                return
            self.keys.add(message.key)
        self.charges += 1


def double_charge(sim: Simulation, *, key: str | None = None) -> None:
    card = sim.spawn(Card, "card")
    # Bug: a timeout does not say that nothing was charged, only that no reply has come.
    sim.run(free_ask(card, Charge(key), timeout=1).retry(1).attempt())
    assert sim.actor(card).charges <= 1, "the customer pays twice"


def double_charge_fixed(sim: Simulation) -> None:
    double_charge(sim, key="order 7")


# ---------------------------------------------------------------- a failure detector


@dataclass(frozen=True, slots=True)
class Ping:
    detector: ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Pong:
    node: str


@dataclass(frozen=True, slots=True)
class Begin:
    pass


@dataclass(frozen=True, slots=True)
class RoundOver:
    pass


class Node(Actor[Ping]):
    def __init__(self, name: str) -> None:
        self.name = name

    @handler
    def ping(self, message: Ping) -> None:
        message.detector.tell_nowait(Pong(self.name))


class Detector(Actor[Begin | Pong | RoundOver]):
    def __init__(self, nodes: dict[str, ActorRef[Ping]], *, forgives: bool) -> None:
        self.nodes = nodes
        self.forgives = forgives
        self.silent = set(nodes)
        self.is_over = False
        self.suspected: set[str] = set()

    @handler
    def begin(self, message: Begin) -> None:
        for node in self.nodes.values():
            node.tell_nowait(Ping(self.context.self_ref))
        self.context.schedule_once(1.0, RoundOver())

    @handler
    def round_over(self, message: RoundOver) -> None:
        self.is_over = True
        self.suspected = set(self.silent)

    @handler
    def pong(self, message: Pong) -> None:
        self.silent.discard(message.node)
        if self.forgives:
            # On a network without bounds, a suspicion must be taken back (Chandra, Toueg, 1996).
            self.suspected.discard(message.node)
        # Bug: else a node that is slow once is dead for ever.


def failure_detector(sim: Simulation, *, forgives: bool = False) -> None:
    nodes = {name: sim.spawn(partial(Node, name), name) for name in ("n1", "n2")}
    detector = sim.spawn(partial(Detector, nodes, forgives=forgives), "detector")
    sim.run(free_tell(detector, Begin()))
    sim.settle()
    suspected = sorted(sim.actor(detector).suspected)
    assert not suspected, f"{', '.join(suspected)} lives, and is suspected for ever"


def failure_detector_fixed(sim: Simulation) -> None:
    failure_detector(sim, forgives=True)


# ---------------------------------------------------------------- a lease without fencing


@dataclass(frozen=True, slots=True)
class Lease(Message[int]):
    """Answers a token, larger than all before."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    token: int


class LeaseOffice(Actor[Lease | GiveUp]):
    """Lends one lease at a time, for ten seconds."""

    def __init__(self) -> None:
        self.token = 0
        self.is_lent = False

    @handler
    def lease(self, message: Lease) -> Program[int]:
        if self.is_lent:
            return stash()
        self.is_lent = True
        self.token += 1
        self.context.schedule_once(10.0, GiveUp(self.token))
        return pure(self.token)

    @handler
    def give_up(self, message: GiveUp) -> Program[object]:
        if message.token == self.token:
            self.is_lent = False
            return unstash_all()
        return pure(None)


@dataclass(frozen=True, slots=True)
class Load(Message[int]):
    token: int


class Outdated(Exception):
    """A newer lease has been seen."""


@dataclass(frozen=True, slots=True)
class Save(Message[None, Outdated]):
    token: int
    value: int


class File(Actor[Load | Save]):
    def __init__(self, *, fences: bool) -> None:
        self.fences = fences
        self.newest = 0
        self.value = 0

    @handler
    def load(self, message: Load) -> int:
        self.newest = max(self.newest, message.token)
        return self.value

    @handler
    def save(self, message: Save) -> Program[None, Outdated]:
        if self.fences and message.token < self.newest:
            return fail(Outdated())
        # Bug: whoever was paused for too long writes over what the next one has written.
        self.value = message.value
        return pure(None)


@program
def add_line(office: ActorRef[Lease | GiveUp], file: ActorRef[Load | Save]) -> Do[bool, AskFailed]:
    token = yield from free_ask(office, Lease())
    lines = yield from free_ask(file, Load(token))
    saved = yield from free_ask(file, Save(token, lines + 1)).attempt()
    yield from free_tell(office, GiveUp(token))
    return saved.map(lambda _: True).value_or(False)  # noqa: FBT003


def expired_lease(sim: Simulation, *, fences: bool = False) -> None:
    office = sim.spawn(LeaseOffice, "office")
    file = sim.spawn(partial(File, fences=fences), "file")
    saved = sim.run_all([add_line(office, file), add_line(office, file)])
    assert sim.actor(file).value == sum(saved), "a line that was saved is gone"


def expired_lease_fixed(sim: Simulation) -> None:
    expired_lease(sim, fences=True)


BUGS = (
    Bug(
        "late_reply",
        "a late reply is taken for the reply to the next question",
        "correlation identifiers; Hohpe and Woolf, Enterprise Integration Patterns (2003)",
        "timeout race",
        (),
        1,
        late_reply,
        late_reply_fixed,
    ),
    Bug(
        "stale_timer",
        "a cancelled timer's message was in the mailbox already",
        "Erlang/OTP documentation, erlang:cancel_timer/1; Akka's timers number their messages",
        "timeout race",
        (),
        2,
        stale_timer,
        stale_timer_fixed,
    ),
    Bug(
        "double_charge",
        "a saga retries after a timeout, and the customer pays twice",
        "commit_unknown_result of FoundationDB's documentation; Helland (2007)",
        "timeout race",
        (),
        1,
        double_charge,
        double_charge_fixed,
    ),
    Bug(
        "failure_detector",
        "a slow node is suspected for ever",
        "after the failure detector of the P tutorial; Chandra and Toueg (1996)",
        "timeout race",
        (),
        1,
        failure_detector,
        failure_detector_fixed,
    ),
    Bug(
        "expired_lease",
        "a job queue without fencing: whoever's lease is over writes all the same",
        "Kleppmann, How to do distributed locking (2016)",
        "timeout race",
        (),
        2,
        expired_lease,
        expired_lease_fixed,
    ),
)
