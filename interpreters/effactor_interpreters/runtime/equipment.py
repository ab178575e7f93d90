"""What an actor has beyond the default: a mailbox with rules, middleware, a stop policy and more.

A plain cell knows nothing of these, and pays nothing for them. An `Equipped` cell is of
the same layout with other methods: all its messages travel in letters, and its mailbox
is a `Door` that is never None, so that every way in passes it.
"""

from __future__ import annotations

import math
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol, cast, final

from typing_extensions import override

from effactor.actors.mailboxes import FifoInbox, Full
from effactor.actors.pool import Pool, PoolFront
from effactor.actors.props import DEFAULT
from effactor.actors.ref import forget_methods
from effactor_interpreters.runtime.asking import (
    BUDGET,
    ask_in_envelope,
    awaiting,
    begin,
    tell_in_envelope,
)
from effactor_interpreters.runtime.cell import Cell
from effactor_interpreters.runtime.chaining import chain
from effactor_interpreters.runtime.controls import Control, Question
from effactor_interpreters.runtime.crews import Crew
from effactor_interpreters.runtime.current_task import current_tasks
from effactor_interpreters.runtime.deadlocks import find_cycle
from effactor_interpreters.runtime.door import Door
from effactor_interpreters.runtime.driver import BATCH
from effactor_interpreters.runtime.letters import Letter, tell_of_drop
from effactor_interpreters.runtime.mailbox import Closed
from effactor_interpreters.runtime.policies import policy_of
from effactor_interpreters.runtime.pools import PoolCrew
from effactor_interpreters.runtime.states import IDLE, RUNNING, STOPPED
from effactor_interpreters.runtime.waits import Wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterator

    from effactor.actors.actor import Actor
    from effactor.actors.envelope import SendOptions
    from effactor.actors.mailboxes import Inbox
    from effactor.actors.props import Props
    from effactor_interpreters.runtime.dispatchers import Dispatcher
    from effactor_interpreters.runtime.driver import Driver
    from effactor_interpreters.runtime.fallback import TaskDriver
    from effactor_interpreters.runtime.policies import Policy
    from effactor_interpreters.runtime.system import ActorSystem
    from effactor_interpreters.runtime.waits import Link


class Host(Protocol):
    """Who brings an actor into memory, and has a place for the mail that it leaves."""

    def takes(self, cell: Cell, item: Any) -> bool:
        """Take an item of the mailbox that the actor refuses, or say that it must not."""
        ...

    def arriving(self) -> Generator[Any, Any, None]:
        """Learn, in the actor's driver, that it is about to start."""
        ...

    def failed(self, error: BaseException) -> None:
        """Learn that it did not start, before it refuses its mail."""
        ...

    def leaving(self) -> Generator[Any, Any, None]:
        """Learn, in the actor's driver, that it has cleaned up."""
        ...


@final
class Equipment:
    """What an equipped cell has beside its relations.

    Attributes:
        props: What its spawn asked for.
        is_bare: Whether nothing of the rest but middleware stands between a letter and its handler.
        inbox: Where its messages wait, if its mailbox has rules; None for the plain one.
        time_to_live: Of a message that waits, in seconds, unless its sender says otherwise.
        chain: Its middleware around its handlers, or None.
        policy: When it stops by itself, or None for never.
        dispatcher: Where its `def` handlers run; None for the event loop.
        crew: The cells that handle its messages at the same time; None if it does so itself.
        begun: How many of its middlewares have started, and not stopped.
        host: Who brought it into memory, and takes the mail that it leaves; None for nobody.
    """

    __slots__ = (
        "begun",
        "chain",
        "crew",
        "dispatcher",
        "host",
        "inbox",
        "is_bare",
        "policy",
        "props",
        "time_to_live",
    )

    def __init__(self, props: Props) -> None:
        self.props: Props = props
        self.is_bare: bool = False
        mailbox = props.mailbox
        self.inbox: Inbox | None = None if mailbox is None else mailbox.open()
        self.time_to_live: float | None = None if mailbox is None else mailbox.time_to_live
        self.chain: Callable[[Letter, Any], Awaitable[Any]] | None = None
        if props.middlewares:
            self.chain = chain(props.middlewares)
        self.policy: Policy | None = None
        self.dispatcher: Dispatcher | None = None
        self.crew: Crew | None = None
        self.begun: int = 0
        self.host: Host | None = None

    def end(self) -> None:
        """Give up what outlives messages: the actor stops."""
        if self.policy is not None:
            self.policy.end()


@final
class Equipped(Cell):
    """A cell with equipment."""

    # No slots of its own, so that a plain cell can become one of these.
    __slots__ = ()

    @property
    def door(self) -> Door | None:
        """Its mailbox; None once that is closed."""
        mailbox: Any = self.mailbox
        return mailbox if type(mailbox) is Door else None

    @property
    def equipment_made(self) -> Equipment:
        """What it has."""
        return cast("Equipment", self.relations.equipment)

    def equip(self, equipment: Equipment) -> None:
        """Begin with this equipment."""
        self.relations.equipment = equipment
        equipment.is_bare = (
            equipment.inbox is None
            and equipment.time_to_live is None
            and equipment.policy is None
            and equipment.dispatcher is None
            and equipment.crew is None
        )
        self.mailbox: Any = Door(self, equipment.inbox)

    @property
    @override
    def is_plain(self) -> bool:
        """Whether its messages may travel bare: no."""
        return False

    @property
    @override
    def may_run_here(self) -> bool:
        """Whether a message may be handled at once without a letter: never."""
        return False

    @property
    @override
    def may_run_letters_here(self) -> bool:
        """Whether a message may be handled at once, on the stack of whoever sends it."""
        mailbox: Any = self.mailbox
        return self.state == IDLE and type(mailbox) is Door and mailbox.is_clear

    @property
    def is_threaded(self) -> bool:
        """Whether any thread may tell it something."""
        mailbox = self.equipment_made.props.mailbox
        return mailbox is not None and mailbox.threaded

    @property
    @override
    def leads(self) -> Crew | None:
        """The crew that handles its messages in its place, or None."""
        return self.equipment_made.crew

    @override
    def link(self) -> Link | None:
        """Return what it waits for, or what a message to it waits for."""
        crew = self.equipment_made.crew
        return super().link() if crew is None else crew.link()

    @override
    def priority_of(self, message: Any) -> int:
        """Say how urgent a message is if its sender says nothing."""
        crew = self.equipment_made.crew
        return super().priority_of(message) if crew is None else crew.priority_of(message)

    @override
    def crashed(self, error: BaseException) -> None:
        """Stop at once, and all its handlers."""
        crew = self.equipment_made.crew
        for _member, driver in () if crew is None else crew.cut_off():
            driver.close()
        super().crashed(error)

    @property
    def is_busy(self) -> bool:
        """Whether it handles a message, or has some to handle."""
        crew = self.equipment_made.crew
        return self.state != IDLE or bool(self.mailbox) or (crew is not None and bool(crew.busy))

    @property
    def can_take(self) -> bool:
        """Whether a message from its inbox could be handled now."""
        crew = self.equipment_made.crew
        return self.state == IDLE and (crew is None or crew.free)

    # ------------------------------------------------------------ asking

    @override
    async def ask(
        self,
        message: object,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Any:
        """Send a message and wait for its reply."""
        system, mailbox = self.system, self.mailbox
        if (
            timeout is not None
            or options is not None
            or system.limits
            or system.ask_timeout is not None
            or self.state != IDLE
            or type(mailbox) is not Door
            or (mailbox.items if mailbox.bare else not mailbox.is_clear)
            or not system.native
            or not system.pool
            or not (system.budget or system.renew())
        ):
            return await ask_in_envelope(self, message, timeout, options)
        # The same as there, repeated for the most frequent case: without the calls it is a
        # third quicker.
        system.budget = system.budget - 1 if system.budget else BUDGET
        self.state = RUNNING
        asker: Any = current_tasks.get(system.loop)
        if not isinstance(asker, Cell):
            asker = None
        letter = Letter(self, message, "ask", asker or system.running, None, None)
        reply = begin(self, letter, message, None)
        if reply is None:
            return system.output
        awaiting(self, reply, message, None, asker)
        if type(reply) is Wait:
            return await wait_for(reply)
        return await reply

    # ------------------------------------------------------------ telling

    @override
    async def tell(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message; wait if the mailbox makes the sender wait."""
        door = self.door
        if door is not None and door.thread is not None and door.thread != get_ident():
            door.tell(message, options)
            return
        letter = tell_in_envelope(self, message, options, "tell")
        if letter.full is None or door is None:
            return
        if letter.full is Full.REJECT:
            raise door.turned_away(letter)
        waiting: Any
        asker = self.system.current_cell()
        if asker is not None:
            deadlock = None if asker.guarded else find_cycle(asker, self, message)
            if deadlock is not None:
                tell_of_drop(letter, deadlock)
                raise deadlock
            waiting = Wait(self, message)
            door.block(letter, waiting)
            await wait_for(waiting)
        else:
            waiting = self.system.loop.create_future()
            door.block(letter, waiting)
            await waiting

    @override
    def tell_nowait(self, message: Any, options: SendOptions | None = None) -> None:
        """Send a message, or raise if there is no room."""
        system, mailbox = self.system, self.mailbox
        if type(mailbox) is Door and mailbox.is_plain and options is None and system.world.direct:
            # The same as below in fewer calls.
            sender: Any = current_tasks.get(system.loop)
            if not isinstance(sender, Cell):
                sender = system.running if system.native else system.actor_or_run()
            mailbox.items.append(Letter(self, message, "tell", sender, None, None))
            if self.state == IDLE:
                self.mail_came()
            return
        door = self.door
        if door is None and self.is_threaded:
            self.refuse(message)  # on whatever thread
            return
        if door is not None and door.thread is not None and door.thread != get_ident():
            door.tell(message, options)
            return
        letter = tell_in_envelope(self, message, options)
        if letter.full is not None and door is not None:
            raise door.turned_away(letter)

    @override
    def accept(self, item: Any) -> None:
        """Take an item from the world."""
        mailbox: Any = self.mailbox
        if type(mailbox) is Door:
            mailbox.put(item)
        else:
            mailbox.append(item)  # closed: it refuses

    @override
    def put_first(self, item: Any) -> None:
        """Put an item before all others; a message gets a letter like any other."""
        if type(item) is not Question and not isinstance(item, Control):
            item = Letter(self, item, "tell", None, None, None)
        super().put_first(item)
        if self.state == IDLE and self.equipment_made.crew is not None:
            self.enqueue()  # one of its handlers has put it back, and goes on

    def mail_came(self) -> None:
        """Learn that there is something to take."""
        self.system.world.wake(self)

    @override
    def refuse(self, item: Any) -> None:
        """Give what comes too late to the host, if there is one who takes it."""
        host = self.equipment_made.host
        if host is None or not host.takes(self, item):
            super().refuse(item)

    # ------------------------------------------------------------ turns

    @override
    def process(self, inbox: Any) -> None:
        """Handle a batch of *inbox*, or let the crew do so."""
        crew = self.equipment_made.crew
        if crew is None:
            # A deque is quicker, and without an inbox it is all that there is.
            simple = type(inbox) is Door and inbox.inbox is None
            super().process(inbox.items if simple else inbox)
            return
        # Controls are the front's own, in a driver of its own; messages are the crew's.
        self.state = RUNNING  # while it hands out, members that end at once must not
        for _ in range(BATCH):
            if not inbox or (not crew.free and _begins_with_message(inbox)):
                break
            item = inbox.popleft()
            if not _is_message(item):
                super().process(deque((item,)))
                return
            crew.hand(item)
        if self.state == RUNNING:
            self.state = IDLE
            door = self.door
            if door is None:
                return
            if door.items and (crew.free or not _begins_with_message(door)):
                self.enqueue()
            elif door and crew.free:
                self.mail_came()

    @override
    def after_turn(self) -> None:
        """Become idle, or ask for another turn."""
        if self.state == STOPPED:
            return
        self.relations.turn_is_over()
        self.state: int = IDLE
        door: Any = self.mailbox
        if type(door) is not Door or (not door.items if door.bare else door.is_clear):
            return
        if door.items:
            self.enqueue()
        elif door:
            self.mail_came()

    @override
    def drivers(self) -> Iterator[Driver | TaskDriver]:
        """List what runs handlers of this actor."""
        yield from super().drivers()
        crew = self.equipment_made.crew
        if crew is not None:
            yield from crew.drivers()

    @override
    def ready_for_mail(self) -> None:
        """Learn that it has started."""
        super().ready_for_mail()
        policy = self.equipment_made.policy
        if policy is not None:
            policy.begin(self)


def _is_message(item: Any) -> bool:
    return type(item[0] if type(item) is Question else item) is Letter


def _begins_with_message(inbox: Any) -> bool:
    items = inbox.items if type(inbox) is Door else inbox
    return not items or _is_message(items[0])


def equipped(
    system: ActorSystem,
    actor: Actor[Any],
    parent: Cell | None,
    path: str,
    props: Props,
    factory: Any,
) -> Equipped:
    """Make a cell with equipment.

    Args:
        system: The system.
        actor: The user's object.
        parent: The parent's cell; None for the system.
        path: The path.
        props: How it is run.
        factory: What made the actor.

    Returns:
        The cell.
    """
    cell = Equipped(system, actor, parent, path)
    equipment = Equipment(props)
    equipment.policy = policy_of(cell, actor.stop_policy())
    if props.dispatcher is not None:
        equipment.dispatcher = system.dispatchers.find(props.dispatcher, cell)
    limit = type(actor).__effactor_concurrency__ if props.concurrency is None else props.concurrency
    if isinstance(actor, PoolFront) and isinstance(factory, Pool):
        if limit != 1:
            msg = (
                f"spawn: {factory!r} has {factory.size} workers, which handle one message at a "
                "time each; leave reentrant and concurrency out"
            )
            raise ValueError(msg)
        equipment.crew = PoolCrew(cell, factory)  # pyright: ignore[reportUnknownArgumentType]
    elif limit != 1:
        equipment.crew = Crew(cell, None if limit == math.inf else int(limit))
    if equipment.crew is not None and equipment.inbox is None:
        equipment.inbox = FifoInbox(None, "block")
    cell.equip(equipment)
    return cell


def equip_later(cell: Cell) -> None:
    """Let the messages of a plain cell travel in letters from now on.

    Args:
        cell: The cell; it may be in the midst of a handler.
    """
    mailbox = cell.mailbox
    if type(mailbox) is Closed:
        return
    # Of one layout: see `Equipped`.
    cell.__class__ = Equipped
    made = cast("Equipped", cell)
    made.equip(Equipment(DEFAULT))
    door = made.door
    assert door is not None
    if mailbox is not None:
        # The batch that runs goes on with the old deque, which is empty then.
        door.items.extend(mailbox)
        mailbox.clear()
    forget_methods(cell.ref)
