"""Actors that change their handlers, in every world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import pytest
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    Do,
    Message,
    Priority,
    Program,
    Unhandled,
    become,
    fail,
    free_ask,
    free_sleep,
    free_tell,
    handler,
    program,
    pure,
    stash,
    unbecome,
    unstash_all,
)
from effactor.interpreters import ActorSystem, Simulation, dry_run, explore, simulate

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


class Jammed(Exception):
    """A failure that these tests declare."""


class Broken(Exception):
    """A failure that they do not."""


@dataclass(frozen=True)
class Enter(Message[str]):
    name: str


@dataclass(frozen=True)
class Lock(Message[None, Jammed]):
    how: str = "program"


@dataclass(frozen=True)
class Unlock(Message[int]):
    pass


@dataclass(frozen=True)
class Do_(Message[Any]):  # noqa: N801
    what: str


class Door(Actor[Enter | Lock | Unlock | Do_]):
    """Open at first; locked, it keeps who wants to enter waiting."""

    def __init__(self) -> None:
        self.is_locked = False

    @override
    def on_restart(self, error: BaseException) -> None:
        log.append("restarted")

    @handler
    def enter(self, message: Enter) -> str:
        assert not self.is_locked
        return f"{message.name} is in"

    @handler
    def lock(self, message: Lock) -> Any:
        self.is_locked = True
        match message.how:
            case "program":
                return become(self.waits, self.unlock)
            case "context":
                self.context.become(self.waits, self.unlock)
                return None
            case "async":
                return self._lock_later()
            case "slow":
                return free_sleep(1).then(become(self.waits, self.unlock))
            case "jams":
                return become(self.waits, self.unlock).then(fail(Jammed()))
            case "breaks":
                self.context.become(self.waits, self.unlock)
                raise Broken
            case _:
                raise NotImplementedError

    async def _lock_later(self) -> None:
        await asyncio.sleep(1)
        self.context.become(self.waits, self.unlock)

    @handler
    def already_open(self, message: Unlock) -> int:
        return -1

    def waits(self, message: Enter) -> Program[str]:
        assert self.is_locked
        return stash()

    def unlock(self, message: Unlock) -> Program[int]:
        self.is_locked = False
        return unbecome().then(unstash_all())

    @handler
    async def do(self, message: Do_) -> Any:
        return eval(message.what, globals(), {"self": self})  # noqa: S307 - these tests' own text


async def outcome(ask: Any) -> Any:
    try:
        return await ask
    except Exception as error:  # the outcome
        return error


@pytest.mark.parametrize("how", ["program", "context", "async", "slow"])
def test_the_next_message_is_for_the_new_handlers(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        before = await door.ask(Enter("ann"))
        await door.ask(Lock(how))
        waiting = asyncio.ensure_future(door.ask(Enter("bob")))
        await asyncio.sleep(5)
        assert not waiting.done()
        released = await door.ask(Unlock())
        return before, released, await waiting, await door.ask(Unlock())

    assert world.run(body) == ("ann is in", 1, "bob is in", -1)


@pytest.mark.parametrize("how", ["program", "context", "async", "slow"])
def test_messages_that_wait_already_are_for_the_new_handlers(world: World, how: str) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        messages: list[Any] = [Enter("ann"), Lock(how), Enter("bob"), Unlock(), Enter("cid")]
        for message in messages:
            await door.tell(message)
        return await door.ask(Enter("dan"))

    assert world.run(body) == "dan is in"
    assert not log  # nobody was handled by the wrong handler: that would fail an assertion


def test_what_a_handler_tells_itself_is_for_the_new_handlers(world: World) -> None:
    class Turns(Actor[str]):
        @override
        def on_receive(self, message: str) -> Any:
            log.append(f"first {message}")
            if message == "a":
                self.context.become(self.second)
                self.context.self_ref.tell_nowait("b")
                self.context.self_ref.tell_nowait("c")

        def second(self, message: str) -> Any:
            log.append(f"second {message}")
            if message == "b":
                self.context.unbecome()

    async def body(system: ActorSystem) -> None:
        turns = await system.spawn(Turns)
        await turns.tell("a")
        await asyncio.sleep(1)

    world.run(body)
    assert log == ["first a", "second b", "first c"]


def test_what_the_new_handlers_do_not_take_is_unhandled(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        await door.ask(Lock())
        error = await outcome(door.ask(Lock()))
        tried = await system.run_free(free_ask(door, Do_("1")).attempt())
        await door.tell(Do_("2"))
        await door.ask(Unlock())
        return error, tried, [letter.message for letter in system.dead_letters]

    error, tried, letters = world.run(body)
    assert type(error) is Unhandled
    assert str(error) == "/sim/door has no handler for Lock; it handles Enter, Unlock"
    assert type(tried.failure()) is Unhandled
    assert letters == [Do_("2")]


def test_a_declared_failure_keeps_the_new_handlers_and_a_restart_does_not(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        jammed = await outcome(door.ask(Lock("jams")))
        unlocked = await door.ask(Unlock())
        broken = await outcome(door.ask(Lock("breaks")))
        return type(jammed), unlocked, type(broken), await door.ask(Enter("ann"))

    assert world.run(body) == (Jammed, 0, Broken, "ann is in")
    assert log == ["restarted"]


def test_become_replaces_what_it_became_and_unbecome_goes_back_to_the_class(world: World) -> None:
    class Mood(Actor[str]):
        @override
        def on_receive(self, message: str) -> Any:
            return self.change("calm", message)

        def merry(self, message: str) -> Any:
            return self.change("merry", message)

        def sad(self, message: str) -> Any:
            return self.change("sad", message)

        def change(self, mood: str, message: str) -> Program[str]:
            changes = {"merry": become(self.merry), "sad": become(self.sad), "calm": unbecome()}
            return changes.get(message, pure(None)).map(lambda _: mood)

    async def body(system: ActorSystem) -> Any:
        mood = await system.spawn(Mood)
        words = ["merry", "sad", "?", "calm", "calm", "?"]
        return [await mood.ask(word) for word in words]

    assert world.run(body) == ["calm", "merry", "sad", "sad", "calm", "calm"]


def test_an_actor_may_become_something_when_it_starts(world: World) -> None:
    class Locked(Door):
        @override
        def on_started(self) -> Program[None]:
            self.is_locked = True
            return become(self.waits, self.unlock)

    class LockedToo(Door):
        @override
        def on_started(self) -> None:
            self.is_locked = True
            self.context.become(self.waits, self.unlock)

    async def body(system: ActorSystem) -> Any:
        found: list[Any] = []
        for kind in (Locked, LockedToo):
            door = await system.spawn(kind)
            waiting = asyncio.ensure_future(door.ask(Enter("ann")))
            await asyncio.sleep(1)
            found += [waiting.done(), await door.ask(Unlock()), await waiting]
        return found

    assert world.run(body) == [False, 1, "ann is in"] * 2


def test_all_kinds_of_functions_may_be_handlers(world: World) -> None:
    class Kinds(Actor):
        started = "started"

        @handler
        def change(self, message: Lock) -> None:
            def closure(n: int) -> str:
                return f"{self.started} {n}"

            self.context.become(
                closure, self.waits, self.runs, self.items, partial(self.rest, "rest")
            )

        async def waits(self, message: Enter) -> str:
            await asyncio.sleep(1)
            return "waited"

        @program
        def runs(self, message: Unlock) -> Do[int]:
            yield from free_sleep(1)
            return 7

        async def items(self, message: str) -> AsyncIterator[str]:
            for letter in message:
                yield letter

        def rest(self, name: str, message: Any) -> tuple[str, Any]:
            return name, message

    async def body(system: ActorSystem) -> Any:
        kinds = await system.spawn(Kinds)
        await kinds.ask(Lock())
        return [await kinds.ask(m) for m in (3, Enter(""), Unlock(), "ab", Lock())]

    assert world.run(body) == ["started 3", "waited", 7, ["a", "b"], ("rest", Lock())]


def test_a_method_under_handler_keeps_its_types_and_its_guard(world: World) -> None:
    class Guarded(Actor):
        @handler
        def begin(self, message: Lock) -> Program[None]:
            return become(self.yes, self.no)

        @handler(Do_, when=lambda _, message: message.what == "yes")
        def yes(self, message: Any) -> str:
            return "yes"

        @handler(Do_)
        def no(self, message: Any) -> str:
            return "no"

    async def body(system: ActorSystem) -> Any:
        guarded = await system.spawn(Guarded)
        await guarded.ask(Lock())
        asks = [guarded.ask(m) for m in (Do_("yes"), Do_("?"), Lock())]
        return [await outcome(ask) for ask in asks]

    yes, no, lock = world.run(body)
    assert (yes, no, type(lock)) == ("yes", "no", Unhandled)


def test_a_method_of_another_object_is_called_on_that_object(world: World) -> None:
    class Greeter:
        def __init__(self, greeting: str) -> None:
            self.greeting = greeting

        def greet(self, name: str) -> str:
            return f"{self.greeting} {name}"

    class Polite(Greeter, Actor[str]):
        def __init__(self) -> None:
            super().__init__("hello")

        @override
        def on_receive(self, message: str) -> Any:
            return become(Greeter(message).greet)

    async def body(system: ActorSystem) -> Any:
        greeted: list[str] = []
        for greeting in ("good day", "good night"):
            polite = await system.spawn(Polite)
            await polite.ask(greeting)
            greeted.append(await polite.ask("ann"))
        return greeted

    assert world.run(body) == ["good day ann", "good night ann"]


def test_two_actors_of_a_class_change_apart(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        one, two = await system.spawn(Door), await system.spawn(Door)
        await one.ask(Lock())
        return await two.ask(Enter("ann")), type(await outcome(one.ask(Do_("1"))))

    assert world.run(body) == ("ann is in", Unhandled)


def test_unstash_all_of_the_context_puts_messages_back(world: World) -> None:
    class Patient(Actor):
        @override
        def on_receive(self, message: str) -> Any:
            if message != "now":
                return stash()
            self.context.become(self.ready)
            return self.context.unstash_all()

        def ready(self, message: str) -> str:
            return f"ready for {message}"

    async def body(system: ActorSystem) -> Any:
        patient = await system.spawn(Patient)
        asks = [asyncio.ensure_future(patient.ask(m)) for m in ("a", "b")]
        await asyncio.sleep(1)
        return await patient.ask("now"), [await ask for ask in asks]

    assert world.run(body) == (2, ["ready for a", "ready for b"])


# --- where it is refused


def test_only_its_own_handlers_change_an_actor(world: World) -> None:
    class Other(Actor):
        @handler
        async def change(self, door: Door) -> Any:
            found: list[Any] = []
            for change in (
                lambda: door.context.become(door.waits),
                door.context.unbecome,
                door.context.unstash_all,
            ):
                with pytest.raises(RuntimeError, match="no handler of /sim/door is running") as e:
                    change()
                found.append(str(e.value).partition(":")[0])
            return found

    async def body(system: ActorSystem) -> Any:
        door = await system.spawn(Door, "door")
        other = await system.spawn(Other)
        return await other.ask(await door.ask(Do_("self")))

    assert world.run(body) == ["context.become", "context.unbecome", "context.unstash_all"]


@pytest.mark.parametrize("change", ["become", "unbecome"])
def test_a_run_has_no_handlers_to_change(world: World, change: str) -> None:
    async def body(system: ActorSystem) -> Any:
        changing = become(print) if change == "become" else unbecome()
        return await outcome(system.run_free(changing))

    error = world.run(body)
    assert type(error) is RuntimeError
    assert f"{change}: /sim/" in str(error)
    assert "is no actor and has no handlers" in str(error)


def test_methods_of_another_actor_are_refused(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        one = await system.spawn(Door, "one")
        other = Door()
        log.append(other)
        by_context = await outcome(one.ask(Do_("self.context.become(log[0].waits)")))
        log.append(other)
        return by_context, await outcome(one.ask(Do_("become(log[0].waits)")))

    for error in world.run(body):
        assert type(error) is RuntimeError
        assert str(error).startswith("become: waits is a method of another actor than /sim/one")


class Wrong:
    def nothing(self) -> None:
        pass

    def more(self, message: Enter, more: int) -> str:
        return ""

    def reply(self, message: Unlock) -> str:
        return ""

    def unknown(self, message: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable, reportUnknownParameterType]
        pass

    def two(self, message: Enter | Unlock) -> Any:
        return None

    def enter(self, message: Enter) -> str:
        return ""

    def rest(self, message: object) -> object:
        return message

    def block(self, message: Enter) -> Do[str]:
        yield from pure("")
        return ""


def nothing() -> None:
    pass


WRONG_METHODS: Any = Wrong()
WRONG: list[tuple[tuple[Any, ...], str]] = [
    ((), "become: needs at least one handler"),
    ((3,), "become: expected a handler such as self.locked, got 3"),
    ((Door,), "become: expected a handler such as self.locked, got the class Door"),
    ((Wrong().nothing,), "become: Wrong.nothing takes no message"),
    ((nothing,), "become: nothing takes no message"),
    ((Wrong().more,), "become: Wrong.more needs more beside the message"),
    ((Wrong().reply,), r"Wrong.reply replies str, but Unlock declares int"),
    ((WRONG_METHODS.unknown,), "Wrong.unknown: cannot evaluate the annotation 'Nowhere'"),
    ((Wrong().two, Wrong().enter), "become: Wrong.two and Wrong.enter both handle Enter"),
    ((Wrong().rest, print), "Wrong.rest and print both handle all other messages"),
    ((Wrong().block,), "Wrong.block is a generator function; put @program"),
    ((max,), "become: max does not say what it takes; write lambda message: max"),
]


@pytest.mark.parametrize(("handlers", "words"), WRONG)
def test_what_no_actor_can_become_is_refused_at_once(handlers: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        _ = become(*handlers)


# --- the table


def test_the_table_of_methods_is_made_once_a_class_and_that_of_others_is_not_kept() -> None:
    class Many(Actor):
        @handler(priority=3)
        def number(self, message: int) -> None:
            pass

        def urgent(self, message: Annotated[Enter, Priority(5)]) -> str:
            return ""

        def rest(self, message: object) -> None:
            pass

        @handler
        def change(self, message: str) -> None:
            if message == "methods":
                self.context.become(self.urgent)
            else:
                self.context.become(self.urgent, partial(self.rest))

    async def scenario(sim: Simulation) -> None:
        tables: list[Any] = []
        for what in ("methods", "methods", "functions"):
            ref = await sim.system.spawn(Many)
            await ref.ask(what)
            cell: Any = sim.actor(ref)._cell
            tables.append(cell.behavior)
        assert tables[0] is tables[1]
        own = Many.__effactor_behavior__
        assert list(own.becomings.values()) == tables[:1]
        assert tables[0].priority_of(Enter) == 5
        assert tables[0].priority_of(int) == 3  # of the class
        assert own.priority_of(Enter) == 0

    assert simulate(scenario).error is None


# --- traces


def test_a_trace_has_what_an_actor_becomes() -> None:
    async def scenario(sim: Simulation) -> None:
        door = await sim.system.spawn(Door, "door")
        await door.ask(Lock())
        await door.ask(Unlock())

    run = simulate(scenario)
    assert run.error is None
    text = [line for line in str(run.trace).splitlines() if "become" in line]
    assert len(text) == 2
    assert "become waits, unlock" in text[0]
    assert text[1].endswith("unbecome")
    assert run.digest == simulate(scenario).digest


def test_a_dry_run_notes_it() -> None:
    trace = dry_run(become(Wrong().enter).then(unbecome()))
    assert [record.kind for record in trace] == ["become", "unbecome", "end"]
    assert "become enter" in str(trace)


# --- every schedule


def test_no_message_meets_the_wrong_behaviour_in_any_schedule() -> None:
    """A door that is locked and opened: everybody enters once, and only while it is open."""

    class Gate(Actor[Enter | Lock | Unlock]):
        def __init__(self) -> None:
            self.is_locked = False
            self.passed: list[str] = []

        @handler
        def enter(self, message: Enter) -> str:
            assert not self.is_locked
            self.passed.append(message.name)
            return message.name

        @handler
        @program
        def lock(self, message: Lock) -> Do[None]:
            yield from become(self.waits, self.unlock, self.lock_again)
            yield from free_sleep(0.1)
            self.is_locked = True

        @handler
        def unlock_again(self, message: Unlock) -> int:
            assert not self.is_locked
            return 0

        def lock_again(self, message: Lock) -> None:
            assert self.is_locked

        def waits(self, message: Enter) -> Program[str]:
            assert self.is_locked
            return stash()

        async def unlock(self, message: Unlock) -> int:
            assert self.is_locked
            await asyncio.sleep(0.1)
            self.is_locked = False
            self.context.unbecome()
            return self.context.unstash_all()

    @program
    def guest(gate: Any, name: str) -> Do[str, Any]:
        yield from free_tell(gate, Enter(f"{name}, unseen"))
        return (yield from free_ask(gate, Enter(name)))

    @program
    def porter(gate: Any) -> Do[None, Any]:
        for _ in range(2):
            yield from free_ask(gate, Lock())
            yield from free_ask(gate, Unlock())

    def scenario(sim: Simulation) -> None:
        gate = sim.spawn(Gate, "gate")
        names = ["ann", "bob"]
        sim.run_all([porter(gate), porter(gate), *(guest(gate, name) for name in names)])
        sim.run(free_ask(gate, Unlock()))
        sim.settle()
        assert sorted(sim.actor(gate).passed) == ["ann", "ann, unseen", "bob", "bob, unseen"]

    verdict = explore(scenario, schedules=300)
    assert verdict.ok, verdict
