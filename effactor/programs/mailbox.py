"""What a message handler's program does with its own mailbox: set a message aside, and take it up.

After the stash of Akka and Pekko.
"""

from __future__ import annotations

from typing import Any, final

from typing_extensions import override

from effactor.programs.operations import Operation
from effactor.programs.program import A_co, Program


@final
class Stash(Operation[None]):
    """Set the message that is being handled aside."""

    __slots__ = ()

    @override
    def describe(self) -> str:
        return "stash"


@final
class UnstashAll(Operation[A_co]):
    """Put the messages that were set aside back into the mailbox."""

    __slots__ = ()

    @override
    def describe(self) -> str:
        return "unstash all"


def stash() -> Program[Any]:
    """Set the message that is being handled aside, until `unstash_all`.

    For the program that a message handler returns: `return stash()`, or
    `yield from stash()` in its block. The rest of the program still runs, but what it
    answers is no reply: an ask goes on waiting, with its timeout, and the message is
    handled again, from the beginning, after `unstash_all`. A second `stash()` while the
    same message is handled does nothing more.

    If the program fails or dies after it, that settles the ask, and the message is not
    set aside. Messages set aside count as not delivered yet: a restart puts them back
    into the mailbox, before other mail; when the actor stops, asks fail with
    `ActorStopped` and tells become dead letters. Their number has no bound.

    Returns:
        A program that answers None; its type says Any, so that a handler of any reply may
        return it. It is a defect, `RuntimeError`, where no message is
        being handled by a program: in a run, in `on_started` and the like, and in
        `self.context.run_free` of an `async def` handler, which must return the
        program instead.
    """
    return Stash()


def unstash_all() -> Program[int]:
    """Put the messages that were set aside back, before all other mail, in the order they came.

    A message that is set aside by this very handler is not among them: it is put
    aside when the handler's program has ended.

    Returns:
        A program that answers how many were put back; asks whose askers have given up
        are forgotten and not counted. Anything that an actor runs may use it; it is a
        defect, `RuntimeError`, in a run of its own.
    """
    return UnstashAll()
