"""The table that sends each message to its handler, and what stands in it.

An entry is called with the actor and the message. Where a type has one handler and
no guard, the entry is that handler itself, so that guards cost only those who use them.
"""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from effactor.actors.reading import reads_envelopes
from effactor.programs.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class NoGuardHolds(Exception):
    """No guard of the handlers for a message holds, and nothing else takes it.

    A signal to the runtime, which makes it `Unhandled`.
    """


@dataclass(frozen=True, slots=True)
class Rule:
    """One handler of one message type.

    Attributes:
        function: Takes the actor and the message.
        when: Its guard, which takes the same; None if it takes every message.
        streams: Whether it is an async generator function.
    """

    function: Callable[..., Any]
    when: Callable[..., Any] | None = None
    streams: bool = False

    @classmethod
    def of(cls, function: Callable[..., Any], when: Callable[..., Any] | None) -> Rule:
        """Make the rule of a method.

        Args:
            function: The method.
            when: Its guard, or None.

        Returns:
            Its rule.
        """
        return cls(function, when, inspect.isasyncgenfunction(function))


Rules = dict[type[Any], tuple[Rule, ...]]
"""The handlers of each type in the order they are tried; only the last may lack a guard."""


_NEW: Final[Any] = object.__new__


class Behavior:
    """How a class of actors answers messages.

    Attributes:
        every: All handlers, by exact message type.
        plain: Those that are `def`, or several with guards.
        coroutine: Those that are `async def`; of an async generator, one that answers
            the list of its items.
        generators: Those that are async generators themselves, by exact message type.
            Called with the actor and the message, each returns the generator, or raises
            `NoGuardHolds`.
        annotation: The messages that the class declares, as in `Actor[...]`.
        catch_all: The class's own `on_receive`, or None.
        catch_all_is_coroutine: Whether that is `async def`.
        names: Names of the message types with a handler, for errors.
        has_started: Whether the class overrides `on_started`.
        has_stopped: Whether the class overrides `on_stopped`.
        needs_equipment: Whether its messages must travel in letters.
        is_simple: Whether all that a spawn has to do is to call the class.
        becomings: Behaviours that actors of the class have become, by their handlers.
    """

    __slots__ = (
        "_priorities",
        "_rules",
        "_stated",
        "annotation",
        "becomings",
        "catch_all",
        "catch_all_is_coroutine",
        "coroutine",
        "every",
        "generators",
        "has_started",
        "has_stopped",
        "is_simple",
        "names",
        "needs_equipment",
        "plain",
    )

    def __init__(
        self,
        rules: Rules,
        cls: type[Any],
        annotation: Any,
        priorities: Mapping[type[Any], int] | None = None,
    ) -> None:
        """Sort the handlers of *cls* by how they run."""
        self.annotation: Any = annotation
        self.has_started: bool = _overridden(cls, "on_started") is not None
        self.has_stopped: bool = _overridden(cls, "on_stopped") is not None
        # An actor with a stop policy, or whose handlers look at their envelopes or overlap.
        self.needs_equipment: bool = (
            _overridden(cls, "stop_policy") is not None
            or reads_envelopes(cls)
            or getattr(cls, "__effactor_concurrency__", 1) != 1
        )
        self.is_simple: bool = (
            not self.has_started
            and not self.needs_equipment
            # What these make is new, and of this class.
            and type(cls) is type
            and cls.__new__ is _NEW
        )
        self.becomings: dict[tuple[Callable[..., Any], ...], Behavior] = {}
        self._fill(rules, priorities or {}, _overridden(cls, "on_receive"))

    def _fill(
        self,
        rules: Rules,
        priorities: Mapping[type[Any], int],
        catch_all: Callable[..., Any] | None,
    ) -> None:
        self._rules = rules
        self._stated = dict(priorities)
        self._priorities: dict[type[Any], int] = {}
        self.every: dict[type[Any], Callable[..., Any]] = {}
        self.plain: dict[type[Any], Callable[..., Any]] = {}
        self.coroutine: dict[type[Any], Callable[..., Any]] = {}
        self.generators: dict[type[Any], Callable[..., Any]] = {}
        self.catch_all: Callable[..., Any] | None = catch_all
        self.catch_all_is_coroutine: bool = inspect.iscoroutinefunction(catch_all)
        self.names: tuple[str, ...] = tuple(t.__name__ for t in rules)
        for message_type in rules:
            self.resolve(message_type)

    def replaced(self, rules: Rules, priorities: Mapping[type[Any], int]) -> Behavior:
        """Make a behaviour with other handlers, and all else the same.

        Args:
            rules: The handlers.
            priorities: The priorities that they state; those of this one hold too.

        Returns:
            A behaviour without a catch-all.
        """
        other = copy.copy(self)
        other.becomings = {}
        other._fill(rules, {**self._stated, **priorities}, None)  # noqa: SLF001
        return other

    def resolve(self, message_type: type[Any]) -> bool:
        """Find the handlers of a type met for the first time, by its MRO, and remember them.

        Handlers with guards are followed by those of the type's base classes, up to the
        first without a guard, and in the end by the catch-all.

        Args:
            message_type: The exact type of a message.

        Returns:
            Whether `every` now has it.
        """
        chain: list[Rule] = []
        for base in message_type.__mro__:
            chain += self._rules.get(base, ())
            if chain and chain[-1].when is None:
                break
        else:
            if self.catch_all is not None:
                chain.append(Rule.of(self.catch_all, None))
        if chain:
            self._remember(message_type, chain)
        return bool(chain)

    def _remember(self, message_type: type[Any], chain: list[Rule]) -> None:
        if any(rule.streams for rule in chain):
            self.generators[message_type] = _first(
                [(r.when, r.function if r.streams else _no_stream) for r in chain]
            )
        function = _first([(r.when, _collected(r)) for r in chain])
        table = self.coroutine if inspect.iscoroutinefunction(function) else self.plain
        table[message_type] = self.every[message_type] = function

    def priority_of(self, message_type: type[Any]) -> int:
        """Return the priority of a message, for mailboxes that are ordered by it.

        Args:
            message_type: Its exact type.

        Returns:
            What a handler or `Actor[...]` states for the type, else for the nearest of its
            base classes; 0 if nothing does.
        """
        found = self._priorities.get(message_type)
        if found is None:
            stated = self._stated
            found = next((stated[base] for base in message_type.__mro__ if base in stated), 0)
            self._priorities[message_type] = found
        return found


def _overridden(cls: type[Any], name: str) -> Callable[..., Any] | None:
    for base in cls.__mro__:
        if name in base.__dict__:
            found: Callable[..., Any] = base.__dict__[name]
            return None if "__effactor_root__" in base.__dict__ else found
    return None


def _first(
    choices: list[tuple[Callable[..., Any] | None, Callable[..., Any]]],
) -> Callable[..., Any]:
    """Make one function of several: it calls the first whose guard holds."""
    if len(choices) == 1 and choices[0][0] is None:
        return choices[0][1]

    def dispatch(actor: Any, message: Any) -> Any:
        for when, function in choices:
            if when is None or _holds(when(actor, message), when):
                return function(actor, message)
        raise NoGuardHolds

    return dispatch


def _holds(answer: Any, when: Callable[..., Any]) -> bool:
    if answer is True or answer is False:
        return answer
    if isinstance(answer, types.CoroutineType):
        answer.close()  # nobody will await it
    if isinstance(answer, Program | Awaitable):
        msg = (
            f"@handler: the guard {getattr(when, '__qualname__', when)!s} must answer at once "
            f"whether the message is for its handler, got {answer!r}; ask and await in the handler"
        )
        raise TypeError(msg)
    return bool(answer)


def _collected(rule: Rule) -> Callable[..., Any]:
    """Make a coroutine function of an async generator function: it answers all items."""
    if not rule.streams:
        return rule.function
    generate = rule.function

    @wraps(generate)
    async def collected(actor: Any, message: Any) -> list[Any]:
        # Whatever ends this early is raised inside of the generator, which closes it.
        return [item async for item in generate(actor, message)]

    return collected


def _no_stream(_actor: Any, _message: Any) -> Any:
    raise NoGuardHolds
