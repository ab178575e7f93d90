"""Whether code runs where a system's actors live: on its loop, and in no thread of a dispatcher.

The quickest ways in look now and then only, see the guide on threads. All others ask here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effactor_interpreters.runtime.system import ActorSystem


def elsewhere(who: str, what: str = "") -> RuntimeError:
    """Make the error of something that belongs to a loop, and was done in another place.

    Args:
        who: What lives on the loop: an actor's path, or words for a system.
        what: The function that was called, if that says more than where it was done.

    Returns:
        The error.
    """
    where = f"{what}: " if what else ""
    return RuntimeError(
        f"{where}{who} lives in another event loop: call ref.tell_threadsafe(message) or "
        "ref.ask_threadsafe(message) here, in other threads and other loops; a handler that runs "
        "in a thread may return a program or a coroutine, too, which runs on the loop"
    )


def check_here(system: ActorSystem | Any, what: str) -> None:
    """Refuse what may only be done where the system's actors live.

    Args:
        system: The system; one that has not begun has no place yet.
        what: The function that was called.

    Raises:
        RuntimeError: In another thread, in another event loop, and in a handler that a
            dispatcher runs.
    """
    if system.loop is not None and not system.world.is_here():
        raise elsewhere(f"the actor system {system.name!r}", what)
