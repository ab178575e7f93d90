"""Faults as options beside the events of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor_interpreters.simulation.events import Event, short

if TYPE_CHECKING:
    from effactor.traces.record import Kind as RecordKind
    from effactor_interpreters.simulation.faults.script import Taken


class FaultEvent(Event):
    """A fault that may happen next.

    Attributes:
        fault: What it is.
        about: The message that it is about, or None.
    """

    __slots__ = ("about", "fault")

    is_fault = True

    def __init__(self, fault: Taken, about: Event | None = None) -> None:
        key = ("fault", fault.kind, fault.target, fault.message, fault.place, fault.at)
        super().__init__(0, 0, (*key, fault.detail), fault.target, fault.target, fault)
        self.fault: Taken = fault
        self.about: Event | None = about

    @property
    @override
    def kind(self) -> RecordKind:
        return "crash" if self.fault.kind == "crash" else "fault"

    @override
    def describe(self) -> str:
        return in_words(self.fault, self.about)


class Spared(Event):
    """In the midst of a step: no fault happens, and the step goes on."""

    __slots__ = ()

    def __init__(self, fault: Taken) -> None:
        key = ("spared", fault.kind, fault.target, fault.at)
        super().__init__(0, 0, key, fault.target, fault.target, None)

    @property
    @override
    def kind(self) -> RecordKind:
        return "fault"

    @override
    def describe(self) -> str:
        return "all went well"


def in_words(fault: Taken, about: Event | None = None) -> str:
    """Say what went wrong.

    Args:
        fault: The fault.
        about: The message that it is about, or None.

    Returns:
        Text such as `fault: payment crashed`.
    """
    return f"fault: {_said(fault, about)}"


def _said(fault: Taken, about: Any) -> str:
    who = short(fault.target)
    what = "a message" if about is None else _message(about)
    match fault.kind:
        case "crash" | "restart":
            said = f"{who} crashed" if fault.kind == "crash" else f"{who} crashed and started anew"
            if fault.place in {"before effect", "after effect"}:
                said += f" {fault.place} {fault.at} of its programs"
            return said
        case "pause":
            return f"{who} paused"
        case "slow":
            return f"{who} became slow"
        case "drop":
            return f"{what} was lost"
        case "duplicate":
            return f"{what} came twice"
        case "delay":
            return f"{what} was held up"
        case "reorder":
            return f"{what} was overtaken by the next"
        case "partition":
            return f"the network was cut: {fault.detail}"
        case "clock":
            skew, drift = fault.detail.split(" ")
            wrong = [f"off by {float(skew):g} s"] if float(skew) else []
            wrong += [f"slow by {float(drift):.0%}"] if float(drift) else []
            return f"the clock of {who} was {' and '.join(wrong)}"
        case "mailbox_full":
            return f"the mailbox of {who} was full"
        case "external":
            how = {"error": "failed", "timeout": "timed out", "maybe": "ran and seemed to time out"}
            return f"call {fault.at} of {fault.target} {how.get(fault.detail, fault.detail)}"
        case "heal":
            return f"healed {fault.detail}"
        case "buggify":
            return f"the site {fault.target!r} was switched on at call {fault.at}"


def _message(about: Any) -> str:
    what = getattr(about, "what", None)
    if what is None:
        return f"the reply of {short(about.source)} to {short(about.target)}"
    return f"{what} from {short(about.source)} to {short(about.target)}"
