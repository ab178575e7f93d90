"""Every law of programs holds for every interpreter that ships.

`EFFACTOR_LAW_EXAMPLES=10000 pytest tests/laws/test_laws.py` is the long run: it checks each
law so many times instead of a number for each interpreter that suits a quick one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from by_hand import stepping, virtual
from hypothesis import strategies as st
from worlds import WORLDS

from effactor import (
    Exit,
    Interpreter,
    Program,
    free_call,
    free_log,
    free_now,
    free_random,
    free_self,
)
from effactor.testing import Law, program_laws

if TYPE_CHECKING:
    from worlds import World

    from effactor.interpreters import ActorSystem


def within(world: World) -> Interpreter:
    """Run it as a run of an actor system."""

    def interpret(program: Program[Any, Any]) -> Exit[Any, Any]:
        async def body(system: ActorSystem) -> Exit[Any, Any]:
            outcome: Exit[Any, Any] = await system.run_free(program.exit())
            return outcome

        return world.run(body)

    return interpret


def seven() -> int:
    return 7


# Operations whose answers do not depend on when they are performed.
operations: st.SearchStrategy[Program[Any, Any]] = st.sampled_from(
    [
        free_call(seven),
        free_random().map(bool),
        free_now().map(type),
        free_self().map(type),
        free_log("debug", "of a law"),
    ]
)

# Each with the examples of a quick run: more of those that are quick.
INTERPRETERS: dict[str, tuple[tuple[Law, ...], int]] = {
    "virtual": (program_laws(virtual, waits=False), 200),
    "stepping": (program_laws(stepping), 40),
    **{world.name: (program_laws(within(world), operations=operations), 8) for world in WORLDS},
}


@pytest.mark.parametrize(
    ("interpreter", "law"),
    [
        pytest.param(name, law, id=f"{name}-{law}")
        for name, (laws, _) in INTERPRETERS.items()
        for law in laws
    ],
)
def test_every_law_holds(interpreter: str, law: Law) -> None:
    _, quick = INTERPRETERS[interpreter]
    law(int(os.environ.get("EFFACTOR_LAW_EXAMPLES", quick)))
