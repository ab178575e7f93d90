"""Tell a failure in one screen: the finding, the deviations in words, a diagram."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from effactor.errors import Violation
from effactor_interpreters.simulation.boundary import is_machinery
from effactor_interpreters.simulation.diagram import sequence
from effactor_interpreters.simulation.events import Delivery, Firing, short

if TYPE_CHECKING:
    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.exploring import Failure

_DEVIATIONS: Final = 8
_ERROR_LINES: Final = 8
_HINT: Final = (
    "  A timer fired while messages were under way: they were slower than the timeout.",
    '  If no message can be that slow, explore with time="latency".',
)


def in_words(_step: int, event: Event, default: Event) -> str:
    """Say how one choice differed from the default order.

    Args:
        event: What happened.
        default: What would have happened in the default order.

    Returns:
        Text such as `inventory received Look('tea') from checkout#2 before
        Take('tea') from checkout#1`.
    """
    if isinstance(event, Firing):
        return f"{event.describe()} before {default.describe()}: the timer beat a message"
    same = event.target == default.target
    if same and isinstance(event, Delivery) and isinstance(default, Delivery):
        return f"{event.describe()} before {default.what} from {short(default.source)}"
    return f"{event.describe()} before {default.describe()}"


def place(error: BaseException) -> str:
    """Say in which line of the user's code an exception was raised.

    Args:
        error: The exception.

    Returns:
        File, line and its text; empty if no line of the user's had a part in it.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not is_machinery(frame.filename):
            return f"{Path(frame.filename).name}:{frame.lineno}: {frame.line}"
    return ""


def explain(failure: Failure) -> str:
    """Tell a failure in one screen.

    Args:
        failure: The failure.

    Returns:
        The text.
    """
    error = failure.error
    said = f"{type(error).__name__}: {error}".rstrip(": ").splitlines()
    lines = [*said[:_ERROR_LINES], *(["..."] if len(said) > _ERROR_LINES else []), ""]
    if isinstance(error, Violation) and error.kind == "sometimes":
        plural = "" if failure.schedule == 1 else "s"
        runs = f"{failure.schedule:,} schedule{plural} ({failure.strategy}, seed {failure.seed})"
        return "\n".join([*lines, f"  none of {runs} did it"])
    found = "replayed from its token"
    if failure.schedule:
        found = f"found by schedule {failure.schedule:,} of {failure.schedules:,}"
        found += f" ({failure.strategy}, seed {failure.seed})"
    count = len(failure.deviations)
    if count:
        shrunk = "; shrunk to" if failure.schedule else ":"
        lines.append(f"  {found}{shrunk} {_counted(failure)}:")
        lines += [f"    {text}" for text in failure.deviations[:_DEVIATIONS]]
        if count > _DEVIATIONS:
            lines.append(f"    ... and {count - _DEVIATIONS} more")
        if failure.timer_overtook:
            lines += ["", *_HINT]
    else:
        lines.append(f"  {found}; it fails in the default order already")
    lines.append("")
    marks = dict.fromkeys(failure.steps, "<- here it leaves the default order")
    marks |= dict.fromkeys(failure.fault_steps, "<- fault")
    lines += [f"    {line}".rstrip() for line in sequence(failure.trace, marks, str(error))]
    where = "" if isinstance(error, Violation) else place(error)
    lines += ["", *([f"  raised:  {where}"] if where else [])]
    lines += [f'  replay:  replay({failure.scenario}, "{failure.token}")']
    return "\n".join(lines)


def _counted(failure: Failure) -> str:
    """Say how many faults and deviations there are."""
    faults = len(failure.faults)
    deviations = len(failure.deviations) - faults
    said: list[str] = []
    if faults:
        said.append(f"{faults} {'fault' if faults == 1 else 'faults'}")
    if deviations:
        plural = "deviation" if deviations == 1 else "deviations"
        said.append(f"{deviations} {plural} from the default order")
    return " and ".join(said)
