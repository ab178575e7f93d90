"""What asks and tells mean, in every world."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple

import attrs
import pydantic
import pytest
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
    HandlerFailed,
    Message,
    Program,
    Unhandled,
    fail,
    free_ask,
    free_self,
    free_tell,
    handler,
    program,
    pure,
)
from effactor.interpreters import ActorSystem


class NoStock(Exception):
    """Declared by Take."""


@dataclass(frozen=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True)
class Slow(Message[str]):
    seconds: float


@dataclass(frozen=True)
class Take(Message[int, NoStock]):
    n: int


@dataclass(frozen=True)
class Crash(Message[None]):
    text: str = "boom"


class Pair(NamedTuple):
    a: int
    b: int


class Plain(Actor):
    """Handlers that are `def`."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.total = 0

    @handler
    def add(self, message: Add) -> int:
        self.seen.append(message.n)
        self.total += message.n
        return self.total

    @handler
    def take(self, message: Take) -> int:
        if message.n > self.total:
            raise NoStock(message.n)
        self.total -= message.n
        return self.total

    @handler
    def crash(self, message: Crash) -> None:
        raise ValueError(message.text)

    @handler
    def texts(self, message: str) -> str:
        return message.upper()

    @handler
    def pair(self, message: Pair) -> int:
        return message.a + message.b

    @handler
    def anonymous(self, message: tuple[Any, ...]) -> int:
        return len(message)


class Coroutines(Plain):
    """The same handlers, `async def`; some wait."""

    @override
    @handler
    async def add(self, message: Add) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        before = self.total
        self.seen.append(message.n)
        if message.n % 3 == 0:
            await asyncio.sleep(0)
        if message.n % 7 == 0:
            await asyncio.sleep(0.01)
        assert self.total == before, "another message was handled meanwhile"
        self.total += message.n
        return self.total

    @override
    @handler
    async def take(self, message: Take) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.sleep(0)
        return super().take(message)

    @override
    @handler
    async def crash(self, message: Crash) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.sleep(0)
        raise ValueError(message.text)

    @handler
    async def slow(self, message: Slow) -> str:
        await asyncio.sleep(message.seconds)
        return "late"


class Programs(Plain):
    """The same handlers, returning programs."""

    @override
    @handler
    def add(self, message: Add) -> Program[int]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return pure(message.n).map(self._add)

    def _add(self, n: int) -> int:
        self.seen.append(n)
        self.total += n
        return self.total

    @override
    @handler
    @program
    def take(self, message: Take) -> Do[int, NoStock]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        if message.n > self.total:
            return (yield from fail(NoStock(message.n)))
        self.total -= message.n
        return self.total

    @override
    @handler
    @program
    def crash(self, message: Crash) -> Do[None]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        yield from pure(None)
        raise ValueError(message.text)


KINDS = [Plain, Coroutines, Programs]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Any:
    """One way to write the same handlers."""
    return request.param


def test_an_ask_answers_the_reply(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(kind, "a")
        plain = [await ref.ask(Add(n)) for n in (1, 3, 7)]
        free = [await system.run_free(free_ask(ref, Add(n))) for n in (1, 3, 7)]
        return plain, free

    assert world.run(body) == ([1, 4, 11], [12, 15, 22])


def test_messages_are_any_objects(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(kind)
        await ref.tell((1, 2, 3))
        return await ref.ask("tea"), await ref.ask(Pair(2, 3)), await ref.ask((1, 2, 3))

    assert world.run(body) == ("TEA", 5, 3)


def test_messages_of_one_sender_stay_in_order(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(kind)

        @program
        def sender() -> Do[int, AskFailed]:
            for n in range(1, 40):
                yield from free_tell(ref, Add(n))
            last = yield from free_ask(ref, Add(40))
            return last

        total = await system.run_free(sender())
        for n in range(41, 60):
            await ref.tell(Add(n))
        assert await ref.ask(Add(60)) == sum(range(61))
        return total

    assert world.run(body) == sum(range(41))


def test_one_message_at_a_time(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Coroutines)
        asks = [ref.ask_nowait(Add(n)) for n in range(20)]
        await asyncio.gather(*asks)
        return await ref.ask(Add(0))

    assert world.run(body) == sum(range(20))


def test_a_declared_failure_is_a_reply_and_the_actor_lives_on(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(kind)
        await ref.ask(Add(5))
        with pytest.raises(NoStock):
            await ref.ask(Take(6))
        failure = await system.run_free(free_ask(ref, Take(6)).attempt())
        with pytest.raises(NoStock):
            await system.run_free(free_ask(ref, Take(7)))
        return type(failure.failure()), await ref.ask(Take(5))

    # 5 - 5: the state was not lost, so the actor was not restarted.
    assert world.run(body) == (NoStock, 0)


def test_an_undeclared_exception_restarts_the_actor(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(kind)
        await ref.ask(Add(5))
        with pytest.raises(ValueError, match="boom"):
            await ref.ask(Crash())
        assert await ref.ask(Add(1)) == 1
        failure = (await system.run_free(free_ask(ref, Crash()).attempt())).failure()
        assert isinstance(failure, HandlerFailed)
        assert isinstance(failure.cause, ValueError)
        assert isinstance(failure, AskFailed)
        with pytest.raises(ValueError, match="boom"):
            await system.run_free(free_ask(ref, Crash()))
        return await ref.ask(Add(2))

    assert world.run(body) == 2


def test_a_crash_from_a_tell_restarts_the_actor_too(world: World, kind: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(kind)
        await ref.tell(Add(5))
        await ref.tell(Crash())
        await ref.tell(Add(3))
        return await ref.ask(Add(4))

    assert world.run(body) == 7


def test_a_timed_out_ask_fails_and_its_handler_goes_on(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Coroutines)
        with pytest.raises(AskTimeout, match=r"/sim/Coroutines#1 did not reply .* within 1 s"):
            await ref.ask(Slow(5.0), timeout=1.0)
        failure = await system.run_free(free_ask(ref, Slow(5.0), timeout=1.0).attempt())
        assert isinstance(failure.failure(), AskTimeout)
        return await ref.ask(Slow(1.0), timeout=100.0)

    assert world.run(body) == "late"


def test_a_timed_out_ask_that_is_still_queued_is_never_handled(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Coroutines)
        slow = ref.ask_nowait(Slow(5.0))
        with pytest.raises(AskTimeout):
            await ref.ask(Add(100), timeout=1.0)
        await slow
        return await ref.ask(Add(1))

    assert world.run(body) == 1


def test_a_reply_in_time_cancels_the_timeout(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Coroutines)
        first = await system.run_free(free_ask(ref, Slow(1.0), timeout=2.0))
        second = await ref.ask(Slow(1.0), timeout=2.0)
        await asyncio.sleep(10)
        return first, second

    assert world.run(body) == ("late", "late")


def test_an_unhandled_message_is_an_error_that_lists_what_is_handled(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Plain, "p")
        with pytest.raises(Unhandled, match="/sim/p has no handler for float; it handles Add"):
            await ref.ask(1.5)
        failure = (await system.run_free(free_ask(ref, 1.5).attempt())).failure()
        await ref.tell(2.5)
        assert await ref.ask(Add(1)) == 1
        return type(failure), [letter.message for letter in system.dead_letters]

    assert world.run(body) == (Unhandled, [2.5])


def test_an_ask_to_a_stopped_actor_says_who_stopped_it(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Plain, "p")
        await ref.stop()
        await ref.join()
        assert not ref.is_alive
        with pytest.raises(
            ActorStopped, match=r"/sim/p stopped .* \(asked to stop\).*not delivered"
        ):
            await ref.ask(Add(1))
        failure = (await system.run_free(free_ask(ref, Add(1)).attempt())).failure()
        await ref.tell(Add(2))
        return type(failure), [letter.message for letter in system.dead_letters]

    assert world.run(body) == (ActorStopped, [Add(2)])


def test_an_ask_to_nobody_fails_and_names_the_nearest(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Plain, "inventory")
        nobody: ActorRef[Any] = ActorRef.at("/inventroy")
        failure = (await system.run_free(free_ask(nobody, Add(1)).attempt())).failure()
        await system.run_free(free_tell(nobody, Add(1)))
        return str(failure), len(system.dead_letters)

    text, letters = world.run(body)
    assert text.startswith("/sim/inventroy is no actor (did you mean /inventory?)")
    assert letters == 1


def test_a_ref_by_path_finds_the_actor(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Plain, "inventory")
        ref: ActorRef[Any] = ActorRef.at("/inventory")
        return await system.run_free(free_ask(ref, Add(4)))

    assert world.run(body) == 4


def test_a_new_actor_under_a_freed_name_is_another_incarnation(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        old = await system.spawn(Plain, "p")
        await old.stop()
        await old.join()
        new = await system.spawn(Plain, "p")
        assert old != new
        assert await new.ask(Add(1)) == 1
        with pytest.raises(ActorStopped):
            await old.ask(Add(1))
        return (await system.run_free(free_ask(old, Add(1)).attempt())).failure()

    assert isinstance(world.run(body), ActorStopped)


@dataclass(frozen=True)
class Forward(Message[Any]):
    to: tuple[Any, ...]
    message: Any = None


class Forwarder(Actor[Forward]):
    """Asks the next actor and waits for nothing else."""

    @handler
    async def forward(self, message: Forward) -> Any:
        if not message.to:
            return "end"
        first, *rest = message.to
        return await first.ask(Forward(tuple(rest)))


class FreeForwarder(Actor[Forward]):
    """The same as a program."""

    @handler
    @program
    def forward(self, message: Forward) -> Do[Any, AskFailed]:
        if not message.to:
            return "end"
        first, *rest = message.to
        return (yield from free_ask(first, Forward(tuple(rest))))


FORWARDERS = [Forwarder, FreeForwarder]


@pytest.mark.parametrize("forwarder", FORWARDERS)
def test_a_long_chain_of_asks_does_not_overflow_the_stack(world: World, forwarder: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        refs = [await system.spawn(forwarder) for _ in range(500)]
        return await refs[0].ask(Forward(tuple(refs[1:])))

    assert world.run(body) == "end"


@pytest.mark.parametrize("forwarder", FORWARDERS)
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_cycle_of_asks_is_an_error_that_shows_it(
    world: World, forwarder: Any, length: int
) -> None:
    async def body(system: ActorSystem) -> Any:
        refs = [await system.spawn(forwarder, f"f{n}") for n in range(length)]
        path = (*refs[1:], refs[0])
        with pytest.raises(Deadlock) as caught:
            await refs[0].ask(Forward(path))
        assert await refs[0].ask(Forward(())) == "end"
        return str(caught.value)

    text = world.run(body)
    assert text.count(" waits for ") == length
    assert "/sim/f0 (Forward)" in text
    assert "let one of them tell instead of ask, or declare reentrant=True" in text


def test_a_failure_that_is_no_exception_is_raised_in_failed(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        with pytest.raises(Failed) as caught:
            await system.run_free(fail("out of tea"))
        return caught.value.error

    assert world.run(body) == "out of tea"


class Selfish(Actor[str]):
    """Answers its own ref, as a program and by its context."""

    @handler
    def ref(self, message: str) -> Program[Any]:
        return free_self().map(lambda ref: (ref, self.context.self_ref, ref.name))


def test_a_program_in_a_handler_runs_as_that_actor(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(Selfish, "me")
        return (ref, ref, "me"), await ref.ask("who?")

    expected, found = world.run(body)
    assert expected == found


class RunsInside(Actor[Forward]):
    """Runs a program from an `async def` handler."""

    @handler
    async def forward(self, message: Forward) -> Any:
        return await self.context.run_free(free_self().bind(lambda me: pure(me.path)))


def test_run_free_in_a_handler_runs_as_that_actor(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(RunsInside, "inner")
        return await ref.ask(Forward(())), await system.run_free(free_self().map(lambda r: r.path))

    assert world.run(body) == ("/inner", "/self#1")


class Shouted(Actor):
    """The worker of the example below."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @override
    async def on_receive(self, message: Any) -> Any:
        self.heard.append(message)
        return message


def test_the_chained_form_of_a_workflow(world: World) -> None:
    """Ask, change the answer, tell it, stop: every step hangs on the one before."""

    def workflow(ref: ActorRef) -> Any:
        return (
            ref.free_ask("hello")
            .map(lambda r: r.upper())
            .flatMap(lambda r: ref.free_tell(r))  # noqa: PLW0108 - as users write it
            .flatMap(lambda _: ref.free_stop())
        )

    made: list[Shouted] = []

    def make() -> Shouted:
        made.append(Shouted())
        return made[-1]

    async def body(system: ActorSystem) -> Any:
        worker_ref = await system.spawn(make, "worker")
        result = await system.run_free(workflow(worker_ref))
        await worker_ref.join()
        return result, made[0].heard

    assert world.run(body) == (None, ["hello", "HELLO"])


class PydanticInc(pydantic.BaseModel, Message[int]):
    value: int


@attrs.frozen
class AttrsInc(Message[int]):
    value: int


class AnyLibrary(Actor[PydanticInc | AttrsInc]):
    """Takes messages made with other libraries."""

    @handler
    def pydantic(self, message: PydanticInc) -> int:
        return message.value + 1

    @handler(AttrsInc)
    async def attrs(self, message: AttrsInc) -> int:
        return message.value + 2


def test_messages_of_pydantic_and_attrs(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(AnyLibrary)
        free = await system.run_free(free_ask(ref, PydanticInc(value=1)))
        return free, await ref.ask(AttrsInc(1)), await ref.ask(PydanticInc(value=3))

    assert world.run(body) == (2, 3, 4)
