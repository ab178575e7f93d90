"""Interpreters that need no system: those that the laws check most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor import Exit, Program, step
from effactor.interpreters import run_free
from effactor.programs.operations import Sleep

if TYPE_CHECKING:
    from effactor.interpreters import Request


def virtual(program: Program[Any, Any]) -> Exit[Any, Any]:
    """Run it where no operation has a meaning, sleeps neither."""
    return run_free(program.exit(), {})


def stepping(program: Program[Any, Any]) -> Exit[Any, Any]:
    """Run it by hand: of its sleeps the one that is over first is answered, at once."""
    stepped = step(program)
    now = 0.0
    due: dict[Request, float] = {}
    while stepped.outcome is None:
        due = {
            request: due.get(request, now + request.operation.seconds)
            for request in stepped.requests
            if isinstance(request.operation, Sleep)
        }
        assert due, f"it waits for ever: {stepped!r}"
        following = min(due, key=lambda request: due[request])
        now = due[following]
        following.answer()
    return stepped.outcome
