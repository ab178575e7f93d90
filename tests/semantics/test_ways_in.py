"""How users get in: nameless systems, started instances, and what reaches an actor by its path."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    Message,
    StopMode,
    StopPolicy,
    free_ask,
    handler,
)
from effactor.interpreters import ActorSystem

if TYPE_CHECKING:
    from worlds import World

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@dataclass(frozen=True)
class Add(Message[int]):
    amount: int


class Counter(Actor[Add | str]):
    def __init__(self, count: int = 0) -> None:
        log.append("made")
        self.count = count

    @override
    def on_started(self) -> None:
        log.append("started")

    @override
    def on_stopped(self) -> None:
        log.append("stopped")

    @handler
    def add(self, message: Add) -> int:
        self.count += message.amount
        return self.count

    @handler
    async def act(self, message: str) -> Any:
        match message:
            case "fail":
                raise ValueError("boom")
            case "spawn":
                return await self.spawn(Counter, "child")
            case "spawn beside":
                return await self.context.system.spawn(Counter, "beside")
            case "wait":
                await asyncio.sleep(10)
                return "waited"
            case "stop":
                await self.stop_self()
                return "stopping"
            case what:
                raise AssertionError(what)


class Once(Counter):
    @override
    def stop_policy(self) -> StopPolicy:
        return StopMode.ONE_TIME


# ---------------------------------------------------------------- nameless systems


def test_a_nameless_system_is_called_system(world: World) -> None:
    async def body(_: ActorSystem) -> None:
        system = ActorSystem()
        ref = await system.spawn(Counter, "counter")
        assert system.name == "system"
        assert await system.get_actor("/system/counter") == ref
        await system.shutdown()

    world.run(body)


def test_nameless_systems_that_live_at_once_have_names_of_their_own(world: World) -> None:
    async def body(_: ActorSystem) -> None:
        async with ActorSystem() as one, ActorSystem() as two:
            assert [one.name, two.name] == ["system", "system-2"]
            ref = await two.spawn(Counter, "counter")
            assert await two.get_actor("/system-2/counter") == ref
            assert await two.get_actor("/system/counter") == ref  # what its user wrote
        async with ActorSystem() as three:
            assert three.name == "system"

    world.run(body)


def test_a_name_of_a_system_is_no_prefix_of_a_longer_one(world: World) -> None:
    async def body(_: ActorSystem) -> None:
        async with ActorSystem("bank") as bank:
            await bank.spawn(Counter, "x")
            with pytest.raises(ActorNotFound):
                await bank.get_actor("/bankers/x")

    world.run(body)


def test_a_system_needs_no_block(world: World) -> None:
    async def body(_: ActorSystem) -> None:
        system = ActorSystem("bank")
        ref = await system.spawn(Counter, "counter")
        assert await system.ask("/counter", Add(2)) == 2
        await system.shutdown()
        assert not ref.is_alive
        assert log == ["made", "started", "stopped"]

    world.run(body)


# ---------------------------------------------------------------- by path


def test_a_path_is_as_good_as_a_ref(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Counter, "counter")
        await system.tell("/counter", Add(1))
        await system.tell("/sim/counter", Add(1))
        await system.tell(ref, Add(1))
        await system.tell(ActorRef.at("/counter"), Add(1))
        assert await system.ask("/counter", Add(1)) == 5
        assert await system.ask("/sim/counter", Add(1)) == 6
        assert await system.ask(ref, Add(1), timeout=1) == 7
        assert await system.ask(ActorRef[Add].at("/counter"), Add(1)) == 8

    world.run(body)


def test_an_unknown_path_names_the_nearest(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        await system.spawn(Counter, "counter")
        for use in (
            system.ask("/countr", Add(1)),
            system.tell("/countr", Add(1)),
            system.stop("/countr"),
        ):
            with pytest.raises(ActorNotFound, match="did you mean /counter"):
                await use
        assert not system.dead_letters

    world.run(body)


def test_a_ref_to_a_stopped_actor_is_no_error_for_a_tell(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Counter, "counter")
        await system.stop("/counter")
        await ref.join()
        for old in (ref, ActorRef[Any].at("/counter")):
            await system.tell(old, Add(1))
            with pytest.raises(ActorStopped):
                await system.ask(old, Add(1))
            await system.stop(old)
        assert [letter.message for letter in system.dead_letters] == [Add(1)] * 2

    world.run(body)


def test_what_is_neither_path_nor_ref_is_refused(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        with pytest.raises(TypeError, match=r"ask: target must be a path or an ActorRef, .* spawn"):
            await system.ask(Counter, Add(1))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        with pytest.raises(TypeError, match="tell: target must be a path or an ActorRef, got 3"):
            await system.tell(3, Add(1))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        with pytest.raises(TypeError, match="get_actor: path must be a text, got 3"):
            await system.get_actor(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(ValueError, match="stop: mode"):
            await system.stop("/counter", "later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    world.run(body)


def test_the_living_actors_are_listed_by_path(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Counter, "counter")
        child = await ref.ask("spawn")
        assert system.actors() == {"/counter": ref, "/counter/child": child}
        await system.stop(child, "now")
        await child.join()
        assert list(system.actors()) == ["/counter"]

    world.run(body)


# ---------------------------------------------------------------- what an actor does


class Asker(Actor[Any]):
    """Does what it is told, by the methods of `Actor`."""

    @override
    async def on_receive(self, message: Any) -> Any:
        what, *args = message
        match what:
            case "ask":
                return await self.ask(args[0], args[1], timeout=5)
            case "tell":
                return await self.tell(args[0], args[1])
            case "children":
                return list(self.context.children)
            case _:
                raise AssertionError(what)


def test_an_actor_asks_and_tells_paths_and_refs(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Counter, "counter")
        asker = await system.spawn(Asker)
        await asker.ask(("tell", "/counter", Add(1)))
        await asker.ask(("tell", ref, Add(1)))
        assert await asker.ask(("ask", "/counter", Add(1))) == 3
        assert await asker.ask(("ask", ref, Add(1))) == 4
        with pytest.raises(ActorNotFound, match="did you mean /counter"):
            await asker.ask(("ask", "/counte", Add(1)))

    world.run(body)


def test_an_actor_asks_a_child_that_lives_for_one_message(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        asker = await system.spawn(Asker)
        assert await asker.ask(("ask", Counter, Add(3))) == 3
        assert await asker.ask(("children",)) == []
        with pytest.raises(ValueError, match="boom"):
            await asker.ask(("ask", Counter, "fail"))
        assert await asker.ask(("children",)) == []

    world.run(body)


def test_w13_an_actor_spawns_with_and_without_a_name(world: World) -> None:
    class Parent(Actor[Any]):
        @override
        async def on_receive(self, message: Any) -> list[str]:
            del message
            named = await self.spawn(Counter, "one")
            nameless = await self.spawn(Counter)
            return [named.path, nameless.path]

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Parent, "parent")
        assert await ref.ask("go") == ["/parent/one", "/parent/Counter#1"]

    world.run(body)


def test_an_actor_stops_itself_after_what_it_handles(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Counter)
        assert await ref.ask("stop") == "stopping"
        await ref.join()
        assert log == ["made", "started", "stopped"]

    world.run(body)


def test_w40_a_temporary_actor_is_constructed_once(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        asker = await system.spawn(Asker)
        await asker.ask(("tell", Once, Add(1)))
        await asyncio.sleep(1)
        assert log[:2] == ["made", "started"]
        assert log.count("made") == 1

    world.run(body)


def test_a_temporary_actor_that_would_never_stop_is_refused_and_leaves_nothing(
    world: World,
) -> None:
    async def body(system: ActorSystem) -> None:
        asker = await system.spawn(Asker, "asker")
        with pytest.raises(TypeError, match="non-NEVER stop_policy"):
            await asker.ask(("tell", Counter, Add(1)))
        assert log == ["made"]
        assert "/asker/Counter#1" not in system.actors()
        assert not system.dead_letters

    world.run(body)


# ---------------------------------------------------------------- started instances


def test_a_ready_instance_starts_in_a_system_of_its_own(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await Counter(40).start()
        await ref.tell(Add(1))
        assert await ref.ask(Add(1)) == 42
        assert not system.actors()
        await ref.stop()
        await ref.join()
        assert not ref.is_alive
        with pytest.raises(ActorStopped):
            await ref.ask(Add(1))
        assert log == ["made", "started", "stopped"]

    world.run(body)


def test_started_instances_have_refs_of_their_own(world: World) -> None:
    async def body(_: ActorSystem) -> None:
        refs = [await Counter().start() for _ in range(2)]
        refs += [await Counter().start("bob") for _ in range(2)]
        assert len(set(refs)) == 4
        assert [ref.name for ref in refs[2:]] == ["bob", "bob"]
        for n, ref in enumerate(refs):
            assert await ref.ask(Add(n)) == n
            await ref.stop()

    world.run(body)


def test_an_instance_starts_only_once(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        counter = Counter()
        ref = await counter.start("bob")
        with pytest.raises(RuntimeError, match=r"start: this Counter runs already .*/bob"):
            await counter.start()
        with pytest.raises(TypeError, match="spawned already"):
            await system.spawn(lambda: counter)
        await ref.stop()
        await ref.join()
        with pytest.raises(RuntimeError, match=r"has stopped, and cannot .* make a new Counter"):
            await counter.start()
        spawned = Counter()
        await system.spawn(lambda: spawned)
        with pytest.raises(RuntimeError, match="start: this Counter runs already"):
            await spawned.start()

    world.run(body)


def test_a_failure_stops_a_started_instance(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def body(_: ActorSystem) -> None:
        ref = await Counter().start("bob")
        with pytest.raises(ValueError, match="boom"):
            await ref.ask("fail")
        await ref.join()
        with pytest.raises(ActorStopped):
            await ref.ask(Add(1))
        assert log == ["made", "started", "stopped"]

    world.run(body)
    assert "/bob stops, because a started instance cannot be made anew" in caplog.text


def test_an_instance_that_fails_to_start_is_gone(world: World) -> None:
    class Broken(Counter):
        @override
        def on_started(self) -> None:
            raise LookupError("no database")

    async def body(_: ActorSystem) -> None:
        broken = Broken()
        with pytest.raises(LookupError, match="no database"):
            await broken.start()
        with pytest.raises(RuntimeError, match="cannot start again"):
            await broken.start()
        with pytest.raises(ValueError, match="start: name must not be empty"):
            await Counter().start("")

    world.run(body)


def test_a_start_that_is_cancelled_leaves_no_actor(world: World) -> None:
    class Slow(Counter):
        @override
        async def on_started(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            try:
                await asyncio.sleep(10)
            finally:
                log.append("cleaned up")

    async def body(_: ActorSystem) -> None:
        slow = Slow()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow.start(), 1)
        await slow.context.self_ref.join()
        assert "cleaned up" in log

    world.run(body)


def test_children_of_a_started_instance_are_restarted_and_end_with_it(world: World) -> None:
    async def body(_: ActorSystem) -> None:
        ref = await Counter().start()
        child = await ref.ask("spawn")
        beside = await ref.ask("spawn beside")
        with pytest.raises(ValueError, match="boom"):
            await child.ask("fail")
        assert await child.ask(Add(1)) == 1
        assert await ref.ask(Add(1)) == 1
        await ref.stop()
        await ref.join()
        await beside.join()
        assert not child.is_alive
        assert not beside.is_alive

    world.run(body)


def test_programs_of_any_system_reach_a_started_instance(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await Counter().start()
        assert await system.run_free(free_ask(ref, Add(3))) == 3
        assert await system.ask(ref, Add(3)) == 6
        asker = await system.spawn(Asker)
        assert await asker.ask(("ask", ref, Add(1))) == 7
        await ref.stop()

    world.run(body)


def test_a_started_instance_is_asked_by_a_long_chain_of_others(world: World) -> None:
    class Link(Actor[int]):
        def __init__(self, following: ActorRef[int] | None) -> None:
            self.following = following

        @override
        async def on_receive(self, message: int) -> int:
            return message if self.following is None else await self.following.ask(message + 1)

    async def body(_: ActorSystem) -> None:
        ref: ActorRef[int] | None = None
        for _n in range(300):
            ref = await Link(ref).start()
        assert ref is not None
        assert await ref.ask(0) == 299

    world.run(body)
