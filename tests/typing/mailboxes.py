"""Messages that are set aside, and messages that are told later."""

from __future__ import annotations

from typing import Any, Never, assert_type

from vocabulary import Counter, Foreign, Get, Inc, counter

from effactor import (
    Actor,
    ActorRef,
    Do,
    Program,
    Timer,
    become,
    handler,
    program,
    schedule_once,
    stash,
    unbecome,
    unstash_all,
)

assert_type(stash(), Program[Any])
assert_type(unstash_all(), Program[int, Never])
stash(Get())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

assert_type(schedule_once(5, counter, Get()), Program[Timer, Never])
assert_type(counter, ActorRef[Inc | Get])
assert_type(schedule_once(0.5, counter, Inc()).bind(Timer.cancel), Program[bool, Never])
schedule_once(5, counter, Foreign())  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
schedule_once("5", counter, Get())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
schedule_once(5, "/counter", Get())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
schedule_once(5, Counter, Get())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Patient(Actor[Inc | Get]):
    """Answers once it has counted something."""

    def __init__(self) -> None:
        self.count = 0

    @handler
    @program
    def get(self, message: Get) -> Do[int]:
        if not self.count:
            assert_type((yield from stash()), Any)
        timer = yield from schedule_once(1, counter, Inc())
        assert_type(timer, Timer)
        in_time = yield from timer.cancel()
        assert_type(in_time, bool)
        return self.count

    @handler
    def inc(self, message: Inc) -> Program[None]:
        self.count += message.by
        n = unstash_all()
        assert_type(n, Program[int, Never])
        return n.map(print)


class Moody(Actor[Inc | Get]):
    """Changes its handlers."""

    @handler
    def inc(self, message: Inc) -> None:
        assert_type(self.context.become(self.busy, self.rest), None)
        assert_type(self.context.unbecome(), None)
        assert_type(self.context.unstash_all(), int)
        self.context.become(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    @handler
    def get(self, message: Get) -> Program[int]:
        assert_type(become(self.busy), Program[None, Never])
        assert_type(unbecome(), Program[None, Never])
        become(self.busy, self.nothing)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        unbecome(self.busy)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        return become(self.busy, lambda _: None).map(lambda _: 1)

    async def busy(self, message: Get) -> int:
        return 1

    def rest(self, message: object) -> Program[Any]:
        return stash()

    def nothing(self) -> None:
        pass
