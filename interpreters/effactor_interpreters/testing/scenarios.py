"""A test as a scenario: a function of the simulation that other processes can have too."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


class Placeholder:
    """What the fixture `sim` is until the test runs."""

    def __getattr__(self, name: str) -> Any:
        """Refuse every use."""
        if name.startswith("__"):
            raise AttributeError(name)
        pytest.fail(
            f"sim.{name} was used by a fixture: a fixture is made once for all schedules, and sim "
            "is another one in each; do it in the test, or in a function that the test calls",
            pytrace=False,
        )


class TestScenario:
    """A test as a scenario.

    Args:
        function: The test.
        name: Its name, which tokens remember.
        path: Its file.
        arguments: Its other fixtures and parameters.
    """

    __test__ = False  # no class of tests, whatever its name says

    def __init__(
        self, function: Callable[..., Any], name: str, path: Path, arguments: dict[str, Any]
    ) -> None:
        self.__name__ = name
        self._function: Callable[..., Any] | None = function
        self._path = path
        self._arguments = arguments

    def __call__(self, sim: Any) -> Any:
        """Run the test with this simulation."""
        assert self._function is not None
        return self._function(sim=sim, **self._arguments)

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Remember where the test is, in place of the test."""
        function = self._function
        owner = getattr(function, "__self__", None)
        if getattr(owner, "__dict__", None):
            msg = f"the attributes of its instance ({', '.join(vars(owner))}) are there only here"
            raise TypeError(msg)
        place = (inspect.unwrap(function).__module__, function.__qualname__) if function else None
        return {**vars(self), "_function": None, "place": place}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Import the test from its file."""
        module, path = state.pop("place")
        vars(self).update(state)
        found: Any = _module(module, self._path)
        for name in path.split("."):
            found = getattr(found, name)
            if inspect.isclass(found):
                found = found()
        self._function = found


def _module(name: str, path: Path) -> Any:
    """Import a file of tests under the name it has in the process that collected it."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def scenario_of(item: pytest.Function, function: Callable[..., Any]) -> TestScenario:
    """Make the scenario of a test.

    Args:
        item: The test.
        function: Its function.

    Returns:
        The scenario.
    """
    if getattr(function, "is_hypothesis_test", False):
        pytest.fail(
            "sim and @given do not go together, because each would search for itself: take "
            "world=worlds() from effactor.testing in place of sim",
            pytrace=False,
        )
    arguments = {
        parameter.name: item.funcargs[parameter.name]
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.name in item.funcargs
        and parameter.name != "sim"
    }
    for name, value in arguments.items():
        _refuse_live(name, value)
    return TestScenario(function, item.name, item.path, arguments)


def _refuse_live(name: str, value: Any) -> None:
    from effactor_interpreters.runtime.system import ActorSystem

    if any(isinstance(part, ActorSystem) for part in _parts(value)):
        pytest.fail(
            f"the fixture {name!r} brings a live ActorSystem, whose event loop stands still while "
            "a simulation runs; use sim.system, or spawn with sim.spawn in the test",
            pytrace=False,
        )


def _parts(value: Any) -> Iterable[Any]:
    inside: Any = (value,)
    if isinstance(value, dict):
        inside = value.values()  # pyright: ignore[reportUnknownVariableType]
    elif isinstance(value, list | tuple | set | frozenset):
        inside = value  # pyright: ignore[reportUnknownVariableType]
    return inside  # type: ignore[no-any-return]
