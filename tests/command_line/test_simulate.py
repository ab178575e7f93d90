"""`effactor simulate` and `effactor replay`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shell import Shell

RACE = """
    from effactor import Actor, free_ask, free_sleep, program


    class Last(Actor):
        def __init__(self):
            self.seen = []

        def on_receive(self, message):
            self.seen.append(message)


    def race(sim):
        last = sim.spawn(Last, "last")
        sim.run_all([free_ask(last, name).named(name) for name in "ab"])
        sim.always(lambda: sim.actor(last).seen[-1] == "b", name="b is last")


    def fine(sim):
        last = sim.spawn(Last, "last")
        sim.run_all([free_ask(last, name) for name in "ab"])
        sim.sometimes(sim.actor(last).seen == ["b", "a"], "b is first")


    def asserts(sim):
        assert 1 == 2, "of course"


    def interrupted(sim):
        raise KeyboardInterrupt


    def timers(sim):
        last = sim.spawn(Last, "last")
        late = free_sleep(1.0).then(free_ask(last, "late"))
        sim.run_all([late, free_ask(last, "early")])
        assert sim.actor(last).seen == ["early", "late"]


    program_itself = free_sleep(3600)
"""


@pytest.fixture(autouse=True)
def race(shell: Shell) -> None:
    shell.write("race.py", RACE)


def token_in(text: str) -> str:
    found = re.search(r"effactor replay race:race (ef2:\S+)", text)
    assert found is not None, text
    return found[1]


def test_a_failure_is_told_with_the_command_that_replays_it(shell: Shell) -> None:
    result = shell.effactor("simulate", "race:race", "--schedules", "50")
    assert (result.status, result.err) == (1, "")
    assert result.out.startswith("Violation: 'b is last' must always hold")
    assert "of 50 (portfolio, seed 0)" in result.out
    again = shell.effactor("replay", "race:race", token_in(result.out))
    assert again.status == 1
    assert again.out.startswith("Violation: 'b is last' must always hold")


def test_a_replay_shows_the_same_run_each_time(shell: Shell) -> None:
    token = token_in(shell.effactor("simulate", "race:race").out)
    first, second = (shell.effactor("replay", "race:race", token, "--json") for _ in "12")
    assert first == second
    document = json.loads(first.out)
    assert document["ok"] is False
    assert document["token"] == token
    assert document["error"]["type"] == "Violation"
    asked = [r["source"] for r in document["trace"]["records"] if r["kind"] == "ask"]
    assert asked == ["/b#1", "/a#1"]


def test_trace_lists_everything_that_happened(shell: Shell) -> None:
    token = token_in(shell.effactor("simulate", "race:race").out)
    story = shell.effactor("replay", "race:race", token, "--trace").out
    assert story.index("/b#1: ask /last 'b'") < story.index("/a#1: ask /last 'a'")
    assert "/a#1: begin" in story
    assert "begin" not in shell.effactor("replay", "race:race", token).out


def test_a_verdict_carries_its_numbers(shell: Shell) -> None:
    result = shell.effactor("simulate", "race:fine", "--schedules", "40", "--strategy", "random")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("race:fine: no failure in 40 schedules\n")
    assert "random, seed 0" in result.out
    assert "times: b is first" in result.out
    assert "schedules/s" in result.out


def test_an_exhausted_scenario_says_so(shell: Shell) -> None:
    result = shell.effactor("simulate", "race:program_itself")
    assert result.status == 0
    assert result.out.startswith("race:program_itself: no failure in 1 schedule\n")
    assert "these are all there are" in result.out


def test_json_says_what_a_script_needs(shell: Shell) -> None:
    result = shell.effactor("simulate", "race:race", "--seed", "3", "--json")
    document = json.loads(result.out)
    assert result.status == 1
    assert (document["ok"], document["seed"]) == (False, 3)
    assert document["failure"]["type"] == "Violation"
    assert document["failure"]["deviations"]
    again = shell.effactor("replay", "race:race", document["failure"]["token"])
    assert again.status == 1
    passed = json.loads(shell.effactor("simulate", "race:fine", "--json").out)
    assert passed["ok"]
    assert passed["failure"] is None
    assert passed["hits"]["b is first"] > 0


def test_an_exception_in_a_scenario_says_where(shell: Shell) -> None:
    line = RACE.splitlines().index('        assert 1 == 2, "of course"')
    result = shell.effactor("simulate", "race:asserts")
    assert result.status == 1
    assert result.out.startswith("AssertionError: of course")
    assert f"  raised:  race.py:{line + 1}: assert" in result.out


def test_time_decides_when_timers_may_fire(shell: Shell) -> None:
    assert shell.effactor("simulate", "race:timers").status == 1
    assert shell.effactor("simulate", "race:timers", "--time", "latency").status == 0


def test_progress_goes_to_a_terminal_and_only_there(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.effactor("simulate", "race:fine", "--json").err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal then
    result = shell.effactor("simulate", "race:fine", "--json")
    assert "race:fine: schedules" in result.err
    assert json.loads(result.out)["ok"]


def test_ctrl_c_ends_with_130(shell: Shell) -> None:
    result = shell.effactor("simulate", "race:interrupted", "--schedules", "9")
    assert (result.status, result.out) == (130, "")
    assert result.err == "effactor: interrupted after 0 of 9 schedules\n"
