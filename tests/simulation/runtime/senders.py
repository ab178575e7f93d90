"""How messages are sent in the scenarios: each sending is written into the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from returns.result import Result, Success

from effactor import ActorRef, Do, HandlerFailed, Program, SendOptions, free_ask, free_tell, program

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator

    from simulation.runtime.ledger import Entry, Ledger
    from simulation.runtime.messages import Job


class Sender:
    """Sends on behalf of somebody, an actor or a client.

    Attributes:
        name: Who it is: for an actor its path.
    """

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.ledger = ledger
        self.name = name

    async def tell(self, ref: ActorRef[Any], job: Job, options: SendOptions | None = None) -> Entry:
        """Tell from a coroutine."""
        entry = self._begins(ref, job, "tell", options)
        try:
            await ref.tell(job, options=options)
        except BaseException as error:
            self._ends(entry, error)
        else:
            self._ends(entry, None)
        return entry

    def tell_nowait(
        self, ref: ActorRef[Any], job: Job, options: SendOptions | None = None
    ) -> Entry:
        """Tell without waiting for room."""
        entry = self._begins(ref, job, "tell", options)
        try:
            ref.tell_nowait(job, options)
        except Exception as error:
            self._ends(entry, error)
        else:
            self._ends(entry, None)
        return entry

    async def ask(
        self,
        ref: ActorRef[Any],
        job: Job,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Entry:
        """Ask from a coroutine."""
        entry = self._begins(ref, job, "ask", options)
        try:
            reply = await ref.ask(job, timeout=timeout, options=options)
        except BaseException as error:
            self._ends(entry, error)
        else:
            self._ends(entry, reply)
        return entry

    def ask_nowait(
        self,
        ref: ActorRef[Any],
        job: Job,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Awaitable[Entry]:
        """Ask at once; await the reply later."""
        entry = self._begins(ref, job, "ask", options)
        future = ref.ask_nowait(job, timeout=timeout, options=options)

        async def reply() -> Entry:
            try:
                value = await future
            except BaseException as error:
                self._ends(entry, error)
            else:
                self._ends(entry, value)
            return entry

        return reply()

    @program
    def free_tell(
        self, ref: ActorRef[Any], job: Job, options: SendOptions | None = None
    ) -> Do[None]:
        """Tell from a program."""
        entry = self._begins(ref, job, "tell", options)
        yield from self._watching(entry, free_tell(ref, job, options=options))

    @program
    def free_ask(
        self,
        ref: ActorRef[Any],
        job: Job,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Do[None]:
        """Ask from a program."""
        entry = self._begins(ref, job, "ask", options)
        yield from self._watching(entry, free_ask(ref, job, timeout=timeout, options=options))

    def _watching(self, entry: Entry, sending: Program[Any, Any]) -> Generator[Any, Any, None]:
        try:
            result: Result[Any, Any] = yield from sending.attempt()
        except BaseException as error:
            self._ends(entry, error)
            return
        if isinstance(result, Success):
            self._ends(entry, result.unwrap())
            return
        failure: Any = result.failure()
        self._ends(entry, failure.cause if isinstance(failure, HandlerFailed) else failure)

    # ------------------------------------------------------------ the ledger

    def _begins(
        self, ref: ActorRef[Any], job: Job, kind: Any, options: SendOptions | None
    ) -> Entry:
        return self.ledger.sends(self.name, ref, job, kind, options)

    def _ends(self, entry: Entry, outcome: Any) -> None:
        if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
            # Cancelled, interrupted or closed.
            if not entry.lost:
                entry.gave_up = True
            raise outcome
        self.ledger.settles(entry, outcome)
