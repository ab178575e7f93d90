"""The laws of programs, as tests for interpreters, and programs to try them with.

`program_laws(interpreter)` lists laws to call, one test each::

    @pytest.mark.parametrize("law", program_laws(my_interpreter), ids=str)
    def test_law(law):
        law()

It needs Hypothesis: `pip install effactor[testing]`.
"""

from __future__ import annotations

try:
    import hypothesis as _hypothesis
except ImportError as _error:
    _message = (
        "effactor.testing draws its programs with Hypothesis, which is not installed: "
        "pip install effactor[testing]"
    )
    raise ImportError(_message, name=_error.name) from _error

from effactor.testing.effects import Add, Broken, Ledger, Take, Wrong
from effactor.testing.generating import programs
from effactor.testing.law import Law
from effactor.testing.observing import Observation, assert_equivalent, observe
from effactor.testing.suite import program_laws

__all__ = [
    "Add",
    "Broken",
    "Law",
    "Ledger",
    "Observation",
    "Take",
    "Wrong",
    "assert_equivalent",
    "observe",
    "program_laws",
    "programs",
]

del _hypothesis
