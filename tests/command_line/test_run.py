"""`effactor run`."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shell import Shell

WORK = """
    import asyncio, os, signal
    from effactor import Actor, fail, free_ask, free_self, free_spawn, program, pure


    class Double(Actor):
        def on_receive(self, message):
            return message * 2


    @program
    def doubled(start=21):
        ref = yield from free_spawn(Double, "double")
        return (yield from free_ask(ref, start))


    value = pure("a text")
    nothing = pure(None)


    async def paths(system):
        ref = await system.spawn(Double, "double")
        return f"/{system.name}{ref.path}"


    def later(system, lines=("x",)):
        return pure(list(lines))


    async def outcomes(system, lines):
        double = await system.spawn(Double)
        for number, line in enumerate(lines, 1):
            if line == "raise":
                raise RuntimeError(f"line {number} is odd")
            if line == "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(3600)
            if line == "bad":
                yield "bad", f"line {number}: bad"
            else:
                yield await double.ask(line)


    def plain_generator(lines):
        yield from lines


    @program
    def failing():
        yield from fail(LookupError("no such tea"))


    def helper():
        raise ZeroDivisionError("oops")


    @program
    def dying():
        yield from pure(None)
        helper()
"""


@pytest.fixture(autouse=True)
def work(shell: Shell) -> None:
    shell.write("work.py", WORK)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("doubled", "42\n"),  # a function that makes a program
        ("value", "a text\n"),  # a program; text is not quoted
        ("nothing", ""),
        ("paths", "/work/double\n"),  # an async function; the system has the module's name
        ("later", "['x']\n"),  # a parameter with a default may be left out
    ],
)
def test_the_answer_is_printed(shell: Shell, name: str, said: str) -> None:
    result = shell.effactor("run", f"work:{name}")
    assert (result.status, result.out, result.err) == (0, said, "")


def test_outcomes_are_counted_and_noted(shell: Shell) -> None:
    shell.write("in.txt", "a\nbad\na\na\n")
    result = shell.effactor("run", "work:outcomes", "--input", "in.txt")
    rows = [line.split() for line in result.out.splitlines() if line.strip()]
    assert result.status == 0
    assert rows[:2] == [["3", "aa"], ["1", "bad", "line", "2:", "bad"]]
    assert rows[-1][:3] == ["4", "in", rows[-1][2]]


def test_the_table_shows_eight_notes_of_a_label_and_json_all(shell: Shell) -> None:
    shell.write("in.txt", "bad\n" * 10)
    table = shell.effactor("run", "work:outcomes", "--input", "in.txt").out
    assert "line 8: bad" in table
    assert "line 9: bad" not in table
    assert "... and 2 more" in table
    document = json.loads(shell.effactor("run", "work:outcomes", "--input", "in.txt", "--json").out)
    assert len(document["notes"]["bad"]) == 10


def test_json_says_the_same(shell: Shell) -> None:
    shell.write("in.txt", "a\nbad\na\na\n")
    result = shell.effactor("run", "work:outcomes", "--input", "in.txt", "--json")
    document = json.loads(result.out)
    assert document.pop("seconds") >= 0
    assert document == {
        "target": "work:outcomes",
        "input": "in.txt",
        "total": 4,
        "outcomes": {"aa": 3, "bad": 1},
        "notes": {"bad": ["line 2: bad"]},
    }
    answer = json.loads(shell.effactor("run", "work:doubled", "--json").out)
    assert answer["answer"] == 42


def test_a_plain_generator_yields_outcomes_too(shell: Shell) -> None:
    shell.write("in.txt", "x\ny\nx")
    result = shell.effactor("run", "work:plain_generator", "--input", "in.txt", "--json")
    assert json.loads(result.out)["outcomes"] == {"x": 2, "y": 1}


def test_lines_lose_their_ends_and_the_byte_order_mark_and_nothing_else(shell: Shell) -> None:
    (shell.folder / "in.txt").write_bytes("\ufeffa\r\n b \n\n\u2028c\n".encode())
    result = shell.effactor("run", "work:plain_generator", "--input", "in.txt", "--json")
    assert json.loads(result.out)["outcomes"] == {"a": 1, " b ": 1, "": 1, "\u2028c": 1}


def test_an_empty_input_has_an_empty_table(shell: Shell) -> None:
    shell.write("in.txt", "")
    result = shell.effactor("run", "work:outcomes", "--input", "in.txt")
    assert result.status == 0
    assert result.out.split()[-5:-2] == ["0", "in", "0.00"]


def test_the_input_may_be_the_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x\nx\n")))
    result = shell.effactor("run", "work:plain_generator", "--input", "-", "--json")
    assert json.loads(result.out)["outcomes"] == {"x": 2}


def test_a_failure_is_told_with_the_users_lines_only(shell: Shell) -> None:
    result = shell.effactor("run", "work:dying")
    lines = result.err.splitlines()
    assert (result.status, result.out) == (1, "")
    assert "ZeroDivisionError: oops" in lines
    assert [line.split(", in ")[1] for line in lines if ", in " in line] == ["dying", "helper"]
    failed = shell.effactor("run", "work:failing")
    assert failed.status == 1
    assert "LookupError: no such tea" in failed.err


def test_an_exception_says_how_far_the_run_came(shell: Shell) -> None:
    shell.write("in.txt", "a\na\nraise\na\n")
    result = shell.effactor("run", "work:outcomes", "--input", "in.txt")
    assert (result.status, result.out) == (1, "")
    assert "RuntimeError: line 3 is odd" in result.err
    assert result.err.endswith("effactor: stopped after 2 of 4: 2 aa\n")


def test_ctrl_c_ends_with_130_and_says_how_far_the_run_came(shell: Shell) -> None:
    shell.write("in.txt", "a\ninterrupt\na\n")
    result = shell.effactor("run", "work:outcomes", "--input", "in.txt")
    assert (result.status, result.out) == (130, "")
    assert result.err == "effactor: interrupted after 1 of 3: 1 aa\n"
