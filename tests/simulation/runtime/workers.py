"""The actors of the scenarios: they do what their messages say, and write it into the ledger."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from simulation.runtime.messages import FAILURES, Act, Flow, Job, Quick, Slow
from simulation.runtime.senders import Sender
from typing_extensions import override

from effactor import (
    Actor,
    Do,
    Program,
    SupervisorStrategy,
    free_join,
    free_sleep,
    free_stop,
    handler,
    program,
)

if TYPE_CHECKING:
    from simulation.runtime.ledger import Life
    from simulation.runtime.play import Play


class Recorded(Actor[Any]):
    """Writes its hooks into the ledger.

    Attributes:
        play: The run it takes part in.
        supervises: How it supervises its children, or None.
        children: What it starts as its children, by name.
        hooks_take: Seconds that its hooks take; 0 makes them end at once.
    """

    keep: ClassVar[bool] = False

    def __init__(
        self,
        play: Play,
        *,
        supervises: SupervisorStrategy | None = None,
        children: tuple[tuple[str, Any], ...] = (),
        hooks_take: float = 0.0,
    ) -> None:
        self.play = play
        self.supervises = supervises
        self.children = children
        self.hooks_take = hooks_take
        play.ledger.makes(self)

    @override
    async def on_started(self) -> None:
        with self.play.ledger.starts(self):
            if self.hooks_take:
                await asyncio.sleep(self.hooks_take)
            for name, factory in self.children:
                if name not in self.context.children:
                    self.play.refs[name] = await self.spawn(factory, name)

    @override
    async def on_stopped(self) -> None:
        with self.play.ledger.stops(self):
            if self.hooks_take:
                await asyncio.sleep(self.hooks_take)

    @override
    def on_pre_restart(self, error: BaseException, message: Any) -> None:
        self.play.ledger.restarts(self, "on_pre_restart")

    @override
    def on_restart(self, error: BaseException) -> None:
        self.play.ledger.restarts(self, "on_restart")

    @override
    def supervisor_strategy(self) -> SupervisorStrategy | None:
        return self.supervises

    @property
    def sender(self) -> Sender:
        """Sends in this actor's name."""
        return Sender(self.play.ledger, self.context.self_ref.path)


class Worker(Recorded):
    """Handles jobs.

    What a job's acts mean: `("pause", seconds)` waits; `("fail", kind)` raises;
    `("tell", name, job)` and `("ask", name, job, timeout)` send; `("stop", mode)` stops the
    actor itself; `("join", name)` waits for another one's end; `("swallow", seconds)` waits and
    goes on when it is cancelled, once.

    Attributes:
        limit: How many of its handlers may overlap; None for any number.
    """

    limit: int | None = 1

    def begins(self, life: Life, job: Job) -> None:
        """Look around at the beginning of a handler."""

    @handler
    def quick(self, job: Quick) -> int:
        with self.play.ledger.handling(self, job, self.limit) as life:
            self.begins(life, job)
            for act in job.acts:
                if act[0] == "fail":
                    raise FAILURES[act[1]](job.number)
                if act[0] == "tell":
                    self.sender.tell_nowait(self.play.refs[act[1]], act[2])
            self.play.ledger.goes_on(life)
        return job.number

    @handler
    async def slow(self, job: Slow) -> int:
        return await self.do(job)

    @handler
    def flow(self, job: Flow) -> Program[int]:
        return self.free_do(job)

    async def do(self, job: Job) -> int:
        """Do what a job says, as a coroutine."""
        with self.play.ledger.handling(self, job, self.limit) as life:
            self.begins(life, job)
            for act in job.acts:
                await self.act(life, act)
                self.play.ledger.goes_on(life)
        return job.number

    async def act(self, life: Life, act: Act) -> None:
        """Do one thing."""
        match act:
            case ("pause", seconds):
                await asyncio.sleep(seconds)
            case ("swallow", seconds):
                try:
                    await asyncio.sleep(seconds)
                except asyncio.CancelledError:
                    self.play.ledger.goes_on(life)
                    await asyncio.sleep(seconds)
            case ("fail", kind):
                raise FAILURES[kind]
            case ("tell", name, job):
                await self.sender.tell(self.play.refs[name], job)
            case ("ask", name, job, timeout):
                await self.sender.ask(self.play.refs[name], job, timeout)
            case ("stop", mode):
                await self.stop_self(mode)
            case ("join", name):
                await self.play.refs[name].join()
            case _:
                raise AssertionError(act)

    @program
    def free_do(self, job: Job) -> Do[int]:
        """Do what a job says, as a program."""
        with self.play.ledger.handling(self, job, self.limit) as life:
            self.begins(life, job)
            for act in job.acts:
                match act:
                    case ("pause" | "swallow", seconds):
                        yield from free_sleep(seconds)
                    case ("fail", kind):
                        raise FAILURES[kind]
                    case ("tell", name, other):
                        yield from self.sender.free_tell(self.play.refs[name], other)
                    case ("ask", name, other, timeout):
                        yield from self.sender.free_ask(self.play.refs[name], other, timeout)
                    case ("stop", mode):
                        yield from free_stop(self.context.self_ref, mode=mode)
                    case ("join", name):
                        yield from free_join(self.play.refs[name])
                    case _:
                        raise AssertionError(act)
                self.play.ledger.goes_on(life)
        return job.number


class Keeper(Worker):
    """A worker whose children outlive its restarts."""

    keep_children = True


class Overlapping(Worker):
    """A worker any number of whose handlers may overlap."""

    limit = None


class Two(Worker):
    """A worker two of whose handlers may overlap."""

    limit = 2
