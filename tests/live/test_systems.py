"""A live system and its event loop: which comes first, which ends first, and which is another's."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import Actor, ActorRef, ActorStopped
from effactor.interpreters import ActorSystem

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

log: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> Iterator[None]:
    log.clear()
    yield
    gc.collect()  # what a test forgot must not show in the next one


class Echo(Actor[str]):
    @override
    def on_stopped(self) -> None:
        log.append("stopped")

    @override
    async def on_receive(self, message: str) -> str:
        if message == "wait":
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(0)
                log.append("cleaned up")
        return message


def run_and_close(main: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine as code does that has never heard of asyncio.run."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main)
    loop.close()


async def use(system: ActorSystem) -> ActorRef[str]:
    """Leave a handler that waits, with mail behind it."""
    ref = await system.spawn(Echo, "echo")
    await ref.tell("wait")
    await ref.tell("later")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return ref


def test_a_system_is_built_before_its_loop() -> None:
    system = ActorSystem("bank")

    async def main() -> None:
        ref = await system.spawn(Echo, "echo")
        assert await ref.ask("hello") == "hello"
        await system.shutdown()

    asyncio.run(main())
    assert log == ["stopped"]


def test_without_a_loop_a_system_says_what_it_needs() -> None:
    spawning = ActorSystem("bank").spawn(Echo)
    with pytest.raises(RuntimeError, match=r"'bank' starts in a running event loop.*asyncio\.run"):
        spawning.send(None)


def test_without_a_loop_an_actor_does_not_start() -> None:
    starting = Echo().start()
    with pytest.raises(RuntimeError, match=r"start: no event loop runs here; await Echo\(\.\.\.\)"):
        starting.send(None)


def test_a_loop_that_closes_over_a_system_warns_once_and_ends_it() -> None:
    system = ActorSystem("bank")
    with pytest.warns(RuntimeWarning, match="'bank' was never shut down.*async with") as caught:
        ref = asyncio.run(use(system))
    gc.collect()
    assert len(caught) == 1
    assert log == ["cleaned up", "stopped"]
    assert not ref.is_alive


def test_a_system_that_was_shut_down_warns_of_nothing() -> None:
    async def main() -> None:
        system = ActorSystem("bank")
        await use(system)
        await system.shutdown(timeout=0.0)
        async with ActorSystem("shop"):
            pass

    asyncio.run(main())
    assert log == ["cleaned up", "stopped"]


def test_a_loop_closed_by_hand_warns_once_it_is_noticed() -> None:
    system = ActorSystem("bank")
    run_and_close(use(system))
    del system
    with pytest.warns(RuntimeWarning, match="'bank' was never shut down") as caught:
        gc.collect()
    assert len(caught) == 1


def test_a_system_does_not_outlive_its_loop() -> None:
    system = ActorSystem("bank")
    run_and_close(use(system))

    async def main() -> None:
        with pytest.raises(RuntimeError, match="'bank' has closed, and the system ended with it"):
            await system.spawn(Echo)

    with pytest.warns(RuntimeWarning, match="never shut down") as caught:
        asyncio.run(main())
    assert len(caught) == 1
    with pytest.raises(RuntimeError, match="make a new ActorSystem in each event loop"):
        system.spawn(Echo).send(None)


def test_a_forgotten_system_warns_too() -> None:
    async def main() -> None:
        system = ActorSystem("bank")
        await system.spawn(Echo)
        del system
        with pytest.warns(RuntimeWarning, match="'bank' was never shut down"):
            gc.collect()

    asyncio.run(main())


def test_warnings_as_errors_do_not_keep_a_system_alive() -> None:
    system = ActorSystem("bank")
    heard: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
        await use(system)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())
    assert log == ["cleaned up", "stopped"]
    assert [type(context["exception"]) for context in heard] == [RuntimeWarning]


def test_another_loop_is_told_what_to_call_and_changes_nothing() -> None:
    async def main() -> None:
        async with ActorSystem("bank") as system:
            ref = await system.spawn(Echo)
            errors: list[Exception] = []

            def elsewhere() -> None:
                for use in (system.spawn(Echo), system.ask(ref, "x"), system.tell(ref, "x")):
                    try:
                        asyncio.run(use)
                    except RuntimeError as error:
                        errors.append(error)

            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            assert len(errors) == 3
            for error in errors:
                assert "belongs to another event loop: call ref.tell_threadsafe" in str(error)
            # The timers are still this loop's.
            with pytest.raises(Exception, match=r"within 0\.01 s"):
                await ref.ask("wait", timeout=0.01)
            await ref.stop("now")

    asyncio.run(main())


def test_a_thread_without_a_loop_is_told_what_to_call() -> None:
    async def main() -> None:
        async with ActorSystem("bank") as system:
            ref = await system.spawn(Echo)

            def elsewhere() -> str:
                with pytest.raises(RuntimeError) as caught:
                    system.ask(ref, "x").send(None)
                return str(caught.value)

            said = await asyncio.to_thread(elsewhere)
            assert "no loop runs here: call ref.tell_threadsafe or ref.ask_threadsafe" in said

    asyncio.run(main())


def test_an_idle_started_instance_ends_with_its_loop_silently() -> None:
    async def main() -> ActorRef[str]:
        ref = await Echo().start()
        assert await ref.ask("hello") == "hello"
        return ref

    ref = asyncio.run(main())
    assert log == ["stopped"]
    assert not ref.is_alive


def test_a_started_instance_that_is_at_work_ends_with_its_loop_and_a_warning() -> None:
    async def main() -> None:
        ref = await Echo().start("bob")
        await ref.tell("wait")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with pytest.warns(RuntimeWarning, match=r"/bob was never stopped.*await ref\.stop") as caught:
        asyncio.run(main())
    assert len(caught) == 1
    assert log == ["cleaned up", "stopped"]


def test_nothing_is_left_of_a_private_system() -> None:
    async def main() -> None:
        echo = Echo()
        ref = await echo.start()
        system = weakref.ref(echo.context.system)
        await ref.stop()
        await ref.join()
        with pytest.raises(ActorStopped):
            await ref.ask("hello")
        del echo, ref
        gc.collect()
        assert system() is None

    asyncio.run(main())
    assert log == ["stopped"]
