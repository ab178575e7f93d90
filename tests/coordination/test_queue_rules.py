"""The rules of a queue, against a model of plain lists."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from effactor.coordination.items import Entry
from effactor.coordination.queue_rules import QueueRules

Job = tuple[float, int]  # priority and number: what is taken first is smallest


class Queues(RuleBasedStateMachine):
    """Puts, gets and joins of numbered waiters, some of which go away again.

    The model keeps the items as one sorted list, and each line as a list.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tested: QueueRules[int] = QueueRules(None, by_priority=False)
        self.capacity: int | None = None
        self.by_priority = False
        self.waiters = 0
        self.restored = 0  # items beyond the capacity
        # The model.
        self.serial = 0
        self.items: list[tuple[Job, Any]] = []
        self.getters: list[int] = []
        self.putters: list[tuple[int, Any, float]] = []
        self.joiners: list[int] = []
        self.in_hand: list[Any] = []
        self.put_in: list[Any] = []
        self.revoked: list[Any] = []
        # Who was served, as the rules say.
        self.got: dict[int, Entry] = {}
        self.let_in: dict[int, Entry] = {}

    @initialize(capacity=st.none() | st.integers(1, 3), by_priority=st.booleans())
    def begin(self, capacity: int | None, by_priority: bool) -> None:
        self.capacity, self.by_priority = capacity, by_priority
        self.tested = QueueRules(capacity, by_priority=by_priority)

    def new_waiter(self) -> int:
        self.waiters += 1
        return self.waiters

    def model_put(self, item: Any, priority: float) -> None:
        self.serial += 1
        self.put_in.append(item)
        self.items.append(((priority if self.by_priority else 0, self.serial), item))
        self.items.sort(key=lambda pair: pair[0])

    def model_take(self) -> Any:
        item = self.items.pop(0)[1]
        self.in_hand.append(item)
        return item

    def settled(self) -> None:
        """Serve whom the rules serve, and see that the model serves the same in this order."""
        for waiter, given in self.tested.settle():
            if self.getters and self.items:
                assert given is not None
                assert (waiter, given.item) == (self.getters.pop(0), self.model_take())
                self.got[waiter] = given
            elif self.putters and (self.capacity is None or len(self.items) < self.capacity):
                first, item, priority = self.putters.pop(0)
                self.model_put(item, priority)
                assert given is not None
                assert (waiter, given.item) == (first, item)
                self.let_in[waiter] = given
            else:
                assert not self.items
                assert not self.in_hand
                assert waiter == self.joiners.pop(0)
                assert given is None

    @rule(priority=st.integers(-1, 2))
    def put(self, priority: int) -> None:
        waiter = self.new_waiter()
        item = f"item {waiter}"
        full = self.capacity is not None and len(self.items) >= self.capacity
        assert self.tested.has_room is not full
        if full:
            self.tested.putters.append(waiter, (item, priority))
            self.putters.append((waiter, item, priority))
        else:
            self.tested.put(item, priority)
            self.model_put(item, priority)
        self.settled()

    @rule()
    def get(self) -> None:
        waiter = self.new_waiter()
        if self.items:
            assert self.tested.take().item == self.model_take()
        else:
            self.tested.getters.append(waiter, None)
            self.getters.append(waiter)
        self.settled()

    @rule()
    def done(self) -> None:
        assert self.tested.done() is bool(self.in_hand)
        if self.in_hand:
            self.in_hand.pop()
        self.settled()

    @rule()
    def join(self) -> None:
        waiter = self.new_waiter()
        assert self.tested.is_finished is not bool(self.items or self.in_hand)
        if not self.tested.is_finished:
            self.tested.joiners.append(waiter, None)
            self.joiners.append(waiter)
        self.settled()

    @precondition(lambda self: self.getters or self.putters or self.joiners)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        waiter = data.draw(
            st.sampled_from([*self.getters, *(w for w, _, _ in self.putters), *self.joiners])
        )
        assert sum(line.leave(waiter) for line in self.tested.lines()) == 1
        self.getters = [w for w in self.getters if w != waiter]
        self.putters = [p for p in self.putters if p[0] != waiter]
        self.joiners = [w for w in self.joiners if w != waiter]
        self.settled()

    @precondition(lambda self: any(e.item in self.in_hand for e in self.got.values()))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        handed = [w for w, e in self.got.items() if e.item in self.in_hand]
        entry = self.got.pop(data.draw(st.sampled_from(handed)))
        self.in_hand.remove(entry.item)
        rank = entry.priority if self.by_priority else 0
        self.items.append(((rank, entry.serial), entry.item))
        self.items.sort(key=lambda pair: pair[0])
        self.restored += 1
        self.tested.give_back(entry)
        self.settled()

    @precondition(lambda self: self.let_in)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        entry = self.let_in.pop(data.draw(st.sampled_from(sorted(self.let_in))))
        waiting = [item for _, item in self.items]
        assert self.tested.revoke(entry) is (entry.item in waiting)
        if entry.item in waiting:
            self.revoked.append(entry.item)
            self.items = [pair for pair in self.items if pair[1] != entry.item]
        self.settled()

    @invariant()
    def nobody_waits_for_what_is_there(self) -> None:
        rules = self.tested
        assert not (rules.getters and rules.items)
        assert not (rules.putters and rules.has_room)
        assert not (rules.joiners and rules.is_finished)

    @invariant()
    def no_item_is_lost_or_doubled(self) -> None:
        assert len(self.tested.items) == len(self.items)
        assert self.tested.in_hand == len(self.in_hand)
        inside = [item for _, item in self.items] + self.in_hand
        assert len(inside) == len(set(inside))

    @invariant()
    def there_is_no_more_than_the_capacity_but_for_what_was_given_back(self) -> None:
        if self.capacity is not None:
            assert len(self.tested.items) <= self.capacity + self.restored

    @override
    def teardown(self) -> None:
        order = [self.tested.take().item for _ in range(len(self.tested.items))]
        assert order == [item for _, item in self.items]


TestQueues = Queues.TestCase


def test_equal_priorities_leave_in_the_order_they_came() -> None:
    rules: QueueRules[int] = QueueRules(None, by_priority=True)
    for name, priority in (("c", 2), ("a", 1), ("b", 1), ("first", -0.5)):
        rules.put(name, priority)
    assert [rules.take().item for _ in range(4)] == ["first", "a", "b", "c"]


def test_items_that_cannot_be_compared_have_priorities_all_the_same() -> None:
    rules: QueueRules[int] = QueueRules(None, by_priority=True)
    one, two = object(), object()
    rules.put(one, 1)
    rules.put(two, 1)
    assert [rules.take().item, rules.take().item] == [one, two]


def test_two_items_given_back_in_any_order_are_in_their_places_again() -> None:
    rules: QueueRules[int] = QueueRules(None, by_priority=False)
    for name in "abc":
        rules.put(name, 0)
    a, b = rules.take(), rules.take()
    rules.give_back(a)
    rules.give_back(b)
    assert [rules.take().item for _ in range(3)] == ["a", "b", "c"]
