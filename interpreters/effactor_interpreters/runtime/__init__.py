"""The one actor runtime and the one program engine, written against `World`.

* `cell`, `mailbox` states, `driver`, `waits`: how an actor takes and handles messages
* `lifecycle`, `failures`: how it starts, fails, restarts and stops
* `system`: the actors of one system, their names, runs and dead letters
* `engine`: how programs run, in an actor or on their own
* `world`: all that differs between the interpreters
"""
