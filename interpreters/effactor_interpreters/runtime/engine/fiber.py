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

from effactor.errors import Failed
from effactor.programs.exits import Died, Exit, FailedWith, Interrupted, Succeeded
from effactor.programs.program import Block, Fail, FlatMap, Map, Program, Pure
from effactor_interpreters.runtime.engine.branches import abandon, branches_of, interrupt
from effactor_interpreters.runtime.engine.frames import close, enter, leave, unwind
from effactor_interpreters.runtime.engine.lost import lost, together
from effactor_interpreters.runtime.engine.notes import note
from effactor_interpreters.runtime.engine.scopes import Scope
from effactor_interpreters.runtime.engine.signals import (
    BLOCK,
    DEFECT,
    EFFECTS,
    EVALUATE,
    FAILURE,
    FATAL,
    FLATMAP,
    FUEL,
    GIVEN,
    INTERRUPT,
    MAP,
    NAMES,
    SCOPE,
    SUCCESS,
    SUSPENDED,
    Interruption,
    OperationFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor_interpreters.runtime.engine.frames import Frame
    from effactor_interpreters.runtime.world import Timer


class Pending(Protocol):
    """What a suspended fiber waits for.

    If that is other fibers, its method `branches` lists those that still run.
    """

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

    def clock(self) -> float:
        """Return the seconds of the clock that `call_later` goes by."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None], what: str) -> Timer:
        """Call *callback* after *seconds*; *what* names the timer in reports."""
        ...


class Deadline:
    """When everything inside of a program must have ended.

    Attributes:
        at: When, on the owner's clock.
        reaches: Whether the deadline's own interrupt reaches the fiber.
    """

    __slots__ = ("at", "reaches")

    def __init__(self, at: float, *, reaches: bool) -> None:
        self.at: float = at
        self.reaches: bool = reaches


class Fiber:
    """One run of one program, or of one branch of it.

    Attributes:
        table: What each operation means here.
        owner: On whose behalf it runs: an actor's cell or a run.
        outcome: How it ended; None while it runs.
        pending: What it waits for; None while it runs and after its end.
        on_end: Called with the exit when it ends; None for nobody.
        within: Names of the `named` programs it is inside of, outermost first.
        parent: The fiber that started it; None for the one that the run began with.
        scope: What is to end with it; None until there is something.
        lender: The fiber whose scope it uses instead of one of its own, or None.
        spawn_scope: The innermost `scoped` around it, which stops the actors that it spawns;
            None if there is none.
        deadline: When it must have ended; None if there is no deadline.
        effects: Handlers of the user's effects in force, linked: (table, next).
        instead: A program to evaluate in place of an operation.
        frames: What is left to do, while it does not run.
        interrupted: Whether it was interrupted.
        overtaken: Defects that an interrupt went before; None if there are none.
        masked: In how many uninterruptible programs it is.
        states: The values of the `State` cells of its run, shared by all its fibers; None
            before this one meets the first.
    """

    __slots__ = (
        "_resumption",
        "_serial",
        "deadline",
        "effects",
        "frames",
        "instead",
        "interrupted",
        "lender",
        "masked",
        "on_end",
        "outcome",
        "overtaken",
        "owner",
        "parent",
        "pending",
        "scope",
        "spawn_scope",
        "states",
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
        self.parent: Fiber | None = None
        self.scope: Scope | None = None
        self.lender: Fiber | None = None
        self.spawn_scope: Scope | None = None
        self.deadline: Deadline | None = None
        self.effects: Any = None
        self.instead: Any = None
        self.frames: Frame = None
        self.interrupted: bool = False
        self.overtaken: list[BaseException] | None = None
        self.masked: int = 0
        self.states: dict[Any, Any] | None = None
        self._serial: int | None = None
        self._resumption: tuple[int, Any] = (SUCCESS, None)

    # ------------------------------------------------------------ its family

    def child(self, program: Program[Any, Any, Any], *labels: str, attached: bool = True) -> Fiber:
        """Make a fiber for a part of this one's program; `begin` starts it.

        Args:
            program: What it runs.
            labels: What traces call it.
            attached: Whether an interrupt of this fiber reaches it.

        Returns:
            The fiber. It inherits the effects' handlers and the deadline.
        """
        made = Fiber(self.table, self.owner)
        made.parent = self
        made.effects = self.effects
        made.spawn_scope = self.spawn_scope
        within = self.within
        made.within = (*within, *labels) if len(within) < NAMES else within
        deadline = self.deadline
        if deadline is not None:
            if attached and self.masked:
                deadline = None  # a part of what must not be cut short
            elif not attached and deadline.reaches:
                deadline = Deadline(deadline.at, reaches=False)
        made.deadline = deadline
        made._resumption = (EVALUATE, program)
        return made

    @property
    def time_limit(self) -> float | None:
        """When what it asks of others must have ended, on the owner's clock; None if never."""
        return None if self.deadline is None or self.masked else self.deadline.at

    def begin(self) -> None:
        """Let a new fiber have its first turn soon, unless it is interrupted before."""
        self.owner.wake(self)

    def its_scope(self) -> Scope:
        """Return the scope that this fiber's forks and resources are left to."""
        fiber = self
        while fiber.scope is None and fiber.lender is not None:
            fiber = fiber.lender
        if fiber.scope is None:
            fiber.scope = Scope()
        return fiber.scope

    # ------------------------------------------------------------ from outside

    def start(self, program: Program[Any, Any, Any]) -> Exit[Any, Any] | None:
        """Run *program* until it ends or waits.

        Args:
            program: The program.

        Returns:
            Its exit, or None if it waits.
        """
        return self._advance(program)

    def resume(self, value: Any, take_back: Callable[[], None] | None = None) -> None:
        """Give the pending operation its answer, and let the owner schedule the fiber.

        Args:
            value: The answer.
            take_back: Called if an interrupt comes before the fiber goes on with it.
        """
        self._give(SUCCESS, value, take_back)

    def resume_failed(self, error: Any) -> None:
        """Let the pending operation fail with *error*."""
        self._wake(FAILURE, error)

    def resume_died(self, defect: BaseException) -> None:
        """Let the pending operation raise *defect*, and note on it which one it was."""
        if self.pending is not None:
            self.note(defect, self.pending.describe())
        self._wake(DEFECT, defect)

    def resume_as(
        self, outcome: Exit[Any, Any], take_back: Callable[[], None] | None = None
    ) -> None:
        """Let the pending operation end like another fiber, which has noted what it must."""
        if isinstance(outcome, Succeeded):
            kind, value = SUCCESS, outcome.value
        elif isinstance(outcome, FailedWith):
            kind, value = FAILURE, outcome.error
        elif isinstance(outcome, Died):
            kind, value = DEFECT, outcome.defect
        else:
            kind, value = INTERRUPT, None
        self._give(kind, value, take_back)

    def _give(self, kind: int, value: Any, take_back: Callable[[], None] | None) -> None:
        if take_back is None:
            self._wake(kind, value)
        elif self.pending is None:
            take_back()
        else:
            self._wake(GIVEN, (kind, value, take_back))

    def wait(self, pending: Pending) -> Any:
        """Suspend until *pending* is answered; operations return what this returns.

        Args:
            pending: What the fiber waits for.

        Returns:
            `SUSPENDED`.
        """
        self.pending = pending
        if self.interrupted and not self.masked:
            interrupt(self.let_go())
        return SUSPENDED

    def _wake(self, kind: int, value: Any) -> None:
        if self.pending is None:
            return
        self.pending = None
        self._resumption = (kind, value)
        self.owner.wake(self)

    def note(self, defect: BaseException, doing: str) -> None:
        """Note on a defect which operation, of whom, it came from."""
        who = getattr(self.owner, "full_path", self.owner.description)
        note(defect, f"in {who}: {doing}")

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
        if self.interrupted and not self.masked:
            if kind == GIVEN:
                value[2]()
            elif kind == DEFECT:
                self.overtake(kind, value, "an interrupt overtook a defect")
            kind, value = INTERRUPT, None
        elif kind == GIVEN:
            kind, value, _ = value
        if kind == SUCCESS:
            return self._advance(Pure(value))
        if kind == EVALUATE:
            return self._advance(value)
        following = unwind(self, kind, value)
        return self.outcome if following is None else self._advance(following)

    def interrupt(self) -> None:
        """Unwind the program as soon as it may be: at once if it waits, unmasked."""
        interrupt((self,))

    def let_go(self) -> Sequence[Fiber]:
        """Stop waiting, because of an interrupt, if that may be.

        Returns:
            The branches that must end before it goes on: they are to be interrupted.
        """
        pending = self.pending
        if pending is None or self.masked:
            return ()
        if pending.withdraw():
            self._wake(INTERRUPT, None)
            return ()
        return branches_of(pending)

    def overtake(self, kind: int, error: Any, what: str) -> None:
        """Keep what an interrupt goes before: for a branch or fork it is its end."""
        if kind == DEFECT and self.parent is not None:
            self.overtaken = [*(self.overtaken or ()), error]
        else:
            lost(self, what, error)

    def abandon(self) -> None:
        """End at once, with no effect performed any more: the fiber will never run again."""
        abandon(self)

    def cut_off(self) -> tuple[Frame, list[Fiber]]:
        """Forget all that it does.

        Returns:
            Its frames, to be closed, and the fibers that end with it.
        """
        pending, self.pending = self.pending, None
        others = list(branches_of(pending))
        if pending is not None:
            pending.withdraw()
        if self.outcome is None:
            self.outcome = Interrupted()
        frames, self.frames = self.frames, None
        scopes: list[Scope | None] = [self.scope]
        self.scope = None
        rest = frames
        while rest is not None:
            kind, payload, rest = rest
            if kind == SCOPE:
                scopes += [payload, payload.outer]
        for scope in scopes:
            if scope is not None:
                others += scope.cut_off()
        return frames, others

    # ------------------------------------------------------------ the machine

    def die(self, fatal: BaseException) -> None:
        """End because the process does; whoever waits for the fiber learns of it."""
        self.abandon()
        self._end(Died(fatal))

    def end_with(self, kind: int, error: Any) -> None:
        """End with a failure, defect or interrupt that no frame has stopped."""
        self.frames = None
        if kind == FAILURE:
            self._end(FailedWith(error))
        elif kind == DEFECT:
            self._end(Died(error))
        elif self.overtaken is not None:
            self._end(Died(together("several finalisers died", self.overtaken)))
        else:
            self._end(Interrupted())

    def _end(self, outcome: Exit[Any, Any]) -> Exit[Any, Any]:
        self.frames = None
        self.outcome = outcome
        if self.on_end is not None:
            self.on_end(outcome)
        return outcome

    def _advance(self, program: Any) -> Exit[Any, Any] | None:
        """Evaluate *program* and return its answer to the frames, until end or wait."""
        get = self.table.get
        p: Any = program
        frames: Frame = self.frames
        fuel = FUEL
        kind: int
        payload: Any
        perform: Any = None
        v: Any
        while True:
            try:
                while True:
                    # ---- evaluate p
                    fuel -= 1
                    if fuel <= 0:
                        self.frames = frames
                        self._resumption = (EVALUATE, p)
                        if self.owner.out_of_fuel(self):
                            return None
                        fuel = FUEL
                    t = type(p)
                    if t is FlatMap:  # before the table: no interpreter has one of its own
                        function = p.function
                        p = p.source
                        perform = get(type(p))
                        if perform is None:
                            frames = (FLATMAP, function, frames)
                            continue
                        # An operation first, the usual case: no frame if it need not wait.
                        v = perform(p, self)
                        if v is SUSPENDED:
                            frames = (FLATMAP, function, frames)
                            if self.instead is None:
                                self.frames = frames
                                return None
                            p, frames = self._take_instead(frames)
                            continue
                        perform = None  # what is raised now comes from no operation
                        p = function(v)
                        continue
                    perform = get(t)
                    if perform is not None:
                        v = perform(p, self)
                        if v is SUSPENDED:
                            if self.instead is None:
                                self.frames = frames
                                return None
                            p, frames = self._take_instead(frames)
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
                        p, frames = enter(self, p, frames)
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
                                        if self.instead is None:
                                            self.frames = frames
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
                        perform = None  # what is raised now comes from no operation
                        if kind == MAP:
                            v = payload(v)
                        elif kind == FLATMAP:
                            p = payload(v)
                            kind = EVALUATE
                            break
                        else:
                            kind, v, frames = leave(self, kind, payload, v, frames)
                            if kind == EVALUATE:
                                p = v
                            if kind != SUCCESS:
                                break
                    else:
                        if self.scope is None:
                            return self._end(Succeeded(v))
                        scope, self.scope = self.scope, None
                        kind, p, frames = close(self, scope, SUCCESS, v, None)
                        if kind == SUCCESS:
                            return self._end(Succeeded(v))
                    if kind != EVALUATE:
                        break
            except OperationFailed as failure:
                kind, v = FAILURE, failure.error
            except Interruption:
                kind, v = INTERRUPT, None
            except FATAL as fatal:
                self.frames = frames
                self.die(fatal)
                raise
            except BaseException as defect:  # every exception is a defect until refined
                kind, v = self.raised(defect)
                if kind == DEFECT and perform is not None and not _raised_by_block(frames):
                    self.note(defect, _described(p))
                elif type(defect) is TypeError and _raised_here(defect):
                    note(defect, _NO_FUNCTION)
            # Outside the `except`, so that what blocks raise next does not get this
            # exception as its context.
            self.frames = frames
            p = unwind(self, kind, v)
            if p is None:
                return self.outcome
            frames = self.frames

    def _take_instead(self, frames: Frame) -> tuple[Any, Frame]:
        """Enter the program that answers an effect, in the surroundings of its handler."""
        program, outer = self.instead
        self.instead = None
        inside, self.effects = self.effects, outer
        return program, (EFFECTS, inside, frames)

    def mark(self, failure: BaseException) -> None:
        """Note a failure that was raised in a block which went on: a `finally`, say.

        When the block lets it through in the end it is still a failure. The mark is
        this fiber's alone, because exceptions may be shared; and it is no `setattr`,
        because they may be frozen.
        """
        if self._serial is None:
            self._serial = next(_SERIALS)
        failure.__dict__[_FAILURE_MARK] = self._serial

    def raised(self, error: BaseException) -> tuple[int, Any]:
        """Classify what a block or a function raised: a failure it let through, or a defect."""
        if self._serial is not None and error.__dict__.get(_FAILURE_MARK) == self._serial:
            return FAILURE, error.error if type(error) is Failed else error
        return DEFECT, error


_NO_FUNCTION: Final = (
    "map, bind and the like take a function; to go on with a program whatever the "
    "answer is, write then(program)"
)
_FAILURE_MARK: Final = "__effactor_failure__"
_SERIALS: Final = itertools.count(1)


def _raised_by_block(frames: Frame) -> bool:
    """Tell whether the innermost block has ended by raising, and not its operation."""
    return frames is not None and frames[0] == BLOCK and frames[1].gi_frame is None


def _raised_here(defect: BaseException) -> bool:
    """Tell whether the machine itself raised it: it called what is no function."""
    machine = defect.__traceback__
    return machine is not None and machine.tb_next is None and "not callable" in str(defect)


def _described(operation: Any) -> str:
    describe = getattr(operation, "describe", None)
    return repr(operation) if describe is None else str(describe())
