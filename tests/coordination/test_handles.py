"""Queues, deferreds, semaphores and states as values, and what they refuse."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from effactor import Deferred, Queue, Semaphore, State, pure
from effactor.programs.operations import Operation
from effactor.programs.program import Program

HANDLES: list[Any] = [Queue(), Deferred(), Semaphore(1)]


@pytest.mark.parametrize("make", [Queue, Deferred, lambda: Semaphore(1)])
def test_a_handle_equals_only_itself(make: Any) -> None:
    one, two = make(), make()
    assert one == one  # noqa: PLR0124
    assert one != two
    assert len({one, two}) == 2
    assert copy.copy(one) is one
    assert copy.deepcopy([one])[0] is one


def test_programs_over_the_same_handle_are_equal() -> None:
    queue: Queue[int] = Queue()
    assert queue.put(1) == queue.put(1)
    assert queue.put(1) != queue.put(2)
    assert queue.get() != Queue[int]().get()


@pytest.mark.parametrize("handle", HANDLES)
def test_a_handle_cannot_be_pickled_and_says_why(handle: Any) -> None:
    with pytest.raises(TypeError, match="its contents belong to the system that runs the program"):
        pickle.dumps(handle)


def test_a_program_with_a_handle_inside_says_which_one_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="cannot pickle queue 'jobs'"):
        pickle.dumps(Queue[int](name="jobs").put(1))


def test_a_state_is_a_value() -> None:
    one = State("visits", 0)
    assert one == State("visits", 0)
    assert one not in {State("visits", 1), State("other", 0), State("visits", 0, per="actor")}
    assert pickle.loads(pickle.dumps(one)) == one
    program = one.put(3).then(one.get())
    assert pickle.loads(pickle.dumps(program)) == program
    with pytest.raises(AttributeError):
        one.name = "another"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_reprs_and_names_show_no_addresses() -> None:
    unnamed: list[Any] = [Queue(), Deferred(), Semaphore(2)]
    assert [repr(value) for value in unnamed] == [
        "Queue()",
        "Deferred()",
        "Semaphore(2)",
    ]
    assert repr(Queue[int](3, "priority", name="jobs")) == (
        "Queue(capacity=3, order='priority', name='jobs')"
    )
    assert repr(Deferred[int](name="ready")) == "Deferred(name='ready')"
    assert repr(Semaphore(2, name="db")) == "Semaphore(2, name='db')"
    assert Queue().describe() == "a queue"
    assert Semaphore(1, name="db").describe() == "semaphore 'db'"


jobs: Queue[int] = Queue(name="jobs")
urgent: Queue[int] = Queue(order="priority")
ready: Deferred[int, str] = Deferred(name="ready")
visits = State("visits", 0)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (jobs.put(3), "put 3 into queue 'jobs'"),
        (urgent.put(3, 1.5), "put 3 into a queue with priority 1.5"),
        (jobs.get(), "get from queue 'jobs'"),
        (jobs.done(), "finish a job of queue 'jobs'"),
        (jobs.join(), "join queue 'jobs'"),
        (jobs.size(), "count the items of queue 'jobs'"),
        (ready.get(), "get deferred 'ready'"),
        (ready.succeed(1), "complete deferred 'ready' with 1"),
        (ready.fail("no"), "fail deferred 'ready' with 'no'"),
        (ready.is_done(), "see whether deferred 'ready' is done"),
        (Semaphore(2).available(), "count the permits of a semaphore"),
        (visits.get(), "get state 'visits'"),
        (visits.put(2), "put 2 into state 'visits'"),
        (visits.modify(abs), "modify state 'visits' by abs"),
    ],
)
def test_operations_describe_themselves(operation: Program[Any, Any], text: str) -> None:
    assert isinstance(operation, Operation)
    assert operation.describe() == text


# What the type checkers would refuse too.
any_queue: Any = Queue
any_deferred: Any = Deferred
any_semaphore: Any = Semaphore
any_state: Any = State
any_jobs: Any = jobs
any_urgent: Any = urgent
any_visits: Any = visits


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: any_queue(0), ValueError, "Queue: capacity must be at least 1, got 0"),
        (lambda: any_queue(True), TypeError, "Queue: capacity must be a whole number, got True"),
        (lambda: any_queue(2.5), TypeError, "Queue: capacity must be a whole number, got 2.5"),
        (lambda: any_queue(order="lifo"), ValueError, 'order must be "fifo" or "priority", got'),
        (lambda: any_queue(name=""), ValueError, "Queue: name must be a text that is not empty"),
        (lambda: any_semaphore(0), ValueError, "Semaphore: permits must be at least 1, got 0"),
        (lambda: any_semaphore("2"), TypeError, "permits must be a whole number, got '2'"),
        (lambda: any_semaphore(2).with_permits(0), ValueError, "permits must be at least 1, got 0"),
        (
            lambda: any_semaphore(2, name="db").with_permits(3),
            ValueError,
            "permits must be at most 2, as many as semaphore 'db' has, got 3",
        ),
        (
            lambda: any_semaphore(1).with_permits(1)(1),
            TypeError,
            "program must be a Program, got 1",
        ),
        (lambda: any_semaphore(1).with_permit(pure), TypeError, "program must be a Program, got"),
        (lambda: any_deferred(name=3), ValueError, "Deferred: name must be a text"),
        (
            lambda: any_jobs.put(1, 2),
            ValueError,
            'takes no priority, got 2: make it with order="pri',
        ),
        (
            lambda: any_urgent.put(1, float("nan")),
            ValueError,
            "number that can be ordered, got nan",
        ),
        (lambda: any_urgent.put(1, "high"), TypeError, "priority must be a number, .* got 'high'"),
        (lambda: any_jobs.process(pure(1)), TypeError, "process: function must be a function"),
        (lambda: any_state("", 0), ValueError, "State: name must be a text that is not empty"),
        (lambda: any_state("s", []), TypeError, r"State: initial must be hashable, got \[\]"),
        (lambda: any_state("s", 0, per="run"), ValueError, "per must be .* got 'run'"),
        (lambda: any_visits.modify(1), TypeError, "modify: function must be a function"),
    ],
)
def test_wrong_arguments_are_refused_where_they_are_given(
    make: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        make()
