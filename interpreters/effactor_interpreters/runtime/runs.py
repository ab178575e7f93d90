"""A run: a program on its own, outside of any actor. It is an anonymous actor."""

from __future__ import annotations

from asyncio import CancelledError
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from effactor.actors.ref import ActorRef, Unbound
from effactor.programs.naming import name_of
from effactor_interpreters.runtime.engine.fiber import Fiber

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from effactor.programs.exits import Exit
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.engine.contents import Contents
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.world import Timer


class Run:
    """Owns the fiber of one `run_free`.

    Attributes:
        system: The system it runs in.
        program: The program.
        fiber: Its fiber.
    """

    __slots__ = ("__weakref__", "_path", "_variables", "fiber", "program", "system")

    def __init__(self, system: ActorSystem, program: Program[Any, Any, Any]) -> None:
        self.system: ActorSystem = system
        self.program: Program[Any, Any, Any] = program
        self.fiber: Fiber = Fiber(system.table, self)
        self._path: str | None = None
        self._variables: Any = None

    @property
    def path(self) -> str:
        """Path of the anonymous actor, such as `/checkout#1`; numbered when first asked for."""
        if self._path is None:
            self._path = f"/{self.system.number(name_of(self.program))}"
        return self._path

    @property
    def full_path(self) -> str:
        """The path with the system's name in front, for people."""
        return f"/{self.system.name}{self.path}"

    @property
    def ref(self) -> ActorRef[Any]:
        """A ref that names the run; a run receives no messages."""
        return ActorRef(self.path, 0, Unbound(self.path))

    @property
    def description(self) -> str:
        """Name the interpreter, for errors."""
        return f"the actor system {self.system.name!r}"

    def begin(self) -> Exit[Any, Any] | None:
        """Run until the program ends or waits.

        Returns:
            Its exit, or None if it waits.
        """
        system = self.system
        outer, system.running = system.running, self
        try:
            return self.fiber.start(self.program)
        finally:
            system.running = outer

    async def end(self) -> Exit[Any, Any]:
        """Wait for the program's end. Cancelling this interrupts the program.

        Returns:
            Its exit.

        Raises:
            CancelledError: After a cancellation, once the finalisers have run.
        """
        self.system.runs[self] = None
        try:
            return await self._future()
        except CancelledError:
            self.fiber.interrupt()
            while self.fiber.outcome is None:
                try:
                    await self._future()
                except CancelledError:
                    continue  # a second one does not shorten the finalisers
            raise
        finally:
            self.system.forget_run(self)

    def _future(self) -> asyncio.Future[Exit[Any, Any]]:
        future: asyncio.Future[Exit[Any, Any]] = self.system.loop.create_future()

        def ended(outcome: Exit[Any, Any]) -> None:
            if not future.done():
                future.set_result(outcome)

        self.fiber.on_end = ended
        if self._variables is None:
            self._variables = copy_context()
        return future

    # ------------------------------------------------------------ owner of the fiber

    # No actor keeps states for it, and it handles no messages.
    states: None = None
    relations_made: None = None

    @property
    def coordination(self) -> Contents:
        """What is in the queues and the like of its system."""
        return self.system.coordination

    def wake(self, fiber: Fiber) -> None:
        """Let the fiber go on soon."""
        self.system.make_ready(fiber)

    def run_fiber(self, fiber: Fiber) -> None:
        """Let the fiber go on now."""
        system = self.system
        outer, system.running = system.running, self
        try:
            if self._variables is None:
                fiber.turn()
            else:
                self._variables.run(fiber.turn)
        finally:
            system.running = outer

    def clock(self) -> float:
        """Return the seconds of the clock that timers go by."""
        now: float = self.system.loop.time()
        return now

    def call_later(self, seconds: float, callback: Callable[[], None], what: str) -> Timer:
        """Call *callback* after *seconds*."""
        return self.system.world.call_later(seconds, callback, what)

    def out_of_fuel(self, fiber: Fiber) -> bool:
        """Let others run: a program without waits must not keep the loop."""
        self.system.world.refuel(self.full_path)
        self.system.make_ready(fiber)
        return True
