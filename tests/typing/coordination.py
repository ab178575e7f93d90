"""Coordination: what a queue holds and a deferred answers is in their types."""

from __future__ import annotations

from typing import Never, assert_type

from rows import Sql
from vocabulary import NoStock

from effactor import (
    Deferred,
    Do,
    Program,
    Queue,
    Semaphore,
    State,
    fail,
    perform,
    program,
    pure,
)

queue: Queue[int] = Queue(capacity=3)
assert_type(Queue[str](2, "priority", name="jobs"), Queue[str])
assert_type(queue.put(1), Program[None])
assert_type(queue.get(), Program[int])
assert_type(queue.done(), Program[None])
assert_type(queue.join(), Program[None])
assert_type(queue.size(), Program[int])
assert_type(queue.empty(), Program[bool])
queue.put("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
queue.put(1, "high")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Queue[int](order="lifo")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
wider: Queue[float] = queue  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def job(number: int) -> Program[str, NoStock, Sql]:
    return perform(Sql(str(number))).bind(lambda rows: pure(rows[0]) if rows else fail(NoStock("")))


def of_text(text: str) -> Program[str]:
    return pure(text)


assert_type(queue.process(job), Program[str, NoStock, Sql])
queue.process(of_text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

ready = Deferred[int, NoStock]()
assert_type(ready.get(), Program[int, NoStock])
assert_type(ready.succeed(1), Program[bool])
assert_type(ready.fail(NoStock("")), Program[bool])
assert_type(ready.is_done(), Program[bool])
ready.succeed("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
ready.fail("no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

certain = Deferred[int]()
assert_type(certain, Deferred[int, Never])
assert_type(certain.get(), Program[int])
certain.fail(NoStock(""))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

three = Semaphore(3)
assert_type(three.available(), Program[int])
assert_type(three.with_permit(job(1)), Program[str, NoStock, Sql])
assert_type(three.with_permits(2)(job(1)), Program[str, NoStock, Sql])
assert_type(job(1).pipe(three.with_permits(2)), Program[str, NoStock, Sql])
three.with_permits(job(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

visits = State("visits", 0)
assert_type(visits, State[int])
names = State[tuple[str, ...]]("names", (), per="actor")
assert_type(names.get(), Program[tuple[str, ...]])
assert_type(visits.put(1), Program[None])
assert_type(visits.modify(lambda n: n + 1), Program[int])
visits.put("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
visits.modify(str)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
State("visits", 0, per="run")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
State("visits", 0, "actor")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@program
def in_a_block() -> Do[str, NoStock]:
    number = yield from queue.get()
    assert_type(number, int)
    assert_type((yield from ready.get()), int)
    assert_type((yield from visits.modify(abs)), int)
    return str(number)
