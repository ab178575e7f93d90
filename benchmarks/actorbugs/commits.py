"""Two-phase commit, without what makes it safe or live."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from typing_extensions import override

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.chaos import crash_and_restart
from effactor import Actor, ActorRef, free_tell, handler
from effactor.interpreters import Simulation

COORDINATOR = "/coordinator"


@dataclass(frozen=True, slots=True)
class Begin:
    pass


@dataclass(frozen=True, slots=True)
class Prepare:
    transaction: int


@dataclass(frozen=True, slots=True)
class Vote:
    participant: str
    transaction: int
    is_yes: bool


@dataclass(frozen=True, slots=True)
class Decide:
    transaction: int
    commits: bool


# ---------------------------------------------------------------- blocked for ever


class Coordinator(Actor[Begin | Vote]):
    """Commits one transaction, and logs each step before anybody learns of it."""

    def __init__(
        self, log: list[str], participants: list[ActorRef[Any]], *, recovers: bool
    ) -> None:
        self.log = log
        self.participants = participants
        self.recovers = recovers
        self.votes = 0

    @override
    def on_started(self) -> None:
        # Bug: whoever has voted waits for a decision, and holds its locks; a coordinator that
        # does not look into its log after a crash never tells one.
        if self.recovers and self.log:
            self.decide(commits="committed" in self.log)

    @handler
    def begin(self, message: Begin) -> None:
        self.log.append("begun")
        for participant in self.participants:
            participant.tell_nowait(Prepare(1))

    @handler
    def vote(self, message: Vote) -> None:
        self.votes += 1
        if self.votes == len(self.participants) and self.log == ["begun"]:
            self.decide(commits=True)

    def decide(self, *, commits: bool) -> None:
        self.log.append("committed" if commits else "aborted")
        for participant in self.participants:
            participant.tell_nowait(Decide(1, commits))


class Participant(Actor[Prepare | Decide]):
    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "working"

    @handler
    async def prepare(self, message: Prepare) -> None:
        self.state = "prepared"
        await self.tell(COORDINATOR, Vote(self.name, 1, is_yes=True))

    @handler
    def decided(self, message: Decide) -> None:
        self.state = "committed" if message.commits else "aborted"


def blocked_commit(sim: Simulation, *, recovers: bool = False) -> None:
    participants = [sim.spawn(partial(Participant, name), name) for name in ("ann", "ben")]
    actor = partial(Coordinator, list[str](), participants, recovers=recovers)
    coordinator = sim.spawn(actor, "coordinator")
    sim.run_all([free_tell(coordinator, Begin()), crash_and_restart(sim, coordinator, actor)])
    sim.settle()
    states = [sim.actor(participant).state for participant in participants]
    assert "prepared" not in states, f"the participants are {states}, and wait for ever"
    assert len(set(states)) == 1, f"the participants are {states}"


def blocked_commit_fixed(sim: Simulation) -> None:
    blocked_commit(sim, recovers=True)


# ---------------------------------------------------------------- a late vote


@dataclass(frozen=True, slots=True)
class TooLate:
    transaction: int


class Series(Actor[Begin | Vote | TooLate]):
    """Coordinates two transactions, one after the other; whoever is late aborts the first."""

    def __init__(self, participants: list[ActorRef[Prepare]], *, checks: bool) -> None:
        self.participants = participants
        self.checks = checks
        self.transaction = 0
        self.votes: list[bool] = []
        self.committed: list[int] = []

    @handler
    def begin(self, message: Begin) -> None:
        self.transaction += 1
        self.votes = []
        for participant in self.participants:
            participant.tell_nowait(Prepare(self.transaction))
        if self.transaction == 1:
            self.context.schedule_once(1.0, TooLate(self.transaction))

    @handler
    def too_late(self, message: TooLate) -> None:
        if message.transaction == self.transaction:
            self.begin(Begin())

    @handler
    def vote(self, message: Vote) -> None:
        if self.checks and message.transaction != self.transaction:
            return
        # Bug: this may be a vote on the transaction before.
        self.votes.append(message.is_yes)
        if len(self.votes) < len(self.participants):
            return
        if all(self.votes):
            self.committed.append(self.transaction)
        if self.transaction == 1:
            self.begin(Begin())


class Voter(Actor[Prepare]):
    def __init__(self, name: str, refuses: int | None) -> None:
        self.name = name
        self.refuses = refuses

    @handler
    async def prepare(self, message: Prepare) -> None:
        is_yes = message.transaction != self.refuses
        await self.tell(COORDINATOR, Vote(self.name, message.transaction, is_yes=is_yes))


def late_vote(sim: Simulation, *, checks: bool = False) -> None:
    voters = [
        sim.spawn(partial(Voter, name, refuses), name)
        for name, refuses in (("ann", None), ("ben", 2))
    ]
    coordinator = sim.spawn(partial(Series, voters, checks=checks), "coordinator")
    sim.run(free_tell(coordinator, Begin()))
    sim.settle()
    assert 2 not in sim.actor(coordinator).committed, "committed, though ben voted no"


def late_vote_fixed(sim: Simulation) -> None:
    late_vote(sim, checks=True)


BUGS = (
    Bug(
        "blocked_commit",
        "participants stay prepared for ever after the coordinator's crash",
        "Bernstein, Hadzilacos and Goodman, Concurrency Control and Recovery (1987), 7.4",
        "broken agreement",
        ("crash",),
        1,
        blocked_commit,
        blocked_commit_fixed,
    ),
    Bug(
        "late_vote",
        "a late vote on one transaction counts for the next",
        "after the two-phase commit of the P tutorial",
        "broken agreement",
        (),
        1,
        late_vote,
        late_vote_fixed,
    ),
)
