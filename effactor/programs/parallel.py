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

    from effactor.errors import BranchesFailed
    from effactor.programs.exits import Exit

A = TypeVar("A")
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")
A4 = TypeVar("A4")
A5 = TypeVar("A5")
A6 = TypeVar("A6")
A7 = TypeVar("A7")
A8 = TypeVar("A8")
B = TypeVar("B")
E = TypeVar("E")
E1 = TypeVar("E1")
E2 = TypeVar("E2")
E3 = TypeVar("E3")
E4 = TypeVar("E4")
E5 = TypeVar("E5")
E6 = TypeVar("E6")
E7 = TypeVar("E7")
E8 = TypeVar("E8")
F = TypeVar("F")
F1 = TypeVar("F1")
F2 = TypeVar("F2")
F3 = TypeVar("F3")
F4 = TypeVar("F4")
F5 = TypeVar("F5")
F6 = TypeVar("F6")
F7 = TypeVar("F7")
F8 = TypeVar("F8")

Mode = Literal["fail_fast", "collect"]


@dataclass(frozen=True, slots=True)
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


def _programs(where: str, programs: tuple[Any, ...]) -> None:
    if not programs:
        msg = f"{where}: give at least one program"
        raise TypeError(msg)
    if isinstance(programs[0], list | tuple):
        msg = f"{where}: give programs, not a collection of them: write {where}(*programs)"
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
        msg = f"{where}: {argument} must be an iterable, got one Program; put it into a list"
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
def zip_(p: Program[A1, E1, F1], /) -> Program[tuple[A1], E1, F1]: ...
@overload
def zip_(
    p: Program[A1, E1, F1], q: Program[A2, E2, F2], /
) -> Program[tuple[A1, A2], E1 | E2, F1 | F2]: ...
@overload
def zip_(
    p: Program[A1, E1, F1], q: Program[A2, E2, F2], r: Program[A3, E3, F3], /
) -> Program[tuple[A1, A2, A3], E1 | E2 | E3, F1 | F2 | F3]: ...
@overload
def zip_(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    /,
) -> Program[tuple[A1, A2, A3, A4], E1 | E2 | E3 | E4, F1 | F2 | F3 | F4]: ...
@overload
def zip_(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    t: Program[A5, E5, F5],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5], E1 | E2 | E3 | E4 | E5, F1 | F2 | F3 | F4 | F5]: ...
@overload
def zip_(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    t: Program[A5, E5, F5],
    u: Program[A6, E6, F6],
    /,
) -> Program[
    tuple[A1, A2, A3, A4, A5, A6],
    E1 | E2 | E3 | E4 | E5 | E6,
    F1 | F2 | F3 | F4 | F5 | F6,
]: ...
@overload
def zip_(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    t: Program[A5, E5, F5],
    u: Program[A6, E6, F6],
    v: Program[A7, E7, F7],
    /,
) -> Program[
    tuple[A1, A2, A3, A4, A5, A6, A7],
    E1 | E2 | E3 | E4 | E5 | E6 | E7,
    F1 | F2 | F3 | F4 | F5 | F6 | F7,
]: ...
@overload
def zip_(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    t: Program[A5, E5, F5],
    u: Program[A6, E6, F6],
    v: Program[A7, E7, F7],
    w: Program[A8, E8, F8],
    /,
) -> Program[
    tuple[A1, A2, A3, A4, A5, A6, A7, A8],
    E1 | E2 | E3 | E4 | E5 | E6 | E7 | E8,
    F1 | F2 | F3 | F4 | F5 | F6 | F7 | F8,
]: ...
@overload
def zip_(*programs: Program[A, E, F]) -> Program[tuple[A, ...], E, F]: ...
def zip_(*programs: Program[Any, Any, Any]) -> Program[tuple[Any, ...], Any, Any]:
    """Run programs at once and answer all their answers.

    Args:
        programs: The programs. They start in this order.

    Returns:
        A program that answers the tuple of their answers. The first failure or defect
        interrupts the others at once; when they have ended, it is the whole's. To run
        programs one after another use a do-block.

    Raises:
        TypeError: If there is no program, or one is something else.
    """
    _programs("zip_", programs)
    return Zip(programs)


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


# One parameter a program: mypy would join the answers of `*programs` to a common base.
@overload
def race(
    p: Program[A1, E1, F1], q: Program[A2, E2, F2], /
) -> Program[A1 | A2, E1 | E2, F1 | F2]: ...
@overload
def race(
    p: Program[A1, E1, F1], q: Program[A2, E2, F2], r: Program[A3, E3, F3], /
) -> Program[A1 | A2 | A3, E1 | E2 | E3, F1 | F2 | F3]: ...
@overload
def race(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    /,
) -> Program[A1 | A2 | A3 | A4, E1 | E2 | E3 | E4, F1 | F2 | F3 | F4]: ...
@overload
def race(*programs: Program[A, E, F]) -> Program[A, E, F]: ...
def race(*programs: Program[Any, Any, Any]) -> Program[Any, Any, Any]:
    """Run programs at once and end as the first of them to end does.

    Args:
        programs: The programs. They start in this order, and one that ends before the
            next has had its turn has won.

    Returns:
        A program that ends like the winner: it answers, fails or dies. The others are
        interrupted at once, and it goes on when they have ended. To wait for the first
        *success* use `first_success`.

    Raises:
        TypeError: If there is no program, or one is something else.
    """
    _programs("race", programs)
    return Race(programs)


@overload
def first_success(
    p: Program[A1, E1, F1], q: Program[A2, E2, F2], /
) -> Program[A1 | A2, BranchesFailed[E1 | E2], F1 | F2]: ...
@overload
def first_success(
    p: Program[A1, E1, F1], q: Program[A2, E2, F2], r: Program[A3, E3, F3], /
) -> Program[A1 | A2 | A3, BranchesFailed[E1 | E2 | E3], F1 | F2 | F3]: ...
@overload
def first_success(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    /,
) -> Program[A1 | A2 | A3 | A4, BranchesFailed[E1 | E2 | E3 | E4], F1 | F2 | F3 | F4]: ...
@overload
def first_success(*programs: Program[A, E, F]) -> Program[A, BranchesFailed[E], F]: ...
def first_success(*programs: Program[Any, Any, Any]) -> Program[Any, BranchesFailed[Any], Any]:
    """Run programs at once and answer what the first of them to succeed answers.

    Args:
        programs: The programs.

    Returns:
        A program that answers like the winner, after the others were interrupted and
        have ended. It fails with `BranchesFailed` when all have failed; a defect of any
        of them is the whole's at once.

    Raises:
        TypeError: If there is no program, or one is something else.
    """
    _programs("first_success", programs)
    return FirstSuccess(programs)


@overload
def at_least(
    needed: int, p: Program[A1, E1, F1], q: Program[A2, E2, F2], /
) -> Program[Quorum[A1 | A2, E1 | E2], BranchesFailed[E1 | E2], F1 | F2]: ...
@overload
def at_least(
    needed: int, p: Program[A1, E1, F1], q: Program[A2, E2, F2], r: Program[A3, E3, F3], /
) -> Program[Quorum[A1 | A2 | A3, E1 | E2 | E3], BranchesFailed[E1 | E2 | E3], F1 | F2 | F3]: ...
@overload
def at_least(
    needed: int, /, *programs: Program[A, E, F]
) -> Program[Quorum[A, E], BranchesFailed[E], F]: ...
def at_least(
    needed: int, /, *programs: Program[Any, Any, Any]
) -> Program[Quorum[Any, Any], BranchesFailed[Any], Any]:
    """Run programs at once until enough of them have succeeded.

    Args:
        needed: How many must succeed, from 1 to the number of programs.
        programs: The programs.

    Returns:
        A program that answers a `Quorum` as soon as *needed* have succeeded, after the
        others were interrupted and have ended. It fails with `BranchesFailed` as soon
        as too many have failed; a defect of any of them is the whole's at once.

    Raises:
        TypeError: If *needed* is no integer, there is no program, or one is something
            else.
        ValueError: If *needed* is less than 1, or more than there are programs.
    """
    if isinstance(needed, bool) or not isinstance(needed, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"at_least: needed must be an integer, got {needed!r}; write at_least(2, p, q, r)"
        raise TypeError(msg)
    _programs("at_least", programs)
    if not 1 <= needed <= len(programs):
        msg = f"at_least: needed must be from 1 to {len(programs)} programs, got {needed!r}"
        raise ValueError(msg)
    return AtLeast(needed, programs)


def never() -> Program[Never]:
    """Wait for ever: until an interrupt.

    Returns:
        A program that neither answers nor fails. `race(p, never())` is `p`.
    """
    return Forever()
