"""Explore one test: kept tokens first, then schedules; tell what was found."""

from __future__ import annotations

import logging
import os
import pickle
import re
import shlex
import sys
from contextlib import contextmanager, nullcontext, redirect_stdout
from io import StringIO
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import pytest
from typing_extensions import override

from effactor.errors import BadToken, NonDeterminism, Violation
from effactor_interpreters.simulation.boundary import is_machinery
from effactor_interpreters.simulation.exploring import Failure, explore
from effactor_interpreters.simulation.runs import MAX_STEPS, replay
from effactor_interpreters.simulation.shrinking import same_finding
from effactor_interpreters.simulation.strategies import strategy_of
from effactor_interpreters.testing.finding import Finding
from effactor_interpreters.testing.options import settings_of
from effactor_interpreters.testing.progress import Progress
from effactor_interpreters.testing.regressions import Entry, kept
from effactor_interpreters.testing.replaying import guided
from effactor_interpreters.testing.scenarios import scenario_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor_interpreters.simulation.runs import Run
    from effactor_interpreters.testing.scenarios import TestScenario

_SUITE_WIDE: Final = frozenset({"sometimes", "reachable"})
"""Properties that one test of the suite is to fulfil, and not each."""


def run_test(item: pytest.Function, function: Callable[..., Any]) -> Finding:
    """Run a test that takes `sim`.

    Args:
        item: The test.
        function: Its function.

    Returns:
        What was found, if no schedule failed. A schedule that fails raises what the test
        raised in it, with the finding as its attribute `effactor_finding`.
    """
    settings, jobs_asked = settings_of(item)
    scenario = scenario_of(item, function)
    finding = Finding()
    token = item.config.getoption("effactor_replay")
    if token is not None:
        _replay(item, scenario, str(token), settings, finding)
        return finding
    test = name_of(item)
    with _quiet(item):
        for entry in kept(item.path, test):
            failure = _again(scenario, entry, settings, finding, f"{item.path.name}::{test}")
            if failure is not None:
                break
        else:
            failure = _explore(item, scenario, settings, finding, jobs_asked=jobs_asked)
    if failure is not None:
        if _is_finding(failure.error) and not item.get_closest_marker("xfail"):
            finding.failed.append(Entry(failure.token, test, _said(failure.error)))
        _fail(item, scenario, failure, settings, finding)
    return finding


def _said(error: BaseException) -> str:
    """Say in one line what went wrong, in the same words each time."""
    first = next(iter(str(error).splitlines()), "")
    return re.sub(r"\b0x[0-9a-f]+", "0x...", f"{type(error).__name__}: {first}")


def name_of(item: pytest.Item) -> str:
    """Name a test within its file.

    Args:
        item: The test.

    Returns:
        Text such as `TestShop::test_sells[tea]`.
    """
    return item.nodeid.partition("::")[2] or item.name


def _explore(
    item: pytest.Function,
    scenario: TestScenario,
    settings: dict[str, Any],
    finding: Finding,
    *,
    jobs_asked: bool,
) -> Failure | None:
    if settings.get("jobs", 1) != 1 and not jobs_asked:
        why = _alone(scenario, settings)
        if why:
            finding.notes.append(f"{item.nodeid}: explored by one process: {why}")
            settings = {**settings, "jobs": 1}
    progress = _progress(item, settings)
    why = ""
    try:
        verdict = explore(scenario, progress=progress, **settings)
    except (TypeError, ValueError) as error:
        # About the arguments: what the test itself raises is in the verdict.
        why = f"pytest.mark.explore: {error}"
        verdict = None
    finally:
        if progress is not None:
            progress.end()
    if verdict is None:
        pytest.fail(why, pytrace=False)
    finding.notes += [
        f"{item.nodeid}: {name!r} was left undecided in {count:,} of {verdict.runs:,} schedules"
        for name, count in verdict.unknown.items()
    ]
    failure = verdict.failure
    if failure is not None:
        missed = failure.error
        if not isinstance(missed, Violation) or missed.kind not in _SUITE_WIDE:
            return failure
    finding.hits = dict(verdict.hits)
    return None


def _alone(scenario: TestScenario, settings: dict[str, Any]) -> str:
    """Say why several processes cannot explore this test; empty if they can."""
    strategy = settings.get("strategy", "portfolio")
    if not hasattr(strategy_of("explore", strategy, 0), "independent"):
        return f"the strategy {strategy!r} goes from one schedule to the next"
    try:
        pickle.dumps(scenario)
    except Exception as error:  # pickle raises errors of many classes
        return f"{type(error).__name__}: {error}"
    return ""


def _progress(item: pytest.Function, settings: dict[str, Any]) -> Progress | None:
    reporter = item.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or item.config.get_verbosity() < 0:
        return None

    capturing = item.config.pluginmanager.get_plugin("capturemanager")

    def write(text: str) -> None:
        output = sys.stdout
        with capturing.global_and_fixture_disabled() if capturing else nullcontext():
            reporter.write(text, flush=True)
        sys.stdout = output  # it may be redirected, which the line above undoes

    live = bool(getattr(reporter, "isatty", False))
    return Progress(write, item.name, settings["schedules"], live=live)


def _replay(
    item: pytest.Function,
    scenario: TestScenario,
    token: str,
    settings: dict[str, Any],
    finding: Finding,
) -> None:
    try:
        run = replay(scenario, token, max_steps=settings.get("max_steps", MAX_STEPS))
    except BadToken as error:
        why = f"--effactor-replay: {error}"
    else:
        if run.error is None:
            finding.notes.append(f"{item.nodeid}: no failure in the schedule of {token}")
        else:
            _raise(item, _failure_of(scenario, run, token), run.error, finding)
        return
    pytest.fail(why, pytrace=False)


def _again(
    scenario: TestScenario, entry: Entry, settings: dict[str, Any], finding: Finding, test: str
) -> Failure | None:
    """Run a kept token; return its failure, or note what is to be said of it."""
    where = f"{test}: the kept token {entry.token}"
    try:
        run, lost, count, time = guided(scenario, entry.token, settings)
    except BadToken as error:
        finding.notes.append(f"{where} cannot be replayed: {error.reason}")
        finding.fixed.append(entry)
        return None
    asked = settings.get("time", "async")
    if time != asked:
        finding.notes.append(f"{where} is of time={time!r}, and the test asks for {asked!r} now")
        finding.fixed.append(entry)
        return None
    if run.error is not None and not isinstance(run.error, NonDeterminism):
        return _failure_of(scenario, run, run.token)
    finding.fixed.append(entry)
    if lost:
        finding.notes.append(
            f"{where} NO LONGER ALIGNS: {lost} of its {count} deviations and faults found no "
            "place in the changed code. What could be replayed passes; that does not mean that "
            "it is fixed"
        )
    else:
        finding.notes.append(f"{where} is fixed: its schedule does not fail any more")
    return None


def _failure_of(scenario: TestScenario, run: Run[Any], token: str) -> Failure:
    assert run.error is not None
    return Failure(
        run.error,
        token,
        run.deviations,
        run.trace,
        scenario.__name__,
        steps=run.deviating_steps,
        faults=run.faults,
        fault_steps=run.fault_steps,
    )


def _is_finding(error: BaseException) -> bool:
    """Tell a failure from `pytest.skip` and `pytest.xfail`."""
    return not isinstance(error, pytest.skip.Exception | pytest.xfail.Exception)


def _fail(
    item: pytest.Function,
    scenario: TestScenario,
    failure: Failure,
    settings: dict[str, Any],
    finding: Finding,
) -> None:
    """Run the failing schedule once more, this time with its output, and raise its error."""
    error = failure.error
    if _is_finding(error):
        again = replay(scenario, failure.token, max_steps=settings.get("max_steps", MAX_STEPS))
        if same_finding(again.error, error):
            assert again.error is not None
            error = again.error
        else:
            ended = "passed" if again.error is None else f"raised {again.error!r}"
            finding.notes.append(
                f"{item.nodeid}: the failing schedule, run again, {ended}: something in this "
                "test is not deterministic, such as state that it shares between schedules"
            )
    _raise(item, failure, error, finding)


def _raise(item: pytest.Function, failure: Failure, error: BaseException, finding: Finding) -> None:
    if _is_finding(error):
        finding.story = _story(item, failure)
    error.effactor_finding = finding  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    raise error.with_traceback(_of_users(error.__traceback__))


def _story(item: pytest.Function, failure: Failure) -> str:
    """Tell the failure, with the command that replays it in place of the call."""
    path = os.path.relpath(item.path, item.config.invocation_params.dir)
    test = shlex.quote(f"{path}::{name_of(item)}")
    command = f"  replay:  pytest {test} --effactor-replay={failure.token}"
    text, count = re.subn(
        r"^  replay:.*$", lambda _: command, failure.explain(), count=1, flags=re.MULTILINE
    )
    return text if count else f"{text}\n{command}"


def _of_users(traceback: TracebackType | None) -> TracebackType | None:
    """Leave the frames of the machinery out, but for those before the test."""
    frames: list[TracebackType] = []
    while traceback is not None:
        if not is_machinery(traceback.tb_frame.f_code.co_filename):
            frames.append(traceback)
        traceback = traceback.tb_next
    kept: TracebackType | None = None
    for one in reversed(frames):
        kept = TracebackType(kept, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return kept


@contextmanager
def _quiet(item: pytest.Function) -> Generator[None]:
    """Keep what thousands of schedules print and log out of the report.

    A test that looks at its own output or log gets it, of all schedules.
    """
    level = logging.root.manager.disable
    if "caplog" not in item.fixturenames:
        logging.disable(sys.maxsize)
    prints = not {"capsys", "capfd"}.isdisjoint(item.fixturenames)
    try:
        with redirect_stdout(sys.stdout if prints else _Nowhere()):
            yield
    finally:
        logging.disable(level)


class _Nowhere(StringIO):
    """Keeps nothing of what is written."""

    @override
    def write(self, text: str, /) -> int:
        return len(text)
