"""The simulator: the runtime on one choice tape and a virtual clock.

* `tape`, `token`: the choices of a run, and the text that replays them
* `world`, `events`, `loop`, `boundary`: time, messages and timers, and what may not escape
* `simulation`, `oracles`, `recorded_history`: what a scenario sees, and what it may demand
* `strategies/`, `footprints`: which schedule to try next, and what the steps of a run touched
* `runs`: one run, and its replay
* `exploring`, `shrinking`, `explaining`: many runs, the smallest failure, its story
* `equivalence`: whether two programs come to the same
"""
