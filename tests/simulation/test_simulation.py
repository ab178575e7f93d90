"""What the simulator promises: determinism, virtual time, findings, a border."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AskFailed,
    AskTimeout,
    BadToken,
    Deadlock,
    Do,
    EscapedEffect,
    Livelock,
    Message,
    NonDeterminism,
    Violation,
    free_ask,
    free_call,
    free_now,
    free_random,
    free_sleep,
    free_tell,
    free_uuid,
    handler,
    program,
    pure,
)
from effactor.interpreters import ActorSystem, Simulation, explore, replay, simulate


@dataclass(frozen=True)
class Look(Message[int]):
    sku: str = "tea"


@dataclass(frozen=True)
class Take(Message[None]):
    sku: str = "tea"


@dataclass(frozen=True)
class Slow(Message[str]):
    seconds: float


class Inventory(Actor[Look | Take | Slow]):
    """One packet of tea."""

    def __init__(self) -> None:
        self.stock = {"tea": 1}

    @handler
    def look(self, message: Look) -> int:
        return self.stock[message.sku]

    @handler
    async def take(self, message: Take) -> None:
        self.stock[message.sku] -= 1

    @handler
    async def slow(self, message: Slow) -> str:
        await asyncio.sleep(message.seconds)
        return "slow"


@program
def checkout(inventory: ActorRef[Any]) -> Do[str, AskFailed]:
    if (yield from free_ask(inventory, Look())) > 0:
        yield from free_ask(inventory, Take())
        return "sold"
    return "sold out"


def oversells(sim: Simulation) -> list[str]:
    inventory = sim.spawn(Inventory, "inventory")
    sim.always(lambda: sim.actor(inventory).stock["tea"] >= 0, name="stock")
    return sim.run_all([checkout(inventory), checkout(inventory)])


def in_turn(sim: Simulation) -> list[str]:
    inventory = sim.spawn(Inventory, "inventory")
    return [sim.run(checkout(inventory)), sim.run(checkout(inventory))]


def test_the_race_is_found_shrunk_and_replayed() -> None:
    verdict = explore(oversells, schedules=500)
    assert not verdict.ok
    assert not verdict
    failure = verdict.failure
    assert failure is not None
    assert isinstance(failure.error, Violation)
    assert failure.error.name == "stock"
    assert len(failure.deviations) == 1
    for _ in range(2):
        again = replay(oversells, failure.token)
        assert isinstance(again.error, Violation)
        assert again.token == failure.token
        assert again.trace == failure.trace


@pytest.mark.parametrize("strategy", ["random", "exhaustive", "deviations", "portfolio"])
def test_every_strategy_finds_the_race_and_passes_what_is_right(strategy: str) -> None:
    assert explore(oversells, 500, strategy=strategy).failure is not None
    verdict = explore(in_turn, 500, strategy=strategy)
    assert verdict.ok
    assert verdict.exhausted
    assert verdict.runs == 1


def two_tells(sim: Simulation) -> tuple[str, ...]:
    class Log(Actor[str]):
        def __init__(self) -> None:
            self.seen: list[str] = []

        @override
        def on_receive(self, message: str) -> None:
            self.seen.append(message)

    log = sim.spawn(Log)

    @program
    def tells(name: str) -> Do[None]:
        yield from free_tell(log, f"{name}1")
        yield from free_tell(log, f"{name}2")

    sim.run_all([tells("a"), tells("b")])
    sim.settle()
    return tuple(sim.actor(log).seen)


def test_exhaustive_runs_every_order_and_each_sender_stays_in_order() -> None:
    seen: set[Any] = set()

    def scenario(sim: Simulation) -> None:
        seen.add(two_tells(sim))

    verdict = explore(scenario, 5000, strategy="exhaustive")
    assert verdict.ok
    assert verdict.exhausted
    # The interleavings of a1 a2 with b1 b2: 4 choose 2.
    assert len(seen) == 6
    assert all(o.index("a1") < o.index("a2") and o.index("b1") < o.index("b2") for o in seen)


def test_deviations_are_complete_level_by_level() -> None:
    verdict = explore(two_tells, 5000, strategy="deviations")
    assert verdict.exhausted
    assert verdict.distinct == verdict.runs
    assert verdict.distinct == explore(two_tells, 5000, strategy="exhaustive").runs


def test_equal_seeds_give_equal_runs_and_others_differ() -> None:
    runs = [simulate(oversells, seed=seed) for seed in (5, 5, 6, 7, 8, 9)]
    assert runs[0].digest == runs[1].digest
    assert runs[0].token == runs[1].token
    assert runs[0].trace == runs[1].trace
    assert len({run.digest for run in runs}) > 1


def test_a_run_replays_from_its_token() -> None:
    for seed in range(20):
        run = simulate(oversells, seed=seed)
        again = replay(oversells, run.token)
        assert again.digest == run.digest
        assert repr(again.error) == repr(run.error)
        assert again.value == run.value


_CHILD = """
import sys
sys.path.insert(0, {folder!r})
import importlib.util
spec = importlib.util.spec_from_file_location("scenarios", {file!r})
module = importlib.util.module_from_spec(spec)
sys.modules["scenarios"] = module
spec.loader.exec_module(module)
from effactor.interpreters import replay, simulate
for seed in range(5):
    run = simulate(module.entropic, seed=seed)
    print(run.digest, run.token, replay(module.entropic, run.token).digest)
"""


class Entropic(Actor[str]):
    """Uses everything that usually differs from process to process."""

    @override
    async def on_receive(self, message: str) -> Any:
        await asyncio.gather(*[asyncio.sleep(0) for _ in range(3)])
        return (
            random.random(),
            uuid.uuid4(),
            os.urandom(4),
            time.time(),
            {message, "x", "y"},
            time.monotonic(),
        )


def entropic(sim: Simulation) -> Any:
    refs = [sim.spawn(Entropic) for _ in range(2)]

    @program
    def draw(ref: ActorRef[Any]) -> Do[Any, AskFailed]:
        first = yield from free_ask(ref, "m")
        rest = yield from free_random()
        name = yield from free_uuid()
        now = yield from free_now()
        return first, rest, name, now

    return sim.run_all([draw(ref) for ref in refs])


def test_a_token_gives_the_same_digest_in_other_processes_and_hash_seeds() -> None:
    outputs: set[str] = set()
    script = _CHILD.format(folder=os.getcwd(), file=__file__)  # noqa: PTH109
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outputs.add(done.stdout)
    assert len(outputs) == 1
    lines = outputs.pop().splitlines()
    assert len(lines) == 5
    for line in lines:
        digest, _, replayed = line.split()
        assert digest == replayed


# ---------------------------------------------------------------- virtual time


def test_time_is_virtual_and_free() -> None:
    def scenario(sim: Simulation) -> Any:
        before = time.time(), time.monotonic()
        sim.run(free_sleep(3600.0))
        now = sim.run(free_now())
        time.sleep(60)
        return now.isoformat(), time.time() - before[0], time.monotonic() - before[1]

    run = simulate(scenario)
    assert run.value == ("2000-01-01T01:00:00+00:00", 3660.0, 3660.0)


def test_advance_lets_exactly_that_much_time_pass() -> None:
    fired: list[float] = []

    def scenario(sim: Simulation) -> Any:
        @program
        def ticks(sleeper: float) -> Do[None]:
            yield from free_sleep(sleeper)
            fired.append(sleeper)

        class Starter(Actor[float]):
            @override
            def on_receive(self, message: float) -> Any:
                return ticks(message)

        for seconds in (1.0, 2.0, 5.0):
            sim.spawn(Starter).tell_nowait(seconds)
        sim.advance(2.0)
        assert fired == [1.0, 2.0]
        sim.settle(within=1.0)
        assert fired == [1.0, 2.0]
        sim.settle()
        assert fired == [1.0, 2.0, 5.0]

    assert simulate(scenario).error is None


def timeout_race(sim: Simulation) -> str:
    inventory = sim.spawn(Inventory)
    outcome = sim.run(free_ask(inventory, Look(), timeout=5.0).attempt())
    return type(outcome).__name__


def test_in_async_time_a_timeout_may_beat_a_message_and_in_latency_time_not() -> None:
    def outcomes(mode: Any) -> set[str]:
        found: set[str] = set()
        explore(lambda sim: found.add(timeout_race(sim)), 50, strategy="exhaustive", time=mode)
        return found

    assert outcomes("async") == {"Success", "Failure"}
    assert outcomes("latency") == {"Success"}


def test_a_timer_that_beats_a_message_is_said_as_such() -> None:
    def scenario(sim: Simulation) -> None:
        assert timeout_race(sim) == "Success"

    failure = explore(scenario).failure
    assert failure is not None
    assert "the timer beat a message" in failure.deviations[0]
    assert "timeout of Look" in failure.deviations[0]


# ---------------------------------------------------------------- findings


class Asks(Actor[Any]):
    """Asks another, under a timeout that keeps the runtime's own detection away."""

    other: ActorRef[Any]

    @override
    async def on_receive(self, message: Any) -> Any:
        if message == "stuck":
            await asyncio.Event().wait()
        return await self.other.ask("stuck")


def test_a_deadlock_is_reported_with_who_waits_for_whom() -> None:
    def scenario(sim: Simulation) -> None:
        one, two = sim.spawn(Asks, "one"), sim.spawn(Asks, "two")
        sim.actor(one).other = two
        sim.run(free_ask(one, "go").named("client"))

    run = simulate(scenario)
    assert isinstance(run.error, Deadlock)
    assert run.error.waiting == (
        "/sim/one waits for /sim/two (str)",
        "/sim/two waits for an await that nothing completes",
        "/sim/client#1 waits for /sim/one (str)",
    )


def test_blocked_actors_are_found_at_the_end_of_a_scenario() -> None:
    def scenario(sim: Simulation) -> None:
        sim.spawn(Asks, "one").tell_nowait("stuck")

    error = simulate(scenario).error
    assert isinstance(error, Deadlock)
    assert error.waiting == ("/sim/one waits for an await that nothing completes",)


def test_an_ask_cycle_is_a_deadlock_with_its_cycle() -> None:
    class Cyclic(Asks):
        @override
        async def on_receive(self, message: Any) -> Any:
            return await self.other.ask(message)

    def cycle(sim: Simulation) -> None:
        one, two = sim.spawn(Cyclic, "one"), sim.spawn(Cyclic, "two")
        sim.actor(one).other, sim.actor(two).other = two, one
        sim.run(free_ask(one, "go"))

    error = simulate(cycle).error
    assert isinstance(error, Deadlock)
    assert error.cycle
    assert "/sim/one waits for /sim/two (str)" in error.waiting


def test_a_livelock_is_reported_with_the_busiest() -> None:
    class PingPong(Actor[int]):
        other: ActorRef[Any]

        @override
        def on_receive(self, message: int) -> None:
            self.other.tell_nowait(message)

    def scenario(sim: Simulation) -> None:
        one, two = sim.spawn(PingPong, "one"), sim.spawn(PingPong, "two")
        sim.actor(one).other, sim.actor(two).other = two, one
        one.tell_nowait(1)
        sim.settle()

    error = simulate(scenario, max_steps=300).error
    assert isinstance(error, Livelock)
    assert error.steps == 300
    assert set(error.busiest) == {"/one", "/two"}


def test_a_program_that_spins_is_a_livelock_too() -> None:
    @program
    def spins() -> Do[None]:
        while True:
            yield from free_random()

    error = simulate(spins(), max_steps=50).error
    assert isinstance(error, Livelock)
    assert error.busiest == ("/sim/spins#1",)


def test_always_is_checked_after_every_step_and_at_once() -> None:
    def later(sim: Simulation) -> None:
        inventory = sim.spawn(Inventory)
        sim.always(lambda: sim.actor(inventory).stock["tea"] == 1, name="one left")
        sim.run(checkout(inventory))

    def now(sim: Simulation) -> None:
        sim.always(lambda: False, name="never")

    for scenario, name in ((later, "one left"), (now, "never")):
        error = simulate(scenario).error
        assert isinstance(error, Violation)
        assert isinstance(error, AssertionError)
        assert (error.kind, error.name) == ("always", name)


def test_a_goal_is_judged_when_everything_has_settled() -> None:
    def scenario(sim: Simulation, message: Any) -> None:
        inventory = sim.spawn(Inventory)
        sim.goal(lambda: sim.actor(inventory).stock["tea"] == 0, name="sold")
        inventory.tell_nowait(message)

    assert simulate(lambda sim: scenario(sim, Take())).error is None
    error = simulate(lambda sim: scenario(sim, Look())).error
    assert isinstance(error, Violation)
    assert (error.kind, error.name) == ("goal", "sold")


def test_a_sometimes_that_never_happens_is_a_finding() -> None:
    def scenario(sim: Simulation, wanted: list[str]) -> None:
        sim.sometimes(oversell_order(sim) == wanted, "wanted order")

    def oversell_order(sim: Simulation) -> list[str]:
        inventory = sim.spawn(Inventory, "inventory")
        return sim.run_all([checkout(inventory), checkout(inventory)])

    verdict = explore(lambda sim: scenario(sim, ["sold out", "sold"]), 200)
    assert verdict.ok
    assert verdict.hits["wanted order"] > 0
    verdict = explore(lambda sim: scenario(sim, ["sold out", "sold out"]), 200)
    assert verdict.failure is not None
    assert isinstance(verdict.failure.error, Violation)
    assert verdict.failure.error.kind == "sometimes"


# ---------------------------------------------------------------- faults, answers


def test_a_crash_runs_no_finally_and_completes_its_asks() -> None:
    log: list[str] = []

    class Fragile(Actor[str]):
        @override
        async def on_receive(self, message: str) -> None:
            try:
                await asyncio.sleep(10)
            finally:
                log.append("finally")

        @override
        def on_stopped(self) -> None:
            log.append("on_stopped")

    def scenario(sim: Simulation) -> Any:
        ref = sim.spawn(Fragile, "fragile")
        failed: list[Any] = []

        @program
        def client() -> Do[None]:
            outcome = yield from free_ask(ref, "work").attempt()
            failed.append(outcome.failure())

        @program
        def fault() -> Do[None]:
            yield from free_sleep(5)
            yield from free_call(sim.crash, ref)

        sim.run_all([client(), fault()])
        before = list(log)
        assert not ref.is_alive
        return type(failed[0]), "crashed" in str(failed[0]), before

    run = simulate(scenario)
    assert run.error is None
    assert run.value == (ActorStopped, True, [])
    # Closed at the very end, when every effect is refused.
    assert log == ["finally"]


def send_mail(to: str) -> str:
    raise AssertionError(f"a real mail to {to}")


def test_answers_replace_calls() -> None:
    def scenario(sim: Simulation) -> Any:
        def simulated(to: str) -> str:
            return f"simulated to {to}"

        sim.answer(send_mail, simulated)
        first = sim.run(free_call(send_mail, "ann"))
        sim.answer(send_mail, "fixed")
        second = sim.run(free_call(send_mail, to="ann"))
        sim.answer(send_mail, OSError("no network"))
        third = sim.run(free_call(send_mail, "ann").refine(OSError).attempt())
        return first, second, str(third.failure())

    assert simulate(scenario).value == ("simulated to ann", "fixed", "no network")


# ---------------------------------------------------------------- the border


def connects() -> None:
    with socket.socket() as s:
        s.connect(("127.0.0.1", 9))


def starts_thread() -> None:
    threading.Thread(target=print).start()


def starts_process() -> None:
    subprocess.run(["true"], check=False)  # noqa: S607


def uses_executor() -> None:
    ThreadPoolExecutor(1).submit(print)


async def uses_to_thread() -> None:
    await asyncio.to_thread(print)


async def opens_connection() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def starts_subprocess() -> None:
    await asyncio.create_subprocess_exec("true")


@pytest.mark.parametrize(
    "function",
    [
        connects,
        starts_thread,
        starts_process,
        uses_executor,
        uses_to_thread,
        opens_connection,
        starts_subprocess,
    ],
)
@pytest.mark.parametrize("swallow", [False, True])
def test_what_leaves_the_simulation_is_an_error_with_its_call_site(
    function: Any, swallow: bool
) -> None:
    class Leaves(Actor[Any]):
        @override
        async def on_receive(self, message: Any) -> Any:
            try:
                result = message()
                if asyncio.iscoroutine(result):
                    await result
            except EscapedEffect:
                if not swallow:
                    raise

    def scenario(sim: Simulation) -> None:
        sim.run(free_ask(sim.spawn(Leaves), function))

    error = simulate(scenario).error
    assert isinstance(error, EscapedEffect)
    assert error.site.startswith("test_simulation.py:")
    assert "leaves the simulation; wrap it in free_call" in str(error)


def test_outside_of_a_simulation_nothing_is_patched() -> None:
    originals = time.time, os.urandom, threading.Thread.start, socket.socket.connect
    simulate(oversells)
    assert (time.time, os.urandom, threading.Thread.start, socket.socket.connect) == originals
    assert "connect" not in vars(socket.socket)
    state = random.getstate()
    simulate(entropic)
    assert random.getstate() == state


def test_a_simulation_patches_nothing_for_other_threads() -> None:
    found: list[float] = []
    real = time.time()

    def scenario(sim: Simulation) -> None:
        go.set()
        seen.acquire()
        sim.run(pure(None))

    go, seen = threading.Event(), threading.Semaphore(0)

    def elsewhere() -> None:
        go.wait()
        found.append(time.time())
        seen.release()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert simulate(scenario).error is None
    thread.join()
    assert found[0] >= real


# ---------------------------------------------------------------- calling it


async def test_it_runs_inside_a_running_loop() -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    assert simulate(in_turn).value == ["sold", "sold out"]
    assert explore(oversells, 300).failure is not None
    assert asyncio.current_task() is task
    assert asyncio.get_running_loop() is loop
    await asyncio.sleep(0)


def test_it_runs_inside_a_simulation() -> None:
    def outer(sim: Simulation) -> Any:
        inner = simulate(in_turn)
        return inner.value, sim.run(pure("outer"))

    assert simulate(outer).value == (["sold", "sold out"], "outer")


def test_a_program_can_be_simulated_directly() -> None:
    run = simulate(free_sleep(5).then(pure("done")))
    assert run.value == "done"
    assert run.ok
    assert explore(free_sleep(5).then(pure("done"))).exhausted


def test_a_scenario_may_be_a_coroutine_function() -> None:
    async def set_up(system: ActorSystem) -> ActorRef[Any]:
        return await system.spawn(Inventory, "inventory")

    async def scenario(sim: Simulation) -> Any:
        assert isinstance(sim.system, ActorSystem)
        ref = await set_up(sim.system)
        one = asyncio.ensure_future(sim.system.run_free(checkout(ref)))
        two = asyncio.ensure_future(sim.system.run_free(checkout(ref)))
        sold = sorted([await one, await two])
        # The synchronous face works here too.
        assert sim.run(free_ask(ref, Look())) <= 0
        return sold

    outcomes = {tuple(simulate(scenario, seed=seed).value or ()) for seed in range(30)}
    assert outcomes == {("sold", "sold out"), ("sold", "sold")}


def test_sim_run_raises_as_run_free_does() -> None:
    def scenario(sim: Simulation) -> None:
        inventory = sim.spawn(Inventory)
        with pytest.raises(KeyError):
            sim.run(free_ask(inventory, Look("coffee")))
        with pytest.raises(AskTimeout):
            sim.run(free_ask(inventory, Slow(10), timeout=1))

    assert simulate(scenario).error is None


def test_actor_finds_by_path_and_refuses_nobody() -> None:
    def scenario(sim: Simulation) -> None:
        sim.spawn(Inventory, "inventory")
        assert sim.actor(ActorRef.at("/inventory")).stock == {"tea": 1}
        with pytest.raises(ActorNotFound, match="did you mean /inventory"):
            sim.actor(ActorRef.at("/inventry"))

    assert simulate(scenario).error is None


def test_wrong_arguments_are_refused_with_advice() -> None:
    with pytest.raises(TypeError, match="expected a Program or a scenario"):
        simulate(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    with pytest.raises(TypeError, match="checkout makes a program: call it"):
        explore(checkout)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="schedules must be an integer >= 1, got 0"):
        explore(oversells, 0)
    with pytest.raises(ValueError, match="strategy must be one of portfolio, random, pos"):
        explore(oversells, strategy="magic")
    with pytest.raises(ValueError, match="seed must be an integer >= 0, got -1"):
        simulate(oversells, seed=-1)
    with pytest.raises(ValueError, match='time must be "async" or "latency"'):
        simulate(oversells, time="real")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("nonsense", "a token starts with 'ef2:'"),
        ("ef2:", "damaged"),
        ("ef2:!!!!", "damaged"),
        ("ef2:AAAA", "damaged"),
        (simulate(oversells).token[:-3], "damaged"),
        ("ef1:AAAAAAAA", "its format 'ef1:' is that of an older effactor"),
        (simulate(in_turn).token, "belongs to another scenario than 'oversells'"),
    ],
)
def test_a_bad_token_says_what_is_wrong(token: str, reason: str) -> None:
    with pytest.raises(BadToken, match=reason):
        replay(oversells, token)


def test_a_token_that_no_longer_fits_is_non_determinism() -> None:
    failure = explore(oversells).failure
    assert failure is not None
    token = failure.token

    def changed(sim: Simulation) -> None:
        in_turn(sim)
        two_tells(sim)

    changed.__name__ = "oversells"
    from effactor_interpreters.simulation.faults.script import Deviation, Script
    from effactor_interpreters.simulation.token import Recording

    far = Recording("oversells", 0, "async", Script((Deviation(0, 7, 0, 0),))).encode()
    assert isinstance(replay(changed, far).error, NonDeterminism)
    assert replay(changed, token) is not None


def test_the_report_fits_one_screen_and_says_everything() -> None:
    failure = explore(oversells).failure
    assert failure is not None
    report = failure.explain()
    lines = report.splitlines()
    assert len(lines) < 30
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith("Violation: 'stock' must always hold")
    assert "shrunk to 1 deviation from the default order" in report
    assert failure.deviations[0] in report
    assert failure.token in report
    assert "Take" in report
    assert "inventory" in report
    assert "<- here it leaves the default order" in report
    assert str(failure) == report


# ---------------------------------------------------------------- findings of review


@program
def drawn(ref: ActorRef[Any]) -> Do[int, AskFailed]:
    """Asks as often as chance says."""
    number = int((yield from free_random()) * 5)
    for _ in range(number):
        yield from free_ask(ref, Look())
    return number


def draws(sim: Simulation) -> list[int]:
    inventory = sim.spawn(Inventory, "inventory")
    return sim.run_all([drawn(inventory), drawn(inventory)])


@pytest.mark.parametrize("strategy", ["random", "exhaustive", "deviations", "portfolio"])
def test_programs_that_draw_at_random_are_no_failure(strategy: str) -> None:
    for seed in range(5):
        assert explore(draws, 300, seed=seed, strategy=strategy).ok


def test_random_strategies_vary_what_programs_draw_and_go_on() -> None:
    numbers: set[float] = set()
    verdict = explore(free_random().map(numbers.add), 20, strategy="random")
    assert (verdict.runs, verdict.exhausted, len(numbers)) == (20, False, 20)
    verdict = explore(free_random().map(numbers.add), 20)
    assert (verdict.runs, verdict.exhausted) == (20, False)


def test_a_handler_that_raises_on_a_tell_is_in_the_trace() -> None:
    def scenario(sim: Simulation) -> None:
        sim.spawn(Inventory, "inventory").tell_nowait(Look("coffee"))

    run = simulate(scenario)
    assert run.ok
    assert [(r.kind, r.source) for r in run.trace][-1] == ("failure", "/inventory")


def test_the_broken_down_time_is_virtual_too() -> None:
    def scenario(_sim: Simulation) -> Any:
        return time.gmtime().tm_year, time.strftime("%Y", time.gmtime()), time.gmtime(0).tm_year

    assert simulate(scenario).value == (2000, "2000", 1970)
    assert time.gmtime().tm_year > 2000


def test_a_verdict_says_its_numbers() -> None:
    assert str(explore(in_turn)) == "1 schedule (portfolio, seed 0), all there are: no failure"
    text = str(explore(two_tells, 5000))
    assert "different, all there are: no failure" in text
    text = str(explore(two_tells, 5, strategy="deviations"))
    assert text.startswith("5 schedules (deviations, seed 0): no failure; complete up to")


def test_a_sometimes_report_says_only_that() -> None:
    verdict = explore(lambda sim: sim.sometimes(False, "luck"), 5)
    assert str(verdict) == (
        "Violation: 'luck' was never true in any run: the runs do not test it\n\n"
        "  none of 1 schedule (portfolio, seed 0) did it"
    )


def test_a_report_says_where_an_assertion_failed() -> None:
    def scenario(sim: Simulation) -> None:
        assert "sold out" in in_turn(sim) * 0

    report = str(explore(scenario))
    assert "  raised:  test_simulation.py:" in report
    assert ': assert "sold out" in in_turn(sim) * 0' in report


def test_a_scenario_that_forgets_to_run_its_program_is_told() -> None:
    def forgets(_sim: Simulation) -> Any:
        return pure(1)

    def forgets_to_await(sim: Simulation) -> Any:
        return sim.spawn(Inventory).ask_nowait(Look())

    assert "write sim.run(program)" in str(simulate(forgets).error)
    assert "make it async def" in str(simulate(forgets_to_await).error)


def test_sets_of_tasks_and_futures_do_not_depend_on_addresses() -> None:
    class Groups(Actor[str]):
        @override
        async def on_receive(self, message: str) -> list[Any]:
            order: list[Any] = []

            async def child(n: int) -> None:
                try:
                    await asyncio.sleep(10)
                except asyncio.CancelledError:
                    order.append(n)
                    raise

            async def fails() -> None:
                await asyncio.sleep(1)
                raise KeyError

            try:
                async with asyncio.TaskGroup() as group:
                    for n in range(8):
                        group.create_task(child(n))
                    group.create_task(fails())
            except* KeyError:
                pass
            done, _ = await asyncio.wait(
                [asyncio.ensure_future(asyncio.sleep(0, n)) for n in range(8)]
            )
            return order + [task.result() for task in done]

    def scenario(sim: Simulation) -> Any:
        return sim.run(free_ask(sim.spawn(Groups), "go"))

    keep: list[list[object]] = []
    orders: set[str] = set()
    for _ in range(15):
        keep.append([object() for _ in range(17)])
        orders.add(repr(simulate(scenario).value))
    assert len(orders) == 1


@pytest.mark.parametrize("strategy", ["random", "exhaustive", "deviations", "portfolio"])
def test_a_verdict_is_never_exhausted_where_chance_decides(strategy: str) -> None:
    verdict = explore(lambda _sim: random.random() and None, 20, strategy=strategy)
    assert (verdict.ok, verdict.exhausted) == (True, False)
    assert not explore(draws, 3000, strategy=strategy).exhausted


def test_a_generator_is_no_scenario() -> None:
    def generates(sim: Simulation) -> Any:
        yield sim

    with pytest.raises(TypeError, match="is a generator function: nothing would run it"):
        explore(generates)


def test_a_crashed_actor_does_nothing_at_the_end_of_the_world() -> None:
    made: list[str] = []

    class Fragile(Actor[str]):
        def __init__(self) -> None:
            made.append("made")

        @override
        async def on_receive(self, message: str) -> None:
            try:
                await self.context.run_free(free_sleep(10).ensure(free_call(made.append, "ensure")))
            finally:
                await asyncio.sleep(1)
                made.append("waited")

        @override
        def on_stopped(self) -> None:
            made.append("stopped")

    class Breaks(Fragile):
        @override
        async def on_receive(self, message: str) -> None:
            try:
                await asyncio.sleep(10)
            finally:
                raise ValueError("cleanup failed")

    def scenario(sim: Simulation) -> None:
        refs = [sim.spawn(Fragile), sim.spawn(Breaks)]
        for ref in refs:
            ref.tell_nowait("work")
        sim.advance(1)
        for ref in refs:
            sim.crash(ref)

    run = simulate(scenario)
    assert run.error is None
    assert made == ["made", "made"]
    assert [record.kind for record in run.trace][-2:] == ["crash", "crash"]


def test_context_variables_of_a_run_end_with_it() -> None:
    import contextvars

    seen: contextvars.ContextVar[int] = contextvars.ContextVar("seen", default=0)

    def scenario(_sim: Simulation) -> int:
        seen.set(seen.get() + 1)
        return seen.get()

    assert [simulate(scenario).value for _ in range(3)] == [1, 1, 1]
    assert seen.get() == 0


def test_what_is_no_exception_is_a_finding_too() -> None:
    def scenario(_sim: Simulation) -> None:
        pytest.fail("as a test would")

    run = simulate(scenario)
    assert isinstance(run.error, pytest.fail.Exception)
    assert explore(scenario).failure is not None


def test_explorations_in_several_threads_do_not_mix() -> None:
    verdicts: list[bool] = []

    def scenario(sim: Simulation) -> None:
        before = time.monotonic()
        sim.run(free_sleep(100))
        assert time.monotonic() - before == 100

    threads = [
        threading.Thread(
            target=lambda: verdicts.append(explore(scenario, 50, strategy="random").ok)
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True, True, True]


def test_predicates_are_functions() -> None:
    def wrong_always(sim: Simulation) -> None:
        sim.always(True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def wrong_goal(sim: Simulation) -> None:
        sim.goal(True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    for scenario in (wrong_always, wrong_goal):
        assert "predicate must be a function without arguments" in str(simulate(scenario).error)


def test_a_swallowed_escape_in_the_scenario_itself_is_found() -> None:
    def scenario(_sim: Simulation) -> None:
        try:
            socket.gethostbyname("localhost")
        except EscapedEffect:
            pass

    assert isinstance(simulate(scenario).error, EscapedEffect)


def test_a_token_with_choices_that_never_came_is_non_determinism() -> None:
    from effactor_interpreters.simulation.faults.script import Deviation, Script
    from effactor_interpreters.simulation.token import Recording

    far = Recording("in_turn", 0, "async", Script((Deviation(99, 1, 0, 0),))).encode()
    assert isinstance(replay(in_turn, f"{far}\n").error, NonDeterminism)


def test_a_reply_in_time_leaves_no_timer_behind() -> None:
    def scenario(sim: Simulation) -> Any:
        inventory = sim.spawn(Inventory)
        sim.run(free_ask(inventory, Look(), timeout=100.0))
        sim.settle()
        return sim.run(free_now()).isoformat()

    assert simulate(scenario).value == "2000-01-01T00:00:00+00:00"


class Patient(Actor[str]):
    """Waits under a timeout of asyncio."""

    def __init__(self) -> None:
        self.got: list[str] = []

    @handler
    async def take(self, message: str) -> None:
        async with asyncio.timeout(10):
            await asyncio.sleep(1)
        self.got.append(message)


def test_a_tell_to_an_actor_that_waits_under_a_timeout_is_an_event_too() -> None:
    def scenario(sim: Simulation) -> None:
        patient = sim.spawn(Patient, "patient")
        sim.run(free_tell(patient, "one").then(free_sleep(0.5)).then(free_tell(patient, "two")))
        sim.settle()
        assert sim.actor(patient).got == ["one", "two"]

    run = simulate(scenario)
    assert run.error is None
    told = [(r.time, r.subject) for r in run.trace if r.kind == "tell"]
    assert told == [(0.0, "one"), (1.0, "two")]
