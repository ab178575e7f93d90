"""The actor system: what users start, ask to run programs, and shut down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self

from typing_extensions import TypeVar

from effactor.programs.exits import Interrupted
from effactor.programs.structure import a_program
from effactor_interpreters.runtime.controls import StopRequest
from effactor_interpreters.runtime.engine.contents import Contents
from effactor_interpreters.runtime.engine.synchronous import answer_of
from effactor_interpreters.runtime.lifecycle import DEFAULT_STRATEGY
from effactor_interpreters.runtime.operations import Operations
from effactor_interpreters.runtime.registry import Registry
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.stopping import close, stopped, when_stopped
from effactor_interpreters.runtime.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from effactor.actors.actor import Actor
    from effactor.actors.ref import ActorRef, StopMode
    from effactor.actors.supervision import OneForOneStrategy
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.world import World

A = TypeVar("A")
M = TypeVar("M")

_GRACE: Final = 1.0


class ActorSystem(Registry):
    """A system of actors on one event loop.

    Use it as `async with ActorSystem("bank") as system`; leaving the block stops
    all actors. Everything happens on the loop's thread. `dead_letters` holds the
    latest messages that nobody handled.

    Args:
        name: First segment of full paths, such as `/bank/counter`.
        strategy: How actors without a parent are supervised, and children whose
            parent has no strategy of its own.
        world: Where the system runs; None means live, on the running event loop.
    """

    def __init__(
        self,
        name: str = "system",
        *,
        strategy: OneForOneStrategy = DEFAULT_STRATEGY,
        world: World | None = None,
    ) -> None:
        """Make a system; it starts with its first actor or run."""
        is_text = isinstance(name, str)  # pyright: ignore[reportUnnecessaryIsInstance]
        if not is_text or not name or "/" in name:
            msg = f"ActorSystem: name must be a text without slashes, got {name!r}"
            raise ValueError(msg)
        if world is None:
            # The one place where the runtime names a world: users write
            # ActorSystem("bank") and mean the live one.
            from effactor_interpreters.live.world import LiveWorld

            world = LiveWorld()
        super().__init__(name, world, strategy)
        self.runs: dict[Run, None] = {}
        self.coordination: Contents = Contents()
        self.timers: Timers = Timers()
        self.table: dict[type[Any], Callable[[Any, Fiber], Any]] = Operations(self).table()
        self._runs_ended: list[Any] = []

    # ------------------------------------------------------------ actors

    async def spawn(self, actor: Callable[[], Actor[M]], name: str | None = None) -> ActorRef[M]:
        """Start an actor and wait for its `on_started`.

        Args:
            actor: The actor's class, or a function without arguments that makes one.
            name: Its name, unique in the system; None makes one from the class's.

        Returns:
            The actor's ref. What the constructor or `on_started` raises is raised.

        Raises:
            NameTaken: If an actor of this name lives.
            TypeError: If *actor* makes no actor.
            ActorStopped: If the system shuts down.
        """
        return await self.spawn_child(None, actor, name)

    async def get_actor(self, path: str) -> ActorRef[Any]:
        """Find a living actor by its path.

        Args:
            path: Path within the system, such as `/counter`, or with the system's
                name in front, `/bank/counter`.

        Returns:
            Its ref.

        Raises:
            ActorNotFound: If there is none; it names the nearest paths.
        """
        return self.at(path)

    # ------------------------------------------------------------ programs

    async def run_free(self, program: Program[A, Any]) -> A:
        """Run a program: in a handler as that actor, elsewhere as an anonymous one.

        Args:
            program: The program.

        Returns:
            Its answer.

        Raises:
            Failed: If it failed with a value that is no exception. A failure that
                is one is raised itself; for `HandlerFailed`, what the handler
                raised. Defects are raised as they are.
        """
        if self.loop is None:
            self.bind()
        program = a_program("run_free", "program", program)
        cell = self.current_cell()
        if cell is not None:
            answer: A = await cell.run_program(program)
            return answer
        run = Run(self, program)
        outcome = run.begin()
        if outcome is None:
            outcome = await run.end()
        if type(outcome) is Interrupted:
            raise asyncio.CancelledError
        result: A = answer_of(outcome)
        return result

    # ------------------------------------------------------------ the end

    async def shutdown(self, *, timeout: float = 10.0) -> None:
        """Interrupt the runs, then stop all actors gracefully.

        Args:
            timeout: Seconds to wait for the runs' finalisers, and then for the
                actors; after that handlers that still run are cancelled, and one
                that survives even that is left behind, and logged.

        Raises:
            RuntimeError: In a handler, which would wait for itself.
        """
        if self.loop is None:
            self.start_nothing_more()
            return
        self.bind()
        if self.current_cell() is not None:
            msg = (
                "shutdown waits for all handlers, so a handler must not wait for it: "
                "stop actors one by one, or shut down from outside"
            )
            raise RuntimeError(msg)
        self.start_nothing_more()
        # The runs first: their finalisers may need the actors.
        for run in list(self.runs):
            run.fiber.interrupt()
        await self._all_ended(timeout)
        self.timers.end(None)
        mode: StopMode = "graceful"
        for patience in (timeout, _GRACE):
            for cell in self._roots():
                request = StopRequest(mode, f"/{self.name}")
                self.world.deliver(cell, request, urgent=mode != "graceful")
            if await self._all_stopped(patience):
                return
            mode = "now"
        for cell in list(self.cells.values()):
            self.log.error("%s does not stop; it is left behind", cell.full_path)
            close(cell, "left behind by shutdown")
            stopped(cell)

    def _roots(self) -> list[Cell]:
        return [cell for cell in self.cells.values() if cell.parent is None]

    async def _all_stopped(self, patience: float) -> bool:
        roots = self._roots()
        if not roots:
            return True
        ended = self.loop.create_future()
        left = len(roots)

        class Countdown:
            """The reply that the last root's end completes."""

            def done(self) -> bool:
                return False

            def set_result(self, _value: object) -> None:
                nonlocal left
                left -= 1
                if left == 0 and not ended.done():
                    ended.set_result(True)

        for cell in roots:
            when_stopped(cell, Countdown())
        timer = self.world.call_later(
            patience, lambda: ended.done() or ended.set_result(False), "patience of shutdown"
        )
        try:
            return bool(await ended)
        finally:
            timer.cancel()

    async def _all_ended(self, patience: float) -> None:
        if not self.runs:
            return
        ended = self.loop.create_future()
        self._runs_ended.append(ended)
        timer = self.world.call_later(
            patience, lambda: ended.done() or ended.set_result(None), "patience of shutdown"
        )
        try:
            await ended
        finally:
            timer.cancel()
            self._runs_ended.remove(ended)

    def forget_run(self, run: Run) -> None:
        """Take a run out that has ended."""
        del self.runs[run]
        for ended in () if self.runs else self._runs_ended:
            if not ended.done():
                ended.set_result(None)

    async def __aenter__(self) -> Self:
        """Attach the system to the running loop."""
        self.bind()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all actors."""
        await self.shutdown(timeout=10.0 if kind is None else 0.0)
