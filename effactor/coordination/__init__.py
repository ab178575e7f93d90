"""Coordination: what the parts of a workflow share and wait for, as values.

A `Queue`, `Deferred` or `Semaphore` is a handle: an identity with its parameters.
What is in it is kept by whoever interprets the program, so the same value is empty
in every new system, simulation and dry run. A `State` is a value altogether: a name.
The modules `*_rules` say who is served when; they wait for nothing themselves.
"""
