"""Saving and loading the states of actors, in every world."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorNotFound,
    Do,
    HandlerFailed,
    Inbox,
    Mailbox,
    MemoryMailbox,
    Message,
    SendOptions,
    ThreadedMailbox,
    UnknownActors,
    free_call,
    free_sleep,
    handler,
    pool,
    program,
)
from effactor.interpreters import ActorSystem, Simulation, explore

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@dataclass(frozen=True)
class Add(Message[int]):
    n: int
    seconds: float = 0


@dataclass(frozen=True)
class Run(Message[Any]):
    what: Any


class Account(Actor[Add | Run]):
    """Two numbers that are equal between two messages, and never within one."""

    def __init__(self) -> None:
        self.data: dict[str, int] = {"left": 0, "right": 0}

    @handler
    async def add(self, message: Add) -> int:
        self.data["left"] += message.n
        await asyncio.sleep(message.seconds)
        self.data["right"] += message.n
        return self.data["right"]

    @handler
    def run(self, message: Run) -> Any:
        return message.what(self)

    @override
    def save_state(self) -> Any:
        return self.data

    @override
    def load_state(self, state: Any) -> Any:
        log.append(self.context.self_ref.path)
        if state == "bad":
            raise ValueError("no such state")
        self.data = state


class Async(Account):
    """The same with hooks that wait."""

    @override
    async def save_state(self) -> Any:
        await asyncio.sleep(1)
        return super().save_state()

    @override
    async def load_state(self, state: Any) -> Any:
        await asyncio.sleep(1)
        super().load_state(state)


class Free(Account):
    """The same with hooks that are programs."""

    @override
    @program
    def save_state(self) -> Do[Any]:
        yield from free_sleep(1)
        return super().save_state()

    @override
    @program
    def load_state(self, state: Any) -> Do[None]:
        yield from free_sleep(1)
        super().load_state(state)


class Parent(Account):
    """Has a child, whether it was loaded or not."""

    @override
    async def on_started(self) -> None:
        await self.context.spawn(Account, "child")


class Stateless(Actor[Run]):
    """Has nothing to save."""

    @handler
    def run(self, message: Run) -> Any:
        return message.what(self)


@pytest.fixture(params=[Account, Async, Free], ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Any:
    """One way to write the hooks."""
    return request.param


def test_a_state_that_is_saved_can_be_loaded_into_another_system(world: World, kind: Any) -> None:
    async def saving(system: ActorSystem) -> bytes:
        a = await system.spawn(kind, "a")
        await system.spawn(Stateless, "none")
        await a.tell(Add(5, 10))
        await a.tell(Add(2))
        # What was sent before is in it.
        return pickle.dumps(await system.save_state())

    async def loading(system: ActorSystem) -> Any:
        a = await system.spawn(kind, "a")
        await a.tell(Add(1))
        states = pickle.loads(saved)
        await system.load_state(states)
        return await a.ask(Add(1)), states

    saved = world.run(saving)
    assert pickle.loads(saved) == {"/a": {"left": 7, "right": 7}}
    assert world.run(loading) == (8, {"/a": {"left": 7, "right": 7}})


def test_what_was_saved_does_not_change_any_more(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Account, "a")
        saved = await system.save_state()
        await a.ask(Add(3))
        assert saved == {"/a": {"left": 0, "right": 0}}
        await system.load_state(saved)
        await a.ask(Add(4))
        assert saved == {"/a": {"left": 0, "right": 0}}

    world.run(body)


def test_parents_come_before_their_children(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Parent, "z")
        await system.spawn(Parent, "a")
        saved = await system.save_state()
        # Paths may have the system's name in front; their order does not matter.
        back = {f"/sim{path}": state for path, state in reversed(list(saved.items()))}
        await system.load_state(back)
        return list(saved)

    assert world.run(body) == ["/z", "/z/child", "/a", "/a/child"] == log


def test_an_empty_system_has_no_states(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.load_state({})
        return await system.save_state(), await ActorSystem("other").save_state()

    assert world.run(body) == ({}, {})


def test_unknown_paths_fail_before_anything_is_loaded(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Account, "account")
        states = {"/account": {"left": 1, "right": 1}, "/acount": 1, "/sim/zebra": 2}
        with pytest.raises(UnknownActors) as caught:
            await system.load_state(states)
        error = caught.value
        assert isinstance(error, ActorNotFound)
        assert error.unknown == {"/acount": ("/account",), "/sim/zebra": ()}
        assert str(error) == (
            "no actor at '/acount' (did you mean /account?), '/sim/zebra', so no state was "
            'loaded; spawn the actors first, or leave them out with unknown="skip"'
        )
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.path, again.nearest) == (str(error), "/acount", ("/account",))
        assert log == []
        await system.load_state(states, unknown="skip")
        return await a.ask(Add(1))

    assert world.run(body) == 2


def test_an_actor_that_has_stopped_is_unknown(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Account, "a")
        await a.stop()
        await a.join()
        with pytest.raises(UnknownActors, match="'/a'"):
            await system.load_state({"/a": {}})
        return await system.save_state()

    assert world.run(body) == {}


def test_a_load_that_fails_says_which_actor_and_is_supervised(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        refs = [await system.spawn(kind, name) for name in "abc"]
        good = {"left": 5, "right": 5}
        with pytest.raises(HandlerFailed, match="/sim/b raised ValueError: no such") as caught:
            await system.load_state({"/a": good, "/b": "bad", "/c": good})
        assert isinstance(caught.value.cause, ValueError)
        return [await ref.ask(Add(1)) for ref in refs]

    assert world.run(body) == [6, 1, 1]
    assert log == ["/a", "/b"]


def test_a_save_that_fails_says_which_actor_and_the_actor_lives_on(world: World) -> None:
    class Shy(Account):
        @override
        def save_state(self) -> Any:
            raise LookupError("not mine to tell")

    class Odd(Account):
        @override
        def save_state(self) -> Any:
            return (n for n in range(3))

    async def body(system: ActorSystem) -> Any:
        await system.spawn(Account, "a")
        shy = await system.spawn(Shy, "shy")
        await shy.ask(Add(1))
        with pytest.raises(HandlerFailed, match="/sim/shy raised LookupError: not mine"):
            await system.save_state()
        counted = await shy.ask(Add(1))
        await shy.stop()
        await shy.join()
        await system.spawn(Odd, "odd")
        with pytest.raises(HandlerFailed, match="/sim/odd raised TypeError: cannot pickle"):
            await system.save_state()
        return counted

    assert world.run(body) == 2


def test_wrong_arguments_load_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        load: Any = system.load_state
        await system.spawn(Account, "a")
        await system.spawn(Stateless, "none")
        with pytest.raises(TypeError, match="there is a state for /sim/none, but Stateless has no"):
            await load({"/a": {}, "/none": 1})
        with pytest.raises(ValueError, match="states has '/a' twice, also as '/sim/a'"):
            await load({"/a": {}, "/sim/a": {}})
        with pytest.raises(ValueError, match='unknown must be "fail" or "skip"'):
            load({}, unknown=None)
        with pytest.raises(TypeError, match="states must be a mapping"):
            load([("/a", {})])
        with pytest.raises(TypeError, match="keys of states must be paths"):
            load({1: {}})
        with pytest.raises(TypeError) as caught:
            load({"/a": (n for n in range(3))})
        assert caught.value.__notes__ == ["load_state: the state for '/a' cannot be copied"]

    world.run(body)
    assert log == []


def test_a_handler_must_not_wait_for_it(world: World) -> None:
    async def awaits(self: Account) -> Any:
        with pytest.raises(RuntimeError, match="save_state waits for the handlers of all actors"):
            await self.context.system.save_state()
        with pytest.raises(RuntimeError, match="load_state waits for the handlers of all actors"):
            await self.context.system.load_state({})
        log.append("refused")

    def calls(self: Account) -> Any:
        return free_call(self.context.system.save_state)

    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Account, "a")
        await a.ask(Run(awaits))
        with pytest.raises(RuntimeError, match="a handler must not wait for it"):
            await a.ask(Run(calls))
        # A run is no handler.
        return await system.run_free(free_call(system.save_state))

    assert world.run(body) == {"/a": {"left": 0, "right": 0}}
    assert log == ["refused"]


def test_an_actor_that_stops_meanwhile_is_left_out(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Account, "a")
        await system.spawn(Account, "b")
        await a.tell(Add(1, 100))
        await asyncio.sleep(1)
        saving = asyncio.ensure_future(system.save_state())
        await asyncio.sleep(1)
        await a.stop("now")
        return await saving

    assert world.run(body) == {"/b": {"left": 0, "right": 0}}


def test_cancelling_a_save_leaves_the_actors_alone(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Async, "a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(system.save_state(), 0.5)
        return await a.ask(Add(1))

    assert world.run(body) == 1


# ---------------------------------------------------------------- mailboxes with rules


class StackInbox(Inbox):
    """Hands out the latest first, and knows nothing of what nobody wants any more."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    @override
    def put(self, item: Any) -> None:
        self.items.append(item)

    @override
    def take(self) -> Any:
        return self.items.pop() if self.items else None

    @override
    def __len__(self) -> int:
        return len(self.items)


class Stack(Mailbox):
    """A mailbox of somebody else's."""

    @override
    def open(self) -> Inbox:
        return StackInbox()


WAYS: dict[str, dict[str, Any]] = {
    "full": {"mailbox": MemoryMailbox(1)},
    "bounded": {"mailbox": MemoryMailbox(10)},
    "priority": {"mailbox": MemoryMailbox(order="priority")},
    "threaded": {"mailbox": ThreadedMailbox()},
    "stack": {"mailbox": Stack()},
    "reentrant": {"reentrant": True},
    "concurrency": {"concurrency": 2},
    "both": {"concurrency": 2, "mailbox": MemoryMailbox(2, order="priority")},
}


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def way(request: pytest.FixtureRequest) -> Any:
    """One way to run an actor so that its mail waits in an inbox."""
    return request.param


def test_what_was_sent_before_is_in_it_whatever_the_mailbox(world: World, way: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Account, "a", **way)
        for _ in range(4):
            await a.tell(Add(5, 10), options=SendOptions(priority=-1))
        saving = asyncio.ensure_future(system.save_state())
        await asyncio.sleep(0)
        asked = a.ask_nowait(Add(0, 1))
        saved = await saving
        await asked
        for _ in range(3):
            await a.tell(Add(7, 10), options=SendOptions(priority=-1))
        await system.load_state({"/a": {"left": 100, "right": 100}})
        return saved, await a.ask(Add(1))

    assert world.run(body) == ({"/a": {"left": 20, "right": 20}}, 101)


def test_what_comes_later_holds_up_no_save(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Account, "a", mailbox=MemoryMailbox(order="priority"))
        await a.tell(Add(1, 1))
        await a.tell(Add(2, 1))
        saving = asyncio.ensure_future(system.save_state())
        await asyncio.sleep(0.5)
        for _ in range(3):
            await a.tell(Add(10, 1000), options=SendOptions(priority=-1))
        return await saving

    assert world.run(body) == {"/a": {"left": 3, "right": 3}}


def test_a_save_does_not_wait_for_mail_that_nobody_will_handle(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        oldest = MemoryMailbox(1, "drop_oldest")
        drops = await system.spawn(Account, "drops", mailbox=oldest)
        blocks = await system.spawn(Account, "blocks", mailbox=MemoryMailbox(1))
        for ref in (drops, blocks):
            await ref.tell(Add(1, 1))
            await asyncio.sleep(0.1)
            await ref.tell(Add(2, 1))
        leaving = [asyncio.ensure_future(blocks.tell(Add(4, 1000))) for _ in range(100)]
        asks = [blocks.ask_nowait(Add(8, 1000), timeout=0.1) for _ in range(100)]
        await asyncio.sleep(0.1)
        saving = asyncio.ensure_future(system.save_state())
        await asyncio.sleep(0.1)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, *asks, return_exceptions=True)
        await drops.tell(Add(16, 1000))
        saved = await saving
        return saved["/drops"]["left"], saved["/blocks"]["left"]

    # What is dropped was before the save, what takes its place is from another sender: in a
    # simulation it may come first.
    expected = {(1, 3), (17, 3)} if world.name.startswith("simulated") else {(1, 3)}
    assert world.run(body) in expected


def test_the_mail_of_a_pool_is_that_of_its_workers(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(pool(Account, 2), "p")
        for _ in range(7):
            await ref.tell(Add(5, 10))
        saved = await system.save_state()
        assert sum(state["left"] for state in saved.values()) == 35
        for _ in range(6):
            await ref.tell(Add(5, 10))
        await system.load_state({"/p/1": {"left": 100, "right": 100}})
        again = await system.save_state()
        await ref.tell(Add(5, 10))
        saving = asyncio.ensure_future(system.save_state())
        await asyncio.sleep(1)
        await ref.stop("now")
        # The idle one has answered before.
        return list(saved), again["/p/1"], len(await saving)

    assert world.run(body) == (["/p/1", "/p/2"], {"left": 100, "right": 100}, 1)


def test_a_stop_and_a_save_wait_for_the_same_mail_in_their_order(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        a = await system.spawn(Account, "a", mailbox=MemoryMailbox(2))
        b = await system.spawn(Account, "b", mailbox=MemoryMailbox(2))
        await b.tell(Add(1, 1))
        await b.tell(Add(1, 1))
        await b.stop()
        await a.tell(Add(1, 1))
        await a.tell(Add(1, 1))
        saving = asyncio.ensure_future(system.save_state())
        await asyncio.sleep(0)
        await a.stop()
        await a.join()
        return await saving

    # In a simulation the stop, from another sender, may come first.
    stopped: list[Any] = [{}] if world.name.startswith("simulated") else []
    assert world.run(body) in [{"/a": {"left": 2, "right": 2}}, *stopped]


# ---------------------------------------------------------------- explored


def test_a_saved_state_is_one_that_the_actor_had_between_two_messages() -> None:
    async def scenario(sim: Simulation) -> None:
        system = sim.system
        refs = [await system.spawn(Account, "a"), await system.spawn(Async, "b")]
        asks = [ref.ask_nowait(Add(n, seconds=n % 2)) for n in (1, 2, 4) for ref in refs]
        saved = await system.save_state()
        for path in ("/a", "/b"):
            state = saved[path]
            assert state["left"] == state["right"]
            # A sender's messages stay in order, and all were sent before.
            assert state["left"] == 7
        more = [ref.ask_nowait(Add(8, seconds=1)) for ref in refs]
        loading = asyncio.ensure_future(system.load_state(saved))
        asks += [ref.ask_nowait(Add(16)) for ref in refs]
        await loading
        await asyncio.gather(*asks, *more)
        for _, state in sorted((await system.save_state()).items()):
            assert state["left"] == state["right"]
            sim.sometimes(state["left"] == 7 + 16, "loaded before the last")
            sim.sometimes(state["left"] == 7, "loaded after the last")

    verdict = explore(scenario, schedules=300, seed=1, time="async")
    assert verdict.ok, verdict


def test_a_snapshot_by_another_may_fall_between_any_two_messages() -> None:
    async def scenario(sim: Simulation) -> None:
        system = sim.system
        a = await system.spawn(Account, "a")
        b = await system.spawn(Stateless, "b")

        async def adds(_self: Any) -> None:
            for n in (1, 2):
                await a.ask(Add(n, seconds=1))

        adding = b.ask_nowait(Run(adds))
        saved = await system.save_state()
        state = saved["/a"]
        assert state["left"] == state["right"]
        assert state["left"] in (0, 1, 3)
        for total in (0, 1, 3):
            sim.sometimes(state["left"] == total, f"after {total}")
        await adding

    verdict = explore(scenario, schedules=300, seed=1, time="async")
    assert verdict.ok, verdict
    assert verdict.hits["after 0"]
    assert verdict.hits["after 1"]
