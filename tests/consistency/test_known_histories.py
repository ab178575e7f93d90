"""Histories whose verdicts the literature tells."""

from __future__ import annotations

from typing import Any

import pytest

from effactor.consistency import Append, History, linearizable, models, serializable
from effactor.consistency.models import (
    CompareAndSet,
    Dequeue,
    Enqueue,
    Get,
    Put,
    Read,
    Write,
)

# A history in Herlihy and Wing's notation: (client, operation) begins, (client, "->", answer)
# ends. "?" ends with an unknown outcome, "x" fails.
Event = tuple[Any, ...]


def history_of(*events: Event) -> History:
    history = History()
    busy: dict[str, int] = {}
    for client, *what in events:
        match what:
            case ["->", answer]:
                history.ok(busy.pop(client), answer)
            case ["?"]:
                history.info(busy.pop(client), "timeout")
            case ["x"]:
                history.fail(busy.pop(client), "refused")
            case _:
                busy[client] = history.invoke(what[0], client=client)
    return history


def one_by_one(*events: Event) -> History:
    """Make a history in which nothing overlaps, of (client, operation, answer)."""
    halves = (((c, operation), (c, "->", answer)) for c, operation, answer in events)
    return history_of(*(half for two in halves for half in two))


X, Y, Z = Enqueue("x"), Enqueue("y"), Enqueue("z")

QUEUES: dict[str, tuple[str, list[Event]]] = {
    # "Linearizability", 1990, figure 1: H1 to H4, and the history that opens section 2.
    "H1: overlapping enqueues, either order": (
        "ok",
        [
            *[("A", X), ("B", Y), ("B", "->", None), ("A", "->", None)],
            *[("B", Dequeue()), ("B", "->", "x"), ("A", Dequeue()), ("A", "->", "y")],
            *[("A", Z), ("A", "->", None)],
        ],
    ),
    "H2: x was enqueued before y began, and y comes first": (
        "violated",
        [
            *[("A", X), ("A", "->", None), ("B", Y), ("A", Dequeue())],
            *[("B", "->", None), ("A", "->", "y")],
        ],
    ),
    "H3: x is dequeued while its enqueue has not returned": (
        "ok",
        [("A", X), ("B", Dequeue()), ("B", "->", "x")],
    ),
    "H4: y is dequeued twice": (
        "violated",
        [
            *[("A", X), ("B", Y), ("A", "->", None), ("B", "->", None)],
            *[("A", Dequeue()), ("C", Dequeue()), ("A", "->", "y"), ("C", "->", "y")],
        ],
    ),
}


@pytest.mark.parametrize("name", sorted(QUEUES))
def test_the_queues_of_herlihy_and_wing(name: str) -> None:
    verdict, events = QUEUES[name]
    assert linearizable(history_of(*events), models.queue(blocking=True)).verdict == verdict


W0, W1, W2, R = Write(0), Write(1), Write(2), Read()

REGISTERS: dict[str, tuple[str, list[Event]]] = {
    "a stale read after a write": (
        "violated",
        [("a", W1), ("a", "->", None), ("b", R), ("b", "->", 0)],
    ),
    "a read during a write sees either value": (
        "ok",
        [("a", W1), ("b", R), ("c", R), ("b", "->", 0), ("c", "->", 1), ("a", "->", None)],
    ),
    "reads during a write see it come and go": (
        "violated",
        [
            *[("a", W1), ("b", R), ("b", "->", 1), ("c", R), ("c", "->", 0)],
            ("a", "->", None),
        ],
    ),
    "a read of what nobody wrote": ("violated", [("a", R), ("a", "->", 7)]),
    "a write that timed out takes effect later": (
        "ok",
        [
            *[("a", W1), ("a", "?"), ("b", R), ("b", "->", 0)],
            *[("b", R), ("b", "->", 0), ("b", R), ("b", "->", 1)],
        ],
    ),
    "a write that timed out takes effect twice": (
        "violated",
        [
            *[("a", W1), ("a", "?"), ("b", R), ("b", "->", 1), ("b", W0), ("b", "->", None)],
            *[("b", R), ("b", "->", 1)],
        ],
    ),
    "a write that failed is read": (
        "violated",
        [("a", W1), ("a", "x"), ("b", R), ("b", "->", 1)],
    ),
    "a write that is still pending is read": ("ok", [("a", W1), ("b", R), ("b", "->", 1)]),
    "compare-and-set of a value that is not there": (
        "violated",
        [("a", CompareAndSet(1, 2)), ("a", "->", True)],
    ),
    "two compare-and-sets of one value both succeed": (
        "violated",
        [
            *[("a", CompareAndSet(0, 1)), ("b", CompareAndSet(0, 2))],
            *[("a", "->", True), ("b", "->", True)],
        ],
    ),
    "of two overlapping compare-and-sets the one that ended last was first": (
        "ok",
        [
            *[("a", CompareAndSet(0, 1)), ("b", CompareAndSet(1, 2))],
            *[("b", "->", True), ("a", "->", True)],
        ],
    ),
    "new, old, new": (
        "violated",
        [
            *[("a", W1), ("b", W2), ("c", R), ("c", "->", 1), ("c", R), ("c", "->", 2)],
            *[("c", R), ("c", "->", 1), ("a", "->", None), ("b", "->", None)],
        ],
    ),
    "nothing happened": ("ok", []),
}


@pytest.mark.parametrize("name", sorted(REGISTERS))
def test_the_registers_of_jepsen(name: str) -> None:
    verdict, events = REGISTERS[name]
    assert linearizable(history_of(*events), models.cas_register(0)).verdict == verdict


def txn(*steps: Any) -> tuple[Any, ...]:
    return steps


def ax(value: int) -> Append:
    return Append("x", value)


def ay(value: int) -> Append:
    return Append("y", value)


GX, GY = Get("x"), Get("y")

TRANSACTIONS: dict[str, tuple[str, list[Event]]] = {
    "dirty write": (
        "G0",
        [
            ("a", txn(ax(1), ay(1)), (None, None)),
            ("b", txn(ax(2), ay(2)), (None, None)),
            ("c", txn(GX, GY), ([1, 2], [2, 1])),
        ],
    ),
    "intermediate read": (
        "G1b",
        [("a", txn(ax(1), ax(2)), (None, None)), ("b", txn(GX), ([1],))],
    ),
    "circular information flow": (
        "G1c",
        [("a", txn(ax(1), GY), (None, [1])), ("b", txn(ay(1), GX), (None, [1]))],
    ),
    "read skew": (
        "G-single",
        [("a", txn(GX, GY), ([], [1])), ("b", txn(ax(1), ay(1)), (None, None))],
    ),
    "lost update": (
        "G-single",
        [
            ("a", txn(GX, ax(1)), ([], None)),
            ("b", txn(GX, ax(2)), ([], None)),
            ("c", txn(GX), ([1, 2],)),
        ],
    ),
    "write skew": (
        "G2",
        [("a", txn(GX, ay(1)), ([], None)), ("b", txn(GY, ax(1)), ([], None))],
    ),
    "long fork": (
        "G2",
        [
            ("a", txn(ax(1)), (None,)),
            ("b", txn(ay(1)), (None,)),
            ("c", txn(GX, GY), ([1], [])),
            ("d", txn(GX, GY), ([], [1])),
        ],
    ),
    "a transaction contradicts itself": (
        "internal",
        [("a", txn(ax(1), GX), (None, []))],
    ),
    "a read that changes in one transaction": (
        "internal",
        [("a", txn(ax(1)), (None,)), ("b", txn(GX, GX), ([], [1]))],
    ),
    "neither read is the beginning of the other": (
        "incompatible-order",
        [
            *[("a", txn(ax(1)), (None,)), ("a", txn(ax(2)), (None,))],
            *[("b", txn(GX), ([1, 2],)), ("b", txn(GX), ([2],))],
        ],
    ),
    "a value that nobody wrote": ("garbage-read", [("a", txn(GX), ([7],))]),
    "a value twice": (
        "duplicate-elements",
        [("a", txn(ax(1)), (None,)), ("b", txn(GX), ([1, 1],))],
    ),
}


@pytest.mark.parametrize("name", sorted(TRANSACTIONS))
def test_the_anomalies_of_adya_and_elle(name: str) -> None:
    anomaly, events = TRANSACTIONS[name]
    report = serializable(one_by_one(*events))
    assert report.verdict == "violated"
    assert anomaly in [found.name for found in report.anomalies]
    assert anomaly in str(report)


@pytest.mark.parametrize(
    "name", ["dirty write", "circular information flow", "read skew", "write skew", "lost update"]
)
def test_an_anomaly_is_named_by_the_gravest_that_it_is(name: str) -> None:
    anomaly, events = TRANSACTIONS[name]
    report = serializable(one_by_one(*events))
    assert [found.name for found in report.anomalies] == [anomaly]


def test_aborted_reads() -> None:
    history = history_of(("a", txn(ax(1))), ("a", "x"), ("b", txn(GX)), ("b", "->", ([1],)))
    assert [found.name for found in serializable(history).anomalies] == ["G1a"]


def test_what_was_read_of_an_unknown_outcome_has_taken_effect() -> None:
    seen = history_of(
        *[("a", txn(ax(1), ay(1))), ("a", "?"), ("b", txn(GX)), ("b", "->", ([1],))],
        *[("b", txn(GX, GY)), ("b", "->", ([1], ()))],
    )
    assert [found.name for found in serializable(seen).anomalies] == ["G-single"]
    unseen = history_of(("a", txn(ax(1))), ("a", "?"), ("b", txn(GX)), ("b", "->", ((),)))
    assert serializable(unseen, strict=True).ok


def test_a_stale_read_is_serializable_and_not_strictly() -> None:
    history = one_by_one(("a", txn(ax(1)), (None,)), ("b", txn(GX), ([],)))
    assert serializable(history).ok
    report = serializable(history, strict=True)
    assert [found.name for found in report.anomalies] == ["G-single-realtime"]
    assert "T0 ended before T1 began" in str(report)


def test_overlapping_transactions_have_no_order_in_real_time() -> None:
    history = history_of(
        ("a", txn(ax(1))), ("b", txn(GX)), ("a", "->", (None,)), ("b", "->", ((),))
    )
    assert serializable(history, strict=True).ok


PUTS = one_by_one(
    ("a", txn(Put("x", 1)), (None,)),
    ("b", txn(Put("x", 2)), (None,)),
    ("c", txn(GX), (1,)),
    ("d", txn(GX), (2,)),
    ("c", txn(GX, Put("y", 1)), (1, None)),
    ("d", txn(GX, Put("y", 2)), (2, None)),
    ("e", txn(GY), (1,)),
)


def test_known_versions_find_what_reads_do_not_show() -> None:
    assert serializable(PUTS).ok
    ordered = {"x": [1, 2], "y": [2, 1]}
    assert serializable(PUTS, versions={"x": [1, 2], "y": [1, 2]}).ok
    report = serializable(PUTS, versions=ordered)
    assert [found.name for found in report.anomalies] == ["G-single"]


def test_without_known_versions_orders_are_tried_up_to_a_limit() -> None:
    assert serializable(PUTS).configurations > 0
    report = serializable(PUTS, limit=1)
    assert report.verdict == "unknown"
    assert not report.ok
    assert "limit=1" in str(report)


def test_no_order_explains_it() -> None:
    history = one_by_one(
        *[("a", txn(Put("x", 1)), (None,)), ("b", txn(Put("x", 1)), (None,))],
        *[("c", txn(Put("y", 1), GX), (None, None)), ("d", txn(Put("x", 2), GY), (None, None))],
        ("e", txn(GX, GY), (None, 1)),
        ("f", txn(GX, GY), (2, None)),
    )
    report = serializable(history)
    assert report.verdict == "violated"


def test_a_value_that_several_unknown_outcomes_may_have_written() -> None:
    # Found by trying all orders: the read of 1 was taken for a read of nothing known.
    history = history_of(
        *[("a", txn(Put("x", 1), Put("x", 1))), ("a", "?")],
        *[("b", txn(GX, Put("x", 2))), ("b", "->", (1, None))],
        *[("b", txn(GX)), ("b", "->", (1,))],
    )
    assert serializable(history, strict=True).verdict == "violated"
    assert serializable(history).verdict == "ok"


def test_write_skew_of_single_values() -> None:
    history = one_by_one(
        ("a", txn(GX, Put("y", 1)), (None, None)), ("b", txn(GY, Put("x", 1)), (None, None))
    )
    assert [found.name for found in serializable(history).anomalies] == ["G2"]
