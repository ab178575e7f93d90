"""The plugin for pytest: the fixture `sim`, the mark `explore`, options, kept tokens.

pytest loads this module in each session of everyone who has effactor installed. So it
imports nothing of effactor before a test needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from effactor_interpreters.testing.options import add_options, check_configuration

if TYPE_CHECKING:
    from collections.abc import Generator

    from effactor_interpreters.simulation.simulation import Simulation

_FUNCTION = pytest.StashKey[Any]()
_FINDING = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark; collect findings where reports come together."""
    config.addinivalue_line(
        "markers",
        "explore(schedules=1000, seed=0, strategy='portfolio', time='async', ...): how the "
        "schedules of a test that takes sim are explored; the arguments of effactor's explore",
    )
    check_configuration(config)
    if not hasattr(config, "workerinput"):
        from effactor_interpreters.testing.told import Told

        config.pluginmanager.register(Told(config), "effactor-told")


@pytest.fixture
def sim() -> Simulation:
    """The simulation of one schedule: a test that takes it runs in many.

    A test with this fixture, `def` or `async def`, is a scenario: it is run anew for each
    schedule, and fails if one of them does. All its other fixtures are made once.
    """
    from effactor_interpreters.testing.scenarios import Placeholder

    # The test itself gets a simulation; this is what other fixtures would see.
    placeholder: Any = Placeholder()
    return placeholder  # type: ignore[no-any-return]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a mark that would do nothing."""
    marked = item.get_closest_marker("explore") is not None
    if marked and "sim" not in getattr(item, "fixturenames", ()):
        pytest.fail(
            "pytest.mark.explore is on a test that does not take the fixture sim, so there is "
            "nothing to explore",
            pytrace=False,
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Remember the test before pytest-asyncio wraps it into an event loop."""
    if isinstance(item, pytest.Function):
        item.stash[_FUNCTION] = item.obj


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Explore a test that takes `sim`."""
    if "sim" not in pyfuncitem.funcargs:
        return None
    from effactor_interpreters.testing.scenarios import Placeholder

    if type(pyfuncitem.funcargs["sim"]) is not Placeholder:
        return None  # a fixture of that name that is none of ours
    from effactor_interpreters.testing.exploring import run_test

    function = pyfuncitem.stash.get(_FUNCTION, pyfuncitem.obj)
    try:
        pyfuncitem.stash[_FINDING] = run_test(pyfuncitem, function)
    except BaseException as error:
        pyfuncitem.stash[_FINDING] = getattr(error, "effactor_finding", None)
        raise
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what was found into the report."""
    report = yield
    finding = item.stash.get(_FINDING, None) if call.when == "call" else None
    if finding is not None:
        report.effactor_finding = finding.as_data()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        if finding.story:
            report.sections.append(("effactor", finding.story))
    return report
