"""Raft, each time without one of its safeguards.

Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.chaos import crash_and_restart
from effactor import Actor, ActorRef, AskFailed, Do, Message, free_ask, free_tell, handler, program
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

Log = tuple[tuple[int, str], ...]  # terms and entries


@dataclass(frozen=True, slots=True)
class Campaign:
    """Stand for leader of a term, and then add an entry if there is one."""

    term: int
    entry: str | None


@dataclass(frozen=True, slots=True)
class RequestVote:
    term: int
    log: Log
    candidate: ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Voted:
    term: int


@dataclass(frozen=True, slots=True)
class Append:
    term: int
    log: Log
    leader: ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Appended:
    term: int


class Follower(Actor[RequestVote | Append]):
    """The server in the middle: with its vote, and its copy, a candidate has a majority."""

    def __init__(self) -> None:
        self.term = 0
        self.log: Log = ()

    @handler
    def request_vote(self, message: RequestVote) -> None:
        if message.term > self.term and _rank(message.log) >= _rank(self.log):
            self.term = message.term
            message.candidate.tell_nowait(Voted(message.term))

    @handler
    def append(self, message: Append) -> None:
        if message.term >= self.term:
            self.term = message.term
            self.log = message.log
            message.leader.tell_nowait(Appended(message.term))


class Candidate(Actor[Campaign | Voted | Appended]):
    def __init__(self, follower: ActorRef[Any], log: Log, *, checks: bool) -> None:
        self.follower = follower
        self.term = len(log)
        self.log = log
        self.entry: str | None = None
        self.committed: list[Log] = []
        self.checks = checks

    @handler
    def campaign(self, message: Campaign) -> None:
        self.term = message.term
        self.entry = message.entry
        self.follower.tell_nowait(RequestVote(self.term, self.log, self.context.self_ref))

    @handler
    def voted(self, message: Voted) -> None:
        if message.term != self.term:
            return
        if self.entry is not None:
            self.log += ((self.term, self.entry),)
        self.follower.tell_nowait(Append(self.term, self.log, self.context.self_ref))

    @handler
    def appended(self, message: Appended) -> None:
        if message.term != self.term:
            return
        # Bug: an entry of an older term may be on a majority and still be replaced; only with
        # one of the leader's own term behind it is it committed (5.4.2 and figure 8).
        if self.log and (self.log[-1][0] == self.term or not self.checks):
            self.committed.append(self.log)


def _rank(log: Log) -> tuple[int, int]:
    """Say how up to date a log is: by the term of its last entry, then by its length."""
    return (log[-1][0] if log else 0), len(log)


@program
def campaigns(candidates: list[ActorRef[Campaign]], entries: str, first: int) -> Do[None]:
    """Let two candidates stand by turns, from a term on; after their entries they have none."""
    for term in range(first, 5):
        entry = entries[term - first] if term - first < len(entries) else None
        yield from free_tell(candidates[(term - 1) % 2], Campaign(term, entry))


def _elect(sim: Simulation, log: Log, entries: str, *, checks: bool) -> None:
    follower = sim.spawn(Follower, "middle")
    left = sim.spawn(partial(Candidate, follower, log, checks=checks), "left")
    right = sim.spawn(partial(Candidate, follower, (), checks=checks), "right")
    sim.run(campaigns([left, right], entries, len(log) + 1))
    sim.settle()
    # What two leaders have committed must agree as far as both go.
    for one in sim.actor(left).committed:
        for other in sim.actor(right).committed:
            shorter = min(len(one), len(other))
            assert one[:shorter] == other[:shorter], f"{one} and {other} are committed"


def older_term(sim: Simulation, *, checks: bool = False) -> None:
    # Term 1 is over: its leader, on the left, has an entry that nobody else has.
    _elect(sim, ((1, "x"),), "y", checks=checks)


def older_term_fixed(sim: Simulation) -> None:
    older_term(sim, checks=True)


def figure_8(sim: Simulation, *, checks: bool = False) -> None:
    _elect(sim, (), "xy", checks=checks)


def figure_8_fixed(sim: Simulation) -> None:
    figure_8(sim, checks=True)


# ---------------------------------------------------------------- a stale read


@dataclass(frozen=True, slots=True)
class Elect(Message[None]):
    term: int


@dataclass(frozen=True, slots=True)
class Confirm(Message[bool]):
    """Answers whether there is no newer term."""

    term: int


class Elector(Actor[Elect | Confirm]):
    """The third server, without which neither of the two others has a majority."""

    def __init__(self) -> None:
        self.term = 1

    @handler
    def elect(self, message: Elect) -> None:
        self.term = message.term

    @handler
    def confirm(self, message: Confirm) -> bool:
        return message.term >= self.term


@dataclass(frozen=True, slots=True)
class NewTerm:
    term: int
    is_leader: bool


@dataclass(frozen=True, slots=True)
class WriteValue(Message[bool]):
    """Answers whether it is written."""

    value: int


@dataclass(frozen=True, slots=True)
class ReadValue(Message[int | None]):
    """Answers None if the server is no leader."""


class Leader(Actor[NewTerm | WriteValue | ReadValue]):
    def __init__(
        self, elector: ActorRef[Elect | Confirm], *, is_leader: bool, confirms: bool
    ) -> None:
        self.elector = elector
        self.is_leader = is_leader
        self.confirms = confirms
        self.term = 1
        self.value = 0

    @handler
    def new_term(self, message: NewTerm) -> None:
        self.term = message.term
        self.is_leader = message.is_leader

    @handler
    def write_value(self, message: WriteValue) -> bool:
        if self.is_leader:
            self.value = message.value
        return self.is_leader

    @handler
    async def read_value(self, message: ReadValue) -> int | None:
        # Bug: whoever is deposed may not know it yet, and answers an old value; a leader must
        # ask a majority before it answers (section 8).
        if self.confirms and not await self.elector.ask(Confirm(self.term)):
            return None
        return self.value if self.is_leader else None


LeaderRef = ActorRef[NewTerm | WriteValue | ReadValue]


@program
def depose(elector: ActorRef[Elect], old: LeaderRef, new: LeaderRef) -> Do[None, AskFailed]:
    yield from free_ask(elector, Elect(2))
    yield from free_tell(new, NewTerm(2, is_leader=True))
    yield from free_tell(old, NewTerm(2, is_leader=False))


@program
def write_then_read(old: LeaderRef, new: LeaderRef) -> Do[None, AskFailed]:
    if (yield from free_ask(new, WriteValue(1))):
        value = yield from free_ask(old, ReadValue())
        assert value != 0, "0 is read after 1 was written"


def stale_read(sim: Simulation, *, confirms: bool = False) -> None:
    elector = sim.spawn(Elector, "elector")
    old, new = (
        sim.spawn(partial(Leader, elector, is_leader=is_leader, confirms=confirms), name)
        for name, is_leader in (("old", True), ("new", False))
    )
    sim.run_all([depose(elector, old, new), write_then_read(old, new)])


def stale_read_fixed(sim: Simulation) -> None:
    stale_read(sim, confirms=True)


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
        3,
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
