"""Tell a failure in one screen: the finding, the deviations in words, a diagram."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from effactor.errors import NonDeterminism, Violation
from effactor.traces.mermaid import to_mermaid
from effactor.traces.trace import Trace
from effactor.traces.wording import one_line
from effactor_interpreters.simulation.boundary import is_machinery
from effactor_interpreters.simulation.diagram import SHOWN, sequence
from effactor_interpreters.simulation.events import Delivery, Firing, short
from effactor_interpreters.simulation.page import page

if TYPE_CHECKING:
    from effactor.traces.record import Record
    from effactor_interpreters.simulation.events import Event
    from effactor_interpreters.simulation.exploring import Failure

_DEVIATIONS: Final = 8
_ERROR_LINES: Final = 8
_LINE: Final = 400

EARLY: Final = ": the timer beat a message"
"""The end of what is said of a timer that fired before a message that was under way."""


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
        return f"{event.describe()} before {default.describe()}{EARLY}"
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
    said = [*_finding(error).splitlines(), *getattr(error, "__notes__", ())]
    said = [one_line(line, _LINE) for line in said]
    lines = [*said[:_ERROR_LINES], *(["..."] if len(said) > _ERROR_LINES else []), ""]
    if isinstance(error, Violation) and error.kind == "sometimes":
        plural = "" if failure.schedule == 1 else "s"
        runs = f"{failure.schedule:,} schedule{plural} ({failure.strategy}, seed {failure.seed})"
        return "\n".join([*lines, f"  none of {runs} did it"])
    lines.append(f"  {_how(failure)}" + (":" if failure.deviations else ""))
    lines += [f"    {one_line(text, _LINE)}" for text in failure.deviations[:_DEVIATIONS]]
    if len(failure.deviations) > _DEVIATIONS:
        lines.append(f"    ... and {len(failure.deviations) - _DEVIATIONS} more")
    lines += _hint(failure)
    drawn = _slice(failure)
    left_out = sum(record.kind in SHOWN for record in failure.trace)
    left_out -= sum(record.kind in SHOWN for record in drawn)
    lines.append("")
    lines += [
        f"    {line}".rstrip() for line in sequence(Trace(drawn), _marks(failure), str(error))
    ]
    if left_out:
        lines.append(f"    (left out: {left_out} that have no part in it)")
    where = "" if isinstance(error, Violation) else place(error)
    lines += ["", *([f"  raised:  {where}"] if where else [])]
    for title, line in zip(("passes:  if ", "         "), failure.passing, strict=False):
        lines.append(f"  {title}{one_line(line, _LINE)}")
    lines += [f'  replay:  replay({failure.scenario}, "{failure.token}")']
    return "\n".join(lines)


def mermaid_of(failure: Failure) -> str:
    """Draw a failure's causal slice.

    Args:
        failure: The failure.

    Returns:
        The source of a Mermaid sequence diagram.
    """
    return to_mermaid(_slice(failure), _marks(failure))


def page_of(failure: Failure) -> str:
    """Tell a failure on a page.

    Args:
        failure: The failure.

    Returns:
        HTML.
    """
    error = failure.error
    where = "" if isinstance(error, Violation) else place(error)
    facts = [
        ("How it was found", [_how(failure), *getattr(error, "__notes__", ())]),
        ("Deviations from the default order", [*failure.deviations, *_hint(failure)]),
        ("The nearest run that passes", failure.passing),
        ("Where it was raised", [where] if where else []),
        ("Replay it", [f'replay({failure.scenario}, "{failure.token}")']),
    ]
    drawn = _slice(failure)
    return page(_finding(error), facts, drawn, _marks(failure), failure.trace.to_text())


def _finding(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _how(failure: Failure) -> str:
    if not failure.schedule:
        said = _counted(failure)
        return f"replayed from its token: {said or 'it fails in the default order already'}"
    found = f"found by schedule {failure.schedule:,} of {failure.schedules:,}"
    found += f" ({failure.strategy}, seed {failure.seed})"
    if isinstance(failure.error, NonDeterminism) and failure.error.where:
        return f"{found}, which was run twice"
    if not failure.deviations:
        return f"{found}; it fails in the default order already"
    return f"{found}; shrunk to {_counted(failure)}"


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


def _hint(failure: Failure) -> list[str]:
    if any(text.endswith(EARLY) for text in failure.deviations):
        return [
            '    if messages are always quicker than that in yours, explore with time="latency"'
        ]
    return []


def _marks(failure: Failure) -> dict[int, str]:
    marks = dict.fromkeys(failure.steps, "<- here it leaves the default order")
    return marks | dict.fromkeys(failure.fault_steps, "<- fault")


def _slice(failure: Failure) -> tuple[Record, ...]:
    kept = frozenset(failure.relevant)
    return tuple(r for r in failure.trace if not kept or r.step in kept)
