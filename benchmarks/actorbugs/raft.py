"""Raft, each time without one of its safeguards.

Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.chaos import crash_and_restart
from effactor import Actor, ActorRef, AskFailed, Do, Message, free_ask, handler, program
from effactor.interpreters import Simulation

# ---------------------------------------------------------------- two votes in a term


@dataclass(frozen=True, slots=True)
class AskForVote(Message[bool]):
    term: int
    candidate: str


class Voter(Actor[AskForVote]):
    def __init__(self, disk: dict[int, str], *, persists: bool) -> None:
        # Bug: a voter that forgets its vote in a crash may vote twice in a term.
        self.voted = disk if persists else dict(disk)

    @handler
    def ask_for_vote(self, message: AskForVote) -> bool:
        return self.voted.setdefault(message.term, message.candidate) == message.candidate


@program
def stand(candidate: str) -> Do[str | None, AskFailed]:
    """Stand for leader of term 1: of three servers, one's own vote and another one suffice."""
    voter: ActorRef[AskForVote] = ActorRef.at("/voter")
    return candidate if (yield from free_ask(voter, AskForVote(1, candidate))) else None


def forgotten_vote(sim: Simulation, *, persists: bool = False) -> None:
    actor = partial(Voter, dict[int, str](), persists=persists)
    voter = sim.spawn(actor, "voter")
    leaders: list[str] = []

    @program
    def candidate(name: str) -> Do[None]:
        won = (yield from stand(name).attempt()).value_or(None)
        leaders.extend([] if won is None else [won])

    sim.run_all([candidate("ann"), candidate("ben"), crash_and_restart(sim, voter, actor)])
    assert len(leaders) < 2, "term 1 has two leaders"


def forgotten_vote_fixed(sim: Simulation) -> None:
    forgotten_vote(sim, persists=True)


# ---------------------------------------------------------------- an entry of an older term

Log = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Stand(Message[Log | None]):
    """Begins a term; answers the candidate's log, or None if there is a newer term."""

    term: int


@dataclass(frozen=True, slots=True)
class RequestVote(Message[bool]):
    term: int
    log: Log


@dataclass(frozen=True, slots=True)
class Propose(Message[Log]):
    """Adds an entry to the leader's log, and answers that."""

    term: int
    entry: str


@dataclass(frozen=True, slots=True)
class Append(Message[bool]):
    term: int
    log: Log


class Server(Actor[Stand | RequestVote | Propose | Append]):
    def __init__(self, log: Log = ()) -> None:
        self.term = len(log)
        self.log = log

    @handler
    def stand(self, message: Stand) -> Log | None:
        if message.term <= self.term:
            return None
        self.term = message.term
        return self.log

    @handler
    def request_vote(self, message: RequestVote) -> bool:
        if message.term <= self.term or _rank(message.log) < _rank(self.log):
            return False
        self.term = message.term
        return True

    @handler
    def propose(self, message: Propose) -> Log:
        if message.term == self.term:
            self.log += ((message.term, message.entry),)
        return self.log

    @handler
    def append(self, message: Append) -> bool:
        if message.term < self.term:
            return False
        self.term = message.term
        self.log = message.log
        return True


ServerRef = ActorRef[Stand | RequestVote | Propose | Append]


def _rank(log: Log) -> tuple[int, int]:
    """Say how up to date a log is: by the term of its last entry, then by its length."""
    return (log[-1][0] if log else 0), len(log)


@dataclass(slots=True)
class Cluster:
    """Three servers, of which two are a majority; `committed` is what clients were told."""

    middle: ServerRef
    checks: bool
    committed: list[Log] = field(default_factory=list[Log])


@program
def lead(cluster: Cluster, leader: ServerRef, term: int, entry: str | None) -> Do[None, AskFailed]:
    """Lead for a term, with the votes of the leader and of the server in the middle."""
    log = yield from free_ask(leader, Stand(term))
    if log is None or not (yield from free_ask(cluster.middle, RequestVote(term, log))):
        return
    if entry is not None:
        log = yield from free_ask(leader, Propose(term, entry))
    if not (yield from free_ask(cluster.middle, Append(term, log))):
        return
    # Bug: an entry of an older term may be on a majority and still be replaced; only with
    # one of the leader's own term behind it is it committed (5.4.2 and figure 8).
    if log and (log[-1][0] == term or not cluster.checks):
        cluster.committed.append(log)


def _check(cluster: Cluster) -> None:
    for earlier, later in zip(cluster.committed, cluster.committed[1:], strict=False):
        assert later[: len(earlier)] == earlier, f"{earlier} was committed, and then {later}"


def older_term(sim: Simulation, *, checks: bool = False) -> None:
    # Term 1 is over: its leader, on the left, has an entry that nobody else has.
    left = sim.spawn(partial(Server, ((1, "x"),)), "left")
    middle, right = sim.spawn(Server, "middle"), sim.spawn(Server, "right")
    cluster = Cluster(middle, checks)
    terms = ((right, 2, "y"), (left, 3, None), (right, 4, None))
    sim.run_all([lead(cluster, *term) for term in terms])
    _check(cluster)


def older_term_fixed(sim: Simulation) -> None:
    older_term(sim, checks=True)


def figure_8(sim: Simulation, *, checks: bool = False) -> None:
    left, middle, right = (sim.spawn(Server, name) for name in ("left", "middle", "right"))
    cluster = Cluster(middle, checks)
    terms = ((left, 1, "x"), (right, 2, "y"), (left, 3, None), (right, 4, None))
    sim.run_all([lead(cluster, *term) for term in terms])
    _check(cluster)


def figure_8_fixed(sim: Simulation) -> None:
    figure_8(sim, checks=True)


# ---------------------------------------------------------------- a stale read


@dataclass(frozen=True, slots=True)
class Depose(Message[None]):
    """There is a new leader; followers learn of it one by one."""


@dataclass(frozen=True, slots=True)
class Heartbeat(Message[bool]):
    """Answers whether the follower still has the same leader."""


@dataclass(frozen=True, slots=True)
class Write(Message[None]):
    value: int


@dataclass(frozen=True, slots=True)
class Read(Message[int | None]):
    """Answers None if the server is no leader."""


class Follower(Actor[Depose | Heartbeat]):
    def __init__(self) -> None:
        self.has_old_leader = True

    @handler
    def depose(self, message: Depose) -> None:
        self.has_old_leader = False

    @handler
    def heartbeat(self, message: Heartbeat) -> bool:
        return self.has_old_leader


class Leader(Actor[Read | Write]):
    def __init__(self, follower: ActorRef[Heartbeat] | None) -> None:
        self.follower = follower
        self.value = 0

    @handler
    def write(self, message: Write) -> None:
        self.value = message.value

    @handler
    async def read(self, message: Read) -> int | None:
        # Bug: a leader that does not know yet that it is deposed answers an old value; asking
        # a majority first tells it (section 8).
        if self.follower is not None and not await self.follower.ask(Heartbeat()):
            return None
        return self.value


LeaderRef = ActorRef[Read | Write]


@program
def read_once(old: LeaderRef, written: Sequence[int]) -> Do[None, AskFailed]:
    known = written[-1]
    value = yield from free_ask(old, Read())
    assert value is None or value >= known, f"{known} was written before {value} was read"


@program
def fail_over(
    new: LeaderRef, follower: ActorRef[Depose], written: list[int]
) -> Do[None, AskFailed]:
    yield from free_ask(follower, Depose())
    yield from free_ask(new, Write(1))
    written.append(1)


def stale_read(sim: Simulation, *, asks: bool = False) -> None:
    follower = sim.spawn(Follower, "follower")
    old = sim.spawn(partial(Leader, follower if asks else None), "old-leader")
    new = sim.spawn(partial(Leader, None), "new-leader")
    written = [0]
    sim.run_all([read_once(old, written), fail_over(new, follower, written)])


def stale_read_fixed(sim: Simulation) -> None:
    stale_read(sim, asks=True)


_SOURCE = "Ongaro and Ousterhout, Raft (2014)"

BUGS = (
    Bug(
        "forgotten_vote",
        "a voter restarts, and votes twice in one term",
        f"{_SOURCE}, figure 2: votedFor is persistent",
        "broken agreement",
        ("crash",),
        1,
        forgotten_vote,
        forgotten_vote_fixed,
    ),
    Bug(
        "older_term",
        "a leader commits an entry of an older term, which is then replaced",
        f"{_SOURCE}, 5.4.2 and figure 8, from its second term on",
        "broken agreement",
        (),
        1,
        older_term,
        older_term_fixed,
    ),
    Bug(
        "figure_8",
        "the same, from the beginning: four terms",
        f"{_SOURCE}, 5.4.2 and figure 8",
        "broken agreement",
        (),
        2,
        figure_8,
        figure_8_fixed,
    ),
    Bug(
        "stale_read",
        "a deposed leader answers reads from its old state",
        f"{_SOURCE}, section 8; etcd and Consul in Jepsen's analyses (2014)",
        "broken agreement",
        (),
        1,
        stale_read,
        stale_read_fixed,
    ),
)
