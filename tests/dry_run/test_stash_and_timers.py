"""The dry run of `stash` and `schedule_once`: recorded, and nothing is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from effactor import (
    ActorRef,
    Do,
    Message,
    Succeeded,
    free_now,
    free_sleep,
    program,
    schedule_once,
    stash,
    unstash_all,
)
from effactor.interpreters import dry_run
from effactor.programs.mailbox import UnstashAll
from effactor.programs.timers import CancelTimer, ScheduleOnce
from effactor.traces.canonical import digest


@dataclass(frozen=True)
class Tick(Message[None]):
    n: int = 0


CLOCK: ActorRef[Tick] = ActorRef.at("/clock")


@program
def waits() -> Do[tuple[int, bool]]:
    yield from stash()
    n = yield from unstash_all()
    timer = yield from schedule_once(30, CLOCK, Tick(1))
    in_time = yield from timer.cancel()
    return n, in_time


def test_all_is_recorded_and_answered() -> None:
    trace = dry_run(waits())
    assert trace.outcome == Succeeded((0, True))
    assert [(r.kind, r.target) for r in trace.records] == [
        ("stash", "/waits#1"),
        ("unstash", "/waits#1"),
        ("schedule", "/clock"),
        ("cancel", "/waits#1"),
        ("end", "/waits#1"),
    ]


def test_the_words_of_a_trace() -> None:
    assert str(dry_run(waits())).splitlines()[1:5] == [
        "├─ stash",
        "├─ unstash 0",
        "├─ schedule Tick(n=1) to /clock after 30 s",
        "├─ cancel Tick(n=1) to /clock",
    ]


def test_a_timer_in_json_and_in_a_diagram() -> None:
    trace = dry_run(waits())
    cancelled = json.loads(trace.to_json())["records"][3]["subject"]["fields"]["timer"]
    assert cancelled["type"] == "Timer"
    assert cancelled["fields"]["delay"] == 30
    assert cancelled["fields"]["message"] == {"type": "Tick", "fields": {"n": 1}}
    assert "Note over p1: schedule Tick(n=1) to /clock after 30 s" in trace.to_mermaid()


def test_scheduling_does_not_move_the_clock() -> None:
    @program
    def measures() -> Do[Any]:
        before = yield from free_now()
        yield from schedule_once(30, CLOCK, Tick())
        between = yield from free_now()
        yield from free_sleep(40)
        after = yield from free_now()
        return (between - before).total_seconds(), (after - before).total_seconds()

    trace = dry_run(measures())
    assert trace.outcome == Succeeded((0, 40))
    assert not [r for r in trace.records if r.kind == "tell"]


def test_answers_may_be_others() -> None:
    late = {UnstashAll: 3, CancelTimer: False}
    assert dry_run(waits(), answers=late).outcome == Succeeded((3, False))


def test_each_dry_run_makes_timers_of_its_own() -> None:
    one, two = (dry_run(schedule_once(5, CLOCK, Tick())) for _ in range(2))
    assert one.outcome != two.outcome
    assert digest(one) == digest(two)
    assert one.records[0].subject == ScheduleOnce(5, CLOCK, Tick())
