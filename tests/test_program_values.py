"""Programs that hold tuples and dicts compare, hash and pickle by what is inside."""

import pickle
from typing import Any, NamedTuple

import pytest

from effactor import pure


class Pair(NamedTuple):
    left: object
    right: object


@pytest.mark.parametrize(
    "value",
    [
        (),
        {},
        (1, (2, 3)),
        {"a": 1, "b": pure(2)},
        {1: "a", "b": 2},
        {(1, 2): 3, None: 4},
        (pure(1), "x"),
        Pair(1, pure(2)),
    ],
    ids=repr,
)
def test_a_program_equals_its_copy_through_pickle(value: Any) -> None:
    assert pickle.loads(pickle.dumps(pure(value))) == pure(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [((), 0), ((), {}), ((1,), (1, 1)), ({"a": 1}, ("a", 1)), ({"a": 1}, {"a": 2})],
)
def test_programs_with_different_values_differ(one: Any, other: Any) -> None:
    assert pure(one) != pure(other)


def test_equal_programs_have_equal_hashes() -> None:
    assert hash(pure((1, pure(2)))) == hash(pure((1, pure(2))))
    assert hash(pure({"b": 1, "a": 2})) == hash(pure({"a": 2, "b": 1}))
