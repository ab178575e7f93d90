"""The one actor runtime and the one program engine, written against `World`.

A message's whole life: `cell` (tell), `asking` (ask), `driver` (the handler runs),
`suspended` (it waits), `waits` (the reply).

* `lifecycle`, `stopping`, `controls`: how an actor starts, fails, restarts and stops
* `system`, `registry`, `scheduler`: what users hold, the actors by path, whose turn it is
* `operations`, `runs`: programs in a system; `engine`: how any program runs
* `stashing`, `timers`: messages set aside, and messages told later
* `deadlocks`: circles of asks; `states`: a cell's state machine
* `current_task`, `task_protocol`, `fallback`: the cell as asyncio's current task
* `world`: all that differs between the interpreters
"""
