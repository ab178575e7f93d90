"""`Faults`: which faults a run may have, how many, and which it has in any case."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from typing_extensions import override

from effactor.actors.ref import ActorRef
from effactor_interpreters.simulation.faults.plan import (
    KINDS,
    LASTING,
    Fault,
    Kind,
    Where,
    a_positive,
    path_of,
)

if TYPE_CHECKING:
    from effactor_interpreters.simulation.faults.recovering import Recoverable

Permission: TypeAlias = "bool | int | Where | Iterable[Where]"
"""True for any actor, a number for at most so many, or the actors that it may hit."""

_BY_NAME: Final = frozenset(("external", "buggify"))


class Faults:
    """What may go wrong in a run, and what does.

    Each kind is True for wherever it means something, an integer for at most so many, or
    the actors that it may hit (refs or paths; functions' names for `external`, sites for
    `buggify`). Kinds that are not named do not happen.

    Args:
        budget: The most faults in one run, those of the plan not counted; at least 0.
        crash: An actor ends as by a power cut, and stays away.
        restart: It loses memory and mail, and starts anew under the same ref.
        pause: It does nothing for a while.
        slow: The messages to it come last for a while.
        drop: A message is lost. An ask then ends with its timeout, or with `AskLost`.
        duplicate: A message comes twice.
        delay: A message is held up for a while, and those behind it.
        reorder: A message is overtaken by the next from the same sender.
        partition: An actor is cut off for a while: from all, to all, or both.
        clock: An actor's time of day jumps by *skew*, or its timers go wrong by *drift*.
        mailbox_full: A sender gets `MailboxFull`; with True only from mailboxes that reject.
        external: A call that `sim.answer` answers fails, times out, or ran and seems not to.
        buggify: A site says True, see `effactor.buggify`.
        recoverable: Looks at the `Situation` that a fault would lead to, and says whether the
            system is meant to survive it; else the fault is never offered.
        plan: A fault, or several, that happen in any case, made by `crash(...)` and the like.
        heal: Actors that work again, and reach each other, when the fault phase is over: when
            the scenario's function has ended, or can go no further, or after *heal_after*.
            No fault begins after that; goals are judged in the end.
        heal_after: Seconds of virtual time that the fault phase lasts at most.
        lasting: Seconds after which pauses, delays, partitions and slowness are over; in
            time mode `async` that may be at any moment.
        skew: Seconds by which a clock jumps.
        drift: Fraction by which a clock runs slow or fast.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If one is out of bounds, or nothing could ever go wrong.
    """

    def __init__(
        self,
        budget: int = 1,
        *,
        crash: Permission = False,
        restart: Permission = False,
        pause: Permission = False,
        slow: Permission = False,
        drop: Permission = False,
        duplicate: Permission = False,
        delay: Permission = False,
        reorder: Permission = False,
        partition: Permission = False,
        clock: Permission = False,
        mailbox_full: Permission = False,
        external: Permission = False,
        buggify: Permission = False,
        recoverable: Recoverable | None = None,
        plan: Fault | Iterable[Fault] = (),
        heal: Iterable[Where] | None = None,
        heal_after: float = 100.0,
        lasting: float = LASTING,
        skew: float = 60.0,
        drift: float = 0.5,
    ) -> None:
        """Check everything now: a run is too late."""
        if isinstance(budget, bool) or not isinstance(budget, int) or budget < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"Faults: budget must be an integer >= 0, got {budget!r}"
            raise ValueError(msg)
        given = locals()
        self.budget: int = budget
        self.most: dict[Kind, int | None] = {}
        self.actors: dict[Kind, frozenset[str] | None] = {}
        for kind in KINDS:
            self._permit(kind, given[kind])
        if recoverable is not None and not callable(recoverable):
            msg = (
                "Faults: recoverable must be a function of the Situation, such as "
                f"minority_of(group), got {recoverable!r}"
            )
            raise TypeError(msg)
        self.recoverable: Recoverable | None = recoverable
        self.plan: tuple[Fault, ...] = _plan(plan)
        self.heal: tuple[str, ...] | None = None
        if heal is not None:
            if isinstance(heal, str) or not isinstance(heal, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
                msg = f"Faults: heal must be a list of refs or paths, got {heal!r}"
                raise TypeError(msg)
            self.heal = tuple(path_of("Faults: heal", actor) for actor in heal)
        self.heal_after: float = a_positive("Faults", "heal_after", heal_after)
        self.lasting: float = a_positive("Faults", "lasting", lasting)
        self.skew: float = a_positive("Faults", "skew", skew)
        self.drift: float = a_positive("Faults", "drift", drift)
        if self.drift >= 1:
            msg = f"Faults: drift must be < 1, got {drift!r}"
            raise ValueError(msg)
        if not self.plan and not self.most:
            msg = "Faults: nothing can go wrong; name a kind, as in Faults(crash=True), or a plan"
            raise ValueError(msg)
        if self.most and not self.budget:
            msg = f"Faults: a budget of 0 permits no {next(iter(self.most))}; say budget=1 or more"
            raise ValueError(msg)

    def _permit(self, kind: Kind, permission: Any) -> None:
        if permission is False:
            return
        where = f"Faults: {kind}"
        self.most[kind] = self.actors[kind] = None
        if permission is True:
            return
        if isinstance(permission, int):
            if permission < 1:
                msg = f"{where} must be True, an integer >= 1 or actors, got {permission!r}"
                raise ValueError(msg)
            self.most[kind] = permission
            return
        if isinstance(permission, str | ActorRef) or (callable(permission) and kind in _BY_NAME):
            permission = (permission,)
        if not isinstance(permission, Iterable):
            msg = f"{where} must be True, an integer >= 1 or actors, got {permission!r}"
            raise TypeError(msg)
        names = frozenset(_name(kind, where, each) for each in permission)  # pyright: ignore[reportUnknownVariableType]
        if not names:
            msg = f"{where} must not be an empty list; leave it out, or name whom it may hit"
            raise ValueError(msg)
        self.actors[kind] = names

    def permits(self, kind: Kind, target: str) -> bool:
        """Tell whether a kind may hit an actor, function or site.

        Args:
            kind: The kind.
            target: A path or name.

        Returns:
            False also for kinds that do not happen at all.
        """
        if kind not in self.most:
            return False
        actors = self.actors[kind]
        return actors is None or target in actors

    def without_choice(self) -> Faults | None:
        """Leave only the plan, and the end of the faults; None if there is neither."""
        if not self.plan and self.heal is None:
            return None
        rest = copy(self)
        rest.budget, rest.most, rest.actors = 0, {}, {}
        return rest

    @override
    def __repr__(self) -> str:
        said = [f"budget={self.budget}"]
        for kind, most in self.most.items():
            actors = self.actors[kind]
            value = most if actors is None else tuple(sorted(actors))
            said.append(f"{kind}={True if value is None else value!r}")
        said += [f"plan={self.plan!r}"] if self.plan else []
        return f"Faults({', '.join(said)})"


def _name(kind: Kind, where: str, each: Any) -> str:
    if kind not in _BY_NAME:
        return path_of(where, each)
    name = getattr(each, "__qualname__", each)
    if not isinstance(name, str) or not name:
        what = "functions or their names" if kind == "external" else "names of sites"
        msg = f"{where} takes {what}, got {each!r}"
        raise TypeError(msg)
    return name


def _plan(plan: Any) -> tuple[Fault, ...]:
    if isinstance(plan, Fault):
        plan = (plan,)
    faults = tuple(plan)
    for fault in faults:
        if not isinstance(fault, Fault):
            msg = (
                "Faults: plan must be a list of faults, as in plan=(crash('/payment', "
                f"before_event=3),), got {fault!r}"
            )
            raise TypeError(msg)
    return faults


def check_faults(where: str, faults: object) -> None:
    """Refuse what is no plan of faults.

    Args:
        where: The function that received it, for the error.
        faults: What was given.

    Raises:
        TypeError: If it is neither None nor `Faults`.
    """
    if faults is not None and not isinstance(faults, Faults):
        msg = f"{where}: faults must be Faults(...), as in Faults(crash=True), got {faults!r}"
        raise TypeError(msg)
