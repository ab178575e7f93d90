"""The rules of a semaphore, against a count."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from effactor.coordination.semaphore_rules import SemaphoreRules


class Semaphores(RuleBasedStateMachine):
    """Requests of several sizes, some of which are withdrawn."""

    def __init__(self) -> None:
        super().__init__()
        self.tested: SemaphoreRules[int] = SemaphoreRules(1)
        self.permits = 1
        self.asked = 0
        self.held: dict[int, int] = {}
        self.line: list[tuple[int, int]] = []

    @initialize(permits=st.integers(1, 4))
    def begin(self, permits: int) -> None:
        self.permits = permits
        self.tested = SemaphoreRules(permits)

    def settled(self) -> None:
        for waiter, permits in self.tested.settle():
            assert (waiter, permits) == self.line.pop(0)
            self.held[waiter] = permits

    @rule(data=st.data())
    def acquire(self, data: st.DataObject) -> None:
        permits = data.draw(st.integers(1, self.permits))
        self.asked += 1
        free = self.permits - sum(self.held.values())
        lent = self.tested.acquire(permits)
        assert lent is (not self.line and permits <= free)
        if lent:
            self.held[self.asked] = permits
        else:
            self.tested.waiting.append(self.asked, permits)
            self.line.append((self.asked, permits))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(sorted(self.held)))
        self.tested.release(self.held.pop(holder))
        self.settled()

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(self.line))
        self.line.remove(entry)
        assert self.tested.waiting.leave(entry[0])
        self.settled()

    @invariant()
    def permits_are_neither_lost_nor_made(self) -> None:
        assert self.tested.available == self.permits - sum(self.held.values()) >= 0

    @invariant()
    def the_first_waits_only_for_too_much(self) -> None:
        assert len(self.tested.waiting) == len(self.line)
        if self.line:
            assert self.line[0][1] > self.tested.available


TestSemaphores = Semaphores.TestCase
