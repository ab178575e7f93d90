"""What programs mean, in every world: operations, failures, finalisers, interrupts."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from returns.result import Failure, Success
from typing_extensions import override
from worlds import World

from effactor import (
    Actor,
    AskFailed,
    Died,
    Do,
    Effect,
    Exit,
    FailedWith,
    Message,
    Succeeded,
    UnhandledEffect,
    catch,
    fail,
    free_ask,
    free_call,
    free_log,
    free_now,
    free_random,
    free_sleep,
    free_tell,
    free_uuid,
    handle,
    handler,
    perform,
    program,
    pure,
)
from effactor.interpreters import ActorSystem

log: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@dataclass(frozen=True)
class Note(Message[int]):
    text: str


class Notes(Actor[Note]):
    """Keeps notes in order."""

    @handler
    async def note(self, message: Note) -> int:
        await asyncio.sleep(0)
        log.append(message.text)
        return len(log)


class Lost(Exception):
    """A failure of these tests."""


def run(world: World, value: Any) -> Any:
    async def body(system: ActorSystem) -> Any:
        return await system.run_free(value)

    return world.run(body)


def test_the_sleep_of_a_program_takes_its_time(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await system.run_free(free_sleep(30.0).then(free_sleep(0)).then(free_sleep(12)))
        return loop.time() - before

    assert world.run(body) == pytest.approx(42, abs=0.5)


def test_clock_chance_and_identity(world: World) -> None:
    @program
    def draw() -> Do[Any]:
        now = yield from free_now()
        number = yield from free_random()
        one = yield from free_uuid()
        two = yield from free_uuid()
        return now, number, one, two

    now, number, one, two = run(world, draw())
    assert isinstance(now, datetime)
    assert now.tzinfo is UTC
    assert 0 <= number < 1
    assert isinstance(one, UUID)
    assert one != two
    assert one.version == 4


def test_log_writes_with_fields(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "effactor.program"):
        run(world, free_log("info", "sold", sku="tea").then(free_log("debug", "not shown")))
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("INFO", "sold sku='tea'")]


def double(n: int) -> int:
    log.append(n)
    return n * 2


async def double_later(n: int) -> int:
    await asyncio.sleep(5)
    return double(n)


async def fail_later(n: int) -> int:
    await asyncio.sleep(5)
    raise Lost(n)


@pytest.mark.parametrize("function", [double, double_later])
def test_a_call_answers_what_the_function_answers(world: World, function: Any) -> None:
    assert run(world, free_call(function, n=4)) == 8
    assert log == [4]


def test_what_a_call_raises_is_a_defect_until_refined(world: World) -> None:
    with pytest.raises(Lost):
        run(world, free_call(fail_later, 1).attempt())
    outcome = run(world, free_call(fail_later, 1).refine(Lost).attempt())
    assert isinstance(outcome.failure(), Lost)
    assert isinstance(run(world, free_call(fail_later, 2).exit()), Died)


def test_failures_skip_to_their_recovery(world: World) -> None:
    failing = fail(Lost("x")).map(lambda _: log.append("never"))
    assert run(world, failing.lash(lambda e: pure(str(e)))) == "x"
    assert run(world, failing.alt(lambda e: KeyError(str(e))).attempt()).failure().args == ("x",)
    assert run(world, catch(Lost)(lambda e: pure(e.args))(failing)) == ("x",)
    assert run(world, failing.exit()).error.args == ("x",)
    with pytest.raises(Lost):
        run(world, catch(KeyError)(lambda _: pure(1))(failing))
    assert log == []


def test_success_skips_the_recoveries(world: World) -> None:
    assert run(world, pure(1).lash(lambda _: pure(2))) == 1
    assert run(world, catch(Lost)(lambda _: pure(2))(pure(1))) == 1
    assert run(world, pure(1).attempt()) == Success(1)
    assert run(world, pure(1).exit()) == Succeeded(1)


def test_tap_keeps_the_answer_and_then_drops_it(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        notes = await system.spawn(Notes)
        kept = await system.run_free(pure("a").tap(lambda text: free_ask(notes, Note(text))))
        dropped = await system.run_free(free_ask(notes, Note("b")).then(pure("c")))
        return kept, dropped

    assert world.run(body) == ("a", "c")
    assert log == ["a", "b"]


def test_a_block_catches_failures_with_except(world: World) -> None:
    @program
    def block() -> Do[str, Lost]:
        try:
            yield from fail(Lost("x"))
        except Lost as error:
            return f"caught {error}"
        return "not caught"

    assert run(world, block()) == "caught x"


def test_a_failure_passes_through_finally_and_stays_a_failure(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        notes = await system.spawn(Notes)

        @program
        def block() -> Do[None, Lost]:
            try:
                yield from fail(Lost("x"))
            finally:
                yield from free_ask(notes, Note("cleaned")).attempt()

        return await system.run_free(block().exit())

    outcome: Exit[Any, Any] = world.run(body)
    assert isinstance(outcome, FailedWith)
    assert isinstance(outcome.error, Lost)
    assert log == ["cleaned"]


def test_an_exception_in_a_block_is_a_defect(world: World) -> None:
    @program
    def block() -> Do[None]:
        yield from pure(1)
        raise Lost

    assert isinstance(run(world, block().exit()), Died)
    with pytest.raises(Lost):
        run(world, block().lash(lambda _: pure(None)))


def test_another_exception_in_an_except_is_a_defect(world: World) -> None:
    @program
    def block() -> Do[None, Lost]:
        try:
            yield from fail(Lost("x"))
        except Lost as error:
            raise KeyError("y") from error

    outcome = run(world, block().exit())
    assert isinstance(outcome.defect, KeyError)
    assert isinstance(outcome.defect.__cause__, Lost)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (pure(1), Succeeded(1)),
        (fail("no"), FailedWith("no")),
        (free_call(int, "x"), Died),
        (free_sleep(1).then(pure(2)), Succeeded(2)),
    ],
)
def test_ensure_runs_once_however_it_ends(world: World, source: Any, expected: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        notes = await system.spawn(Notes)
        inner = source.ensure(free_ask(notes, Note("inner")).attempt())
        return await system.run_free(inner.ensure(free_ask(notes, Note("outer")).attempt()).exit())

    outcome = world.run(body)
    assert outcome == expected or isinstance(outcome, expected)
    assert log == ["inner", "outer"]


def test_a_defect_in_a_finaliser_wins(world: World) -> None:
    broken = pure(1).ensure(free_call(int, "x"))
    assert isinstance(run(world, broken.exit()), Died)
    outcome = run(world, free_call(int, "first").ensure(free_call(int, "second")).exit())
    assert "second" in str(outcome.defect)
    assert "first" in str(outcome.defect.__context__)


def test_cancelling_a_run_interrupts_it_and_waits_for_its_finalisers(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        notes = await system.spawn(Notes)

        @program
        def block() -> Do[Any, AskFailed]:
            try:
                yield from free_sleep(1000)
            finally:
                yield from free_ask(notes, Note("finally"))

        value = block().ensure(free_sleep(3).then(free_tell(notes, Note("ensured"))))
        task = asyncio.ensure_future(system.run_free(value.lash(lambda _: pure("swallowed"))))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log[0] == "finally"
        await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    world.run(body)
    assert log == ["finally", "ensured"]


def test_a_block_cannot_swallow_an_interrupt(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        @program
        def stubborn() -> Do[str]:
            try:
                yield from free_sleep(1000)
            except BaseException:
                log.append("caught")
            yield from free_sleep(1)
            log.append("went on, masked")
            return "ended"

        task = asyncio.ensure_future(system.run_free(stubborn().map(log.append)))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)
    assert log == ["caught", "went on, masked"]


def test_an_interrupted_call_is_cancelled_and_awaited(world: World) -> None:
    async def slow() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            log.append("call ended")

    async def body(system: ActorSystem) -> Any:
        value = free_call(slow).ensure(free_call(log.append, "ensured"))
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)
    assert log == ["call ended", "ensured"]


class RunsLong(Actor[str]):
    """Its handler is a program that lasts."""

    @handler
    @program
    def run(self, message: str) -> Do[str]:
        yield from free_sleep(1000).ensure(free_call(log.append, f"{message} ended"))
        return message


class AwaitsLong(RunsLong):
    """The same, run by an `async def` handler."""

    @override
    @handler
    async def run(self, message: str) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return await self.context.run_free(super().run(message))


@pytest.mark.parametrize("actor", [RunsLong, AwaitsLong])
def test_killing_an_actor_interrupts_the_program_it_runs(world: World, actor: Any) -> None:
    async def body(system: ActorSystem) -> Any:
        ref = await system.spawn(actor)
        ask = asyncio.ensure_future(ref.ask("x"))
        await asyncio.sleep(1)
        await ref.stop("now")
        await ref.join()
        assert log == ["x ended"]
        with pytest.raises(AskFailed):
            await ask

    world.run(body)


def test_shutdown_interrupts_runs(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        value = free_sleep(1000).ensure(free_call(log.append, "ended"))
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        await system.shutdown()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)
    assert log == ["ended"]


def test_an_interrupted_ask_in_the_mailbox_is_never_handled(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        notes = await system.spawn(Notes)

        class Busy(Actor[str]):
            @override
            async def on_receive(self, message: str) -> None:
                await asyncio.sleep(10)
                log.append(message)

        busy = await system.spawn(Busy)
        await busy.tell("first")
        await asyncio.sleep(1)
        task = asyncio.ensure_future(system.run_free(free_ask(busy, "second")))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.sleep(30)
        await notes.ask(Note("end"))

    world.run(body)
    assert log == ["first", "end"]


@dataclass(frozen=True)
class Sql(Effect[list[str]]):
    query: str


@dataclass(frozen=True)
class Count(Effect[int]):
    of: str


def test_effects_are_answered_by_the_nearest_handler(world: World) -> None:
    @program
    def work() -> Do[Any, Any, Any]:
        rows = yield from perform(Sql("q"))
        inner = yield from handle(Sql)(lambda op: [op.query, "inner"])(perform(Sql("r")))
        again = yield from perform(Sql("s"))
        return rows, inner, again

    outer = handle(Sql)(lambda op: [op.query, "outer"])(work())
    assert run(world, outer) == (["q", "outer"], ["r", "inner"], ["s", "outer"])


def test_effects_of_a_handlers_program_go_to_the_handlers_outside(world: World) -> None:
    def count(op: Count) -> Any:
        return perform(Sql(op.of)).map(len)

    value = handle(Sql)(lambda op: [op.query] * 3)(
        handle(Count)(count)(handle(Sql)(lambda _: [])(perform(Count("x")).map(str)))
    )
    # Count's program runs in Count's surroundings, where Sql means three rows.
    assert run(world, value) == "3"


def test_a_handler_may_fail_and_its_failure_arises_at_the_perform(world: World) -> None:
    failing = handle(Sql)(lambda _: fail(Lost("db")))
    assert run(world, failing(perform(Sql("q")).map(len)).attempt()).failure().args == ("db",)
    inside: Any = perform(Sql("q")).lash(lambda e: pure(str(e)))
    assert run(world, failing(inside)) == "db"


def test_an_effect_that_nobody_handles_says_how_to(world: World) -> None:
    with pytest.raises(UnhandledEffect, match=r"wrap the program in handle\(Sql\)\(function\)"):
        run(world, perform(Sql("q")))
    # After the handler's program has ended its effects are not handled any more.
    with pytest.raises(UnhandledEffect):
        run(world, handle(Sql)(lambda _: [])(pure(1)).then(perform(Sql("q"))))


def test_the_same_value_runs_again_and_again(world: World) -> None:
    @program
    def block(n: int) -> Do[int]:
        log.append(n)
        yield from free_sleep(1)
        return n + 1

    value = block(1).bind(block)

    async def body(system: ActorSystem) -> Any:
        return await system.run_free(value), await system.run_free(value)

    assert world.run(body) == (3, 3)
    assert log == [1, 2, 1, 2]


def test_a_program_that_never_waits_lets_others_run(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        @program
        def busy() -> Do[None]:
            while not log:
                yield from pure(None)

        async def other() -> None:
            await asyncio.sleep(0)
            log.append("other")

        await asyncio.gather(system.run_free(busy()), other())

    world.run(body)
    assert log == ["other"]


def test_named_programs_say_where_a_defect_arose(world: World) -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        run(world, free_call(int, "x").named("parse").map(str).named("whole"))
    notes = ["in /sim/whole#1: call int('x')", "in 'parse'", "in 'whole'"]
    assert caught.value.__notes__ == notes


def test_pipe_applies_a_function_to_the_program(world: World) -> None:
    assert run(world, pure(2).pipe(lambda p: p.map(lambda n: n + 1))) == 3


def test_what_is_no_program_is_refused(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        with pytest.raises(TypeError, match="run_free: program must be a Program, got 3"):
            await system.run_free(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(TypeError, match="call it: it is a function that makes a program"):
            await system.run_free(test_the_same_value_runs_again_and_again)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(TypeError, match=r"functions given to bind, .* must return a Program"):
            await system.run_free(pure(1).bind(lambda _: 3))  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType, reportUnknownArgumentType]

    world.run(body)


def test_attempt_gives_a_result_of_returns(world: World) -> None:
    assert run(world, fail("x").attempt()) == Failure("x")


def test_an_interrupt_during_a_finaliser_comes_after_it(world: World) -> None:
    async def body(system: ActorSystem) -> Any:
        cleaned = free_sleep(5).then(free_call(log.append, "cleaned"))
        value = pure(1).ensure(cleaned).then(free_call(log.append, "went on"))
        task = asyncio.ensure_future(system.run_free(value))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    world.run(body)
    assert log == ["cleaned"]
