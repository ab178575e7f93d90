"""Small histories, drawn by Hypothesis, and checkers so slow that they are obviously right."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from effactor.consistency import History, Model, Operation, models
from effactor.consistency.models import (
    Add,
    CompareAndSet,
    Contains,
    Delete,
    Dequeue,
    Enqueue,
    Get,
    Insert,
    Members,
    Put,
    Read,
    Remove,
    Write,
)
from effactor.consistency.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

VALUES = st.integers(0, 2)
TRUTH = st.sampled_from([True, False, None])
NONE = st.none()
ENDS: st.SearchStrategy[Outcome] = st.sampled_from(["ok", "ok", "ok", "ok", "fail", "info"])

# Of each model: its operations, each with the results that it might be said to have had.
OBJECTS: dict[str, tuple[Model[Any], list[tuple[Any, Any]]]] = {
    "register": (models.register(), [(st.builds(Write, VALUES), NONE), (st.just(Read()), VALUES)]),
    "cas_register": (
        models.cas_register(0),
        [
            (st.builds(Write, VALUES), NONE),
            (st.just(Read()), VALUES),
            (st.builds(CompareAndSet, VALUES, VALUES), st.booleans()),
        ],
    ),
    "counter": (
        models.counter(),
        [
            (st.builds(Add, st.integers(-1, 1)), st.none() | VALUES),
            (st.just(Read()), VALUES),
        ],
    ),
    "set": (
        models.set_(),
        [
            (st.builds(Insert, VALUES), TRUTH),
            (st.builds(Remove, VALUES), TRUTH),
            (st.builds(Contains, VALUES), st.booleans()),
            (st.just(Members()), st.frozensets(VALUES)),
        ],
    ),
    "queue": (
        models.queue(),
        [(st.builds(Enqueue, VALUES), NONE), (st.just(Dequeue()), st.none() | VALUES)],
    ),
    "blocking queue": (
        models.queue(blocking=True),
        [(st.builds(Enqueue, VALUES), NONE), (st.just(Dequeue()), VALUES)],
    ),
    "map": (
        models.key_value(),
        [
            (st.builds(Put, st.sampled_from("xy"), VALUES), NONE),
            (st.builds(Get, st.sampled_from("xy")), st.none() | VALUES),
            (st.builds(Delete, st.sampled_from("xy")), TRUTH),
        ],
    ),
}


@st.composite
def histories(
    draw: st.DrawFn, operations: list[tuple[Any, Any]], clients: int = 3, most: int = 6
) -> History:
    """Draw a history of some clients, each doing one thing after another."""
    history = History()
    busy: dict[int, tuple[int, Any]] = {}
    for client in draw(st.lists(st.integers(0, clients - 1), max_size=2 * most)):
        if client in busy:
            number, results = busy.pop(client)
            end = draw(ENDS)
            history.end(end, number, draw(results) if end == "ok" else None)
        elif len(history) < most:
            operation, results = draw(st.sampled_from(operations))
            busy[client] = (history.invoke(draw(operation), client=f"c{client}"), results)
    return history


@st.composite
def true_histories(
    draw: st.DrawFn,
    model: Model[Any],
    operations: list[tuple[Any, Any]],
    clients: int = 3,
    most: int = 6,
) -> History:
    """Draw a history of an object that works: each operation takes effect in between."""
    history = History()
    state = model.initial
    busy: dict[int, list[Any]] = {}
    for client in draw(st.lists(st.integers(0, clients - 1), max_size=3 * most)):
        if client not in busy:
            if len(history) < most:
                operation = draw(draw(st.sampled_from(operations))[0])
                busy[client] = [history.invoke(operation, client=f"c{client}"), operation]
        elif len(busy[client]) == 2:
            for outcome in model.outcomes(state, busy[client][1]):
                state, answer = outcome
                busy[client].append(getattr(answer, "value", answer))
        elif draw(st.integers(0, 4)):
            history.ok(busy[client][0], busy[client][2])
            del busy[client]
        else:
            history.info(busy[client][0])
            del busy[client]
    return history


def orders(operations: Sequence[Operation]) -> Iterator[tuple[Operation, ...]]:
    """Make every order that real time allows, with any of the unknown left out."""
    known = [o for o in operations if o.outcome == "ok"]
    unknown = [o for o in operations if o.outcome == "info"]
    for size in range(len(unknown) + 1):
        for chosen in combinations(unknown, size):
            for order in permutations([*known, *chosen]):
                if keeps_time(order):
                    yield order


def keeps_time(order: Iterable[Operation]) -> bool:
    """Tell whether no operation comes after one that began when it had ended."""
    latest = -1
    for operation in order:
        if operation.outcome == "ok" and operation.end is not None and operation.end < latest:
            return False
        latest = max(latest, operation.begin)
    return True


def explains(model: Model[Any], order: Iterable[Operation]) -> bool:
    """Tell whether a model allows what these operations answered, in this order."""
    states = [model.initial]
    for operation in order:
        states = [
            following
            for state in states
            for following, answer in model.outcomes(state, operation.value)
            if operation.outcome == "info" or answer == operation.result
        ]
    return bool(states)


def slowly_linearizable(operations: Sequence[Operation], model: Model[Any]) -> bool:
    """Try all orders."""
    return any(explains(model, order) for order in orders(operations))
