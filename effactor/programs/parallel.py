"""Several programs at once: nodes, so that they can be seen before they run.

Branches are fibers of the one run: they start in the order they are written, and each
runs until it first waits. Whatever ends a combinator early interrupts its other
branches at once, and it answers only when they have ended (structured concurrency:
Trio's nurseries, ZIO's parallel operators).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Never, final, overload

from typing_extensions import TypeVar, override

from effactor.programs import structure
from effactor.programs.operations import Operation
from effactor.programs.program import A_co, E_co, F_co, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from effactor.programs.exits import Exit

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
F = TypeVar("F")

Mode = Literal["fail_fast", "collect"]


# Not slots: in Python 3.11 `Quorum[int](...)` fails for frozen generics with slots.
@dataclass(frozen=True)
class Quorum(Generic[A_co, E_co]):
    """Enough programs have succeeded.

    Attributes:
        succeeded: Their answers, in the order the programs were written.
        failed: Failures of those that had failed by then, in the same order.
    """

    succeeded: tuple[A_co, ...]
    failed: tuple[E_co, ...]


@final
class Zip(Program[A_co, E_co, F_co]):
    """Run *programs* at once and answer the tuple of their answers."""

    __slots__ = ("programs",)

    def __init__(self, programs: tuple[Program[Any, Any, Any], ...]) -> None:
        """Keep the programs."""
        self.programs: tuple[Program[Any, Any, Any], ...] = programs


@final
class Gather(Program[A_co, E_co, F_co]):
    """Run *programs* at once, at most *concurrency* of them, and answer a list."""

    __slots__ = ("concurrency", "mode", "programs")

    def __init__(
        self, programs: tuple[Program[Any, Any, Any], ...], concurrency: int | None, mode: Mode
    ) -> None:
        """Keep all three."""
        self.programs: tuple[Program[Any, Any, Any], ...] = programs
        self.concurrency: int | None = concurrency
        self.mode: Mode = mode


@final
class Traverse(Program[A_co, E_co, F_co]):
    """Run the program that *function* makes of each item, and answer a list."""

    __slots__ = ("concurrency", "function", "items", "mode")

    def __init__(
        self,
        items: tuple[Any, ...],
        function: Callable[[Any], Program[Any, Any, Any]],
        concurrency: int | None,
        mode: Mode,
    ) -> None:
        """Keep all four."""
        self.items: tuple[Any, ...] = items
        self.function: Callable[[Any], Program[Any, Any, Any]] = function
        self.concurrency: int | None = concurrency
        self.mode: Mode = mode


@final
class Race(Program[A_co, E_co, F_co]):
    """Run *programs* at once and end as the first of them to end does."""

    __slots__ = ("programs",)

    def __init__(self, programs: tuple[Program[Any, Any, Any], ...]) -> None:
        """Keep the programs."""
        self.programs: tuple[Program[Any, Any, Any], ...] = programs


@final
class FirstSuccess(Program[A_co, E_co, F_co]):
    """Run *programs* at once and answer what the first of them to succeed answers."""

    __slots__ = ("programs",)

    def __init__(self, programs: tuple[Program[Any, Any, Any], ...]) -> None:
        """Keep the programs."""
        self.programs: tuple[Program[Any, Any, Any], ...] = programs


@final
class AtLeast(Program[A_co, E_co, F_co]):
    """Run *programs* at once until *needed* of them have succeeded."""

    __slots__ = ("needed", "programs")

    def __init__(self, needed: int, programs: tuple[Program[Any, Any, Any], ...]) -> None:
        """Keep both."""
        self.needed: int = needed
        self.programs: tuple[Program[Any, Any, Any], ...] = programs


@final
class Forever(Operation[Never]):
    """Wait, and never go on."""

    __slots__ = ()

    @override
    def describe(self) -> str:
        return "wait for ever"


def check_programs(where: str, programs: tuple[Any, ...]) -> None:
    """Refuse programs that are none, or are not given one by one.

    Args:
        where: The function that received them, for the error.
        programs: What was given.

    Raises:
        TypeError: If there is no program, or one is something else.
    """
    if not programs:
        msg = f"{where}: give at least one program"
        raise TypeError(msg)
    if isinstance(programs[0], list | tuple):
        msg = f"{where}: give the programs themselves, not a collection of them; write *programs"
        raise TypeError(msg)
    structure.all_programs(where, "programs", programs)


def collected(where: str, argument: str, values: Any) -> tuple[Any, ...]:
    """Return the values of an iterable.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        values: What was given.

    Returns:
        The values.

    Raises:
        TypeError: If it is no iterable, or a single program.
    """
    if structure.is_program(values):
        hint = f"write {where}([p, q])" if argument == "programs" else "put it into a list"
        msg = f"{where}: {argument} must be an iterable, got one Program; {hint}"
        raise TypeError(msg)
    try:
        iterator = iter(values)
    except TypeError:
        msg = f"{where}: {argument} must be an iterable, got {values!r}"
        raise TypeError(msg) from None
    return tuple(iterator)


def check_concurrency(where: str, concurrency: object) -> None:
    """Refuse a bound of concurrency that is none.

    Args:
        where: The function that received it, for the error.
        concurrency: What was given.

    Raises:
        TypeError: If it is neither None nor an integer.
        ValueError: If it is less than 1.
    """
    if concurrency is None:
        return
    if isinstance(concurrency, bool) or not isinstance(concurrency, int):
        msg = f"{where}: concurrency must be None or an integer >= 1, got {concurrency!r}"
        raise TypeError(msg)
    if concurrency < 1:
        msg = f"{where}: concurrency must be None or an integer >= 1, got {concurrency!r}"
        raise ValueError(msg)


def _check_mode(where: str, mode: object) -> None:
    if mode not in ("fail_fast", "collect"):  # no set: it may be unhashable
        msg = f'{where}: mode must be "fail_fast" or "collect", got {mode!r}'
        raise ValueError(msg)


@overload
def gather(
    programs: Iterable[Program[A, E, F]],
    concurrency: int | None = None,
    *,
    mode: Literal["fail_fast"] = "fail_fast",
) -> Program[list[A], E, F]: ...
@overload
def gather(
    programs: Iterable[Program[A, E, F]],
    concurrency: int | None = None,
    *,
    mode: Literal["collect"],
) -> Program[list[Exit[A, E]], Never, F]: ...
def gather(
    programs: Iterable[Program[Any, Any, Any]],
    concurrency: int | None = None,
    *,
    mode: Mode = "fail_fast",
) -> Program[list[Any], Any, Any]:
    """Run programs at once and answer the list of their answers, in input order.

    Args:
        programs: The programs. They start in this order.
        concurrency: How many may run at the same time; None for all of them. The next
            one starts when one has ended.
        mode: `"fail_fast"` interrupts the others at the first failure or defect, which
            is then the whole's. `"collect"` runs all of them to their ends and answers
            an `Exit` for each.

    Returns:
        A program that answers the list.

    Raises:
        TypeError: If *programs* are no programs, or *concurrency* is no integer.
        ValueError: If *concurrency* is less than 1, or *mode* is none of the two.
    """
    made = collected("gather", "programs", programs)
    structure.all_programs("gather", "programs", made)
    check_concurrency("gather", concurrency)
    _check_mode("gather", mode)
    return Gather(made, concurrency, mode)


@overload
def traverse(
    items: Iterable[A],
    function: Callable[[A], Program[B, E, F]],
    concurrency: int | None = None,
    *,
    mode: Literal["fail_fast"] = "fail_fast",
) -> Program[list[B], E, F]: ...
@overload
def traverse(
    items: Iterable[A],
    function: Callable[[A], Program[B, E, F]],
    concurrency: int | None = None,
    *,
    mode: Literal["collect"],
) -> Program[list[Exit[B, E]], Never, F]: ...
def traverse(
    items: Iterable[Any],
    function: Callable[[Any], Program[Any, Any, Any]],
    concurrency: int | None = None,
    *,
    mode: Mode = "fail_fast",
) -> Program[list[Any], Any, Any]:
    """Run a program for each item at once and answer the list of their answers.

    Args:
        items: Any values; all are read now.
        function: Called with an item when its turn has come; returns the program.
        concurrency: How many may run at the same time; None for all of them.
        mode: As in `gather`.

    Returns:
        A program that answers the list, in the order of the items.

    Raises:
        TypeError: If *items* is no iterable, *function* no function, or *concurrency*
            no integer.
        ValueError: If *concurrency* is less than 1, or *mode* is none of the two.
    """
    made = collected("traverse", "items", items)
    structure.a_function("traverse", "function", function, "a program for an item")
    check_concurrency("traverse", concurrency)
    _check_mode("traverse", mode)
    return Traverse(made, function, concurrency, mode)


def never() -> Program[Never]:
    """Wait for ever: until an interrupt.

    Returns:
        A program that neither answers nor fails. `race(p, never())` is `p`.
    """
    return Forever()
