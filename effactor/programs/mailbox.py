"""What a message handler's program does with its own mail: set it aside, and handle it otherwise.

After `stash` and `become` of Akka.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from effactor.actors.becoming import check_become, names_of
from effactor.programs.operations import Operation
from effactor.programs.program import A_co, Program

if TYPE_CHECKING:
    from collections.abc import Callable


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


@final
class Become(Operation[A_co]):
    """Let other handlers take the actor's messages."""

    __slots__ = ("handlers",)

    def __init__(self, handlers: tuple[Callable[[Any], Any], ...]) -> None:
        """Keep the handlers."""
        self.handlers: tuple[Callable[[Any], Any], ...] = handlers

    @override
    def describe(self) -> str:
        return f"become {', '.join(names_of(self.handlers))}"


@final
class Unbecome(Operation[A_co]):
    """Let the class's handlers take the actor's messages again."""

    __slots__ = ()

    @override
    def describe(self) -> str:
        return "unbecome"


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


def become(*handlers: Callable[[Any], Any]) -> Program[None]:
    """Let *handlers* take the actor's messages, from the next one on, instead of its class's.

    They replace all handlers of the class, `on_receive` too, and those of an earlier
    `become`, until `unbecome`: there is no stack. A message that none of them takes is
    unhandled. What was sent before, and what `unstash_all` puts back, is handled by them
    as well. A restart goes back to the handlers of the class; resuming after a failure
    keeps them.

    Args:
        handlers: Functions of one message, usually bound methods such as `self.locked`;
            `def`, `async def`, programs or async generators. The annotation of the
            message says which type each takes, as for `@handler`, and a method under
            `@handler` takes what that says; without an annotation, or with `object` or
            `Any`, it takes all other messages.

    Returns:
        A program that answers None. Anything that an actor runs may use it, `on_started`
        too; it is a defect, `RuntimeError`, in a run of its own, or with methods of
        another actor.

    Raises:
        TypeError: If there is no handler, one is no function of one message, two take the
            same type, or one replies something else than its message declares.
    """
    check_become(handlers)
    return Become(handlers)


def unbecome() -> Program[None]:
    """Let the handlers of the actor's class take its messages again, from the next one on.

    Returns:
        A program that answers None; without an earlier `become` it changes nothing. It is a
        defect, `RuntimeError`, in a run of its own.
    """
    return Unbecome()
