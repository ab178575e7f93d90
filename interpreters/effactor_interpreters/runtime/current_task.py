"""The one place that touches asyncio's private idea of the current task.

An actor's cell is itself what `asyncio.current_task()` returns inside its
handlers ("the cell is the task"): there is no asyncio task per actor or per
message. asyncio documents this use of `_enter_task`/`_leave_task` for third-party
tasks, but swapping one current task for another has a public name only in C.

`supported` says whether this Python lets us. Where it does not, each turn of a
cell with `async def` handlers runs in a real task instead.
"""

from __future__ import annotations

import asyncio
import asyncio.tasks
from typing import Any


class _Swapping:
    """The mapping of loops to current tasks, for Pythons without the dict (3.14)."""

    def __init__(self) -> None:
        self._swap: Any = getattr(asyncio.tasks, "_swap_current_task", None)

    def get(self, loop: asyncio.AbstractEventLoop) -> Any:
        return asyncio.current_task(loop)

    def __setitem__(self, loop: asyncio.AbstractEventLoop, task: Any) -> None:
        self._swap(loop, task)

    def __delitem__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._swap(loop, None)


# A plain dict up to 3.13. A mapping and not two functions, because reading and
# writing a dict in place costs half of a call.
current_tasks: Any = getattr(asyncio.tasks, "_current_tasks", None)
if type(current_tasks) is not dict:
    current_tasks = _Swapping()


class _Stranger:
    """Not a task of asyncio's."""


def supported(loop: asyncio.AbstractEventLoop) -> bool:
    """Try whether a foreign object is accepted as the current task of a running loop.

    Args:
        loop: The loop that runs in this thread.

    Returns:
        Whether cells can be the current task on this Python.
    """
    stranger = _Stranger()
    try:
        before = current_tasks.get(loop)
        current_tasks[loop] = stranger
        try:
            # A stranger is no Task, say type checkers; just that is the question.
            accepted = asyncio.current_task(loop) is stranger  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]
        finally:
            if before is None:
                del current_tasks[loop]
            else:
                current_tasks[loop] = before
        return accepted and asyncio.current_task(loop) is before
    except Exception:  # whatever it is, we must do without
        return False
