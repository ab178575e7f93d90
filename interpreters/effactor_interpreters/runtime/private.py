"""Private systems: one for each actor that was started as a ready instance."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar, override

from effactor.actors.props import DEFAULT
from effactor.actors.supervision import Directive, OneForOneStrategy
from effactor.programs.operations import check_spawn
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import StopRequest
from effactor_interpreters.runtime.system import ActorSystem, world_here

if TYPE_CHECKING:
    from effactor.actors.actor import Actor
    from effactor.actors.props import Props
    from effactor.actors.ref import ActorRef
    from effactor.actors.supervision import SupervisorStrategy

M = TypeVar("M")


class PrivateSystem(ActorSystem):
    """The system of one actor, its descendants and what they start; it ends with the actor.

    A ready instance cannot be made anew, so the actor's failure stops it. All others
    are supervised as in any system.
    """

    def __init__(self) -> None:
        """Make the system; `start` starts its actor."""
        # Nothing bounds how many private systems ask each other, so none of them handles
        # asks on the asker's stack. It also keeps them small: they need one driver.
        world = world_here(inline=False)
        self._number: int = world.names.private()
        super().__init__(f"private-{self._number}", world=world)
        self.is_private: bool = True
        # Refs are equal if path and incarnation are, and users choose names.
        self.incarnation: int = self._number
        self._root: Cell | None = None
        self._once = OneForOneStrategy(decider=self._stop)

    async def start(self, actor: Actor[M], name: str | None, how: Props) -> ActorRef[M]:
        """Start the actor; the system ends if that fails."""

        def make() -> Actor[M]:
            return actor

        try:
            return await self.spawn_child(None, make, name, how)
        except BaseException:
            # Also if it was cancelled: nobody would have the ref.
            if self._root is not None:
                self.stop_cell(self._root, "now")
            else:
                self.start_nothing_more()
            raise

    @override
    def create(
        self,
        parent: Cell | None,
        factory: Any,
        name: str | None,
        how: Props = DEFAULT,
        **options: Any,
    ) -> Cell:
        cell = super().create(parent, factory, name, how, **options)
        if self._root is None:
            self._root = cell
        return cell

    @override
    def number(self, name: str) -> str:
        return super().number(name) if self._root is not None else f"{name}#p{self._number}"

    @override
    def strategy_for(self, cell: Cell) -> SupervisorStrategy:
        return self._once if cell is self._root else super().strategy_for(cell)

    def _stop(self, error: BaseException) -> Directive:
        if self._root is not None:
            self.log.error(
                "%s stops, because a started instance cannot be made anew: it raised %r",
                self._root.full_path,
                error,
            )
        return Directive.STOP

    @override
    def forget(self, cell: Cell) -> None:
        super().forget(cell)
        if cell is not self._root:
            return
        # What its handlers started outside of it ends with it.
        self.start_nothing_more()
        for run in list(self.runs):
            run.fiber.interrupt()
        self.timers.end(None)
        for other in list(self.cells.values()):
            if other.parent is None:
                self.world.deliver(other, StopRequest("graceful", cell.full_path))


async def start(actor: Actor[M], name: str | None = None, how: Props = DEFAULT) -> ActorRef[M]:
    """Start a ready instance in a private system.

    Args:
        actor: The instance.
        name: Its name; None makes one from the class's.
        how: How it is run.

    Returns:
        Its ref, after `on_started`.

    Raises:
        RuntimeError: If it was started or spawned before, or no event loop runs.
    """
    kind = type(actor).__name__
    cell = getattr(actor, "_cell", None)
    if isinstance(cell, Cell):
        state = "runs already" if cell.is_alive else "has stopped, and cannot start again"
        msg = f"start: this {kind} {state} ({cell.full_path}); make a new {kind}(...)"
        raise RuntimeError(msg)  # noqa: TRY004 - its type is right, its past is not
    check_spawn("start", type(actor), name)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        msg = f"start: no event loop runs here; await {kind}(...).start() in asyncio.run(main())"
        raise RuntimeError(msg) from None
    return await PrivateSystem().start(actor, name, how)
