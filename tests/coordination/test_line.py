"""A line of waiters, against a list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from effactor.coordination.deferred_rules import DeferredRules
from effactor.coordination.line import Line
from effactor.programs.exits import FailedWith, Succeeded


@given(st.lists(st.tuples(st.sampled_from(["append", "leave", "pop"]), st.integers(0, 5))))
def test_a_line_is_a_list_that_can_be_left(steps: list[tuple[str, int]]) -> None:
    line: Line[int, str] = Line()
    model: list[tuple[int, str]] = []
    for step, (what, number) in enumerate(steps):
        if what == "append":
            line.append(step + 100, str(number))
            model.append((step + 100, str(number)))
        elif what == "leave":
            waiter = model[number % len(model)][0] if model else number
            assert line.leave(waiter) is bool(model)
            model = [entry for entry in model if entry[0] != waiter]
        elif model:
            assert line.first_wanted() == model[0][1]
            assert line.pop() == model.pop(0)
        assert len(line) == len(model)
        assert list(line) == [waiter for waiter, _ in model]


def test_only_the_first_completion_of_a_deferred_counts() -> None:
    rules: DeferredRules[str] = DeferredRules()
    rules.waiting.append("a", None)
    assert list(rules.settle()) == []
    assert rules.complete(FailedWith("first"))
    assert not rules.complete(Succeeded("second"))
    rules.waiting.append("b", None)
    assert list(rules.settle()) == [("a", FailedWith("first")), ("b", FailedWith("first"))]
    assert list(rules.settle()) == []
