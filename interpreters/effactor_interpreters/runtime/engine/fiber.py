"""A fiber runs one program: the loop that every interpreter shares.

A stack machine in constant Python stack: continuations are a linked list of
frames `(kind, payload, next)`, operations are looked up by exact type in the
interpreter's table. An operation answers at once, or returns `SUSPENDED` and
resumes the fiber later. Interrupts follow ZIO: they unwind the frames, finalisers
run and cannot be interrupted themselves.
"""

# Programs erase the types between their steps, so frames hold values of any type,
# and pyright loses itself in what one frame says about the next.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, Protocol

from returns.result import Failure, Success

from effactor.errors import Failed, NoInterpreter
from effactor.programs.exits import Died, Exit, FailedWith, Interrupted, Succeeded
from effactor.programs.operations import Operation
from effactor.programs.program import (
    Attempt,
    Block,
    Catch,
    Composite,
    Ensure,
    ExitOf,
    Fail,
    FlatMap,
    Handle,
    Lash,
    Map,
    Named,
    Program,
    Pure,
    Refine,
)
from effactor_interpreters.runtime.engine.signals import (
    AFTER,
    ATTEMPT,
    BLOCK,
    CATCH,
    DEFECT,
    EFFECTS,
    ENSURE,
    EVALUATE,
    EXIT,
    FAILURE,
    FATAL,
    FLATMAP,
    FUEL,
    INTERRUPT,
    LASH,
    MAP,
    NAMED,
    NAMES,
    REFINE,
    SUCCESS,
    SUSPENDED,
    Interruption,
    OperationFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Pending(Protocol):
    """What a suspended fiber waits for."""

    def withdraw(self) -> bool:
        """Forget the fiber: it no longer wants the answer.

        Returns:
            Whether the fiber may go on at once; otherwise it is resumed once what
            it waited for has come to its end.
        """
        ...

    def describe(self) -> str:
        """Say what it is, such as `/b (Ping)`."""
        ...


class Owner(Protocol):
    """On whose behalf a fiber runs."""

    @property
    def description(self) -> str:
        """Name the interpreter, for errors."""
        ...

    def wake(self, fiber: Fiber) -> None:
        """Let the fiber's `turn` be called soon."""
        ...

    def run_fiber(self, fiber: Fiber) -> None:
        """Call the fiber's `turn`."""
        ...

    def out_of_fuel(self, fiber: Fiber) -> bool:
        """Say whether the fiber should let others run, and if so schedule its turn."""
        ...


Frame = Any  # (kind, payload, next frame) or None: a recursive tuple, built millions of times


class Fiber:
    """One run of one program.

    Attributes:
        table: What each operation means here.
        owner: On whose behalf it runs: an actor's cell or a run.
        outcome: How it ended; None while it runs.
        pending: What it waits for; None while it runs and after its end.
        on_end: Called with the exit when it ends; None for nobody.
        within: Names of the `named` programs it is inside of, outermost first.
    """

    __slots__ = (
        "_effects",
        "_frames",
        "_instead",
        "_interrupted",
        "_masked",
        "_resumption",
        "_serial",
        "on_end",
        "outcome",
        "owner",
        "pending",
        "table",
        "within",
    )

    def __init__(self, table: dict[type[Any], Callable[[Any, Fiber], Any]], owner: Any) -> None:
        """Make a fiber that has not begun. *owner* is an `Owner`, and more to its table."""
        self.table: dict[type[Any], Callable[[Any, Fiber], Any]] = table
        self.owner: Any = owner
        self.outcome: Exit[Any, Any] | None = None
        self.pending: Pending | None = None
        self.on_end: Callable[[Exit[Any, Any]], None] | None = None
        self.within: tuple[str, ...] = ()
        self._frames: Frame = None
        self._effects: Any = None  # linked: (table of Handle, next)
        self._instead: Any = None  # a program to evaluate in place of an operation
        self._interrupted = False
        self._serial: int | None = None
        self._masked = 0
        self._resumption: tuple[int, Any] = (SUCCESS, None)

    # ------------------------------------------------------------ from outside

    def start(self, program: Program[Any, Any, Any]) -> Exit[Any, Any] | None:
        """Run *program* until it ends or waits.

        Args:
            program: The program.

        Returns:
            Its exit, or None if it waits.
        """
        return self._advance(program)

    def resume(self, value: Any) -> None:
        """Give the pending operation its answer, and let the owner schedule the fiber."""
        self._wake(SUCCESS, value)

    def resume_failed(self, error: Any) -> None:
        """Let the pending operation fail with *error*."""
        self._wake(FAILURE, error)

    def resume_died(self, defect: BaseException) -> None:
        """Let the pending operation raise *defect*."""
        self._wake(DEFECT, defect)

    def wait(self, pending: Pending) -> Any:
        """Suspend until *pending* is answered; operations return what this returns.

        Args:
            pending: What the fiber waits for.

        Returns:
            `SUSPENDED`.
        """
        self.pending = pending
        if self._interrupted and not self._masked and pending.withdraw():
            self._wake(INTERRUPT, None)
        return SUSPENDED

    def _wake(self, kind: int, value: Any) -> None:
        if self.pending is None:
            return
        self.pending = None
        self._resumption = (kind, value)
        self.owner.wake(self)

    def run_turn(self) -> None:
        """Go on, in the surroundings of the owner. The run queue calls it."""
        self.owner.run_fiber(self)

    def turn(self) -> Exit[Any, Any] | None:
        """Go on after `resume` and the like; the owner calls it.

        Returns:
            The exit, or None if the fiber waits again.
        """
        if self.outcome is not None:
            return self.outcome
        kind, value = self._resumption
        if self._interrupted and not self._masked:
            kind, value = INTERRUPT, None
        if kind == SUCCESS:
            return self._advance(Pure(value))
        if kind == EVALUATE:
            return self._advance(value)
        following = self._unwind(kind, value)
        return self.outcome if following is None else self._advance(following)

    def interrupt(self) -> None:
        """Unwind the program as soon as it may be: at once if it waits, unmasked."""
        if self.outcome is not None or self._interrupted:
            return
        self._interrupted = True
        if self.pending is not None and not self._masked and self.pending.withdraw():
            self._wake(INTERRUPT, None)

    def abandon(self) -> None:
        """Close the open do-blocks of a fiber that will never run again.

        Blocks that insist on yielding while they are closed are left to the
        garbage collector; nothing they yield is performed.
        """
        frames, self._frames = self._frames, None
        if self.pending is not None:
            self.pending.withdraw()
            self.pending = None
        if self.outcome is None:
            self.outcome = Interrupted()
        while frames is not None:
            kind, payload, frames = frames
            if kind == BLOCK:
                try:
                    payload.close()
                except Exception:  # noqa: S110 - a dying block may say anything
                    pass

    # ------------------------------------------------------------ the machine

    def _die(self, fatal: BaseException) -> None:
        """End because the process does; whoever waits for the fiber learns of it."""
        self.abandon()
        self._end(Died(fatal))

    def _end(self, outcome: Exit[Any, Any]) -> Exit[Any, Any]:
        self._frames = None
        self.outcome = outcome
        if self.on_end is not None:
            self.on_end(outcome)
        return outcome

    def _advance(self, program: Any) -> Exit[Any, Any] | None:
        """Evaluate *program* and return its answer to the frames, until end or wait."""
        get = self.table.get
        p: Any = program
        frames: Frame = self._frames
        fuel = FUEL
        kind: int
        payload: Any
        v: Any
        while True:
            try:
                while True:
                    # ---- evaluate p
                    fuel -= 1
                    if fuel <= 0:
                        self._frames = frames
                        self._resumption = (EVALUATE, p)
                        if self.owner.out_of_fuel(self):
                            return None
                        fuel = FUEL
                    t = type(p)
                    perform = get(t)
                    if perform is not None:
                        v = perform(p, self)
                        if v is SUSPENDED:
                            if self._instead is None:
                                self._frames = frames
                                return None
                            p, frames = self._take_instead(frames)
                            continue
                    elif t is FlatMap:
                        frames = (FLATMAP, p.function, frames)
                        p = p.source
                        continue
                    elif t is Block:
                        frames = (BLOCK, p.function.function(*p.args, **p.kwargs), frames)
                        v = None
                    elif t is Map:
                        frames = (MAP, p.function, frames)
                        p = p.source
                        continue
                    elif t is Pure:
                        v = p.value
                    elif t is Fail:
                        kind, v = FAILURE, p.error
                        break
                    else:
                        p, frames = self._enter(p, t, frames)
                        continue
                    # ---- return v to the frames
                    kind = SUCCESS
                    while frames is not None:
                        kind, payload, rest = frames
                        if kind == BLOCK:
                            send = payload.send
                            try:
                                while True:  # the operations of one block, one after another
                                    p = send(v)
                                    perform = get(type(p))
                                    fuel -= 1
                                    if perform is None or fuel <= 0:
                                        break
                                    v = perform(p, self)
                                    if v is SUSPENDED:
                                        if self._instead is None:
                                            self._frames = frames
                                            return None
                                        p, frames = self._take_instead(frames)
                                        break
                            except StopIteration as stop:
                                if payload.gi_frame is not None:
                                    raise  # an operation's, not the block's
                                v = stop.value
                                frames = rest
                                continue
                            kind = EVALUATE
                            break
                        frames = rest
                        if kind == MAP:
                            v = payload(v)
                        elif kind == FLATMAP:
                            p = payload(v)
                            kind = EVALUATE
                            break
                        else:
                            kind, v = self._leave(kind, payload, v)
                            if kind == EVALUATE:
                                p, held = v
                                frames = (AFTER, (SUCCESS, held), frames)
                            if kind != SUCCESS:
                                break
                    else:
                        return self._end(Succeeded(v))
                    if kind != EVALUATE:
                        break
            except OperationFailed as failure:
                kind, v = FAILURE, failure.error
            except Interruption:
                kind, v = INTERRUPT, None
            except FATAL as fatal:
                self._frames = frames
                self._die(fatal)
                raise
            except BaseException as defect:  # every exception is a defect until refined
                kind, v = self._raised(defect)
            # Outside the `except`, so that what blocks raise next does not get this
            # exception as its context.
            self._frames = frames
            p = self._unwind(kind, v)
            if p is None:
                return self.outcome
            frames = self._frames

    def _enter(self, p: Any, t: type[Any], frames: Frame) -> tuple[Any, Frame]:
        """Enter a node that is none of the frequent ones.

        Returns:
            What to evaluate inside it, and the frames.
        """
        if t is Lash:
            return p.source, (LASH, p.function, frames)
        if t is Catch:
            return p.source, (CATCH, (p.classes, p.function), frames)
        if t is Attempt:
            return p.source, (ATTEMPT, None, frames)
        if t is ExitOf:
            return p.source, (EXIT, None, frames)
        if t is Refine:
            return p.source, (REFINE, p.classes, frames)
        if t is Ensure:
            return p.source, (ENSURE, p.finalizer, frames)
        if t is Named:
            outer = self.within
            if len(outer) < NAMES:
                self.within = (*outer, p.name)
            return p.source, (NAMED, (p.name, outer), frames)
        if t is Handle:
            outer, self._effects = self._effects, (p.table, self._effects)
            return p.source, (EFFECTS, outer, frames)
        if isinstance(p, Composite):
            return p.expand(), frames
        if isinstance(p, Operation):
            raise NoInterpreter(p.describe(), self.owner.description)
        msg = (
            f"expected a Program, got {p!r}; in a do-block write "
            '"yield from program", and functions given to bind must return a Program'
        )
        raise TypeError(msg)

    def _take_instead(self, frames: Frame) -> tuple[Any, Frame]:
        """Enter the program that answers an effect, in the surroundings of its handler."""
        program, outer = self._instead
        self._instead = None
        inside, self._effects = self._effects, outer
        return program, (EFFECTS, inside, frames)

    def _leave(self, kind: int, payload: Any, v: Any) -> tuple[int, Any]:
        """Return the answer *v* to a frame that is none of the frequent ones.

        Returns:
            The outcome that goes on: usually `SUCCESS` and an answer.
        """
        if kind == ATTEMPT:
            return SUCCESS, Success(v)
        if kind == EXIT:
            return SUCCESS, Succeeded(v)
        if kind == ENSURE:
            self._masked += 1
            return EVALUATE, (payload, v)
        if kind == AFTER:
            self._masked -= 1
            if self._interrupted and not self._masked and payload[0] != INTERRUPT:
                return INTERRUPT, None
            outcome: tuple[int, Any] = payload
            return outcome
        if kind == EFFECTS:
            self._effects = payload
        elif kind == NAMED:
            self.within = payload[1]
        return SUCCESS, v

    def _unwind(self, kind: int, error: Any) -> Any:
        """Carry a failure, defect or interrupt down to the frame that stops it.

        Returns:
            The program to evaluate next, with `_frames` set; None if the fiber ended.
        """
        frames = self._frames
        while frames is not None:
            tag, payload, frames = frames
            if tag == BLOCK:
                if payload.gi_frame is None:
                    continue  # it raised this itself
                raised = _as_exception(kind, error)
                try:
                    p = payload.throw(raised)
                except StopIteration as stop:
                    if kind != INTERRUPT:
                        self._frames = frames
                        return Pure(stop.value)
                except BaseException as other:
                    if other is raised:
                        continue  # the block let it through
                    if isinstance(other, Interruption):
                        kind, error = INTERRUPT, None
                    elif isinstance(other, FATAL):
                        self._frames = frames
                        self._die(other)
                        raise
                    elif kind != INTERRUPT:
                        kind, error = self._raised(other)
                else:
                    if kind == INTERRUPT:
                        # Its `finally` performs effects; it goes on, masked, and
                        # the interrupt goes on after it.
                        self._masked += 1
                        frames = (AFTER, (INTERRUPT, None), frames)
                    elif kind == FAILURE:
                        self._mark(raised)
                    self._frames = (BLOCK, payload, frames)
                    return p
            elif tag == ENSURE:
                self._masked += 1
                self._frames = (AFTER, (kind, error), frames)
                return payload
            elif tag == AFTER:
                self._masked -= 1
                if payload[0] == INTERRUPT or (self._interrupted and not self._masked):
                    kind, error = INTERRUPT, None  # it goes on, whatever the finaliser did
                elif payload[0] == DEFECT and isinstance(error, BaseException):
                    error.__context__ = payload[1]
            elif tag == EFFECTS:
                self._effects = payload
            elif tag == NAMED:
                # Not on failures: they are the user's values, perhaps raised many times.
                name, self.within = payload
                if kind == DEFECT:
                    error.add_note(f"in {name!r}")
            elif kind == FAILURE:
                recovery = self._recover(tag, payload, error)
                if recovery is not None:
                    self._frames = frames
                    return recovery
            elif kind == DEFECT:
                if tag == REFINE and isinstance(error, payload):
                    kind = FAILURE
                elif tag == EXIT:
                    self._frames = frames
                    return Pure(Died(error))
        self._frames = None
        if kind == FAILURE:
            self._end(FailedWith(error))
        elif kind == DEFECT:
            self._end(Died(error))
        else:
            self._end(Interrupted())
        return None

    def _mark(self, failure: BaseException) -> None:
        """Note a failure that was raised in a block which went on: a `finally`, say.

        When the block lets it through in the end it is still a failure. The mark is
        this fiber's alone, because exceptions may be shared; and it is no `setattr`,
        because they may be frozen.
        """
        if self._serial is None:
            self._serial = next(_SERIALS)
        failure.__dict__[_FAILURE_MARK] = self._serial

    def _raised(self, error: BaseException) -> tuple[int, Any]:
        """Classify what a block or a function raised: a failure it let through, or a defect."""
        if self._serial is not None and error.__dict__.get(_FAILURE_MARK) == self._serial:
            return FAILURE, error.error if type(error) is Failed else error
        return DEFECT, error

    def _recover(self, tag: int, payload: Any, error: Any) -> Any:
        """Return the program that goes on after a failure met this frame, if it does."""
        if tag == ATTEMPT:
            return Pure(Failure(error))
        if tag == EXIT:
            return Pure(FailedWith(error))
        if tag == LASH:
            return FlatMap(Pure(error), payload)
        if tag == CATCH and isinstance(error, payload[0]):
            return FlatMap(Pure(error), payload[1])
        return None


_FAILURE_MARK: Final = "__effactor_failure__"
_SERIALS: Final = itertools.count(1)


def _as_exception(kind: int, error: Any) -> BaseException:
    """Return what a block sees raised for an outcome."""
    if kind == INTERRUPT:
        return Interruption()
    if kind == FAILURE and not isinstance(error, BaseException):
        return Failed(error)
    exception: BaseException = error
    return exception
