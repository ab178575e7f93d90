"""The simulator: the runtime on one choice tape and a virtual clock.

* `tape`, `token`: the choices of a run, and the text that replays them
* `world`, `events`, `loop`, `boundary`: time, messages and timers, and what may not escape
* `simulation`: what a scenario sees
* `runs`: one run, and its replay
* `exploring`, `shrinking`, `explaining`: many runs, the smallest failure, its story
"""
