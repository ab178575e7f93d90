"""Messages that are set aside and handled later, in every world."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from returns.result import Failure
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    AskFailed,
    AskTimeout,
    Deadlock,
    Do,
    Failed,
    Message,
    Program,
    fail,
    free_ask,
    free_self,
    free_sleep,
    free_stop,
    handler,
    program,
    pure,
    stash,
    unstash_all,
)
from effactor.interpreters import ActorSystem, Simulation, explore, simulate
from effactor.programs.forks import Fiber
from effactor.programs.parallel import gather
from effactor.programs.racing import race

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@dataclass(frozen=True)
class Enter(Message[str, str]):
    """Wants to pass the door; waits until it is open."""

    name: str
    how: str = "once"


@dataclass(frozen=True)
class Open(Message[int]):
    """Opens the door; answers how many waited."""

    how: str = ""


@dataclass(frozen=True)
class Act(Message[Any]):
    what: str


class Lost(Exception):
    """An error of these tests."""


class Door(Actor[Enter | Open | Act]):
    """Lets nobody pass before it is open."""

    def __init__(self) -> None:
        self.open = False

    @handler
    def enter(self, message: Enter) -> Program[str, str]:
        return self._enter(message)

    @program
    def _enter(self, message: Enter) -> Do[str, str]:
        if self.open:
            log.append(f"{message.name} passes")
            return f"welcome {message.name}"
        log.append(f"{message.name} waits")
        yield from stash()
        match message.how:
            case "twice":
                yield from stash()
            case "slow":
                yield from free_sleep(1)
            case "fails":
                return (yield from fail("no entry"))
            case "crashes":
                raise Lost(message.name)
            case _:
                pass
        return "not a reply"

    @handler
    def on_open(self, message: Open) -> Program[int]:
        self.open = True
        if message.how == "slow":
            return free_sleep(1).then(unstash_all())
        return unstash_all()

    @handler
    async def do(self, message: Act) -> Any:
        match message.what:
            case "crash":
                raise Lost("boom")
            case "stash by return":
                if not self.open:
                    return stash()
                return "returned"
            case "stash by run_free":
                return await self.context.run_free(stash())
            case "unstash by run_free":
                self.open = True
                return await self.context.run_free(unstash_all())
            case "stop":
                return free_self().bind(free_stop).then(unstash_all())
            case _:
                return message.what


async def knock(door: ActorRef[Any], *names: str, how: str = "once") -> list[asyncio.Future[Any]]:
    """Ask to enter, and wait until all of them wait at the door."""
    asks: list[asyncio.Future[Any]] = []
    for name in names:
        asks.append(asyncio.ensure_future(door.ask(Enter(name, how))))
        await asyncio.sleep(0.01)
    return asks


async def outcome(ask: Any) -> Any:
    try:
        return await ask
    except Exception as error:  # the outcome
        return error


def test_an_ask_set_aside_is_answered_after_unstash_all(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann", "bob", "cid")
        assert not any(ask.done() for ask in asks)
        n = await door.ask(Open())
        return n, [await ask for ask in asks]

    assert world.run(body) == (3, ["welcome ann", "welcome bob", "welcome cid"])
    assert log == [f"{n} {did}" for did in ("waits", "passes") for n in ("ann", "bob", "cid")]


def test_tells_are_set_aside_like_asks(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        await door.tell(Enter("ann"))
        await door.tell(Enter("bob"))
        return await door.ask(Open()), await door.ask(Act("done"))

    assert world.run(body) == (2, "done")
    assert log == ["ann waits", "bob waits", "ann passes", "bob passes"]


def test_a_program_that_asks_waits_too(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        ask = asyncio.ensure_future(system.run_free(free_ask(door, Enter("ann"))))
        await asyncio.sleep(1)
        n = await door.ask(Open())
        return n, await ask

    assert world.run(body) == (1, "welcome ann")


class Guest(Actor[Act]):
    """Asks from a handler."""

    def __init__(self, door: ActorRef[Any]) -> None:
        self.door = door

    @handler
    async def go(self, message: Act) -> str:
        reply: str = await self.door.ask(Enter("ann", message.what))
        return f"{reply}!"


@pytest.mark.parametrize("how", ["once", "slow"])
def test_a_handler_that_asks_waits_too(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        guest = await system.spawn(lambda: Guest(door), "guest")
        ask = asyncio.ensure_future(guest.ask(Act(how)))
        await asyncio.sleep(5)
        n = await door.ask(Open())
        return n, await ask

    assert world.run(body) == (1, "welcome ann!")


def test_what_was_set_aside_comes_before_other_mail(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann", "bob")
        # These arrive while the door opens: behind Open, and before it has put back.
        await door.tell(Open("slow"))
        await door.tell(Enter("late"))
        await door.tell(Enter("later"))
        await door.ask(Act("done"))
        return [await ask for ask in asks]

    assert world.run(body) == ["welcome ann", "welcome bob"]
    assert log[2:] == ["ann passes", "bob passes", "late passes", "later passes"]


@pytest.mark.parametrize("how", ["twice", "slow"])
def test_the_rest_of_the_program_runs_and_a_second_stash_does_nothing(
    world: World, how: str
) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann", how=how)
        return await door.ask(Open()), await asks[0]

    assert world.run(body) == (1, "welcome ann")


def test_an_async_handler_may_return_stash(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asked = asyncio.ensure_future(door.ask(Act("stash by return")))
        await asyncio.sleep(1)
        return await door.ask(Open()), await asked

    assert world.run(body) == (1, "returned")


def test_an_async_handler_cannot_stash_by_run_free_and_is_told_what_to_do(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        await door.ask(Act("stash by run_free"))

    with pytest.raises(RuntimeError, match=r"/sim/door has no message.*`return stash\(\)`"):
        world.run(body)


def test_run_free_is_refused_also_after_a_program_that_could_stash(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        await door.ask(Open())
        await door.ask(Enter("ann"))
        return await outcome(door.ask(Act("stash by run_free")))

    assert isinstance(world.run(body), RuntimeError)


def test_an_async_handler_may_unstash_by_run_free(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann")
        return await door.ask(Act("unstash by run_free")), await asks[0]

    assert world.run(body) == (1, "welcome ann")


def test_the_next_message_begins_afresh(world: World) -> None:
    """The mark is of one handling: another program's answer is its reply."""

    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann")
        first = await door.ask(Open())
        return first, await asks[0], await door.ask(Open()), await door.ask(Enter("bob"))

    assert world.run(body) == (1, "welcome ann", 0, "welcome bob")


def test_a_declared_failure_after_stash_is_the_reply(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        got = await system.run_free(free_ask(door, Enter("ann", "fails")).attempt())
        return got, await door.ask(Open())

    assert world.run(body) == (Failure("no entry"), 0)


def test_a_defect_after_stash_is_the_reply_and_supervised(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        before = system.cells["/door"].actor
        got = await outcome(door.ask(Enter("ann", "crashes")))
        await door.ask(Act("done"))
        restarted = system.cells["/door"].actor is not before
        return got, restarted, await door.ask(Open())

    got, restarted, n = world.run(body)
    assert isinstance(got, Lost)
    assert restarted
    assert n == 0


def test_the_timeout_of_an_ask_set_aside_still_counts(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        got = await outcome(door.ask(Enter("ann"), timeout=5))
        return got, await door.ask(Open())

    got, n = world.run(body)
    assert isinstance(got, AskTimeout)
    assert n == 0
    assert log == ["ann waits"]


def test_an_ask_withdrawn_while_set_aside_is_not_handled_again(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        ann, bob = await knock(door, "ann", "bob")
        ann.cancel()
        await asyncio.sleep(1)
        return await door.ask(Open()), await bob

    assert world.run(body) == (1, "welcome bob")
    assert log == ["ann waits", "bob waits", "bob passes"]


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_a_stop_fails_asks_and_makes_dead_letters_of_tells(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann")
        await door.tell(Enter("bob"))
        await door.ask(Act("done"))
        await door.stop(mode)
        got = await outcome(asks[0])
        await door.join()
        return got, [letter.message for letter in system.dead_letters]

    got, letters = world.run(body)
    assert isinstance(got, ActorStopped)
    assert not got.delivered
    assert letters == [Enter("bob")]


def test_a_handler_that_is_the_last_puts_nothing_back(world: World) -> None:
    """The stop came before its `unstash_all`."""

    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann")
        last = asyncio.ensure_future(door.ask(Open("slow")))
        await asyncio.sleep(0.5)
        await door.stop("current")
        return await outcome(asks[0]), await last

    got, n = world.run(body)
    assert isinstance(got, ActorStopped)
    assert n == 0
    assert log == ["ann waits"]


def test_what_is_put_back_before_a_stop_of_its_own_is_still_handled(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann", "bob")
        n = await door.ask(Act("stop"))
        await door.join()
        return n, [type(await outcome(ask)).__name__ for ask in asks]

    # Not open: they are set aside again, and then the actor stops.
    assert world.run(body) == (2, ["ActorStopped", "ActorStopped"])
    assert log == ["ann waits", "bob waits"] * 2


def test_a_restart_puts_messages_back_before_other_mail(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        asks = await knock(door, "ann", "bob")
        with pytest.raises(Lost):
            await door.ask(Act("crash"))
        await door.ask(Act("done"))
        waited_again = log[2:]
        n = await door.ask(Open())
        return waited_again, n, [await ask for ask in asks]

    again = ["ann waits", "bob waits"]
    assert world.run(body) == (again, 2, ["welcome ann", "welcome bob"])


class Eager(Actor[Act]):
    """Stashes where there is nothing to set aside."""

    @override
    def on_started(self) -> Any:
        return stash()

    @handler
    def do(self, message: Act) -> str:
        return message.what


def test_a_hook_has_no_message_to_set_aside(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Eager, "eager")

    with pytest.raises(RuntimeError, match=r"stash: /sim/eager has no message to set aside here"):
        world.run(body)


def test_a_run_has_no_message_and_no_mailbox(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        return await outcome(system.run_free(stash())), await outcome(
            system.run_free(unstash_all())
        )

    stashed, unstashed = world.run(body)
    assert isinstance(stashed, RuntimeError)
    assert "stash: /sim/stash#1 has no message" in str(stashed)
    assert isinstance(unstashed, RuntimeError)
    assert "unstash_all: /sim/unstash_all#1 is no actor" in str(unstashed)


class Counter(Actor[Act]):
    """Puts back from a hook."""

    @override
    def on_started(self) -> Any:
        return unstash_all().map(log.append)

    @handler
    def do(self, message: Act) -> str:
        return message.what


def test_a_hook_may_put_back(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        counter = await system.spawn(Counter, "counter")
        return await counter.ask(Act("x"))

    assert world.run(body) == "x"
    assert log == [0]


class Deep(Actor[Enter]):
    """Asks the next of a long row, so that the last is handled too deep on the stack."""

    def __init__(self, following: ActorRef[Any]) -> None:
        self.following = following

    @handler
    async def enter(self, message: Enter) -> Any:
        return await self.following.ask(message)


def test_it_works_however_deep_on_the_stack(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door: ActorRef[Any] = await system.spawn(Door, "door")
        first = door
        for _ in range(80):
            following = first
            first = await system.spawn(lambda following=following: Deep(following))  # type: ignore[misc]
        asks = await knock(first, "ann")
        return await door.ask(Open()), await asks[0]

    assert world.run(body) == (1, "welcome ann")


# ---------------------------------------------------------------- in the simulator


def two_guests(sim: Simulation) -> None:
    door = sim.spawn(Door, "door")

    @program
    def opens() -> Do[int, Any]:
        return (yield from free_ask(door, Open()))

    @program
    def enters(name: str) -> Do[str, Any]:
        return (yield from free_ask(door, Enter(name)))

    got = sim.run_all([enters("ann"), enters("bob"), opens()])
    sim.sometimes(got[2] == 2, "both waited")
    sim.sometimes(got[2] == 0, "nobody waited")
    assert got[:2] == ["welcome ann", "welcome bob"]


def test_every_order_is_explored() -> None:
    verdict = explore(two_guests, schedules=2000, strategy="exhaustive")
    assert verdict.ok, verdict
    assert verdict.exhausted


def test_other_actors_may_act_between_two_messages_that_were_put_back() -> None:
    def scenario(sim: Simulation) -> None:
        log.clear()
        door = sim.spawn(Door, "door")
        other = sim.spawn(Counter, "other")

        @program
        def notes() -> Do[None, Any]:
            yield from free_ask(other, Act("x"))
            log.append("other")

        enter = [free_ask(door, Enter(name)) for name in ("ann", "bob")]
        sim.run_all([*enter, free_ask(door, Open()), notes()])
        passing = [entry for entry in log if str(entry).endswith("passes") or entry == "other"]
        sim.sometimes("bob waits" in log and passing.index("other") == 1, "in between")

    assert explore(scenario, schedules=3000, seed=1).ok


def test_a_crash_loses_what_was_set_aside_and_fails_its_asks() -> None:
    def scenario(sim: Simulation) -> Any:
        door = sim.spawn(Door, "door")

        @program
        def enters() -> Do[Any]:
            return (yield from free_ask(door, Enter("ann")).attempt())

        @program
        def crashes() -> Do[Any]:
            yield from free_sleep(1)
            sim.crash(door)

        return sim.run_all([enters(), crashes()])[0]

    run = simulate(scenario)
    assert run.value is not None, run.error
    error = run.value.failure()
    assert isinstance(error, ActorStopped)
    assert "crashed" in str(error)


def test_a_crash_while_a_message_is_handled_again_fails_its_ask() -> None:
    """Also if another ask was delivered in between."""

    class Slow(Door):
        """Takes its time over whoever passes."""

        @handler
        @override
        def enter(self, message: Enter) -> Program[str, str]:
            return free_sleep(10).then(pure("late")) if self.open else stash().then(pure(""))

    def scenario(sim: Simulation) -> Any:
        door = sim.spawn(Slow, "door")

        @program
        def enters(name: str) -> Do[Any]:
            return (yield from free_ask(door, Enter(name)).attempt())

        @program
        def crashes() -> Do[Any, AskFailed]:
            yield from free_sleep(1)
            yield from free_ask(door, Open())
            yield from free_sleep(5)
            sim.crash(door)

        return sim.run_all([enters("ann"), enters("bob"), crashes()])[:2]

    run = simulate(scenario)
    assert run.value is not None, run.error
    assert [type(got.failure()) for got in run.value] == [ActorStopped, ActorStopped]


def test_a_deadlock_report_names_who_keeps_the_message() -> None:
    def scenario(sim: Simulation) -> None:
        door = sim.spawn(Door, "door")
        sim.run(free_ask(door, Enter("ann")))

    error = simulate(scenario).error
    assert isinstance(error, Deadlock)
    assert "/sim/door waits for its own unstash_all() (Enter)" in str(error)


def test_the_trace_shows_what_is_set_aside_and_taken_up() -> None:
    def scenario(sim: Simulation) -> None:
        door = sim.spawn(Door, "door")

        @program
        def opens() -> Do[int, Any]:
            yield from free_sleep(1)
            return (yield from free_ask(door, Open()))

        sim.run_all([free_ask(door, Enter("ann", "twice")), opens()])

    run = simulate(scenario)
    assert run.ok, run.error
    kinds = [(r.kind, r.subject) for r in run.trace.records if r.source == "/door"]
    assert [entry for entry in kinds if "stash" in entry[0]] == [
        ("stash", Enter("ann", "twice")),
        ("unstash", 1),
        ("unstashed", Enter("ann", "twice")),
    ]
    assert "takes up Enter(name='ann', how='twice') again" in str(run.trace)
    assert run.digest == simulate(scenario).digest


def test_a_failure_that_is_no_exception_is_raised_as_failed(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        return await outcome(door.ask(Enter("ann", "fails")))

    assert isinstance(world.run(body), Failed)


def joined(fiber: Fiber[None]) -> Program[None]:
    return fiber.join()


class Busy(Actor[Enter | Open]):
    """Stashes in a branch, a fork or under a timeout of its program."""

    def __init__(self) -> None:
        self.open = False

    @handler
    def enter(self, message: Enter) -> Program[Any, Any]:
        if self.open:
            return pure(f"welcome {message.name}")
        programs: dict[str, Program[Any, Any]] = {
            "race": race(stash(), free_sleep(5)),
            "gather": gather([stash(), free_sleep(1)]),
            "timeout": stash().then(free_sleep(1)).timeout(5),
            "fork": stash().fork().bind(joined),
        }
        return programs[message.name]

    @handler
    def on_open(self, message: Open) -> Program[int]:
        self.open = True
        return unstash_all()


def test_any_branch_of_the_program_may_stash(world: World) -> None:
    names = ["race", "gather", "timeout", "fork"]

    async def body(system: ActorSystem) -> Any:
        busy = await system.spawn(Busy, "busy")
        asks = [busy.ask_nowait(Enter(name)) for name in names]
        await asyncio.sleep(10)
        return await busy.ask(Open()), [await ask for ask in asks]

    assert world.run(body) == (4, [f"welcome {name}" for name in names])
