"""`first_success`: the first of several programs to succeed decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, overload

from typing_extensions import TypeVar

from effactor.programs.parallel import FirstSuccess, check_programs

if TYPE_CHECKING:
    from effactor.errors import BranchesFailed
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


# For each number of programs there are four overloads: see `racing`.
@overload
def first_success(
    p: Program[A1],
    q: Program[A2],
    /,
) -> Program[A1 | A2, BranchesFailed[Never]]: ...
@overload
def first_success(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    /,
) -> Program[A1 | A2, BranchesFailed[E1 | E2]]: ...
@overload
def first_success(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    /,
) -> Program[A1 | A2, BranchesFailed[Never], F1 | F2]: ...
@overload
def first_success(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    /,
) -> Program[A1 | A2, BranchesFailed[E1 | E2], F1 | F2]: ...
@overload
def first_success(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    /,
) -> Program[A1 | A2 | A3, BranchesFailed[Never]]: ...
@overload
def first_success(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    /,
) -> Program[A1 | A2 | A3, BranchesFailed[E1 | E2 | E3]]: ...
@overload
def first_success(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    /,
) -> Program[A1 | A2 | A3, BranchesFailed[Never], F1 | F2 | F3]: ...
@overload
def first_success(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    /,
) -> Program[A1 | A2 | A3, BranchesFailed[E1 | E2 | E3], F1 | F2 | F3]: ...
@overload
def first_success(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    /,
) -> Program[A1 | A2 | A3 | A4, BranchesFailed[Never]]: ...
@overload
def first_success(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    /,
) -> Program[A1 | A2 | A3 | A4, BranchesFailed[E1 | E2 | E3 | E4]]: ...
@overload
def first_success(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    /,
) -> Program[A1 | A2 | A3 | A4, BranchesFailed[Never], F1 | F2 | F3 | F4]: ...
@overload
def first_success(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    /,
) -> Program[A1 | A2 | A3 | A4, BranchesFailed[E1 | E2 | E3 | E4], F1 | F2 | F3 | F4]: ...
@overload
def first_success(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    t: Program[A5],
    /,
) -> Program[A1 | A2 | A3 | A4 | A5, BranchesFailed[Never]]: ...
@overload
def first_success(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    t: Program[A5, E5],
    /,
) -> Program[A1 | A2 | A3 | A4 | A5, BranchesFailed[E1 | E2 | E3 | E4 | E5]]: ...
@overload
def first_success(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    t: Program[A5, Never, F5],
    /,
) -> Program[A1 | A2 | A3 | A4 | A5, BranchesFailed[Never], F1 | F2 | F3 | F4 | F5]: ...
@overload
def first_success(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    t: Program[A5, E5, F5],
    /,
) -> Program[
    A1 | A2 | A3 | A4 | A5, BranchesFailed[E1 | E2 | E3 | E4 | E5], F1 | F2 | F3 | F4 | F5
]: ...
@overload
def first_success(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    t: Program[A5],
    u: Program[A6],
    /,
) -> Program[A1 | A2 | A3 | A4 | A5 | A6, BranchesFailed[Never]]: ...
@overload
def first_success(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    t: Program[A5, E5],
    u: Program[A6, E6],
    /,
) -> Program[A1 | A2 | A3 | A4 | A5 | A6, BranchesFailed[E1 | E2 | E3 | E4 | E5 | E6]]: ...
@overload
def first_success(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    t: Program[A5, Never, F5],
    u: Program[A6, Never, F6],
    /,
) -> Program[A1 | A2 | A3 | A4 | A5 | A6, BranchesFailed[Never], F1 | F2 | F3 | F4 | F5 | F6]: ...
@overload
def first_success(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    t: Program[A5, E5, F5],
    u: Program[A6, E6, F6],
    /,
) -> Program[
    A1 | A2 | A3 | A4 | A5 | A6,
    BranchesFailed[E1 | E2 | E3 | E4 | E5 | E6],
    F1 | F2 | F3 | F4 | F5 | F6,
]: ...
@overload
def first_success(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    t: Program[A5],
    u: Program[A6],
    v: Program[A7],
    /,
) -> Program[A1 | A2 | A3 | A4 | A5 | A6 | A7, BranchesFailed[Never]]: ...
@overload
def first_success(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    t: Program[A5, E5],
    u: Program[A6, E6],
    v: Program[A7, E7],
    /,
) -> Program[
    A1 | A2 | A3 | A4 | A5 | A6 | A7, BranchesFailed[E1 | E2 | E3 | E4 | E5 | E6 | E7]
]: ...
@overload
def first_success(
    p: Program[A1, Never, F1],
    q: Program[A2, Never, F2],
    r: Program[A3, Never, F3],
    s: Program[A4, Never, F4],
    t: Program[A5, Never, F5],
    u: Program[A6, Never, F6],
    v: Program[A7, Never, F7],
    /,
) -> Program[
    A1 | A2 | A3 | A4 | A5 | A6 | A7, BranchesFailed[Never], F1 | F2 | F3 | F4 | F5 | F6 | F7
]: ...
@overload
def first_success(
    p: Program[A1, E1, F1],
    q: Program[A2, E2, F2],
    r: Program[A3, E3, F3],
    s: Program[A4, E4, F4],
    t: Program[A5, E5, F5],
    u: Program[A6, E6, F6],
    v: Program[A7, E7, F7],
    /,
) -> Program[
    A1 | A2 | A3 | A4 | A5 | A6 | A7,
    BranchesFailed[E1 | E2 | E3 | E4 | E5 | E6 | E7],
    F1 | F2 | F3 | F4 | F5 | F6 | F7,
]: ...
@overload
def first_success(
    p: Program[A1],
    q: Program[A2],
    r: Program[A3],
    s: Program[A4],
    t: Program[A5],
    u: Program[A6],
    v: Program[A7],
    w: Program[A8],
    /,
) -> Program[A1 | A2 | A3 | A4 | A5 | A6 | A7 | A8, BranchesFailed[Never]]: ...
@overload
def first_success(  # type: ignore[overload-overlap]
    p: Program[A1, E1],
    q: Program[A2, E2],
    r: Program[A3, E3],
    s: Program[A4, E4],
    t: Program[A5, E5],
    u: Program[A6, E6],
    v: Program[A7, E7],
    w: Program[A8, E8],
    /,
) -> Program[
    A1 | A2 | A3 | A4 | A5 | A6 | A7 | A8, BranchesFailed[E1 | E2 | E3 | E4 | E5 | E6 | E7 | E8]
]: ...
@overload
def first_success(
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
    A1 | A2 | A3 | A4 | A5 | A6 | A7 | A8,
    BranchesFailed[Never],
    F1 | F2 | F3 | F4 | F5 | F6 | F7 | F8,
]: ...
@overload
def first_success(
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
    A1 | A2 | A3 | A4 | A5 | A6 | A7 | A8,
    BranchesFailed[E1 | E2 | E3 | E4 | E5 | E6 | E7 | E8],
    F1 | F2 | F3 | F4 | F5 | F6 | F7 | F8,
]: ...
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
    check_programs("first_success", programs)
    return FirstSuccess(programs)
