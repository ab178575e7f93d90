"""The virtual actors of one system that are in memory: found by class and id, or begun."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

from effactor.actors.mailboxes import FifoInbox
from effactor.actors.props import props
from effactor.actors.virtual_id import VirtualId, name_of
from effactor_interpreters.runtime.equipment import Equipped
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.policies import policy_of
from effactor_interpreters.runtime.virtual.activation import Activation

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    from effactor.actors.actor import Actor
    from effactor.actors.props import SpawnOptions
    from effactor.actors.registry_store import RegistryStore
    from effactor.actors.stop_policy import AfterIdle
    from effactor_interpreters.runtime.system import ActorSystem


@final
class Activations:
    """Those of one registry.

    Attributes:
        system: Where they live.
        store: Keeps their ids outside of this process's memory, or None.
        active: Each of them by its name, in the order they began.
        callbacks: Who is told that one has left memory.
    """

    __slots__ = ("_context", "_idle", "active", "callbacks", "store", "system")

    def __init__(
        self, system: ActorSystem, store: RegistryStore | None, idle: AfterIdle | None
    ) -> None:
        """Begin without any.

        Args:
            system: Where they live.
            store: Where their ids go, or None.
            idle: The stop policy of classes that have none, or None.
        """
        self.system: ActorSystem = system
        self.store: RegistryStore | None = store
        self.active: dict[VirtualId, Activation] = {}
        self.callbacks: dict[object, Callable[[VirtualId], object]] = {}
        self._idle: AfterIdle | None = idle
        self._context: Context = copy_context()

    def find(self, where: str, cls: type[Actor[Any]], id_: str, how: SpawnOptions) -> Equipped:
        """Return the incarnation to send to; without one, make it.

        Args:
            where: The function that was called, for errors.
            cls: The class.
            id_: The id.
            how: Keywords of `spawn`.

        Returns:
            As `cell_of`.

        Raises:
            TypeError: If an actor of another class that has the same name is active.
        """
        return self.cell_of(self.look(where, cls, id_, how))

    def look(self, where: str, cls: type[Actor[Any]], id_: str, how: SpawnOptions) -> Activation:
        """Return the activation of a class and an id, which has begun if there was one.

        Args:
            where: The function that was called, for errors.
            cls: The class.
            id_: The id.
            how: Keywords of `spawn`.

        Returns:
            The activation.

        Raises:
            TypeError: If an actor of another class that has the same name is active.
        """
        name = name_of(where, cls, id_)
        activation = self.active.get(name)
        if activation is None:
            self.system.bind()
            check_here(self.system, where)
            return Activation(self, name, cls, props(where, how))
        if activation.kind is not cls:
            msg = (
                f"{where}: {name} is active, as an actor of another class of the same name; "
                f"deactivate it first, or give {cls.__name__} another __qualname__"
            )
            raise TypeError(msg)
        if how:
            activation.how = props(where, how)
        return activation

    def cell_of(self, activation: Activation) -> Equipped:
        """Return the incarnation of the moment; of an activation that has not begun, the first.

        Args:
            activation: The activation.

        Returns:
            Its cell, which may be stopping: then it passes on what it is sent. What the
            constructor raises is raised.
        """
        if activation.name not in self.active:
            activation.begin()
            self.active[activation.name] = activation
        return activation.cell

    # ------------------------------------------------------------ what activations ask and tell

    def incarnate(self, activation: Activation) -> Equipped:
        """Make a cell for an activation; `on_started` has yet to run.

        Args:
            activation: The activation.

        Returns:
            The cell. What the constructor raises is raised.
        """
        # A copy of its own: the props with which cells are plain are recognised by identity.
        how = replace(activation.how)
        name = activation.name.path.removeprefix("/")
        create = self.system.create
        cell: Any = self._context.copy().run(create, None, activation.kind, name, how)
        assert isinstance(cell, Equipped)
        equipment = cell.equipment_made
        if equipment.inbox is None:
            # Mail must be in one place, even in a world where it would be under way.
            equipment.inbox = FifoInbox(None, "block")
            cell.equip(equipment)
        if self._idle is not None and equipment.policy is None:
            equipment.policy = policy_of(cell, self._idle)
            if not cell.starting:
                cell.ready_for_mail()
        if self.store is not None:
            cell.relations.starting = True
        return cell

    def ended(self, activation: Activation) -> None:
        """Tell whoever wants to know that an incarnation has ended.

        Args:
            activation: The activation.
        """
        for callback in list(self.callbacks.values()):
            try:
                callback(activation.name)
            except Exception:
                self.system.log.exception("a callback of on_deactivate failed")

    def forget(self, activation: Activation) -> None:
        """Take an activation out.

        Args:
            activation: The activation.
        """
        self.active.pop(activation.name, None)
