"""`step`: run a program by hand, for people who write an interpreter of their own.

The engine keeps everything that means the same everywhere: blocks, recoveries, branches,
forks, scopes, timeouts, interrupts. What is left to the interpreter are the operations.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Generic, cast

from typing_extensions import TypeVar, override

from effactor.errors import UnhandledEffect
from effactor.programs.effects import Perform
from effactor.programs.exits import Died, FailedWith, Succeeded
from effactor.programs.operations import Operation, Sleep
from effactor.programs.structure import a_program
from effactor_interpreters.runtime.engine.effects import perform_effect
from effactor_interpreters.runtime.engine.fiber import Fiber
from effactor_interpreters.runtime.engine.table import ENGINE
from effactor_interpreters.runtime.engine.virtual import VirtualOwner

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.exits import Exit
    from effactor.programs.program import Program

_LOG: Final = logging.getLogger("effactor.program")

A = TypeVar("A")
E = TypeVar("E")


class Request:
    """An operation that a program waits for. Answer it once, with one of three methods.

    Attributes:
        operation: What to perform: `Ask`, `Tell`, `Sleep`, `Call` ..., one of your own, or
            `Perform` for an effect that the program does not handle. A timeout shows as a
            `Sleep`: answering it means that the time is over.
        is_open: Whether an answer is still wanted. It is not after an answer, nor when
            the program has been interrupted there: a lost race, say.
        on_withdraw: Called when an answer is no longer wanted; None for nobody. Set it to
            cancel what you do for the answer. What it raises is logged.
    """

    def __init__(self, stepping: _Stepper, operation: Any, settle: Callable[..., None]) -> None:
        self.operation: Any = operation
        self.is_open: bool = True
        self.on_withdraw: Callable[[], None] | None = None
        self._stepping = stepping
        self._settle = settle
        stepping.asked[self] = None

    def answer(self, value: Any = None) -> None:
        """Answer the operation; the program runs on until all of it waits again.

        Args:
            value: The answer.

        Raises:
            RuntimeError: If no answer is wanted any more.
        """
        self._end("answer", value)

    def fail(self, error: Any) -> None:
        """Let the operation fail with *error*: a failure that its type declares.

        Args:
            error: The failure.

        Raises:
            RuntimeError: If no answer is wanted any more.
        """
        self._end("fail", error)

    def die(self, defect: BaseException) -> None:
        """Let the operation raise *defect*: an exception that nobody declared.

        Args:
            defect: The exception.

        Raises:
            RuntimeError: If no answer is wanted any more.
        """
        self._end("die", defect)

    def settle(self, outcome: Exit[Any, Any]) -> None:
        """Let the operation end like *outcome*: what another interpreter made of it, say.

        Args:
            outcome: The exit. An interrupt becomes a defect of the program.

        Raises:
            RuntimeError: If no answer is wanted any more.
        """
        if isinstance(outcome, Succeeded):
            self.answer(outcome.value)
        elif isinstance(outcome, FailedWith):
            self.fail(outcome.error)
        elif isinstance(outcome, Died):
            self.die(outcome.defect)
        else:
            self.die(RuntimeError(f"{self!r} was interrupted where it was performed"))

    def _end(self, how: str, value: Any) -> None:
        self._close()
        self._settle(how, value)
        self._stepping.run_on()

    def _close(self) -> None:
        if not self.is_open:
            msg = f"{self!r} wants no answer: it was answered, or the program went on without it"
            raise RuntimeError(msg)
        self.is_open = False
        del self._stepping.asked[self]

    def withdraw(self) -> bool:
        """Stop wanting an answer; the engine calls it.

        Returns:
            That the program may go on at once.
        """
        if self.is_open:
            self._close()
            if self.on_withdraw is not None:
                try:
                    self.on_withdraw()
                except Exception:
                    # The engine is in the middle of an interrupt, which has to go on.
                    _LOG.exception("step(program): on_withdraw of %r raised", self)
        return True

    def cancel(self) -> None:
        """Stop wanting an answer, as a timer; the engine calls it."""
        self.withdraw()

    def describe(self) -> str:
        """Say what is wanted.

        Returns:
            Text such as `ask /inventory Look('tea')`.
        """
        describe = getattr(self.operation, "describe", None)
        return repr(self.operation) if describe is None else str(describe())

    @override
    def __repr__(self) -> str:
        return f"<Request {self.describe()}>"


class _Table(dict[type[Any], Any]):
    """Has a function for every operation, also for those it has never heard of."""

    @override
    def get(self, key: type[Any], default: Any = None) -> Any:
        found = super().get(key, default)
        return _request if found is None and issubclass(key, Operation) else found


def _request(operation: Any, fiber: Fiber) -> Any:
    def settle(how: str, value: Any) -> None:
        if how == "answer":
            fiber.resume(value)
        elif how == "fail":
            fiber.resume_failed(value)
        else:
            fiber.resume_died(value)

    return fiber.wait(Request(fiber.owner, operation, settle))


def _perform(operation: Perform[Any, Any], fiber: Fiber) -> Any:
    try:
        return perform_effect(operation, fiber)
    except UnhandledEffect as error:
        if error.effect is not operation.effect:
            raise  # of a handler's own
    return _request(operation, fiber)


_TABLE = _Table({**ENGINE, Perform: _perform})


class _Stepper(VirtualOwner):
    """Owns the fibers of a program that is stepped by hand."""

    description = "step(program)"

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[Request, None] = {}
        self._running = False

    @override
    def call_later(self, seconds: float, callback: Callable[[], None], what: str) -> Any:
        """Let time be one more thing that the interpreter decides about."""

        def settle(how: str, _value: Any) -> None:
            if how == "answer":
                callback()

        return Request(self, Sleep(seconds), settle)

    def run_on(self) -> None:
        """Run what can go on, unless that is what answers."""
        if self._running:
            return
        self._running = True
        try:
            self.run_ready()
        finally:
            self._running = False

    def begin(self, fiber: Fiber, program: Program[Any, Any, Any]) -> None:
        """Run the program until all of it waits."""
        self._running = True
        try:
            fiber.start(program)
            self.run_ready()
        finally:
            self._running = False


class Stepping(Generic[A, E]):
    """A program that is run by hand: it has run until all of its branches wait.

    Attributes:
        outcome: How the program ended; None while it waits.
    """

    def __init__(self, program: Program[A, E, Any]) -> None:
        """Run the program until it first waits. `step` is the way to make one."""
        self._stepper = _Stepper()
        self._fiber = Fiber(_TABLE, self._stepper)
        self._stepper.begin(self._fiber, program)

    @property
    def outcome(self) -> Exit[A, E] | None:
        """How the program ended; None while it waits."""
        return self._fiber.outcome

    @property
    def requests(self) -> tuple[Request, ...]:
        """What it waits for, in the order it came to that; several in parallel branches."""
        return tuple(self._stepper.asked)

    def interrupt(self) -> None:
        """Interrupt the program: its finalisers may have requests of their own."""
        self._fiber.interrupt()
        self._stepper.run_on()

    def close(self) -> None:
        """Give the program up: it performs nothing any more."""
        self._fiber.abandon()

    @override
    def __repr__(self) -> str:
        if self.outcome is not None:
            return f"<Stepping {self.outcome}>"
        return f"<Stepping {list(self.requests)}>"


def step(program: Program[A, E, Any]) -> Stepping[A, E]:
    """Run a program until all of it waits, and leave its operations to the caller.

    Args:
        program: The program; it may perform effects that nothing handles.

    Returns:
        What it waits for, as `requests` to answer, or how it ended. Each answer makes it
        run on, on the caller's stack. If there is neither an outcome nor a request, the
        program waits for what can never come.

    Raises:
        TypeError: If *program* is no program.
    """
    return Stepping(cast("Program[A, E, Any]", a_program("step", "program", program)))
