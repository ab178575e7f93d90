"""Run kept tokens again, as far as they still fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from effactor_interpreters.simulation.runs import MAX_STEPS, Run, replay, scenario_name
from effactor_interpreters.simulation.token import decode

if TYPE_CHECKING:
    from effactor_interpreters.simulation.token import TimeMode
    from effactor_interpreters.testing.scenarios import TestScenario


class Again(NamedTuple):
    """A token's schedule, run again.

    Attributes:
        run: The run.
        lost: How many of its deviations and faults found no place.
        of: How many it has.
        time: When timers may fire in it.
    """

    run: Run[Any]
    lost: int
    of: int
    time: TimeMode


def guided(scenario: TestScenario, token: str, settings: dict[str, Any]) -> Again:
    """Run a scenario as a token says, with the default order where it does not fit.

    Args:
        scenario: The scenario.
        token: The token.
        settings: How the test is explored.

    Returns:
        What became of it.

    Raises:
        BadToken: If the token cannot be read, or belongs to another scenario.
    """
    recording = decode(token, scenario_name(scenario))
    run = replay(scenario, token, mode="guided", max_steps=settings.get("max_steps", MAX_STEPS))
    count = len(recording.script.deviations) + len(recording.script.faults)
    return Again(run, run.misaligned, count, recording.time)
