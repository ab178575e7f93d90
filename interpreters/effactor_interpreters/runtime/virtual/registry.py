"""The registry of virtual actors: what brings an actor into memory when it is spoken to."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, final

from effactor.actors.registry_store import RegistryStore
from effactor.actors.stop_policy import AfterIdle
from effactor.actors.virtual_id import VirtualId, name_of
from effactor.programs.operations import a_duration
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.stopping import join, joins_itself
from effactor_interpreters.runtime.system import ActorSystem
from effactor_interpreters.runtime.virtual.activations import Activations
from effactor_interpreters.runtime.virtual.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.actors.actor import Actor
    from effactor_interpreters.runtime.equipment import Equipped


@final
class VirtualActorRegistry(Messages):
    """Actors that are addressed by class and id, and are in memory only while they are used.

    The first message for an id starts its actor; its stop policy, usually `AfterIdle`, stops
    it, and the next message starts it again. Virtual actors are Orleans' idea (Bykov and
    others, 2011).

    Of each id at most one instance is alive: the next `on_started` begins when `on_stopped`
    has ended and the store has forgotten the id. What an instance has not handled when it
    stops, and what comes meanwhile, is handled by the next one, in order. What fails to
    start fails all asks that wait for it with its error, and the next message tries again.
    A crash loses the mailbox, as always.

    An actor's path is `/virtual/<class with its module>/<id>`, so its `self_ref.name` is
    its id; only `%` and `/` are written `%25` and `%2F` there, and `VirtualId.at(path)` reads
    them. A ref names one instance: what should reach the next one too, send here.

    Its context variables are those of the place where the registry was made. A system has
    one registry, which `VirtualActorRegistry.of(system)` answers; a second one is refused.

    Args:
        system: Where the actors live; its shutdown runs each one's `on_stopped`.
        store: Keeps the ids of active actors outside of this process's memory; None keeps
            none. A store that fails is logged, and holds up no message.
        idle_seconds: Seconds of idleness after which an actor stops whose class has no stop
            policy; None for never.

    Raises:
        RuntimeError: If the system has a registry already.
    """

    def __init__(
        self,
        system: ActorSystem,
        store: RegistryStore | None = None,
        *,
        idle_seconds: float | None = None,
    ) -> None:
        """Begin without active actors."""
        if not isinstance(system, ActorSystem):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"VirtualActorRegistry: system must be an ActorSystem, got {system!r}"
            raise TypeError(msg)
        if store is not None and not isinstance(store, RegistryStore):  # pyright: ignore[reportUnnecessaryIsInstance]
            made = f"; write {store.__name__}()" if isinstance(store, type) else ""
            msg = f"VirtualActorRegistry: store must be a RegistryStore, got {store!r}{made}"
            raise TypeError(msg)
        idle = None
        if idle_seconds is not None:
            if a_duration("VirtualActorRegistry", "idle_seconds", idle_seconds) == 0:
                msg = "VirtualActorRegistry: idle_seconds must be > 0, got 0; None is for ever"
                raise ValueError(msg)
            idle = AfterIdle(idle_seconds)
        if system.virtual_actors is not None:
            msg = (
                f"VirtualActorRegistry: {system!r} has a registry already, and two would make two "
                "instances of one id; get the first with VirtualActorRegistry.of(system)"
            )
            raise RuntimeError(msg)
        super().__init__(Activations(system, store, idle))
        system.virtual_actors = self

    @staticmethod
    def of(system: ActorSystem) -> VirtualActorRegistry:
        """Return the registry of a system.

        Args:
            system: The system.

        Returns:
            The one that was made for it.

        Raises:
            LookupError: If none was made.
        """
        if not isinstance(system, ActorSystem):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"VirtualActorRegistry.of: system must be an ActorSystem, got {system!r}"
            raise TypeError(msg)
        registry = system.virtual_actors
        if registry is None:
            msg = (
                f"VirtualActorRegistry.of: {system!r} has no registry yet; "
                "make one with VirtualActorRegistry(system)"
            )
            raise LookupError(msg)
        return registry

    async def deactivate(self, cls: type[Actor[Any]], id: str) -> None:  # noqa: A002
        """Stop an actor, and wait until its `on_stopped` has ended.

        It handles first what was sent before. An id that is not active stays so. What was
        sent meanwhile starts the actor again.

        Args:
            cls: The actor's class.
            id: Its id.

        Raises:
            Deadlock: In a handler of that actor, which would wait for itself; there, write
                `await self.context.self_ref.stop()`.
        """
        activation = self._activations.active.get(name_of("deactivate", cls, id))
        if activation is not None:
            await self._end([activation.cell])

    async def deactivate_all(self) -> None:
        """Stop all actors that are active now, and wait until each `on_stopped` has ended.

        Raises:
            Deadlock: In a handler of one of them.
        """
        await self._end([activation.cell for activation in self._activations.active.values()])

    async def _end(self, cells: list[Equipped]) -> None:
        system = self._activations.system
        check_here(system, "deactivate")
        current = system.current_cell()
        for cell in cells:
            if current is not None and current.front is cell:
                raise joins_itself(cell)
        for cell in cells:
            system.stop_cell(cell, "graceful")
        for cell in cells:
            await join(cell)

    def is_active(self, cls: type[Actor[Any]], id: str) -> bool:  # noqa: A002
        """Tell whether an actor is in memory.

        Args:
            cls: The actor's class.
            id: Its id.

        Returns:
            True from its first message until its `on_stopped` has ended.
        """
        return name_of("is_active", cls, id) in self._activations.active

    @property
    def active_ids(self) -> list[VirtualId]:
        """The actors that are in memory, in the order of their activation."""
        return list(self._activations.active)

    @property
    def active_count(self) -> int:
        """How many actors are in memory."""
        return len(self._activations.active)

    async def known_ids(self) -> list[VirtualId]:
        """List the actors that are in memory, or in the store.

        The store keeps an id from before `on_started` until after `on_stopped`: so the ids
        that were active when an earlier process died are there, and those which other
        processes have active.

        Returns:
            The active ones first, in the order of their activation. What the store raises is
            raised.
        """
        known = dict.fromkeys(self._activations.active)
        store = self._activations.store
        if store is not None:
            for key in await store.list_all():
                name = VirtualId.from_key(key)
                if name is not None:
                    known[name] = None
        return list(known)

    def on_deactivate(self, callback: Callable[[VirtualId], object]) -> Callable[[], None]:
        """Call a function whenever an actor has left memory, whatever the reason.

        Args:
            callback: Called with the actor's name, after its `on_stopped`. What it raises is
                logged.

        Returns:
            A function that takes the callback back.

        Raises:
            TypeError: If it is no function, or an async one, which nobody would await.
        """
        if not callable(callback) or inspect.iscoroutinefunction(callback):
            msg = f"on_deactivate: callback must be a plain function of the id, got {callback!r}"
            raise TypeError(msg)
        mark = object()
        callbacks = self._activations.callbacks
        callbacks[mark] = callback
        return lambda: callbacks.pop(mark, None) and None
