"""What few cells need: children, joiners, restarts. Made when first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effactor_interpreters.runtime.recovery import Recovery

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from effactor_interpreters.runtime.cell import Cell
    from effactor_interpreters.runtime.driver import Driver
    from effactor_interpreters.runtime.equipment import Equipment
    from effactor_interpreters.runtime.letters import Letter
    from effactor_interpreters.runtime.watching import Watches
    from effactor_interpreters.runtime.world import Timer


class Relations:
    """The rarely needed part of a cell.

    Attributes:
        children: Living children by name, in order of start.
        joiners: Replies to settle when the actor has stopped.
        factory: What makes a new instance, if it is not the actor's class.
        starting: Whether `on_started` has yet to run.
        spawned: How many children without a name were spawned.
        ended: Why the actor stops, in words, from the request until its mailbox is closed.
        ephemeral: Whether it is an ephemeral child, which is never restarted.
        cancelled: How often the handler was cancelled in its first step.
        guarded: Whether it asked about cancellations in its first step.
        killed: Why the running handler was cancelled for good; None if it was not.
        stashed: Mailbox items that its handlers have set aside, in the order they came.
        letter: The letter whose message is being handled, or None.
        thread: The work in a thread that its handler waits for, or None.
        insisting: Runs while a cancelled handler goes on all the same, or None.
        equipment: What the actor has beyond the default, or None.
        recovery_made: What supervision needs to know of it; None before the first failure.
        states: The values of the `State` cells kept per actor; None before the first.
        watches: Whom it watches and who watches it; None before the first watch.
    """

    __slots__ = (
        "cancelled",
        "children",
        "ended",
        "ephemeral",
        "equipment",
        "factory",
        "guarded",
        "insisting",
        "joiners",
        "killed",
        "letter",
        "recovery_made",
        "spawned",
        "starting",
        "stashed",
        "states",
        "thread",
        "watches",
    )

    def __init__(self) -> None:
        self.children: dict[str, Cell] = {}
        self.joiners: list[Any] = []
        self.factory: Callable[[], Any] | None = None
        self.starting: bool = False
        self.spawned: int = 0
        self.ended: str = ""
        self.ephemeral: bool = False
        self.killed: str | None = None
        self.cancelled: int = 0
        self.guarded: bool = False
        self.stashed: list[Any] = []
        self.letter: Letter | None = None
        self.insisting: Timer | None = None
        self.thread: Future[Any] | None = None
        self.equipment: Equipment | None = None
        self.states: dict[Any, Any] | None = None
        self.watches: Watches | None = None
        self.recovery_made: Recovery | None = None

    def hand_over(self, driver: Driver) -> None:
        """Tell the driver what happened in the handler's first step, when it had none."""
        driver.must_cancel = driver.must_cancel or self.cancelled > 0
        driver.cancellations = self.cancelled
        driver.guarded = self.guarded
        self.turn_is_over()

    def turn_is_over(self) -> None:
        """Forget what happened in the first step of a handler that has ended."""
        self.cancelled = 0
        self.guarded = False
        if self.insisting is not None:
            self.insist_no_more()

    def insist_no_more(self) -> None:
        """Learn that a cancelled handler has ended."""
        if self.insisting is not None:
            self.insisting.cancel()
            self.insisting = None

    @property
    def recovery(self) -> Recovery:
        """What supervision needs to know of the actor; made when first asked for."""
        if self.recovery_made is None:
            self.recovery_made = Recovery()
        return self.recovery_made
