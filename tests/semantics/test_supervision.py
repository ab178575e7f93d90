"""Who decides about an actor that failed, and what becomes of it, in every world."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorNotFound,
    ActorStopped,
    AllForOneStrategy,
    AskTimeout,
    Directive,
    Do,
    Message,
    OneForOneStrategy,
    RestForOneStrategy,
    SupervisorStrategy,
    exponential,
    free_sleep,
    handler,
    program,
    recurs,
    spaced,
)
from effactor.interpreters import explore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from worlds import World

    from effactor.interpreters import ActorSystem, Simulation

log: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@dataclass(frozen=True)
class Crash(Message[None]):
    error: BaseException = field(default_factory=lambda: ValueError("boom"))


@dataclass(frozen=True)
class Count(Message[int]):
    """Counts up; the answer is how often this instance was asked."""


@dataclass(frozen=True)
class Sleep(Message[bool]):
    """Answers whether the same instance began and ended the message."""

    seconds: float


@dataclass(frozen=True)
class Children(Message[list[str]]):
    pass


@dataclass(frozen=True)
class Disarm(Message[None]):
    """Makes a boss forget its children's names."""


class Child(Actor[Any]):
    """Logs its life; its instances are numbered."""

    made: ClassVar[dict[str, int]] = {}

    def __init__(self, name: str = "c") -> None:
        self.made[name] = number = self.made.get(name, 0) + 1
        self.name = f"{name}{number}"
        self.count = 0
        self.busy = False

    @override
    def on_started(self) -> Any:
        log.append(f"{self.name} started")

    @override
    def on_stopped(self) -> Any:
        assert not self.busy, "on_stopped beside a handler"
        log.append(f"{self.name} stopped")

    @override
    def on_pre_restart(self, error: BaseException, message: Any) -> Any:
        assert not self.busy, "on_pre_restart beside a handler"
        log.append(f"{self.name} to be replaced")

    @override
    def on_restart(self, error: BaseException) -> Any:
        log.append(f"{self.name} replaces")

    @handler
    def crash(self, message: Crash) -> None:
        raise message.error

    @handler
    def counted(self, message: Count) -> int:
        self.count += 1
        return self.count

    @handler
    async def sleep(self, message: Sleep) -> bool:
        self.busy = True
        cell: Any = self._cell
        same: list[bool] = []
        try:
            for _ in range(2):
                await asyncio.sleep(message.seconds / 2)
                same.append(cell.actor is self)
        finally:
            self.busy = False
        return all(same)


@pytest.fixture(autouse=True)
def _numbered_afresh() -> None:
    Child.made.clear()


class Boss(Actor[Any]):
    """Spawns its children in on_started, and supervises them by a given strategy."""

    def __init__(
        self, strategy: SupervisorStrategy | None, names: Iterable[str] = ("a", "b", "c")
    ) -> None:
        self.strategy = strategy
        self.names = tuple(names)

    @override
    def supervisor_strategy(self) -> SupervisorStrategy | None:
        return self.strategy

    @override
    async def on_started(self) -> None:
        log.append("boss started")
        for name in self.names:
            if name not in self.context.children:
                await self.context.spawn(partial(Child, name), name)

    @override
    def on_stopped(self) -> Any:
        log.append("boss stopped")

    @handler
    def crash(self, message: Crash) -> None:
        raise message.error

    @handler
    def children(self, message: Children) -> list[str]:
        return list(self.context.children)

    @handler
    def disarm(self, message: Disarm) -> None:
        self.names = ()


def run(world: World, body: Callable[[ActorSystem], Awaitable[Any]]) -> Any:
    """Await `body(system)` and shut the system down, which a simulation alone would not."""

    async def to_the_end(system: ActorSystem) -> Any:
        answer = await body(system)
        await system.shutdown()
        return answer

    return world.run(to_the_end)


async def spawned(system: ActorSystem, strategy: SupervisorStrategy | None, **how: Any) -> Any:
    """Spawn a boss; answer its ref and those of its children."""
    boss = await system.spawn(lambda: Boss(strategy, **how), "boss")
    names = how.get("names", ("a", "b", "c"))
    return [boss, *[await system.get_actor(f"/boss/{name}") for name in names]]


async def crash(ref: Any, error: BaseException | None = None) -> None:
    message = Crash() if error is None else Crash(error)
    with pytest.raises(type(message.error)):
        await ref.ask(message)


# ---------------------------------------------------------------- known weaknesses of others


@pytest.mark.parametrize("directive", [Directive.RESTART, Directive.ESCALATE])
def test_w10_restarting_an_actor_that_spawns_children_in_on_started_keeps_it_alive(
    world: World, directive: Directive
) -> None:
    async def body(system: ActorSystem) -> None:
        strategy = OneForOneStrategy(decider=says(directive))
        boss, a, b, c = await spawned(system, strategy)
        await crash(boss if directive is Directive.RESTART else a)
        assert await boss.ask(Children()) == ["a", "b", "c"] or directive is Directive.ESCALATE
        await asyncio.sleep(1)
        assert await boss.ask(Children()) == ["a", "b", "c"]
        assert not any(old.is_alive for old in (a, b, c))
        assert await (await system.get_actor("/boss/a")).ask(Count()) == 1

    run(world, body)
    for name in ("a1", "b1", "c1", "boss"):
        assert log.count(f"{name} stopped") == (1 if name != "boss" else 2)
    assert log.count("boss started") == 2
    assert log.index("a1 stopped") < log.index("boss stopped")


@pytest.mark.parametrize("strategy", [AllForOneStrategy(), RestForOneStrategy()])
def test_w11_an_instance_is_never_swapped_while_its_handler_runs(
    world: World, strategy: SupervisorStrategy
) -> None:
    async def body(system: ActorSystem) -> list[bool]:
        _, a, b, c = await spawned(system, strategy)
        slow = [asyncio.ensure_future(ref.ask(Sleep(10))) for ref in (b, c)]
        await asyncio.sleep(1)
        queued = asyncio.ensure_future(b.ask(Count()))
        await crash(a)
        same = list(await asyncio.gather(*slow))
        assert await queued == 1
        assert await b.ask(Count()) == 2
        return same

    assert run(world, body) == [True, True]
    lived = [line for line in log if line.startswith("b") and not line.startswith("boss")]
    assert lived == [
        "b1 started",
        "b1 to be replaced",
        "b1 stopped",
        "b2 replaces",
        "b2 started",
        "b2 stopped",
    ]


def test_w17_an_actor_whose_only_message_fails_is_stopped_if_the_strategy_says_so(
    world: World,
) -> None:
    async def body(system: ActorSystem) -> None:
        strategy = OneForOneStrategy(decider={Exception: Directive.STOP})
        _, a = await spawned(system, strategy, names=["a"])
        await crash(a)
        await a.join()
        with pytest.raises(ActorNotFound):
            await system.get_actor("/boss/a")

    run(world, body)
    assert [line for line in log if line.startswith("a")] == ["a1 started", "a1 stopped"]


def test_w18_a_failing_ephemeral_child_is_not_restarted_first_and_leaves_nothing_behind(
    world: World,
) -> None:
    class Spawner(Boss):
        @handler
        async def serve(self, message: Sleep) -> bool:
            child = await self.context.spawn(lambda: Child("e"))
            instances.append(weakref.ref(self.context.system.cells[child.path].actor))
            await crash(child)
            await child.join()
            return True

    instances: list[Any] = []

    async def body(system: ActorSystem) -> Any:
        strategy = OneForOneStrategy(decider={ValueError: Directive.STOP})
        boss = await system.spawn(lambda: Spawner(strategy, []), "boss")
        for _ in range(3):
            assert await boss.ask(Sleep(0))
        assert len(system.cells) == 1
        recovery = system.cells["/boss"].relations.recovery_made
        assert recovery is None or recovery.of_children is None
        assert not await boss.ask(Children())

    run(world, body)
    assert len([line for line in log if line.endswith("replaces")]) == 0
    assert [line for line in log if line.startswith("e")] == [
        f"e{n} {what}" for n in (1, 2, 3) for what in ("started", "stopped")
    ]
    gc.collect()
    assert [instance() for instance in instances] == [None] * 3


class HalfStarted(Boss):
    """Fails in on_started, after it has spawned children."""

    attempts: ClassVar[int] = 0

    @override
    async def on_started(self) -> None:
        type(self).attempts += 1
        await super().on_started()
        if self.attempts in self.failing:
            raise OSError("no database")

    failing: ClassVar[tuple[int, ...]] = (1,)


def test_w20_a_failed_start_stops_the_children_it_has_spawned(world: World) -> None:
    HalfStarted.attempts, HalfStarted.failing = 0, (1,)

    async def body(system: ActorSystem) -> None:
        with pytest.raises(OSError, match="no database"):
            await system.spawn(lambda: HalfStarted(None), "boss")
        assert not system.cells

    run(world, body)
    assert {"a1 stopped", "b1 stopped", "c1 stopped"} <= set(log)
    assert "boss stopped" not in log


def test_w20_a_failed_restart_stops_the_children_it_has_spawned(world: World) -> None:
    HalfStarted.attempts, HalfStarted.failing = 0, (2,)

    async def body(system: ActorSystem) -> None:
        boss = await system.spawn(lambda: HalfStarted(None), "boss")
        await crash(boss)
        await boss.join()
        assert not system.cells
        with pytest.raises(ActorStopped, match=r"failed to restart: OSError\('no database'\)"):
            await boss.ask(Children())

    run(world, body)
    assert log.count("boss stopped") == 1
    assert {"a2 stopped", "b2 stopped", "c2 stopped"} <= set(log)


class SlowEnd(Child):
    """Takes five seconds to stop."""

    @override
    async def on_stopped(self) -> None:
        log.append(f"{self.name} stopping")
        await asyncio.sleep(5)
        super().on_stopped()


def test_w21_on_stopped_is_neither_interrupted_nor_run_twice(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for mode in ("graceful", "current", "now"):
            ref = await system.spawn(SlowEnd, mode)
            await ref.stop(mode)
            impatient = asyncio.ensure_future(ref.join())
            await asyncio.sleep(1)
            impatient.cancel()
            await ref.join()
        ref = await system.spawn(SlowEnd, "shutdown")
        shutdown = asyncio.ensure_future(system.shutdown())
        await asyncio.sleep(1)
        shutdown.cancel()
        await ref.join()

    run(world, body)
    assert [line for line in log if "stop" in line] == [
        f"c{n} {what}" for n in (1, 2, 3, 4) for what in ("stopping", "stopped")
    ]


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_w21_a_stop_does_not_interrupt_the_on_stopped_of_a_restart(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(SlowEnd)
        await crash(ref)
        await asyncio.sleep(1)
        await ref.stop(mode)
        await ref.join()

    run(world, body)
    if mode == "graceful":  # the restart ends first
        ends = ["c1 stopping", "c1 stopped", "c2 stopping", "c2 stopped"]
    else:
        ends = ["c1 stopping", "c1 stopped"]
    assert [line for line in log if "stop" in line] == ends


def test_w40_one_failing_child_costs_the_same_however_many_siblings_there_are() -> None:
    def siblings() -> Iterable[str]:
        raise AssertionError
        yield

    assert list(OneForOneStrategy().affected("a", siblings())) == ["a"]


def test_w40_what_a_hook_of_a_restart_raises_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class BadEnd(Child):
        @override
        def on_pre_restart(self, error: BaseException, message: Any) -> None:
            raise OSError("first")

        @override
        def on_stopped(self) -> None:
            log.append(f"{self.name} stopped")
            raise OSError("second")

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(BadEnd, "bad")
        await crash(ref)
        return await ref.ask(Count())

    assert run(world, body) == 1
    assert "on_pre_restart of /sim/bad failed" in caplog.text
    assert "on_stopped of /sim/bad failed" in caplog.text
    assert log[:4] == ["c1 started", "c1 stopped", "c2 replaces", "c2 started"]


# ---------------------------------------------------------------- deciding


class Special(OSError):
    """More specific."""


@pytest.mark.parametrize(
    ("error", "directive"),
    [
        (Special(), Directive.STOP),
        (FileNotFoundError(), Directive.RESTART),
        (ValueError(), Directive.RESUME),
        (KeyError(), Directive.RESTART),
        (MemoryError(), Directive.ESCALATE),
    ],
)
def test_a_mapping_decides_by_the_most_specific_class(
    error: BaseException, directive: Directive
) -> None:
    table: dict[type[OSError | ValueError], Directive] = {
        OSError: Directive.RESTART,
        Special: Directive.STOP,
        ValueError: Directive.RESUME,
    }
    strategy = OneForOneStrategy(decider=table)
    table.clear()
    assert strategy.decide(error) is directive


def test_a_base_class_in_the_mapping_takes_all_that_are_left() -> None:
    strategy = OneForOneStrategy(
        decider={Exception: Directive.STOP, KeyError: Directive.RESUME},
    )
    assert strategy.decide(MemoryError()) is Directive.STOP
    assert strategy.decide(KeyError()) is Directive.RESUME


@pytest.mark.parametrize(
    ("bad", "kind", "text"),
    [
        ({"max_restarts": -1}, ValueError, "max_restarts must be >= 0, got -1; None means no"),
        ({"max_restarts": 1.5}, TypeError, "max_restarts must be a whole number or None"),
        ({"max_restarts": True}, TypeError, "max_restarts must be a whole number or None"),
        ({"within_seconds": 0}, ValueError, "within_seconds must be > 0, got 0"),
        ({"within_seconds": float("nan")}, ValueError, "within_seconds must be > 0, got nan"),
        ({"within_seconds": "60"}, TypeError, "within_seconds must be a number of seconds"),
        ({"decider": "restart"}, TypeError, "decider must be a function of the exception"),
        ({"decider": asyncio.sleep}, TypeError, "decider must answer at once"),
        ({"decider": {"OSError": Directive.STOP}}, TypeError, "must be classes of exceptions"),
        ({"decider": {OSError: "stop"}}, TypeError, "must map OSError to a Directive such as"),
        ({"decider": {KeyboardInterrupt: Directive.STOP}}, ValueError, "which ends the process"),
        ({"backoff": 0.1}, TypeError, "backoff must be a Schedule such as exponential"),
    ],
)
@pytest.mark.parametrize("cls", [OneForOneStrategy, AllForOneStrategy, RestForOneStrategy])
def test_a_strategy_that_makes_no_sense_is_refused(
    cls: Any, bad: dict[str, Any], kind: Any, text: str
) -> None:
    with pytest.raises(kind, match=f"{cls.__name__}: .*{text}"):
        cls(**bad)


def test_strategies_are_values() -> None:
    same: dict[str, Any] = {"decider": {OSError: Directive.STOP}, "backoff": exponential(0.1)}
    assert AllForOneStrategy(**same) == AllForOneStrategy(**same)
    others: list[SupervisorStrategy] = [AllForOneStrategy(), RestForOneStrategy()]
    assert others[0] != others[1]
    assert list(RestForOneStrategy().affected("b", iter("abc"))) == ["b", "c"]


def says(directive: Any) -> Callable[[BaseException], Any]:
    """Make a decider that always says the same."""

    def decider(_error: BaseException) -> Any:
        return directive

    return decider


def bad_decider(_error: BaseException) -> Any:
    raise KeyError("decider")


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        (OneForOneStrategy(decider=bad_decider), "KeyError"),
        (OneForOneStrategy(decider=says(None)), "must return a Directive"),
        (OneForOneStrategy(decider=says("stop")), "must return a Directive"),
        ("restart", "supervisor_strategy.. of /sim/boss answers what must be a strategy"),
        (SupervisorStrategy(), "NotImplementedError"),
    ],
)
def test_a_strategy_that_fails_stops_the_child_and_says_so(
    world: World, strategy: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(system: ActorSystem) -> None:
        boss, a = await spawned(system, strategy, names=["a"])
        await crash(a)
        await a.join()
        assert boss.is_alive
        with pytest.raises(ActorStopped, match=f"its supervisor failed: .*{reason}"):
            await a.ask(Count())

    run(world, body)
    assert "the supervisor of /sim/boss/a failed" in caplog.text
    assert log.count("a1 stopped") == 1


def test_an_error_that_no_restart_can_mend_escalates(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        boss, a = await spawned(system, None, names=["a"])
        await crash(a, MemoryError())
        await asyncio.sleep(1)
        assert not a.is_alive
        assert not boss.is_alive  # at the root the system's strategy escalates too

    run(world, body)
    assert log == ["boss started", "a1 started", "a1 stopped", "boss stopped"]


def test_one_failure_counts_once_for_a_parent_that_let_it_through(world: World) -> None:
    class Asks(Boss):
        @handler
        async def forward(self, message: Count) -> int:
            await (await self.context.system.get_actor("/boss/a")).ask(Crash())
            raise AssertionError

    async def body(system: ActorSystem) -> None:
        strategy = OneForOneStrategy(decider={Exception: Directive.ESCALATE})
        boss = await system.spawn(lambda: Asks(strategy, ["a"]), "boss")
        for _ in range(3):
            with pytest.raises(ValueError, match="boom"):
                await boss.ask(Count())
            await asyncio.sleep(1)
        assert await boss.ask(Children()) == ["a"]

    run(world, body)
    assert log.count("boss started") == 4


def test_resume_keeps_the_instance_and_its_children(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        strategy = AllForOneStrategy(decider={ValueError: Directive.RESUME})
        _, a, b, _ = await spawned(system, strategy)
        await a.ask(Count())
        await b.ask(Count())
        await crash(a)
        return await a.ask(Count()), await b.ask(Count())

    assert run(world, body) == (2, 2)


# ---------------------------------------------------------------- groups


@pytest.mark.parametrize(
    ("strategy", "restarted"),
    [
        (OneForOneStrategy(), ["b2"]),
        (AllForOneStrategy(), ["a2", "b2", "c2"]),
        (RestForOneStrategy(), ["b2", "c2"]),
    ],
)
def test_the_strategy_says_which_siblings_restart(
    world: World, strategy: SupervisorStrategy, restarted: list[str]
) -> None:
    async def body(system: ActorSystem) -> None:
        _, _, b, _ = await spawned(system, strategy)
        await crash(b)
        await asyncio.sleep(1)

    run(world, body)
    for name in ("a", "b", "c"):
        new = f"{name}2"
        lived = [line for line in log if line[:2] in (f"{name}1", new)]
        fresh = [f"{new} replaces", f"{new} started", f"{new} stopped"]
        if new in restarted:
            old = [f"{name}1 started", f"{name}1 to be replaced", f"{name}1 stopped"]
            assert lived == old + fresh
        else:
            assert lived == [f"{name}1 started", f"{name}1 stopped"]


@pytest.mark.parametrize(
    ("strategy", "left"),
    [
        (OneForOneStrategy(decider={Exception: Directive.STOP}), ["a", "c"]),
        (AllForOneStrategy(decider={Exception: Directive.STOP}), []),
        (RestForOneStrategy(decider={Exception: Directive.STOP}), ["a"]),
        (AllForOneStrategy(max_restarts=0), []),
    ],
)
def test_siblings_that_stop_first_end_their_message(
    world: World, strategy: SupervisorStrategy, left: list[str]
) -> None:
    async def body(system: ActorSystem) -> None:
        boss, a, b, c = await spawned(system, strategy)
        slow = [asyncio.ensure_future(ref.ask(Sleep(10))) for ref in (a, c)]
        await asyncio.sleep(1)
        await crash(b)
        assert await asyncio.gather(*slow) == [True, True]
        await asyncio.sleep(1)
        assert await boss.ask(Children()) == left
        if "c" not in left:
            with pytest.raises(ActorStopped, match="stopped with /sim/boss/b, which was stopped"):
                await c.ask(Count())

    run(world, body)
    assert [log.count(f"{name}1 stopped") for name in "abc"] == [1, 1, 1]


def test_restarts_of_a_group_are_counted_together(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        boss, *children = await spawned(system, AllForOneStrategy(max_restarts=2))
        for child in children:
            await crash(child)
            await asyncio.sleep(1)
        return await boss.ask(Children())

    assert run(world, body) == []
    assert log.count("a3 started") == 1
    assert log.count("a4 started") == 0


def test_restarts_of_one_for_one_are_counted_for_each_child(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        boss, *children = await spawned(system, OneForOneStrategy(max_restarts=1))
        for child in children:
            await crash(child)
        await crash(children[0])
        await children[0].join()
        return await boss.ask(Children())

    assert run(world, body) == ["b", "c"]


def test_a_group_at_the_root_is_all_actors_without_a_parent(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        system.strategy = AllForOneStrategy(max_restarts=1)
        a = await system.spawn(lambda: Child("a"))
        b = await system.spawn(lambda: Child("b"))
        await b.ask(Count())
        await crash(a)
        await asyncio.sleep(1)
        assert await b.ask(Count()) == 1
        await crash(b)
        await a.join()
        await b.join()

    run(world, body)
    assert log.count("a2 started") == log.count("b2 started") == 1


def test_no_limit_means_no_limit(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        _, a = await spawned(system, OneForOneStrategy(max_restarts=None), names=["a"])
        for _ in range(20):
            await crash(a)
        return await a.ask(Count())

    assert run(world, body) == 1
    assert Child.made["a"] == 21


def test_siblings_that_wait_for_each_other_restart_too(world: World) -> None:
    class Asks(Child):
        @handler
        async def forward(self, message: Children) -> Any:
            other = await self.context.system.get_actor("/pair/a")
            return await other.ask(Sleep(3))

    class Pair(Boss):
        @override
        async def on_started(self) -> None:
            await self.context.spawn(lambda: Child("a"), "a")
            await self.context.spawn(lambda: Asks("b"), "b")

    async def body(system: ActorSystem) -> Any:
        await system.spawn(lambda: Pair(AllForOneStrategy()), "pair")
        a, b = [await system.get_actor(f"/pair/{name}") for name in "ab"]
        failing = asyncio.ensure_future(a.ask(Sleep(5)))
        await asyncio.sleep(1)
        asking = asyncio.ensure_future(b.ask(Children()))  # behind the failure, in a's mailbox
        await a.tell(Crash())
        await asyncio.sleep(1)
        assert await failing
        assert await asking
        await asyncio.sleep(1)
        return await a.ask(Count()), await b.ask(Count())

    assert run(world, body) == (1, 1)
    assert log.count("a2 started") == log.count("b2 started") == 1


# ---------------------------------------------------------------- hooks, children


def test_hooks_of_a_restart_run_once_each_in_order_and_may_wait(world: World) -> None:
    class Slow(Child):
        @override
        async def on_started(self) -> None:
            await asyncio.sleep(1)
            super().on_started()

        @override
        async def on_stopped(self) -> None:
            await asyncio.sleep(1)
            super().on_stopped()

        @override
        @program
        def on_pre_restart(self, error: BaseException, message: Any) -> Do[None]:
            yield from free_sleep(1)
            log.append(f"{self.name} to be replaced: {error} while {message}")

        @override
        async def on_restart(self, error: BaseException) -> None:
            await asyncio.sleep(1)
            log.append(f"{self.name} replaces: {error}")

    error = ValueError("boom")

    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Slow)
        await ref.tell(Crash(error))
        return await ref.ask(Count())

    assert run(world, body) == 1
    assert log == [
        "c1 started",
        f"c1 to be replaced: boom while {Crash(error)}",
        "c1 stopped",
        "c2 replaces: boom",
        "c2 started",
        "c2 stopped",
    ]


class Keeps(Boss):
    """Its children outlive it."""

    keep_children = True


def test_kept_children_go_on_and_the_new_instance_finds_them(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        boss = await system.spawn(lambda: Keeps(None), "boss")
        a = await system.get_actor("/boss/a")
        await a.ask(Count())
        await crash(boss)
        assert await boss.ask(Children()) == ["a", "b", "c"]
        return await a.ask(Count())

    assert run(world, body) == 2
    assert log.count("boss started") == 2
    assert log.count("a1 stopped") == 1
    assert log[-1] == "boss stopped"


def test_an_escalated_child_is_gone_when_its_parent_keeps_the_others(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        strategy = OneForOneStrategy(decider={ValueError: Directive.ESCALATE})
        boss = await system.spawn(lambda: Keeps(strategy), "boss")
        b = await system.get_actor("/boss/b")
        await b.ask(Count())
        await crash(await system.get_actor("/boss/a"))
        await asyncio.sleep(1)
        assert await boss.ask(Children()) == ["b", "c", "a"]
        return await b.ask(Count())

    assert run(world, body) == 2


def test_children_that_on_stopped_spawns_do_not_stand_in_the_way(world: World) -> None:
    class Last(Boss):
        @override
        async def on_started(self) -> None:
            await self.context.spawn(Child, "a")

        @override
        async def on_stopped(self) -> None:
            if not self.names:
                return
            self.names = ()
            await self.context.spawn(partial(Child, "late"), "a")

    async def body(system: ActorSystem) -> Any:
        boss = await system.spawn(lambda: Last(None), "boss")
        await crash(boss)
        assert await boss.ask(Children()) == ["a"]
        await boss.ask(Disarm())

    run(world, body)
    lives = ("c1", "late1", "c2")
    assert log == [f"{name} {what}" for name in lives for what in ("started", "stopped")]


def test_a_restarted_supervisor_counts_afresh(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        boss, a = await spawned(system, AllForOneStrategy(max_restarts=1), names=["a"])
        await crash(a)
        await crash(boss)
        await boss.ask(Children())
        again = await system.get_actor("/boss/a")
        await crash(again)
        return await again.ask(Count())

    assert run(world, body) == 1


def test_an_actor_that_is_stopped_before_it_starts_runs_no_hook(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        starting = asyncio.ensure_future(system.spawn(Child, "c"))
        await asyncio.sleep(0)
        early = await system.get_actor("/c")
        await early.stop("now")
        await early.join()
        await asyncio.wait([starting])
        starting.exception()

    run(world, body)
    assert log in ([], ["c1 started", "c1 stopped"])


# ---------------------------------------------------------------- back-off


@dataclass(frozen=True)
class Now(Message[float]):
    """Answers the time on the loop's clock."""


class Timed(Child):
    """Knows the time."""

    @override
    def on_started(self) -> None:
        super().on_started()
        self.began = asyncio.get_running_loop().time()

    @handler
    def now(self, message: Now) -> float:
        return self.began


def test_a_back_off_delays_each_restart_longer(world: World) -> None:
    async def body(system: ActorSystem) -> list[float]:
        system.strategy = OneForOneStrategy(max_restarts=None, backoff=exponential(2.0))
        ref = await system.spawn(Timed)
        waited: list[float] = []
        clock = asyncio.get_running_loop().time
        for _ in range(3):
            before = clock()
            await crash(ref)
            waited.append(await ref.ask(Now()) - before)
        return waited

    assert [round(seconds) for seconds in run(world, body)] == [2, 4, 8]


def test_a_back_off_begins_afresh_after_a_window_without_restarts(world: World) -> None:
    async def body(system: ActorSystem) -> list[float]:
        system.strategy = OneForOneStrategy(within_seconds=20.0, backoff=exponential(2.0))
        ref = await system.spawn(Timed)
        waited: list[float] = []
        clock = asyncio.get_running_loop().time
        for pause in (19.0, 22.0, 0.0):
            before = clock()
            await crash(ref)
            waited.append(await ref.ask(Now()) - before)
            await asyncio.sleep(pause)
        return waited

    waited = run(world, body)
    if world.name.startswith("simulated"):  # live, windows go by a clock that does not jump
        assert [round(seconds) for seconds in waited] == [2, 4, 2]


def test_mail_waits_during_a_back_off_and_timeouts_work(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        system.strategy = OneForOneStrategy(backoff=spaced(50.0))
        ref = await system.spawn(Timed)
        await crash(ref)
        patient = [asyncio.ensure_future(ref.ask(Count())) for _ in range(3)]
        with pytest.raises(AskTimeout):
            await ref.ask(Count(), timeout=1.0)
        return await asyncio.gather(*patient)

    assert sorted(run(world, body)) == [1, 2, 3]


def test_where_the_back_off_is_over_the_actor_stops(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        system.strategy = OneForOneStrategy(backoff=spaced(1.0) & recurs(2))
        ref = await system.spawn(Child)
        for _ in range(3):
            await crash(ref)
            await asyncio.sleep(2)
        await ref.join()
        with pytest.raises(ActorStopped, match=r"stopped when the back-off .* was over: ValueErr"):
            await ref.ask(Count())

    run(world, body)
    assert Child.made["c"] == 3


@pytest.mark.parametrize("mode", ["current", "now"])
def test_a_stop_during_a_back_off_ends_it_at_once(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> float:
        clock = asyncio.get_running_loop().time
        before = clock()
        system.strategy = OneForOneStrategy(backoff=spaced(1e6))
        ref = await system.spawn(Child)
        await crash(ref)
        asked = asyncio.ensure_future(ref.ask(Count()))
        await asyncio.sleep(1)
        await ref.stop(mode)
        await ref.join()
        with pytest.raises(ActorStopped, match="asked to stop"):
            await asked
        return clock() - before

    assert run(world, body) < 1e6
    assert log == ["c1 started", "c1 to be replaced", "c1 stopped"]


@pytest.mark.parametrize("when", ["during", "before"])
def test_a_graceful_stop_ends_a_back_off_and_what_was_sent_before_it_is_handled(
    world: World, when: str
) -> None:
    async def body(system: ActorSystem) -> Any:
        clock = asyncio.get_running_loop().time
        before = clock()
        system.strategy = OneForOneStrategy(backoff=spaced(1e6))
        ref = await system.spawn(Child)
        ref.tell_nowait(Crash())
        asked = ref.ask_nowait(Count())
        if when == "during":
            await asyncio.sleep(1)
        await ref.stop()
        await ref.join()
        assert clock() - before < 1e6
        return await asked

    assert run(world, body) == 1
    assert log == [
        "c1 started",
        "c1 to be replaced",
        "c1 stopped",
        "c2 replaces",
        "c2 started",
        "c2 stopped",
    ]


def test_nothing_is_delayed_in_a_shutdown_that_has_begun(world: World) -> None:
    async def body(system: ActorSystem) -> float:
        clock = asyncio.get_running_loop().time
        system.strategy = OneForOneStrategy(backoff=spaced(500.0))
        ref = await system.spawn(Child, "root")
        slow = ref.ask_nowait(Sleep(2))
        ref.tell_nowait(Crash())
        await asyncio.sleep(1)
        before = clock()
        await system.shutdown(timeout=400.0)
        assert await slow
        return clock() - before

    assert run(world, body) < 400


def test_shutdown_does_not_wait_for_a_back_off(world: World) -> None:
    async def body(system: ActorSystem) -> float:
        strategy = OneForOneStrategy(backoff=spaced(500.0))
        system.strategy = strategy
        ref = await system.spawn(Child, "root")
        _, a = await spawned(system, strategy, names=["a"])
        await crash(ref)
        await crash(a)
        await asyncio.sleep(1)
        before = asyncio.get_running_loop().time()
        await system.shutdown(timeout=400.0)
        assert not system.cells
        return asyncio.get_running_loop().time() - before

    assert run(world, body) < 400
    for name in ("a", "c"):
        assert log.count(f"{name}1 stopped") == 1
        assert log.count(f"{name}2 started") == log.count(f"{name}2 stopped")


def test_with_a_back_off_a_failed_restart_is_tried_again(world: World) -> None:
    HalfStarted.attempts, HalfStarted.failing = 0, (2, 3)

    async def body(system: ActorSystem) -> Any:
        system.strategy = OneForOneStrategy(backoff=exponential(1.0), max_restarts=5)
        boss = await system.spawn(lambda: HalfStarted(None), "boss")
        await crash(boss)
        return await boss.ask(Children())

    assert run(world, body) == ["a", "b", "c"]
    assert HalfStarted.attempts == 4
    assert log.count("boss stopped") == 2  # those that had started
    for n in range(1, 5):
        assert log.count(f"a{n} stopped") == 1


def test_where_there_is_nothing_to_resume_a_restart_is_tried_again(world: World) -> None:
    HalfStarted.attempts, HalfStarted.failing = 0, (2, 3)

    async def body(system: ActorSystem) -> Any:
        decider = {ValueError: Directive.RESTART, OSError: Directive.RESUME}
        system.strategy = OneForOneStrategy(backoff=spaced(1.0), decider=decider)
        boss = await system.spawn(lambda: HalfStarted(None), "boss")
        await crash(boss)
        return await boss.ask(Children())

    assert run(world, body) == ["a", "b", "c"]
    assert HalfStarted.attempts == 4


def test_failed_restarts_count(world: World) -> None:
    HalfStarted.attempts, HalfStarted.failing = 0, tuple(range(2, 99))

    async def body(system: ActorSystem) -> None:
        system.strategy = OneForOneStrategy(backoff=exponential(0.01), max_restarts=3)
        boss = await system.spawn(lambda: HalfStarted(None), "boss")
        await crash(boss)
        await boss.join()
        with pytest.raises(ActorStopped, match="more than 3 restarts in 60 s: OSError"):
            await boss.ask(Children())
        assert not system.cells

    run(world, body)
    assert HalfStarted.attempts == 4


# ---------------------------------------------------------------- stops in the middle of a restart


class Waits(Child):
    """Each hook takes two seconds, and says when it begins."""

    async def _hook(self, name: str) -> None:
        log.append(f"{self.name} {name} begins")
        await asyncio.sleep(2)
        log.append(f"{self.name} {name} ends")

    @override
    async def on_pre_restart(self, error: BaseException, message: Any) -> None:
        await self._hook("pre")

    @override
    async def on_stopped(self) -> None:
        await self._hook("stop")

    @override
    async def on_restart(self, error: BaseException) -> None:
        await self._hook("re")

    @override
    async def on_started(self) -> None:
        await self._hook("start")


@pytest.mark.parametrize("mode", ["graceful", "current", "now", "shutdown", "impatient"])
@pytest.mark.parametrize("moment", [1, 3, 5, 7])
def test_a_stop_in_the_middle_of_a_restart_runs_each_hook_at_most_once(
    world: World, mode: Any, moment: float
) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Waits)
        await ref.tell(Crash())
        await asyncio.sleep(moment)
        if mode == "shutdown":
            await system.shutdown(timeout=60)
        elif mode == "impatient":
            await system.shutdown(timeout=0)
        else:
            await ref.stop(mode)
        await ref.join()
        assert not system.cells

    run(world, body)
    assert len(log) == len(set(log))
    ended = {line for line in log if line.endswith("start ends")}
    stopped = {line.replace("stop begins", "start ends") for line in log if "stop begins" in line}
    assert ended == stopped, log
    if mode in ("graceful", "shutdown"):
        assert log[-1] == "c2 stop ends"


@pytest.mark.parametrize("moment", [1, 3, 5, 7])
def test_a_second_stop_now_ends_even_the_hooks(world: World, moment: float) -> None:
    class Endless(Waits):
        @override
        async def _hook(self, name: str) -> None:
            log.append(f"{self.name} {name} begins")
            await asyncio.sleep(1e9 if name != "start" or len(log) > 1 else 0)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Endless)
        await ref.tell(Crash())
        for _ in range(4):
            await asyncio.sleep(moment)
            await ref.stop("now")
        await ref.join()

    run(world, body)
    assert len(log) == len(set(log))


def test_a_failing_actor_that_is_told_to_stop_is_not_restarted_first(world: World) -> None:
    class Late(Child):
        @handler
        async def late(self, message: Children) -> Any:
            await asyncio.sleep(5)
            raise ValueError

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Late)
        asked = asyncio.ensure_future(ref.ask(Children()))
        await asyncio.sleep(1)
        await ref.stop("current")
        await ref.join()
        with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
            await asked

    run(world, body)
    assert log == ["c1 started", "c1 stopped"]


def test_a_sibling_that_has_not_started_yet_is_left_alone(world: World) -> None:
    class Grows(Boss):
        @handler
        async def grow(self, message: Count) -> int:
            await asyncio.gather(
                *[self.context.spawn(partial(Waits, name), name) for name in "xyz"]
            )
            return 3

    async def body(system: ActorSystem) -> None:
        boss = await system.spawn(lambda: Grows(AllForOneStrategy(), ["a"]), "boss")
        a = await system.get_actor("/boss/a")
        growing = asyncio.ensure_future(boss.ask(Count()))
        await asyncio.sleep(0)
        await crash(a)
        assert await growing == 3

    run(world, body)
    for name in ("x1", "y1", "z1"):
        first = next(line for line in log if line.startswith(name))
        assert first == f"{name} start begins"


# ---------------------------------------------------------------- every schedule


class Tracked(Child):
    """Its hooks and handlers wait, and find out whether anything comes between."""

    alive: ClassVar[set[str]] = set()
    acting: ClassVar[dict[str, int]] = {}
    wrong: ClassVar[list[str]] = []

    def _expect(self, what: str, *, holds: bool) -> None:
        if not holds:
            self.wrong.append(f"{self.name}: {what}")

    async def _alone(self) -> None:
        cell: Any = self._cell
        path = cell.ref.path
        self._expect("acts, and is not the actor", holds=cell.actor is self)
        self.acting[path] = self.acting.get(path, 0) + 1
        self._expect("acts beside another", holds=self.acting[path] == 1)
        try:
            await asyncio.sleep(0.5)
        finally:
            self._expect("swapped while it acts", holds=cell.actor is self)
            self.acting[path] -= 1

    @override
    async def on_started(self) -> None:
        self._expect("started twice", holds=self.name not in self.alive)
        await self._alone()
        self.alive.add(self.name)

    @override
    async def on_stopped(self) -> None:
        self._expect("stopped, and was not started", holds=self.name in self.alive)
        self.alive.discard(self.name)
        await self._alone()

    @override
    async def on_pre_restart(self, error: BaseException, message: Any) -> None:
        self._expect("replaced, and was not started", holds=self.name in self.alive)
        await self._alone()

    @override
    async def on_restart(self, error: BaseException) -> None:
        self._expect("restarts, and has started", holds=self.name not in self.alive)
        await self._alone()

    @handler
    async def work(self, message: str) -> str:
        await self._alone()
        if message == "crash":
            raise ValueError(message)
        if message == "ask":
            other = await self.context.system.get_actor("/boss/a")
            return str(await other.ask("work", timeout=2.0))
        return message


STRATEGIES: list[SupervisorStrategy] = [
    cls(decider=decider, backoff=backoff, max_restarts=2)
    for cls in (OneForOneStrategy, AllForOneStrategy, RestForOneStrategy)
    for decider, backoff in (
        (says(Directive.RESTART), None),
        (says(Directive.RESTART), exponential(1.0, jitter=0.5)),
        (says(Directive.STOP), None),
        (says(Directive.ESCALATE), None),
    )
]


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_whatever_crashes_when_hooks_balance_and_nothing_is_lost(
    strategy: SupervisorStrategy, keeps: bool
) -> None:
    class Tree(Boss):
        keep_children = keeps

        @override
        async def on_started(self) -> None:
            for name in ("a", "b", "c"):
                if name not in self.context.children:
                    await self.context.spawn(partial(Tracked, name), name)

    async def scenario(sim: Simulation) -> None:
        Child.made.clear()
        Tracked.alive.clear()
        Tracked.acting.clear()
        Tracked.wrong.clear()
        system = sim.system
        boss = await system.spawn(lambda: Tree(strategy), "boss")
        children = [await system.get_actor(f"/boss/{name}") for name in "abc"]

        async def client(number: int) -> int:
            got = 0
            for message in ("work", "crash", "ask", "work")[number:]:
                child = children[(number + got) % 3]
                got += 1
                try:
                    assert await child.ask(message) == "work"
                except (ValueError, ActorStopped, AskTimeout):
                    pass
            return got

        clients = [asyncio.ensure_future(client(number)) for number in range(3)]
        if system.world.random.random() < 0.5:
            await children[1].stop(("graceful", "current", "now")[Child.made["a"] % 3])
        assert await asyncio.gather(*clients) == [4, 3, 2]
        await system.shutdown()
        assert not boss.is_alive
        assert not system.cells
        assert not Tracked.wrong
        assert not Tracked.alive, "started and not stopped"

    verdict = explore(scenario, schedules=30, time="latency")
    assert verdict.ok, verdict.failure and verdict.failure.explain()


def test_messages_do_not_overtake_each_other_in_a_restart() -> None:
    class Slow(Child):
        seen: ClassVar[list[int]] = []

        @override
        async def on_stopped(self) -> None:
            await asyncio.sleep(5)

        @handler
        def see(self, message: int) -> None:
            self.seen.append(message)

    async def scenario(sim: Simulation) -> None:
        Slow.seen.clear()
        system = sim.system
        system.strategy = AllForOneStrategy()
        a, b = [await system.spawn(Slow, name) for name in "ab"]
        slow = b.ask_nowait(Sleep(4))
        for n in range(10):
            b.tell_nowait(n)
            if n == 3:
                await crash(a)
            if n % 2:
                await asyncio.sleep(1)
        await slow
        await b.ask(Count())
        assert Slow.seen == list(range(10))

    verdict = explore(scenario, schedules=50)
    assert verdict.ok, verdict.failure and verdict.failure.explain()
