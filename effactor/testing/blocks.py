"""The do-blocks in generated programs and laws. At module level, so that they pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import Do, Failed, program
from effactor.testing.effects import Wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.testing.functions import AnyProgram


@program
def binding(p: AnyProgram, *steps: Callable[[Any], AnyProgram]) -> Do[Any, Any, Any]:
    """Bind the steps to the program, one after another."""
    answer: Any = yield from p
    for step in steps:
        answer = yield from step(answer)
    return answer


@program
def in_turn(*, parts: tuple[AnyProgram, ...]) -> Do[list[Any], Any, Any]:
    """Answer all answers."""
    answers: list[Any] = []
    for part in parts:
        answer = yield from part
        answers.append(answer)
    return answers


@program
def recovering(p: AnyProgram, k: Callable[[Any], AnyProgram]) -> Do[Any, Any, Any]:
    """Recover from failures that are no exceptions."""
    try:
        return (yield from p)
    except Failed as failure:
        reason: Any = failure.error
    return (yield from k(reason))


@program
def catching(p: AnyProgram, k: Callable[[Any], AnyProgram]) -> Do[Any, Any, Any]:
    """Recover from one class of failures."""
    try:
        return (yield from p)
    except Wrong as failure:
        reason = failure
    return (yield from k(reason))


@program
def finishing(p: AnyProgram, q: AnyProgram) -> Do[Any, Any, Any]:
    """Run q at the end."""
    try:
        return (yield from p)
    finally:
        yield from q


@program
def swallowing(p: AnyProgram) -> Do[Any, Any, Any]:
    """Stop every exception, also those that nobody should."""
    try:
        return (yield from p)
    except BaseException:
        return "swallowed"
