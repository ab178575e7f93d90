"""Wrong arguments of `zip_`, `gather` and the like: each message says what to do instead."""

# What a wrong call returns has no type, and neither has the lambda that makes it.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from effactor import (
    Do,
    Program,
    at_least,
    first_success,
    gather,
    program,
    pure,
    race,
    traverse,
    zip_,
)

# Wrong calls, and the type checkers need not say so again: tests/typing does.
p: Any = pure(1)
zip_any: Any = zip_
gather_any: Any = gather
traverse_any: Any = traverse
race_any: Any = race
first_any: Any = first_success
least_any: Any = at_least


@program
def block() -> Do[int]:
    yield from pure(1)
    return 1


def make(item: int) -> Program[int]:
    return pure(item)


VARIADIC = [("zip_", zip_any), ("race", race_any), ("first_success", first_any)]


@pytest.mark.parametrize(("name", "function"), VARIADIC)
def test_programs_given_one_by_one(name: str, function: Any) -> None:
    for arguments, text in (
        ((), f"{name}: give at least one program"),
        (
            ([p, p],),
            f"{name}: give the programs themselves, not a collection of them; write *programs",
        ),
        (((p, p),), f"{name}: give the programs themselves"),
        ((p, 3), f"{name}: programs[1] must be a Program, got 3"),
        ((p, [p]), f"{name}: programs[1] must be a Program, got [Pure(value=1)]"),
        ((p, block), f"{name}: programs[1] must be a Program, got {block!r} (call it: "),
    ):
        with pytest.raises(TypeError) as caught:
            function(*arguments)
        assert str(caught.value).startswith(text)


WRONG: list[tuple[Any, type[Exception], str]] = [
    # gather
    (lambda: gather_any(3), TypeError, "gather: programs must be an iterable, got 3"),
    (
        lambda: gather_any(p),
        TypeError,
        "gather: programs must be an iterable, got one Program; write gather([p, q])",
    ),
    (
        lambda: gather_any(p, p),
        TypeError,
        "gather: programs must be an iterable, got one Program; write gather([p, q])",
    ),
    (lambda: gather_any("ab"), TypeError, "gather: programs[0] must be a Program, got 'a'"),
    (
        lambda: gather_any([p, None]),
        TypeError,
        "gather: programs[1] must be a Program, got None",
    ),
    (
        lambda: gather_any([block]),
        TypeError,
        f"gather: programs[0] must be a Program, got {block!r}",
    ),
    (
        lambda: gather_any([p], 0),
        ValueError,
        "gather: concurrency must be None or an integer >= 1, got 0",
    ),
    (
        lambda: gather_any([p], -2),
        ValueError,
        "gather: concurrency must be None or an integer >= 1, got -2",
    ),
    (
        lambda: gather_any([p], 2.0),
        TypeError,
        "gather: concurrency must be None or an integer >= 1, got 2.0",
    ),
    (
        lambda: gather_any([p], True),
        TypeError,
        "gather: concurrency must be None or an integer >= 1, got True",
    ),
    (
        lambda: gather_any([p], mode="all"),
        ValueError,
        'gather: mode must be "fail_fast" or "collect", got \'all\'',
    ),
    (
        lambda: gather_any([p], mode=["collect"]),
        ValueError,
        'gather: mode must be "fail_fast" or "collect", got [\'collect\']',
    ),
    # traverse
    (lambda: traverse_any(3, make), TypeError, "traverse: items must be an iterable, got 3"),
    (
        lambda: traverse_any(make, [1]),
        TypeError,
        f"traverse: items must be an iterable, got {make!r}",
    ),
    (
        lambda: traverse_any([1], p),
        TypeError,
        "traverse: function must be a function that returns a program for an item, got Pure(",
    ),
    (
        lambda: traverse_any([1], make, "3"),
        TypeError,
        "traverse: concurrency must be None or an integer >= 1, got '3'",
    ),
    (
        lambda: traverse_any([1], make, mode=None),
        ValueError,
        'traverse: mode must be "fail_fast" or "collect", got None',
    ),
    # at_least
    (
        lambda: least_any(p, p),
        TypeError,
        "at_least: needed must be an integer, got Pure(value=1); write at_least(2, p, q, r)",
    ),
    (lambda: least_any(True, p), TypeError, "at_least: needed must be an integer, got True"),
    (lambda: least_any(1), TypeError, "at_least: give at least one program"),
    (lambda: least_any(1, [p]), TypeError, "at_least: give the programs themselves, not a"),
    (lambda: least_any(1, p, 2), TypeError, "at_least: programs[1] must be a Program, got 2"),
    (
        lambda: least_any(0, p),
        ValueError,
        "at_least: needed must be from 1 to 1, the number of programs, got 0",
    ),
    (
        lambda: least_any(3, p, p),
        ValueError,
        "at_least: needed must be from 1 to 2, the number of programs, got 3",
    ),
    # time
    (
        lambda: p.timeout("1"),
        TypeError,
        "timeout: seconds must be a number of seconds, got '1'",
    ),
    (
        lambda: p.timeout(True),
        TypeError,
        "timeout: seconds must be a number of seconds, got True",
    ),
    (
        lambda: p.timeout(None),
        TypeError,
        "timeout: seconds must be a number of seconds, got None",
    ),
    (
        lambda: p.deadline(-1),
        ValueError,
        "deadline: seconds must be a finite number of seconds >= 0, got -1",
    ),
    (
        lambda: p.deadline(float("inf")),
        ValueError,
        "deadline: seconds must be a finite number of seconds >= 0, got inf",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), WRONG, ids=range(len(WRONG)))
def test_each_message_names_function_argument_and_value(
    call: Any, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(text)


def test_what_an_iterator_raises_itself_is_not_hidden() -> None:
    def items() -> Iterator[Any]:
        yield p
        raise TypeError("the iterator's own")

    with pytest.raises(TypeError, match=r"^the iterator's own$"):
        gather(items())  # type: ignore[unused-awaitable]
    with pytest.raises(TypeError, match=r"^the iterator's own$"):
        traverse(items(), make)  # type: ignore[unused-awaitable]


def test_an_iterator_is_read_once_and_at_once() -> None:
    made = iter([pure(1), pure(2)])
    value = gather(made)
    assert list(made) == []
    assert value == gather([pure(1), pure(2)])
