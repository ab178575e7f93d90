"""Death watch and join: who hears of an actor's end, in every world."""

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
    ActorRef,
    Directive,
    Do,
    Message,
    OneForOneStrategy,
    Program,
    Terminated,
    free_ask,
    free_join,
    free_sleep,
    free_spawn,
    free_unwatch,
    free_watch,
    handler,
    program,
    stash,
    unstash_all,
)
from effactor.interpreters import ActorSystem, Simulation, dry_run, explore, simulate
from effactor.programs.operations import Unwatch, Watch

heard: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    heard.clear()


@dataclass(frozen=True)
class Job(Message[Any]):
    """Do something."""

    what: str
    ref: Any = None


def decide(error: BaseException) -> Directive:
    return Directive.STOP if isinstance(error, KeyError) else Directive.RESTART


class Watcher(Actor[Job]):
    """Watches, and notes what it hears; `Job` alone is declared."""

    @override
    def supervisor_strategy(self) -> OneForOneStrategy:
        return OneForOneStrategy(max_restarts=1, decider=decide)

    @handler
    async def do(self, job: Job) -> Any:
        match job.what:
            case "watch":
                self.context.watch(job.ref)
            case "unwatch":
                self.context.unwatch(job.ref)
            case "free watch":
                await self.context.run_free(free_watch(job.ref))
            case "spawn":
                return await self.context.spawn(Mortal, job.ref)
            case "fail":
                raise OSError("watcher")
            case "sleep":
                await asyncio.sleep(job.ref)
            case "join":
                await job.ref.join()
            case _:
                return len(heard)
        return None

    @handler
    def gone(self, message: Terminated) -> None:
        heard.append((self.context.self_ref.name, message))


class Mortal(Actor):
    """Ends in many ways."""

    @override
    async def on_receive(self, message: str) -> str:
        if message == "fail":
            raise OSError(message)
        if message == "fail for good":
            raise KeyError(message)
        if message == "slow":
            await asyncio.sleep(5)
        return message


def refs() -> list[ActorRef[Any]]:
    return [message.ref for _, message in heard]


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
@pytest.mark.parametrize("what", ["watch", "free watch"])
def test_a_watcher_hears_once_that_an_actor_was_stopped(world: World, mode: Any, what: str) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        mortal = await system.spawn(Mortal, "m")
        for _ in range(2):
            await watcher.ask(Job(what, mortal))
        await mortal.tell("slow")
        await mortal.stop(mode)
        await mortal.join()
        await asyncio.sleep(1)
        return mortal

    mortal = world.run(body)
    assert heard == [("w", Terminated(mortal, "asked to stop"))]


@pytest.mark.parametrize("how", ["fail for good", "fail"])
def test_a_failure_that_stops_the_actor_is_heard_and_a_restart_is_not(
    world: World, how: str
) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        child = await watcher.ask(Job("spawn", "m"))
        await watcher.ask(Job("watch", child))
        with pytest.raises((OSError, KeyError)):
            await child.ask(how)
        await asyncio.sleep(1)
        before = len(heard)
        if how == "fail":
            assert await child.ask("alive") == "alive"
            with pytest.raises(OSError, match="fail"):
                await child.ask("fail")
            await asyncio.sleep(1)
        return child, before

    child, before = world.run(body)
    assert refs() == [child]
    assert before == (0 if how == "fail" else 1)
    assert how in heard[0][1].reason


def test_the_end_with_a_parent_is_heard(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher, parent = await system.spawn(Watcher, "w"), await system.spawn(Watcher, "p")
        child = await parent.ask(Job("spawn", "m"))
        await watcher.ask(Job("watch", child))
        await parent.stop()
        await parent.join()
        await asyncio.sleep(1)
        return child

    child = world.run(body)
    assert heard == [("w", Terminated(child, "asked to stop by /sim/p"))]


def test_a_crash_is_heard() -> None:
    async def scenario(sim: Simulation) -> Any:
        watcher = await sim.system.spawn(Watcher, "w")
        mortal = await sim.system.spawn(Mortal, "m")
        await watcher.ask(Job("watch", mortal))
        sim.crash(mortal)
        await asyncio.sleep(1)
        return mortal

    run = simulate(scenario)
    assert run.error is None
    mortal: Any = run.value
    assert heard == [("w", Terminated(mortal, "crashed"))]
    assert [
        (r.kind, r.source, r.target) for r in run.trace.records if isinstance(r.subject, Terminated)
    ] == [("tell", "/m", "/w")]


def test_watching_a_stopped_actor_or_nobody_is_answered_at_once(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        mortal = await system.spawn(Mortal, "m")
        await mortal.stop()
        await mortal.join()
        copy = pickle.loads(pickle.dumps(mortal))
        nobody: ActorRef[Any] = ActorRef.at("/nobody")
        for ref in (mortal, copy, nobody, nobody):
            await watcher.ask(Job("watch", ref))
            await asyncio.sleep(1)
        another = await system.spawn(Mortal, "m")
        await watcher.ask(Job("watch", copy))
        await asyncio.sleep(1)
        assert another.is_alive
        return mortal, copy, nobody

    mortal, copy, nobody = world.run(body)
    assert refs() == [mortal, copy, nobody, nobody, copy]
    reasons = [message.reason for _, message in heard[:3]]
    assert reasons[0] == "asked to stop"
    assert all(reason.startswith("is no actor") for reason in reasons[1:])
    assert "is another actor now" in heard[-1][1].reason


def test_an_address_and_a_ref_of_one_actor_are_one_watch(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        mortal = await system.spawn(Mortal, "m")
        address: ActorRef[Any] = ActorRef.at("/m")
        await watcher.ask(Job("watch", address))
        await watcher.ask(Job("watch", mortal))
        await mortal.stop()
        await mortal.join()
        await asyncio.sleep(1)
        return address

    assert world.run(body) == heard[0][1].ref
    assert len(heard) == 1


class Two(Actor):
    """Watches and unwatches in one handler."""

    def __init__(self) -> None:
        heard.append("made")

    @override
    async def on_receive(self, message: Any) -> Any:
        if isinstance(message, Terminated):
            heard.append(message.ref)
            return
        what, ref = message
        if what == "too late":
            self.context.watch(ref)
            await ref.stop()
            await ref.join()
            await asyncio.sleep(1)  # the Terminated is in the mailbox
            self.context.unwatch(ref)
        elif what == "again":
            self.context.watch(ref)
            await ref.stop()
            await ref.join()
            await asyncio.sleep(1)
            self.context.unwatch(ref)
            self.context.watch(ref)
        elif what == "address":
            self.context.watch(ActorRef.at(ref.path))
            await ref.stop()
            await ref.join()
            self.context.unwatch(ActorRef.at(ref.path))
        else:
            self.context.watch(ref)
            self.context.unwatch(ref)
            self.context.unwatch(ref)
            await ref.stop()


@pytest.mark.parametrize(
    ("what", "times"), [("in time", 0), ("too late", 0), ("again", 1), ("address", 0)]
)
def test_after_unwatch_nothing_is_heard_not_even_what_is_on_its_way(
    world: World, what: str, times: int
) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Two)
        mortal = await system.spawn(Mortal, "m")
        await watcher.ask((what, mortal))
        await mortal.join()
        await asyncio.sleep(1)
        return mortal

    mortal = world.run(body)
    assert heard == ["made", *[mortal] * times]  # and nothing failed


def test_a_watcher_that_has_stopped_is_forgotten(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        mortal: Any = await system.spawn(Mortal, "m")
        await watcher.ask(Job("watch", mortal))
        assert len(mortal._binding.relations.watches.by) == 1
        await watcher.stop()
        await watcher.join()
        assert not mortal._binding.relations.watches.by
        await mortal.stop()
        await mortal.join()
        await asyncio.sleep(1)
        return list(system.dead_letters)

    assert world.run(body) == []
    assert not heard


def test_a_notice_that_comes_too_late_is_no_dead_letter(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        mortal = await system.spawn(Mortal, "m")
        await watcher.ask(Job("watch", mortal))
        await watcher.tell(Job("sleep", 3))
        await asyncio.sleep(1)
        await mortal.stop("now")
        await watcher.stop("now")
        await watcher.join()
        return list(system.dead_letters)

    assert world.run(body) == []


def test_watches_survive_a_restart_of_the_watcher(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        mortal = await system.spawn(Mortal, "m")
        await watcher.ask(Job("watch", mortal))
        with pytest.raises(OSError, match="watcher"):
            await watcher.ask(Job("fail"))
        await mortal.stop()
        await mortal.join()
        await asyncio.sleep(1)
        return mortal

    mortal = world.run(body)
    assert refs() == [mortal]


def test_an_actor_cannot_watch_itself(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        for what in ("watch", "free watch"):
            with pytest.raises(ValueError, match="/sim/w cannot watch itself"):
                await watcher.ask(Job(what, watcher))

    world.run(body)


class Deaf(Actor[Job]):
    """Has no handler for what it watches for."""

    @handler
    async def do(self, job: Job) -> Any:
        self.context.watch(job.ref)


def test_watching_without_a_handler_for_terminated_is_an_error_at_once(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        deaf, mortal = await system.spawn(Deaf, "d"), await system.spawn(Mortal, "m")
        with pytest.raises(TypeError, match="Deaf has no handler for the Terminated"):
            await deaf.ask(Job("watch", mortal))

    world.run(body)


def test_outside_of_actors_watching_is_a_defect_that_names_free_join(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        mortal = await system.spawn(Mortal, "m")
        with pytest.raises(RuntimeError, match=r"free_join\(ref\)"):
            await system.run_free(free_watch(mortal))
        with pytest.raises(RuntimeError, match="is no actor and watches nobody"):
            await system.run_free(free_unwatch(mortal))

    world.run(body)


def test_only_refs_can_be_watched(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        watcher = await system.spawn(Watcher, "w")
        with pytest.raises(TypeError, match=r"context\.watch: ref must be an ActorRef"):
            await watcher.ask(Job("watch", "/m"))
        with pytest.raises(TypeError, match=r"context\.unwatch: ref must be an ActorRef"):
            await watcher.ask(Job("unwatch", "/m"))

    world.run(body)
    with pytest.raises(TypeError, match="free_watch: ref must be an ActorRef"):
        _ = free_watch("/m")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="free_unwatch: ref must be an ActorRef"):
        _ = free_unwatch("/m")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Shepherd(Actor[Job]):
    """Keeps a child of one name alive, by a program; sets one Terminated aside."""

    def __init__(self) -> None:
        self.ready = True

    @override
    @program
    def on_started(self) -> Do[None]:
        yield from self.begin()

    @program
    def begin(self) -> Do[None]:
        ref: ActorRef[str] = yield from free_spawn(Mortal, "m")
        yield from free_watch(ref)

    @handler
    def do(self, job: Job) -> Program[Any]:
        self.ready = job.what == "ready"
        return unstash_all()

    @handler
    def gone(self, message: Terminated) -> Program[Any]:
        if not self.ready:
            return stash()
        heard.append(message.ref.name)
        return self.begin()


def test_the_name_is_free_when_the_end_is_heard_and_the_message_can_be_set_aside(
    world: World,
) -> None:
    async def body(system: ActorSystem) -> Any:
        await system.spawn(Shepherd, "s")
        first = await system.get_actor("/s/m")
        await first.stop()
        await first.join()
        await asyncio.sleep(1)
        shepherd = await system.get_actor("/s")
        await shepherd.ask(Job("busy"))
        second = await system.get_actor("/s/m")
        await second.stop()
        await second.join()
        await asyncio.sleep(1)
        assert heard == ["m"]
        await shepherd.ask(Job("ready"))
        await asyncio.sleep(1)
        return first, second, await system.get_actor("/s/m")

    assert len(set(world.run(body))) == 3
    assert heard == ["m", "m"]


def test_messages_sent_before_the_end_are_handled_before_it_is_heard() -> None:
    class Last(Actor):
        @override
        async def on_receive(self, message: Any) -> None:
            await message.tell("a last word")

    class Listener(Actor):
        @override
        def on_receive(self, message: Any) -> None:
            if isinstance(message, Terminated | str):
                heard.append(message)
            else:
                self.context.watch(message)

    def scenario(sim: Simulation) -> None:
        heard.clear()
        listener, last = sim.spawn(Listener), sim.spawn(Last)
        for message, ref in ((last, listener), (listener, last)):
            sim.run(free_ask(ref, message))
        sim.run(last.free_stop())
        sim.settle()
        assert heard == ["a last word", Terminated(last, heard[-1].reason)]

    assert explore(scenario, schedules=100).ok


# ---------------------------------------------------------------- joining


def test_cancelling_a_join_never_touches_the_actor_w1(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        mortal: Any = await system.spawn(Mortal, "m")
        joiner = await system.spawn(Watcher, "j")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mortal.join(), 1)
        task = asyncio.ensure_future(mortal.join())
        stays = [asyncio.ensure_future(mortal.join()) for _ in range(3)]
        joining = asyncio.ensure_future(joiner.ask(Job("join", mortal)))
        program = asyncio.ensure_future(system.run_free(free_join(mortal)))
        with pytest.raises(Exception, match="did not end within 1 s"):
            await system.run_free(free_join(mortal).timeout(1))
        await asyncio.sleep(1)
        task.cancel()
        program.cancel()
        await joiner.stop("now")
        for cancelled in (task, program):
            with pytest.raises(asyncio.CancelledError):
                await cancelled
        with pytest.raises(Exception, match="was being handled"):
            await joining
        assert mortal.is_alive
        assert await mortal.ask("alive") == "alive"
        assert not any(stay.done() for stay in stays)
        await mortal.stop()
        await asyncio.gather(*stays)
        await mortal.join()
        return mortal.is_alive

    assert world.run(body) is False


def test_joins_that_were_given_up_are_not_kept(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        mortal: Any = await system.spawn(Mortal, "m")
        stays = asyncio.ensure_future(mortal.join())
        for _ in range(100):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(mortal.join(), 0.1)
        kept = len(mortal._binding.relations.joiners)
        await mortal.stop()
        await stays
        return kept

    assert world.run(body) < 20


def test_watching_is_an_effect_in_the_trace() -> None:
    class Both(Actor):
        @override
        def on_receive(self, message: Any) -> Any:
            if isinstance(message, Terminated):
                return None
            return free_watch(message).then(free_sleep(1)).then(free_unwatch(message))

    def scenario(sim: Simulation) -> None:
        both, mortal = sim.spawn(Both, "b"), sim.spawn(Mortal, "m")
        sim.run(free_ask(both, mortal))

    run = simulate(scenario)
    assert run.error is None
    effects = [(r.kind, r.source, r.target) for r in run.trace.records if "watch" in r.kind]
    assert effects == [("watch", "/b", "/m"), ("unwatch", "/b", "/m")]
    assert [Watch(ActorRef.at("/m")).describe(), Unwatch(ActorRef.at("/m")).describe()] == [
        "watch /m",
        "unwatch /m",
    ]


def test_a_dry_run_records_it_and_watches_nobody() -> None:
    ref: ActorRef[Any] = ActorRef.at("/m")
    trace = dry_run(free_watch(ref).then(free_unwatch(ref)))
    kinds = [(r.kind, r.target) for r in trace.records]
    assert kinds[:2] == [("watch", "/m"), ("unwatch", "/m")]
