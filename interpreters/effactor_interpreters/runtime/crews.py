"""Crews: several cells that handle the messages of one actor at the same time.

The actor's own cell, the front, has the mailbox and lives the actor's life; it hands each
message to a member of its crew that is idle. The members of an actor whose handlers may
overlap are strands: they run the handlers of the one instance. The members of a pool
are workers, actors of their own: see `pools`.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from typing import TYPE_CHECKING, Any, Final, final

from typing_extensions import override

from effactor_interpreters.runtime.asking import ask_in_envelope
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.controls import Question
from effactor_interpreters.runtime.coroutines import coroutine
from effactor_interpreters.runtime.letters import ACTS_FOR, Letter
from effactor_interpreters.runtime.stashing import NO_MESSAGE
from effactor_interpreters.runtime.states import IDLE, STOPPED
from effactor_interpreters.runtime.waits import Phase, Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextvars import Context

    from effactor.actors.actor import Actor
    from effactor.actors.dispatch import Behavior
    from effactor.actors.envelope import SendOptions
    from effactor.actors.ref import ActorRef
    from effactor_interpreters.runtime.driver import Driver
    from effactor_interpreters.runtime.equipment import Equipped
    from effactor_interpreters.runtime.fallback import TaskDriver
    from effactor_interpreters.runtime.relations import Relations
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.waits import Link
    from effactor_interpreters.runtime.world import Timer

_SPARE: Final = 16
"""Idle strands that are kept for later."""

PATIENCE: Final = 10.0
"""Seconds that the mail waits for the handlers that run, before a restart."""

_ANY_HANDLER: Final = Phase("the end of one of its handlers")


class Member(Cell):
    """A cell that handles what its crew's front hands to it.

    Attributes:
        crew: The crew.
    """

    __slots__ = ("crew",)

    crew: Crew

    @property
    @override
    def is_plain(self) -> bool:
        """Whether its messages may travel bare: no."""
        return False

    @property
    @override
    def may_run_here(self) -> bool:
        """Whether a message may be handled at once: no, its crew must learn of its end."""
        return False

    @property
    @override
    def may_run_letters_here(self) -> bool:
        """The same, for a message in a letter."""
        return False

    @override
    async def ask(
        self,
        message: object,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Any:
        """Send a message and wait for its reply."""
        return await ask_in_envelope(self, message, timeout, options)

    @override
    def after_turn(self) -> None:
        """Become idle, and tell the crew."""
        super().after_turn()
        if self.state == IDLE:
            self.crew.released(self)


@final
class Strand(Member):
    """Runs handlers of an actor beside others of its kind."""

    __slots__ = ()

    def __init__(self, crew: Crew) -> None:
        front = crew.front
        self.crew: Crew = crew
        self.system: ActorSystem = front.system
        self.parent: Cell | None = front.parent
        # A context cannot be entered twice at the same time.
        self.variables: Context = front.variables.copy()
        self.state: int = IDLE
        self.mailbox: Any = None
        self.driver: Driver | TaskDriver | None = None
        self.handling: Any = NO_MESSAGE
        self._relations: Relations | None = None
        self.ref: ActorRef[Any] = front.ref
        self.relations.equipment = front.equipment
        self.take_after(front)

    def take_after(self, front: Cell) -> None:
        """Run the handlers of the front's instance, as it is now."""
        self.actor: Actor[Any] = front.actor
        self.behavior: Behavior = front.behavior
        self.plain: dict[type[Any], Callable[..., Any]] = front.plain

    @property
    @override
    def front(self) -> Cell:
        """The cell that receives the actor's messages and lives its life."""
        return self.crew.front

    @property
    @override
    def children(self) -> dict[str, Cell]:
        """The actor's living children."""
        return self.crew.front.children

    @property
    @override
    def is_alive(self) -> bool:
        """Whether what is sent to the actor now can still be handled."""
        return self.crew.front.is_alive

    @property
    @override
    def states(self) -> dict[Any, Any]:
        """The values of the actor's `State` cells."""
        return self.crew.front.states

    @override
    def crashed(self, error: BaseException) -> None:
        """Stop the actor at once, and all its handlers."""
        self.state = STOPPED
        self.crew.front.crashed(error)


class Crew:
    """The members of one actor, and which of them are idle.

    Attributes:
        front: The actor's own cell.
        members: All members.
    """

    def __init__(self, front: Equipped, size: int | None) -> None:
        """Begin without members; *size* None means as many as there are messages."""
        self.front: Equipped = front
        self.members: dict[Member, None] = {}
        self._size = size
        self._idle: dict[Member, None] = {}  # the one that has been idle longest first
        self._waits: list[Any] = []
        self._serving = False  # while the front waits for its handlers before a restart
        self._open = False  # and whether it has waited long enough
        self._looks = False
        self._searches = False
        self._last: Member | None = None  # has what may be the actor's last message

    # ------------------------------------------------------------ handing out

    @property
    def free(self) -> bool:
        """Whether a member can take a message now."""
        if self._last is not None and self._is_ending:
            return False
        return self._size is None or self._next() is not None or self._may_grow()

    @property
    def _is_ending(self) -> bool:
        """Whether a message is handled after which the actor stops, by its own policy."""
        last = self._last
        if last is None or last.state in {IDLE, STOPPED}:
            self._last = None  # if it has been set aside, or withdrawn, the actor goes on
            return False
        return True

    def _next(self) -> Member | None:
        for member in list(self._idle):
            if member.state == IDLE and member in self.members:
                return member
            del self._idle[member]  # it comes back when it is idle
        return None

    def _may_grow(self) -> bool:
        return self._size is None or len(self.members) < self._size

    def _grow(self) -> Member:
        member = Strand(self)
        self.members[member] = None
        return member

    def hand(self, item: Any) -> None:
        """Let an idle member handle an item of the mailbox."""
        member = self._next()
        if member is None:
            member = self._grow()
        else:
            del self._idle[member]
        if type(member) is Strand:
            member.take_after(self.front)
        letter: Letter = item[0] if type(item) is Question else item
        policy = self.front.equipment_made.policy
        if policy is not None and policy.ends_with(letter.message):
            self._last = member
        # The tasks that its handler makes inherit this.
        member.variables.run(ACTS_FOR.set, letter)
        member.process(deque((item,)))

    def released(self, member: Member) -> None:
        """Learn that a member is idle again."""
        if type(member) is Strand and self._size is None and len(self._idle) >= _SPARE:
            self.members.pop(member, None)
        elif member in self.members:
            self._idle[member] = None
        self._look()
        front = self.front
        if front.mailbox:
            front.mail_came()

    def priority_of(self, message: Any) -> int:
        """Say how urgent a message is if its sender says nothing."""
        kind: type[Any] = type(message)  # pyright: ignore[reportUnknownVariableType]
        return self.front.behavior.priority_of(kind)

    # ------------------------------------------------------------ quiet

    @property
    def busy(self) -> list[Member]:
        """The members that handle something."""
        return [each for each in self.members if each.state not in {IDLE, STOPPED}]

    def _look(self) -> None:
        if self._waits and not self.busy:
            waits, self._waits = self._waits, []
            for wait in waits:
                if not wait.done():
                    wait.set_result(None)

    def when_quiet(self, reply: Any) -> None:
        """Settle *reply* when no handler runs any more."""
        self._waits.append(reply)
        self._look()

    @coroutine
    def quiet(self) -> Generator[Any, Any, None]:
        """Wait until no handler runs. The front hands out nothing meanwhile: it is busy itself.

        Yields:
            What its driver waits for.
        """
        while self.busy:
            wait = Wait(None, f"the handlers of {self.front.full_path}")
            self._waits.append(wait)
            yield from wait_for(wait)

    @coroutine
    def rest(self) -> Generator[Any, Any, None]:
        """Wait until no handler runs, and let those that run end well.

        New messages wait, but for those that a handler that runs may be waiting for: its
        own, and what follows from them. Not every one can be told from the others, and a
        handler may run for long, so after `PATIENCE` all are handed out again.

        Yields:
            What its driver waits for.
        """
        if not self.busy:
            return
        front = self.front
        what = f"patience with the handlers of {front.ref.path}"
        timer: Timer = front.system.world.call_later(PATIENCE, self._serve_all, what)
        self._serving = True
        self._serve()
        try:
            yield from self.quiet()
        finally:
            self._serving = self._open = False
            timer.cancel()

    def _serve_all(self) -> None:
        if self._serving:
            self._open = True
            self.front.system.log.warning(
                "%s waits for %d of its handlers, to restart or for its state; it goes on with its "
                "mail",
                self.front.full_path,
                len(self.busy),
            )
            self._serve()

    def mail_meanwhile(self) -> None:
        """Learn that the front has mail while it is busy itself."""
        if self._serving and not self._looks:
            self._looks = True
            self.front.system.loop.call_soon(self._serve)

    def _serve(self) -> None:
        """Hand out what need not wait for the restart."""
        self._looks = False
        door = self.front.door
        busy = len(self.busy)
        if not self._serving or not busy or door is None or self._is_ending:
            return
        room = None if self._size is None else self._size - busy
        for item in door.take_those(self._goes_on, room):
            self.hand(item)

    def _goes_on(self, letter: Letter) -> bool:
        """Tell whether a handler that runs may be waiting for what becomes of a letter."""
        if self._open:
            return True
        cause = letter.caused_by
        while cause is not None:
            if cause.is_handled and cause.handled_by in self.members:
                return True
            cause = cause.caused_by
        return False

    # ------------------------------------------------------------ deadlocks

    def link(self) -> Link | None:
        """Return what the actor's next message waits for, if that can come from one side only.

        That is so if all but one of its members wait for the actor itself: the one is left.
        """
        if self.free or self._searches:
            return None
        if self._last is not None:
            return _Left(self._last)
        self._searches = True
        try:
            left = [member for member in self.members if not self._is_stuck(member)]
        finally:
            self._searches = False
        return _Left(left[0]) if len(left) == 1 else None

    def _is_stuck(self, member: Member) -> bool:
        cell: Cell = member
        for _ in range(len(self.front.system.cells) + len(self.members)):
            link = cell.link()
            if link is None:
                return False
            cell = link.target
            if cell is self.front:
                return True
        return False

    # ------------------------------------------------------------ ends

    @coroutine
    def end(self, mode: str, reason: str) -> Generator[Any, Any, None]:
        """Let the handlers end: the actor stops.

        Args:
            mode: How it stops; `now` cancels them.
            reason: Why, in words.

        Yields:
            What the front's driver waits for.
        """
        if mode == "now":
            self.kill(reason)
        while self.busy:
            try:
                yield from self.quiet()
            except CancelledError:
                self.kill(reason)  # a second stop, more urgent than the first

    def kill(self, reason: str) -> None:
        """Cancel the handlers that run, for good."""
        for member in self.busy:
            if type(member) is Strand and member.killed is None:
                member.relations.killed = f"was stopped ({reason})"
                member.cancel()

    def cut_off(self) -> list[tuple[Member, Driver | TaskDriver]]:
        """End the strands as a power cut would.

        Returns:
            Those that had a handler, and the drivers that ran it.
        """
        ended: list[tuple[Member, Driver | TaskDriver]] = []
        for member in self.members:
            if type(member) is Strand:
                member.state = STOPPED
                member.relations.insist_no_more()
                if member.driver is not None:
                    ended.append((member, member.driver))
                    member.driver = None
        self._look()
        return ended

    def drivers(self) -> Iterator[Driver | TaskDriver]:
        """List what runs the handlers of strands."""
        for member in self.members:
            if type(member) is Strand and member.driver is not None:
                yield member.driver

    # ------------------------------------------------------------ life

    @coroutine
    def begin(self) -> Generator[Any, Any, None]:
        """Start the members that are actors; there are none.

        Yields:
            What its driver waits for.
        """
        return
        yield

    def retire(self) -> None:
        """Learn that the instance ends, and another one takes its place."""


class _Left:
    """The link from an actor to the one of its members that does not wait for it."""

    __slots__ = ("end", "message", "target")

    def __init__(self, target: Cell) -> None:
        self.target: Cell = target
        self.message: Any = _ANY_HANDLER
        self.end: tuple[Cell, int] | None = None
