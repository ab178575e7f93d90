"""What each operation means in a dry run: a record, and an answer made up."""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from returns.maybe import Maybe, Nothing, Some

from effactor.actors.message import declared
from effactor.actors.ref import ActorRef
from effactor.coordination.deferred import DeferredGet
from effactor.errors import ActorNotFound, AskFailed, Failed, HandlerFailed, MissingAnswer
from effactor.programs import operations as ops
from effactor.programs.effects import Perform
from effactor.programs.mailbox import Become, Stash, Unbecome, UnstashAll
from effactor.programs.services import is_need
from effactor.programs.streaming import AskStream, CloseReplies, NextReply, Replies
from effactor.programs.structure import is_program
from effactor.programs.timers import CancelTimer, ScheduleOnce, Timer
from effactor.traces.canonical import without_addresses
from effactor.traces.fields import class_of
from effactor.traces.wording import shown
from effactor_interpreters.dry_run.answers import (
    NO_STUB,
    Refused,
    resolve,
    value_of,
)
from effactor_interpreters.dry_run.declarations import (
    actor_name,
    call_answer,
    effect_answer,
    type_name,
)
from effactor_interpreters.dry_run.zeros import EPOCH, NO_ZERO, zero
from effactor_interpreters.runtime.engine.coordination import COORDINATION
from effactor_interpreters.runtime.engine.signals import OperationFailed
from effactor_interpreters.runtime.engine.sleeping import Sleeping
from effactor_interpreters.runtime.engine.synchronous import without_fibers

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.effects import Effect
    from effactor.programs.services import Needs
    from effactor.traces.record import Kind
    from effactor_interpreters.dry_run.answers import Answers
    from effactor_interpreters.dry_run.recorder import Recorder
    from effactor_interpreters.runtime.engine.fiber import Fiber


class _Items:
    """A stream of replies whose items are known."""

    def __init__(self, items: list[Any]) -> None:
        self._items = deque(items)

    def next(self) -> Maybe[Any]:
        """Answer the next item."""
        return Some(self._items.popleft()) if self._items else Nothing

    def close(self) -> None:
        """Forget the rest."""
        self._items.clear()


class Operations:
    """The operations of one dry run."""

    def __init__(self, recorder: Recorder, answers: Answers) -> None:
        """Begin.

        Args:
            recorder: Where they are written down.
            answers: The user's stubs.
        """
        self._recorder = recorder
        self._answers = answers
        self._uuids = 0
        self._numbers: Counter[str] = Counter()

    def table(self) -> dict[type[Any], Callable[[Any, Fiber], Any]]:
        """List the functions by operation.

        Returns:
            The table for the engine.
        """
        coordination = dict.fromkeys(COORDINATION, self.coordinate)
        return {**without_fibers(self._answering()), **coordination, ops.Sleep: self.sleep}

    def _answering(self) -> dict[type[Any], Callable[[Any], Any]]:
        return {
            ops.Ask: self.ask,
            ops.Tell: lambda o: self._plain("tell", o.ref.path, o.message, o),
            ops.Stop: lambda o: self._plain("stop", o.ref.path, o.mode, o),
            ops.Join: lambda o: self._plain("join", o.ref.path, None, o),
            ops.Watch: lambda o: self._plain("watch", o.ref.path, None, o),
            ops.Unwatch: lambda o: self._plain("unwatch", o.ref.path, None, o),
            ops.Log: lambda o: self._plain("log", self._recorder.path, o, o),
            ops.Spawn: self.spawn,
            ops.Lookup: self.lookup,
            ops.Self: self.own_ref,
            ops.Now: self.now,
            ops.Random: self.random,
            ops.Uuid: self.uuid,
            ops.Call: self.call,
            AskStream: self.ask_stream,
            NextReply: lambda o: o.replies.stream.next(),
            CloseReplies: lambda o: o.replies.stream.close(),
            Stash: lambda o: self._plain("stash", self._recorder.path, None, o),
            Become: lambda o: self._plain("become", self._recorder.path, o, o),
            Unbecome: lambda o: self._plain("unbecome", self._recorder.path, None, o),
            UnstashAll: lambda o: self._drawn("unstash", o, 0),
            ScheduleOnce: lambda o: self._plain(
                "schedule", o.ref.path, o, o, Timer(o.delay, o.ref, o.message)
            ),
            CancelTimer: lambda o: self._plain("cancel", self._recorder.path, o, o, answer=True),
        }

    # ------------------------------------------------------------ answered by others

    def ask_stream(self, operation: AskStream[Any, Any]) -> Any:
        """Answer as the actor would, with all items at once."""
        answer = self.ask(ops.Ask(operation.ref, operation.message, operation.time_limit))
        items: list[Any] = answer if isinstance(answer, list) else [answer]  # pyright: ignore[reportUnknownVariableType]
        return Replies[Any, Any](operation.ref, operation.message, _Items(items))

    def ask(self, operation: ops.Ask[Any, Any]) -> Any:
        """Answer as the actor would."""
        path, message = operation.ref.path, operation.message
        self._recorder.begin("ask", path, message)
        cls = class_of(message)
        stub = self._answers.find(operation, message)
        try:
            if stub is NO_STUB:
                # A text or a number is a stub's key itself: its class says too little.
                key = shown(message, 40) if cls.__module__ == "builtins" else cls.__name__
                answer = self._zero(operation.describe(), declared(cls).reply, cls.__name__, key)
            else:
                answer = value_of(resolve(stub, message))
        except Refused as refused:
            error = refused.error
        except Exception as raised:  # whatever the handler would raise
            error = raised.error if type(raised) is Failed else raised
        else:
            return self._replied(path, answer)
        if not isinstance(error, (AskFailed, *declared(cls).failures)):
            cause = error if isinstance(error, BaseException) else Failed(error)
            error = HandlerFailed(path, message, cause)
        self._recorder.outcome("failure", path, error)
        raise OperationFailed(error)

    def call(self, operation: ops.Call[Any]) -> Any:
        """Answer as the function would, without calling it."""
        path, function = self._recorder.path, operation.function
        self._recorder.begin("call", path, operation)
        stub = self._answers.find(operation, function)
        if stub is NO_STUB:
            name = shown(function)
            return self._replied(
                path, self._zero(operation.describe(), call_answer(function), name, name)
            )
        return self._settled(path, lambda: resolve(stub, *operation.args, **operation.kwargs))

    def perform(self, effect: Effect[Any]) -> Any:
        """Answer as the effect's handler would; the engine's `Handle` calls this."""
        path = self._recorder.path
        self._recorder.begin("perform", path, effect)
        stub = self._answers.find(Perform(effect), effect)
        if stub is NO_STUB and is_need(effect):
            return self._missing(effect)
        if stub is NO_STUB:
            name = type(effect).__name__
            answer = self._zero(f"perform {shown(effect)}", effect_answer(effect), name, name)
            return self._replied(path, answer)
        return self._settled(path, lambda: resolve(stub, effect), fails=(), runs=True)

    def _missing(self, need: Needs[Any]) -> Any:
        """Give up: a service is no value that could be made up."""
        name = need.service.__name__
        advice = (
            f"wrap the program in provide({name}, implementation), or give "
            f"dry_run(..., answers={{service({name}): pure(implementation)}})"
        )
        return self._recorder.abandon(MissingAnswer(f"service({name})", advice))

    def _zero(self, operation: str, annotation: Any, name: str, key: str) -> Any:
        answer = zero(annotation)
        if answer is not NO_ZERO:
            return answer
        if annotation is Any:
            why = f"{name} does not declare what it answers"
        else:
            why = f"{name} answers {type_name(annotation)}, which has no zero value"
        advice = f"{why}; give dry_run(..., answers={{{key}: ...}})"
        return self._recorder.abandon(MissingAnswer(without_addresses(operation), advice))

    def _replied(self, path: str, answer: Any) -> Any:
        self._recorder.outcome("reply", path, answer)
        return answer

    def _settled(
        self,
        path: str,
        answering: Callable[[], Any],
        *,
        fails: tuple[type[Any], ...] | None = None,
        runs: bool = False,
    ) -> Any:
        """Record the outcome of a stub.

        Args:
            path: Path of the participant that the operation acted on.
            answering: Asks the stub.
            fails: Exceptions that are failures of the operation; None if it has
                no failures at all.
            runs: Whether a program may make the answer.

        Returns:
            The answer.

        Raises:
            OperationFailed: For a failure.
            Exception: A defect.
        """
        try:
            answer = answering()
            if runs and is_program(answer):
                return answer.map(partial(self._replied, path))
            return self._replied(path, value_of(answer))
        except Refused as refused:
            error = refused.error
            is_failure = fails is not None
        except Exception as raised:  # whatever a stub may raise
            error = raised
            is_failure = fails is not None and isinstance(raised, fails)
        self._recorder.outcome("failure", path, error)
        if is_failure:
            raise OperationFailed(error)
        raise error if isinstance(error, Exception) else Failed(error)

    # ------------------------------------------------------------ answered by the world

    def _plain(
        self, kind: Kind, target: str, subject: Any, operation: Any, answer: Any = None
    ) -> Any:
        """Record an operation and answer *answer*, unless the user has another."""
        stub = self._answers.find(operation)
        self._recorder.begin(kind, target, subject)
        if stub is NO_STUB:
            return answer
        fails = (ActorNotFound,) if kind == "lookup" else None
        return self._settled(target, lambda: resolve(stub, operation), fails=fails)

    def sleep(self, operation: ops.Sleep, fiber: Fiber) -> Any:
        """Wait on the virtual clock, unless the user has another answer."""
        stubbed = self._answers.find(operation) is not NO_STUB
        answer = self._plain("sleep", self._recorder.path, operation.seconds, operation)
        sleeping = Sleeping(fiber, operation.seconds, answer if stubbed else None)
        return fiber.wait(sleeping)

    def coordinate(self, operation: Any, fiber: Fiber) -> Any:
        """Do it with queues and the like of this run, unless the user has another answer."""
        stub = self._answers.find(operation)
        path = self._recorder.path
        self._recorder.begin("coordinate", path, operation)
        if stub is NO_STUB:
            return COORDINATION[type(operation)](operation, fiber)
        fails = () if type(operation) is DeferredGet else None
        return self._settled(path, lambda: resolve(stub, operation), fails=fails)

    def spawn(self, operation: ops.Spawn[Any]) -> Any:
        """Answer the ref that the actor would have; the actor is not even made."""
        name = operation.name
        if name is None:
            kind = actor_name(operation.actor)
            self._numbers[kind] += 1
            name = f"{kind}#{self._numbers[kind]}"
        ref: ActorRef[Any] = ActorRef.at(f"/{name}")
        return self._plain("spawn", ref.path, operation.actor, operation, ref)

    def lookup(self, operation: ops.Lookup[Any, Any]) -> Any:
        """Find whatever is looked for."""
        ref: ActorRef[Any] = ActorRef.at(operation.path)
        return self._plain("lookup", ref.path, operation.path, operation, ref)

    def own_ref(self, operation: ops.Self[Any]) -> Any:
        """Answer the program's own ref."""
        ref: ActorRef[Any] = ActorRef.at(self._recorder.path)
        return self._plain("self", ref.path, None, operation, ref)

    def now(self, operation: ops.Now[Any]) -> Any:
        """Answer the time that sleeping has made it."""
        return self._drawn(
            "now", operation, EPOCH + timedelta(microseconds=self._recorder.nanoseconds // 1000)
        )

    def random(self, operation: ops.Random[Any]) -> Any:
        """Answer the middle."""
        return self._drawn("random", operation, 0.5)

    def uuid(self, operation: ops.Uuid[Any]) -> Any:
        """Answer the next number."""
        self._uuids += 1
        return self._drawn("uuid", operation, UUID(int=self._uuids, version=4))

    def _drawn(self, kind: Kind, operation: Any, answer: Any) -> Any:
        """Record an operation that has no argument, with its answer in that place."""
        stubbed = self._answers.find(operation) is not NO_STUB
        subject = None if stubbed else answer
        return self._plain(kind, self._recorder.path, subject, operation, answer)
