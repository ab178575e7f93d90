"""The command `effactor`. It needs the extra `cli`: click and rich.

* `main`: the command's name, help and exit status
* `run`, `simulate`, `replay`, `dry_run`: one module a command
* `targets`, `input`: what a user names: MODULE:NAME, and a file of lines
* `protocol`: what may stand behind a name that is run
* `console`, `summary`, `tracebacks`: what a user sees
"""
