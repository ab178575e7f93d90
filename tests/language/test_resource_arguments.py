"""Wrong arguments of resources and forks: each message says what to do instead."""

# What a wrong call returns has no type, and neither has the lambda that makes it.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from effactor import Do, Program, acquire_release, as_completed, bracket, program, pure, scoped

# Wrong calls, and the type checkers need not say so again: tests/typing does.
p: Any = pure(1)
bracket_any: Any = bracket
acquire_any: Any = acquire_release
scoped_any: Any = scoped
completed_any: Any = as_completed


@program
def block() -> Do[int]:
    yield from pure(1)
    return 1


def function(value: int) -> Program[int]:
    return pure(value)


USE = "bracket: use must be a function that returns a program that uses the resource"
RELEASE = "bracket: release must be a function that returns a program that releases the resource"
LEFT = RELEASE.replace("bracket", "acquire_release")
ONE = "as_completed: programs must be an iterable, got one Program; write as_completed([p, q])"
CALLED = f"got {block!r} (call it: it is a function that makes a program)"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: p.ensure(3), "ensure: finalizer must be a Program, got 3"),
        (lambda: p.ensure(block), f"ensure: finalizer must be a Program, {CALLED}"),
        (lambda: p.on_interrupt(3), "on_interrupt: finalizer must be a Program, got 3"),
        (lambda: p.on_interrupt(block), f"on_interrupt: finalizer must be a Program, {CALLED}"),
        (lambda: scoped_any(3), "scoped: program must be a Program, got 3"),
        (lambda: scoped_any(block), f"scoped: program must be a Program, {CALLED}"),
        (
            lambda: bracket_any(3, function, function),
            "bracket: acquire must be a Program, got 3",
        ),
        (
            lambda: bracket_any(p, p, function),
            f"{USE}, got Pure(value=1)",
        ),
        (
            lambda: bracket_any(p, function, p),
            f"{RELEASE}, got Pure(value=1)",
        ),
        (
            lambda: acquire_any(block, function),
            f"acquire_release: acquire must be a Program, {CALLED}",
        ),
        (
            lambda: acquire_any(p, None),
            f"{LEFT}, got None",
        ),
        (
            lambda: completed_any(p),
            ONE,
        ),
        (lambda: completed_any([p, 3]), "as_completed: programs[1] must be a Program, got 3"),
        (
            lambda: completed_any([block]),
            f"as_completed: programs[0] must be a Program, {CALLED}",
        ),
    ],
)
def test_a_wrong_argument_is_a_type_error_when_the_program_is_made(
    call: Callable[[], Any], text: str
) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == text


def test_wrong_concurrency() -> None:
    for wrong in ("2", 2.0, True):
        with pytest.raises(TypeError, match="as_completed: concurrency must be"):
            completed_any([p], concurrency=wrong)
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="as_completed: concurrency must be"):
            completed_any([p], concurrency=wrong)


def test_what_use_or_release_returns_must_be_a_program() -> None:
    from effactor.interpreters import run_free

    for value in (
        bracket_any(p, lambda _: 3, function),
        bracket_any(p, function, lambda _: 3),
        acquire_any(p, lambda _: 3),
    ):
        with pytest.raises(
            TypeError, match=r"functions given to .* bracket and the like must return"
        ):
            run_free(value)


def test_an_iterable_of_programs_may_be_a_generator() -> None:
    assert as_completed(pure(n) for n in range(3)) == as_completed([pure(0), pure(1), pure(2)])
