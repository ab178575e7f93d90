"""What may happen next in a simulated world: one object an option.

Each event knows its cause, the step in which it came about. The default order is
causal chain first: what the latest step caused, before older events.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

from typing_extensions import override

from effactor.traces.wording import brief
from effactor_interpreters.runtime.controls import START, Control, Question, StopRequest
from effactor_interpreters.runtime.letters import Letter
from effactor_interpreters.runtime.states import IDLE
from effactor_interpreters.runtime.stopping import request_stop
from effactor_interpreters.runtime.waits import handler_failed, redirect, time_limit_of
from effactor_interpreters.runtime.watching import DeathNotice

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.traces.record import Kind
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.equipment import Equipped
    from effactor_interpreters.runtime.runs import Run
    from effactor_interpreters.simulation.timers import VirtualTimer
    from effactor_interpreters.simulation.world import SimulatedWorld


Key: TypeAlias = tuple[Any, ...]
Place: TypeAlias = tuple[int, int, Key]
"""In which step an event came about, the how many-th of its run it is, and its identity."""


class Event:
    """Something that may happen next.

    Attributes:
        order: Sorts events into the default order.
        key: Its identity, the same in every run that comes to it: who caused it, in which of its
            fibers, and the how many-th effect of that fiber it is.
        source: Path of whoever caused it.
        target: Path of whoever it happens to.
        subject: The message, reply or the like.
        is_fault: Whether it is something that goes wrong.
    """

    __slots__ = ("key", "order", "source", "subject", "target")

    is_fault: bool = False

    def __init__(
        self, step: int, seq: int, key: Key, source: str, target: str, subject: Any
    ) -> None:
        self.order: tuple[int, int] = (-step, seq)
        self.key: Key = key
        self.source: str = source
        self.target: str = target
        self.subject: Any = subject

    @property
    def kind(self) -> Kind:
        """What happens, as the trace has it."""
        raise NotImplementedError

    @property
    def noted(self) -> Any:
        """The subject, as the trace has it."""
        return self.subject

    def happen(self, world: SimulatedWorld) -> None:
        """Let it happen."""
        raise NotImplementedError

    def describe(self) -> str:
        """Say it in words.

        Returns:
            Text such as `inventory received Look('tea') from checkout#1`.
        """
        raise NotImplementedError


class Delivery(Event):
    """A message arrives at its actor.

    Attributes:
        cell: The actor.
        item: The message as it travels: bare, in a letter, or a control.
        reply: Where its reply goes; None for a tell.
        urgent: Whether it overtakes other messages, and the handler that runs.
    """

    __slots__ = ("cell", "item", "reply", "urgent")

    def __init__(
        self,
        step: int,
        seq: int,
        key: Key,
        source: str,
        cell: Cell,
        message: Any,
        reply: Any,
        *,
        urgent: bool,
    ) -> None:
        super().__init__(step, seq, key, source, cell.ref.path, _inside(message))
        self.cell: Cell = cell
        self.item: Any = message
        self.reply: Any = reply
        self.urgent: bool = urgent

    @property
    @override
    def kind(self) -> Kind:
        if isinstance(self.subject, StopRequest):
            return "stop"
        if self.subject is START:
            return "start"
        return "tell" if self.reply is None else "ask"

    @property
    @override
    def noted(self) -> Any:
        if isinstance(self.subject, StopRequest):
            return self.subject.mode
        if self.subject is START:
            return None
        return self.subject.about if isinstance(self.subject, Control) else self.subject

    @property
    def letter(self) -> Letter | None:
        """The letter in which the message travels, if it does."""
        return self.item if type(self.item) is Letter else None

    def withdrawn(self) -> bool:
        """Tell whether the asker, or watcher, has given up: then it is never handled."""
        if isinstance(self.subject, DeathNotice):
            return not self.subject.is_wanted
        if self.reply is None or isinstance(self.subject, Control):
            return False  # a letter's subject is its message
        return bool(self.reply.done())

    def enabled(self) -> bool:
        """Tell whether the actor can take it now: one message at a time."""
        cell = self.cell
        if self.urgent or not cell.is_alive:
            return True
        crew = cell.leads
        if crew is not None and type(self.item) is Letter and not crew.free:
            return False
        return cell.state == IDLE and (not cell.starting or self.subject is START)

    @override
    def happen(self, world: SimulatedWorld) -> None:
        cell, item = self.cell, self.item
        if self.urgent:
            request_stop(cell, item)
            return
        if self.reply is not None:
            item = Question((item, self.reply))
        if not cell.is_alive:
            cell.refuse(item)
        else:
            cell.process(deque((item,)))

    @override
    def describe(self) -> str:
        return f"{short(self.target)} received {self.what} from {short(self.source)}"

    @property
    def what(self) -> str:
        """The message in words."""
        about = self.subject.about if isinstance(self.subject, Control) else self.subject
        return repr(about) if isinstance(about, Control) else brief(about)


class Unstashed(Delivery):
    """A message that its actor had set aside is taken up again, before other mail."""

    __slots__ = ()

    @property
    @override
    def kind(self) -> Kind:
        return "unstashed"

    @override
    def describe(self) -> str:
        return f"{short(self.target)} took up {self.what} again"


class Taking(Delivery):
    """An actor whose messages wait in an inbox of its own takes the next one.

    Attributes:
        take: Takes it out.
    """

    __slots__ = ("_taken",)

    def __init__(self, cell: Equipped, letter: Letter | None) -> None:
        place: Place | None = None if letter is None else letter.place
        step, seq, key = place or (0, 0, (cell.ref.path, "take"))
        source = cell.ref.path if letter is None else letter.source or cell.ref.path
        reply = None if letter is None else letter.reply
        super().__init__(step, seq, key, source, cell, letter, reply, urgent=False)
        self._taken: Any = None

    def take(self) -> None:
        """Take the message out of the inbox."""
        cell: Any = self.cell
        if self.item is None:
            self._taken = cell.door.popleft()
            asked = type(self._taken) is Question
            message = self._taken[0] if asked else self._taken
            self.reply: Any = self._taken[1] if asked else None
            self.subject: Any = _inside(message)
        else:
            self._taken = cell.door.take(self.item)

    @property
    @override
    def letter(self) -> Letter | None:
        taken = self._taken[0] if type(self._taken) is Question else self._taken
        return taken if type(taken) is Letter else None

    @override
    def happen(self, world: SimulatedWorld) -> None:
        self.cell.process(deque((self._taken,)))


def takings(cell: Equipped) -> list[Taking] | None:
    """List what an actor may take from its inbox next.

    Messages of one sender stay in order, as the inbox has them; between senders there
    is no order, but for that of priorities. An inbox that is not of this package has its own.

    Args:
        cell: The actor.

    Returns:
        The events; None if there is nothing to take.
    """
    door = cell.door
    if door is None or not (door.waiting or door):
        return None
    if not cell.can_take or cell.starting or not cell.is_alive:
        return []
    candidates = getattr(door.inbox, "candidates", None)
    if candidates is None or not door.waiting:
        return [Taking(cell, None)]
    first: dict[str, Taking] = {}
    for letter in candidates():
        if letter.source not in first and not (letter.reply is not None and letter.reply.done()):
            first[letter.source] = Taking(cell, letter)
    return list(first.values()) or [Taking(cell, None)]


def _inside(message: Any) -> Any:
    """Take a message out of its letter, if it is in one."""
    return message.message if type(message) is Letter else message


class Return(Event):
    """A reply arrives at its asker.

    Attributes:
        reply: The asker's own reply object.
        outcome: `result`, `failure` (the handler raised) or `refusal`.
    """

    __slots__ = ("outcome", "reply")

    def __init__(
        self,
        step: int,
        seq: int,
        key: Key,
        source: str,
        target: str,
        subject: Any,
        reply: Any,
        outcome: str,
    ) -> None:
        super().__init__(step, seq, key, source, target, subject)
        self.reply: Any = reply
        self.outcome: str = outcome

    @property
    @override
    def kind(self) -> Kind:
        return "reply" if self.outcome == "result" else "failure"

    @override
    def happen(self, world: SimulatedWorld) -> None:
        reply = self.reply
        if self.outcome == "result":
            reply.set_result(self.subject)
        elif self.outcome == "failure":
            handler_failed(reply, self.subject)
        else:
            reply.set_exception(self.subject)

    @override
    def describe(self) -> str:
        what = "the reply" if self.outcome == "result" else "the failure"
        subject = brief(self.subject)
        return f"{short(self.target)} received {what} {subject} from {short(self.source)}"


class Beginning(Event):
    """A program begins.

    Attributes:
        begin: Runs its first step.
    """

    __slots__ = ("begin",)

    def __init__(self, seq: int, run: Run, begin: Callable[[], object]) -> None:
        super().__init__(0, seq, (run.path, "begin"), run.path, run.path, None)
        self.begin: Callable[[], object] = begin

    @property
    @override
    def kind(self) -> Kind:
        return "begin"

    @override
    def happen(self, world: SimulatedWorld) -> None:
        self.begin()

    @override
    def describe(self) -> str:
        return f"{short(self.target)} began"


class Firing(Event):
    """A timer fires.

    Attributes:
        timer: The timer.
    """

    __slots__ = ("timer",)

    def __init__(self, timer: VirtualTimer) -> None:
        source = timer.source
        super().__init__(timer.step, timer.seq, timer.key, source, source, timer.what)
        self.timer: VirtualTimer = timer

    @property
    @override
    def kind(self) -> Kind:
        return "timer"

    @override
    def happen(self, world: SimulatedWorld) -> None:
        timer = self.timer
        timer.cancel()
        world.nanoseconds = max(world.nanoseconds, timer.when)
        timer.callback()

    @override
    def describe(self) -> str:
        return f"the {self.timer.what} of {short(self.timer.source)} fired"


class Returning:
    """Stands in for an asker's reply on the actor's side: settling it sends a `Return`."""

    __slots__ = ("_reply", "_source", "_world", "asker", "sent")

    def __init__(self, world: SimulatedWorld, reply: Any, source: str, asker: str) -> None:
        self._world = world
        self._reply = reply
        self._source = source
        self.asker: str = asker
        self.sent: bool = False

    @property
    def asked(self) -> Any:
        """The asker's own reply object."""
        return self._reply

    @property
    def time_limit(self) -> float | None:
        """When the asker's deadline is over."""
        return time_limit_of(self._reply)

    @property
    def is_settled(self) -> bool:
        """Whether the asker has its outcome, or has given up."""
        return bool(self._reply.done())

    def done(self) -> bool:
        """Tell whether it is settled, or the asker has given up."""
        return self.sent or self._reply.done()

    def set_result(self, value: Any) -> None:
        """Send a reply."""
        self._send("result", value)

    def set_exception(self, error: BaseException) -> None:
        """Send the reason why there is none."""
        self._send("refusal", error)

    def handler_failed(self, error: BaseException) -> None:
        """Send what the handler raised."""
        self._send("failure", error)

    def redirect(self, target: Cell) -> None:
        """Learn that another actor will settle it."""
        redirect(self._reply, target)

    def cancel(self, msg: Any = None) -> bool:
        """Give up on behalf of the asker."""
        return bool(self._reply.cancel(msg))

    def _send(self, outcome: str, subject: Any) -> None:
        self.sent = True
        self._world.send_back(self._source, self.asker, subject, self._reply, outcome)


def short(path: str) -> str:
    """Write a path as people say it: without the first slash."""
    return path.removeprefix("/")
