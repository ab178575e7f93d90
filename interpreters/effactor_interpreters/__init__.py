"""The interpreters of effactor, one room each; users import `effactor.interpreters`.

* `runtime`: the actors and the program engine, which all worlds share
* `live`: on asyncio
* `simulation`: on virtual time, in orders that a seed draws
* `dry_run`: on stubs, performing nothing
* `command_line`: all three from a shell
"""

from __future__ import annotations

import logging

# What a library owes its users: silence unless they set logging up themselves.
logging.getLogger("effactor").addHandler(logging.NullHandler())
