"""Two steps that should be one: somebody else comes in between."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.cells import Add, Cell, CellRef, Read, Write
from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    AskFailed,
    Do,
    Message,
    Semaphore,
    free_ask,
    free_lookup,
    free_spawn,
    free_tell,
    handler,
    program,
)
from effactor.interpreters import Simulation

# ---------------------------------------------------------------- lost update


@program
def increment(counter: CellRef) -> Do[None, AskFailed]:
    n = yield from free_ask(counter, Read())
    # Bug: another program may have read the same n.
    yield from free_ask(counter, Write(n + 1))


def lost_update(sim: Simulation) -> None:
    counter = sim.spawn(Cell, "counter")
    sim.run_all([increment(counter), increment(counter)])
    assert sim.actor(counter).value == 2, "an increment is lost"


def lost_update_fixed(sim: Simulation) -> None:
    counter = sim.spawn(Cell, "counter")
    sim.run_all([free_ask(counter, Add(1)), free_ask(counter, Add(1))])
    assert sim.actor(counter).value == 2, "an increment is lost"


# ---------------------------------------------------------------- the last seat


@dataclass(frozen=True, slots=True)
class SeatsLeft(Message[int]):
    pass


@dataclass(frozen=True, slots=True)
class Book(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class BookIfFree(Message[bool]):
    pass


class Flight(Actor[SeatsLeft | Book | BookIfFree]):
    def __init__(self) -> None:
        self.seats = 1

    @handler
    def seats_left(self, message: SeatsLeft) -> int:
        return self.seats

    @handler
    def book(self, message: Book) -> None:
        self.seats -= 1

    @handler
    def book_if_free(self, message: BookIfFree) -> bool:
        if self.seats == 0:
            return False
        self.seats -= 1
        return True


@program
def look_and_book(flight: ActorRef[SeatsLeft | Book]) -> Do[None, AskFailed]:
    if (yield from free_ask(flight, SeatsLeft())) > 0:
        # Bug: the seat may be gone by now.
        yield from free_ask(flight, Book())


def last_seat(sim: Simulation) -> None:
    flight = sim.spawn(Flight, "flight")
    sim.run_all([look_and_book(flight), look_and_book(flight)])
    assert sim.actor(flight).seats == 0, "the last seat is sold twice"


def last_seat_fixed(sim: Simulation) -> None:
    flight = sim.spawn(Flight, "flight")
    sim.run_all([free_ask(flight, BookIfFree()), free_ask(flight, BookIfFree())])
    assert sim.actor(flight).seats == 0, "the last seat is sold twice"


# ---------------------------------------------------------------- read skew

LEDGER = Semaphore(1, name="ledger")


@program
def transfer(giver: CellRef, taker: CellRef) -> Do[None, AskFailed]:
    yield from free_ask(giver, Add(-5))
    yield from free_ask(taker, Add(5))


@program
def total(giver: CellRef, taker: CellRef) -> Do[None, AskFailed]:
    # Bug: a transfer between the two reads, or around one of them, is seen in part.
    first = yield from free_ask(giver, Read())
    second = yield from free_ask(taker, Read())
    assert first + second == 20, f"the accounts hold {first + second} together"


def read_skew(sim: Simulation) -> None:
    giver, taker = (sim.spawn(partial(Cell, 10), name) for name in ("giver", "taker"))
    sim.run_all([transfer(giver, taker), total(giver, taker)])


def read_skew_fixed(sim: Simulation) -> None:
    giver, taker = (sim.spawn(partial(Cell, 10), name) for name in ("giver", "taker"))
    sim.run_all([LEDGER.with_permit(p(giver, taker)) for p in (transfer, total)])


# ---------------------------------------------------------------- write skew


@program
def sign_off(own: CellRef, others: CellRef) -> Do[None, AskFailed]:
    # Bug: each doctor reads both cells and writes the own one; no cell sees a conflict.
    if (yield from free_ask(own, Read())) + (yield from free_ask(others, Read())) == 2:
        yield from free_ask(own, Write(0))


@program
def sign_off_last(own: CellRef, doctors: CellRef) -> Do[None, AskFailed]:
    # The conflict is made visible: both doctors write the number of those on call.
    if (yield from free_ask(doctors, Add(-1))) >= 1:
        yield from free_ask(own, Write(0))
    else:
        yield from free_ask(doctors, Add(1))


def write_skew(sim: Simulation) -> None:
    ann, ben = (sim.spawn(partial(Cell, 1), name) for name in ("ann", "ben"))
    sim.run_all([sign_off(ann, ben), sign_off(ben, ann)])
    assert sim.actor(ann).value + sim.actor(ben).value >= 1, "no doctor is on call"


def write_skew_fixed(sim: Simulation) -> None:
    ann, ben = (sim.spawn(partial(Cell, 1), name) for name in ("ann", "ben"))
    doctors = sim.spawn(partial(Cell, 2), "doctors")
    sim.run_all([sign_off_last(ann, doctors), sign_off_last(ben, doctors)])
    assert sim.actor(ann).value + sim.actor(ben).value >= 1, "no doctor is on call"


# ---------------------------------------------------------------- a reentrant bank


@dataclass(frozen=True, slots=True)
class Withdraw(Message[bool]):
    amount: int


class Bank(Actor[Withdraw], reentrant=True):
    """Bug: the handlers of two customers overlap, and both have read the old balance."""

    def __init__(self, database: CellRef) -> None:
        self.database = database

    @handler
    async def withdraw(self, message: Withdraw) -> bool:
        balance = await self.database.ask(Read())
        if balance - message.amount < 10:
            return False
        await self.database.ask(Write(balance - message.amount))
        return True


def bank_server(sim: Simulation, *, reentrant: bool = True) -> None:
    database = sim.spawn(partial(Cell, 30), "database")
    bank = sim.spawn(partial(Bank, database), "bank", reentrant=reentrant)
    paid = sim.run_all([free_ask(bank, Withdraw(10)), free_ask(bank, Withdraw(5))])
    left = 30 - sum(amount for amount, done in zip((10, 5), paid, strict=True) if done)
    assert sim.actor(database).value == left, "the bank forgot a withdrawal"


def bank_server_fixed(sim: Simulation) -> None:
    bank_server(sim, reentrant=False)


# ---------------------------------------------------------------- closing over the sender


@dataclass(frozen=True, slots=True)
class Lookup:
    client: ActorRef[Any]
    amount: int


class Teller(Actor[Lookup], reentrant=True):
    def __init__(self, account: CellRef, *, captures: bool) -> None:
        self.account = account
        self.captures = captures
        self.client: ActorRef[Any] | None = None

    @handler
    async def lookup(self, message: Lookup) -> None:
        self.client = message.client
        balance = await self.account.ask(Add(message.amount))
        # Bug: another handler may have begun during the await, and self.client is its client.
        client = message.client if self.captures else self.client
        client.tell_nowait(Write(balance))


def closing_over_sender(sim: Simulation, *, captures: bool = False) -> None:
    account = sim.spawn(Cell, "account")
    teller = sim.spawn(partial(Teller, account, captures=captures), "teller")
    ann, ben = sim.spawn(Cell, "ann"), sim.spawn(Cell, "ben")
    sim.run_all([free_tell(teller, Lookup(ann, 1)), free_tell(teller, Lookup(ben, 1))])
    sim.settle()
    assert sim.actor(ann).value > 0, "ann's reply went to ben"
    assert sim.actor(ben).value > 0, "ben's reply went to ann"


def closing_over_sender_fixed(sim: Simulation) -> None:
    closing_over_sender(sim, captures=True)


# ---------------------------------------------------------------- look up, else register


@program
def get_or_create() -> Do[None, AskFailed | ActorNotFound]:
    found = yield from free_lookup("/log").attempt()
    log = found.value_or(None)
    if log is None:
        header = yield from free_ask(ActorRef[Read | Write | Add].at("/header"), Read())
        # Bug: since the lookup somebody else may have taken the name.
        log = yield from free_spawn(partial(Cell, header), "log")
    yield from free_ask(log, Add(1))


@program
def create_first() -> Do[None, AskFailed | ActorNotFound]:
    yield from free_ask(ActorRef[Read | Write | Add].at("/log"), Add(1))


def register_race(sim: Simulation) -> None:
    sim.spawn(Cell, "header")
    sim.run_all([get_or_create(), get_or_create()])


def register_race_fixed(sim: Simulation) -> None:
    # Whoever starts the system starts what everybody shares.
    sim.spawn(Cell, "header")
    sim.spawn(Cell, "log")
    sim.run_all([create_first(), create_first()])


BUGS = (
    Bug(
        "lost_update",
        "two programs read, then write: one increment is lost",
        "the classic; P4 of Berenson et al., A Critique of ANSI SQL Isolation Levels (1995)",
        "atomicity violation",
        (),
        1,
        lost_update,
        lost_update_fixed,
    ),
    Bug(
        "last_seat",
        "look, then book: the last seat is sold twice",
        "check-then-act, Goetz et al., Java Concurrency in Practice (2006), 2.2",
        "atomicity violation",
        (),
        1,
        last_seat,
        last_seat_fixed,
    ),
    Bug(
        "read_skew",
        "an audit sees half of a transfer",
        "A5A of Berenson et al. (1995)",
        "atomicity violation",
        (),
        1,
        read_skew,
        read_skew_fixed,
    ),
    Bug(
        "write_skew",
        "two doctors sign off, each relying on the other",
        "A5B of Berenson et al. (1995); the doctors are of Cahill, Roehm and Fekete (2008)",
        "atomicity violation",
        (),
        1,
        write_skew,
        write_skew_fixed,
    ),
    Bug(
        "bank_server",
        "a reentrant bank pays two customers from one old balance",
        "after the client-server example of the P tutorial",
        "atomicity violation",
        (),
        1,
        bank_server,
        bank_server_fixed,
    ),
    Bug(
        "closing_over_sender",
        "after an await, a field holds another request's client",
        "closing over the sender in a future, which the documentation of Akka warns of",
        "atomicity violation",
        (),
        1,
        closing_over_sender,
        closing_over_sender_fixed,
    ),
    Bug(
        "register_race",
        "look up a name, else register it: two do so at once",
        "Christakis and Sagonas, Static Detection of Race Conditions in Erlang (2010)",
        "atomicity violation",
        (),
        1,
        register_race,
        register_race_fixed,
    ),
)
