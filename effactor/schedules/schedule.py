"""What a schedule is: a value that decides, again and again, whether to go on and when.

The algebra is that of ZIO and of Mark Hopkins' and Edward Kmett's `retry` package:
`&` wants both, `|` wants either. A schedule does nothing and waits for nothing. It is
asked after each round, with the time and the chance that whoever asks has got from the
world, so all of it is pure and can be listed without waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, overload

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

In_contra = TypeVar("In_contra", contravariant=True)
In = TypeVar("In")


class Decision(NamedTuple):
    """A schedule's word that it goes on.

    Attributes:
        delay: Seconds to wait first, at least 0.
        state: What the schedule is to be asked with next.
    """

    delay: float
    state: Any


class Schedule(Generic[In_contra]):
    """Whether to do something once more, and after how many seconds.

    Given to `retry` it sees the failures, given to `repeat` the answers: `In` is what
    it can look at. Most look at nothing and are of type `Schedule[object]`. Schedules
    are values: two that were made alike are equal, and each use starts afresh.

    Combine them with `a & b`, `a | b`, `a.then(b)`, `a.while_(predicate)` and
    `a.up_to(seconds)`; look at them with `delays()`.

    A schedule of your own is a subclass that defines `begin` and `decide`, and that is
    frozen: all that changes is in the state. Say with the properties `needs_time`,
    `needs_chance` and `needs_input` what its decisions depend on, if it is anything.
    """

    __slots__ = ()

    # ------------------------------------------------------------ for interpreters

    @property
    def needs_time(self) -> bool:
        """Whether decisions depend on `elapsed`."""
        return False

    @property
    def needs_chance(self) -> bool:
        """Whether decisions depend on `chance`."""
        return False

    @property
    def needs_input(self) -> bool:
        """Whether decisions depend on `given`."""
        return False

    def begin(self) -> Any:
        """Say what the schedule is to be asked with first.

        Returns:
            Its first state.
        """
        raise NotImplementedError

    def decide(
        self, state: Any, given: In_contra, elapsed: float, chance: float
    ) -> Decision | None:
        """Say whether to go on, and when: asked after each round.

        Args:
            state: What `begin`, or the decision before, said.
            given: What the round ended with.
            elapsed: Seconds since the schedule began, which was before the first round.
                Anything, where `needs_time` is false.
            chance: A random number, at least 0 and below 1, drawn for this decision.
                Anything, where `needs_chance` is false.

        Returns:
            The delay and the next state; None if it is over. It is not asked again then.
        """
        raise NotImplementedError

    # ------------------------------------------------------------ composition

    # What the result can look at is what both can. Type checkers settle the parameter of
    # `self` before they see the argument, hence an overload for when it is `object`, and
    # for the operators a reflected one for when the right side's is the narrower.

    @overload
    def __and__(self: Schedule[object], other: Schedule[In]) -> Schedule[In]: ...
    @overload
    def __and__(self: Schedule[In], other: Schedule[In]) -> Schedule[In]: ...
    def __and__(self, other: Schedule[Any]) -> Schedule[Any]:
        """Go on as long as both do, after the longer of their delays."""
        return combining.both(self, other)

    def __rand__(self: Schedule[In], other: Schedule[In]) -> Schedule[In]:
        """Type `other & self`, and refuse what is no schedule."""
        return combining.both(combining.a_schedule("&", "the left side", other), self)

    @overload
    def __or__(self: Schedule[object], other: Schedule[In]) -> Schedule[In]: ...
    @overload
    def __or__(self: Schedule[In], other: Schedule[In]) -> Schedule[In]: ...
    def __or__(self, other: Schedule[Any]) -> Schedule[Any]:
        """Go on as long as either does, after the shorter of the delays of those that do."""
        return combining.either(self, other)

    def __ror__(self: Schedule[In], other: Schedule[In]) -> Schedule[In]:
        """Type `other | self`, and refuse what is no schedule."""
        return combining.either(combining.a_schedule("|", "the left side", other), self)

    @overload
    def then(self: Schedule[object], following: Schedule[In]) -> Schedule[In]: ...
    @overload
    def then(self: Schedule[In], following: Schedule[In]) -> Schedule[In]: ...
    def then(self, following: Schedule[Any]) -> Schedule[Any]:
        """Follow this schedule until it is over, then *following* from its beginning.

        Args:
            following: It begins when this one is over: times are counted from there.

        Returns:
            A schedule of both, one after the other.

        Raises:
            TypeError: If *following* is no schedule.
        """
        return combining.in_turn(self, following)

    @overload
    def while_(self: Schedule[object], predicate: Callable[[In], bool]) -> Schedule[In]: ...
    @overload
    def while_(self: Schedule[In], predicate: Callable[[In], bool]) -> Schedule[In]: ...
    def while_(self, predicate: Callable[[Any], bool]) -> Schedule[Any]:
        """Go on only while *predicate* holds.

        Args:
            predicate: Called with the failure (for `retry`) or the answer (for `repeat`)
                of each round. At the first false it is over. What it raises is a defect.

        Returns:
            A schedule that looks at what it is given.

        Raises:
            TypeError: If *predicate* cannot be called, or is a coroutine function.
        """
        return limiting.guarded(self, predicate)

    def up_to(self, seconds: float) -> Schedule[In_contra]:
        """Go on only where the next round begins at most *seconds* after the beginning.

        Args:
            seconds: Counted from before the first round, at least 0.

        Returns:
            A schedule that is over sooner.

        Raises:
            TypeError: If *seconds* is no number.
            ValueError: If it is negative or not finite.
        """
        return limiting.limited(self, seconds)

    # ------------------------------------------------------------ to look at

    def delays(
        self: Schedule[In],
        limit: int | None = None,
        *,
        inputs: Iterable[In] | None = None,
        chance: float | Iterable[float] | None = None,
        durations: float | Iterable[float] = 0.0,
    ) -> list[float]:
        """List the delays, without waiting for any.

        The list ends when the schedule is over, or with the shortest of *inputs*,
        *chance* and *durations*.

        Args:
            limit: The most delays to list; None lists all, and refuses if that is
                more than 1,000.
            inputs: What each round ends with; needed if there is a `while_`.
            chance: Random numbers from 0 to 1, one for each decision, or one for all;
                needed if there is a jitter. 0.0 gives the longest delays.
            durations: Seconds that each round takes, or one number for all.

        Returns:
            The delays in seconds.

        Raises:
            ValueError: If there are too many, if *inputs* or *chance* are needed and
                missing, or if a number is out of bounds.
            TypeError: If an argument is of another type.
        """
        return listing.delays(self, limit, inputs=inputs, chance=chance, durations=durations)

    def __bool__(self) -> bool:
        """Refuse: `a and b` would silently be `b`."""
        msg = "a Schedule is neither true nor false: write a & b, a | b; not a and b, a or b"
        raise TypeError(msg)


# At the end, because these modules need `Schedule`.
from effactor.schedules import combining, limiting, listing  # noqa: E402
