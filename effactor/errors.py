"""Every error that effactor raises on purpose.

The tree::

    * EffactorError
      - AskFailed: an ask ended without a reply
        + AskTimeout
        + ActorStopped
        + HandlerFailed
        + Unhandled
        + MailboxFull
        + MessageDropped
        + AskCancelled
        + AskLost
      - Failed: a failure that is no exception, raised where Python needs one
      - Timeout: a program did not end in time
      - BranchesFailed: too many programs that ran at once have failed
      - FiberInterrupted: a fork was joined that had been interrupted
      - ActorNotFound
        + UnknownActors: states were to be loaded for actors that do not live
      - NameTaken
      - UnboundRef
      - UnhandledEffect
      - NoInterpreter: an operation met an interpreter that cannot perform it
      - NonDeterminism
      - NotConforming: a live system did what the simulator does not
      - EscapedEffect
      - Deadlock
      - Livelock
      - BadToken
      - MissingAnswer
      - Violation
      - Undecided: a check of a history gave up, and was asked for its verdict

Errors keep their facts as attributes; `args` are the constructor's arguments, so
each of them survives pickling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, Self

from typing_extensions import TypeVar, override

if TYPE_CHECKING:
    from collections.abc import Mapping

E_co = TypeVar("E_co", covariant=True)


class EffactorError(Exception):
    """Base of every error that effactor raises on purpose."""


class AskFailed(EffactorError):
    """An ask ended without a reply. Every `free_ask` may fail with it."""


class AskTimeout(AskFailed):
    """No reply came within the timeout of the ask.

    The handler may still be running, or may never start: a timed-out ask that
    is still in the mailbox is taken out of it.

    Attributes:
        target: Path of the actor asked.
        message: The message.
        timeout: The timeout, in seconds.
    """

    def __init__(self, target: str, message: object, timeout: float) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(target, message, timeout)
        self.target = target
        self.message = message
        self.timeout = timeout

    @override
    def __str__(self) -> str:
        return f"{self.target} did not reply to {self.message!r} within {self.timeout:g} s"


class ActorStopped(AskFailed):
    """The actor had stopped, or stopped before it replied.

    Attributes:
        target: Path of the actor.
        message: The message that was not answered, or None.
        reason: Why and when the actor stopped, in words.
        delivered: Whether the handler had already begun with the message.
    """

    def __init__(
        self, target: str, message: object = None, reason: str = "", *, delivered: bool = False
    ) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(target, message, reason)
        self.target = target
        self.message = message
        self.reason = reason
        self.delivered = delivered

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_stopped, (self.target, self.message, self.reason, self.delivered)

    @override
    def __str__(self) -> str:
        why = f" {self.reason}" if self.reason else " has stopped"
        if self.message is None:
            return f"{self.target}{why}"
        fate = "was being handled" if self.delivered else "was not delivered"
        return f"{self.target}{why}; the message {self.message!r} {fate}"


def _rebuild_stopped(target: str, message: object, reason: str, delivered: bool) -> ActorStopped:  # noqa: FBT001
    return ActorStopped(target, message, reason, delivered=delivered)


class HandlerFailed(AskFailed):
    """The handler raised an exception that its message does not declare.

    Supervision dealt with the actor; the exception itself is `cause`.

    Attributes:
        target: Path of the actor.
        message: The message it was handling.
        cause: The exception.
    """

    def __init__(self, target: str, message: object, cause: BaseException) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(target, message, cause)
        self.target = target
        self.message = message
        self.cause = cause
        self.__cause__: BaseException | None = cause

    @override
    def __str__(self) -> str:
        cause = self.cause
        raised = f"raised {type(cause).__name__}: {cause}"
        return f"{self.target} {raised} while handling {self.message!r}"


class Unhandled(AskFailed):
    """The actor has no handler for the message.

    Attributes:
        target: Path of the actor.
        message: The message.
        handled: Names of the message types that the actor handles.
    """

    def __init__(self, target: str, message: object, handled: tuple[str, ...] = ()) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(target, message, handled)
        self.target = target
        self.message = message
        self.handled = handled

    @override
    def __str__(self) -> str:
        known = f"it handles {', '.join(self.handled)}" if self.handled else "it handles nothing"
        if isinstance(self.message, type):
            known += f" (the message is a class: send an instance, {self.message.__name__}(...))"
        return f"{self.target} has no handler for {type(self.message).__name__}; {known}"


class MailboxFull(AskFailed):
    """The mailbox rejects messages when it is full, and it was.

    Attributes:
        target: Path of the actor.
        message: The message.
        capacity: The mailbox's capacity, in messages.
    """

    def __init__(self, target: str, message: object, capacity: int) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(target, message, capacity)
        self.target = target
        self.message = message
        self.capacity = capacity

    @override
    def __str__(self) -> str:
        full = f"is full ({self.capacity} message{'' if self.capacity == 1 else 's'})"
        return f"the mailbox of {self.target} {full}; {self.message!r} was rejected"


class MessageDropped(AskFailed):
    """A mailbox policy or a middleware dropped the message.

    Attributes:
        target: Path of the actor.
        message: The message.
        reason: Who dropped it, in words.
    """

    def __init__(self, target: str, message: object, reason: str = "") -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(target, message, reason)
        self.target = target
        self.message = message
        self.reason = reason

    @override
    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"{self.message!r} to {self.target} was dropped{why}"


class AskCancelled(AskFailed):
    """The token under which the message was asked was cancelled, or whoever took its replies.

    Attributes:
        target: Path of the actor.
        message: The message. Its handler has not begun, or was cancelled.
        reason: Why, in the words of whoever cancelled the token.
    """

    def __init__(self, target: str, message: object, reason: str = "") -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(target, message, reason)
        self.target = target
        self.message = message
        self.reason = reason

    @override
    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"asking {self.target} {self.message!r} was cancelled{why}"


class AskLost(AskFailed):
    """The connection to the actor was lost; the message may or may not have been handled.

    Attributes:
        target: Path of the actor.
        message: The message.
    """

    def __init__(self, target: str, message: object) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(target, message)
        self.target = target
        self.message = message

    @override
    def __str__(self) -> str:
        doubt = "it may or may not have been handled"
        return f"lost {self.target} while it had {self.message!r}: {doubt}"


class Failed(EffactorError):
    """A failure that is no exception, where Python needs one to raise.

    Attributes:
        error: The failure, as given to `fail`.
    """

    def __init__(self, error: object) -> None:
        """Keep the failure."""
        super().__init__(error)
        self.error = error

    @override
    def __str__(self) -> str:
        return f"the program failed with {self.error!r}"


class Timeout(EffactorError):
    """A program did not end in time, and was interrupted.

    Attributes:
        seconds: How long it was given.
        program: What it was, in words.
    """

    def __init__(self, seconds: float, program: str) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(seconds, program)
        self.seconds = seconds
        self.program = program

    @override
    def __str__(self) -> str:
        return f"{self.program} did not end within {self.seconds:g} s and was interrupted"


class BranchesFailed(EffactorError, ExceptionGroup[Exception], Generic[E_co]):
    """Too many programs that ran at once have failed: an exception group of their failures.

    A failure that is no exception is in the group as `Failed`, so that `except*` and
    the group's methods work; `failures` has them as they are.

    Attributes:
        needed: How many had to succeed.
        of: How many there were.
        failures: The failures, in the order the programs were written.
    """

    def __new__(cls, needed: int, of: int, failures: tuple[E_co, ...]) -> Self:
        """Make the group."""
        del needed, of  # `__init__` keeps them
        exceptions = [f if isinstance(f, Exception) else Failed(f) for f in failures]
        return super().__new__(cls, "programs failed", exceptions)

    def __init__(self, needed: int, of: int, failures: tuple[E_co, ...]) -> None:
        """Keep the facts; `__str__` words them. The group itself is made by `__new__`."""
        self.needed = needed
        self.of = of
        self.failures: tuple[E_co, ...] = failures

    @override
    def derive(self, excs: Any, /) -> ExceptionGroup[Any]:
        """Make the group of some of them; `split` and `subgroup` call it."""
        if len(excs) == len(self.exceptions):
            return self  # so that what no `except*` matches is still this failure
        return ExceptionGroup(str(self), excs)

    @override
    def __str__(self) -> str:
        said = "; ".join(f"{type(f).__name__}: {f}" for f in self.failures)
        return (
            f"{len(self.failures)} of {self.of} programs failed where "
            f"{self.needed} had to succeed: {said}"
        )

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.needed, self.of, self.failures)


class FiberInterrupted(EffactorError):
    """A fork was joined that had been interrupted: it has no answer.

    Attributes:
        fiber: What the fork ran, in words.
    """

    def __init__(self, fiber: str) -> None:
        """Keep the fact; `__str__` words it."""
        super().__init__(fiber)
        self.fiber = fiber

    @override
    def __str__(self) -> str:
        return (
            f"the fork {self.fiber} was interrupted, so it has no answer to join; "
            "wait() tells how a fork ended"
        )


class ActorNotFound(EffactorError):
    """No actor has this path.

    Attributes:
        path: The path looked up.
        nearest: Existing paths that look like it, best first.
    """

    def __init__(self, path: str, nearest: tuple[str, ...] = ()) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(path, nearest)
        self.path = path
        self.nearest = nearest

    @override
    def __str__(self) -> str:
        hint = f"; did you mean {' or '.join(self.nearest)}?" if self.nearest else ""
        return f"no actor at {self.path!r}{hint}"


class UnknownActors(ActorNotFound):
    """There are states to load for paths at which no actor lives; none was loaded.

    Attributes:
        unknown: Each such path, and the existing ones that look like it, best first.
        path: The first of them.
        nearest: What looks like that one.
    """

    def __init__(self, unknown: Mapping[str, tuple[str, ...]]) -> None:
        """Keep the facts; `__str__` words them. There is at least one path."""
        self.unknown: dict[str, tuple[str, ...]] = dict(unknown)
        super().__init__(*next(iter(self.unknown.items())))

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.unknown,)

    @override
    def __str__(self) -> str:
        each = [
            f"{path!r} (did you mean {' or '.join(nearest)}?)" if nearest else repr(path)
            for path, nearest in self.unknown.items()
        ]
        return (
            f"no actor at {', '.join(each)}, so no state was loaded; spawn the actors first, "
            'or leave them out with unknown="skip"'
        )


class NameTaken(EffactorError):
    """An actor of this name lives already.

    Attributes:
        path: The path in use.
    """

    def __init__(self, path: str) -> None:
        """Keep the path."""
        super().__init__(path)
        self.path = path

    @override
    def __str__(self) -> str:
        return f"{self.path} is alive already: stop and join it first, or spawn under another name"


class UnboundRef(EffactorError):
    """The ref is only an address; it belongs to no system yet.

    Attributes:
        path: The ref's path.
    """

    def __init__(self, path: str) -> None:
        """Keep the path."""
        super().__init__(path)
        self.path = path

    @override
    def __str__(self) -> str:
        return (
            f"ActorRef.at({self.path!r}) belongs to no system: use it in a program "
            f'(free_ask(ref, ...)), or get a bound one with "await system.get_actor({self.path!r})"'
        )


class UnhandledEffect(EffactorError):
    """A program performed an effect for which nothing was installed.

    Attributes:
        effect: The effect.
    """

    def __init__(self, effect: object) -> None:
        """Keep the effect."""
        super().__init__(effect)
        self.effect = effect

    @override
    def __str__(self) -> str:
        advice: Any = getattr(self.effect, "__unhandled__", None)
        return str(advice()) if advice is not None else f"nothing handles {self.effect!r}"


class NoInterpreter(EffactorError):
    """This interpreter cannot perform the operation.

    Attributes:
        operation: The operation, in words.
        interpreter: The interpreter, in words.
    """

    def __init__(self, operation: str, interpreter: str) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(operation, interpreter)
        self.operation = operation
        self.interpreter = interpreter

    @override
    def __str__(self) -> str:
        return (
            f"{self.interpreter} cannot perform {self.operation}: "
            'use "await system.run_free(program)" or simulate(program)'
        )


class NonDeterminism(EffactorError):
    """A replay met something else than what its token recorded, or than the first run met.

    Attributes:
        expected: What the token says, or the first run did, in words.
        found: What the run did instead, in words.
        where: What the two runs of an audit disagree about first; empty for a token.
        likely: What is likely to be the cause, and what to do about it; empty if unknown.
    """

    def __init__(self, expected: str, found: str, where: str = "", likely: str = "") -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(expected, found, where, likely)
        self.expected = expected
        self.found = found
        self.where = where
        self.likely = likely

    @override
    def __str__(self) -> str:
        if not self.where:
            return f"the replay left its token: expected {self.expected}, found {self.found}"
        text = f"two runs of one schedule differ at {self.where}: "
        text += f"first {self.expected}, then {self.found}"
        return f"{text}\nlikely cause: {self.likely}" if self.likely else text


class NotConforming(EffactorError):
    """A live system did something that its scenario does not come to in the simulator.

    Attributes:
        occurrence: What happened live, in words.
        number: Its number in the recording, from 1.
        found: What the simulator has instead, in words.
        attempts: Runs that were tried.
        complete: Whether these were all; if not, more attempts may find it.
    """

    def __init__(
        self,
        occurrence: str,
        number: int,
        found: str,
        attempts: int = 1,
        complete: bool = True,  # noqa: FBT001, FBT002
    ) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(occurrence, number, found, attempts, complete)
        self.occurrence = occurrence
        self.number = number
        self.found = found
        self.attempts = attempts
        self.complete = complete

    @override
    def __str__(self) -> str:
        text = f"the simulator does not come to occurrence {self.number}, {self.occurrence!r}; "
        text += self.found
        if self.complete:
            return text
        return f"{text}; {self.attempts} runs were tried, and attempts= allows more"


class EscapedEffect(EffactorError):
    """Code under simulation tried to leave the simulated world.

    Attributes:
        call: What it called, such as `socket.connect`.
        site: File and line of the call.
        advice: What to do instead.
    """

    def __init__(self, call: str, site: str, advice: str = "") -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(call, site, advice)
        self.call = call
        self.site = site
        self.advice = advice

    @override
    def __str__(self) -> str:
        advice = self.advice or "wrap it in free_call and give sim.answer(...)"
        return f"{self.call} at {self.site} leaves the simulation; {advice}"


class Deadlock(EffactorError):
    """Some actors or runs wait for each other, or for something that can never come.

    Attributes:
        waiting: One sentence for each participant, such as `/a waits for /b (Ping)`.
        cycle: Whether the participants wait for each other in a circle.
    """

    def __init__(self, waiting: tuple[str, ...], cycle: bool = True) -> None:  # noqa: FBT001, FBT002
        """Keep the facts; `__str__` words them."""
        super().__init__(waiting, cycle)
        self.waiting = waiting
        self.cycle = cycle

    @override
    def __str__(self) -> str:
        advice = (
            "let one of them tell instead of ask, or declare reentrant=True"
            if self.cycle
            else "nothing is left that could wake them"
        )
        return f"{', '.join(self.waiting)}; {advice}"


class Livelock(EffactorError):
    """The run kept stepping without an end in sight.

    Attributes:
        steps: Number of steps after which it was given up.
        busiest: The participants that took most of the last steps, busiest first.
    """

    def __init__(self, steps: int, busiest: tuple[str, ...]) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(steps, busiest)
        self.steps = steps
        self.busiest = busiest

    @override
    def __str__(self) -> str:
        return f"no end after {self.steps} steps; busiest: {', '.join(self.busiest) or 'nobody'}"


class BadToken(EffactorError):
    """The replay token cannot be read, or belongs to another scenario.

    Attributes:
        token: The token.
        reason: What is wrong with it.
    """

    def __init__(self, token: str, reason: str) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(token, reason)
        self.token = token
        self.reason = reason

    @override
    def __str__(self) -> str:
        return f"bad token {self.token!r}: {self.reason}"


class MissingAnswer(EffactorError):
    """The dry run met an operation whose answer it cannot make up.

    Attributes:
        operation: The operation, in words.
        advice: The stub to add.
    """

    def __init__(self, operation: str, advice: str) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(operation, advice)
        self.operation = operation
        self.advice = advice

    @override
    def __str__(self) -> str:
        return f"no answer for {self.operation}: {self.advice}"


class Violation(EffactorError, AssertionError):
    """A property that a scenario demands does not hold.

    Attributes:
        kind: Which of the demands: `always`, `eventually`, `goal`, `sometimes` and so on.
        name: Name of the property.
        step: Number of the step after which it was false.
        detail: More about it, perhaps of several lines; "" if there is no more.
    """

    def __init__(self, kind: str, name: str, step: int, detail: str = "") -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(kind, name, step, detail)
        self.kind = kind
        self.name = name
        self.step = step
        self.detail = detail

    @override
    def __str__(self) -> str:
        wording = _VIOLATIONS.get(self.kind, "{name!r} does not hold after step {step}")
        text = wording.format(name=self.name, step=self.step)
        return f"{text}: {self.detail}" if self.detail else text


_VIOLATIONS: Final = {
    "always": "{name!r} must always hold, and was false after step {step}",
    "eventually": "{name!r} must become true, and was false to the end",
    "leads_to": "{name!r}: what began with step {step} led to nothing",
    "goal": "the goal {name!r} was not reached when everything had settled",
    "sometimes": "{name!r} was never true in any run: the runs do not test it",
    "unreachable": "{name!r} must never be reached, and was in step {step}",
    "no_dead_letters": "messages were left without a taker when everything had settled",
    "no_leaks": "actors were left when everything had settled",
    "no_failures": "handlers failed, and nobody was told",
    "linearizable": "{name} is not linearizable",
    "serializable": "{name} are not serializable",
}


class Undecided(EffactorError):
    """Whether a history is consistent is not known: the check reached its limit first.

    Attributes:
        operations: How many operations there were.
        limit: How many configurations the check could explore.
    """

    def __init__(self, operations: int, limit: int) -> None:
        """Keep the facts; `__str__` words them."""
        super().__init__(operations, limit)
        self.operations = operations
        self.limit = limit

    @override
    def __str__(self) -> str:
        return (
            f"the check of {self.operations} operations gave up at limit={self.limit}, so its "
            "verdict is neither true nor false: compare report.verdict, give a larger limit, "
            "a partition, or a shorter history"
        )
