"""Programs of SCTBench, ported from threads over variables to programs over cells.

Thomson, Donaldson and Betts, "Concurrency Testing Using Controlled Schedulers: An Empirical
Study" (2016). Only the idea of each program is kept.
"""

from __future__ import annotations

from functools import partial

from benchmarks.actorbugs.bug import Bug
from benchmarks.actorbugs.cells import Add, Cell, CellRef, Read, Write
from effactor import AskFailed, Deferred, Do, Program, Semaphore, free_ask, program
from effactor.interpreters import Simulation

LOCK = Semaphore(1, name="lock")
OTHER_LOCK = Semaphore(1, name="other lock")

# ---------------------------------------------------------------- reorder_3_bad


@program
def set_both(a: CellRef, b: CellRef) -> Do[None, AskFailed]:
    yield from free_ask(a, Write(1))
    yield from free_ask(b, Write(-1))


@program
def check_both(a: CellRef, b: CellRef) -> Do[None, AskFailed]:
    # Bug: the two are a pair, but nobody guards them as one.
    pair = (yield from free_ask(a, Read())), (yield from free_ask(b, Read()))
    assert pair in {(0, 0), (1, -1)}, f"the checker sees {pair}"


def reorder(sim: Simulation) -> None:
    a, b = sim.spawn(Cell, "a"), sim.spawn(Cell, "b")
    sim.run_all([set_both(a, b), set_both(a, b), check_both(a, b)])


def reorder_fixed(sim: Simulation) -> None:
    a, b = sim.spawn(Cell, "a"), sim.spawn(Cell, "b")
    threads = [set_both(a, b), set_both(a, b), check_both(a, b)]
    sim.run_all([LOCK.with_permit(thread) for thread in threads])


# ---------------------------------------------------------------- twostage_bad


@program
def write_stages(one: CellRef, two: CellRef) -> Do[None, AskFailed]:
    yield from free_ask(one, Write(1))
    # Bug: each stage is atomic, but they belong together.
    n = yield from free_ask(one, Read())
    yield from free_ask(two, Write(n + 1))


@program
def read_stages(one: CellRef, two: CellRef) -> Do[None, AskFailed]:
    first = yield from free_ask(one, Read())
    if first == 0:
        return
    second = yield from free_ask(two, Read())
    assert second == first + 1, f"stage one is {first}, stage two {second}"


def two_stage(sim: Simulation) -> None:
    one, two = sim.spawn(Cell, "one"), sim.spawn(Cell, "two")
    sim.run_all([write_stages(one, two), read_stages(one, two)])


def two_stage_fixed(sim: Simulation) -> None:
    one, two = sim.spawn(Cell, "one"), sim.spawn(Cell, "two")
    sim.run_all([LOCK.with_permit(thread(one, two)) for thread in (write_stages, read_stages)])


# ---------------------------------------------------------------- wronglock_bad


@program
def bump(cell: CellRef) -> Do[None, AskFailed]:
    before = yield from free_ask(cell, Read())
    yield from free_ask(cell, Write(before + 1))
    after = yield from free_ask(cell, Read())
    assert after == before + 1, f"{before} was incremented to {after}"


def wrong_lock(sim: Simulation) -> None:
    # Bug: two locks for one cell exclude nobody.
    cell = sim.spawn(Cell, "cell")
    sim.run_all([LOCK.with_permit(bump(cell)), OTHER_LOCK.with_permit(bump(cell))])


def wrong_lock_fixed(sim: Simulation) -> None:
    cell = sim.spawn(Cell, "cell")
    sim.run_all([LOCK.with_permit(bump(cell)), LOCK.with_permit(bump(cell))])


# ---------------------------------------------------------------- token_ring_bad


@program
def copy(source: CellRef, target: CellRef) -> Do[None, AskFailed]:
    value = yield from free_ask(source, Read())
    yield from free_ask(target, Write(value))


def token_ring(sim: Simulation) -> None:
    # Bug: nothing makes a thread wait for the one before it in the ring.
    x1, x2, x3 = (sim.spawn(Cell, name) for name in ("x1", "x2", "x3"))
    sim.run_all([free_ask(x1, Add(1)).map(lambda _: None), copy(x1, x2), copy(x2, x3)])
    ring = [sim.actor(x).value for x in (x1, x2, x3)]
    assert ring == [1, 1, 1], f"the ring holds {ring}"


def token_ring_fixed(sim: Simulation) -> None:
    x1, x2, x3 = (sim.spawn(Cell, name) for name in ("x1", "x2", "x3"))
    first, second = Deferred[None](name="first"), Deferred[None](name="second")
    threads: list[Program[object, AskFailed]] = [
        free_ask(x1, Add(1)).then(first.succeed(None)),
        first.get().then(copy(x1, x2)).then(second.succeed(None)),
        second.get().then(copy(x2, x3)),
    ]
    sim.run_all(threads)
    ring = [sim.actor(x).value for x in (x1, x2, x3)]
    assert ring == [1, 1, 1], f"the ring holds {ring}"


# ---------------------------------------------------------------- bluetooth_driver_bad


@program
def use_driver(stopping: CellRef, pending: CellRef, stopped: CellRef) -> Do[None, AskFailed]:
    if (yield from free_ask(stopping, Read())):
        return
    # Bug: the driver may stop here, as nobody counts this request yet.
    yield from free_ask(pending, Add(1))
    yield from _work(pending, stopped)


@program
def use_driver_counted(
    stopping: CellRef, pending: CellRef, stopped: CellRef
) -> Do[None, AskFailed]:
    # Counted first, then looked: whoever stops the driver waits for this request.
    yield from free_ask(pending, Add(1))
    if (yield from free_ask(stopping, Read())):
        yield from _finish(pending, stopped)
    else:
        yield from _work(pending, stopped)


@program
def _work(pending: CellRef, stopped: CellRef) -> Do[None, AskFailed]:
    assert not (yield from free_ask(stopped, Read())), "the driver works though it is stopped"
    yield from _finish(pending, stopped)


@program
def _finish(pending: CellRef, stopped: CellRef) -> Do[None, AskFailed]:
    if (yield from free_ask(pending, Add(-1))) == 0:
        yield from free_ask(stopped, Write(1))


@program
def stop_driver(stopping: CellRef, pending: CellRef, stopped: CellRef) -> Do[None, AskFailed]:
    yield from free_ask(stopping, Write(1))
    yield from _finish(pending, stopped)


def _driver(sim: Simulation) -> tuple[CellRef, CellRef, CellRef]:
    stopping, stopped = sim.spawn(Cell, "stopping"), sim.spawn(Cell, "stopped")
    return stopping, sim.spawn(partial(Cell, 1), "pending"), stopped


def bluetooth_driver(sim: Simulation) -> None:
    cells = _driver(sim)
    sim.run_all([use_driver(*cells), stop_driver(*cells)])


def bluetooth_driver_fixed(sim: Simulation) -> None:
    cells = _driver(sim)
    sim.run_all([use_driver_counted(*cells), stop_driver(*cells)])


# ---------------------------------------------------------------- a work-stealing queue


@program
def pop(head: CellRef, tail: CellRef) -> Do[int | None, AskFailed]:
    """Take the last item, as the owner of the queue does: without the lock where it can."""
    last = yield from free_ask(tail, Add(-1))
    if (yield from free_ask(head, Read())) <= last:
        return last
    yield from free_ask(tail, Add(1))
    return (yield from LOCK.with_permit(_pop_locked(head, tail)))


@program
def _pop_locked(head: CellRef, tail: CellRef) -> Do[int | None, AskFailed]:
    last = yield from free_ask(tail, Add(-1))
    if (yield from free_ask(head, Read())) <= last:
        return last
    yield from free_ask(tail, Add(1))
    return None


@program
def look_and_steal(head: CellRef, tail: CellRef) -> Do[int | None, AskFailed]:
    first = yield from free_ask(head, Read())
    if first >= (yield from free_ask(tail, Read())):
        return None
    # Bug: the owner, who needs no lock, may have popped the item that was seen.
    yield from free_ask(head, Write(first + 1))
    return first


@program
def claim_and_steal(head: CellRef, tail: CellRef) -> Do[int | None, AskFailed]:
    # Both sides claim first and look afterwards: one of them at least sees the other.
    first = (yield from free_ask(head, Add(1))) - 1
    if first < (yield from free_ask(tail, Read())):
        return first
    yield from free_ask(head, Add(-1))
    return None


def work_stealing(sim: Simulation) -> None:
    head, tail = sim.spawn(Cell, "head"), sim.spawn(partial(Cell, 1), "tail")
    taken = sim.run_all([pop(head, tail), LOCK.with_permit(look_and_steal(head, tail))])
    assert taken.count(0) == 1, f"of one item, {taken} are taken"


def work_stealing_fixed(sim: Simulation) -> None:
    head, tail = sim.spawn(Cell, "head"), sim.spawn(partial(Cell, 1), "tail")
    taken = sim.run_all([pop(head, tail), LOCK.with_permit(claim_and_steal(head, tail))])
    assert taken.count(0) == 1, f"of one item, {taken} are taken"


_SOURCE = "SCTBench (Thomson, Donaldson and Betts, 2016)"

BUGS = (
    Bug(
        "reorder",
        "a checker sees one of two writes",
        f"{_SOURCE}: reorder_3_bad",
        "atomicity violation",
        (),
        1,
        reorder,
        reorder_fixed,
    ),
    Bug(
        "two_stage",
        "a reader comes between two stages, each of which is atomic",
        f"{_SOURCE}: twostage_bad",
        "atomicity violation",
        (),
        1,
        two_stage,
        two_stage_fixed,
    ),
    Bug(
        "wrong_lock",
        "two locks guard one cell",
        f"{_SOURCE}: wronglock_bad",
        "atomicity violation",
        (),
        1,
        wrong_lock,
        wrong_lock_fixed,
    ),
    Bug(
        "token_ring",
        "a token is passed on before it is there",
        f"{_SOURCE}: token_ring_bad",
        "order violation",
        (),
        1,
        token_ring,
        token_ring_fixed,
    ),
    Bug(
        "bluetooth_driver",
        "a driver is stopped between a request's look at the flag and its count",
        f"{_SOURCE}: bluetooth_driver_bad; Qadeer and Wu, KISS (2004)",
        "atomicity violation",
        (),
        1,
        bluetooth_driver,
        bluetooth_driver_fixed,
    ),
    Bug(
        "work_stealing",
        "owner and thief both take the last item of a queue",
        f"{_SOURCE}: work-stealing queue; the THE protocol of Cilk-5 (1998)",
        "atomicity violation",
        (),
        2,
        work_stealing,
        work_stealing_fixed,
    ),
)
