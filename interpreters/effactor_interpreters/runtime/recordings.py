"""What a running system did, as a value to keep and to compare with the simulator.

A recording listens to the system's events; a system that nobody records pays nothing. It
holds texts and no objects, so it can be written to a file in production and read elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from typing_extensions import override

from effactor import events
from effactor.traces.canonical import canonical

if TYPE_CHECKING:
    from types import TracebackType

    from effactor_interpreters.runtime.events import Subscription
    from effactor_interpreters.runtime.system import ActorSystem

FORMAT: Final = 1

_KINDS: Final[dict[type[events.Event], str]] = {
    events.Delivered: "delivered",
    events.Replied: "replied",
    events.HandlerFailed: "failed",
    events.Dropped: "dropped",
    events.Started: "started",
    events.SpawnFailed: "spawn failed",
    events.Restarted: "restarted",
    events.Stopped: "stopped",
    events.DeadLetter: "dead letter",
}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened to an actor.

    Attributes:
        kind: What, such as `delivered` or `replied`.
        target: Path of the actor, from its system on.
        sender: Path of the actor or run that sent the message; empty for code outside of
            both, and where there is none.
        message: The message, in canonical text; empty where there is none.
        outcome: The reply, in canonical text, or the class of the error.
        at: When, in seconds since the recording began.
    """

    kind: str
    target: str
    sender: str = ""
    message: str = ""
    outcome: str = ""
    at: float = 0.0

    @override
    def __str__(self) -> str:
        parts = [f"{self.target}: {self.kind}"]
        parts += [self.message] if self.message else []
        parts += [f"from {self.sender}"] if self.sender else []
        parts += [f"-> {self.outcome}"] if self.outcome else []
        return " ".join(parts)


class LiveRecording:
    """What happened in a system while it was recorded. Also a context manager, which ends it.

    Attributes:
        occurrences: What happened, in order.
    """

    def __init__(self, occurrences: list[Occurrence] | None = None) -> None:
        """Begin with what is known already."""
        self.occurrences: list[Occurrence] = list(occurrences or ())
        self._subscription: Subscription | None = None
        self._began = 0.0

    def listen(self, system: ActorSystem) -> None:
        """Record what happens in a system from now on."""
        self._began = system.loop.time()
        self._subscription = system.events.subscribe(self._heard, *_KINDS)

    def _heard(self, event: Any) -> None:
        kind, at = _KINDS[type(event)], event.at - self._began
        error = getattr(event, "error", None)
        outcome = "" if error is None else type(error).__qualname__
        if isinstance(event, events.Replied):
            outcome = canonical(event.reply)
        sender = getattr(event, "sender", None) or ""
        # Now, and not later: a message may be changed by whoever has it.
        has_message = isinstance(event, events.MessageEvent | events.DeadLetter)
        message = canonical(event.message) if has_message else ""
        self.occurrences.append(Occurrence(kind, event.target, sender, message, outcome, at))

    def end(self) -> None:
        """Record no more. Ending twice does nothing."""
        if self._subscription is not None:
            self._subscription.cancel()

    def __enter__(self) -> Self:
        """Return the recording."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.end()

    def __len__(self) -> int:
        """Count what happened."""
        return len(self.occurrences)

    @override
    def __repr__(self) -> str:
        return f"<LiveRecording of {len(self)} occurrences>"

    def to_json(self) -> str:
        """Write the recording as text.

        Returns:
            What `from_json` reads.
        """
        return json.dumps({"format": FORMAT, "occurrences": [asdict(o) for o in self.occurrences]})

    @classmethod
    def from_json(cls, text: str) -> LiveRecording:
        """Read a recording.

        Args:
            text: What `to_json` wrote.

        Returns:
            An equal recording.

        Raises:
            ValueError: If it is no recording, or one of a later version of effactor.
        """
        try:
            document = json.loads(text)
            version = document["format"]
            found = [Occurrence(**each) for each in document["occurrences"]]
        except (ValueError, TypeError, KeyError) as error:
            msg = f"LiveRecording.from_json: expected the text of to_json, got {text[:60]!r}"
            raise ValueError(msg) from error
        if version != FORMAT:
            msg = f"LiveRecording.from_json: format {version!r} is not {FORMAT}"
            raise ValueError(msg)
        return cls(found)


def record(system: ActorSystem) -> LiveRecording:
    """Record what happens in a system, to compare it with the simulator by `conform`.

    Begin before the first actor is spawned, and end before the system shuts down:
    `with record(system) as recording:`.

    Args:
        system: The system, on its own event loop.

    Returns:
        The recording, which grows until `end`.

    Raises:
        TypeError: If *system* is no `ActorSystem`.
        RuntimeError: In another thread or event loop than the system's.
    """
    if not hasattr(system, "events") or not hasattr(system, "loop"):
        msg = f"record: system must be an ActorSystem, got {system!r}"
        raise TypeError(msg)
    recording = LiveRecording()
    recording.listen(system)
    return recording
