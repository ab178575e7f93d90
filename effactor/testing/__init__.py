"""The laws of programs, as tests for interpreters; programs and worlds for Hypothesis.

`program_laws(interpreter)` lists laws to call, one test each::

    @pytest.mark.parametrize("law", program_laws(my_interpreter), ids=str)
    def test_law(law):
        law()

`worlds()` draws simulated worlds, so that data and schedule are searched together::

    @given(orders=st.lists(order), world=worlds())
    def test_books_balance(orders, world):
        assert world.run(books(orders)) == 0

It needs Hypothesis: `pip install effactor[testing]`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from effactor_interpreters.testing.worlds import World, worlds

__all__ = [
    "Add",
    "Broken",
    "Law",
    "Ledger",
    "Observation",
    "Take",
    "World",
    "Wrong",
    "assert_equivalent",
    "observe",
    "program_laws",
    "programs",
    "worlds",
]

# They run in the simulator, and the core must not import an interpreter: loaded when first used.
_FROM_INTERPRETERS = frozenset({"World", "worlds"})


# Hidden from type checkers: they know all names, and would take any other for Any.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in _FROM_INTERPRETERS:
            value = getattr(import_module("effactor_interpreters.testing.worlds"), name)
            value.__module__ = __name__
            globals()[name] = value
            return value
        msg = f"module 'effactor.testing' has no attribute {name!r}"
        raise AttributeError(msg)


del _hypothesis
