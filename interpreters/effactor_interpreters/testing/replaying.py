"""Run kept tokens again, as far as they still fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from effactor_interpreters.simulation.boundary import guarded
from effactor_interpreters.simulation.runs import MAX_STEPS, Run, run_once, scenario_name
from effactor_interpreters.simulation.tape import Following
from effactor_interpreters.simulation.token import decode

if TYPE_CHECKING:
    from effactor_interpreters.simulation.token import TimeMode
    from effactor_interpreters.testing.scenarios import TestScenario


class Again(NamedTuple):
    """A token's schedule, run again.

    Attributes:
        run: The run.
        lost: How many of its deviations found no place.
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
    deviations = recording.deviations
    with guarded():
        run = run_once(
            scenario,
            Following(deviations, strict=False),
            seed=recording.seed,
            time=recording.time,
            max_steps=settings.get("max_steps", MAX_STEPS),
        )
    taken = run.tape_deviations
    lost = sum(taken.get(position) != index for position, index in deviations.items())
    return Again(run, lost, len(deviations), recording.time)
