"""What a check says: why a history is impossible, and what was wrong with the question."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from effactor.consistency import (
    ANYTHING,
    Append,
    History,
    Model,
    Operation,
    diagram,
    linearizable,
    models,
    serializable,
)
from effactor.consistency.models import Dequeue, Enqueue, Get, Put, Read, Write
from effactor.errors import Undecided


def stale_read() -> History:
    history = History()
    history.ok(history.invoke(Write(1), client="ann"))
    overlapping = history.invoke(Write(2), client="bob")
    history.ok(history.invoke(Read(), client="cy"), 2)
    history.ok(history.invoke(Read(), client="ann"), 1)
    history.ok(overlapping)
    return history


def test_a_violation_explains_itself_on_one_screen() -> None:
    report = linearizable(stale_read(), models.register())
    assert str(report) == (
        "not linearizable as register: 4 operations, 5 configurations explored\n"
        "\n"
        "cannot be placed: Read() -> 1 by ann\n"
        "the 2 operations that ended before it can; then\n"
        "  with the state 2, after Read() -> 2: it would answer 2\n"
        "\n"
        "in order of time:\n"
        "\n"
        "ann  Write(value=1) -> None  ├───┤\n"
        "bob  Write(value=2) -> None          ├───────────────────┤\n"
        "cy   Read() -> 2                         ├───┤\n"
        "ann  Read() -> 1                                 ├───┤         <- cannot be placed"
    )
    assert not report


def test_a_violation_in_a_long_history_still_fits_on_a_screen() -> None:
    history = History()
    for n in range(200):
        writes = [history.invoke(Write(n * 10 + k), client=f"c{k}") for k in range(3)]
        for number in writes:
            history.ok(number)
    history.ok(history.invoke(Read(), client="reader"), "nothing of it")
    text = str(linearizable(history, models.register()))
    lines = text.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 120
    assert "operations not shown" in text


def test_the_picture_shows_what_may_still_take_effect() -> None:
    history = History()
    _ = history.invoke(Write(1), client="ann")
    history.ok(history.invoke(Read(), client="bob"), 1)
    assert diagram(history.operations) == (
        "ann  Write(value=1) -> ?  ├╌╌╌╌╌╌╌╌╌╌╌\nbob  Read() -> 1              ├───┤"
    )


def test_a_part_that_is_violated_is_named() -> None:
    history = History()
    for key in "abc":
        history.ok(history.invoke(Put(key, 1)))
        history.ok(history.invoke(Get(key)), 2 if key == "b" else 1)
    report = linearizable(history, models.key_value())
    assert report.part == "b"
    assert "part 'b'" in str(report)
    assert report.parts == 3
    assert [operation.value for operation in report.prefix] == [Put("b", 1)]


def test_a_partition_of_ones_own() -> None:
    history = History()
    for account in (1, 2):
        history.ok(history.invoke((account, Write(account))))
        history.ok(history.invoke((account, Read())), account)
    register = models.register()
    model = Model.of_outcomes(None, lambda state, op: register.outcomes(state, op[1]))
    assert linearizable(history, model, partition=lambda op: op[0]).ok
    assert linearizable(history, model, partition=lambda op: op[0]).parts == 2


def crowded() -> History:
    history = History()
    numbers = [history.invoke(Enqueue(n)) for n in range(8)]
    for number in numbers:
        history.ok(number)
    history.ok(history.invoke(Dequeue()), "none of them")
    return history


def test_the_limit_makes_the_verdict_unknown_and_it_is_neither_true_nor_false() -> None:
    report = linearizable(crowded(), models.queue(), limit=100)
    assert report.verdict == "unknown"
    assert report.configurations == 100
    assert not report.ok
    assert "limit=100" in str(report)
    with pytest.raises(Undecided, match="neither true nor false"):
        _ = bool(report)
    assert linearizable(crowded(), models.queue()).verdict == "violated"


def test_a_violation_is_reported_although_another_part_is_too_hard() -> None:
    history = crowded()
    history.ok(history.invoke(Dequeue(), client="other"), "nothing was put here")
    keyed = [
        replace(o, value=("other" if o.client == "other" else "crowd", o.value)) for o in history
    ]
    queue = models.queue()
    model = Model[Any].of_outcomes((), lambda state, op: queue.outcomes(state, op[1]))
    report = linearizable(keyed, model, partition=lambda op: op[0], limit=100)
    assert report.verdict == "violated"
    assert report.part == "other"


def test_undecided_survives_pickle() -> None:
    error = pickle.loads(pickle.dumps(Undecided(12, 100)))
    assert (error.operations, error.limit) == (12, 100)


def test_a_model_may_allow_several_outcomes() -> None:
    def outcomes(state: frozenset[int], operation: str) -> list[tuple[frozenset[int], Any]]:
        if operation == "draw":
            return [(state - {ball}, ball) for ball in sorted(state)]
        return [(state, ANYTHING)]

    urn = Model.of_outcomes(frozenset({1, 2, 3}), outcomes, name="urn")
    history = History()
    numbers = [history.invoke("draw") for _ in range(3)]
    for number, ball in zip(numbers, (2, 3, 1), strict=True):
        history.ok(number, ball)
    assert linearizable(history, urn).ok
    history.ok(history.invoke("draw"), 1)
    report = linearizable(history, urn)
    assert report.verdict == "violated"
    assert "it cannot take place" in str(report)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        pytest.param(
            lambda: linearizable([1], models.register()),  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
            TypeError,
            "history must be a History or operations, got 1",
            id="no operations",
        ),
        pytest.param(
            lambda: linearizable(3, models.register()),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            TypeError,
            "history must be a History or operations, got 3",
            id="no history",
        ),
        pytest.param(
            lambda: linearizable([], models.register),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            TypeError,
            "model must be a Model, such as models.register",
            id="no model",
        ),
        pytest.param(
            lambda: linearizable([], models.register(), limit=0),
            ValueError,
            "limit",
            id="limit",
        ),
        pytest.param(
            lambda: linearizable([], models.register(), partition=3),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            TypeError,
            "partition must be a function",
            id="partition",
        ),
        pytest.param(
            lambda: linearizable([Operation(0, "", Read(), 5, 4, "ok")], models.register()),
            ValueError,
            "ends before it begins",
            id="times",
        ),
        pytest.param(
            lambda: linearizable(
                [Operation(0, "", Read(), 0, 1, "ok"), Operation(0, "", Read(), 2, 3, "ok")],
                models.register(),
            ),
            ValueError,
            "two operations have the number 0",
            id="numbers",
        ),
        pytest.param(
            lambda: linearizable([Operation(0, "", Get("x"), 0, 1, "ok")], models.register()),
            TypeError,
            "models.register: cannot apply Get",
            id="operation",
        ),
        pytest.param(
            lambda: linearizable([Operation(0, "", Read(), 0, 1, "ok")], models.key_value()),
            TypeError,
            "models.key_value: cannot apply Read",
            id="partitioned operation",
        ),
        pytest.param(
            lambda: Model([], lambda state, op: (state, None)),  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
            TypeError,
            "initial must be hashable, got",
            id="initial state",
        ),
        pytest.param(
            lambda: Model(0, 1),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            TypeError,
            "needs a function of a state and an operation, got 1",
            id="function",
        ),
        pytest.param(
            lambda: linearizable(
                [Operation(0, "", 1, 0, 1, "ok")],
                Model[Any]((), lambda state, op: ([*state, op], None), name="list"),
            ),
            TypeError,
            "a state must be hashable, got .*; use a tuple for a list",
            id="state",
        ),
        pytest.param(
            lambda: linearizable(
                [Operation(0, "", 1, 0, 1, "ok")],
                Model(0, lambda state, op: (op, None), read_only=lambda op, result: True),
            ),
            ValueError,
            "read_only is true for 1 -> None, which changes the state 0",
            id="read only",
        ),
        pytest.param(
            lambda: serializable([Operation(0, "", Read(), 0, 1, "ok")]),
            TypeError,
            "must be a sequence of Get, Put and Append",
            id="no transaction",
        ),
        pytest.param(
            lambda: serializable([Operation(0, "", (Get("x"),), 0, 1, "ok", 3)]),
            TypeError,
            "must be a sequence with one item for each step, got 3",
            id="no answers",
        ),
        pytest.param(
            lambda: serializable([Operation(0, "", (Get("x"),), 0, 1, "ok", (1, 2))]),
            ValueError,
            "a transaction of 1 steps has a result of 2",
            id="answers",
        ),
        pytest.param(
            lambda: serializable([Operation(0, "", (Append("x", 1), Put("x", 2)), 0)]),
            ValueError,
            "the key 'x' is both appended to and put",
            id="both",
        ),
        pytest.param(
            lambda: serializable([Operation(0, "", (Append("x", 1), Append("x", 1)), 0)]),
            ValueError,
            "1 is appended to 'x' twice",
            id="twice",
        ),
        pytest.param(
            lambda: serializable(
                [Operation(0, "", (Append("x", 1), Get("x")), 0, 1, "ok", (None, 1))]
            ),
            TypeError,
            "the list of 'x' was read as 1",
            id="no list",
        ),
        pytest.param(
            lambda: serializable(
                [Operation(0, "", (Put("x", 1),), 0, 1, "ok", (None,))], versions={"x": []}
            ),
            ValueError,
            "versions of 'x' lack 1",
            id="versions",
        ),
    ],
)
def test_what_is_wrong_is_said_at_once(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
