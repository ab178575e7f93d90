"""The interpreters of effactor, one room each; users import `effactor.interpreters`.

* `runtime`: the actors and the program engine, which all worlds share
* `live`: on asyncio
* `simulation`: on virtual time, in orders that a seed draws
* `dry_run`: on stubs, performing nothing
* `command_line`: all three from a shell
"""
