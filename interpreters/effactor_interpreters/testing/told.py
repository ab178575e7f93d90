"""What a session tells at its end, and keeps: of all its processes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from effactor_interpreters.testing.finding import finding_of
from effactor_interpreters.testing.regressions import change

if TYPE_CHECKING:
    from effactor_interpreters.testing.finding import Finding


class Told:
    """Collects the findings that reports carry.

    Only the process that talks to the user has one: the workers of pytest-xdist send their
    reports there, so it alone writes files.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._hits: dict[str, int] = {}
        self._notes: list[str] = []
        self._never: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test has found."""
        data: Any = getattr(report, "effactor_finding", None)
        if data is None:
            return
        finding = finding_of(data)
        self._notes += finding.notes
        if report.passed:
            for name, count in finding.hits.items():
                self._hits[name] = self._hits.get(name, 0) + count
        self._keep(report, finding)

    def _keep(self, report: pytest.TestReport, finding: Finding) -> None:
        if not finding.failed and not finding.fixed:
            return
        test_file = self._config.rootpath / report.nodeid.partition("::")[0]
        forget = self._config.getoption("effactor_forget_fixed")
        drop = finding.fixed if forget else []
        try:
            change(test_file, add=finding.failed, drop=drop)
        except OSError as error:
            self._notes.append(f"{report.nodeid}: its tokens cannot be kept: {error}")
            return
        self._notes += [f"{entry.test}: dropped the token {entry.token}" for entry in drop]
        if finding.fixed and not forget:
            self._notes.append("drop such tokens with: pytest --effactor-forget-fixed")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a session in which something never happened that should sometimes."""
        stopped = session.shouldstop or session.shouldfail
        self._never = [] if stopped else [name for name, count in self._hits.items() if not count]
        if self._never and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            for name in self._never:
                reporter.stats.setdefault("error", []).append(_never(name))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the notes."""
        if self._notes:
            terminalreporter.section("effactor", yellow=True)
            for note in dict.fromkeys(self._notes):
                terminalreporter.write_line(note, yellow=True)


def _never(name: str) -> pytest.TestReport:
    said = (
        f"{name!r} should happen sometimes, and did not in any schedule of this session: the "
        "tests do not test what they were meant to, or not with this many schedules"
    )
    return pytest.TestReport(
        nodeid=f"effactor: never {name!r}",
        location=("", None, f"the session: never {name!r}"),
        keywords={},
        outcome="failed",
        longrepr=said,
        when="teardown",
    )
