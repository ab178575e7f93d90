"""The command `effactor`: a door to the command line, which is an extra."""

from __future__ import annotations

import sys
from typing import Final

_NEEDED: Final = frozenset({"click", "rich"})
_WRONG_INPUT: Final = 2


def main() -> int:
    """Run the command line, or say how to install it.

    Returns:
        The exit status.
    """
    try:
        from effactor_interpreters.command_line.main import main as run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        sys.stderr.write("effactor: the command line needs: pip install 'effactor[cli]'\n")
        return _WRONG_INPUT
    return run()


if __name__ == "__main__":
    sys.exit(main())
