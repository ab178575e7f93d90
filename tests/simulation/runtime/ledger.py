"""What happened in one run, seen from outside of the runtime: what was sent, and its fate.

Actors and senders of the scenarios write it; what can be judged at once is judged here,
the rest by `invariants` when all is over.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from typing_extensions import override

from effactor import Actor, ActorRef, CancellationToken, SendOptions, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from simulation.runtime.messages import Job

Pending: Final[Any] = "pending"
"""The outcome of a sending that is not settled yet."""

GONE: Final = ("stopped", "failed", "crashed", "made")
"""States of an instance that need no `on_stopped` any more."""


@dataclass(slots=True, eq=False)
class Entry:
    """One sending of a message.

    Attributes:
        job: The message.
        kind: Whether it was asked or told.
        sender: Who sent it.
        receiver: To whom.
        place: How many were sent before it, in all.
        priority: How urgent it is.
        sent: When, on the clock of the run.
        time_to_live: How long it may wait, if its sender says so.
        token: What takes it back, or None.
        arrived: Whether something has got it that comes before its handler proper.
        dropped: Whether middleware has dropped it.
        handled: The instances whose handlers began with it.
        ended: Whether such a handler has ended, well or not.
        outcome: What its sender got: the reply, None for a tell, or what was raised.
        gave_up: Whether its sender was interrupted, and so waits no more.
        lost: Whether its sender crashed meanwhile: it takes nothing back.
    """

    job: Job
    kind: Literal["ask", "tell"]
    sender: str
    receiver: ActorRef[Any]
    place: int
    priority: int = 0
    sent: float = 0.0
    time_to_live: float | None = None
    token: CancellationToken | None = None
    arrived: bool = False
    dropped: bool = False
    handled: list[Life] = field(default_factory=list["Life"])
    ended: bool = False
    outcome: Any = Pending
    gave_up: bool = False
    lost: bool = False


@dataclass(slots=True, eq=False)
class Life:
    """One instance of an actor.

    Attributes:
        actor: The object.
        path: Its path, once it is known.
        state: Where in its life it is.
        running: How many of its handlers run.
        hooks: How often each hook was called.
        ended: When it ended, on the clock of the run; None if it lives.
    """

    actor: Any
    path: str = ""
    state: str = "made"
    running: int = 0
    hooks: dict[str, int] = field(default_factory=dict[str, int])
    ended: float | None = None

    @property
    def has_crashed(self) -> bool:
        """Whether it crashed, perhaps in the midst of a hook."""
        return self.state == "crashed"

    @override
    def __repr__(self) -> str:
        return f"<{type(self.actor).__name__} at {self.path or 'no path'}, {self.state}>"


class Ledger:
    """What happened in one run.

    Attributes:
        clock: Tells the seconds of the run's clock.
        entries: All sendings, by the number of their message.
        lives: All instances, in the order they were made.
        begins_late: Whether a handler may begin with what is given up already.
        pools: Whether there may be pools with middleware, which may swap messages.
        overlaps: How many handlers began beside another one.
        broken: The first violation of an invariant, or None.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.begins_late = False
        self.overlaps = 0
        self.pools = False
        self.entries: dict[int, Entry] = {}
        self.lives: list[Life] = []
        self.broken: Violation | None = None
        self._by_actor: dict[int, Life] = {}
        self._latest: dict[tuple[Any, ...], int] = {}
        self._alive: dict[str, Life] = {}

    def demand(self, holds: object, name: str, *facts: object) -> None:
        """Note that the invariant *name* does not hold; *facts* are for the report."""
        if holds or self.broken is not None:
            return
        self.broken = Violation("always", name, 0)
        for fact in facts:
            self.broken.add_note(str(fact))

    def check(self) -> bool:
        """Raise the first violation; the predicate of `sim.always`."""
        if self.broken is not None:
            raise self.broken
        return True

    # ------------------------------------------------------------ sending

    def sends(
        self,
        sender: str,
        receiver: ActorRef[Any],
        job: Job,
        kind: Literal["ask", "tell"],
        options: SendOptions | None = None,
    ) -> Entry:
        """Note that a message is sent now."""
        entry = Entry(job, kind, sender, receiver, len(self.entries))
        entry.sent = self.clock()
        if options is not None:
            entry.priority = options.priority or 0
            entry.time_to_live = options.time_to_live
            entry.token = options.cancellation
        self.entries[job.number] = entry
        return entry

    def settles(self, entry: Entry, outcome: Any) -> None:
        """Note what its sender got."""
        self.demand(entry.outcome is Pending, "a sending ends once", entry)
        entry.outcome = outcome

    def crashes(self, paths: list[str]) -> None:
        """Note that actors crash: their instances are gone, and what they sent is nobody's."""
        for path in paths:
            self._alive.pop(path, None)
        for life in self.lives:
            if life.path in paths and life.state not in {"stopped", "failed"}:
                life.state = "crashed"
                life.running = 0
                life.ended = self.clock()
        for entry in self.entries.values():
            if entry.sender.partition(",")[0] in paths and entry.outcome is Pending:
                entry.lost = True

    # ------------------------------------------------------------ handling

    def life_of(self, actor: Actor[Any]) -> Life:
        """Return the life of an instance."""
        return self._by_actor[id(actor)]

    @contextmanager
    def handling(self, actor: Any, job: Job, limit: int | None = 1) -> Generator[Life]:
        """Note that a handler begins with a message, and later that it has ended."""
        life = self.life_of(actor)
        entry = self.entries[job.number]
        self.demand(not entry.handled, "no message is handled twice", entry, life)
        self.demand(
            self.begins_late or not (entry.gave_up or isinstance(entry.outcome, BaseException)),
            "what its sender has given up is not handled",
            entry,
        )
        revoked = entry.token is not None and entry.token.cancelled
        self.demand(not revoked, "what its token has taken back is not handled", entry)
        key = (entry.sender, entry.receiver.path, entry.receiver.incarnation, entry.priority)
        latest = self._latest.get(key, -1)
        in_order = entry.place > latest or (entry.arrived and (self.pools or limit != 1))
        self.demand(in_order, "FIFO from one sender to one receiver", entry, latest)
        self._latest[key] = max(latest, entry.place)
        self.demand(life.state == "started", "only a started instance handles messages", life, job)
        life.running += 1
        self.overlaps += life.running > 1
        self.demand(limit is None or life.running <= limit, "one message at a time", life, job)
        entry.handled.append(life)
        self.goes_on(life)
        try:
            yield life
        finally:
            if life.state != "crashed":
                life.running -= 1
                entry.ended = True

    def goes_on(self, life: Life) -> None:
        """Note that a handler goes on: its instance must be the actor's."""
        current = life.actor._cell.actor is life.actor
        self.demand(current, "no instance is replaced under its handler", life)
        self.demand(life.state != "crashed", "what has crashed does nothing any more", life)

    # ------------------------------------------------------------ lives

    def makes(self, actor: Any) -> Life:
        """Note that an instance is made."""
        life = Life(actor)
        self.lives.append(life)
        self._by_actor[id(actor)] = life
        return life

    @contextmanager
    def starts(self, actor: Any) -> Generator[Life]:
        """Note that `on_started` of an instance runs."""
        life = self.life_of(actor)
        life.path = actor.context.self_ref.path
        other = self._alive.get(life.path)
        self.demand(other is None, "no two instances live at one path", other, life)
        self._alive[life.path] = life
        self._hook(life, "on_started")
        life.state = "starting"
        try:
            yield life
        except BaseException:
            if not life.has_crashed:
                life.state = "failed"
                self._ends(life)
            raise
        if not life.has_crashed:
            life.state = "started"

    @contextmanager
    def stops(self, actor: Any) -> Generator[Life]:
        """Note that `on_stopped` of an instance runs."""
        life = self.life_of(actor)
        self.demand(life.state == "started", "on_stopped follows on_started, once", life)
        self._hook(life, "on_stopped")
        life.state = "stopping"
        try:
            yield life
        finally:
            if not life.has_crashed:
                life.state = "stopped"
                self._ends(life)

    def restarts(self, actor: Any, hook: str) -> None:
        """Note that `on_pre_restart` or `on_restart` runs."""
        life = self.life_of(actor)
        expected = "started" if hook == "on_pre_restart" else "made"
        self.demand(life.state == expected, f"{hook} runs in its place", life)
        self._hook(life, hook)

    def _hook(self, life: Life, hook: str) -> None:
        life.hooks[hook] = life.hooks.get(hook, 0) + 1
        self.demand(life.hooks[hook] == 1, "each hook runs once", life, life.hooks)
        self.demand(not life.running, "no hook runs beside a handler", life, hook)
        current = life.actor._cell.actor is life.actor
        self.demand(current, "hooks are those of the present instance", life, hook)

    def _ends(self, life: Life) -> None:
        life.ended = self.clock()
        if self._alive.get(life.path) is life:
            del self._alive[life.path]
