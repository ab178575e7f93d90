"""Consistency: how long it takes to judge a history of a thousand operations."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from random import Random
from statistics import median
from typing import Any

from benchmarks.measuring import Effort, Row
from effactor.consistency import History, Linearizability, Model, linearizable, models

TOPIC = "consistency"

CLIENTS = 10
MILLI = 1e3


def history_of(
    operations: int,
    draw: Callable[[Random], Any],
    model: Model[Any],
    seed: int,
    *,
    lost: float = 0.0,
) -> History:
    """Make what ten clients see of an object that is linearizable.

    Each operation begins, takes effect and ends in three steps; which client makes the
    next step is drawn each time, so about ten operations overlap at any time.

    Args:
        operations: How many.
        draw: Makes an operation.
        model: What the object does.
        seed: Of all that is drawn.
        lost: Share of the operations whose reply is lost.
    """
    random = Random(seed)
    history = History()
    state = model.initial
    steps: list[tuple[str, int, Any] | None] = [None] * CLIENTS
    ended = 0
    while ended < operations:
        client = random.randrange(CLIENTS)
        step = steps[client]
        if step is None:
            if len(history) < operations:
                operation = draw(random)
                number = history.invoke(operation, client=f"client-{client}")
                steps[client] = ("begun", number, operation)
        elif step[0] == "begun":
            (state, answer), *_ = model.outcomes(state, step[2])
            steps[client] = ("effective", step[1], answer)
        else:
            if random.random() < lost:
                history.info(step[1])
            else:
                history.ok(step[1], step[2])
            steps[client] = None
            ended += 1
    return history


def of_register(random: Random) -> Any:
    if random.random() < 0.5:
        return models.Read()
    return models.Write(random.randrange(5))


def of_cas_register(random: Random) -> Any:
    if random.random() < 0.5:
        return of_register(random)
    return models.CompareAndSet(random.randrange(5), random.randrange(5))


def of_map(random: Random) -> Any:
    key = f"key-{random.randrange(20)}"
    return models.Get(key) if random.random() < 0.5 else models.Put(key, random.randrange(100))


def hard_violation(operations: int) -> History:
    """Make a history with a lie at its end, and ten writes that overlap until then.

    The writes whose replies are late can be ordered in many ways, and the search has to
    see all of them: none explains the last read.
    """
    history = history_of(operations - CLIENTS - 1, of_register, models.register(), seed=1)
    writes = [
        history.invoke(models.Write(100 + client), client=f"client-{client}")
        for client in range(CLIENTS)
    ]
    history.ok(history.invoke(models.Read(), client="reader"), "a value that nobody wrote")
    for number in writes:
        history.ok(number)
    return history


async def rows(effort: Effort) -> list[Row]:
    size = effort.times(1000)
    register, cas, entries = models.register(), models.cas_register(), models.key_value()
    cases: list[tuple[str, History, Model[Any], str, float | None]] = [
        ("register", history_of(size, of_register, register, 1), register, "ok", 2000),
        (
            "register, 5 % of the replies lost",
            history_of(size, of_register, register, 1, lost=0.05),
            register,
            "ok",
            None,
        ),
        ("compare-and-set register", history_of(size, of_cas_register, cas, 1), cas, "ok", 2000),
        ("map of 20 keys, in parts", history_of(size, of_map, entries, 1), entries, "ok", 2000),
        ("register, violated by its last read", hard_violation(size), register, "violated", None),
    ]
    return [_row(size, *case) for case in cases]


def _row(
    size: int, what: str, history: History, model: Model[Any], verdict: str, most: float | None
) -> Row:
    samples: list[float] = []
    report: Linearizability | None = None
    for _ in range(3):
        gc.collect()
        begin = time.process_time()
        report = linearizable(history, model)
        samples.append(time.process_time() - begin)
        if report.verdict != verdict:
            raise AssertionError(str(report))
    assert report is not None
    detail = f"{report.verdict}, {report.configurations:,} configurations explored"
    return Row(
        TOPIC,
        f"{size:,} operations of {CLIENTS} clients: {what}",
        median(samples) * MILLI,
        "ms",
        detail,
        most,
        at_least=False,
    )
