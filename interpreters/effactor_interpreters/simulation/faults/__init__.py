"""Faults: what users plan and permit, and how the simulated world carries it out.

`plan`, `budget` and `recovering` are values that users write; they import nothing of the
world. `injecting` decides when faults may happen, `effects` what they do; `script` is what
a run has done, for tokens and shrinking; `swarm` draws faults beside any other strategy.
"""
