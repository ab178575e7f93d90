"""Linearizability, against a checker that tries all orders."""

from __future__ import annotations

from dataclasses import replace

import pytest
from histories import (
    OBJECTS,
    explains,
    histories,
    keeps_time,
    slowly_linearizable,
    true_histories,
)
from hypothesis import given, note, settings
from hypothesis import strategies as st

from effactor.consistency import History, Model, Operation, linearizable

each_object = pytest.mark.parametrize("name", sorted(OBJECTS))


def judged(history: History) -> list[Operation]:
    return [operation for operation in history if operation.outcome != "fail"]


def one_part(operation: object) -> None:
    """A partition into one part: no partition."""


# 7 models, 500 histories each.
@each_object
@settings(max_examples=500)
@given(data=st.data())
def test_the_verdict_is_that_of_trying_all_orders(name: str, data: st.DataObject) -> None:
    model, operations = OBJECTS[name]
    history = data.draw(histories(operations))
    report = linearizable(history, model, partition=one_part)
    note(str(report))
    assert report.verdict == ("ok" if slowly_linearizable(judged(history), model) else "violated")


@each_object
@settings(max_examples=300)
@given(data=st.data())
def test_what_a_correct_object_did_is_ok_and_the_order_shows_it(
    name: str, data: st.DataObject
) -> None:
    model, operations = OBJECTS[name]
    history = data.draw(true_histories(model, operations, clients=4, most=20))
    report = linearizable(history, model, partition=one_part)
    note(str(report))
    assert report.ok
    assert keeps_time(report.order)
    assert explains(model, report.order)
    assert {o.number for o in report.order} >= {o.number for o in history if o.outcome == "ok"}


@each_object
@settings(max_examples=200)
@given(data=st.data())
def test_one_false_answer_is_seen_exactly_if_no_order_explains_it(
    name: str, data: st.DataObject
) -> None:
    model, operations = OBJECTS[name]
    history = list(data.draw(true_histories(model, operations)))
    answered = [o for o in history if o.outcome == "ok"]
    if answered:
        lie = data.draw(st.sampled_from(answered))
        others = [o.result for o in answered] + [None, True, False, 0, 1, 2]
        history[lie.number] = replace(lie, result=data.draw(st.sampled_from(others)))
    report = linearizable(history, model, partition=one_part)
    assert report.ok == slowly_linearizable(history, model)


@settings(max_examples=500)
@given(data=st.data())
def test_the_parts_are_ok_exactly_if_the_whole_is(data: st.DataObject) -> None:
    model, operations = OBJECTS["map"]
    history = data.draw(
        histories(operations) | true_histories(model, operations, clients=4, most=12)
    )
    parts = linearizable(history, model)
    whole = linearizable(history, model, partition=one_part)
    note(f"{parts}\n{whole}")
    assert parts.verdict == whole.verdict


@each_object
@settings(max_examples=300)
@given(data=st.data())
def test_what_ended_before_the_operation_that_cannot_be_placed_is_linearizable(
    name: str, data: st.DataObject
) -> None:
    model, operations = OBJECTS[name]
    history = data.draw(histories(operations))
    report = linearizable(history, model, partition=one_part)
    if report.ok:
        assert report.stuck is None
        return
    stuck = report.stuck
    assert stuck is not None
    assert stuck.end is not None
    ended = stuck.end
    # What ended later may or may not have taken effect by then.
    before = [
        o if o.end is not None and o.end < ended else replace(o, outcome="info", end=None)
        for o in judged(history)
        if o.begin < ended
    ]
    assert linearizable(before, model, partition=one_part).ok
    assert [o.number for o in report.prefix] == [o.number for o in before if o.outcome == "ok"]
    for end in report.dead_ends:
        assert explains(model, end.order)
        assert {o.number for o in report.prefix} <= {o.number for o in end.order}
    assert str(stuck) in str(report)


@each_object
@settings(max_examples=150)
@given(data=st.data())
def test_declaring_what_only_reads_changes_no_verdict(name: str, data: st.DataObject) -> None:
    model, operations = OBJECTS[name]
    history = data.draw(histories(operations))
    undeclared = Model.of_outcomes(model.initial, model.outcomes)
    assert linearizable(history, model).verdict == linearizable(history, undeclared).verdict
