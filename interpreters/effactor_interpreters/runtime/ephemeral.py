"""Ephemeral children: started for one message, and stopped before its ask is over.

A child of this kind that fails is stopped, whatever its parent's strategy says: the ask
carries the failure, and nobody would ever send a second message to a new instance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, final

from typing_extensions import override

from effactor.actors.supervision import Directive, OneForOneStrategy
from effactor.errors import AskTimeout, Deadlock
from effactor.programs.operations import Ask, Join, Operation, Stop
from effactor.programs.program import (
    A_co,
    Always,
    Fail,
    FlatMap,
    Lash,
    Program,
    Pure,
    Refine,
)
from effactor.programs.resources import Ensure, OnInterrupt
from effactor.programs.structure import function_name
from effactor_interpreters.runtime.controls import START, Question
from effactor_interpreters.runtime.engine.signals import FATAL, SUSPENDED, OperationFailed
from effactor_interpreters.runtime.waits import START_OF, FiberWait, expire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor.actors.actor import Actor
    from effactor.actors.envelope import SendOptions
    from effactor.actors.ref import ActorRef, StopManner
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber


def _stop(_error: BaseException) -> Directive:
    return Directive.STOP


STOPS = OneForOneStrategy(decider=_stop)
"""How ephemeral children are supervised."""


def _later(make: Callable[[], Program[Any, Any]]) -> Program[Any, Any]:
    """Make a program when its turn has come."""
    return FlatMap(Pure(None), lambda _: make())


class Errand:
    """An ephemeral child's whole life as programs: start and one message, then the end.

    They are two, so that whoever runs several at once can give the others up before this
    child has ended, and wait for all ends together. One errand is run once.

    Attributes:
        actor: The child's class, or a function that makes it.
        message: The message.
        name: Its name, or None.
        options: What travels with the message, or None.
        timeout: Seconds for its start and the reply together; None for the system's default,
            infinite for no limit.
        ref: The child, from when it is made.
    """

    __slots__ = ("actor", "message", "name", "options", "ref", "timeout")

    def __init__(
        self,
        actor: Callable[[], Actor[Any]],
        message: Any,
        timeout: float | None,
        name: str | None,
        options: SendOptions | None = None,
    ) -> None:
        self.actor: Callable[[], Actor[Any]] = actor
        self.name: str | None = name
        self.timeout: float | None = timeout
        self.ref: ActorRef[Any] | None = None
        self.message: Any = message
        self.options: SendOptions | None = options

    def begin(self) -> Program[Any, Any]:
        """Start the child, and answer `Begun`; an interrupt stops it at once."""
        start: Program[Begun, Any] = SpawnEphemeral(self)
        return OnInterrupt(start, _later(self._stop))

    def run(self) -> Program[Any, Any]:
        """Start the child, ask it, and have it stop; an interrupt stops it at once."""
        start: Program[Begun, Any] = SpawnEphemeral(self)
        ask: Program[Any, Any] = Refine(FlatMap(start, self._ask), (Exception,))
        return OnInterrupt(Lash(FlatMap(ask, self._answered), self._failed), _later(self._stop))

    def join(self) -> Program[None]:
        """Wait until the child has ended, if there is one."""
        return Pure(None) if self.ref is None else Join(self.ref)

    def _ask(self, begun: Begun) -> Program[Any, Any]:
        return Ask(begun.ref, self.message, begun.left, self.options)

    def _stop(self, mode: StopManner = "now") -> Program[None]:
        return Pure(None) if self.ref is None else Stop(self.ref, mode)

    def _answered(self, reply: Any) -> Program[Any]:
        return FlatMap(self._stop("graceful"), Always(Pure(reply)))

    def _failed(self, error: Any) -> Program[Any, Any]:
        # Only after these may the handler still wait. After any other failure the child
        # may be ending by itself, and its on_stopped must not be cut short.
        at_once = isinstance(error, AskTimeout | Deadlock)
        if type(error) is AskTimeout and self.timeout is not None:
            error = AskTimeout(error.target, self.message, self.timeout)  # not what was left
        return FlatMap(self._stop("now" if at_once else "graceful"), Always(Fail(error)))


def joining(program: Program[Any, Any], errands: Sequence[Errand]) -> Program[Any, Any]:
    """Wait for the ends of all children of a program, however it ended.

    Args:
        program: What runs the errands.
        errands: All of them.

    Returns:
        A program that ends as it does.
    """

    def joined() -> Program[None]:
        ends: Program[None] = Pure(None)
        for errand in reversed(errands):
            if errand.ref is not None:
                ends = FlatMap(errand.join(), Always(ends))
        return ends

    return Ensure(program, _later(joined)) if errands else program


class Begun(NamedTuple):
    """An ephemeral child that has started.

    Attributes:
        ref: Its ref.
        left: Seconds that are left for its reply; None for no limit.
    """

    ref: ActorRef[Any]
    left: float | None


@final
class SpawnEphemeral(Operation[A_co, Any]):
    """Start an ephemeral child and answer `Begun`; a start that fails is a failure."""

    __slots__ = ("actor", "errand")

    def __init__(self, errand: Errand) -> None:
        self.errand: Errand = errand
        self.actor: Callable[[], Actor[Any]] = errand.actor

    @override
    def describe(self) -> str:
        return f"spawn {function_name(self.actor)} for one message"


def spawn(operation: SpawnEphemeral[Any], fiber: Fiber) -> Any:
    """Start an ephemeral child: what `SpawnEphemeral` means."""
    owner: Cell = fiber.owner
    system, errand = owner.system, operation.errand
    timeout = errand.timeout
    limit = None if timeout == math.inf else timeout
    try:
        cell = system.create(owner, errand.actor, errand.name)
    except FATAL:
        raise
    except BaseException as error:  # a failure, so that a race goes on without it
        raise OperationFailed(error) from None
    errand.ref = cell.ref
    cell.relations.ephemeral = True
    if not cell.starting:
        return Begun(cell.ref, timeout)
    wait = _Starting(fiber, cell, timeout, owner.clock())
    fiber.wait(wait)
    if limit is not None and not wait.done():
        what = f"timeout of the start of {cell.ref.path}"
        wait.timer = system.world.call_later(limit, expire(wait, cell, START_OF, limit), what)
    system.world.deliver(cell, Question((START, wait)))
    return SUSPENDED


class _Starting(FiberWait):
    """Waits for the `on_started` of an ephemeral child.

    Attributes:
        timeout: Seconds for the start and the reply together; None for no limit.
        begun: When it began, on the owner's clock.
    """

    __slots__ = ("begun", "timeout")

    def __init__(self, fiber: Fiber, target: Cell, timeout: float | None, begun: float) -> None:
        super().__init__(fiber, target, START_OF)
        self.timeout: float | None = timeout
        self.begun: float = begun

    @override
    def set_result(self, value: Any) -> None:
        """Answer the child."""
        fiber = self.fiber
        if fiber is not None:
            left = self.timeout
            if left is not None:
                left = max(0.0, left - (fiber.owner.clock() - self.begun))
            super().set_result(Begun(self.target.ref, left))

    @override
    def handler_failed(self, error: BaseException) -> None:
        """Fail with what `on_started` raised."""
        self.set_exception(error)
