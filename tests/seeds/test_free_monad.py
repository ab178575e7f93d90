"""The section "Free Monad API" of everything-is-an-actor's README runs as it is, in every world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from foreign_code import blocks, run_awaiting
from typing_extensions import override
from worlds import World

from effactor import Actor, ActorRef
from effactor.interpreters import ActorSystem, dry_run

(CODE,) = blocks(Path(__file__).with_name("free_monad.txt"))


class Worker(Actor[str]):
    """Repeats what it is asked, and remembers all it received."""

    def __init__(self) -> None:
        self.received: list[str] = []

    @override
    async def on_receive(self, message: str) -> str:
        self.received.append(message)
        return f"{message} to you"


def test_a_workflow_is_chained_and_run_as_there(world: World) -> None:
    worker = Worker()

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(lambda: worker, "worker")
        names: dict[str, Any] = {"ActorRef": ActorRef, "system": system, "worker_ref": ref}
        await run_awaiting(CODE, names)
        await ref.join()
        return names["result"]

    assert world.run(body) is None
    assert worker.received == ["hello", "HELLO TO YOU"]


async def test_the_same_workflow_is_a_value_that_needs_no_system() -> None:
    ref: ActorRef[Any] = ActorRef.at("/worker")
    defined, run = CODE.split("\n\n")
    assert run.strip() == "result = await system.run_free(workflow(worker_ref))"
    names = await run_awaiting(defined, {"ActorRef": ActorRef})
    trace = dry_run(names["workflow"](ref), answers={str: "hello to you"})
    kinds = {"ask", "tell", "stop"}
    done = [record for record in trace.records if record.kind in kinds]
    assert [(record.kind, record.target) for record in done] == [
        ("ask", "/worker"),
        ("tell", "/worker"),
        ("stop", "/worker"),
    ]
    assert [record.subject for record in done[:2]] == ["hello", "HELLO TO YOU"]
