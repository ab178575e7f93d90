"""Laws of programs as values: equal ones do the same, wherever they were."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

from effactor.testing.law import Same, law

if TYPE_CHECKING:
    from effactor.testing.functions import AnyProgram


@law("values", "loads(dumps(u)) = u, and ~ u")
def a_pickled_program_is_equal_and_does_the_same(same: Same, u: AnyProgram) -> None:
    again = pickle.loads(pickle.dumps(u))  # noqa: S301 - our own
    assert again == u, f"not equal after pickling: {u!r}"
    assert hash(again) == hash(u), f"another hash after pickling: {u!r}"
    same(again, u)


@law("values", "to run p changes nothing in p")
def a_run_changes_nothing_in_the_program(same: Same, u: AnyProgram) -> None:
    before = pickle.dumps(u)
    same(u, copy.deepcopy(u))
    assert pickle.loads(before) == u, f"not equal to itself before the run: {u!r}"  # noqa: S301
