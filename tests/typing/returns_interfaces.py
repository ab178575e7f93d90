"""The interfaces of `returns`: what checkers know of programs without its mypy plugin.

Without it, `flow(...)` is `Never` to mypy, so that the lines after it are unreachable, and
unknown to pyright: where there is no plugin, write methods. tests/returns/test_plugin.py
says what the plugin knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never, assert_type

from returns.interfaces.container import ContainerN
from returns.interfaces.specific.result import ResultLikeN
from returns.pointfree import bind
from returns.primitives.hkt import KindN
from returns.result import Result
from rows import Sql
from vocabulary import Get, NoStock, counter

from effactor import AskFailed, Program, free_ask, perform

asked = free_ask(counter, Get())
performed = perform(Sql("select 1"))


def half(n: int) -> Result[float, NoStock]:
    raise NotImplementedError


def parse(text: str) -> Program[int, AskFailed]:
    raise NotImplementedError


def function() -> Program[Callable[[object], str], NoStock]:
    raise NotImplementedError


def wrong() -> Program[Callable[[str], str]]:
    raise NotImplementedError


# The methods that the interfaces ask for are exact, and unite failures and effects.
assert_type(asked.apply(function()), Program[str, AskFailed | NoStock])
assert_type(performed.apply(function()), Program[str, NoStock, Sql])
assert_type(asked.swap(), Program[AskFailed, int])
assert_type(performed.swap(), Program[Never, list[str], Sql])
assert_type(asked.bind_result(half), Program[float, AskFailed | NoStock])
assert_type(performed.map(len).bind_result(half), Program[float, NoStock, Sql])
asked.apply(wrong())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
asked.apply(repr)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# A program made by the class fits wherever its known part fits.
assert_type(Program.from_value(1), Program[int, Any, Any])
assert_type(Program.from_failure(NoStock("")), Program[Any, NoStock, Any])
assert_type(Program.from_result(half(1)), Program[float, NoStock, Any])
value: Program[int, NoStock, Sql] = Program.from_value(1)
failure: Program[int, NoStock] = Program.from_failure(NoStock(""))
other: Program[str] = Program.from_value(1)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]

# A program is a container, and covariant all the same.
container: ContainerN[int, AskFailed, Never] = asked
result_like: ResultLikeN[int, AskFailed, Never] = asked
wider: Program[object, Exception, Sql] = asked

# A name that a program does not have is an error: to checkers, kinds of `returns` have all.
asked.unwrap()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

# Pointfree functions accept a program, if failures and effects are the same, and answer a
# kind: a program to the plugin alone.
texts: Program[str, AskFailed] = asked.map(str)
kind = bind(parse)(texts)
assert_type(kind, KindN[Program[Any, Any, Any], int, AskFailed, Never])
