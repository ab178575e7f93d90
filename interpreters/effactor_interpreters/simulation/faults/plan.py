"""Single faults, each at a place of its own: what `Faults(plan=...)` lists.

Places are causal where they can be: "before the third event of /payment" stays true when
an unrelated message is sent or left out, "after 0.5 seconds" may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from effactor.actors.ref import ActorRef

if TYPE_CHECKING:
    from collections.abc import Callable

Kind: TypeAlias = Literal[
    "crash",
    "restart",
    "pause",
    "slow",
    "drop",
    "duplicate",
    "delay",
    "reorder",
    "partition",
    "clock",
    "mailbox_full",
    "external",
    "buggify",
]
Recorded: TypeAlias = Kind | Literal["heal"]
Where: TypeAlias = "ActorRef[Any] | str"
Outcome: TypeAlias = Literal["error", "timeout", "maybe"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
RECORDED: Final[tuple[Recorded, ...]] = (*KINDS, "heal")
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
LASTING: Final = 10.0
"""Seconds of virtual time after which a fault is over that lasts for a while."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """When a planned fault happens.

    Attributes:
        of: Path of the actor whose events or effects count; "" for a time, or for calls.
        place: `before event`, `after event`, `before effect`, `after effect`, `call` or `time`.
        at: The how many-th, from 1; for a time, nanoseconds.
    """

    of: str
    place: Literal["before event", "after event", "before effect", "after effect", "call", "time"]
    at: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault. Make it with `crash(...)`, `drop(...)` and the like.

    Attributes:
        kind: What goes wrong.
        target: Path of the actor that it happens to; of `external` and `buggify` the name of
            the function or site.
        anchor: When.
        detail: What else there is to say: sides of a partition, an outcome, numbers.
        lasting: Seconds of virtual time until it is over; None for ever.
    """

    kind: Kind
    target: str
    anchor: Anchor
    detail: str = ""
    lasting: float | None = None


def path_of(where: str, actor: object) -> str:
    """Read a path.

    Args:
        where: The function that received it, for the error.
        actor: A ref, or a path with or without its first slash.

    Returns:
        The path within the system, such as `/payment`.

    Raises:
        TypeError: If it is neither.
        ValueError: If it is empty.
    """
    if isinstance(actor, ActorRef):
        path: str = actor.path
        return path
    if not isinstance(actor, str):
        msg = f"{where}: an actor is a ref or a path such as '/payment', got {actor!r}"
        raise TypeError(msg)
    if not actor.strip("/"):
        msg = f"{where}: the path of an actor must not be empty, got {actor!r}"
        raise ValueError(msg)
    return actor if actor.startswith("/") else f"/{actor}"


def a_positive(where: str, name: str, seconds: object) -> float:
    """Check a number of seconds.

    Args:
        where: The function that received it, for the error.
        name: The argument.
        seconds: What was given.

    Returns:
        The number.

    Raises:
        ValueError: If it is no finite number above 0.
    """
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 < seconds < float("inf")
    ):
        msg = f"{where}: {name} must be a number of seconds > 0, got {seconds!r}"
        raise ValueError(msg)
    return float(seconds)


def _anchor(
    where: str,
    target: str,
    *,
    before_event: int | None = None,
    after_event: int | None = None,
    before_effect: int | None = None,
    after_effect: int | None = None,
    at: float | None = None,
) -> Anchor:
    given: list[Anchor] = []
    if at is not None:
        if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at < float("inf"):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"{where}: at must be a number of seconds >= 0, got {at!r}"
            raise ValueError(msg)
        given.append(Anchor("", "time", round(at * 1e9)))
    for name, number in (
        ("before_event", before_event),
        ("after_event", after_event),
        ("before_effect", before_effect),
        ("after_effect", after_effect),
    ):
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"{where}: {name} must be an integer >= 1, counted from the first, got {number!r}"
            raise ValueError(msg)
        place: Any = name.replace("_", " ")
        given.append(Anchor(target, place, number))
    if len(given) != 1:
        msg = (
            f"{where}: say once when it happens, with before_event=, after_event=, "
            f"before_effect=, after_effect= or at=, got {len(given) or 'none'} of them"
        )
        raise ValueError(msg)
    return given[0]


def crash(
    actor: Where,
    *,
    before_event: int | None = None,
    after_event: int | None = None,
    before_effect: int | None = None,
    after_effect: int | None = None,
    at: float | None = None,
) -> Fault:
    """Plan that an actor crashes, as by a power cut, and stays away.

    Args:
        actor: A ref or path.
        before_event: As soon as its n-th message could be handled: that message is lost.
        after_event: When it has handled its n-th message, and what follows in that step.
        before_effect: When a program that handles a message is about to perform the n-th
            effect of all that the actor's programs perform.
        after_effect: When that effect has begun: what it sends is on its way.
        at: At this virtual time, in seconds.

    Returns:
        The fault.
    """
    path = path_of("crash", actor)
    return Fault(
        "crash",
        path,
        _anchor(
            "crash",
            path,
            before_event=before_event,
            after_event=after_event,
            before_effect=before_effect,
            after_effect=after_effect,
            at=at,
        ),
    )


def restart(
    actor: Where,
    *,
    before_event: int | None = None,
    after_event: int | None = None,
    before_effect: int | None = None,
    after_effect: int | None = None,
    at: float | None = None,
) -> Fault:
    """Plan that an actor loses its memory and its mail, and starts anew under the same ref.

    Args:
        actor: A ref or path.
        before_event: See `crash`.
        after_event: See `crash`.
        before_effect: See `crash`.
        after_effect: See `crash`.
        at: See `crash`.

    Returns:
        The fault.
    """
    path = path_of("restart", actor)
    return Fault(
        "restart",
        path,
        _anchor(
            "restart",
            path,
            before_event=before_event,
            after_event=after_event,
            before_effect=before_effect,
            after_effect=after_effect,
            at=at,
        ),
    )


def pause(
    actor: Where,
    *,
    before_event: int | None = None,
    after_event: int | None = None,
    at: float | None = None,
    lasting: float | None = LASTING,
) -> Fault:
    """Plan that an actor does nothing for a while, as in a long garbage collection.

    Args:
        actor: A ref or path.
        before_event: See `crash`.
        after_event: See `crash`.
        at: See `crash`.
        lasting: Seconds; None for ever.

    Returns:
        The fault.
    """
    path = path_of("pause", actor)
    anchor = _anchor("pause", path, before_event=before_event, after_event=after_event, at=at)
    return Fault("pause", path, anchor, "", _lasting("pause", lasting))


def slow(
    actor: Where,
    *,
    before_event: int | None = None,
    after_event: int | None = None,
    at: float | None = None,
    lasting: float | None = LASTING,
) -> Fault:
    """Plan that the messages to an actor come after all others for a while.

    Args:
        actor: A ref or path.
        before_event: See `crash`.
        after_event: See `crash`.
        at: See `crash`.
        lasting: Seconds; None for ever.

    Returns:
        The fault.
    """
    path = path_of("slow", actor)
    anchor = _anchor("slow", path, before_event=before_event, after_event=after_event, at=at)
    return Fault("slow", path, anchor, "", _lasting("slow", lasting))


def drop(actor: Where, *, before_event: int) -> Fault:
    """Plan that the message is lost that would be an actor's, or run's, n-th event.

    An ask whose message or reply is lost ends when its timeout is over; without one it
    fails with `AskLost`.

    Args:
        actor: A ref or path; a run's path, such as `/checkout#1`, for replies.
        before_event: Which one, from 1.

    Returns:
        The fault.
    """
    return _of_message("drop", actor, before_event)


def duplicate(actor: Where, *, before_event: int) -> Fault:
    """Plan that the message comes twice that would be an actor's n-th event.

    Args:
        actor: A ref or path.
        before_event: Which one, from 1.

    Returns:
        The fault.
    """
    return _of_message("duplicate", actor, before_event)


def delay(actor: Where, *, before_event: int, lasting: float | None = LASTING) -> Fault:
    """Plan that the message is held up that would be an actor's n-th event.

    Args:
        actor: A ref or path.
        before_event: Which one, from 1.
        lasting: Seconds; None for ever.

    Returns:
        The fault.
    """
    return _of_message("delay", actor, before_event, _lasting("delay", lasting))


def reorder(actor: Where, *, before_event: int) -> Fault:
    """Plan that the message that would be an actor's n-th event is overtaken by the next.

    Both have the same sender; the order of different senders is free anyway.

    Args:
        actor: A ref or path.
        before_event: Which one, from 1.

    Returns:
        The fault.
    """
    return _of_message("reorder", actor, before_event)


def partition(
    *sides: Any,
    before_event: tuple[Where, int] | None = None,
    after_event: tuple[Where, int] | None = None,
    at: float | None = None,
    one_way: bool = False,
    lasting: float | None = LASTING,
) -> Fault:
    """Plan that groups of actors cannot reach each other for a while.

    What is sent meanwhile waits, as it would on a connection that tries again.

    Args:
        sides: At least two groups, each a list of refs or paths, `"*"` for all others; runs
            have paths too, such as `/checkout#1`.
        before_event: Whose event and the how many-th, such as `("/payment", 3)`; see `crash`.
        after_event: The same.
        at: See `crash`.
        one_way: Whether messages from later groups to earlier ones still arrive.
        lasting: Seconds until it heals; None for ever.

    Returns:
        The fault.
    """
    detail = sides_of("partition", sides, one_way=one_way)
    event = before_event or after_event
    path, number = "", None
    if event is not None:
        if not isinstance(event, tuple) or len(event) != 2:  # noqa: PLR2004  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"partition: say whose event, as in before_event=('/payment', 3), got {event!r}"
            raise TypeError(msg)
        path, number = path_of("partition", event[0]), event[1]
    anchor = _anchor(
        "partition",
        path,
        before_event=number if before_event is not None else None,
        after_event=number if after_event is not None else None,
        at=at,
    )
    return Fault("partition", path, anchor, detail, _lasting("partition", lasting))


def clock(
    actor: Where,
    *,
    skew: float = 0.0,
    drift: float = 0.0,
    before_event: int | None = None,
    after_event: int | None = None,
    at: float | None = None,
) -> Fault:
    """Plan that an actor's clock is wrong from then on.

    Args:
        actor: A ref or path.
        skew: Seconds that its time of day is ahead; negative for behind.
        drift: How much too slow its clock runs: with 0.5 its timers take half as long again.
            Greater than -1.
        before_event: See `crash`.
        after_event: See `crash`.
        at: See `crash`.

    Returns:
        The fault.
    """
    path = path_of("clock", actor)
    check_clock("clock", skew, drift)
    anchor = _anchor("clock", path, before_event=before_event, after_event=after_event, at=at)
    return Fault("clock", path, anchor, f"{skew!r} {drift!r}")


def mailbox_full(actor: Where, *, call: int = 1) -> Fault:
    """Plan that the n-th message sent to an actor finds its mailbox full.

    Args:
        actor: A ref or path.
        call: Which of the messages sent to it, from 1.

    Returns:
        The fault; the sender gets `MailboxFull`.
    """
    return Fault("mailbox_full", path_of("mailbox_full", actor), _call("mailbox_full", call))


def external(function: Callable[..., Any] | str, outcome: Outcome, *, call: int = 1) -> Fault:
    """Plan what becomes of the n-th `free_call` of a function that `sim.answer` answers.

    Args:
        function: The function, or its name.
        outcome: `"error"` raises `ConnectionError` and `"timeout"` `TimeoutError`, both in
            place of the call; `"maybe"` calls, and raises `TimeoutError` all the same.
        call: Which call of it, from 1.

    Returns:
        The fault.
    """
    if outcome not in OUTCOMES:
        msg = f"external: outcome must be one of {', '.join(OUTCOMES)}, got {outcome!r}"
        raise ValueError(msg)
    name = function if isinstance(function, str) else called(function)
    return Fault("external", name, _call("external", call), outcome)


def bug(site: str, *, call: int = 1) -> Fault:
    """Plan that the n-th `buggify(site)` says True.

    Args:
        site: The site.
        call: Which call of it, from 1.

    Returns:
        The fault.
    """
    if not isinstance(site, str) or not site:  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"bug: site must be a text such as 'slow disk', got {site!r}"
        raise TypeError(msg)
    return Fault("buggify", site, _call("bug", call), "true")


def called(function: Any) -> str:
    """Name a function of `free_call`, equal in every process."""
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def check_clock(where: str, skew: object, drift: object) -> None:
    """Refuse an error of a clock that no clock has.

    Args:
        where: The function that received it, for the error.
        skew: Seconds.
        drift: A fraction.

    Raises:
        ValueError: If one of them is no finite number, drift is -1 or less, or both are 0.
    """
    for name, number in (("skew", skew), ("drift", drift)):
        if (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not abs(number) < float("inf")
        ):
            msg = f"{where}: {name} must be a finite number, got {number!r}"
            raise ValueError(msg)
    if isinstance(drift, int | float) and drift <= -1:
        msg = f"{where}: drift must be > -1, or time would run backwards, got {drift!r}"
        raise ValueError(msg)
    if not skew and not drift:
        msg = f"{where}: say skew= in seconds, or drift= as a fraction; with neither it is right"
        raise ValueError(msg)


ONE_WAY: Final = ">"
BOTH_WAYS: Final = "|"


def sides_of(where: str, sides: tuple[Any, ...], *, one_way: bool) -> str:
    """Write down who cannot reach whom.

    Args:
        where: The function that received it, for the error.
        sides: Groups of actors.
        one_way: Whether later groups reach earlier ones all the same.

    Returns:
        The sides, such as `/a | /b /c`.

    Raises:
        TypeError: If a side is no group of actors.
        ValueError: If there are fewer than two sides, or one is empty.
    """
    groups: list[str] = []
    for side in sides:
        if isinstance(side, str) and side != "*":
            msg = f"{where}: each side is a list of actors, as in [{side!r}], got {side!r}"
            raise TypeError(msg)
        if isinstance(side, ActorRef):
            msg = f"{where}: each side is a list of actors, as in [ref], got one actor"
            raise TypeError(msg)
        paths = ["*" if actor == "*" else path_of(where, actor) for actor in side]
        if not paths:
            msg = f"{where}: a side must not be empty"
            raise ValueError(msg)
        groups.append(" ".join(paths))
    if len(groups) < 2:  # noqa: PLR2004
        msg = f"{where}: say at least two sides, as in partition(['/a'], ['/b']), got {len(groups)}"
        raise ValueError(msg)
    named = [path for group in groups for path in group.split(" ")]
    twice = next((path for path in named if named.count(path) > 1), None)
    if twice is not None:
        msg = f"{where}: {twice} cannot be on two sides"
        raise ValueError(msg)
    return f" {ONE_WAY if one_way else BOTH_WAYS} ".join(groups)


def _of_message(kind: Kind, actor: Where, before_event: int, lasting: float | None = None) -> Fault:
    path = path_of(kind, actor)
    return Fault(kind, path, _anchor(kind, path, before_event=before_event), "", lasting)


def _call(where: str, call: object) -> Anchor:
    if isinstance(call, bool) or not isinstance(call, int) or call < 1:
        msg = f"{where}: call must be an integer >= 1, counted from the first, got {call!r}"
        raise ValueError(msg)
    return Anchor("", "call", call)


def _lasting(where: str, lasting: float | None) -> float | None:
    return None if lasting is None else a_positive(where, "lasting", lasting)
