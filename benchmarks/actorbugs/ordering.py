"""Two messages that come in the order that nobody thought of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.cells import Cell, CellRef, Read, Write
from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    Message,
    Program,
    free_ask,
    free_tell,
    gather,
    handler,
    program,
    pure,
    stash,
    unstash_all,
)
from effactor.interpreters import Simulation

# ---------------------------------------------------------------- a job overtakes the set-up


@dataclass(frozen=True, slots=True)
class Configure:
    rate: int


@dataclass(frozen=True, slots=True)
class Bill:
    hours: int


class Billing(Actor[Configure | Bill]):
    def __init__(self, *, waits: bool) -> None:
        self.waits = waits
        self.rate = 0
        self.billed: list[int] = []

    @handler
    def configure(self, message: Configure) -> Program[object]:
        self.rate = message.rate
        return unstash_all()

    @handler
    def bill(self, message: Bill) -> Program[None]:
        if self.waits and not self.rate:
            return stash()
        # Bug: messages of two senders have no order, so the rate may not be known yet.
        self.billed.append(self.rate * message.hours)
        return pure(None)


def configured_late(sim: Simulation, *, waits: bool = False) -> None:
    billing = sim.spawn(partial(Billing, waits=waits), "billing")
    sim.run_all([free_tell(billing, Configure(50)), free_tell(billing, Bill(2))])
    sim.settle()
    assert sim.actor(billing).billed == [100], f"billed {sim.actor(billing).billed}"


def configured_late_fixed(sim: Simulation) -> None:
    configured_late(sim, waits=True)


# ---------------------------------------------------------------- a causal triangle


@dataclass(frozen=True, slots=True)
class Posted:
    post: str


@dataclass(frozen=True, slots=True)
class Commented:
    post: str


class Relay(Actor[Posted | Commented]):
    """Passes a comment on, or comments what is posted."""

    def __init__(self, to: ActorRef[Commented]) -> None:
        self.to = to

    @handler
    def receive(self, message: Posted | Commented) -> None:
        self.to.tell_nowait(Commented(message.post))


class Timeline(Actor[Posted | Commented]):
    def __init__(self, *, waits: bool) -> None:
        self.waits = waits
        self.posts: set[str] = set()
        self.early: set[str] = set()
        self.shown: list[str] = []

    @handler
    def posted(self, message: Posted) -> None:
        self.posts.add(message.post)
        self.shown.append("post")
        if message.post in self.early:
            self.shown.append("comment")

    @handler
    def commented(self, message: Commented) -> None:
        if self.waits and message.post not in self.posts:
            self.early.add(message.post)
        else:
            # Bug: the post caused the comment, but went another way, and may come later.
            self.shown.append("comment")


@program
def publish(
    timeline: ActorRef[Posted | Commented], follower: ActorRef[Posted | Commented]
) -> Do[None]:
    yield from free_tell(timeline, Posted("hello"))
    yield from free_tell(follower, Posted("hello"))


def causal_triangle(sim: Simulation, *, waits: bool = False) -> None:
    timeline = sim.spawn(partial(Timeline, waits=waits), "timeline")
    moderator = sim.spawn(partial(Relay, timeline), "moderator")
    follower = sim.spawn(partial(Relay, moderator), "follower")
    sim.run(publish(timeline, follower))
    sim.settle()
    shown = sim.actor(timeline).shown
    assert shown == ["post", "comment"], f"shown is {shown}"


def causal_triangle_fixed(sim: Simulation) -> None:
    causal_triangle(sim, waits=True)


# ---------------------------------------------------------------- the same, the long way round


def long_way_round(sim: Simulation, *, waits: bool = False) -> None:
    # The post must be slower than ten messages after it: a walk that draws each step afresh
    # hardly ever leaves one message alone for so long.
    timeline = sim.spawn(partial(Timeline, waits=waits), "timeline")
    relay: ActorRef[Posted | Commented] = timeline
    for n in range(10):
        relay = sim.spawn(partial(Relay, relay), f"relay-{n}")
    sim.run(publish(timeline, relay))
    sim.settle()
    shown = sim.actor(timeline).shown
    assert shown == ["post", "comment"], f"shown is {shown}"


def long_way_round_fixed(sim: Simulation) -> None:
    long_way_round(sim, waits=True)


# ---------------------------------------------------------------- a stale set of a cache


@dataclass(frozen=True, slots=True)
class Fetch(Message[tuple[int | None, int]]):
    """Answers the cached value, and a lease to set it if there is none."""


@dataclass(frozen=True, slots=True)
class Fill(Message[None]):
    value: int
    lease: int


@dataclass(frozen=True, slots=True)
class Invalidate(Message[None]):
    pass


class Cache(Actor[Fetch | Fill | Invalidate]):
    def __init__(self, *, leases: bool) -> None:
        self.leases = leases
        self.value: int | None = None
        self.lease = 0

    @handler
    def fetch(self, message: Fetch) -> tuple[int | None, int]:
        return self.value, self.lease

    @handler
    def fill(self, message: Fill) -> None:
        if message.lease == self.lease or not self.leases:
            self.value = message.value

    @handler
    def invalidate(self, message: Invalidate) -> None:
        self.value = None
        self.lease += 1


CacheRef = ActorRef[Fetch | Fill | Invalidate]


@program
def read_through(cache: CacheRef, database: CellRef) -> Do[None, AskFailed]:
    value, lease = yield from free_ask(cache, Fetch())
    if value is None:
        value = yield from free_ask(database, Read())
        # Bug: without leases, a value that was written and invalidated meanwhile comes back.
        yield from free_ask(cache, Fill(value, lease))


@program
def write_and_invalidate(cache: CacheRef, database: CellRef) -> Do[None, AskFailed]:
    yield from free_ask(database, Write(2))
    yield from free_ask(cache, Invalidate())


def stale_set(sim: Simulation, *, leases: bool = False) -> None:
    database = sim.spawn(partial(Cell, 1), "database")
    cache = sim.spawn(partial(Cache, leases=leases), "cache")
    sim.run_all([read_through(cache, database), write_and_invalidate(cache, database)])
    assert sim.actor(cache).value in {None, 2}, "the cache holds the old value for ever"


def stale_set_fixed(sim: Simulation) -> None:
    stale_set(sim, leases=True)


# ---------------------------------------------------------------- a cancellation overtakes


@dataclass(frozen=True, slots=True)
class Reserve:
    room: str


@dataclass(frozen=True, slots=True)
class CancelReservation:
    room: str


class Gateway(Actor[Reserve]):
    def __init__(self, hotel: ActorRef[Reserve | CancelReservation]) -> None:
        self.hotel = hotel

    @handler
    def reserve(self, message: Reserve) -> None:
        self.hotel.tell_nowait(message)


class Hotel(Actor[Reserve | CancelReservation]):
    def __init__(self, *, remembers: bool) -> None:
        self.remembers = remembers
        self.reserved: set[str] = set()
        self.cancelled: set[str] = set()

    @handler
    def reserve(self, message: Reserve) -> None:
        if message.room not in self.cancelled:
            self.reserved.add(message.room)

    @handler
    def cancel(self, message: CancelReservation) -> None:
        # Bug: nothing to cancel yet; what is reserved afterwards stays so for ever.
        self.reserved.discard(message.room)
        if self.remembers:
            self.cancelled.add(message.room)


@program
def think_twice(
    gateway: ActorRef[Reserve], hotel: ActorRef[Reserve | CancelReservation]
) -> Do[None]:
    yield from free_tell(gateway, Reserve("sea view"))
    yield from free_tell(hotel, CancelReservation("sea view"))


def cancel_overtakes(sim: Simulation, *, remembers: bool = False) -> None:
    hotel = sim.spawn(partial(Hotel, remembers=remembers), "hotel")
    gateway = sim.spawn(partial(Gateway, hotel), "gateway")
    sim.run(think_twice(gateway, hotel))
    sim.settle()
    assert not sim.actor(hotel).reserved, "the cancelled room is reserved"


def cancel_overtakes_fixed(sim: Simulation) -> None:
    cancel_overtakes(sim, remembers=True)


# ---------------------------------------------------------------- an espresso machine


@dataclass(frozen=True, slots=True)
class PressEspresso:
    pass


@dataclass(frozen=True, slots=True)
class PressReset:
    pass


@dataclass(frozen=True, slots=True)
class Grind:
    cup: int


@dataclass(frozen=True, slots=True)
class Beans:
    cup: int


@dataclass(frozen=True, slots=True)
class Filled:
    cup: int


@dataclass(frozen=True, slots=True)
class Brew:
    cup: int


@dataclass(frozen=True, slots=True)
class ThrowAway:
    cup: int


class Grinder(Actor[Grind]):
    def __init__(self, brewer: ActorRef[Beans]) -> None:
        self.brewer = brewer

    @handler
    def grind(self, message: Grind) -> None:
        self.brewer.tell_nowait(Beans(message.cup))


class Brewer(Actor[Beans | Brew | ThrowAway]):
    """Tells the panel when its filter is full."""

    def __init__(self) -> None:
        self.filter: int | None = None
        self.brewed: list[int | None] = []

    @handler
    async def beans(self, message: Beans) -> None:
        self.filter = message.cup
        await self.tell("/panel", Filled(message.cup))

    @handler
    def brew(self, message: Brew) -> None:
        if self.filter in {message.cup, None}:  # else it was for the cup before
            self.brewed.append(self.filter)
            self.filter = None

    @handler
    def throw_away(self, message: ThrowAway) -> None:
        if self.filter == message.cup:
            self.filter = None


class Panel(Actor[PressEspresso | PressReset | Filled]):
    def __init__(
        self, grinder: ActorRef[Grind], brewer: ActorRef[Brew | ThrowAway], *, compares: bool
    ) -> None:
        self.grinder = grinder
        self.brewer = brewer
        self.compares = compares
        self.cup = 0
        self.waits = False

    @handler
    def press_espresso(self, message: PressEspresso) -> None:
        self.cup += 1
        self.waits = True
        self.grinder.tell_nowait(Grind(self.cup))

    @handler
    def press_reset(self, message: PressReset) -> None:
        self.waits = False
        self.brewer.tell_nowait(ThrowAway(self.cup))

    @handler
    def filled(self, message: Filled) -> None:
        if not self.waits or (self.compares and message.cup != self.cup):
            return
        # Bug: these may be the beans of the cup before the reset, which are thrown away.
        self.waits = False
        self.brewer.tell_nowait(Brew(self.cup))


@program
def press_twice(panel: ActorRef[PressEspresso | PressReset]) -> Do[None]:
    yield from free_tell(panel, PressEspresso())
    yield from free_tell(panel, PressReset())
    yield from free_tell(panel, PressEspresso())


def espresso_machine(sim: Simulation, *, compares: bool = False) -> None:
    brewer = sim.spawn(Brewer, "brewer")
    grinder = sim.spawn(partial(Grinder, brewer), "grinder")
    panel = sim.spawn(partial(Panel, grinder, brewer, compares=compares), "panel")
    sim.run(press_twice(panel))
    sim.settle()
    assert None not in sim.actor(brewer).brewed, "the machine brews without beans"


def espresso_machine_fixed(sim: Simulation) -> None:
    espresso_machine(sim, compares=True)


# ---------------------------------------------------------------- a journal by position


@dataclass(frozen=True, slots=True)
class Record:
    step: str
    result: int


class Journal(Actor[Record]):
    def __init__(self) -> None:
        self.entries: list[Record] = []

    @handler
    def record(self, message: Record) -> None:
        self.entries.append(message)


@program
def recorded(journal: ActorRef[Record], step: str, work: CellRef) -> Do[int, AskFailed]:
    result = yield from free_ask(work, Read())
    yield from free_ask(journal, Record(step, result))
    return result


def _workflow(sim: Simulation) -> tuple[list[int], list[Record]]:
    """Run two steps at once; answer their results, and the journal to resume from."""
    journal = sim.spawn(Journal, "journal")
    stock, price = sim.spawn(partial(Cell, 3), "stock"), sim.spawn(partial(Cell, 90), "price")
    steps = gather([recorded(journal, "stock", stock), recorded(journal, "price", price)])
    return list(sim.run(steps)), sim.actor(journal).entries


def journal_by_position(sim: Simulation) -> None:
    results, entries = _workflow(sim)
    # Bug: steps that run at once are recorded in the order in which they end.
    resumed = [entry.result for entry in entries]
    assert resumed == results, f"resumed with {resumed} in place of {results}"


def journal_by_position_fixed(sim: Simulation) -> None:
    results, entries = _workflow(sim)
    recorded_as = {entry.step: entry.result for entry in entries}
    resumed = [recorded_as[step] for step in ("stock", "price")]
    assert resumed == results, f"resumed with {resumed} in place of {results}"


# ---------------------------------------------------------------- a message to the dying


@dataclass(frozen=True, slots=True)
class Job(Message[None]):
    pass


class Worker(Actor[Job]):
    def __init__(self) -> None:
        self.done = 0

    @handler
    def work(self, message: Job) -> None:
        self.done += 1


@program
def tell_if_alive(worker: ActorRef[Job]) -> Do[bool]:
    if not worker.is_alive:
        return False
    # Bug: what is alive now may have stopped when the message arrives.
    yield from free_tell(worker, Job())
    return True


@program
def ask_for_receipt(worker: ActorRef[Job]) -> Do[bool]:
    receipt = yield from free_ask(worker, Job()).attempt()
    return receipt.map(lambda _: True).value_or(False)  # noqa: FBT003


def _stop_meanwhile(sim: Simulation, job: Program[bool], worker: ActorRef[Job]) -> None:
    accepted, _ = sim.run_all([job, worker.free_stop().map(lambda _: True)])
    sim.settle()
    assert sim.actor(worker).done == accepted, "a job that was accepted is never done"


def told_while_stopping(sim: Simulation) -> None:
    worker = sim.spawn(Worker, "worker")
    _stop_meanwhile(sim, tell_if_alive(worker), worker)


def told_while_stopping_fixed(sim: Simulation) -> None:
    worker = sim.spawn(Worker, "worker")
    _stop_meanwhile(sim, ask_for_receipt(worker), worker)


BUGS = (
    Bug(
        "configured_late",
        "a job overtakes the configuration that another sender sent",
        "message order violation of Torres Lopez et al. (2018)",
        "order violation",
        (),
        1,
        configured_late,
        configured_late_fixed,
    ),
    Bug(
        "causal_triangle",
        "a comment arrives before the post that caused it",
        "causal delivery; Birman and Joseph, Reliable Communication (1987)",
        "order violation",
        (),
        1,
        causal_triangle,
        causal_triangle_fixed,
    ),
    Bug(
        "long_way_round",
        "the comment comes by way of ten relays, and before the post all the same",
        "the starvation that uniform walks miss; Burckhardt et al., PCT (2010)",
        "order violation",
        (),
        1,
        long_way_round,
        long_way_round_fixed,
    ),
    Bug(
        "stale_set",
        "a cache is filled with what was read before it was invalidated",
        "the stale set of Nishtala et al., Scaling Memcache at Facebook (2013), 3.2.1",
        "order violation",
        (),
        1,
        stale_set,
        stale_set_fixed,
    ),
    Bug(
        "cancel_overtakes",
        "a cancellation overtakes the reservation, which then stays",
        "the dangling try of try-confirm-cancel transactions, which Seata 1.5.1 fences",
        "order violation",
        (),
        1,
        cancel_overtakes,
        cancel_overtakes_fixed,
    ),
    Bug(
        "espresso_machine",
        "a late report of the first cup is taken for the second",
        "after the espresso machine of the P tutorial",
        "order violation",
        (),
        3,
        espresso_machine,
        espresso_machine_fixed,
    ),
    Bug(
        "journal_by_position",
        "parallel steps are resumed by their position in the journal",
        "dbos-inc/dbos-transact-py issue 688",
        "order violation",
        (),
        1,
        journal_by_position,
        journal_by_position_fixed,
    ),
    Bug(
        "told_while_stopping",
        "an actor is alive when asked, and stopped when the message comes",
        "pykka's tell() as reported by frontrun: a check, then an act",
        "lost message",
        (),
        1,
        told_while_stopping,
        told_while_stopping_fixed,
    ),
)
