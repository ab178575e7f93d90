"""Serializability, against a checker that tries all orders."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from histories import ENDS, orders
from hypothesis import given, note, settings
from hypothesis import strategies as st

from effactor.consistency import Append, History, Operation, serializable
from effactor.consistency.models import Get, Put

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = st.lists(st.tuples(st.sampled_from("xy"), st.booleans()), min_size=1, max_size=3)


def run(state: dict[Any, Any], steps: Sequence[Any], lists: bool) -> tuple[Any, ...]:
    """Run a transaction by itself."""
    answers: list[Any] = []
    for step in steps:
        value: Any = state.get(step.key, () if lists else None)
        answers.append(value if isinstance(step, Get) else None)
        if isinstance(step, Put):
            state[step.key] = step.value
        elif isinstance(step, Append):
            state[step.key] = (*value, step.value)
    return tuple(answers)


def slowly_serializable(history: History, *, lists: bool, strict: bool) -> bool:
    """Try all orders."""
    judged = [o for o in history if o.outcome != "fail"]
    if not strict:
        judged = [Operation(o.number, "", o.value, 0, 1, o.outcome, o.result) for o in judged]
    for order in orders(judged):
        state: dict[Any, Any] = {}
        for operation in order:
            answers = run(state, operation.value, lists)
            if operation.outcome == "ok" and answers != operation.result:
                break
        else:
            return True
    return False


@st.composite
def transactional(draw: st.DrawFn, *, lists: bool, unique: bool = True) -> History:
    """Draw a history of a store whose transactions may see, and may change, what is old."""
    history = History()
    busy: dict[int, int] = {}
    fresh = count(1)
    # States of the store. Some transactions forget what others wrote, or see what is old.
    states: list[dict[Any, Any]] = [{}]
    for client in draw(st.lists(st.integers(0, 2), min_size=4, max_size=14)):
        if client not in busy:
            steps: list[Any] = []
            for key, write in draw(STEPS):
                value = next(fresh) if unique else draw(st.integers(1, 2))
                steps.append(
                    (Append(key, value) if lists else Put(key, value)) if write else Get(key)
                )
            busy[client] = history.invoke(tuple(steps), client=f"c{client}")
            continue
        number = busy.pop(client)
        steps = list(history.operations[number].value)
        seen = dict(draw(st.sampled_from(states[-4:])))
        newest = dict(draw(st.sampled_from([states[-1], seen])))
        answers = run(seen, steps, lists)
        _ = run(newest, steps, lists)
        end = draw(ENDS)
        if end != "fail" or draw(st.integers(0, 5)) == 0:
            states.append(newest)
        history.end(end, number, answers if end == "ok" else None)
    return history


@pytest.mark.parametrize("strict", [False, True], ids=["serializable", "strict"])
@settings(max_examples=1000)
@given(data=st.data())
def test_with_lists_the_verdict_is_that_of_trying_all_orders(
    strict: bool, data: st.DataObject
) -> None:
    history = data.draw(transactional(lists=True))
    report = serializable(history, strict=strict)
    note(str(report))
    slow = slowly_serializable(history, lists=True, strict=strict)
    assert report.verdict == ("ok" if slow else "violated")


@pytest.mark.parametrize("unique", [True, False], ids=["unique", "repeated"])
@pytest.mark.parametrize("strict", [False, True], ids=["serializable", "strict"])
@settings(max_examples=700)
@given(data=st.data())
def test_with_single_values_the_verdict_is_that_of_trying_all_orders(
    strict: bool, unique: bool, data: st.DataObject
) -> None:
    history = data.draw(transactional(lists=False, unique=unique))
    report = serializable(history, strict=strict)
    note(str(report))
    slow = slowly_serializable(history, lists=False, strict=strict)
    assert report.verdict == ("ok" if slow else "violated")


@settings(max_examples=300)
@given(data=st.data())
def test_what_is_strictly_serializable_is_serializable(data: st.DataObject) -> None:
    history = data.draw(transactional(lists=True))
    if serializable(history, strict=True).ok:
        assert serializable(history).ok
