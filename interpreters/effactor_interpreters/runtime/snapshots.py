"""The states of a system's actors, saved and loaded: `save_state` and `load_state`.

Each actor is asked between two messages, by a control in its mailbox, so that no handler
is in the middle of something.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import override

from effactor.actors.actor import Actor
from effactor.errors import ActorStopped, HandlerFailed, UnknownActors
from effactor_interpreters.runtime.controls import Control, Question
from effactor_interpreters.runtime.engine.notes import note
from effactor_interpreters.runtime.engine.signals import FATAL
from effactor_interpreters.runtime.here import check_here
from effactor_interpreters.runtime.pools import Worker
from effactor_interpreters.runtime.quiescence import Probe

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.system import ActorSystem

Unknown = Literal["fail", "skip"]


class SaveState(Control):
    """Answer the actor's state, or a `_NotSaved`: the actor lives on either way."""

    __slots__ = ()

    behind_mail = True

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        crew = cell.leads
        if crew is not None:
            yield from crew.rest()
        try:
            # A copy: what the hook returns may be what the next message changes.
            return deepcopy((yield from cell.finish(cell.actor.save_state())))
        except FATAL:
            raise
        except Exception as error:
            return _NotSaved(error)

    @override
    def __repr__(self) -> str:
        return "save_state"


class _NotSaved:
    """What `save_state` of an actor raised."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class LoadState(Control):
    """Give the actor a state. What that raises is a failure like a handler's.

    Attributes:
        state: The state.
    """

    __slots__ = ("state",)

    behind_mail = True

    def __init__(self, state: Any) -> None:
        self.state: Any = state

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        crew = cell.leads
        if crew is not None:
            yield from crew.rest()
        yield from cell.finish(cell.actor.load_state(self.state))

    @override
    def __repr__(self) -> str:
        return "load_state"


class _Behind(Probe):
    """Answers when the mail before it has been taken, in whatever order."""

    __slots__ = ()

    behind_mail = True


_SAVE = SaveState()
_BEHIND = _Behind()


class _ThroughFront:
    """The reply of a pool's front to `_BEHIND`: what it handed out before, its worker has."""

    __slots__ = ("_control", "_reply", "_worker")

    def __init__(self, worker: Worker, control: Control, reply: Any) -> None:
        self._worker = worker
        self._control = control
        self._reply = reply

    def done(self) -> bool:
        """Tell whether nobody waits any more."""
        return bool(self._reply.done())

    def set_result(self, _value: object) -> None:
        """Go on to the worker."""
        worker = self._worker
        worker.system.world.deliver(worker, Question((self._control, self._reply)))

    def set_exception(self, error: BaseException) -> None:
        """Learn that the front stops, and so its workers."""
        if not self._reply.done():
            self._reply.set_exception(error)


def _give(cell: Cell, control: Control, reply: Any) -> None:
    """Give an actor a control that waits for the mail before it; a pool has that of its workers."""
    if isinstance(cell, Worker):
        front = cell.crew.front
        through = _ThroughFront(cell, control, reply)
        cell.system.world.deliver(front, Question((_BEHIND, through)))
    else:
        cell.system.world.deliver(cell, Question((control, reply)))


def save(system: ActorSystem) -> Coroutine[Any, Any, dict[str, Any]]:
    """Do what `ActorSystem.save_state` promises; what it must not be called from is at once."""
    _check_outside(system, "save_state")
    return _save(system)


def load(
    system: ActorSystem, states: Mapping[str, Any], unknown: Unknown
) -> Coroutine[Any, Any, None]:
    """Do what `ActorSystem.load_state` promises; wrong arguments are errors at once."""
    _check_outside(system, "load_state")
    if not isinstance(states, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"load_state: states must be a mapping of paths to states, got {states!r}"
        raise TypeError(msg)
    if unknown not in ("fail", "skip"):  # no set: it may be unhashable
        msg = f'load_state: unknown must be "fail" or "skip", got {unknown!r}'
        raise ValueError(msg)
    return _load(system, _targets(system, states, unknown))


def _check_outside(system: ActorSystem, where: str) -> None:
    check_here(system, where)
    cell = system.current_cell()
    if cell is not None and cell.system is system:
        msg = (
            f"{where} waits for the handlers of all actors, so a handler must not wait for it, "
            f"as one of {cell.full_path} does: call it from outside"
        )
        raise RuntimeError(msg)


async def _save(system: ActorSystem) -> dict[str, Any]:
    if system.loop is None:
        return {}
    system.bind()
    asked: list[tuple[Cell, Any]] = []
    for cell in list(system.cells.values()):
        if type(cell.actor).save_state is not Actor.save_state and cell.is_alive:
            reply = system.loop.create_future()
            _give(cell, _SAVE, reply)
            asked.append((cell, reply))
    states: dict[str, Any] = {}
    try:
        for cell, reply in asked:
            try:
                state = await reply
            except ActorStopped:
                continue  # it has no state any more
            if isinstance(state, _NotSaved):
                raise HandlerFailed(cell.full_path, _SAVE, state.error) from state.error
            if state is not None:
                states[cell.ref.path] = state
    finally:
        for _, reply in asked:
            reply.cancel()
    return states


def _targets(
    system: ActorSystem, states: Mapping[str, Any], unknown: Unknown
) -> list[tuple[Cell, Any]]:
    """Find the actors, in the order of their start, each with a state of its own."""
    found: dict[Cell, Any] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for path, state in states.items():
        if not isinstance(path, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"load_state: the keys of states must be paths, got {path!r}"
            raise TypeError(msg)
        cell = system.cells.get(path) or system.cells.get(system.relative(path))
        if cell is None or not cell.is_alive:
            missing[path] = system.nearest(path)
        elif cell in found:
            msg = f"load_state: states has {cell.ref.path!r} twice, also as {cell.full_path!r}"
            raise ValueError(msg)
        elif type(cell.actor).load_state is Actor.load_state:
            kind = type(cell.actor).__name__
            msg = (
                f"load_state: there is a state for {cell.full_path}, but {kind} has no load_state; "
                f"define {kind}.load_state(self, state), or leave {path!r} out"
            )
            raise TypeError(msg)
        else:
            found[cell] = _copied(path, state)
    if missing and unknown == "fail":
        raise UnknownActors(missing)
    return [(cell, found[cell]) for cell in system.cells.values() if cell in found]


def _copied(path: str, state: Any) -> Any:
    """Copy a state, so that the actor does not share it with its giver."""
    try:
        return deepcopy(state)
    except Exception as error:
        note(error, f"load_state: the state for {path!r} cannot be copied")
        raise


async def _load(system: ActorSystem, targets: list[tuple[Cell, Any]]) -> None:
    if not targets:
        return
    system.bind()
    for cell, state in targets:
        control = LoadState(state)
        reply = system.loop.create_future()
        _give(cell, control, reply)
        try:
            await reply
        except ActorStopped as error:
            if error.target == cell.full_path or error.message is _BEHIND:
                raise
            raise HandlerFailed(cell.full_path, control, error) from error
        except HandlerFailed as error:
            if error.message is control:
                raise
            raise HandlerFailed(cell.full_path, control, error) from error
        except Exception as error:
            raise HandlerFailed(cell.full_path, control, error) from error
