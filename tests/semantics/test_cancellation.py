"""Cancellation tokens: what they take back, at once, wherever it has got to."""

from __future__ import annotations

import asyncio
import gc
import pickle
import weakref
from dataclasses import dataclass
from typing import Any

import pytest
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    AskCancelled,
    AskTimeout,
    CancellationToken,
    MemoryMailbox,
    Message,
    SendOptions,
    free_ask,
    free_sleep,
    free_tell,
    handler,
)
from effactor.interpreters import ActorSystem

LOG: list[Any] = []


@dataclass(frozen=True)
class Job(Message[Any]):
    """Handled in as many seconds as it says, if that is a float."""

    n: Any


class Worker(Actor[Any]):
    @handler(Job)
    async def job(self, message: Job) -> Any:
        LOG.append(message.n)
        try:
            if isinstance(message.n, float):
                await asyncio.sleep(message.n)
        except asyncio.CancelledError:
            LOG.append("cancelled")
            raise
        return message.n


@pytest.fixture(autouse=True)
def log() -> list[Any]:
    LOG.clear()
    return LOG


def under(token: CancellationToken) -> SendOptions:
    return SendOptions(cancellation=token)


def callbacks_of(token: Any) -> Any:
    return token._callbacks


MAILBOXES = (None, MemoryMailbox(1), MemoryMailbox(order="priority"))


def test_a_cancelled_ask_that_waits_in_the_mailbox_is_never_handled(world: World) -> None:
    """O24: in the original, a message that is still queued is handled all the same."""

    async def body(system: ActorSystem) -> None:
        for mailbox in MAILBOXES:
            LOG.clear()
            ref = await system.spawn(Worker, mailbox=mailbox)
            first = asyncio.ensure_future(ref.ask(Job(10.0)))
            await asyncio.sleep(1)
            token = CancellationToken()
            asked = [
                asyncio.ensure_future(ref.ask(Job("coroutine"), options=under(token))),
                asyncio.ensure_future(
                    system.run_free(free_ask(ref, Job("program"), options=under(token)).attempt())
                ),
                ref.ask_nowait(Job("nowait"), options=under(token)),
            ]
            await asyncio.sleep(1)
            assert not any(each.done() for each in asked if isinstance(each, asyncio.Future))
            assert token.cancel("enough")
            begun = asyncio.get_running_loop().time()
            ended: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
            coroutine, program, nowait = ended
            assert asyncio.get_running_loop().time() - begun < 1
            for error in (coroutine, program.failure(), nowait):
                assert type(error) is AskCancelled
                assert error.reason == "enough"
            assert await first == 10.0
            assert await ref.ask(Job("end")) == "end"
            assert LOG == [10.0, "end"]

    world.run(body)


def test_a_handler_that_has_begun_is_cancelled_at_once_and_its_actor_goes_on(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for mailbox in MAILBOXES:
            LOG.clear()
            ref = await system.spawn(Worker, mailbox=mailbox)
            token = CancellationToken()
            asked = asyncio.ensure_future(ref.ask(Job(10.0), options=under(token)))
            await asyncio.sleep(1)
            token.cancel()
            with pytest.raises(AskCancelled):
                await asked
            assert await ref.ask(Job("end")) == "end"
            assert LOG == [10.0, "cancelled", "end"]

    world.run(body)


def test_a_handlers_program_is_interrupted(world: World) -> None:
    class Programs(Actor[Any]):
        @handler(Job)
        def job(self, message: Job) -> Any:
            return free_sleep(message.n).ensure(free_tell(self.context.self_ref, "finaliser"))

        @handler(str)
        def text(self, message: str) -> None:
            LOG.append(message)

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Programs)
        token = CancellationToken()
        asked = asyncio.ensure_future(ref.ask(Job(10.0), options=under(token)))
        await asyncio.sleep(1)
        token.cancel()
        with pytest.raises(AskCancelled):
            await asked
        await ref.ask("end")
        await ref.stop()
        await ref.join()
        assert sorted(LOG) == ["end", "finaliser"]

    world.run(body)


def test_what_is_asked_or_told_under_a_cancelled_token_is_never_handled(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        token = CancellationToken()
        token.cancel("too late")
        for mailbox in MAILBOXES:
            LOG.clear()
            ref = await system.spawn(Worker, mailbox=mailbox)
            with pytest.raises(AskCancelled, match="too late"):
                await ref.ask(Job("ask"), options=under(token))
            with pytest.raises(AskCancelled, match="too late"):
                await ref.ask_nowait(Job("ask"), options=under(token))
            with pytest.raises(AskCancelled, match="too late"):
                await system.run_free(free_ask(ref, Job("ask"), options=under(token)))
            await ref.tell(Job("tell"), options=under(token))
            assert await ref.ask(Job("end")) == "end"
            assert LOG == ["end"]
            assert [each.message for each in system.dead_letters] == [Job("tell")]
            system.dead_letters.clear()

    world.run(body)


def test_a_told_message_that_waits_is_taken_back_and_a_dead_letter(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        for mailbox in MAILBOXES:
            LOG.clear()
            system.dead_letters.clear()
            ref = await system.spawn(Worker, mailbox=mailbox)
            first = asyncio.ensure_future(ref.ask(Job(10.0)))
            await asyncio.sleep(1)
            token = CancellationToken()
            await ref.tell(Job("tell"), options=under(token))
            token.cancel()
            await first
            assert await ref.ask(Job("end")) == "end"
            assert LOG == [10.0, "end"]
            assert [each.message for each in system.dead_letters] == [Job("tell")]

    world.run(body)


def test_a_sender_that_waits_for_room_is_released_at_once(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker, mailbox=MemoryMailbox(1))
        first = asyncio.ensure_future(ref.ask(Job(10.0)))
        await asyncio.sleep(1)
        await ref.tell(Job("queued"))
        token = CancellationToken()
        waiting = [
            asyncio.ensure_future(ref.tell(Job("task"), options=under(token))),
            asyncio.ensure_future(
                system.run_free(free_tell(ref, Job("run"), options=under(token)))
            ),
        ]
        await asyncio.sleep(1)
        assert not any(each.done() for each in waiting)
        token.cancel()
        begun = asyncio.get_running_loop().time()
        await asyncio.gather(*waiting)
        assert asyncio.get_running_loop().time() - begun < 1
        assert sorted(each.message.n for each in system.dead_letters) == ["run", "task"]
        await first
        assert await ref.ask(Job("end")) == "end"
        assert LOG == [10.0, "queued", "end"]

    world.run(body)


def test_a_handler_that_cancels_its_own_token_harms_no_other_message(world: World) -> None:
    class Suicidal(Actor[Any]):
        @handler(Job)
        async def job(self, message: Job) -> Any:
            if message.n != "calm":
                if message.n == "late":
                    await asyncio.sleep(1)
                token = self.context.message.cancellation
                assert token is not None
                token.cancel("by myself")
                return "not cancelled any more"
            await asyncio.sleep(1)
            return "calm"

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Suicidal)
        for how in ("early", "late"):
            token = CancellationToken()
            asked = ref.ask_nowait(Job(how), options=under(token))
            calm = ref.ask_nowait(Job("calm"))
            with pytest.raises(AskCancelled, match="by myself"):
                await asked
            assert await calm == "calm"
            assert await ref.ask(Job("calm")) == "calm"

    world.run(body)


def test_what_a_handler_asks_meanwhile_is_under_the_same_token(world: World) -> None:
    class Asks(Actor[Any]):
        def __init__(self, target: ActorRef[Any], hands_on: bool) -> None:
            self.target = target
            self.hands_on = hands_on

        @handler(Job)
        async def job(self, message: Job) -> Any:
            token = self.context.message.cancellation
            options = SendOptions(cancellation=token) if self.hands_on else None
            return await self.target.ask(message, options=options)

    async def body(system: ActorSystem) -> None:
        for hands_on in (True, False):
            LOG.clear()
            worker = await system.spawn(Worker)
            asks = await system.spawn(lambda: Asks(worker, hands_on))  # noqa: B023
            token = CancellationToken()
            asked = asyncio.ensure_future(asks.ask(Job(10.0), options=under(token)))
            await asyncio.sleep(1)
            token.cancel()
            with pytest.raises(AskCancelled):
                await asked
            assert await worker.ask(Job("end")) == "end"
            assert LOG == [10.0, "cancelled", "end"]

    world.run(body)


def test_a_token_and_a_timeout_end_an_ask_whichever_comes_first(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Worker)
        token = CancellationToken()
        with pytest.raises(AskTimeout):
            await ref.ask(Job(10.0), timeout=1, options=under(token))
        asked = asyncio.ensure_future(ref.ask(Job("queued"), timeout=50, options=under(token)))
        await asyncio.sleep(1)
        token.cancel()
        with pytest.raises(AskCancelled):
            await asked
        assert await ref.ask(Job("end"), timeout=50) == "end"

    world.run(body)


def test_a_finished_ask_leaves_nothing_on_its_token(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        token = CancellationToken()
        for mailbox in MAILBOXES:
            ref = await system.spawn(Worker, mailbox=mailbox)
            for n in range(5):
                assert await ref.ask(Job(n), options=under(token)) == n
                assert await ref.ask(Job(n), timeout=5, options=under(token)) == n
                assert await system.run_free(free_ask(ref, Job(n), options=under(token))) == n
                await ref.ask_nowait(Job(n), options=under(token))
                await ref.tell(Job(n), options=under(token))
            await ref.ask(Job("end"))
            with pytest.raises(AskTimeout):
                await ref.ask(Job(5.0), timeout=1, options=under(token))
            await ref.stop()
            await ref.join()
        assert not callbacks_of(token)

    world.run(body)


# ---------------------------------------------------------------- tokens alone


def test_callbacks_may_use_their_own_token() -> None:
    """O24: the original's deadlock the thread."""
    token = CancellationToken()
    said: list[str] = []

    def first() -> None:
        said.append(f"first, {token.cancelled}, {token.reason}")
        assert not token.cancel("again")
        take_out_second()
        take_out_second()
        token.on_cancel(lambda: said.append("at once"))

    token.on_cancel(first)
    take_out_second = token.on_cancel(lambda: said.append("never"))
    token.on_cancel(lambda: said.append("third"))
    assert token.cancel("why")
    assert said == ["first, True, why", "at once", "third"]
    assert not token.cancel()
    assert token.reason == "why"


def test_callbacks_are_called_although_some_raise() -> None:
    token = CancellationToken()
    said: list[int] = []

    def broken() -> None:
        raise ValueError("broken")

    token.on_cancel(broken)
    token.on_cancel(lambda: said.append(1))
    token.on_cancel(broken)
    with pytest.raises(ExceptionGroup) as raised:
        token.cancel()
    assert [str(each) for each in raised.value.exceptions] == ["broken", "broken"]
    assert said == [1]


def test_a_child_is_cancelled_with_its_parent_and_alone() -> None:
    parent = CancellationToken()
    one, other = parent.child(), CancellationToken(parent)
    said: list[str] = []
    one.on_cancel(lambda: said.append("one"))
    parent.on_cancel(lambda: said.append("parent"))
    other.on_cancel(lambda: said.append(f"other, {other.reason}"))
    assert one.cancel("alone")
    assert (one.cancelled, parent.cancelled, other.cancelled) == (True, False, False)
    assert said == ["one"]
    parent.cancel("all")
    assert said == ["one", "parent", "other, all"]
    assert (one.reason, other.reason, parent.child().reason) == ("alone", "all", "all")
    assert not other.cancel()


def test_children_that_are_done_with_do_not_pile_up_under_their_parent() -> None:
    parent = CancellationToken()
    gone: list[weakref.ref[Any]] = []

    class Held:
        def callback(self) -> None:
            raise AssertionError

    for _ in range(10):
        held = Held()
        gone.append(weakref.ref(held))
        child = parent.child()
        take_out = child.on_cancel(held.callback)
        take_out()
        del held, child, take_out
    gc.collect()
    assert not callbacks_of(parent)
    assert [each() for each in gone] == [None] * 10
    # One that still has a callback is kept by its parent alone.
    said: list[str] = []
    parent.child().on_cancel(lambda: said.append("called"))
    gc.collect()
    parent.cancel()
    assert said == ["called"]


def test_a_long_line_of_tokens_and_many_callbacks_are_no_burden() -> None:
    token = first = CancellationToken()
    for _ in range(20_000):
        token = token.child()
    assert not token.cancelled
    first.cancel("deep")
    assert token.reason == "deep"
    many = CancellationToken()
    calls: list[int] = []
    for n in range(100_000):
        many.on_cancel(lambda n=n: calls.append(n))  # type: ignore[misc]
    many.cancel()
    assert calls == list(range(100_000))


def test_a_token_says_what_it_is_and_refuses_what_it_is_not() -> None:
    token = CancellationToken()
    assert repr(token) == "<CancellationToken not cancelled>"
    wrong: Any = 5
    with pytest.raises(TypeError, match="callback must be a function, got 5"):
        token.on_cancel(wrong)
    with pytest.raises(TypeError, match="parent must be a CancellationToken, got 5"):
        CancellationToken(wrong)
    with pytest.raises(TypeError, match="reason must be a text, got 5"):
        token.cancel(wrong)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(token)
    token.cancel("enough")
    assert repr(token) == "<CancellationToken cancelled 'enough'>"
    with pytest.raises(TypeError, match="cancellation must be a CancellationToken, got 5"):
        SendOptions(cancellation=wrong)
