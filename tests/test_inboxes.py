"""Inboxes against a model: order kept, capacity kept, and nothing lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from effactor.actors.mailboxes import FifoInbox, Full, Overflow, PriorityInbox

OVERFLOWS: tuple[Overflow, ...] = get_args(Overflow)


@dataclass(frozen=True, eq=False)
class Item:
    """Neither comparable nor equal to another: like messages."""

    message: int
    priority: int


PUT = st.tuples(st.just("put"), st.integers(-2, 2))
TAKE = st.tuples(st.just("take"), st.just(0))
SWEEP = st.tuples(st.just("sweep"), st.integers(2, 4))
CHOOSE = st.tuples(st.just("choose"), st.integers(0, 100))
STEPS = st.lists(PUT | PUT | TAKE | SWEEP | CHOOSE, max_size=60)


def drop(model: list[Item], item: Item, overflow: Overflow, *, by_priority: bool) -> Item:
    """Say which item a full mailbox drops, and take it out."""
    if overflow == "drop_newest":
        return item
    if not by_priority:
        return model.pop(0)
    least = min(each.priority for each in model)
    if item.priority < least:
        return item
    oldest = next(each for each in model if each.priority == least)
    model.remove(oldest)
    return oldest


@given(
    STEPS,
    st.one_of(st.none(), st.integers(1, 5)),
    st.sampled_from(OVERFLOWS),
    st.booleans(),
)
def test_an_inbox_keeps_its_order_and_its_bound_and_loses_nothing(
    steps: list[tuple[str, int]], capacity: int | None, overflow: Overflow, by_priority: bool
) -> None:
    inbox: Any = (PriorityInbox if by_priority else FifoInbox)(capacity, overflow)
    model: list[Item] = []
    put: set[Item] = set()
    gone: list[Item] = []

    def ordered() -> list[Item]:
        # Sorting is stable: FIFO within a priority.
        return sorted(model, key=lambda item: -item.priority) if by_priority else list(model)

    for number, (what, argument) in enumerate(steps):
        if what == "put":
            item = Item(number, argument)
            full = capacity is not None and len(model) >= capacity
            answer = inbox.put(item)
            put.add(item)
            if not full:
                assert answer is None
                model.append(item)
            elif overflow in {"block", "reject"}:
                assert answer is (Full.WAIT if overflow == "block" else Full.REJECT)
                gone.append(item)  # refused: its sender has it
            else:
                dropped = drop(model, item, overflow, by_priority=by_priority)
                assert answer is dropped
                gone.append(dropped)
                if dropped is not item:
                    model.append(item)
        elif what == "take":
            expected = ordered()[0] if model else None
            assert inbox.take() is expected
            if expected is not None:
                model.remove(expected)
                gone.append(expected)
        elif what == "sweep":

            def divides(item: Item, argument: int = argument) -> bool:
                return item.message % argument == 0

            inbox.sweep(divides)
            gone += [item for item in model if item.message % argument == 0]
            model = [item for item in model if item.message % argument]
        else:
            candidates = list(inbox.candidates())
            first = ordered()
            if by_priority:
                first = [item for item in first if item.priority == first[0].priority]
            assert candidates == first
            if candidates:
                chosen = candidates[argument % len(candidates)]
                inbox.remove(chosen)
                model.remove(chosen)
                gone.append(chosen)
        assert len(inbox) == len(model)
        assert capacity is None or len(inbox) <= capacity
    left = list(inbox.close())
    assert left == ordered()
    assert not len(inbox)
    # Each was taken, dropped, refused or left, and no two of these.
    assert len(gone) + len(left) == len(put)
    assert {*gone, *left} == put
