"""The runtime under its own simulator: each feature, at work, with all that can go wrong.

Every scenario is explored under some schedules; EFFACTOR_SCHEDULES=100 makes it a hundred
times as many. `campaign` explores by hand, `invariants` and `ledger` say what must hold.
Virtual actors have theirs in `test_virtual_actors`.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from simulation.runtime.campaign import SCENARIOS, Scenario, campaign, with_workload
from simulation.runtime.play import Play

from effactor.interpreters import Simulation, replay, simulate

SCHEDULES = 3000 * int(os.environ.get("EFFACTOR_SCHEDULES", "1")) // len(SCENARIOS)

MET: dict[str, tuple[str, ...]] = {
    "plain_actors": (
        "ask: ActorStopped",
        "ask: AskTimeout",
        "ask: Boom",
        "dead letters",
        "crashed",
    ),
    "a_long_queue": ("on_restart", "ask: ActorStopped while handled"),
    "one_for_one": ("on_restart", "ask: Boom", "ask: Halt", "ask: Up", "ask: Skip"),
    "all_for_one": ("on_restart", "ask: ActorStopped"),
    "rest_for_one": ("on_restart", "ask: ActorStopped"),
    "back_off": ("on_restart", "ask: ActorStopped"),
    "stops": ("ask: ActorStopped while handled", "stopped", "crashed"),
    "shutdown_drains": ("tell: handled", "dead letters"),
    "shutdown_after_current": ("ask: ActorStopped", "ask: interrupted sender"),
    "shutdown_now": ("ask: ActorStopped while handled", "ask: interrupted sender"),
    "shutdown_when": ("ask: ActorStopped",),
    "stop_policies": ("dead letters", "stopped"),
    "watch_and_join": ("Terminated", "on_restart"),
    "mailbox_that_blocks": ("tell: ActorStopped", "ask: ActorStopped", "a blocked sender"),
    "mailbox_that_rejects": ("tell: MailboxFull", "ask: MailboxFull"),
    "mailbox_that_drops_the_newest": ("ask: MessageDropped", "dead letters"),
    "mailbox_that_drops_the_oldest": ("ask: MessageDropped", "dead letters"),
    "mailbox_by_priority": ("ask: handled",),
    "time_to_live": ("tell: handled", "dead letters"),
    "middleware_that_drops": ("ask: MessageDropped", "dead letters"),
    "tokens": ("ask: AskCancelled",),
    "deadlines_through_chains": ("ask: AskTimeout", "ask: handled"),
    "reentrant": ("handlers overlap", "on_restart"),
    "concurrency": ("handlers overlap", "on_restart"),
    "pools": ("on_restart", "ask: Boom"),
    "streams": ("ask: AskTimeout", "ask: ActorStopped while handled"),
    "timers": ("on_restart", "a beat", "a timer that fires"),
    "stashes": ("ask: AskTimeout", "on_restart", "stashed"),
    "orchestration": ("ask: interrupted sender",),
    "all_together": ("ask: ActorStopped", "ask: AskTimeout", "ask: MessageDropped", "on_restart"),
    "states": ("a state loaded",),
    "states_behind_mail": ("a state saved", "ask: Boom", "handlers overlap"),
    "virtual_failures": (
        "a virtual actor restarts",
        "ask: Boom",
        "ask: Halt",
        "ask: Up",
        "crashed",
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_every_invariant_holds_in(scenario: Scenario) -> None:
    report = campaign(scenario, SCHEDULES)
    assert report.failure is None, report.explain()
    never = [name for name in MET.get(scenario.__name__, ()) if not report.seen[name]]
    assert not never, f"{scenario.__name__} never met {never} in {dict(report.seen)}"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_token_replays(scenario: Scenario) -> None:
    seen: Counter[str] = Counter()
    run = simulate(with_workload(scenario, 1, seen), seed=1, time="async")
    again = replay(with_workload(scenario, 1, seen), run.token)
    assert again.digest == run.digest


def test_what_an_invariant_finds_is_the_error_of_the_run() -> None:
    async def loses(sim: Simulation) -> None:
        play = Play(sim, 0)
        ref = await play.spawn("a")
        play.ledger.sends("nobody", ref, play.job(), "tell").outcome = None
        await play.finish()

    error: Any = simulate(loses).error
    assert str(error).startswith("'no message told is lost'")
