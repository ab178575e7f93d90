"""`zip_`: several programs at once, and all their answers, each of its own type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, overload

from typing_extensions import TypeVar

from effactor.programs.parallel import Zip, check_programs

if TYPE_CHECKING:
    from effactor.programs.program import Program

A = TypeVar("A")
E = TypeVar("E")
F = TypeVar("F")
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")
A4 = TypeVar("A4")
A5 = TypeVar("A5")
A6 = TypeVar("A6")
A7 = TypeVar("A7")
A8 = TypeVar("A8")
E1 = TypeVar("E1")
E2 = TypeVar("E2")
E3 = TypeVar("E3")
E4 = TypeVar("E4")
E5 = TypeVar("E5")
E6 = TypeVar("E6")
E7 = TypeVar("E7")
E8 = TypeVar("E8")
F1 = TypeVar("F1")
F2 = TypeVar("F2")
F3 = TypeVar("F3")
F4 = TypeVar("F4")
F5 = TypeVar("F5")
F6 = TypeVar("F6")
F7 = TypeVar("F7")
F8 = TypeVar("F8")


# For each number of programs there are four overloads: with and without failures, with
# and without effects. Where a union has no member but `Never`, pyright infers Unknown, so
# each spells out what there is not. They overlap where there is neither; the first has
# taken that. One parameter a program: mypy would join the answers of `*programs`.
@overload
def zip_(p: Program[A1, E1, F1], /) -> Program[tuple[A1], E1, F1]: ...
@overload
def zip_(
    p: Program[A1],
    q: Program[A2],
    /,
) -> Program[tuple[A1, A2]]: ...
@overload
def zip_(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    /,
) -> Program[tuple[A1, A2], E1 | E2]: ...
@overload
def zip_(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    /,
) -> Program[tuple[A1, A2], Never, F1 | F2]: ...
@overload
def zip_(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    /,
) -> Program[tuple[A1, A2], E1 | E2, F1 | F2]: ...
@overload
def zip_(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    /,
) -> Program[tuple[A1, A2, A3]]: ...
@overload
def zip_(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    /,
) -> Program[tuple[A1, A2, A3], E1 | E2 | E3]: ...
@overload
def zip_(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    /,
) -> Program[tuple[A1, A2, A3], Never, F1 | F2 | F3]: ...
@overload
def zip_(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    /,
) -> Program[tuple[A1, A2, A3], E1 | E2 | E3, F1 | F2 | F3]: ...
@overload
def zip_(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    /,
) -> Program[tuple[A1, A2, A3, A4]]: ...
@overload
def zip_(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    /,
) -> Program[tuple[A1, A2, A3, A4], E1 | E2 | E3 | E4]: ...
@overload
def zip_(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    /,
) -> Program[tuple[A1, A2, A3, A4], Never, F1 | F2 | F3 | F4]: ...
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
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    t: Program[A5],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5]]: ...
@overload
def zip_(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    t: Program[A5, E5],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5], E1 | E2 | E3 | E4 | E5]: ...
@overload
def zip_(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    t: Program[A5, Never, F5],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5], Never, F1 | F2 | F3 | F4 | F5]: ...
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
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    t: Program[A5],
    u: Program[A6],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5, A6]]: ...
@overload
def zip_(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    t: Program[A5, E5],
    u: Program[A6, E6],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5, A6], E1 | E2 | E3 | E4 | E5 | E6]: ...
@overload
def zip_(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    t: Program[A5, Never, F5],
    u: Program[A6, Never, F6],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5, A6], Never, F1 | F2 | F3 | F4 | F5 | F6]: ...
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
    tuple[A1, A2, A3, A4, A5, A6], E1 | E2 | E3 | E4 | E5 | E6, F1 | F2 | F3 | F4 | F5 | F6
]: ...
@overload
def zip_(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    t: Program[A5],
    u: Program[A6],
    v: Program[A7],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5, A6, A7]]: ...
@overload
def zip_(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    t: Program[A5, E5],
    u: Program[A6, E6],
    v: Program[A7, E7],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5, A6, A7], E1 | E2 | E3 | E4 | E5 | E6 | E7]: ...
@overload
def zip_(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    t: Program[A5, Never, F5],
    u: Program[A6, Never, F6],
    v: Program[A7, Never, F7],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5, A6, A7], Never, F1 | F2 | F3 | F4 | F5 | F6 | F7]: ...
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
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    t: Program[A5],
    u: Program[A6],
    v: Program[A7],
    w: Program[A8],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5, A6, A7, A8]]: ...
@overload
def zip_(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    t: Program[A5, E5],
    u: Program[A6, E6],
    v: Program[A7, E7],
    w: Program[A8, E8],
    /,
) -> Program[tuple[A1, A2, A3, A4, A5, A6, A7, A8], E1 | E2 | E3 | E4 | E5 | E6 | E7 | E8]: ...
@overload
def zip_(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    t: Program[A5, Never, F5],
    u: Program[A6, Never, F6],
    v: Program[A7, Never, F7],
    w: Program[A8, Never, F8],
    /,
) -> Program[
    tuple[A1, A2, A3, A4, A5, A6, A7, A8], Never, F1 | F2 | F3 | F4 | F5 | F6 | F7 | F8
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
    check_programs("zip_", programs)
    return Zip(programs)
