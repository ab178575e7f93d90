"""When a live system comes to rest: no message is under way, and no handler runs.

Nothing is counted while messages flow. Instead each actor that is busy gets a probe,
which it meets when it has handled the mail before it; when all probes are back, one
looks again. A chain of actors that wait for the outside world takes a look for each
link, all else a few looks in total.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor_interpreters.runtime.controls import Control, Question
from effactor_interpreters.runtime.states import IDLE, STOPPED
from effactor_interpreters.runtime.stopping import when_stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.system import ActorSystem

_AT_REST: Final = frozenset({IDLE, STOPPED})


class Probe(Control):
    """Answers when the mail before it has been handled."""

    __slots__ = ()

    @override
    def run(self, cell: Cell) -> Generator[Any, Any, Any]:
        yield from ()

    @override
    def __repr__(self) -> str:
        return "probe"


PROBE = Probe()


class Rest:
    """Looks until the system rests; the reply of its own probes."""

    def __init__(self, system: ActorSystem, callback: Callable[[], None]) -> None:
        """Begin to look soon."""
        self._system = system
        self._callback = callback
        self._left = 0
        # Who was busy before is busy again most probably.
        self._known: dict[Cell, None] = {}
        system.loop.call_soon(self._look)

    def _look(self) -> None:
        cells = self._system.cells
        busy = _busy(self._known) or _busy(cells.values())
        self._known.update(dict.fromkeys(busy))
        self._left = len(busy)
        for cell in busy:
            crew = cell.leads
            if crew is not None and crew.busy:
                crew.when_quiet(self)
            elif cell.closed:
                when_stopped(cell, self)
            else:
                cell.accept(Question((PROBE, self)))
        if not busy:
            self._callback()

    def done(self) -> bool:
        """Tell whether it is settled: never, it waits for many."""
        return False

    def set_result(self, _value: object) -> None:
        """Learn that one actor has met its probe, or has stopped."""
        self._left -= 1
        if not self._left:
            # Soon: the turn that met the probe is not over yet. And not sooner than the turn after
            # it, or an actor whose turns are tasks would meet nothing but probes.
            loop = self._system.loop
            loop.call_soon(loop.call_soon, self._look)

    def set_exception(self, _error: BaseException) -> None:
        """Learn that one actor refuses its probe, because it stops."""
        self.set_result(None)


def is_busy(cell: Cell) -> bool:
    """Tell whether a cell handles something, or has mail."""
    crew = cell.leads
    return (
        cell.state not in _AT_REST or bool(cell.mailbox) or (crew is not None and bool(crew.busy))
    )


def _busy(cells: Iterable[Cell]) -> list[Cell]:
    return [cell for cell in cells if is_busy(cell)]
