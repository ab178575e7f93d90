"""Names of the systems that were given none: no two that live at once are confused in logs."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from effactor_interpreters.runtime.system import ActorSystem

NAMELESS: Final = "system"
"""What the first nameless system is called, and what paths may call any of them."""


class Names:
    """Hands out names; a world has one of these.

    The live world's are the process's, as the logs are, so systems on several threads
    ask for them.
    """

    def __init__(self) -> None:
        self._nameless: WeakValueDictionary[int, ActorSystem] = WeakValueDictionary()
        self._private = count(1)
        self._lock = threading.Lock()

    def nameless(self, system: ActorSystem) -> str:
        """Name a system: `system`, or `system-2` and so on while others of these live.

        Args:
            system: The system.

        Returns:
            Its name, with the lowest free number.
        """
        with self._lock:
            for number in count(1):
                holder = self._nameless.get(number)
                if holder is None or holder.is_over:
                    self._nameless[number] = system
                    return NAMELESS if number == 1 else f"{NAMELESS}-{number}"
        raise AssertionError

    def private(self) -> int:
        """Number a private system; no number is given twice."""
        with self._lock:
            return next(self._private)
