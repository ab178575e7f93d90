"""Asks of several actors for handlers that are no programs: `self.context.ask` and the like.

Each builds a program of the forms that programs have anyway, and runs it as the actor.
"""

from __future__ import annotations

import math
from asyncio import CancelledError
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from effactor.actors.ref import ActorRef
from effactor.coordination.handle import count
from effactor.errors import ActorStopped
from effactor.programs.exits import FailedWith, Interrupted
from effactor.programs.operations import Ask, Lookup, check_options, check_spawn, seconds
from effactor.programs.parallel import FirstSuccess, Zip, check_concurrency, collected, gather
from effactor.programs.program import Fail, FlatMap, Lash
from effactor.programs.streaming import CREDITS
from effactor_interpreters.runtime.child_streams import ChildStream
from effactor_interpreters.runtime.engine.fiber import Fiber
from effactor_interpreters.runtime.engine.synchronous import answer_of, as_exception
from effactor_interpreters.runtime.ephemeral import Errand, joining
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.states import STOPPED
from effactor_interpreters.runtime.stopping import why_stopped

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine

    from effactor.actors.envelope import SendOptions
    from effactor.actors.ref import ReplyIterator
    from effactor.programs.exits import Exit
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.cell import Cell


class Orchestrating:
    """The part of an actor's context that asks others. `Orchestration` has the contract."""

    __slots__ = ()

    if TYPE_CHECKING:
        _cell: Cell

    def ask(
        self,
        target: Any,
        message: Any,
        *,
        timeout: float | None = None,
        name: str | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Ask one actor: a ref, a path, or an ephemeral child of a class."""
        asks = _Asks("ask", timeout, options)
        return run_as(self._cell, asks.together(asks.one(target, message, name)))

    def sequence(
        self,
        asks: Any,
        *more: Any,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[Any]]:
        """Ask several at once; the first failure interrupts the rest."""
        if more:
            raise _no_list("sequence", (asks, *more))
        made = _Asks("sequence", timeout, _for_several("sequence", options))
        check_concurrency("sequence", concurrency)
        return run_as(self._cell, made.together(gather(made.all(asks), concurrency)))

    def traverse(
        self,
        inputs: Any,
        target: Any,
        *,
        concurrency: int | None = None,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, list[Any]]:
        """Ask one target each of several messages at once."""
        asks = _Asks("traverse", timeout, _for_several("traverse", options))
        check_concurrency("traverse", concurrency)
        programs = [asks.one(target, m) for m in collected("traverse", "inputs", inputs)]
        return run_as(self._cell, asks.together(gather(programs, concurrency)))

    def race(
        self,
        asks: Any = (),
        *more: Any,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Ask several at once; the first success wins."""
        if more:
            raise _no_list("race", (asks, *more))
        made = _Asks("race", timeout, _for_several("race", options))
        # What handlers raised, not what says so: for `except*`.
        programs = tuple(map(_unwrapping, made.all(asks)))
        if not programs:
            msg = "race: asks must be at least one pair of a target and a message, got none"
            raise ValueError(msg)
        return run_as(self._cell, made.together(FirstSuccess(programs)))

    def zip(
        self,
        a: Any,
        b: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Ask two at once; a failure interrupts the other."""
        asks = _Asks("zip", timeout, _for_several("zip", options))
        return run_as(self._cell, asks.together(Zip(tuple(asks.all((a, b))))))

    def stream(
        self,
        target: Any,
        message: Any,
        *,
        timeout: float | None = None,
        name: str | None = None,
        credits: int = CREDITS,  # noqa: A002 - the field's word
        options: SendOptions | None = None,
    ) -> ReplyIterator[Any]:
        """Ask one actor, and take its replies one by one."""
        where, cell = "stream", self._cell
        if options is not None:
            check_options(where, options)
        if timeout != math.inf:
            seconds(where, "timeout", timeout)
        ahead = count(where, "credits", credits)
        if not lives(where, target):
            check_spawn(where, target, name)
            start = None if timeout == math.inf else timeout
            errand = Errand(target, message, start, name, options)
            return ChildStream(cell, errand, timeout, ahead, run_as)
        if name is not None:
            raise _has_a_name(where, target)
        found: ReplyIterator[Any] = cell.system.target(where, target).ask_stream(
            message, timeout, ahead, options
        )
        return found


def _unwrapping(program: Program[Any, Any]) -> Program[Any, Any]:
    return Lash(program, lambda error: Fail(as_exception(error)))


def lives(where: str, target: object) -> bool:
    """Tell refs and paths from what makes an actor.

    Args:
        where: The method that received it, for errors.
        target: What was given.

    Returns:
        Whether it is a ref or a path.

    Raises:
        TypeError: If it is none of these.
    """
    if isinstance(target, str | ActorRef):
        return True
    if not callable(target) and not hasattr(type(target), "on_receive"):
        msg = (
            f"{where}: target must be a class of actors or a function that makes one, "
            f"an ActorRef, or a path, got {target!r}"
        )
        raise TypeError(msg)
    return False


def _has_a_name(where: str, target: object) -> ValueError:
    return ValueError(f"{where}: name is for an ephemeral child, but {target!r} lives already")


def _no_list(where: str, given: tuple[Any, ...]) -> TypeError:
    for each in given:
        if isinstance(each, Awaitable):
            return _no_pair(where, each)
    return TypeError(
        f"{where}: asks must be one list of pairs, got {len(given)} arguments; write "
        f"{where}([(target, message), (target, message)])"
    )


def _no_pair(where: str, given: Any) -> TypeError:
    hint = ""
    if isinstance(given, Awaitable):
        hint = "; give the target and the message, and not an ask that was made of them"
    elif isinstance(given, ActorRef):
        hint = "; write [(target, message)]"
    return TypeError(f"{where}: each ask must be a pair (target, message), got {given!r}{hint}")


def _for_several(where: str, options: SendOptions | None) -> SendOptions | None:
    """Refuse an id: whoever takes messages of one id for one would handle the first only."""
    if options is not None and getattr(options, "id", None) is not None:
        msg = (
            f"{where}: options: id names one message, and here are several, got {options.id!r}; "
            "leave it out, or name what they have in common with correlation_id"
        )
        raise ValueError(msg)
    return options


class _Asks:
    """The asks of one call, as programs."""

    def __init__(self, where: str, timeout: float | None, options: SendOptions | None) -> None:
        """Begin.

        Args:
            where: The method that was called, for errors.
            timeout: Seconds for each reply.
            options: What travels with each message, or None.
        """
        if timeout != math.inf:
            seconds(where, "timeout", timeout)
        if options is not None:
            check_options(where, options)
        self._where = where
        self._timeout = timeout
        self._options = options
        self._errands: list[Errand] = []

    def all(self, asks: Any) -> list[Program[Any, Any]]:
        """Return the programs of pairs of a target and a message."""
        programs: list[Program[Any, Any]] = []
        if isinstance(asks, Awaitable):
            raise _no_pair(self._where, asks)
        for pair in collected(self._where, "asks", asks):
            match pair:
                case (target, message):
                    programs.append(self.one(target, message))
                case _:
                    raise _no_pair(self._where, pair)
        return programs

    def one(self, target: Any, message: Any, name: str | None = None) -> Program[Any, Any]:
        """Return the program of one ask."""
        where, timeout, options = self._where, self._timeout, self._options
        if not lives(where, target):
            check_spawn(where, target, name)
            self._errands.append(Errand(target, message, timeout, name, options))
            return self._errands[-1].run()
        if name is not None:
            raise _has_a_name(where, target)
        is_path: bool = isinstance(target, str)
        if is_path:
            return FlatMap(Lookup(target), lambda ref: Ask(ref, message, timeout, options))
        return Ask(target, message, timeout, options)

    def together(self, program: Program[Any, Any]) -> Program[Any, Any]:
        """Let *program*, which runs them, end when all children have ended."""
        return joining(program, self._errands)


async def run_as(cell: Cell, program: Program[Any, Any]) -> Any:
    """Run a program as an actor: in its handler, or in a task that the handler made.

    Args:
        cell: The actor.
        program: The program.

    Returns:
        Its answer; failures are raised. Cancelling this interrupts the program, and waits
        for that.

    Raises:
        ActorStopped: If the actor stops meanwhile, and a task of its own goes on.
        RuntimeError: In another thread or event loop.
    """
    check_here(cell.system, "self.context")
    if cell.system.current_cell() is cell:
        return await cell.run_program(program)
    if cell.state == STOPPED:
        raise ActorStopped(cell.full_path, None, why_stopped(cell))
    return await _Errand(cell, program).run()


class _Errand:
    """A program that runs as an actor whose handler may be elsewhere meanwhile."""

    def __init__(self, cell: Cell, program: Program[Any, Any]) -> None:
        self._cell = cell
        self._outcome: Exit[Any, Any] | None = None
        self._ended: asyncio.Future[None] | None = None
        # The branch of a fiber: the actor itself does not wait for it, so its asks are on
        # no cycle of actors that wait for each other.
        self._fiber = Fiber(cell.system.table, cell).child(program)
        self._fiber.on_end = self._end

    async def run(self) -> Any:
        """Run it; cancelling this interrupts it and waits for its finalisers."""
        cell = self._cell
        joiners = cell.relations.joiners
        joiners.append(self)
        self._fiber.begin()
        cancelled = False
        while self._outcome is None:
            ended: asyncio.Future[None] = cell.system.loop.create_future()
            self._ended = ended
            try:
                await ended
            except CancelledError:
                cancelled = True  # a second one does not shorten the finalisers
                self._fiber.interrupt()
        if self in joiners:
            joiners.remove(self)
        if cancelled or isinstance(self._outcome, Interrupted):
            raise CancelledError
        return answer_of(self._outcome)

    def _end(self, outcome: Exit[Any, Any]) -> None:
        self._outcome = outcome
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    # ------------------------------------------------------------ a joiner of the actor

    def done(self) -> bool:
        """Tell whether the end of the actor is of no interest any more."""
        return self._outcome is not None

    def set_result(self, _value: object) -> None:
        """Learn that the actor has stopped: nobody steps its programs from now on."""
        self._fiber.abandon()
        self._end(FailedWith(ActorStopped(self._cell.full_path, None, why_stopped(self._cell))))
