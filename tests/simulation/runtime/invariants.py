"""What must hold when a run is over, whatever happened in it: one function an invariant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from simulation.runtime.ledger import GONE, Pending
from simulation.runtime.messages import Job

from effactor import (
    ActorStopped,
    AskCancelled,
    AskTimeout,
    EffactorError,
    MailboxFull,
    MessageDropped,
    Unhandled,
)
from effactor_interpreters.runtime.mailbox import Closed
from effactor_interpreters.runtime.states import STOPPED

if TYPE_CHECKING:
    from simulation.runtime.ledger import Entry, Ledger
    from simulation.runtime.play import Play

NOT_HANDLED = (MailboxFull, MessageDropped, Unhandled)


def check_all(play: Play) -> None:
    """Raise the first invariant that does not hold."""
    ledger = play.ledger
    dead = Counter(
        letter.message.number
        for letter in play.system.dead_letters
        if isinstance(letter.message, Job)
    )
    for entry in ledger.entries.values():
        if entry.kind == "tell":
            told(ledger, entry, dead[entry.job.number])
        else:
            asked(ledger, entry, dead[entry.job.number])
    for kind, source, _, error, _ in play.world.records:
        if kind == "failure":
            known = isinstance(error, EffactorError) or type(error).__module__ == Job.__module__
            # Of middleware that waits in its `finally` although its time is over.
            known = known or str(error) == "coroutine ignored GeneratorExit"
            ledger.demand(known, "no strange error", source, repr(error))
    hooks_are_balanced(play)
    nothing_is_left(play)
    ledger.check()


def what_happened(play: Play) -> Counter[str]:
    """Count what a run has met, for whoever wants to know what was tested."""
    seen: Counter[str] = Counter()
    for entry in play.ledger.entries.values():
        outcome = entry.outcome
        name = type(outcome).__name__ if isinstance(outcome, BaseException) else "handled"
        if isinstance(outcome, ActorStopped) and outcome.delivered:
            name = "ActorStopped while handled"
        if outcome is Pending:
            name = "crashed sender" if entry.lost else "interrupted sender"
        seen[f"{entry.kind}: {name}"] += 1
    seen["handlers overlap"] = play.ledger.overlaps
    seen["dead letters"] = len(play.system.dead_letters)
    for life in play.ledger.lives:
        seen.update(life.hooks)
        seen[life.state] += 1
    return seen


def told(ledger: Ledger, entry: Entry, dead: int) -> None:
    """A message told is handled, or a dead letter, or an error of its sender: one of these."""
    handled = len(entry.handled)
    if entry.outcome is None:
        # Middleware may be stopped before the handler; a token takes back what is handled, too.
        ledger.demand(dead == 1 or not entry.dropped, "what is dropped is a dead letter", entry)
        once = handled + dead == 1 or (handled + dead == 0 and entry.arrived)
        once = once or (handled == dead == 1 and entry.token is not None)
        ledger.demand(once, "no message told is lost", entry, f"{dead} dead letters")
    elif entry.sender.startswith("timer"):
        ledger.demand(handled + dead <= 1, "a timer tells at most once", entry)
    elif entry.outcome is Pending:
        ledger.demand(entry.gave_up or entry.lost, "every tell ends", entry)
        ledger.demand(handled <= 1 >= dead, "no message told is doubled", entry)
    else:
        ledger.demand(handled == dead == 0, "a tell that raised has sent nothing", entry)


def asked(ledger: Ledger, entry: Entry, dead: int) -> None:
    """Every ask ends, with its own reply, or an error that says whether it was handled."""
    handled, outcome = len(entry.handled), entry.outcome
    ledger.demand(dead == 0, "an ask is no dead letter", entry)
    if outcome is Pending:
        ledger.demand(entry.gave_up or entry.lost, "every ask ends", entry)
    elif isinstance(outcome, ActorStopped):
        about = outcome.message == entry.job
        ledger.demand(about, "an error tells of its own message", entry)
        # Middleware counts as handling, too.
        right = outcome.delivered >= handled if entry.arrived else outcome.delivered == handled
        ledger.demand(right, "ActorStopped.delivered is right", entry)
    elif isinstance(outcome, NOT_HANDLED):
        ledger.demand(handled == 0, "what was refused is not handled", entry)
    elif isinstance(outcome, AskTimeout | AskCancelled):
        pass
    elif isinstance(outcome, BaseException):
        ledger.demand(handled == 1, "what a handler raised comes from one", entry)
        ledger.demand(type(outcome).__module__ == Job.__module__, "no strange error", entry)
    else:
        ledger.demand(handled == 1, "a reply comes from a handler", entry)
        ledger.demand(outcome == entry.job.number, "a reply is that of its ask", entry)


def hooks_are_balanced(play: Play) -> None:
    """Every instance that has started has stopped; every restart has both of its hooks."""
    restarts: Counter[str] = Counter()
    announced: Counter[str] = Counter()
    for life in play.ledger.lives:
        cell = getattr(life.actor, "_cell", None)
        if cell is not None and "left behind" in cell.ended:
            continue  # the deadline of a shutdown was over
        restarts[life.path] += life.hooks.get("on_restart", 0)
        announced[life.path] += life.hooks.get("on_pre_restart", 0) + (life.state == "failed")
        play.ledger.demand(life.state in GONE, "on_stopped runs for whoever started", life)
        play.ledger.demand(life.running == 0, "no handler is left", life)
    for path, number in restarts.items():
        play.ledger.demand(number <= announced[path], "on_pre_restart runs before on_restart", path)


def no_timer_is_left(play: Play) -> None:
    """When a system is shut down no timer is set any more, but for what crashes have cut off."""
    gone = {cell.ref.path for cell in play.crashed}
    left = [t for t in play.world._timers._heap if not t.cancelled and t.source not in gone]
    play.ledger.demand(not left, "no timers left", [(t.what, t.source) for t in left])
    play.ledger.demand(not play.system.timers._handles, "no timers of actors left")
    play.ledger.check()


def nothing_is_left(play: Play) -> None:
    """Cells, runs, timers, mail, drivers: all gone when the system is shut down."""
    system, world = play.system, play.world

    def empty(what: Any, name: str) -> None:
        play.ledger.demand(not what, f"no {name} left", what)

    empty(system.cells, "cells")
    empty(system.runs, "runs")
    empty(system.timers._handles, "timers of actors")
    empty(system.timers.owned, "owners of timers")
    empty(system.ready, "turns")
    empty([box for box in system.mailboxes if box], "mail in mailboxes to use again")
    empty([t for t in world._timers._heap if not t.cancelled], "timers of the world")
    empty([e for line in world._channels.values() for e in line], "mail under way")
    empty(world._unstashed, "mail put back")
    empty(list(play.left_in_coordination()), "waiters in queues")
    play.ledger.demand(len(system.pool) == play.depth, "every driver comes back", system.pool)
    for cell in play.cells:
        cell_is_empty(play, cell)
    for door in play.doors:
        empty(door.blocked, "blocked senders")
        empty(door.items, "items in doors")
        empty(door.inbox, "inboxes")


def cell_is_empty(play: Play, cell: Any) -> None:
    """Demand that a stopped cell holds nothing."""
    relations = cell.relations_made
    left: dict[str, Any] = {
        "state": cell.state != STOPPED,
        "driver": cell.driver,
        "open mailbox": type(cell.mailbox) is not Closed,
    }
    if relations is not None:
        watches, recovery = relations.watches, relations.recovery_made
        backoff = None if recovery is None else recovery.backoff
        left |= {
            "children": relations.children,
            "joiners": relations.joiners,
            "stashed": relations.stashed,
            "letter": relations.letter if cell not in play.crashed else None,
            "insisting": relations.insisting,
            "watchers": watches is not None and watches.by,
            "watched": watches is not None and watches.of,
            "back-off": backoff is not None and not backoff.done(),
        }
        equipment = relations.equipment
        if equipment is not None:
            left["policy's timer"] = getattr(equipment.policy, "_timer", None)
            if equipment.crew is not None:
                left["busy members"] = equipment.crew.busy
                left["those who wait for quiet"] = equipment.crew._waits
    found = {name: what for name, what in left.items() if what}
    play.ledger.demand(not found, "a stopped actor holds nothing", cell.ref.path, found)
