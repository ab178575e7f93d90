"""Nothing is lost: what has no way to anybody goes to the log, and several become one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from effactor.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from effactor_interpreters.runtime.engine.fiber import Fiber

_LOG: Final = logging.getLogger("effactor.program")


def lost(fiber: Fiber, what: str, error: Any) -> None:
    """Log a failure or defect that has no way to whoever runs the program.

    Args:
        fiber: The fiber that met it.
        what: How it came about, in words.
        error: The failure or defect.
    """
    exception = error if isinstance(error, BaseException) else Failed(error)
    who = getattr(fiber.owner, "full_path", fiber.owner.description)
    _LOG.error("%s: %s", who, what, exc_info=exception)


def together(message: str, defects: Sequence[BaseException]) -> BaseException:
    """Make one exception of several.

    Args:
        message: What they have in common.
        defects: At least one.

    Returns:
        The only one, or a group of them.
    """
    return defects[0] if len(defects) == 1 else BaseExceptionGroup(message, defects)
