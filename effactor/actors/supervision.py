"""What happens to an actor whose handler raised something undeclared.

Supervision follows Erlang and Akka: whoever started the actor decides, by a
strategy that is a value. What it decides is a `Directive`; whom that concerns,
and how often, is the strategy's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final, cast

from typing_extensions import override

from effactor.schedules.schedule import Schedule

NEVER_ASKED: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""Exceptions that end the process, or the frame: no strategy is asked about them."""


class Directive(Enum):
    """What to do with an actor that failed."""

    RESUME = "resume"
    """Keep the actor and its state; only the message is lost."""

    RESTART = "restart"
    """Replace the instance by a new one; ref, mailbox and name stay."""

    STOP = "stop"
    """Stop the actor."""

    ESCALATE = "escalate"
    """Stop the actor and treat its parent as having failed."""


def restart_or_escalate(error: BaseException) -> Directive:
    """Restart, whatever the error, but for one that no restart can mend: the default decider.

    Args:
        error: What the handler raised.

    Returns:
        `Directive.ESCALATE` for a MemoryError, which is hardly the fault of the actor
        that met it; `Directive.RESTART` for all else, a RecursionError included.
    """
    return Directive.ESCALATE if isinstance(error, MemoryError) else Directive.RESTART


# The keys are classes of exceptions, as is checked below. `type[Any]`, because a key type
# is invariant: a variable that holds a dict of OSErrors would be refused.
Table = Mapping[type[Any], Directive]

Decider = Callable[[BaseException], Directive] | Table
"""What maps an error to a directive: a function, or a mapping of exception classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorStrategy:
    """Base of the strategies: how often, for which errors, after which delays.

    Use `OneForOneStrategy`, `AllForOneStrategy` or `RestForOneStrategy`. A strategy of
    your own is a frozen subclass that defines `affected`.

    Exceptions that end the process (KeyboardInterrupt, SystemExit) are no matter of
    supervision: they end the system's actors, and the strategy is not asked. If the
    strategy itself raises, or decides nothing, that is logged, and the actor stops.

    Attributes:
        max_restarts: How many restarts there may be within the window, at least 0; one
            more stops the actor, and all whom its failure affects. None: no limit.
        within_seconds: Length of the sliding window, in seconds, more than 0.
        decider: Maps what was raised to a `Directive`: a function, or a mapping of
            exception classes, of which the most specific one counts. An error that
            the mapping does not have is decided by the default: restart, but escalate
            a MemoryError. `Exception` as a key takes all that are left.
        backoff: The delays before the restarts; None restarts at once. The schedule
            begins afresh when there was no restart for `within_seconds`; where it is
            over, the actor stops. With a back-off a restart that itself fails, in the
            constructor, `on_restart` or `on_started`, is a failure like any other:
            the strategy is asked again. Without one it stops the actor.
    """

    shares_limit: ClassVar[bool] = True
    """Whether restarts are counted per supervisor, not per child."""

    max_restarts: int | None = 3
    within_seconds: float = 60.0
    decider: Decider = restart_or_escalate
    backoff: Schedule[Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        name = type(self).__name__
        _check_limits(name, self.max_restarts, self.within_seconds)
        decider: Any = self.decider
        if isinstance(decider, Mapping):
            # A copy: the caller's dict may change, a value must not.
            object.__setattr__(self, "decider", _checked(name, cast("Table", decider)))
        elif not callable(decider):
            msg = (
                f"{name}: decider must be a function of the exception, or a mapping such as "
                f"{{OSError: Directive.STOP}}, got {decider!r}"
            )
            raise TypeError(msg)
        elif inspect.iscoroutinefunction(decider):
            msg = f"{name}: decider must answer at once, but {decider!r} is async"
            raise TypeError(msg)
        if self.backoff is not None and not isinstance(self.backoff, Schedule):  # pyright: ignore[reportUnnecessaryIsInstance]
            wrong = self.backoff
            msg = f"{name}: backoff must be a Schedule such as exponential(0.1), got {wrong!r}"
            raise TypeError(msg)

    def affected(self, failed: str, children: Iterable[str]) -> Iterable[str]:
        """Say whom a restart or stop concerns.

        Args:
            failed: Name of the child that failed.
            children: Names of the supervisor's living children, in the order of their
                start, the failed one included.

        Returns:
            Names of those that share its fate; it always does.
        """
        raise NotImplementedError

    def decide(self, error: BaseException) -> Directive:
        """Ask the decider.

        Args:
            error: What was raised.

        Returns:
            The directive.

        Raises:
            TypeError: If the decider answers something else.
        """
        decider: Any = self.decider  # a mapping that can be called is a mapping
        directive: Any
        if isinstance(decider, Mapping):
            table = cast("Table", decider)
            known = (table[cls] for cls in type(error).__mro__ if cls in table)
            directive = next(known, None) or restart_or_escalate(error)
        else:
            directive = decider(error)
        if not isinstance(directive, Directive):
            if inspect.iscoroutine(directive):
                directive.close()
            msg = (
                f"{type(self).__name__}: the decider must return a Directive such as "
                f"Directive.RESTART, returned {directive!r} for {error!r}"
            )
            raise TypeError(msg)
        return directive


@dataclass(frozen=True, slots=True, kw_only=True)
class OneForOneStrategy(SupervisorStrategy):
    """Deal with the failing child alone; its siblings go on.

    Restarts are counted for each child. `SupervisorStrategy` explains the attributes.
    """

    shares_limit: ClassVar[bool] = False

    @override
    def affected(self, failed: str, children: Iterable[str]) -> Iterable[str]:
        return (failed,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllForOneStrategy(SupervisorStrategy):
    """Restart, or stop, all children when one of them fails.

    For children that cannot go on without each other's state. Each sibling first ends the
    message that it handles. Restarts are counted for the supervisor: a failure counts one,
    whichever child it is. `SupervisorStrategy` explains the attributes.
    """

    @override
    def affected(self, failed: str, children: Iterable[str]) -> Iterable[str]:
        return children


@dataclass(frozen=True, slots=True, kw_only=True)
class RestForOneStrategy(SupervisorStrategy):
    """Restart, or stop, the failed child and those that were started after it.

    For children of which later ones build on earlier ones; Erlang's `rest_for_one`. All
    else is as in `AllForOneStrategy`.
    """

    @override
    def affected(self, failed: str, children: Iterable[str]) -> Iterable[str]:
        names = list(children)
        return names[names.index(failed) :]


def a_strategy(where: str, value: Any) -> SupervisorStrategy:
    """Return *value* if it is a strategy.

    Args:
        where: Who was given it, for the error.
        value: What was given.

    Returns:
        The value.

    Raises:
        TypeError: If it is something else.
    """
    if not isinstance(value, SupervisorStrategy):
        if inspect.iscoroutine(value):
            value.close()
        hint = f"; write {value.__name__}()" if isinstance(value, type) else ""
        msg = f"{where} must be a strategy such as OneForOneStrategy(), got {value!r}{hint}"
        raise TypeError(msg)
    return value


def _check_limits(name: str, max_restarts: Any, within_seconds: Any) -> None:
    if max_restarts is not None and (
        isinstance(max_restarts, bool) or not isinstance(max_restarts, int)
    ):
        msg = f"{name}: max_restarts must be a whole number or None, got {max_restarts!r}"
        raise TypeError(msg)
    if max_restarts is not None and max_restarts < 0:
        msg = f"{name}: max_restarts must be >= 0, got {max_restarts!r}; None means no limit"
        raise ValueError(msg)
    if isinstance(within_seconds, bool) or not isinstance(within_seconds, int | float):
        msg = f"{name}: within_seconds must be a number of seconds, got {within_seconds!r}"
        raise TypeError(msg)
    if not within_seconds > 0:
        msg = f"{name}: within_seconds must be > 0, got {within_seconds!r}"
        raise ValueError(msg)


def _checked(name: str, table: Table) -> dict[type[Any], Directive]:
    for cls, directive in cast("Mapping[Any, Any]", table).items():
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            msg = f"{name}: the keys of decider must be classes of exceptions, got {cls!r}"
            raise TypeError(msg)
        if issubclass(cls, NEVER_ASKED):
            msg = (
                f"{name}: decider must not have {cls.__name__}, which ends the process; "
                "no strategy is asked about it"
            )
            raise ValueError(msg)  # noqa: TRY004 - the type is right, the value is not
        if not isinstance(directive, Directive):
            msg = (
                f"{name}: decider must map {cls.__name__} to a Directive such as "
                f"Directive.RESTART, got {directive!r}"
            )
            raise TypeError(msg)
    return dict(table)
