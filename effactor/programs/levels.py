"""`handle`: give effects their meaning, one at a time or several as one level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, overload

from typing_extensions import TypeVar

from effactor.programs import structure
from effactor.programs.handling import (
    Handler,
    Handling,
    Shared,
    effect_class,
    is_effect_class,
    is_handling,
    is_unfinished,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.effects import Answerable

F = TypeVar("F")
R = TypeVar("R")
F1 = TypeVar("F1")
F2 = TypeVar("F2")
F3 = TypeVar("F3")
F4 = TypeVar("F4")
F5 = TypeVar("F5")
F6 = TypeVar("F6")
F7 = TypeVar("F7")
F8 = TypeVar("F8")
E1 = TypeVar("E1")
E2 = TypeVar("E2")
E3 = TypeVar("E3")
E4 = TypeVar("E4")
E5 = TypeVar("E5")
E6 = TypeVar("E6")
E7 = TypeVar("E7")
E8 = TypeVar("E8")
G1 = TypeVar("G1")
G2 = TypeVar("G2")
G3 = TypeVar("G3")
G4 = TypeVar("G4")
G5 = TypeVar("G5")
G6 = TypeVar("G6")
G7 = TypeVar("G7")
G8 = TypeVar("G8")


# Effects, failures and effects of each entry have parameters of their own: mypy would
# join those of `*entries` to a common base. And pyright turns a union of parameters
# into Unknown where all of them are Never: hence an overload each for handlers that
# cannot fail and perform nothing, cannot fail, perform nothing, and all others. The
# second and third overlap where both are Never; then the first has won already.
@overload
def handle(effect: type[Answerable[F, R]], /) -> Handler[F, R]: ...
@overload
def handle(entry: Handling[F1, E1, G1], /) -> Handling[F1, E1, G1]: ...
@overload
def handle(
    entry: Handling[F1, Never, Never], entry2: Handling[F2, Never, Never], /
) -> Handling[F1 | F2, Never, Never]: ...
@overload
def handle(  # type: ignore[overload-overlap]
    entry: Handling[F1, Never, G1], entry2: Handling[F2, Never, G2], /
) -> Handling[F1 | F2, Never, G1 | G2]: ...
@overload
def handle(
    entry: Handling[F1, E1, Never], entry2: Handling[F2, E2, Never], /
) -> Handling[F1 | F2, E1 | E2, Never]: ...
@overload
def handle(
    entry: Handling[F1, E1, G1], entry2: Handling[F2, E2, G2], /
) -> Handling[F1 | F2, E1 | E2, G1 | G2]: ...
@overload
def handle(
    entry: Handling[F1, Never, Never],
    entry2: Handling[F2, Never, Never],
    entry3: Handling[F3, Never, Never],
    /,
) -> Handling[F1 | F2 | F3, Never, Never]: ...
@overload
def handle(  # type: ignore[overload-overlap]
    entry: Handling[F1, Never, G1],
    entry2: Handling[F2, Never, G2],
    entry3: Handling[F3, Never, G3],
    /,
) -> Handling[F1 | F2 | F3, Never, G1 | G2 | G3]: ...
@overload
def handle(
    entry: Handling[F1, E1, Never],
    entry2: Handling[F2, E2, Never],
    entry3: Handling[F3, E3, Never],
    /,
) -> Handling[F1 | F2 | F3, E1 | E2 | E3, Never]: ...
@overload
def handle(
    entry: Handling[F1, E1, G1], entry2: Handling[F2, E2, G2], entry3: Handling[F3, E3, G3], /
) -> Handling[F1 | F2 | F3, E1 | E2 | E3, G1 | G2 | G3]: ...
@overload
def handle(
    entry: Handling[F1, Never, Never],
    entry2: Handling[F2, Never, Never],
    entry3: Handling[F3, Never, Never],
    entry4: Handling[F4, Never, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4, Never, Never]: ...
@overload
def handle(  # type: ignore[overload-overlap]
    entry: Handling[F1, Never, G1],
    entry2: Handling[F2, Never, G2],
    entry3: Handling[F3, Never, G3],
    entry4: Handling[F4, Never, G4],
    /,
) -> Handling[F1 | F2 | F3 | F4, Never, G1 | G2 | G3 | G4]: ...
@overload
def handle(
    entry: Handling[F1, E1, Never],
    entry2: Handling[F2, E2, Never],
    entry3: Handling[F3, E3, Never],
    entry4: Handling[F4, E4, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4, E1 | E2 | E3 | E4, Never]: ...
@overload
def handle(
    entry: Handling[F1, E1, G1],
    entry2: Handling[F2, E2, G2],
    entry3: Handling[F3, E3, G3],
    entry4: Handling[F4, E4, G4],
    /,
) -> Handling[F1 | F2 | F3 | F4, E1 | E2 | E3 | E4, G1 | G2 | G3 | G4]: ...
@overload
def handle(
    entry: Handling[F1, Never, Never],
    entry2: Handling[F2, Never, Never],
    entry3: Handling[F3, Never, Never],
    entry4: Handling[F4, Never, Never],
    entry5: Handling[F5, Never, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5, Never, Never]: ...
@overload
def handle(  # type: ignore[overload-overlap]
    entry: Handling[F1, Never, G1],
    entry2: Handling[F2, Never, G2],
    entry3: Handling[F3, Never, G3],
    entry4: Handling[F4, Never, G4],
    entry5: Handling[F5, Never, G5],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5, Never, G1 | G2 | G3 | G4 | G5]: ...
@overload
def handle(
    entry: Handling[F1, E1, Never],
    entry2: Handling[F2, E2, Never],
    entry3: Handling[F3, E3, Never],
    entry4: Handling[F4, E4, Never],
    entry5: Handling[F5, E5, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5, E1 | E2 | E3 | E4 | E5, Never]: ...
@overload
def handle(
    entry: Handling[F1, E1, G1],
    entry2: Handling[F2, E2, G2],
    entry3: Handling[F3, E3, G3],
    entry4: Handling[F4, E4, G4],
    entry5: Handling[F5, E5, G5],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5, E1 | E2 | E3 | E4 | E5, G1 | G2 | G3 | G4 | G5]: ...
@overload
def handle(
    entry: Handling[F1, Never, Never],
    entry2: Handling[F2, Never, Never],
    entry3: Handling[F3, Never, Never],
    entry4: Handling[F4, Never, Never],
    entry5: Handling[F5, Never, Never],
    entry6: Handling[F6, Never, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5 | F6, Never, Never]: ...
@overload
def handle(  # type: ignore[overload-overlap]
    entry: Handling[F1, Never, G1],
    entry2: Handling[F2, Never, G2],
    entry3: Handling[F3, Never, G3],
    entry4: Handling[F4, Never, G4],
    entry5: Handling[F5, Never, G5],
    entry6: Handling[F6, Never, G6],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5 | F6, Never, G1 | G2 | G3 | G4 | G5 | G6]: ...
@overload
def handle(
    entry: Handling[F1, E1, Never],
    entry2: Handling[F2, E2, Never],
    entry3: Handling[F3, E3, Never],
    entry4: Handling[F4, E4, Never],
    entry5: Handling[F5, E5, Never],
    entry6: Handling[F6, E6, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5 | F6, E1 | E2 | E3 | E4 | E5 | E6, Never]: ...
@overload
def handle(
    entry: Handling[F1, E1, G1],
    entry2: Handling[F2, E2, G2],
    entry3: Handling[F3, E3, G3],
    entry4: Handling[F4, E4, G4],
    entry5: Handling[F5, E5, G5],
    entry6: Handling[F6, E6, G6],
    /,
) -> Handling[
    F1 | F2 | F3 | F4 | F5 | F6, E1 | E2 | E3 | E4 | E5 | E6, G1 | G2 | G3 | G4 | G5 | G6
]: ...
@overload
def handle(
    entry: Handling[F1, Never, Never],
    entry2: Handling[F2, Never, Never],
    entry3: Handling[F3, Never, Never],
    entry4: Handling[F4, Never, Never],
    entry5: Handling[F5, Never, Never],
    entry6: Handling[F6, Never, Never],
    entry7: Handling[F7, Never, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5 | F6 | F7, Never, Never]: ...
@overload
def handle(  # type: ignore[overload-overlap]
    entry: Handling[F1, Never, G1],
    entry2: Handling[F2, Never, G2],
    entry3: Handling[F3, Never, G3],
    entry4: Handling[F4, Never, G4],
    entry5: Handling[F5, Never, G5],
    entry6: Handling[F6, Never, G6],
    entry7: Handling[F7, Never, G7],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5 | F6 | F7, Never, G1 | G2 | G3 | G4 | G5 | G6 | G7]: ...
@overload
def handle(
    entry: Handling[F1, E1, Never],
    entry2: Handling[F2, E2, Never],
    entry3: Handling[F3, E3, Never],
    entry4: Handling[F4, E4, Never],
    entry5: Handling[F5, E5, Never],
    entry6: Handling[F6, E6, Never],
    entry7: Handling[F7, E7, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5 | F6 | F7, E1 | E2 | E3 | E4 | E5 | E6 | E7, Never]: ...
@overload
def handle(
    entry: Handling[F1, E1, G1],
    entry2: Handling[F2, E2, G2],
    entry3: Handling[F3, E3, G3],
    entry4: Handling[F4, E4, G4],
    entry5: Handling[F5, E5, G5],
    entry6: Handling[F6, E6, G6],
    entry7: Handling[F7, E7, G7],
    /,
) -> Handling[
    F1 | F2 | F3 | F4 | F5 | F6 | F7,
    E1 | E2 | E3 | E4 | E5 | E6 | E7,
    G1 | G2 | G3 | G4 | G5 | G6 | G7,
]: ...
@overload
def handle(
    entry: Handling[F1, Never, Never],
    entry2: Handling[F2, Never, Never],
    entry3: Handling[F3, Never, Never],
    entry4: Handling[F4, Never, Never],
    entry5: Handling[F5, Never, Never],
    entry6: Handling[F6, Never, Never],
    entry7: Handling[F7, Never, Never],
    entry8: Handling[F8, Never, Never],
    /,
) -> Handling[F1 | F2 | F3 | F4 | F5 | F6 | F7 | F8, Never, Never]: ...
@overload
def handle(  # type: ignore[overload-overlap]
    entry: Handling[F1, Never, G1],
    entry2: Handling[F2, Never, G2],
    entry3: Handling[F3, Never, G3],
    entry4: Handling[F4, Never, G4],
    entry5: Handling[F5, Never, G5],
    entry6: Handling[F6, Never, G6],
    entry7: Handling[F7, Never, G7],
    entry8: Handling[F8, Never, G8],
    /,
) -> Handling[
    F1 | F2 | F3 | F4 | F5 | F6 | F7 | F8, Never, G1 | G2 | G3 | G4 | G5 | G6 | G7 | G8
]: ...
@overload
def handle(
    entry: Handling[F1, E1, Never],
    entry2: Handling[F2, E2, Never],
    entry3: Handling[F3, E3, Never],
    entry4: Handling[F4, E4, Never],
    entry5: Handling[F5, E5, Never],
    entry6: Handling[F6, E6, Never],
    entry7: Handling[F7, E7, Never],
    entry8: Handling[F8, E8, Never],
    /,
) -> Handling[
    F1 | F2 | F3 | F4 | F5 | F6 | F7 | F8, E1 | E2 | E3 | E4 | E5 | E6 | E7 | E8, Never
]: ...
@overload
def handle(
    entry: Handling[F1, E1, G1],
    entry2: Handling[F2, E2, G2],
    entry3: Handling[F3, E3, G3],
    entry4: Handling[F4, E4, G4],
    entry5: Handling[F5, E5, G5],
    entry6: Handling[F6, E6, G6],
    entry7: Handling[F7, E7, G7],
    entry8: Handling[F8, E8, G8],
    /,
) -> Handling[
    F1 | F2 | F3 | F4 | F5 | F6 | F7 | F8,
    E1 | E2 | E3 | E4 | E5 | E6 | E7 | E8,
    G1 | G2 | G3 | G4 | G5 | G6 | G7 | G8,
]: ...
def handle(*entries: Any) -> Any:
    """Give effects their meaning: `handle(Sql)(function)(program)`.

    A handler's function gets the effect and returns its answer, or a program that
    makes it. It answers once, or fails: there is no way to answer twice. It cannot
    be `async def`: let it return `free_call(function, effect)`. What it raises is a
    defect at the `perform`.

    `handle(on(Sql)(f), on(Llm)(g), ...)(program)` installs several handlers as one
    level: what a handler's program performs is left to the handlers further out, and
    the handlers of one level do not see each other's effects. So to pass an effect on,
    return `perform(effect)`; to add to what another handler does, nest the two.

    Args:
        entries: A subclass of `Effect` (its own subclasses are handled too); or up to
            8 handlers, made by `on(Effect)(function)` or `provide(service)`.

    Returns:
        For a class, a function to call with `function`. That, and `handle` of several,
        gives a handler to call with the program. If two or more other effects are left,
        mypy infers their common base class unless it knows what to expect: annotate
        the result, as in `rest: Program[int, Never, Llm | Log] = ...`.

    Raises:
        TypeError: If an entry is something else, or can never get an effect because an
            entry before it gets them all.
    """
    if len(entries) == 1 and not (is_handling(entries[0]) or is_unfinished(entries[0])):
        one: Handler[Any, Any] = Handler("handle", effect_class("handle", entries[0]))
        return one
    if not entries:
        msg = (
            "handle: name at least one effect, as in handle(Sql)(function)(program) or "
            "handle(on(Sql)(function), on(Llm)(function))(program)"
        )
        raise TypeError(msg)
    table: dict[type[Any], Callable[[Any], Any]] = {}
    for number, entry in enumerate(entries, start=1):
        for effect, function in _entry(number, entry).table:
            table[effect] = _function_beside(table, effect, function)
    level: Handling[Any, Any, Any] = Handling(tuple(table.items()))
    return level


def _entry(number: int, entry: Any) -> Handling[Any, Any, Any]:
    """Return an entry of `handle` that is a handler."""
    if is_handling(entry):
        return entry
    if is_unfinished(entry):
        name = entry.effect.__name__
        msg = f"handle: entry {number}, for {name}, has no function: write on({name})(function)"
    elif is_effect_class(entry):
        name = entry.__name__
        msg = (
            f"handle: entry {number} is the class {name}: with several entries write "
            f"handle(on({name})(function), ...)(program)"
        )
    elif structure.is_program(entry):
        msg = (
            f"handle: entry {number} is a program, which comes in a call of its own: "
            "write handle(on(Sql)(function), ...)(program)"
        )
    else:
        msg = f"handle: entry {number} must be on(Effect)(function), got {entry!r}"
    raise TypeError(msg)


def _function_beside(
    table: dict[type[Any], Callable[[Any], Any]], effect: type[Any], function: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """Return the function for *effect* in a level that has *table* already."""
    for known, other in table.items():
        if not issubclass(effect, known):
            continue
        if isinstance(other, Shared) and type(other) is type(function):
            return other.joined(function)
        name = effect.__name__
        if effect is known:
            msg = f"handle: {name} is handled twice; keep one of them, or nest two handle(...)"
        else:
            base = known.__name__
            msg = (
                f"handle: on({name}) would never get an effect, because on({base}) before it "
                f"gets them all: put on({name}) first"
            )
        raise TypeError(msg)
    return function
