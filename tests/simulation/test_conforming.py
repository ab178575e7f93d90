"""What a live system does, the simulator could have done; and what it could not is refused."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
import worlds
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    AskTimeout,
    Do,
    MemoryMailbox,
    Message,
    NotConforming,
    OneForOneStrategy,
    SendOptions,
    Terminated,
    free_ask,
    free_sleep,
    free_spawn,
    free_tell,
    gather,
    handler,
    pool,
    program,
    race,
)
from effactor.interpreters import (
    ActorSystem,
    LiveRecording,
    Occurrence,
    Simulation,
    conform,
    record,
    replay,
    simulate,
)
from effactor_interpreters.live.world import LiveWorld

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Body = Callable[[ActorSystem], Awaitable[Any]]


@dataclass(frozen=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True)
class Put(Message[None]):
    n: int


@dataclass(frozen=True)
class Wait(Message[None]):
    seconds: float


@dataclass(frozen=True)
class Fail(Message[None]):
    pass


@dataclass(frozen=True)
class Pass(Message[int]):
    hops: int


class Counter(Actor[Get | Put | Wait | Fail]):
    def __init__(self) -> None:
        self.n = 0

    @handler
    def get(self, message: Get) -> int:
        return self.n

    @handler
    def put(self, message: Put) -> None:
        self.n = message.n

    @handler
    async def wait(self, message: Wait) -> None:
        await asyncio.sleep(message.seconds)
        self.n += 1

    @handler
    def fail(self, message: Fail) -> None:
        raise RuntimeError


class Relay(Actor[Pass | Put]):
    next: ActorRef[Any] | None = None

    @handler
    async def hop(self, message: Pass) -> int:
        if self.next is None or not message.hops:
            return message.hops
        return int(await self.next.ask(Pass(message.hops - 1))) + 1

    @handler
    async def put(self, message: Put) -> None:
        if self.next is not None:
            await self.next.tell(message)


@program
def add_one(counter: ActorRef[Any]) -> Do[None, AskFailed]:
    n = yield from free_ask(counter, Get())
    yield from free_ask(counter, Put(n + 1))


async def racing_updates(system: ActorSystem) -> None:
    counter = await system.spawn(Counter, "counter")
    await asyncio.gather(*[system.run_free(add_one(counter)) for _ in range(4)])


async def told_from_many(system: ActorSystem) -> None:
    counter = await system.spawn(Counter, "counter")

    @program
    def teller(first: int) -> Do[None, Any]:
        for n in range(3):
            yield from free_tell(counter, Put(first + n))
            yield from free_sleep(0.1 * first)

    await system.run_free(gather([teller(n) for n in (1, 2, 5)]))
    await counter.ask(Get())


async def a_chain(system: ActorSystem) -> None:
    last = await system.spawn(Relay, "last")
    middle = await system.spawn(lambda: _relay(last), "middle")
    first = await system.spawn(lambda: _relay(middle), "first")
    assert await first.ask(Pass(2)) == 2
    await asyncio.gather(first.ask(Pass(1)), middle.ask(Pass(1)), last.tell(Put(3)))


def _relay(to: ActorRef[Any]) -> Relay:
    relay = Relay()
    relay.next = to
    return relay


async def timeouts_and_races(system: ActorSystem) -> None:
    counter = await system.spawn(Counter, "counter")
    other = await system.spawn(Counter, "other")
    with pytest.raises(AskTimeout):
        await counter.ask(Wait(5), timeout=1)
    await system.run_free(race(free_ask(counter, Wait(3)), free_ask(other, Wait(9))))
    await counter.ask(Get())
    await other.ask(Get())


class Parent(Actor[Any]):
    @handler
    async def any(self, message: Fail | Put | Get) -> Any:
        return await self.child.ask(message)

    async def started(self) -> None:
        self.child = await self.context.spawn(Counter, "child")

    @override
    async def on_started(self) -> None:
        await self.started()

    @override
    def supervisor_strategy(self) -> Any:
        return OneForOneStrategy()


async def restarts(system: ActorSystem) -> None:
    parent = await system.spawn(Parent, "parent")
    await parent.ask(Put(3))
    for _ in range(2):
        with pytest.raises(Exception):  # noqa: B017, PT011 - which one is not the point
            await parent.ask(Fail())
    assert await parent.ask(Get()) == 0


class Watcher(Actor[Any]):
    @override
    async def on_started(self) -> None:
        self.seen: list[str] = []
        self.context.watch(ActorRef.at("/counter"))

    @handler
    def terminated(self, message: Terminated) -> None:
        self.seen.append(message.ref.path)

    @handler
    def get(self, message: Get) -> int:
        return len(self.seen)


async def stops_and_watches(system: ActorSystem) -> None:
    counter = await system.spawn(Counter, "counter")
    watcher = await system.spawn(Watcher, "watcher")
    await counter.tell(Put(1))
    await counter.tell(Wait(1))
    await counter.tell(Put(2))
    await counter.stop("current")
    await counter.join()
    await counter.tell(Put(3))
    await asyncio.sleep(1)
    assert await watcher.ask(Get()) == 1


async def a_pool(system: ActorSystem) -> None:
    workers = await system.spawn(pool(Counter, 3), "workers")
    await asyncio.gather(*[workers.ask(Wait(1 + n)) for n in range(5)])


async def mailboxes(system: ActorSystem) -> None:
    urgent = await system.spawn(Counter, "urgent", mailbox=MemoryMailbox(order="priority"))
    full = await system.spawn(Counter, "full", mailbox=MemoryMailbox(2, overflow="drop_oldest"))
    await urgent.tell(Wait(1))
    for n in range(4):
        await urgent.tell(Put(n), options=SendOptions(priority=n % 3))
        await full.tell(Put(n))
    await asyncio.sleep(3)
    await urgent.ask(Get())
    await full.ask(Get())


def at_random(seed: int) -> Body:
    """Make some clients and actors that ask, tell, wait, time out and stop at random."""

    async def body(system: ActorSystem) -> None:
        draw = random.Random(f"workload {seed}")
        last = await system.spawn(Relay, "last")
        relay = await system.spawn(lambda: _relay(last), "relay")
        refs: list[ActorRef[Any]] = [await system.spawn(Counter, f"c{n}") for n in range(3)]

        def script() -> list[tuple[str, int, float]]:
            kinds = ("get", "put", "wait", "hop", "tell", "impatient", "sleep")
            return [
                (draw.choice(kinds), draw.randrange(3), draw.randrange(1, 50) / 7)
                for _ in range(draw.randrange(2, 7))
            ]

        @program
        def client(number: int, steps: list[tuple[str, int, float]]) -> Do[None, Any]:
            for n, (kind, to, seconds) in enumerate(steps):
                if kind == "get":
                    yield from free_ask(refs[to], Get())
                elif kind == "put":
                    yield from free_ask(refs[to], Put(number * 100 + n))
                elif kind == "wait":
                    yield from free_ask(refs[to], Wait(seconds))
                elif kind == "hop":
                    yield from free_ask(relay, Pass(1))
                elif kind == "tell":
                    yield from free_tell(relay, Put(number * 100 + n))
                elif kind == "sleep":
                    yield from free_sleep(seconds)
                else:
                    yield from free_ask(refs[to], Wait(seconds), timeout=seconds / 2).attempt()

        scripts = [script() for _ in range(draw.randrange(1, 4))]
        runs = [system.run_free(client(n, steps)) for n, steps in enumerate(scripts)]
        await asyncio.gather(*runs)

    body.__name__ = f"random-{seed}"
    return body


BODIES: list[Body] = [
    *(racing_updates, told_from_many, a_chain, timeouts_and_races),
    *(stops_and_watches, a_pool, mailboxes),
    *(at_random(seed) for seed in range(12)),
]
LIVE = [worlds.Live(), worlds.LiveQueued(), worlds.LiveInTasks()]


def recorded(body: Body, world: worlds.World) -> LiveRecording:
    """Run *body* in a world while it is recorded."""

    async def recording(system: ActorSystem) -> LiveRecording:
        with record(system) as found:
            await body(system)
        return found

    return world.run(recording)


def scenario_of(body: Body) -> Callable[[Simulation], Any]:
    async def scenario(sim: Simulation) -> None:
        await body(sim.system)

    return scenario


@pytest.mark.parametrize("world", LIVE, ids=lambda world: world.name)
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_the_simulator_can_do_what_a_live_system_does(body: Body, world: worlds.World) -> None:
    recording = recorded(body, world)
    assert len(recording) > 5
    scenario = scenario_of(body)
    run = conform(recording, scenario)
    assert run.error is None
    if not any(o.kind == "dead letter" for o in recording.occurrences):
        assert replay(scenario, run.token).digest == run.digest


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("body", [*BODIES[:7], restarts], ids=lambda body: body.__name__)
def test_it_finds_any_order_of_its_own_again(body: Body, seed: int) -> None:
    scenario = scenario_of(body)

    async def heard(sim: Simulation) -> LiveRecording:
        with record(sim.system) as found:
            await body(sim.system)
        return found

    recording = simulate(heard, seed).value
    assert recording is not None
    assert conform(recording, scenario).error is None


# ------------------------------------------------------------------ what it could not


def index_of(recording: LiveRecording, kind: str, message: str, nth: int = 0) -> int:
    found = [
        index
        for index, o in enumerate(recording.occurrences)
        if o.kind == kind and message in o.message
    ]
    return found[nth]


async def in_turn(system: ActorSystem) -> None:
    counter = await system.spawn(Counter, "counter")
    for n in range(1, 4):
        await counter.tell(Put(n))
    await counter.ask(Get())


def swapped(recording: LiveRecording) -> None:
    """Deliver the second message before the first."""
    o, n = recording.occurrences, index_of(recording, "delivered", "n=1")
    o[n : n + 4] = [*o[n + 2 : n + 4], *o[n : n + 2]]


def lost(recording: LiveRecording) -> None:
    n = index_of(recording, "delivered", "n=2")
    del recording.occurrences[n : n + 2]


def doubled(recording: LiveRecording) -> None:
    n = index_of(recording, "delivered", "n=2")
    recording.occurrences[n:n] = recording.occurrences[n : n + 2]


def another_reply(recording: LiveRecording) -> None:
    n = index_of(recording, "replied", "Get")
    recording.occurrences[n] = replace(recording.occurrences[n], outcome="17")


def another_sender(recording: LiveRecording) -> None:
    n = index_of(recording, "delivered", "n=2")
    recording.occurrences[n] = replace(recording.occurrences[n], sender="/stranger")


def out_of_nowhere(recording: LiveRecording) -> None:
    recording.occurrences.append(Occurrence("delivered", "/nobody", "", "Put(n=1)"))


def overlapping(recording: LiveRecording) -> None:
    """Begin with the second message before the first is replied."""
    o, n = recording.occurrences, index_of(recording, "delivered", "n=2")
    o[n - 1], o[n] = o[n], o[n - 1]


@pytest.mark.parametrize(
    ("change", "number", "occurrence"),
    [
        (swapped, 2, "/counter: delivered Put(n=2)"),
        (lost, 4, "/counter: delivered Put(n=3)"),
        (doubled, 6, "/counter: delivered Put(n=2)"),
        (another_reply, 9, "/counter: replied Get() -> 17"),
        (another_sender, 4, "/counter: delivered Put(n=2) from /stranger"),
        (out_of_nowhere, 10, "/nobody: delivered Put(n=1)"),
        (overlapping, 3, "/counter: delivered Put(n=2)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_first_thing_that_it_could_not_do_is_named(
    change: Callable[[LiveRecording], None], number: int, occurrence: str
) -> None:
    recording = recorded(in_turn, LIVE[0])
    assert conform(recording, scenario_of(in_turn)).error is None
    change(recording)
    with pytest.raises(NotConforming) as caught:
        conform(recording, scenario_of(in_turn))
    assert (caught.value.number, caught.value.occurrence) == (number, occurrence)
    assert caught.value.complete
    assert str(caught.value).startswith(f"the simulator does not come to occurrence {number}, ")


def test_a_live_world_that_breaks_the_order_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime itself is what conformance tests: break its promise, and see it found."""
    held: list[Any] = []

    def overtaking(self: Any, cell: Any, item: Any, *, urgent: bool = False) -> None:
        """Let Put(2) overtake Put(1)."""
        if item.message == Put(1):
            held.append(item)
            return
        deliver(self, cell, item, urgent=urgent)
        if item.message == Put(2):
            deliver(self, cell, held.pop())

    async def burst(system: ActorSystem) -> None:
        counter = await system.spawn(Counter, "counter")
        await counter.tell(Wait(1))
        for n in range(5):
            await counter.tell(Put(n))
        await asyncio.sleep(2)

    assert conform(recorded(burst, LIVE[1]), scenario_of(burst)).error is None
    deliver = LiveWorld.deliver
    monkeypatch.setattr(LiveWorld, "deliver", overtaking)
    broken = recorded(burst, LIVE[1])
    monkeypatch.undo()
    with pytest.raises(NotConforming, match=r"delivered Put\(n=2\)"):
        conform(broken, scenario_of(burst))


def test_a_parent_that_restarts_may_be_quicker_than_its_child_s_restart() -> None:
    """Known: live, whoever asked goes on before the failed actor restarts; never here."""
    with pytest.raises(NotConforming, match=r"/parent/child: stopped.*/parent/child: restarted"):
        conform(recorded(restarts, LIVE[0]), scenario_of(restarts))


def test_another_program_does_not_conform() -> None:
    with pytest.raises(NotConforming, match="the scenario has ended"):
        conform(recorded(in_turn, LIVE[0]), lambda sim: sim.spawn(Counter, "counter"))

    def raises(_sim: Simulation) -> None:
        msg = "no set-up"
        raise ValueError(msg)

    with pytest.raises(NotConforming, match="the scenario has raised ValueError: no set-up"):
        conform(recorded(in_turn, LIVE[0]), raises)


def test_what_live_never_happened_before_is_no_match() -> None:
    async def one_after_the_other(system: ActorSystem) -> None:
        counter, other = (
            await system.spawn(Counter, "counter"),
            await system.spawn(Counter, "other"),
        )
        await counter.ask(Put(1))
        await other.ask(Put(2))

    recording = recorded(one_after_the_other, LIVE[0])
    n = index_of(recording, "delivered", "n=1")
    del recording.occurrences[n : n + 2]
    with pytest.raises(NotConforming, match=r"3, '/other: delivered Put\(n=2\)'; .* /counter"):
        conform(recording, scenario_of(one_after_the_other))


def test_attempts_that_do_not_suffice_are_told() -> None:
    recording = recorded(timeouts_and_races, LIVE[0])
    n = index_of(recording, "replied", "Get")
    recording.occurrences[n] = replace(recording.occurrences[n], outcome="17")
    with pytest.raises(NotConforming) as caught:
        conform(recording, scenario_of(timeouts_and_races), attempts=1)
    if not caught.value.complete:
        assert "1 runs were tried, and attempts= allows more" in str(caught.value)


# ------------------------------------------------------------------ recordings


def test_a_recording_is_text_and_may_end_anywhere() -> None:
    recording = recorded(racing_updates, LIVE[0])
    again = LiveRecording.from_json(recording.to_json())
    assert again.occurrences == recording.occurrences
    for length in (0, 1, 4, 9):
        part = LiveRecording(again.occurrences[:length])
        assert conform(part, scenario_of(racing_updates)).error is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "occurrences": [{"x": 1}]}', "3"])
def test_what_is_no_recording_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"LiveRecording\.from_json: expected the text of to_json"):
        LiveRecording.from_json(text)


def test_a_later_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2 is not 1"):
        LiveRecording.from_json('{"format": 2, "occurrences": []}')


def test_a_system_that_nobody_records_pays_nothing() -> None:
    async def body(system: ActorSystem) -> list[bool]:
        found = [system.observed]
        with record(system) as recording:
            found.append(system.observed)
            await system.spawn(Counter, "counter")
        found.append(system.observed)
        recording.end()
        await system.spawn(Counter, "other")
        assert [o.target for o in recording.occurrences] == ["/counter"]
        return found

    assert LIVE[0].run(body) == [False, True, False]


def test_a_message_is_kept_as_it_was() -> None:
    class Keeper(Actor[list[int]]):
        @handler
        def keep(self, message: list[int]) -> None:
            message.append(99)

    async def body(system: ActorSystem) -> LiveRecording:
        with record(system) as recording:
            keeper = await system.spawn(Keeper, "keeper")
            await keeper.ask([1])
        return recording

    delivered = LIVE[0].run(body).occurrences[1]
    assert str(delivered) == "/keeper: delivered [1]"


@pytest.mark.parametrize("wrong", [None, [], "x"])
def test_wrong_arguments_are_named(wrong: Any) -> None:
    with pytest.raises(TypeError, match="conform: recording must be a LiveRecording"):
        conform(wrong, scenario_of(in_turn))
    with pytest.raises(TypeError, match="record: system must be an ActorSystem"):
        record(wrong)
    with pytest.raises(TypeError, match="conform: expected a Program or a scenario"):
        conform(LiveRecording(), wrong)
    with pytest.raises(ValueError, match="conform: attempts must be an integer >= 1"):
        conform(LiveRecording(), scenario_of(in_turn), attempts=0)


def test_a_program_alone_is_a_scenario() -> None:
    """Nothing is spawned but by the program itself."""

    async def live(system: ActorSystem) -> None:
        await system.run_free(whole())

    assert conform(recorded(live, LIVE[0]), whole()).error is None


@program
def whole() -> Do[int, Any]:
    counter = yield from free_spawn(Counter, "counter")
    yield from free_ask(counter, Put(4))
    return (yield from free_ask(counter, Get()))
