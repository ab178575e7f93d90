"""The plugin for pytest, in sessions of its own: what it runs, says, keeps and refuses."""

from __future__ import annotations

import os
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sessions import MODULE, plugin_options

# The inner sessions forget what they have imported; these are to stay the same modules.
from effactor_interpreters.testing import exploring, options, told

if TYPE_CHECKING:
    from collections.abc import Callable

    Session = Callable[..., pytest.RunResult]

assert exploring, told

LOST_UPDATE = """
import pytest
from races import Counter, add_one

def lose(sim, clients=2):
    counter = sim.spawn(Counter, "counter")
    sim.run_all([add_one(counter) for _ in range(clients)])
    return sim.actor(counter).n
"""


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Write a file of tests and run pytest on it, in this process if no others are needed."""
    here = str(Path(__file__).parents[1])
    monkeypatch.setattr(sys, "path", [here, *sys.path])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]))

    def run(body: str, *arguments: str, name: str = "test_it") -> pytest.RunResult:
        pytester.makepyfile(**{name: LOST_UPDATE + body})
        asked = arguments if any("asyncio" in a for a in arguments) else (*arguments, *STRICT)
        # multiprocessing does not bear to be imported twice.
        shares = "jobs" in body or any("jobs" in a for a in arguments)
        method = pytester.runpytest_subprocess if shares else pytester.runpytest
        return method(*plugin_options(), *asked)

    return run


STRICT = ("--asyncio-mode=strict", "-oasyncio_default_fixture_loop_scope=function")
AUTO = ("--asyncio-mode=auto", "-oasyncio_default_fixture_loop_scope=function")


def kept(pytester: pytest.Pytester, name: str = "test_it") -> list[str]:
    file = pytester.path / ".effactor/regressions" / f"{name}.txt"
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def command_of(result: pytest.RunResult) -> list[str]:
    (line,) = {line for line in result.outlines if line.startswith("  replay:  pytest ")}
    return line.split()[2:]


# ------------------------------------------------------------------------ running


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    (value,) = tomllib.loads(text)["project"]["entry-points"]["pytest11"].values()
    assert value == MODULE
    assert callable(import_module(value).pytest_addoption)


def test_a_test_runs_in_many_schedules(session: Session) -> None:
    body = """
seen = []

def test_many(sim):
    seen.append(lose(sim))

@pytest.mark.explore(schedules=70)
def test_fewer(sim):
    seen.append(lose(sim, 5))

def test_how_many():
    assert seen.count(1) > 5 and seen.count(2) > 5
    assert len(seen) > 100 and seen[0] == 2
"""
    session(body, "--effactor-strategy=portfolio").assert_outcomes(passed=3)


def test_the_default_number_is_as_stated(session: Session) -> None:
    body = """
runs = []
def test_a(sim): runs.append(lose(sim, 5))
def test_b(): assert len(runs) == 1000 + 11  # the audit runs one in a hundred, and the first, twice
"""
    assert options.SCHEDULES == 1000
    session(body).assert_outcomes(passed=2)


@pytest.mark.parametrize("mode", [STRICT, AUTO], ids=["strict", "auto"])
def test_an_async_test_runs_in_the_simulation(session: Session, mode: tuple[str, str]) -> None:
    body = """
import asyncio
from races import Get

async def test_plain(sim):
    ref = await sim.system.spawn(Counter, "counter")
    await asyncio.sleep(3600)
    assert await ref.ask(Get()) == 0

@pytest.mark.asyncio
async def test_marked(sim):
    await test_plain(sim)

class TestMethods:
    async def test_method(self, sim):
        await test_plain(sim)

async def test_fails(sim):
    await asyncio.sleep(3600)
    assert False, "as it should"

@pytest.mark.asyncio
async def test_without_sim():
    await asyncio.sleep(0)
"""
    result = session(body, *mode)
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: as it should*"])


def test_a_failure_is_told_in_one_screen_with_the_command_that_replays_it(
    session: Session, pytester: pytest.Pytester
) -> None:
    body = """
def test_counts(sim):
    print("printed by the failing schedule only")
    n = lose(sim)
    assert n == 2
"""
    result = session(body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       assert n == 2",
            "E       assert 1 == 2",
            "*shrunk to 1 deviation from the default order:",
            "    add_one#2 began before add_one#1 received the reply 0 from counter",
            "  replay:  pytest test_it.py::test_counts --effactor-replay=ef*",
        ]
    )
    assert result.outlines.count("printed by the failing schedule only") == 1
    assert not any("simulation.py" in line for line in result.outlines)

    again = session(body, *command_of(result))
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*replayed from its token: 1 deviation*"])

    mended = session(body.replace("== 2", ">= 1"), *command_of(result))
    mended.assert_outcomes(passed=1)
    mended.stdout.fnmatch_lines(["*test_counts: no failure in the schedule of ef*"])
    assert len(kept(pytester)) == 1


def test_other_fixtures_are_made_once_and_handed_over(session: Session) -> None:
    body = """
made = []

@pytest.fixture
def once():
    made.append("made")
    yield 42
    made.append("ended")

@pytest.mark.parametrize("k", [1, 2])
def test_many(sim, once, k, tmp_path):
    assert once == 42 and k in (1, 2) and tmp_path.exists()
    lose(sim)

def test_after():
    assert made == ["made", "ended"] * 2
"""
    session(body).assert_outcomes(passed=3)


def test_skipping_in_a_schedule_skips_the_test(session: Session, pytester: pytest.Pytester) -> None:
    body = """
def test_skips(sim): pytest.skip("not today")
def test_expected(sim): pytest.xfail("known")
@pytest.mark.xfail
def test_marked(sim): assert False
"""
    session(body).assert_outcomes(skipped=1, xfailed=2)
    assert kept(pytester) == []


def test_a_fixture_of_that_name_of_somebody_else_is_left_alone(session: Session) -> None:
    body = """
@pytest.fixture
def sim(): return "a card"
runs = []
def test_card(sim):
    assert sim == "a card"
    runs.append(1)
def test_once(): assert runs == [1]
"""
    session(body).assert_outcomes(passed=2)


# ------------------------------------------------------------------------ options


def test_the_command_line_wins_over_the_mark_and_that_over_the_file(
    session: Session, pytester: pytest.Pytester
) -> None:
    body = """
runs = []
@pytest.mark.explore(schedules=30)
def test_marked(sim): runs.append(lose(sim, 5))
def test_plain(sim): runs.append(lose(sim, 5))
def test_runs(): assert len(runs) == EXPECTED
"""
    # The first schedule of each test is run twice: that is the audit.
    pytester.makeini("[pytest]\neffactor_schedules = 20\n")
    session(body.replace("EXPECTED", "52")).assert_outcomes(passed=3)
    with_option = session(body.replace("EXPECTED", "16"), "--effactor-schedules=7")
    with_option.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--effactor-schedules=0", "must be a whole number of at least 1, got '0'"),
        ("--effactor-seed=-1", "must be a whole number of at least 0, got '-1'"),
        ("--effactor-strategy=luck", "strategy must be one of portfolio, random"),
        ("--effactor-jobs=many", "must be a whole number of at least 1, got 'many'"),
        ("--effactor-budget=0", "must be a number of seconds above 0, got '0'"),
    ],
)
def test_a_wrong_option_is_refused_at_once(session: Session, argument: str, said: str) -> None:
    result = session("", argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()


def test_a_wrong_setting_of_the_file_is_refused_at_once(
    session: Session, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\neffactor_seed = x\n")
    result = session("")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "effactor_seed in the configuration of pytest: must be a whole" in result.stderr.str()


def test_a_wrong_mark_is_refused(session: Session) -> None:
    body = """
@pytest.mark.explore(schedule=5)
def test_near(sim): ...
@pytest.mark.explore(5)
def test_bare(sim): ...
@pytest.mark.explore(time="soon")
def test_value(sim): ...
@pytest.mark.explore(schedules=5)
def test_without_sim(): ...
"""
    result = session(body)
    result.assert_outcomes(failed=3, errors=1)
    said = result.stdout.str()
    assert "explore has no argument 'schedule'; did you mean schedules?" in said
    assert "takes arguments by name only, as in explore(schedules=2000), got 5" in said
    assert """pytest.mark.explore: explore: time must be "async" or "latency", got 'soon'""" in said
    assert "on a test that does not take the fixture sim" in said


def test_a_token_of_another_test_is_refused(session: Session) -> None:
    body = "def test_a(sim): assert lose(sim) == 2\n"
    command = command_of(session(body))
    result = session(body.replace("test_a", "test_b"), command[-1])
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*belongs to another scenario than 'test_b'*"])


def test_processes_share_the_schedules_of_a_test(session: Session) -> None:
    body = """
@pytest.mark.parametrize("k", [2])
def test_rare(sim, k):
    assert lose(sim, 6) != k - 1

class TestIt:
    def test_method(self, sim):
        assert lose(sim, 3) > 0

def test_local(sim, request):
    assert lose(sim, 3) > 0

@pytest.mark.explore(strategy="dpor")
def test_steps(sim):
    lose(sim)
"""
    alone = session(body, "--effactor-strategy=random", "-kmethod or rare")
    shared = session(body, "--effactor-strategy=random", "-kmethod or rare", "--effactor-jobs=2")
    for result in (alone, shared):
        result.assert_outcomes(failed=1, passed=1, deselected=2)
    assert command_of(alone) == command_of(shared)

    rest = session(body, "-klocal or steps", "--effactor-jobs=2", "--effactor-schedules=20")
    rest.assert_outcomes(passed=2, deselected=2)
    rest.stdout.fnmatch_lines(
        [
            "*test_local: explored by one process: *pickle*",
            "*test_steps: explored by one process: the strategy 'dpor' goes from one*",
        ]
    )
    asked = session("@pytest.mark.explore(jobs=2)" + body[body.index("\ndef test_local") :])
    asked.stdout.fnmatch_lines(["*jobs=2 sends the scenario test_local to other processes*"])
    asked.assert_outcomes(failed=1, passed=1)


# ------------------------------------------------------------------------ refusals


def test_what_certainly_breaks_is_refused(session: Session) -> None:
    body = """
from effactor import ActorSystem
from hypothesis import given, strategies as st, settings, HealthCheck

@pytest.fixture
def early(sim): return sim.spawn(Counter)
def test_early(early, sim): ...

@pytest.fixture
def live(): return {"system": ActorSystem("live")}
def test_live(sim, live): ...

@settings(suppress_health_check=list(HealthCheck))
@given(n=st.integers())
def test_given(sim, n): ...
"""
    result = session(body)
    result.assert_outcomes(failed=2, errors=1)
    said = result.stdout.str()
    assert "sim.spawn was used by a fixture: a fixture is made once for all schedules" in said
    assert "the fixture 'live' brings a live ActorSystem" in said
    assert "take world=worlds() from effactor.testing in place of sim" in said


def test_state_that_schedules_share_is_suspected_when_the_replay_differs(session: Session) -> None:
    body = """
runs = []
def test_shares(sim):
    runs.append(1)
    lose(sim)
    assert len(runs) != 3
"""
    result = session(body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the failing schedule, run again, passed: something in this*"])


# ------------------------------------------------------------------------ kept tokens

COUNTS = "def test_counts(sim): assert lose(sim) == 2\n"
MENDED = "def test_counts(sim): assert lose(sim) >= 1\n"
OTHER = "def test_counts(sim): assert lose(sim, 1) == 1\n"


def test_a_token_is_replayed_first_until_it_is_fixed_and_dropped_on_request(
    session: Session, pytester: pytest.Pytester
) -> None:
    session(COUNTS).assert_outcomes(failed=1)
    (line,) = kept(pytester)
    assert line.endswith(" test_counts")

    # A seed and a number of schedules that would not find it.
    again = session(COUNTS, "--effactor-schedules=1")
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*replayed from its token*"])
    assert kept(pytester) == [line]

    fixed = session(MENDED)
    fixed.assert_outcomes(passed=1)
    fixed.stdout.fnmatch_lines(
        ["*the kept token ef* is fixed: its schedule*", "*pytest --effactor-forget-fixed"]
    )
    assert kept(pytester) == [line]

    forgotten = session(MENDED, "--effactor-forget-fixed")
    forgotten.stdout.fnmatch_lines(["test_counts: dropped the token ef*"])
    assert kept(pytester) == []
    session(MENDED).stdout.no_fnmatch_line("*kept token*")


def test_a_token_that_does_not_fit_any_more_is_loud(session: Session) -> None:
    session(COUNTS).assert_outcomes(failed=1)
    result = session(OTHER)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*NO LONGER ALIGNS: 1 of its 1 deviations and faults found*"])


def test_a_kept_line_that_is_no_token_is_told_and_does_not_stop_the_test(
    session: Session, pytester: pytest.Pytester
) -> None:
    file = pytester.path / ".effactor/regressions/test_it.txt"
    file.parent.mkdir(parents=True)
    file.write_text("nonsense test_counts\n", "utf-8")
    result = session(MENDED)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*the kept token nonsense cannot be replayed: a token starts*"])


def test_a_token_of_another_time_mode_is_not_held_against_the_test(session: Session) -> None:
    body = """
from effactor import free_ask
from races import Get
@pytest.mark.explore(time="async")
def test_waits(sim):
    counter = sim.spawn(Counter, "counter")
    assert sim.run(free_ask(counter, Get(), timeout=1).attempt()).value_or(None) == 0
"""
    session(body).assert_outcomes(failed=1)
    result = session(body.replace('"async"', '"latency"'))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*is of time='async', and the test asks for 'latency' now"])


def test_workers_keep_all_tokens(session: Session, pytester: pytest.Pytester) -> None:
    body = """
@pytest.mark.parametrize("k", range(8))
def test_counts(sim, k):
    assert lose(sim) == 2
"""
    result = session(body, "-n2", "--dist=load", "--effactor-schedules=20")
    result.assert_outcomes(failed=8)
    assert sorted(line.partition(" ")[2] for line in kept(pytester)) == [
        f"test_counts[{k}]" for k in range(8)
    ]
    assert [file.name for file in (pytester.path / ".effactor/regressions").iterdir()] == [
        "test_it.txt"
    ]
    again = session(body, "-n2", "--dist=load", "--effactor-schedules=1")
    again.assert_outcomes(failed=8)


# ------------------------------------------------------------------------ suites

SOMETIMES = """
@pytest.mark.explore(schedules=20)
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_some(sim, k):
    sim.sometimes(k == 2, "two")
    sim.sometimes(k == NEVER, "wanted")
"""


@pytest.mark.parametrize("workers", [(), ("-n2", "--dist=load")], ids=["alone", "workers"])
def test_a_session_in_which_something_never_happens_is_red(
    session: Session, workers: tuple[str, ...]
) -> None:
    result = session(SOMETIMES.replace("NEVER", "5"), *workers)
    result.assert_outcomes(passed=4, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*'wanted' should happen sometimes, and did not in any*"])
    result.stdout.no_fnmatch_line("*'two' should*")

    assert session(SOMETIMES.replace("NEVER", "4"), *workers).ret == pytest.ExitCode.OK


def test_a_failed_test_says_nothing_of_what_it_had_no_time_for(session: Session) -> None:
    body = """
def test_stops_early(sim):
    sim.sometimes(False, "later")
    assert lose(sim) == 2
"""
    result = session(body)
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*should happen sometimes*")


def test_sessions_without_simulations_load_none_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_nothing_is_loaded():
            assert "effactor_interpreters.testing.plugin" in sys.modules
            assert "effactor" not in sys.modules
            assert "effactor_interpreters.simulation" not in sys.modules
            assert "effactor_interpreters.testing.exploring" not in sys.modules
        """
    )
    others = ("-p", "no:returns", "-p", "no:asyncio")
    result = pytester.runpytest_subprocess(*plugin_options(), *others)
    result.assert_outcomes(passed=1)
