"""Other distributed algorithms, each without one of its rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from benchmarks.actorbugs.bug import Bug
from effactor import Actor, ActorRef, AskFailed, Do, Message, free_ask, free_tell, handler, program
from effactor.interpreters import Simulation

# ---------------------------------------------------------------- Paxos

Accepted = tuple[int, str]  # a ballot and its value


@dataclass(frozen=True, slots=True)
class PrepareBallot(Message[Accepted | None]):
    """Answers what was accepted last."""

    ballot: int


@dataclass(frozen=True, slots=True)
class Accept(Message[bool]):
    ballot: int
    value: str


class Acceptor(Actor[PrepareBallot | Accept]):
    def __init__(self, *, keeps_promise: bool) -> None:
        self.keeps_promise = keeps_promise
        self.promised = 0
        self.accepted: Accepted | None = None

    @handler
    def prepare(self, message: PrepareBallot) -> Accepted | None:
        self.promised = max(self.promised, message.ballot)
        return self.accepted

    @handler
    def accept(self, message: Accept) -> bool:
        if self.keeps_promise and message.ballot < self.promised:
            return False
        # Bug: whoever promised a higher ballot must not accept this one any more.
        self.accepted = message.ballot, message.value
        return True


AcceptorRef = ActorRef[PrepareBallot | Accept]


@program
def propose(
    quorum: list[AcceptorRef], ballot: int, value: str, chosen: list[str]
) -> Do[None, AskFailed]:
    highest = 0
    for acceptor in quorum:
        accepted = yield from free_ask(acceptor, PrepareBallot(ballot))
        if accepted is not None and accepted[0] > highest:
            highest, value = accepted
    for acceptor in quorum:
        if not (yield from free_ask(acceptor, Accept(ballot, value))):
            return
    chosen.append(value)


def broken_promise(sim: Simulation, *, keeps_promise: bool = False) -> None:
    acceptor = partial(Acceptor, keeps_promise=keeps_promise)
    acceptors = [sim.spawn(acceptor, f"acceptor-{n}") for n in range(3)]
    chosen: list[str] = []
    sim.run_all([propose(acceptors[:2], 1, "x", chosen), propose(acceptors[1:], 2, "y", chosen)])
    assert len(set(chosen)) < 2, f"{' and '.join(chosen)} are chosen"


def broken_promise_fixed(sim: Simulation) -> None:
    broken_promise(sim, keeps_promise=True)


# ---------------------------------------------------------------- an atomic register

Stamped = tuple[int, str]  # a time stamp and its value


@dataclass(frozen=True, slots=True)
class Get(Message[Stamped]):
    pass


@dataclass(frozen=True, slots=True)
class Store(Message[None]):
    stamped: Stamped


class Replica(Actor[Get | Store]):
    def __init__(self) -> None:
        self.stamped: Stamped = 0, "old"

    @handler
    def get(self, message: Get) -> Stamped:
        return self.stamped

    @handler
    def store(self, message: Store) -> None:
        self.stamped = max(self.stamped, message.stamped)


ReplicaRef = ActorRef[Get | Store]


@program
def write_majority(replicas: list[ReplicaRef], stamped: Stamped) -> Do[None, AskFailed]:
    for replica in replicas[:2]:
        yield from free_ask(replica, Store(stamped))


@program
def read_majority(quorum: list[ReplicaRef], *, writes_back: bool) -> Do[Stamped, AskFailed]:
    newest = yield from free_ask(quorum[0], Get())
    newest = max(newest, (yield from free_ask(quorum[1], Get())))
    # Bug: the newest value may be on a minority yet, so the next reader may not see it.
    if writes_back:
        for replica in quorum:
            yield from free_ask(replica, Store(newest))
    return newest


@program
def read_twice(replicas: list[ReplicaRef], *, writes_back: bool) -> Do[None, AskFailed]:
    first = yield from read_majority(replicas[:2], writes_back=writes_back)
    second = yield from read_majority(replicas[1:], writes_back=writes_back)
    assert first <= second, f"{second[1]} is read after {first[1]}"


def new_old_inversion(sim: Simulation, *, writes_back: bool = False) -> None:
    replicas = [sim.spawn(Replica, f"replica-{n}") for n in range(3)]
    reads = read_twice(replicas, writes_back=writes_back)
    sim.run_all([write_majority(replicas, (1, "new")), reads])


def new_old_inversion_fixed(sim: Simulation) -> None:
    new_old_inversion(sim, writes_back=True)


# ---------------------------------------------------------------- mutual exclusion


@dataclass(frozen=True, slots=True)
class Enter:
    pass


@dataclass(frozen=True, slots=True)
class Leave:
    pass


@dataclass(frozen=True, slots=True)
class RequestEntry:
    stamp: int
    name: str


@dataclass(frozen=True, slots=True)
class Permission:
    pass


class Peer(Actor[Enter | Leave | RequestEntry | Permission]):
    """One of two that enter a critical section by turns."""

    def __init__(self, name: str, other: str, *, breaks_ties: bool) -> None:
        self.name = name
        self.other = f"/{other}"
        self.breaks_ties = breaks_ties
        self.clock = 0
        self.requested: int | None = None
        self.is_inside = False
        self.defers = False

    @handler
    async def enter(self, message: Enter) -> None:
        self.clock += 1
        self.requested = self.clock
        await self.tell(self.other, RequestEntry(self.clock, self.name))

    @handler
    async def request_entry(self, message: RequestEntry) -> None:
        self.clock = max(self.clock, message.stamp) + 1
        if self.requested is None:
            is_first = False
        elif self.breaks_ties:
            is_first = (self.requested, self.name) < (message.stamp, message.name)
        else:
            # Bug: with equal stamps neither is first, and both let the other in.
            is_first = self.requested < message.stamp
        if is_first or self.is_inside:
            self.defers = True
        else:
            await self.tell(self.other, Permission())

    @handler
    def permission(self, message: Permission) -> None:
        self.is_inside = True
        self.context.self_ref.tell_nowait(Leave())

    @handler
    async def leave(self, message: Leave) -> None:
        self.is_inside = False
        self.requested = None
        if self.defers:
            self.defers = False
            await self.tell(self.other, Permission())


def equal_stamps(sim: Simulation, *, breaks_ties: bool = False) -> None:
    ann = sim.spawn(partial(Peer, "ann", "ben", breaks_ties=breaks_ties), "ann")
    ben = sim.spawn(partial(Peer, "ben", "ann", breaks_ties=breaks_ties), "ben")
    peers = sim.actor(ann), sim.actor(ben)
    sim.always(
        lambda: not all(peer.is_inside for peer in peers), reads=(ann, ben), name="one is inside"
    )
    sim.run_all([free_tell(ann, Enter()), free_tell(ben, Enter())])
    sim.settle()


def equal_stamps_fixed(sim: Simulation) -> None:
    equal_stamps(sim, breaks_ties=True)


# ---------------------------------------------------------------- termination detection


@dataclass(frozen=True, slots=True)
class Task:
    """Makes its machine send further tasks, by path."""

    further: tuple[tuple[str, Task], ...] = ()


@dataclass(frozen=True, slots=True)
class Count(Message[tuple[int, int]]):
    """Answers how many tasks were sent and received."""


class Machine(Actor[Task | Count]):
    def __init__(self) -> None:
        self.sent = 0
        self.received = 0

    @handler
    async def task(self, message: Task) -> None:
        self.received += 1
        for path, task in message.further:
            self.sent += 1
            await self.tell(path, task)

    @handler
    def count(self, message: Count) -> tuple[int, int]:
        return self.sent, self.received


MachineRef = ActorRef[Task | Count]


@program
def wave(machines: list[MachineRef]) -> Do[tuple[int, int], AskFailed]:
    sent = received = 0
    for machine in machines:
        counts = yield from free_ask(machine, Count())
        sent, received = sent + counts[0], received + counts[1]
    return sent, received


@program
def tasks_if_over(machines: list[MachineRef], *, waves: int) -> Do[int | None, AskFailed]:
    """Answer how many tasks there were, if all are done; else None."""
    sent, received = yield from wave(machines)
    if waves == 2:
        # All that had been received in the first wave is all that was sent by the second.
        sent, _ = yield from wave(machines)
    # Bug: in one wave, the machines are asked at different moments; a task may be counted
    # where it was sent but not where it was received, and another the other way round.
    return received if received == sent + 1 else None


def one_wave(sim: Simulation, *, waves: int = 1) -> None:
    machines = [sim.spawn(Machine, name) for name in ("m1", "m2", "m3")]
    task = Task((("/m1", Task((("/m2", Task()), ("/m3", Task())))),))
    start = free_tell(machines[1], task)
    _, counted = sim.run_all([start, tasks_if_over(machines, waves=waves)])
    sim.settle()
    total = sum(sim.actor(machine).received for machine in machines)
    assert counted in {None, total}, f"over after {counted} of {total} tasks"


def one_wave_fixed(sim: Simulation) -> None:
    one_wave(sim, waves=2)


BUGS = (
    Bug(
        "broken_promise",
        "an acceptor accepts a lower ballot than it has promised",
        "Lamport, Paxos Made Simple (2001), rule P1a",
        "broken agreement",
        (),
        1,
        broken_promise,
        broken_promise_fixed,
    ),
    Bug(
        "new_old_inversion",
        "a reader sees the old value after another has seen the new one",
        "Attiya, Bar-Noy and Dolev, Sharing Memory Robustly (1995), without the write-back",
        "broken agreement",
        (),
        1,
        new_old_inversion,
        new_old_inversion_fixed,
    ),
    Bug(
        "equal_stamps",
        "two peers with equal time stamps are both let in",
        "Ricart and Agrawala, An Optimal Algorithm for Mutual Exclusion (1981), without ties",
        "broken agreement",
        (),
        2,
        equal_stamps,
        equal_stamps_fixed,
    ),
    Bug(
        "one_wave",
        "a computation is declared over while a task is on its way",
        "Mattern, Algorithms for Distributed Termination Detection (1987): one wave for two",
        "broken agreement",
        (),
        2,
        one_wave,
        one_wave_fixed,
    ),
)
