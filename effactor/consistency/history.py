"""Histories: who began which operation when, and how it ended, as clients saw it.

The order of the records is the real-time order: an operation that ended before another
began precedes it. So it holds in the simulator too, where virtual time may stand still.
The four kinds of records are Jepsen's: invoke, ok, fail, info.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import TypeVar, override

from effactor.consistency import recording
from effactor.consistency.outcomes import of_ask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from effactor.actors.message import Query
    from effactor.actors.ref import ActorRef
    from effactor.consistency.outcomes import Outcome
    from effactor.errors import AskFailed
    from effactor.programs.program import Program

A = TypeVar("A")
E = TypeVar("E")
F = TypeVar("F")
M = TypeVar("M")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a history.

    Attributes:
        number: Its place in the history, in order of beginning, from 0.
        client: Who did it, as it is called in reports.
        value: What was asked for, such as `Write(3)` or a message.
        begin: Number of the record of its beginning.
        end: Number of the record of its end; None if it is pending.
        outcome: `"ok"` if it was answered; `"fail"` if it certainly did not take effect;
            `"info"` if nobody knows, also while it is pending.
        result: The answer, if the outcome is `"ok"`; else what is known about the end.
        began_at: When it began, in seconds on the history's clock; None without one.
        ended_at: When it ended, in seconds on the same clock, or None.
    """

    number: int
    client: str
    value: Any
    begin: int
    end: int | None = None
    outcome: Outcome = "info"
    result: Any = None
    began_at: float | None = None
    ended_at: float | None = None

    @override
    def __str__(self) -> str:
        match self.outcome:
            case "ok":
                return f"{self.value!r} -> {self.result!r}"
            case "fail":
                return f"{self.value!r} failed"
            case "info":
                return f"{self.value!r} -> ?"


class History:
    """A recorder of operations. One for each run: a scenario makes it afresh."""

    __slots__ = ("_clock", "_operations", "_records")

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        """Begin empty.

        Args:
            clock: Answers the time in seconds, such as `time.time`, which is virtual in
                the simulator; for records made outside of programs. Times are for
                reports only; None does without. Programs ask `free_now`.

        Raises:
            TypeError: If *clock* is no function.
        """
        if clock is not None and not callable(clock):
            msg = f"History: clock must be a function that answers seconds, got {clock!r}"
            raise TypeError(msg)
        self._clock: Callable[[], float] | None = clock
        self._operations: list[Operation] = []
        self._records: int = 0

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations so far, in order of beginning."""
        return tuple(self._operations)

    def __len__(self) -> int:
        return len(self._operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    # ------------------------------------------------------------ by hand

    def invoke(self, operation: Any, *, client: str = "", at: float | None = None) -> int:
        """Record that an operation begins.

        Args:
            operation: What is asked for.
            client: Who does it, for reports.
            at: When, in seconds; None asks the clock, if there is one.

        Returns:
            Its number, for `ok`, `fail` or `info`. Until then it is pending: it may take
            effect at any time, or never.
        """
        number = len(self._operations)
        began_at = self._now(at)
        self._operations.append(
            Operation(number, client, operation, self._records, began_at=began_at)
        )
        self._records += 1
        return number

    def ok(self, number: int, result: Any = None, *, at: float | None = None) -> None:
        """Record that an operation was answered.

        Args:
            number: From `invoke`.
            result: The answer.
            at: When, in seconds; None asks the clock, if there is one.

        Raises:
            ValueError: If there is no such operation, or it has ended.
        """
        self.end("ok", number, result, at=at)

    def fail(self, number: int, error: object = None, *, at: float | None = None) -> None:
        """Record that an operation certainly did not take effect, and never will.

        Args:
            number: From `invoke`.
            error: What is known about it.
            at: When, in seconds; None asks the clock, if there is one.

        Raises:
            ValueError: If there is no such operation, or it has ended.
        """
        self.end("fail", number, error, at=at)

    def info(self, number: int, error: object = None, *, at: float | None = None) -> None:
        """Record that nobody knows whether an operation took effect, or yet will.

        Args:
            number: From `invoke`.
            error: What is known about it, such as a timeout.
            at: When, in seconds; None asks the clock, if there is one.

        Raises:
            ValueError: If there is no such operation, or it has ended.
        """
        self.end("info", number, error, at=at)

    def end(self, outcome: Outcome, number: int, result: Any, *, at: float | None = None) -> None:
        """Record the end of an operation; `ok`, `fail` and `info` do.

        Args:
            outcome: Which of the three.
            number: From `invoke`.
            result: The answer or the error.
            at: When, in seconds; None asks the clock, if there is one.

        Raises:
            ValueError: If there is no such operation, or it has ended.
        """
        if not 0 <= number < len(self._operations):
            msg = f"history.{outcome}: no operation {number!r}; give the number from invoke"
            raise ValueError(msg)
        operation = self._operations[number]
        if operation.end is not None:
            msg = f"history.{outcome}: operation {number} has ended already: {operation}"
            raise ValueError(msg)
        self._operations[number] = replace(
            operation,
            end=self._records,
            outcome=outcome,
            result=result,
            ended_at=self._now(at),
        )
        self._records += 1

    def _now(self, at: float | None) -> float | None:
        return self._clock() if at is None and self._clock is not None else at

    # ------------------------------------------------------------ as programs

    # A message may declare a reply or not: the overloads overlap, and the first wins.
    @overload
    def free_ask(  # type: ignore[overload-overlap]
        self,
        ref: ActorRef[M],
        message: Query[M, R, E],
        *,
        operation: Any = None,
        client: str | None = None,
        timeout: float | None = None,
        no_effect: tuple[type[Any], ...] = (),
    ) -> Program[R, AskFailed | E]: ...
    @overload
    def free_ask(
        self,
        ref: ActorRef[M],
        message: M,
        *,
        operation: Any = None,
        client: str | None = None,
        timeout: float | None = None,
        no_effect: tuple[type[Any], ...] = (),
    ) -> Program[Any, AskFailed]: ...
    def free_ask(
        self,
        ref: ActorRef[Any],
        message: Any,
        *,
        operation: Any = None,
        client: str | None = None,
        timeout: float | None = None,
        no_effect: tuple[type[Any], ...] = (),
    ) -> Program[Any, Any]:
        """Ask, and record the ask as an operation.

        A reply, also a failure that the message declares, is `ok` with that as its
        result; a message that was certainly not handled is `fail`; all else is `info`.

        Args:
            ref: The actor to ask.
            message: The message.
            operation: What to record, such as `Read()`; None records the message.
            client: Who asks, for reports; None takes the path of whoever runs the program.
            timeout: Seconds to wait for the reply, as for `free_ask`.
            no_effect: Classes of failures after which the message certainly has not taken
                effect.

        Returns:
            A program that answers and fails as `free_ask` does.
        """
        return recording.asking(self, ref, message, operation, client, timeout, no_effect)

    def free_record(
        self,
        operation: Any,
        program: Program[A, E, F],
        *,
        client: str | None = None,
        no_effect: tuple[type[Any], ...] = (),
    ) -> Program[A, E, F]:
        """Run a program, and record it as one operation.

        Its answer is the result. A failure, a defect and an interrupt leave open whether
        it took effect.

        Args:
            operation: What to record.
            program: What carries it out.
            client: Who does it, for reports; None takes the path of whoever runs it.
            no_effect: Classes of failures after which it certainly has not taken effect.

        Returns:
            A program that ends as *program* does.
        """
        return recording.running(self, operation, program, client, no_effect)

    # ------------------------------------------------------------ in async code

    @overload
    async def ask(
        self,
        ref: ActorRef[M],
        message: Query[M, R, Any],
        *,
        operation: Any = None,
        client: str = "",
        timeout: float | None = None,
        no_effect: tuple[type[BaseException], ...] = (),
    ) -> R: ...
    @overload
    async def ask(
        self,
        ref: ActorRef[M],
        message: M,
        *,
        operation: Any = None,
        client: str = "",
        timeout: float | None = None,
        no_effect: tuple[type[BaseException], ...] = (),
    ) -> Any: ...
    async def ask(
        self,
        ref: ActorRef[Any],
        message: Any,
        *,
        operation: Any = None,
        client: str = "",
        timeout: float | None = None,
        no_effect: tuple[type[BaseException], ...] = (),
    ) -> Any:
        """Ask, and record the ask as an operation: `await history.ask(ref, message)`.

        Args:
            ref: The actor to ask.
            message: The message.
            operation: What to record; None records the message.
            client: Who asks, for reports.
            timeout: Seconds to wait for the reply.
            no_effect: Exceptions after which the message certainly has not taken effect.

        Returns:
            The reply. It raises what `ref.ask` raises.
        """
        number = self.invoke(message if operation is None else operation, client=client)
        reply: Any
        try:
            reply = await ref.ask(message, timeout=timeout)
        except BaseException as error:
            sure = isinstance(error, no_effect)
            self.end("fail" if sure else of_ask(error, ref, message), number, error)
            raise
        self.ok(number, reply)
        return reply

    async def record(
        self,
        operation: Any,
        awaitable: Awaitable[A],
        *,
        client: str = "",
        no_effect: tuple[type[BaseException], ...] = (),
    ) -> A:
        """Await something, and record it as one operation.

        Args:
            operation: What to record.
            awaitable: What carries it out.
            client: Who does it, for reports.
            no_effect: Exceptions after which it certainly has not taken effect.

        Returns:
            What it answers. It raises what *awaitable* raises.
        """
        number = self.invoke(operation, client=client)
        try:
            answer = await awaitable
        except BaseException as error:
            self.end("fail" if isinstance(error, no_effect) else "info", number, error)
            raise
        self.ok(number, answer)
        return answer

    @override
    def __repr__(self) -> str:
        pending = sum(operation.end is None for operation in self._operations)
        return f"<history of {len(self)} operations, {pending} pending>"
