"""Envelopes: what travels with a message, and what its handler sees of it."""

from __future__ import annotations

import asyncio
import functools
import gc
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override
from worlds import World, in_one_of_each

from effactor import (
    Actor,
    ActorRef,
    AskTimeout,
    Do,
    Envelope,
    MemoryMailbox,
    Message,
    Priority,
    Program,
    SendOptions,
    free_ask,
    free_sleep,
    free_tell,
    gather,
    handler,
    program,
    pure,
    schedule_once,
    stash,
    unstash_all,
)
from effactor.actors.reading import reads_envelopes
from effactor.interpreters import ActorSystem
from effactor_interpreters.runtime.letters import Letter


@dataclass(frozen=True)
class Look(Message[dict[str, Any]]):
    """Answered with the envelope that it came in."""


@dataclass(frozen=True)
class Pass(Message[Any]):
    """Asks or tells somebody else to look."""

    to: ActorRef[Any]
    how: str = "ask"


def facts(envelope: Envelope) -> dict[str, Any]:
    return {
        "id": envelope.id,
        "correlation": envelope.correlation_id,
        "sender": None if envelope.sender is None else envelope.sender.path,
        "kind": envelope.kind,
        "sent": envelope.sent_at,
        "deadline": envelope.deadline,
        "headers": dict(envelope.headers),
        "priority": envelope.priority,
    }


class Looks(Actor[Any]):
    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    @handler
    async def look(self, message: Look) -> dict[str, Any]:
        seen = facts(self.context.message)
        if seen["kind"] == "tell":
            self.told.append(seen)
        return seen

    @handler(str)
    def all_told(self, message: str) -> list[dict[str, Any]]:
        return self.told


class Passes(Actor[Any]):
    @handler(Pass)
    async def on_pass(self, message: Pass) -> Any:
        if message.how == "ask":
            return await message.to.ask(Look())
        if message.how == "program":
            return await self.context.run_free(free_ask(message.to, Look()))
        if message.how == "branches":
            both = gather([free_ask(message.to, Look()), free_ask(message.to, Look())])
            return (await self.context.run_free(both))[1]
        if message.how == "nowait":
            return await message.to.ask_nowait(Look())
        await message.to.tell(Look())
        return (await message.to.ask("told"))[-1]


def test_the_sender_is_the_actor_or_run_that_sent_it(world: World) -> None:
    """W40: the original has a field for the sender, and nobody sets it."""

    async def body(system: ActorSystem) -> None:
        looks = await system.spawn(Looks, "looks")
        passes = await system.spawn(Passes, "passes")
        for how in ("ask", "program", "branches", "nowait", "tell"):
            seen = await passes.ask(Pass(looks, how))
            assert seen["sender"] == "/passes", how
            assert seen["kind"] == ("tell" if how == "tell" else "ask")
        assert (await looks.ask(Look()))["sender"] is None
        assert (await system.run_free(free_ask(looks, Look())))["sender"].startswith("/")
        await system.run_free(free_tell(looks, Look()).named("checkout"))
        assert (await looks.ask("told"))[-1]["sender"] is not None

    world.run(body)


def test_the_sender_of_what_a_timer_tells_is_whoever_set_it(world: World) -> None:
    class Sets(Actor[Any]):
        @handler(Pass)
        def on_pass(self, message: Pass) -> Program[Any]:
            return schedule_once(1, message.to, Look()).then(pure(None))

    async def body(system: ActorSystem) -> None:
        looks = await system.spawn(Looks)
        sets = await system.spawn(Sets, "sets")
        await sets.ask(Pass(looks))
        await asyncio.sleep(2)
        await asyncio.sleep(2)
        assert [each["sender"] for each in await looks.ask("told")] == ["/sets"]

    world.run(body)


def test_a_message_carries_what_its_sender_added(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        looks = await system.spawn(Looks)
        options = SendOptions(
            id="message 1",
            correlation_id="order 42",
            headers={"locale": "de", "n": 5},
            priority=7,
        )
        told = looks.ask("told")
        assert await told == []
        for seen in (
            await looks.ask(Look(), options=options),
            await looks.ask_nowait(Look(), options=options),
            await system.run_free(free_ask(looks, Look(), options=options)),
            await system.run_free(looks.free_ask(Look(), options=options)),
        ):
            assert seen["id"] == "message 1"
            assert seen["correlation"] == "order 42"
            assert seen["headers"] == {"locale": "de", "n": 5}
            assert seen["priority"] == 7
        await looks.tell(Look(), options=options)
        looks.tell_nowait(Look(), options=options)
        await asyncio.sleep(1)
        await system.run_free(free_tell(looks, Look(), options=options))
        all_told = await looks.ask("told")
        assert {each["id"] for each in all_told} == {"message 1"}

    world.run(body)


def test_ids_differ_and_a_message_is_its_own_conversation(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        looks = await system.spawn(Looks)
        seen = [await looks.ask(Look()) for _ in range(20)]
        assert len({each["id"] for each in seen}) == 20
        assert all(each["correlation"] == each["id"] for each in seen)

    world.run(body)


def test_a_conversation_goes_on_in_what_its_handlers_send(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        looks = await system.spawn(Looks)
        passes = await system.spawn(Passes)
        options = SendOptions(correlation_id="order 42")
        for how in ("ask", "program", "branches", "nowait", "tell"):
            seen = await passes.ask(Pass(looks, how), options=options)
            assert seen["correlation"] == "order 42", how
            seen = await passes.ask(Pass(looks, how))
            assert seen["correlation"] == seen["id"], how

    world.run(body)


@in_one_of_each
def test_a_conversation_without_end_keeps_no_letters(world: World) -> None:
    class Ticker(Actor[Any]):
        @handler(int)
        async def tick(self, message: int) -> None:
            if message:
                await self.context.self_ref.tell(message - 1)
            else:
                self.told = self.context.message.correlation_id

        @handler(str)
        def text(self, message: str) -> Any:
            gc.collect()
            letters = sum(type(each) is Letter for each in gc.get_objects())
            return letters < 100, self.told

    async def body(system: ActorSystem) -> None:
        ticker = await system.spawn(Ticker)
        await ticker.tell(2000, options=SendOptions(correlation_id="without end"))
        await asyncio.sleep(1000)
        assert await ticker.ask("gone?") == (True, "without end")

    world.run(body)


def test_times_are_of_the_worlds_clock(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        looks = await system.spawn(Looks, mailbox=MemoryMailbox(5))
        seen = await looks.ask(Look(), timeout=5)
        assert abs(seen["deadline"] - seen["sent"] - timedelta(seconds=5)) < timedelta(seconds=1)
        assert (await looks.ask(Look()))["deadline"] is None
        later = await looks.ask(Look())
        assert later["sent"] >= seen["sent"]
        assert seen["sent"].tzinfo is not None

    world.run(body)


def test_a_deadline_reaches_what_the_handler_asks(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        looks = await system.spawn(Looks)
        passes = await system.spawn(Passes)
        for how in ("ask", "program", "branches", "nowait"):
            direct = await looks.ask(Look(), timeout=5)
            seen = await passes.ask(Pass(looks, how), timeout=5)
            assert seen["deadline"] is not None, how
            assert seen["deadline"] - direct["deadline"] < timedelta(seconds=5)

    world.run(body)


class Sleeper(Actor[Any]):
    def __init__(self) -> None:
        self.done: list[Any] = []

    @handler(float)
    async def slow(self, message: float) -> None:
        await asyncio.sleep(message)

    @handler(str)
    def text(self, message: str) -> list[Any]:
        self.done.append(message)
        return self.done


def test_a_timed_out_ask_that_is_still_queued_is_never_handled(world: World) -> None:
    """W12: in the original it is handled, though nobody waits any more."""

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Sleeper)
        first = asyncio.ensure_future(ref.ask(5.0))
        await asyncio.sleep(1)
        with pytest.raises(AskTimeout):
            await ref.ask("coroutine", timeout=1)
        with pytest.raises(AskTimeout):
            await ref.ask_nowait("nowait", timeout=1)
        with pytest.raises(AskTimeout):
            await system.run_free(free_ask(ref, "program", timeout=1))
        await system.run_free(free_ask(ref, "deadline").timeout(0.5).attempt())
        await first
        assert await ref.ask("end") == ["end"]

    world.run(body)


def test_each_message_has_its_own_envelope_also_after_waiting(world: World) -> None:
    class Slow(Actor[Any]):
        @handler(str)
        async def text(self, message: str) -> Any:
            before = self.context.message
            await asyncio.sleep(1)
            await self.context.run_free(free_sleep(1))
            after = self.context.message
            return before is after, after.headers["word"] == message

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Slow)
        answers = await asyncio.gather(
            *(ref.ask(word, options=SendOptions(headers={"word": word})) for word in "abc")
        )
        assert answers == [(True, True)] * 3

    world.run(body)


def test_a_message_set_aside_keeps_its_envelope(world: World) -> None:
    class Shop(Actor[Any]):
        is_open = False

        @handler(int)
        def number(self, message: int) -> Any:
            if not self.is_open:
                return stash()
            return self.context.message.headers["n"]

        @handler(str)
        def opens(self, message: str) -> Program[Any]:
            self.is_open = True
            return unstash_all()

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Shop)
        asked = asyncio.ensure_future(ref.ask(1, options=SendOptions(headers={"n": "one"})))
        await asyncio.sleep(1)
        await ref.ask("open")
        assert await asked == "one"

    world.run(body)


def test_a_handlers_priority_counts_unless_the_sender_says_otherwise(world: World) -> None:
    class Desk(Actor[Any]):
        @handler(priority=5)
        async def look(self, message: Look) -> dict[str, Any]:
            return facts(self.context.message)

    async def body(system: ActorSystem) -> None:
        desk = await system.spawn(Desk)
        assert (await desk.ask(Look()))["priority"] == 5
        assert (await desk.ask(Look(), options=SendOptions(priority=-1)))["priority"] == -1
        assert (await desk.ask(Look(), options=SendOptions()))["priority"] == 5

    world.run(body)
    assert Priority(5)


def test_outside_of_a_message_there_is_no_envelope(world: World) -> None:
    class Early(Actor[Any]):
        @override
        async def on_started(self) -> None:
            with pytest.raises(RuntimeError, match=r"Early#1 handles no message here"):
                _ = self.context.message

        @handler(str)
        def text(self, message: str) -> Any:
            return self.context.message.kind

    class Helped(Actor[Any]):
        @handler(str)
        def text(self, message: str) -> Any:
            return kind_of(self)

    class Stated(Helped):
        envelopes = True

    def kind_of(actor: Actor[Any]) -> str:
        return actor.context.message.kind

    async def body(system: ActorSystem) -> None:
        early = await system.spawn(Early)
        assert await early.ask("hi") == "ask"
        helped = await system.spawn(Helped)
        with pytest.raises(RuntimeError, match="write `envelopes = True` in the class Helped"):
            await helped.ask("hi")
        stated = await system.spawn(Stated)
        assert await stated.ask("hi") == "ask"

    world.run(body)


# ---------------------------------------------------------------- who reads


def test_whether_a_class_reads_envelopes_is_seen_in_its_methods() -> None:
    class Nothing(Actor[Any]):
        @handler(str)
        def text(self, message: str) -> Any:
            return self.context.self_ref

    class Async(Actor[Any]):
        @handler(str)
        async def text(self, message: str) -> Any:
            return self.context.message.id

    class Programs(Actor[Any]):
        @handler(str)
        @program
        def text(self, message: str) -> Do[Any]:
            yield from free_sleep(0)
            return self.context.message.id

    class CatchAll(Actor[Any]):
        @override
        def on_receive(self, message: Any) -> Any:
            return self.context.message.id

    class InLambda(Actor[Any]):
        @override
        def on_receive(self, message: Any) -> Any:
            return list(map(lambda _: self.context.message.id, [1]))  # noqa: C417

    class InProperty(Actor[Any]):
        @property
        def envelope(self) -> Any:
            return self.context.message

    class InCached(Actor[Any]):
        @functools.cached_property
        def envelope(self) -> Any:
            return self.context.message

    class Inherits(Async):
        pass

    class Mixin:
        def helper(self) -> Any:
            context: Any = getattr(self, "context")  # noqa: B009
            return context.message

    class Mixed(Mixin, Actor[Any]):
        @property
        @override
        def context(self) -> Any:
            return super().context

    class Denies(Async):
        envelopes = False

    class InGuard(Actor[Any]):
        @handler(str, when=lambda self, _: self.context.message.headers)
        def text(self, message: str) -> Any:
            return 1

    assert not reads_envelopes(Nothing)
    assert not reads_envelopes(Denies)
    for cls in (Async, Programs, CatchAll, InLambda, InProperty, InCached, Inherits, InGuard):
        assert reads_envelopes(cls), cls
    assert not reads_envelopes(Mixed)  # it says `envelopes = True`


# ---------------------------------------------------------------- values


def test_options_are_values() -> None:
    assert SendOptions(id="a", headers={"x": [1]}) == SendOptions(id="a", headers={"x": [1]})
    assert hash(SendOptions(headers={"x": [1]})) == hash(SendOptions(headers={"x": [1]}))
    ref: ActorRef[Any] = ActorRef.at("/a")
    assert free_ask(ref, 1, options=SendOptions(id="a")) == free_ask(
        ref, 1, options=SendOptions(id="a")
    )
    assert free_ask(ref, 1, options=SendOptions(id="a")) != free_ask(ref, 1)


def test_headers_do_not_change_after_they_were_sent() -> None:
    headers = {"a": 1}
    options = SendOptions(headers=headers)
    headers["a"] = 2
    assert options.headers == {"a": 1}


def test_a_handler_cannot_change_the_headers_for_others(world: World) -> None:
    class Rude(Actor[Any]):
        @handler(str)
        async def text(self, message: str) -> None:
            headers: Any = self.context.message.headers
            headers["a"] = 2

    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Rude)
        options = SendOptions(headers={"a": 1})
        with pytest.raises(TypeError):
            await ref.ask("hi", options=options)
        assert options.headers == {"a": 1}

    world.run(body)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"id": 5}, "SendOptions: id must be a text, got 5"),
        ({"correlation_id": b"x"}, "correlation_id must be a text"),
        ({"headers": {5: "x"}}, "headers must be a mapping from names to values"),
        ({"headers": "x"}, "headers must be a mapping from names to values"),
        ({"headers": ["x"]}, "headers must be a mapping from names"),
        ({"headers": None}, "headers must be a mapping"),
        ({"priority": 1.5}, "priority must be a whole number, got 1.5"),
        ({"priority": True}, "priority must be a whole number, got True"),
        ({"time_to_live": -1}, "time_to_live must be"),
        ({"time_to_live": "5"}, "time_to_live must be a number"),
        ({"cancellation": 5}, "cancellation must be a CancellationToken"),
    ],
    ids=str,
)
def test_what_no_message_can_carry_is_refused_when_it_is_written(
    wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        SendOptions(**wrong)


def test_options_of_another_kind_are_refused_where_they_are_given(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        ref = await system.spawn(Looks)
        wrong: Any = {"priority": 5}
        with pytest.raises(TypeError, match="options must be"):
            await ref.ask(Look(), options=wrong)
        with pytest.raises(TypeError, match="options must be"):
            await ref.tell(Look(), options=wrong)
        with pytest.raises(TypeError, match="options must be"):
            _ = free_ask(ref, Look(), options=wrong)
        with pytest.raises(TypeError, match="options must be"):
            ref.tell_nowait(Look(), wrong)

    world.run(body)


@dataclass(frozen=True)
class PassOn(Message[Any]):
    """Ask the first of these, who asks the next; the last one sleeps."""

    others: tuple[Any, ...]


class Hop(Actor[PassOn]):
    """Asks without a timeout of its own, in an `async def` handler."""

    @handler
    async def go(self, message: PassOn) -> Any:
        if not message.others:
            await asyncio.sleep(100)
            return "late"
        try:
            return await message.others[0].ask(PassOn(message.others[1:]))
        except AskTimeout as error:
            timed_out.append((error.target, round(error.timeout, 1)))
            raise


timed_out: list[Any] = []


def test_the_plain_asks_of_a_handler_inherit_the_deadline_of_its_asker(world: World) -> None:
    timed_out.clear()

    async def body(system: ActorSystem) -> Any:
        a, b, c = [await system.spawn(Hop, name) for name in "abc"]
        with pytest.raises(AskTimeout):
            await a.ask(PassOn((b, c)), timeout=5)
        # Nothing of it is left for who asks without a deadline.
        return await c.ask(PassOn(()))

    assert world.run(body) == "late"
    # In the tick in which the time is over, which of them are first to say so is open.
    assert ("/sim/c", 5) in timed_out
