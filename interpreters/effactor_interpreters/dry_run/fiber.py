"""A fiber that knows at every operation which `named` programs it is inside of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor.programs.program import Named
from effactor_interpreters.runtime.engine.fiber import NAMED, Fiber

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from effactor_interpreters.dry_run.recorder import Recorder

DEPTH: Final = 32
"""Names that a record keeps: a program that calls itself may be inside thousands."""


class NamingFiber(Fiber):
    """The engine's fiber, which follows the names as it enters and leaves them.

    The frames cannot be asked while the engine runs: it keeps them in a local
    variable and stores them only when it waits.

    Attributes:
        recorder: Its owner, which is told the names.
    """

    __slots__ = ("_depth", "recorder")

    def __init__(self, table: Mapping[type[Any], Callable[[Any], Any]], recorder: Recorder) -> None:
        super().__init__({cls: _fiberless(f) for cls, f in table.items()}, recorder)
        self.recorder = recorder
        self._depth = 0

    @override
    def _enter(self, p: Any, t: type[Any], frames: Any) -> tuple[Any, Any]:
        if t is Named:
            self._depth += 1
            if self._depth <= DEPTH:
                self.recorder.within += (p.name,)
        return super()._enter(p, t, frames)

    @override
    def _leave(self, kind: int, payload: Any, v: Any) -> tuple[int, Any]:
        if kind == NAMED:
            if self._depth <= DEPTH:
                self.recorder.within = self.recorder.within[:-1]
            self._depth -= 1
        return super()._leave(kind, payload, v)

    @override
    def _unwind(self, kind: int, error: Any) -> Any:
        following = super()._unwind(kind, error)
        if self._depth:
            names = list(self.names())
            self._depth = len(names)
            self.recorder.within = tuple(reversed(names))[:DEPTH]
        return following


def _fiberless(answer: Callable[[Any], Any]) -> Callable[[Any, Fiber], Any]:
    return lambda operation, _fiber: answer(operation)
