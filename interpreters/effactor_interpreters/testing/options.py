"""How tests are explored: what the command line, marks and the configuration say."""

from __future__ import annotations

import argparse
import difflib
import inspect
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEDULES: Final = 1000
"""Schedules of a test that says nothing else."""

# Also settings in the configuration file, as effactor_schedules and so on.
_SETTINGS: Final = ("schedules", "seed", "strategy", "jobs", "budget")


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.strip().isdecimal() or int(text) < least:
            msg = f"must be a whole number of at least {least}, got {text!r}"
            raise argparse.ArgumentTypeError(msg)
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        msg = f"must be a number of seconds above 0, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return seconds


def _strategy(text: str) -> str:
    from effactor_interpreters.simulation.strategies import strategy_of

    try:
        strategy_of("effactor", text, 0)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("effactor: ")) from None
    return text


_READ: Final[dict[str, Callable[[str], Any]]] = {
    "schedules": _number(1),
    "seed": _number(0),
    "strategy": _strategy,
    "jobs": _number(1),
    "budget": _seconds,
}
_HELP: Final = {
    "schedules": f"schedules to try of each test that takes sim (default: {SCHEDULES})",
    "seed": "seed of the schedules (default: 0); equal seeds try equal schedules",
    "strategy": "which schedules to try (default: portfolio)",
    "jobs": "processes that share the schedules of one test (default: 1)",
    "budget": "seconds of real time after which a test tries no other schedule",
}
_METAVARS: Final = {"budget": "SECONDS", "strategy": "NAME"}


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and the settings of the configuration file.

    Args:
        parser: pytest's parser.
    """
    group = parser.getgroup("effactor", "effactor: tests in the simulator")
    for name in _SETTINGS:
        group.addoption(
            f"--effactor-{name}",
            type=_READ[name],
            default=None,
            metavar=_METAVARS.get(name, "N"),
            help=_HELP[name],
        )
        # As text, because older versions of pytest know no numbers here.
        parser.addini(f"effactor_{name}", _HELP[name], default="")
    group.addoption(
        "--effactor-replay",
        default=None,
        metavar="TOKEN",
        help="run the selected test in the one schedule that this token names",
    )
    group.addoption(
        "--effactor-forget-fixed",
        action="store_true",
        default=False,
        help="drop the kept tokens of tests that pass now, and say which",
    )


def check_configuration(config: pytest.Config) -> None:
    """Read the settings of the configuration file, to refuse them at once if they are wrong.

    Args:
        config: pytest's configuration.

    Raises:
        pytest.UsageError: If one of them is no such value.
    """
    for name in _SETTINGS:
        _configured(config, name)


def _configured(config: pytest.Config, name: str) -> Any:
    text = str(config.getini(f"effactor_{name}"))
    if not text:
        return None
    try:
        return _READ[name](text)
    except argparse.ArgumentTypeError as error:
        msg = f"effactor_{name} in the configuration of pytest: {error}"
        raise pytest.UsageError(msg) from None


def marked(item: pytest.Item) -> dict[str, Any]:
    """Read the arguments of the mark `explore`.

    Args:
        item: The test.

    Returns:
        The arguments, by name; those of the nearest mark win. The test fails if `explore`
        has no such argument.
    """
    from effactor_interpreters.simulation.exploring import explore

    known = [
        name
        for name in inspect.signature(explore).parameters
        if name not in {"scenario", "progress"}
    ]
    arguments: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("explore"))):
        if mark.args:
            msg = (
                "pytest.mark.explore takes arguments by name only, as in "
                f"explore(schedules=2000), got {mark.args[0]!r}"
            )
            raise pytest.UsageError(msg)
        for name in mark.kwargs:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}? " if near else ""
                msg = (
                    f"pytest.mark.explore has no argument {name!r}; {hint}it has {', '.join(known)}"
                )
                pytest.fail(msg, pytrace=False)
        arguments |= mark.kwargs
    return arguments


def settings_of(item: pytest.Item) -> tuple[dict[str, Any], bool]:
    """Say how to explore a test: the command line wins over its mark, that over the file.

    Args:
        item: The test.

    Returns:
        The arguments for `explore`; and whether it is the mark that asks for the number of
        processes.
    """
    mark = marked(item)
    settings: dict[str, Any] = {"schedules": SCHEDULES}
    for name in _SETTINGS:
        configured = _configured(item.config, name)
        if configured is not None:
            settings[name] = configured
    settings |= mark
    for name in _SETTINGS:
        option = item.config.getoption(f"effactor_{name}")
        if option is not None:
            settings[name] = option
    jobs_asked = item.config.getoption("effactor_jobs") is None and "jobs" in mark
    return settings, jobs_asked
