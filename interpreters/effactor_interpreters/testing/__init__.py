"""Tests in the simulator: a plugin for pytest, and worlds for Hypothesis.

* `plugin`: the hooks; pytest loads it by its entry point, so it imports next to nothing
* `options`: what the command line, the configuration and marks say
* `scenarios`, `exploring`: a test as a scenario, and what is done with it
* `regressions`: the files of tokens that failed, beside the tests
* `told`: what a session tells at its end
* `progress`: a line on the terminal while a long test runs
* `worlds`, `drawing`: schedules out of Hypothesis' choices
"""
