"""Queues and the like in dry runs and in `run_free` without a system."""

from __future__ import annotations

import pytest

from effactor import (
    Deadlock,
    Deferred,
    Do,
    FailedWith,
    Program,
    Queue,
    Semaphore,
    State,
    Succeeded,
    fail,
    program,
    pure,
    run_free,
)
from effactor.interpreters import dry_run
from effactor.programs.zipping import zip_

visits = State("visits", 0)
seen = State("seen", 0, per="actor")


def add_one(number: int) -> int:
    return number + 1


@program
def shop() -> Do[tuple[int, int]]:
    """Two workers take four jobs from a queue with room for one."""
    jobs: Queue[int] = Queue(capacity=1, name="jobs")
    desk = Semaphore(1, name="desk")

    def serve(job: int) -> Program[int]:
        return desk.with_permit(visits.modify(lambda n: n + job))

    @program
    def worker() -> Do[None]:
        for _ in range(2):
            yield from jobs.process(serve)

    @program
    def producer() -> Do[None]:
        for job in (1, 2, 3, 4):
            yield from jobs.put(job)
        yield from jobs.join()

    yield from zip_(worker(), worker(), producer())
    return (yield from visits.get()), (yield from desk.available())


def test_a_program_with_queues_runs_without_a_system() -> None:
    assert run_free(shop()) == (10, 1)


def test_a_dry_run_does_what_the_program_does_with_queues_and_lists_it() -> None:
    trace = dry_run(shop())
    assert trace.outcome == Succeeded((10, 1))
    said = [r.subject.describe() for r in trace.records if r.kind == "coordinate"]
    for text in (
        "put 1 into queue 'jobs'",
        "get from queue 'jobs'",
        "acquire 1 permit of semaphore 'desk'",
        "modify state 'visits' by shop.serve.<lambda>",
        "release 1 permit of semaphore 'desk'",
        "finish a job of queue 'jobs'",
        "join queue 'jobs'",
    ):
        assert text in said


def test_a_dry_run_disturbs_no_other_run_of_the_same_value() -> None:
    jobs: Queue[int] = Queue(capacity=1)
    once = jobs.put(1).then(jobs.size())
    assert dry_run(once).outcome == dry_run(once).outcome == Succeeded(1)
    assert run_free(once) == run_free(once) == 1


def test_both_kinds_of_state_begin_anew_in_each_run() -> None:
    both = seen.modify(add_one).then(visits.modify(add_one)).then(seen.modify(add_one))
    assert [run_free(both), run_free(both)] == [2, 2]


def test_what_can_never_come_is_a_deadlock_that_names_it() -> None:
    ready: Deferred[int] = Deferred(name="ready")
    with pytest.raises(Deadlock, match="waits for the completion of deferred 'ready'"):
        run_free(ready.get())
    with pytest.raises(Deadlock, match="waits for the completion of deferred 'ready'"):
        dry_run(ready.get())


def test_a_dry_run_takes_the_answers_it_is_given() -> None:
    jobs: Queue[int] = Queue()
    ready: Deferred[int, str] = Deferred()
    assert dry_run(jobs.get(), answers={jobs.get(): 7}).outcome == Succeeded(7)
    assert dry_run(ready.get(), answers={ready.get(): fail("no")}).outcome == FailedWith("no")
    assert dry_run(visits.get(), answers={visits.get(): pure(3)}).outcome == Succeeded(3)


def test_handlers_of_run_free_come_before_what_operations_mean_anyway() -> None:
    jobs: Queue[int] = Queue()
    assert run_free(jobs.get(), {type(jobs.get()): lambda _get: 7}) == 7
