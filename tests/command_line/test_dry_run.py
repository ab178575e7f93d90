"""`effactor dry-run`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shell import Shell

PLAN = """
    from dataclasses import dataclass
    from effactor import ActorRef, Message, free_ask, free_call, free_sleep, program, pure


    @dataclass(frozen=True)
    class Look(Message[int]):
        sku: str


    def notify(left) -> None:
        raise AssertionError("a dry run calls nothing")


    ref = ActorRef.at("/inventory")


    @program
    def plan(sku="tea"):
        left = yield from free_ask(ref, Look(sku))
        if left:
            yield from free_call(notify, left)
        return left


    five = {Look: 5}


    @program
    def asks_anything():
        return (yield from free_ask(ref, "hello"))


    @program
    def dies():
        yield from pure(None)
        raise ZeroDivisionError("oops")


    @program
    def endless():
        while True:
            yield from free_sleep(1)


    def no_program():
        return 3


    def raises():
        raise LookupError("not today")
"""


@pytest.fixture(autouse=True)
def plan(shell: Shell) -> None:
    shell.write("plan.py", PLAN)


def test_a_program_is_drawn_as_a_tree_and_not_run(shell: Shell) -> None:
    result = shell.effactor("dry-run", "plan:plan")
    assert (result.status, result.err) == (0, "")
    assert "ask /inventory Look(sku='tea')" in result.out
    assert "replies 0" in result.out


@pytest.mark.parametrize("answers", ["plan:five", "five"])
def test_answers_come_from_a_mapping(shell: Shell, answers: str) -> None:
    result = shell.effactor("dry-run", "plan:plan", "--answers", answers)
    assert result.status == 0
    assert "replies 5" in result.out
    assert "call notify(5)" in result.out


def test_formats(shell: Shell) -> None:
    mermaid = shell.effactor("dry-run", "plan:plan", "--format", "mermaid").out
    assert mermaid.startswith("sequenceDiagram\n")
    document = json.loads(shell.effactor("dry-run", "plan:plan", "--format", "json").out)
    assert [record["kind"] for record in document["records"]] == ["ask", "reply", "end"]


def test_a_program_that_raises_is_drawn_and_told(shell: Shell) -> None:
    result = shell.effactor("dry-run", "plan:dies")
    assert result.status == 1
    assert "dies of ZeroDivisionError: oops" in result.out
    assert result.err.endswith("ZeroDivisionError: oops\n")


def test_a_program_without_an_end_is_given_up(shell: Shell) -> None:
    result = shell.effactor("dry-run", "plan:endless")
    assert (result.status, result.out) == (1, "")
    assert "no end after 10000 steps" in result.err


def test_a_function_that_raises_instead_of_making_a_program_is_told(shell: Shell) -> None:
    result = shell.effactor("dry-run", "plan:raises")
    assert (result.status, result.out) == (1, "")
    assert result.err.endswith("LookupError: not today\n")
    assert result.err.count("  File ") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("plan:asks_anything",), "effactor: no answer for ask /inventory 'hello'"),
        (("plan:plan", "--answers", "fife"), "effactor: plan has no 'fife'; did you mean 'five'?"),
        (("plan:plan", "--answers", "plan"), "effactor: dry_run: answers must map"),
        (("plan:no_program",), "effactor: plan:no_program makes an int and no program"),
    ],
)
def test_wrong_input(shell: Shell, arguments: tuple[str, ...], line: str) -> None:
    result = shell.effactor("dry-run", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(line)
    assert result.err.count("\n") == 1
