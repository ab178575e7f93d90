"""Mailboxes with rules: bounds, overflow, order, what becomes of senders that wait, threads."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from typing_extensions import override
from worlds import ImpatientLoop, World

from effactor import (
    Actor,
    ActorRef,
    ActorStopped,
    AskTimeout,
    Deadlock,
    FastMailbox,
    Full,
    Inbox,
    Mailbox,
    MailboxFull,
    MemoryMailbox,
    Message,
    MessageDropped,
    Program,
    Queued,
    SendOptions,
    ThreadedMailbox,
    free_ask,
    free_sleep,
    free_spawn,
    free_tell,
    gather,
    handler,
    race,
    schedule_once,
    stash,
    unstash_all,
)
from effactor.actors.ref import binding_of
from effactor.interpreters import ActorSystem

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Job(Message[list[Any]]):
    """Handled in as many seconds as it says, if that is a float."""

    n: Any


DONE: list[Any] = []
"""What the workers have done since one was last made busy."""


class Worker(Actor[Job]):
    def __init__(self) -> None:
        self.done: list[Any] = []

    @handler
    async def job(self, message: Job) -> list[Any]:
        self.done.append(message.n)
        DONE.append(message.n)
        if isinstance(message.n, float):
            await asyncio.sleep(message.n)
        if message.n == "break":
            raise ValueError(message.n)
        return list(self.done)


async def busy_for(ref: ActorRef[Any], seconds: float) -> asyncio.Future[Any]:
    """Let the actor be busy, and return when it is."""
    DONE.clear()
    first = asyncio.ensure_future(ref.ask(Job(seconds)))
    await asyncio.sleep(seconds / 100)
    return first


async def finished(ref: ActorRef[Any]) -> list[Any]:
    """Let the actor handle all that it has got, and return what was done."""
    await ref.stop()
    await ref.join()
    return DONE


async def results(*futures: Any) -> list[Any]:
    """Wait for all; errors are values."""
    return await asyncio.gather(*futures, return_exceptions=True)


def kinds(given: list[Any]) -> list[Any]:
    return [type(each) if isinstance(each, Exception) else each for each in given]


# ---------------------------------------------------------------- overflow


def test_a_full_mailbox_makes_senders_wait_and_loses_nothing(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(2))
        first = await busy_for(ref, 1.0)
        told: list[int] = []

        async def produce() -> None:
            for n in range(10):
                await ref.tell(Job(n))
                told.append(n)

        producer = asyncio.ensure_future(produce())
        await asyncio.sleep(0.5)
        assert told == [0, 1]
        await first
        await producer
        assert await finished(ref) == [1.0, *range(10)]
        assert not system.dead_letters

    world.run(body)


def test_an_ask_waits_for_room_like_a_tell(world: World) -> None:
    """W35: the original refuses asks where tells wait."""

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        first = await busy_for(ref, 1.0)
        asked = [asyncio.ensure_future(ref.ask(Job(n))) for n in range(5)]
        asked += [asyncio.ensure_future(system.run_free(free_ask(ref, Job("free"))))]
        asked += [asyncio.ensure_future(_later(ref.ask_nowait(Job("nowait"))))]
        answers = await results(first, *asked)
        assert sorted(map(len, answers)) == list(range(1, 9))

    world.run(body)


async def _later(promise: Any) -> Any:
    return await promise


def test_a_rejecting_mailbox_says_so_to_whoever_sends(world: World) -> None:
    """W35: to reject is not to drop."""

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, "w", mailbox=MemoryMailbox(1, "reject"))
        first = await busy_for(ref, 1.0)
        await ref.tell(Job(1))
        says = r"the mailbox of /sim/w is full \(1 message\); Job\(n=2\) was rejected"
        with pytest.raises(MailboxFull, match=says):
            await ref.tell(Job(2))
        with pytest.raises(MailboxFull):
            ref.tell_nowait(Job(2))
        with pytest.raises(MailboxFull):
            await ref.ask(Job(2))
        with pytest.raises(MailboxFull):
            await ref.ask_nowait(Job(2))
        with pytest.raises(MailboxFull):
            await system.run_free(free_tell(ref, Job(2)))
        failed = await system.run_free(free_ask(ref, Job(2)).attempt())
        assert isinstance(failed.failure(), MailboxFull)
        await first
        assert await finished(ref) == [1.0, 1]
        assert not system.dead_letters

    world.run(body)


def test_what_is_dropped_is_a_dead_letter_or_fails_its_ask(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1, "drop_newest"))
        first = await busy_for(ref, 1.0)
        kept = asyncio.ensure_future(ref.ask(Job("kept")))
        await asyncio.sleep(0.1)
        await ref.tell(Job("told"))
        with pytest.raises(MessageDropped, match="the mailbox was full"):
            await ref.ask(Job("asked"))
        assert await kept == [1.0, "kept"]
        await first

        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1, "drop_oldest"))
        first = await busy_for(ref, 1.0)
        asked = asyncio.ensure_future(ref.ask(Job("asked")))
        await asyncio.sleep(0.1)
        await ref.tell(Job("told"))
        with pytest.raises(MessageDropped, match="the mailbox was full"):
            await asked
        await first
        assert await finished(ref) == [1.0, "told"]
        assert [letter.message for letter in system.dead_letters] == [Job("told")]

    world.run(body)


def test_tell_nowait_raises_where_it_would_have_to_wait(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        first = await busy_for(ref, 1.0)
        ref.tell_nowait(Job(1))
        with pytest.raises(MailboxFull):
            ref.tell_nowait(Job(2))
        await first
        assert await finished(ref) == [1.0, 1]

    world.run(body)


def test_a_timer_whose_message_finds_no_room_leaves_a_dead_letter(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for mailbox in (MemoryMailbox(1), MemoryMailbox(1, "reject")):
            ref = await system.spawn(Worker, mailbox=mailbox)
            first = await busy_for(ref, 2.0)
            await ref.tell(Job(1))
            await system.run_free(schedule_once(1, ref, Job("late")))
            await first
            assert await finished(ref) == [2.0, 1]
            assert "is full" in system.dead_letters.pop().reason

    world.run(body)


def test_a_fast_mailbox_never_evicts(world: World) -> None:
    """W7: the original's loses 744 of 1000 messages."""

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=FastMailbox())
        for n in range(1000):
            await ref.tell(Job(n))
        assert await ref.ask(Job("end")) == [*range(1000), "end"]

    world.run(body)


# ---------------------------------------------------------------- stops, with senders that wait


@pytest.mark.parametrize("mode", ["current", "now"])
def test_senders_that_wait_for_room_learn_that_the_actor_stopped(world: World, mode: Any) -> None:
    """W5: in the original they wait for ever, or their messages vanish."""

    class Producer(Actor[Any]):
        def __init__(self, ref: ActorRef[Any]) -> None:
            self.ref = ref

        @handler
        async def job(self, message: Job) -> Any:
            try:
                await self.ref.tell(message)
            except ActorStopped as error:
                return error.reason
            return "told"

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        producer = await system.spawn(lambda: Producer(ref))
        first = await busy_for(ref, 5.0)
        await ref.tell(Job("queued"))
        waiting = [
            asyncio.ensure_future(ref.tell(Job("task"))),
            asyncio.ensure_future(producer.ask(Job("actor"))),
            asyncio.ensure_future(system.run_free(free_tell(ref, Job("run")).exit())),
            asyncio.ensure_future(ref.ask(Job("ask"))),
        ]
        await asyncio.sleep(1)
        assert not any(each.done() for each in waiting)
        await ref.stop(mode)
        task, actor, run, ask = await results(*waiting)
        assert type(task) is ActorStopped
        assert "asked to stop" in task.reason
        assert "asked to stop" in actor
        assert isinstance(run.defect, ActorStopped)
        assert type(ask) is ActorStopped
        await ref.join()
        assert kinds(await results(first)) == ([ActorStopped] if mode == "now" else [[5.0]])
        assert [letter.message for letter in system.dead_letters] == [Job("queued")]
        await ref.tell(Job("after"))
        assert system.dead_letters[-1].message == Job("after")

    world.run(body)


def test_a_graceful_stop_handles_all_that_was_sent_however_full_the_mailbox_is(
    world: World,
) -> None:
    """W6: the original kills the actor if its mailbox happens to be full."""

    async def body(system: ActorSystem) -> None:
        for capacity in (3, 10, None):
            ref = await system.spawn(Worker, mailbox=MemoryMailbox(capacity))
            first = await busy_for(ref, 1.0)
            for n in range(3):
                await ref.tell(Job(n))
            await ref.stop()
            await ref.join()
            assert DONE == [1.0, 0, 1, 2]
            await first

        # One waits in the mailbox, one for room, one is not sent yet.
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        first = await busy_for(ref, 1.0)

        async def produce() -> None:
            for n in range(3):
                await ref.tell(Job(n))

        producer = asyncio.ensure_future(produce())
        await asyncio.sleep(0.1)
        await ref.stop()
        await ref.join()
        assert DONE == [1.0, 0, 1]
        await producer
        assert [each.message for each in system.dead_letters] == [Job(2)]
        await first

    world.run(body)


def test_a_sender_that_gave_up_leaves_neither_a_message_nor_a_slot(world: World) -> None:
    class Producer(Actor[Any]):
        def __init__(self, ref: ActorRef[Any]) -> None:
            self.ref = ref

        @handler
        async def job(self, message: Job) -> Any:
            try:
                async with asyncio.timeout(1):
                    await self.ref.tell(message)
            except TimeoutError:
                return "gave up"
            return "told"

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        producer = await system.spawn(lambda: Producer(ref))
        other = await system.spawn(lambda: Producer(ref))
        first = await busy_for(ref, 10.0)
        await ref.tell(Job("kept"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ref.tell(Job("task")), 1)
        gave_up: Any = await producer.ask(Job("actor"))
        assert gave_up == "gave up"
        await system.run_free(free_tell(ref, Job("run")).timeout(1).attempt())
        with pytest.raises(AskTimeout):
            await ref.ask(Job("ask"), timeout=1)
        stopped = asyncio.ensure_future(other.ask(Job("stopped")))
        await asyncio.sleep(0.5)
        await other.stop("now")
        assert kinds(await results(stopped)) == [ActorStopped]
        last = asyncio.ensure_future(ref.tell(Job("last")))
        await first
        await last
        assert await ref.ask(Job("end")) == [10.0, "kept", "last", "end"]
        assert not system.dead_letters

    world.run(body)


def test_senders_that_give_up_again_and_again_do_not_pile_up(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        first = await busy_for(ref, 1000.0)
        await ref.tell(Job("kept"))
        patient = asyncio.ensure_future(ref.tell(Job("patient")))
        await asyncio.sleep(0.1)
        for _ in range(300):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ref.tell(Job("never")), 0.01)
        cell: Any = binding_of(ref)
        assert len(cell.mailbox.blocked) <= 128
        await ref.stop("now")
        assert kinds(await results(first, patient)) == [ActorStopped, ActorStopped]

    world.run(body)


def test_senders_get_room_in_the_order_they_asked_for_it(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        first = await busy_for(ref, 1.0)

        async def produce() -> None:
            await ref.tell(Job("a"))
            last = ref.ask_nowait(Job("b"))  # waits for room, and its sender goes on
            with pytest.raises(MailboxFull):
                ref.tell_nowait(Job("c"))  # must not overtake
            await last
            await ref.tell(Job("d"))

        await produce()
        await first
        assert await ref.ask(Job("end")) == [1.0, "a", "b", "d", "end"]

    world.run(body)


def test_room_made_by_an_abandoned_ask_goes_to_who_has_waited_longest(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        first = await busy_for(ref, 5.0)
        abandoned = asyncio.ensure_future(ref.ask(Job("abandoned"), timeout=1))
        await asyncio.sleep(0.1)

        async def produce() -> None:
            waits = ref.ask_nowait(Job("first"))
            await asyncio.sleep(2)
            # The abandoned ask is swept out; the room is not ours.
            with pytest.raises(MailboxFull):
                ref.tell_nowait(Job("second"))
            await waits

        await asyncio.gather(produce(), first)
        assert kinds(await results(abandoned)) == [AskTimeout]
        assert await ref.ask(Job("end")) == [5.0, "first", "end"]

    world.run(body)


def test_actors_that_wait_for_room_of_each_other_are_a_deadlock(world: World) -> None:
    """W33, for mailboxes."""

    @dataclass(frozen=True)
    class Fill(Message[str]):
        other: ActorRef[Any]
        bare: bool

    class Stubborn(Actor[Any]):
        @handler
        async def fill(self, message: Fill) -> str:
            if message.bare:
                await self.context.run_free(free_tell(message.other, "a"))
                await self.context.run_free(free_tell(message.other, "b"))
            else:
                await message.other.tell("a")
                await message.other.tell("b")
            return "told"

        @handler
        def text(self, message: str) -> None:
            pass

    async def body(system: ActorSystem) -> None:
        for bare in (True, False):
            ref = await system.spawn(Stubborn, mailbox=MemoryMailbox(1))
            with pytest.raises(Deadlock):
                await ref.ask(Fill(ref, bare))

    world.run(body)


def test_a_wait_for_room_that_may_end_by_itself_is_no_deadlock(world: World) -> None:
    class Patient(Actor[Any]):
        def __init__(self) -> None:
            self.texts = 0

        @handler
        async def job(self, message: Job) -> Any:
            me = self.context.self_ref
            await me.tell("fits")
            if message.n == "coroutine":
                try:
                    async with asyncio.timeout(1):
                        await me.tell("does not fit")
                except TimeoutError:
                    return "gave up"
            if message.n == "race":
                raced: Any = race(free_tell(me, "not"), free_sleep(1).map(lambda _: "gave up"))
                return await self.context.run_free(raced)
            timed = free_tell(me, "not").timeout(1).lash(lambda _: free_sleep(0))
            await self.context.run_free(timed)
            return "gave up"

        @handler
        def text(self, message: str) -> None:
            self.texts += 1

        @handler
        def count(self, message: int) -> int:
            return self.texts

    async def body(system: ActorSystem) -> None:
        # In a real task nobody sees that the handler may end by itself.
        for how in ("coroutine", "race", "timeout")[world.name == "tasks" :]:
            ref = await system.spawn(Patient, mailbox=MemoryMailbox(1))
            answer: Any = await ref.ask(Job(how))
            assert answer == "gave up", how
            assert await ref.ask(1) == 1

    world.run(body)


# ---------------------------------------------------------------- order


async def _tell_all(ref: ActorRef[Any], urgencies: list[tuple[Any, int]]) -> None:
    for n, priority in urgencies:
        await ref.tell(Job(n), options=SendOptions(priority=priority))


def test_the_most_urgent_come_first_and_equals_in_their_order(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(order="priority"))
        first = await busy_for(ref, 1.0)
        await _tell_all(ref, [("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 0), ("f", 7)])
        await first
        answer = await ref.ask(Job("end"), options=SendOptions(priority=-2))
        assert answer == [1.0, "f", "b", "d", "a", "e", "c", "end"]

    world.run(body)


def test_equal_messages_of_senders_that_waited_keep_their_order(world: World) -> None:
    """G3: in the original, putters that waited tie, and comparing their messages raises."""

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1, order="priority"))
        first = await busy_for(ref, 1.0)

        async def produce(name: str) -> None:
            # Values that cannot be compared with each other.
            await _tell_all(ref, [((name, n), 1) for n in range(5)])

        producers = [asyncio.ensure_future(produce(name)) for name in ("x", "y", "z")]
        await asyncio.gather(first, *producers)
        done = (await ref.ask(Job("end")))[1:-1]
        assert len(done) == 15
        for name in ("x", "y", "z"):
            assert [n for who, n in done if who == name] == list(range(5))

    world.run(body)


def test_a_full_mailbox_by_priority_drops_the_oldest_of_the_least_urgent(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        mailbox = MemoryMailbox(3, "drop_oldest", "priority")
        ref = await system.spawn(Worker, mailbox=mailbox)
        first = await busy_for(ref, 1.0)
        await _tell_all(ref, [("a", 1), ("b", 0), ("c", 0), ("d", 1), ("e", -1), ("f", 0)])
        await first
        assert await finished(ref) == [1.0, "a", "d", "f"]
        dropped = [letter.message.n for letter in system.dead_letters]
        assert dropped == ["b", "e", "c"]

    world.run(body)


def test_an_urgent_ask_that_timed_out_is_never_handled(world: World) -> None:
    """W12: in the original, abandoned asks run all the same."""

    async def body(system: ActorSystem) -> None:
        for capacity in (None, 2):
            for mailbox in (MemoryMailbox(capacity), MemoryMailbox(capacity, order="priority")):
                ref = await system.spawn(Worker, mailbox=mailbox)
                first = await busy_for(ref, 5.0)
                urgent = SendOptions(priority=9)
                with pytest.raises(AskTimeout):
                    await ref.ask(Job("late"), timeout=1, options=urgent)
                with pytest.raises(AskTimeout):
                    await system.run_free(free_ask(ref, Job("late"), timeout=1, options=urgent))
                cancelled = asyncio.ensure_future(ref.ask(Job("cancelled"), options=urgent))
                await asyncio.sleep(0.1)
                cancelled.cancel()
                await first
                assert await ref.ask(Job("end")) == [5.0, "end"]

    world.run(body)


# ---------------------------------------------------------------- restart, stash


def test_mail_survives_a_restart(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for mailbox in (MemoryMailbox(3), MemoryMailbox(order="priority"), ThreadedMailbox()):
            DONE.clear()
            ref = await system.spawn(Worker, mailbox=mailbox)
            first = await busy_for(ref, 1.0)

            async def produce(ref: ActorRef[Any]) -> None:
                for n in ("a", "break", "b", "break", "c", "d"):
                    await ref.tell(Job(n))

            await produce(ref)
            await first
            assert await finished(ref) == [1.0, "a", "break", "b", "break", "c", "d"]

    world.run(body)


@dataclass(frozen=True)
class Open(Message[None]):
    pass


class Shop(Actor[Any]):
    def __init__(self) -> None:
        self.open = False
        self.served: list[Any] = []

    @handler(Job)
    def job(self, message: Job) -> Any:
        if not self.open:
            return stash()
        self.served.append(message.n)
        return list(self.served)

    @handler(Open)
    def opens(self, message: Open) -> Program[Any]:
        self.open = True
        return unstash_all()


def test_what_is_set_aside_comes_before_the_mail_and_takes_no_room(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for mailbox in (MemoryMailbox(2), MemoryMailbox(2, order="priority")):
            ref = await system.spawn(Shop, mailbox=mailbox)

            async def produce(ref: ActorRef[Any]) -> Any:
                for n in range(5):
                    await ref.tell(Job(n))
                await ref.tell(Open())
                return await ref.ask(Job("end"))

            assert await produce(ref) == [0, 1, 2, 3, 4, "end"]

    world.run(body)


@pytest.mark.parametrize("mode", ["graceful", "current", "now"])
def test_what_is_set_aside_is_refused_when_the_actor_stops(world: World, mode: Any) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Shop, mailbox=MemoryMailbox(2))
        asked = [asyncio.ensure_future(ref.ask(Job(n))) for n in range(3)]
        await asyncio.sleep(1)
        await ref.stop(mode)
        assert kinds(await results(*asked)) == [ActorStopped] * 3

    world.run(body)


def test_controls_come_before_the_mail(world: World) -> None:
    """What a failed ask leaves to do, and an escalated failure, is done at once."""

    class Parent(Actor[Any]):
        @override
        async def on_started(self) -> None:
            self.child = await self.context.run_free(
                free_spawn(Worker, "child", mailbox=MemoryMailbox(5))
            )

        @handler
        def child_of(self, message: str) -> ActorRef[Any]:
            return self.child

    async def body(system: ActorSystem) -> None:
        DONE.clear()
        parent = await system.spawn(Parent, mailbox=MemoryMailbox(5))
        child = await parent.ask("child")
        broken = child.ask_nowait(Job("break"))
        later = child.ask_nowait(Job("later"))
        assert kinds(await results(broken)) == [ValueError]
        assert await later == ["later"]  # of the instance that took its place

    world.run(body)


# ---------------------------------------------------------------- time to live


def test_a_message_that_waited_too_long_is_dropped(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(time_to_live=2))
        first = await busy_for(ref, 5.0)
        asked = asyncio.ensure_future(ref.ask(Job("ask")))
        await ref.tell(Job("tell"))
        await ref.tell(Job("patient"), options=SendOptions(time_to_live=60))
        await first
        with pytest.raises(MessageDropped, match="longer than its time to live, 2 s"):
            await asked
        assert await ref.ask(Job("end")) == [5.0, "patient", "end"]
        assert [each.message for each in system.dead_letters] == [Job("tell")]

        plain = await system.spawn(Worker)
        first = await busy_for(plain, 5.0)
        await plain.tell(Job("short"), options=SendOptions(time_to_live=1))
        await first
        assert await plain.ask(Job("end")) == [5.0, "end"]

    world.run(body)


def test_what_has_outlived_itself_makes_room(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        mailbox = MemoryMailbox(2, "reject", time_to_live=1)
        ref = await system.spawn(Worker, mailbox=mailbox)
        first = await busy_for(ref, 5.0)
        asked = asyncio.ensure_future(ref.ask(Job("old")))
        await ref.tell(Job("old, too"))
        await asyncio.sleep(2)
        await ref.tell(Job("new"), options=SendOptions(time_to_live=60))
        assert kinds(await results(asked)) == [MessageDropped]
        await first
        assert await ref.ask(Job("end")) == [5.0, "new", "end"]
        assert [each.message for each in system.dead_letters] == [Job("old, too")]

    world.run(body)


# ---------------------------------------------------------------- inboxes of one's own


class Shelf(Inbox):
    """An inbox of somebody else's, which fails when told to."""

    def __init__(self) -> None:
        self.items: deque[Queued] = deque()
        self.fails = 0
        self.refuses = False
        self.wake: Callable[[], None] = lambda: None

    @override
    def put(self, item: Queued) -> None:
        if self.refuses:
            raise ConnectionError("out of reach")
        self.items.append(item)

    @override
    def take(self) -> Queued | None:
        if self.fails:
            self.fails -= 1
            raise ConnectionError("out of reach")
        return self.items.popleft() if self.items else None

    @override
    def __len__(self) -> int:
        return len(self.items)

    @override
    def attach(self, wake: Callable[[], None]) -> None:
        self.wake = wake


@dataclass(frozen=True)
class Parcel:
    """A message that came by another way."""

    message: Any
    priority: int = 0


class Shelves(Mailbox):
    """Opens one shelf for one actor."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    @override
    def open(self) -> Inbox:
        return self.shelf


def test_an_inbox_that_fails_for_a_moment_ends_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """W28: in the original, one failure of the mailbox kills the actor."""

    async def body(system: ActorSystem) -> None:
        shelf = Shelf()
        ref = await system.spawn(Worker, "worker", mailbox=Shelves(shelf))
        shelf.fails = 3
        await ref.tell(Job(1))
        assert await ref.ask(Job(2)) == [1, 2]
        assert not shelf.fails
        assert await ref.ask(Job(3)) == [1, 2, 3]

    world.run(body)
    assert "the mailbox of /sim/worker failed; it is asked again" in caplog.text


def test_a_failing_inbox_loses_nothing_when_its_actor_stops(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        shelf = Shelf()
        ref = await system.spawn(Worker, mailbox=Shelves(shelf))
        first = await busy_for(ref, 1.0)
        asked = asyncio.ensure_future(ref.ask(Job("ask")))
        await ref.tell(Job("tell"))
        await asyncio.sleep(0.1)
        shelf.fails = 2
        await ref.stop("now")
        assert kinds(await results(first, asked)) == [ActorStopped, ActorStopped]
        await ref.join()
        assert [each.message for each in system.dead_letters] == [Job("tell")]

    world.run(body)


def test_an_inbox_that_takes_nothing_in_says_so_to_the_sender(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        shelf = Shelf()
        ref = await system.spawn(Worker, mailbox=Shelves(shelf))
        first = await busy_for(ref, 1.0)
        shelf.refuses = True
        with pytest.raises(ConnectionError):
            await ref.tell(Job("tell"))
        with pytest.raises(MessageDropped, match="its mailbox failed: ConnectionError"):
            await ref.ask(Job("ask"))
        failed = await system.run_free(free_ask(ref, Job("free")).attempt())
        assert isinstance(failed.failure(), MessageDropped)
        await first
        shelf.refuses = False
        assert await ref.ask(Job("end")) == [1.0, "end"]

    world.run(body)


def test_room_that_appears_by_itself_goes_to_who_has_waited_longest(world: World) -> None:
    class Elastic(Shelf):
        closed = True

        @override
        def put(self, item: Queued) -> Any:
            return Full.WAIT if self.closed else super().put(item)

    async def body(system: ActorSystem) -> None:
        shelf = Elastic()
        ref = await system.spawn(Worker, mailbox=Shelves(shelf))

        async def produce() -> list[Any]:
            first = ref.ask_nowait(Job("first"))
            await asyncio.sleep(1)
            shelf.closed = False
            last = ref.ask_nowait(Job("last"))
            await first
            return await last

        assert await produce() == ["first", "last"]

    world.run(body)


def test_items_that_arrive_by_another_way_wake_the_actor(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        shelf = Shelf()
        ref = await system.spawn(Worker, mailbox=Shelves(shelf))
        for n in range(3):
            shelf.items.append(Parcel(Job(n)))
            shelf.wake()
        await asyncio.sleep(1)
        assert await ref.ask(Job("end")) == [0, 1, 2, "end"]
        shelf.items.append(Parcel(Job("left")))
        await ref.stop("now")
        await ref.join()
        assert [each.message for each in system.dead_letters] == [Job("left")]

    world.run(body)


class Keeps(Shelf):
    """Hands out the same item for ever."""

    @override
    def take(self) -> Queued | None:
        return self.items[0] if self.items else None


class Doubles(Shelf):
    """Hands out each item twice."""

    @override
    def put(self, item: Queued) -> None:
        self.items.extend((item, item))


class Nonsense(Shelf):
    """Hands out what was never put in."""

    @override
    def take(self) -> Any:
        return 7 if super().take() else None


@pytest.mark.parametrize(
    ("shelf", "handled", "why"),
    [
        (Keeps, 1, r"Keeps\.take must remove what it answers, kept <ask Job"),
        (Doubles, 1, r"Doubles\.take must answer an item once, answered <ask Job.* again"),
        (Nonsense, 0, r"Nonsense\.take must answer None, or an item .*, answered 7"),
    ],
    ids=["keeps", "doubles", "nonsense"],
)
def test_an_inbox_that_cannot_be_relied_upon_stops_its_actor_and_loses_nothing(
    world: World, caplog: pytest.LogCaptureFixture, shelf: type[Shelf], handled: int, why: str
) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, "worker", mailbox=Shelves(shelf()))
        asks = [asyncio.ensure_future(ref.ask(Job(n))) for n in range(3)]
        await asyncio.sleep(0)
        for n in range(3, 5):
            await ref.tell(Job(n))
        ends = await results(*asks)
        assert kinds(ends) == [[0]] * handled + [ActorStopped] * (3 - handled)
        await ref.join()
        with pytest.raises(ActorStopped, match=why):
            await ref.ask(Job("late"))
        assert [each.message for each in system.dead_letters] == [Job(3), Job(4)]

    world.run(body)
    assert "the mailbox of /sim/worker is wrong, so the actor stops" in caplog.text


class Hollow(Shelf):
    """Counts what it does not have."""

    @override
    def __len__(self) -> int:
        return len(self.items) + 5


class Uncounted(Shelf):
    """Cannot count."""

    @override
    def __len__(self) -> int:
        raise OSError("no abacus")


class Secret(Shelf):
    """Counts nothing of what it has."""

    @override
    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("shelf", [Hollow, Uncounted, Secret])
def test_an_inbox_that_counts_wrongly_is_asked_for_all_it_has_and_no_more(
    world: World, shelf: type[Shelf]
) -> None:
    async def body(system: ActorSystem) -> None:
        its = shelf()
        ref = await system.spawn(Worker, mailbox=Shelves(its))
        first = await busy_for(ref, 1.0)
        for n in range(3):
            await ref.tell(Job(n))
        assert await ref.ask(Job("end")) == [1.0, 0, 1, 2, "end"]
        await first
        its.items.append(Parcel(Job("parcel")))
        its.wake()
        await asyncio.sleep(1)
        assert await ref.ask(Job("last")) == [1.0, 0, 1, 2, "end", "parcel", "last"]

    world.run(body)


@pytest.mark.parametrize(
    ("answer", "ends", "dead"),
    [
        (OSError("full"), [None, MessageDropped, OSError, MessageDropped], 0),
        (7, [None, MessageDropped, TypeError, MessageDropped], 0),
        ("itself", [None, MessageDropped, None, MessageDropped], 1),
    ],
    ids=["raises", "nonsense", "drops"],
)
def test_what_an_inbox_does_to_those_who_wait_for_room_they_learn(
    world: World, answer: Any, ends: list[Any], dead: int
) -> None:
    class Sudden(Shelf):
        """Makes senders wait, and then does not take what they send."""

        busy = True

        @override
        def put(self, item: Queued) -> Any:
            if self.busy:
                return Full.WAIT if self.items else self.items.append(item)
            if isinstance(answer, Exception):
                raise answer
            return item if answer == "itself" else answer

    async def body(system: ActorSystem) -> None:
        shelf = Sudden()
        ref = await system.spawn(Worker, mailbox=Shelves(shelf))
        first = await busy_for(ref, 1.0)
        waits = [asyncio.ensure_future(ref.tell(Job("in")))]
        await asyncio.sleep(0.1)
        for way in (ref.ask, ref.tell, ref.ask):
            waits.append(asyncio.ensure_future(cast("Any", way)(Job("waits"))))
            await asyncio.sleep(0.1)
        shelf.busy = False
        assert kinds(await results(*waits)) == ends
        await first
        shelf.busy = True
        assert await ref.ask(Job("end")) == [1.0, "in", "end"]
        assert len(system.dead_letters) == dead

    world.run(body)


def test_what_an_inbox_keeps_to_itself_is_refused_when_the_actor_stops(world: World) -> None:
    class Silent(Shelf):
        @override
        def close(self) -> Any:
            raise OSError("closed")

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=Shelves(Silent()))
        first = await busy_for(ref, 1.0)
        asked = asyncio.ensure_future(ref.ask(Job("asked")))
        await asyncio.sleep(0.1)
        await ref.tell(Job("told"))
        await ref.stop("now")
        assert kinds(await results(first, asked)) == [ActorStopped, ActorStopped]
        assert [each.message for each in system.dead_letters] == [Job("told")]

    world.run(body)


def test_mail_that_was_there_before_the_actor_waits_for_its_start(world: World) -> None:
    class Late(Worker):
        @override
        async def on_started(self) -> None:
            await asyncio.sleep(1)
            DONE.append("started")

    async def body(system: ActorSystem) -> None:
        DONE.clear()
        shelf = Shelf()
        shelf.items.append(Parcel(Job("early")))
        shelf.attach = lambda wake: wake()  # type: ignore[method-assign]
        ref = await system.spawn(Late, mailbox=Shelves(shelf))
        await ref.ask(Job("end"))
        assert DONE == ["started", "early", "end"]

    world.run(body)


def test_a_mailbox_that_opens_no_inbox_is_refused(world: World) -> None:
    class Wrong(Mailbox):
        @override
        def open(self) -> Any:
            return []

    async def body(system: ActorSystem) -> None:
        with pytest.raises(TypeError, match=r"Wrong.open must make an Inbox or None, made \[\]"):
            await system.spawn(Worker, "w", mailbox=Wrong())
        await system.spawn(Worker, "w")

    world.run(body)


# ---------------------------------------------------------------- threads, live


def live(body: Callable[[ActorSystem], Any]) -> None:
    async def main() -> None:
        async with ActorSystem("live") as system:
            await body(system)

    with asyncio.Runner(loop_factory=ImpatientLoop) as runner:
        runner.run(main())


async def joined(threads: list[threading.Thread]) -> None:
    """Wait for threads while the loop goes on."""
    for thread in threads:
        await asyncio.get_running_loop().run_in_executor(None, thread.join, 60)
        assert not thread.is_alive()


def test_any_thread_may_tell_into_a_threaded_mailbox() -> None:
    class Counts(Actor[Any]):
        def __init__(self) -> None:
            self.got: dict[int, list[int]] = {}
            self.threads: set[int] = set()

        @handler(Job)
        def job(self, message: Job) -> Any:
            self.threads.add(threading.get_ident())
            who, n = message.n
            self.got.setdefault(who, []).append(n)

        @handler
        def every(self, message: str) -> Any:
            return self.got, self.threads

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Counts, mailbox=ThreadedMailbox())

        def produce(who: int) -> None:
            for n in range(500):
                ref.tell_nowait(Job((who, n)))

        threads = [threading.Thread(target=produce, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        await joined(threads)
        got, handled_in = await ref.ask("all")
        assert got == {who: list(range(500)) for who in range(4)}
        assert handled_in == {threading.get_ident()}

    live(body)


@pytest.mark.parametrize("overflow", ["reject", "drop_newest", "drop_oldest"])
def test_of_what_threads_tell_nothing_is_lost_unseen(overflow: Any) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=ThreadedMailbox(10, overflow))
        rejected: list[Any] = []

        def produce(who: int) -> None:
            for n in range(200):
                try:
                    ref.tell_nowait(Job((who, n)))
                except MailboxFull as error:
                    rejected.append(error.message)

        threads = [threading.Thread(target=produce, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        await joined(threads)
        done = (await ref.ask(Job("end")))[:-1]
        dropped = [letter.message.n for letter in system.dead_letters]
        everything = [*done, *dropped, *(message.n for message in rejected)]
        assert sorted(everything) == sorted((who, n) for who in range(4) for n in range(200))
        for who in range(4):
            mine = [n for by, n in done if by == who]
            assert mine == sorted(mine)

    live(body)


def test_threads_that_tell_while_the_actor_stops_leave_dead_letters() -> None:
    async def body(system: ActorSystem) -> None:
        DONE.clear()
        ref = await system.spawn(Worker, mailbox=ThreadedMailbox())

        def produce(who: int) -> None:
            for n in range(200):
                ref.tell_nowait(Job((who, n)))

        threads = [threading.Thread(target=produce, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        await ref.stop("current")
        await ref.join()
        await joined(threads)
        await asyncio.sleep(0)
        dropped = [letter.message.n for letter in system.dead_letters]
        assert sorted([*DONE, *dropped]) == sorted((who, n) for who in range(4) for n in range(200))

    live(body)


def test_a_thread_that_outlives_the_loop_gets_no_error() -> None:
    kept: list[ActorRef[Any]] = []

    async def body(system: ActorSystem) -> None:
        kept.append(await system.spawn(Worker, mailbox=ThreadedMailbox()))

    live(body)
    thread = threading.Thread(target=lambda: kept[0].tell_nowait(Job(1)))
    thread.start()
    thread.join(60)
    kept[0].tell_nowait(Job(2))
    cell: Any = binding_of(kept[0])
    assert [letter.message for letter in cell.system.dead_letters] == [Job(1), Job(2)]


def test_what_a_thread_tells_has_no_sender() -> None:
    class Looks(Actor[Any]):
        def __init__(self) -> None:
            self.senders: list[Any] = []

        @handler
        async def text(self, message: str) -> None:
            self.senders.append(self.context.message.sender)
            # While this runs on the loop's thread, another tells.
            if message == "first":
                me = self.context.self_ref
                thread = threading.Thread(target=me.tell_nowait, args=("second",))
                thread.start()
                thread.join(60)

        @handler
        def every(self, message: int) -> list[Any]:
            return self.senders

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Looks, mailbox=ThreadedMailbox())
        await ref.tell("first")
        await asyncio.sleep(0)
        assert await ref.ask(1) == [None, None]

    live(body)


def test_items_may_arrive_on_another_thread() -> None:
    async def body(system: ActorSystem) -> None:
        shelf = Shelf()
        ref = await system.spawn(Worker, mailbox=Shelves(shelf))

        def produce() -> None:
            for n in range(100):
                shelf.items.append(Parcel(Job(n)))
                shelf.wake()

        threads = [threading.Thread(target=produce)]
        threads[0].start()
        await joined(threads)
        assert await ref.ask(Job("end")) == [*range(100), "end"]

    live(body)


def test_idle_actors_with_threaded_mailboxes_own_no_threads() -> None:
    """W16: the original's hold a thread each, and starve the others at 40."""

    async def body(system: ActorSystem) -> None:
        before = threading.active_count()
        refs = [await system.spawn(Worker, mailbox=ThreadedMailbox()) for _ in range(1000)]
        assert await refs[-1].ask(Job(1)) == [1]
        assert threading.active_count() == before

    live(body)


def test_a_threaded_mailbox_is_like_others_to_its_own_thread(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=ThreadedMailbox(1))
        first = await busy_for(ref, 1.0)
        await ref.tell(Job(1))
        with pytest.raises(MailboxFull):
            await ref.tell(Job(2))
        await first
        assert await finished(ref) == [1.0, 1]

    world.run(body)


# ---------------------------------------------------------------- values


def test_mailboxes_are_values() -> None:
    assert MemoryMailbox(5, "reject") == MemoryMailbox(5, "reject")
    assert len({MemoryMailbox(), MemoryMailbox(), FastMailbox(), ThreadedMailbox()}) == 3
    assert free_spawn(Worker, mailbox=MemoryMailbox(5)) == free_spawn(
        Worker, mailbox=MemoryMailbox(5)
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MemoryMailbox(0), "capacity must be at least 1, or None"),
        (lambda: MemoryMailbox(-1), "no bound, got -1"),
        (lambda: MemoryMailbox(True), "capacity must be a whole number or None, got True"),
        (lambda: MemoryMailbox(1.5), "capacity must be a whole number"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: MemoryMailbox(1, "drop"), "overflow must be one of block, reject"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: MemoryMailbox(order="lifo"), "order must be one of fifo, priority"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: MemoryMailbox(time_to_live=-1), "time_to_live must be"),
        (lambda: ThreadedMailbox(5, "block"), "must not be 'block'"),
        (lambda: ThreadedMailbox(0), "capacity must be at least 1"),
        (lambda: free_spawn(Worker, mailbox=MemoryMailbox), r"write MemoryMailbox\(\)"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: free_spawn(Worker, mailbox=5), "mailbox must be a Mailbox such as"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_written(
    make: Callable[[], Any], says: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        make()


def test_many_producers_of_all_kinds_lose_nothing(world: World) -> None:
    """Tasks, actors and programs through one slot."""

    class Producer(Actor[Any]):
        def __init__(self, ref: ActorRef[Any]) -> None:
            self.ref = ref

        @handler
        async def name(self, message: str) -> None:
            for n in range(5):
                await self.ref.tell(Job((message, n)))

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        producers = [await system.spawn(lambda: Producer(ref)) for _ in range(3)]

        async def task(name: str) -> None:
            for n in range(5):
                await ref.tell(Job((name, n)))

        def run(name: str) -> Program[Any]:
            program: Program[Any] = free_sleep(0)
            for n in range(5):
                program = program.then(free_tell(ref, Job((name, n))))
            return program

        await asyncio.gather(
            *(task(f"task {n}") for n in range(3)),
            *(each.ask(f"actor {n}") for n, each in enumerate(producers)),
            system.run_free(gather([run(f"run {n}") for n in range(3)])),
        )
        done = (await ref.ask(Job("end")))[:-1]
        assert len(done) == 45
        for name in {name for name, _ in done}:
            assert [n for who, n in done if who == name] == list(range(5))

    world.run(body)
