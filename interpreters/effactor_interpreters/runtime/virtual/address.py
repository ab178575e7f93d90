"""What refs of virtual actors are bound to in programs: the actor is looked for when one runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from effactor.actors.ref import ActorRef, Unbound
from effactor.errors import ActorStopped, HandlerFailed
from effactor_interpreters.runtime.engine.signals import FATAL, OperationFailed
from effactor_interpreters.runtime.waits import is_declared

if TYPE_CHECKING:
    from effactor.actors.actor import Actor
    from effactor.actors.props import SpawnOptions
    from effactor.actors.virtual_id import VirtualId
    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.virtual.activations import Activations


@final
class Address(Unbound):
    """The class and id of a virtual actor, for one message of a program.

    An actor's own ref names one instance, and the program may run when that is gone. Other
    interpreters see a ref of the actor's path.
    """

    __slots__ = ("_activations", "_cls", "_how", "_id", "_message", "_where")

    def __init__(
        self,
        activations: Activations,
        where: str,
        cls: type[Actor[Any]],
        name: VirtualId,
        message: Any,
        how: SpawnOptions,
    ) -> None:
        """Keep all.

        Args:
            activations: Where it is found, or begun.
            where: The function that was called, for errors.
            cls: The class.
            name: The name, of that class.
            message: The message, for errors.
            how: Keywords of `spawn`.
        """
        super().__init__(name.path)
        self._activations = activations
        self._where = where
        self._cls = cls
        self._id = name.id
        self._message = message
        self._how = how

    def ref(self) -> ActorRef[Any]:
        """Make a ref for the program."""
        return ActorRef(self.path, None, self)

    def cell_in(self, system: ActorSystem) -> Cell:
        """Return the incarnation to send to; without one, make it.

        Args:
            system: Where the program runs.

        Returns:
            Its cell.

        Raises:
            OperationFailed: For an ask, if the system shuts down or the constructor raises.
            RuntimeError: If the actor lives in another system.
        """
        activations, message = self._activations, self._message
        if activations.system is not system:
            msg = (
                f"{self._where}: {self.path} lives in the system {activations.system.name!r}, and "
                f"the program runs in {system.name!r}; run it there, or use a registry of its own"
            )
            raise RuntimeError(msg)
        activation = activations.look(self._where, self._cls, self._id, self._how)
        try:
            return activations.cell_of(activation)
        except FATAL:
            raise
        except Exception as error:
            if self._where == "free_tell":  # it has no failures
                raise
            if isinstance(error, ActorStopped) or is_declared(message, error):
                raise OperationFailed(error) from None
            # As if `on_started` had raised it: whether it is the constructor is no matter.
            path = f"/{system.name}{self.path}"
            raise OperationFailed(HandlerFailed(path, message, error)) from None
