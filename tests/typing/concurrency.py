"""Overlapping handlers, pools and other threads."""

from __future__ import annotations

from concurrent.futures import Future
from typing import assert_type

from effactor import Actor, ActorRef, Message, Pool, handler, pool
from effactor.interpreters import ActorSystem


class Job(Message[int]):
    pass


class Worker(Actor[Job], concurrency=2):
    @handler
    def job(self, message: Job) -> int:
        return 1


async def pools(system: ActorSystem) -> None:
    described = pool(Worker, 3)
    assert_type(described, Pool[Job])
    ref = await system.spawn(described, dispatcher="thread")
    assert_type(ref, ActorRef[Job])
    assert_type(await ref.ask(Job()), int)
    pool(Worker, "3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    pool(int, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def threads(ref: ActorRef[Job]) -> None:
    assert_type(ref.ask_threadsafe(Job()), Future[int])
    ref.tell_threadsafe(Job())
    ref.tell_threadsafe("job")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
