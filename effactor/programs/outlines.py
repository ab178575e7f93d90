"""What is seen of a part of a program before it runs, as words and what is inside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from effactor.programs import structure
from effactor.programs.functions import name_of_function, place_of_function
from effactor.programs.program import Always, Program
from effactor.traces.fields import class_of
from effactor.traces.wording import seconds, shown

if TYPE_CHECKING:
    AnyProgram = Program[Any, Any, Any]

_FIELD: Final = 40  # characters of a field's value
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Outline(NamedTuple):
    """What is seen of a node.

    Attributes:
        words: What it does.
        hidden: Whether it makes programs that cannot be seen before it runs.
        place: Where to read what cannot be seen.
        source: A program whose steps are inside of it.
        branches: Programs inside of it that run at once.
        parts: What else is inside of it.
    """

    words: str
    hidden: bool = False
    place: str = ""
    source: AnyProgram | None = None
    branches: tuple[AnyProgram, ...] = ()
    parts: tuple[Part, ...] = ()


class Part(NamedTuple):
    """Something inside a node, with its role.

    Attributes:
        label: Its role, such as `finally`.
        content: A program, or what is seen of something else.
    """

    label: str
    content: AnyProgram | Outline


def of_function(function: Any) -> Outline:
    """Show a function that makes a program."""
    if isinstance(function, structure.FunctionValue):
        return by_fields(function)
    return Outline(name_of_function(function), hidden=True, place=place_of_function(function))


def part_of(label: str, function: Any) -> Part:
    """Show a function that makes a program in its role, or the program if it is known."""
    known = isinstance(function, Always)
    return Part(label, function.program if known else of_function(function))


def going_on(word: str, function: Any) -> Outline:
    """Show a step that goes on with what a function makes, or with a program."""
    if isinstance(function, Always):
        return Outline(word, source=function.program)
    seen = of_function(function)
    return seen._replace(words=f"{word} {seen.words}")


def applying(word: str, function: Any) -> Outline:
    """Show a step that applies an ordinary function: there is nothing to run inside."""
    name = name_of_function(function)
    # A name tells what it does; a lambda has none.
    return Outline(f"{word} {name}", place=place_of_function(function) if name == "lambda" else "")


def by_fields(node: object) -> Outline:
    """Show a node that is not known: its class's name, and each of its fields."""
    words = [_CAPITAL.sub(" ", type(node).__name__).lower()]
    source: AnyProgram | None = None
    branches: tuple[AnyProgram, ...] = ()
    parts: list[Part] = []
    for name, value in _fields(node):
        programs = _programs(value)
        if name == "source" and structure.is_program(value):
            source = value
        elif name == "schedule":  # whose repr says enough, whatever it is made of
            words.append(shown(value))
        elif name == "seconds":
            words.append(seconds(value))
        elif structure.is_program(value):
            parts.append(Part(name, value))
        elif programs and not branches:
            branches = programs
        elif programs:
            parts += [Part(name, each) for each in programs]
        elif _makes_programs(value):
            parts.append(part_of(name, value))
        else:
            words.append(f"{name}={shown(value, _FIELD)}")
    return Outline(" ".join(words), source=source, branches=branches, parts=tuple(parts))


def _fields(node: object) -> tuple[tuple[str, Any], ...]:
    try:
        return structure.fields(node)
    except Exception:  # a class of the user's own, which may be anything
        return ()


def _programs(value: Any) -> tuple[AnyProgram, ...]:
    """Return the programs that a field holds, if it holds nothing else."""
    many: tuple[Any, ...] = value if class_of(value) is tuple else ()
    return many if all(structure.is_program(each) for each in many) else ()


def _makes_programs(value: Any) -> bool:
    """Tell whether a field is a function, as far as can be seen."""
    if isinstance(value, structure.FunctionValue):
        return True
    return callable(value) and not isinstance(value, type)
