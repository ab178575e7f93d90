"""Every public name is shown in an example that runs; what mypy says is quoted as it says it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import effactor
from effactor import (
    Actor,
    ActorContext,
    ActorRef,
    Cancellable,
    CancellationToken,
    Deferred,
    Fiber,
    Program,
    Queue,
    Replies,
    Schedule,
    Semaphore,
    State,
    Timer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDES = ROOT / "docs" / "guides"

CLASSES = (
    *(Program, Schedule, Fiber, Timer, Deferred, Queue, Semaphore, State),
    *(Actor, ActorContext, ActorRef, Cancellable, CancellationToken, Replies),
)

_FENCE = re.compile(r"^```(python|pycon)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

NOT_SHOWN = {
    "ActorContext": "users meet it as self.context",
    "AskLost": "raised by clusters only, which are not there yet",
    "EffactorError": "a base class",
    "Fail": "users write fail",
    "FlatMap": "users write bind",
    "Free": "another name of Program",
    "Pure": "users write pure",
    "Step": "what a block yields; only type checkers see it",
    "flatMap": "another name of bind",
    "unwatch": "does what free_unwatch does, which is shown",
    "laws": "for check_all_laws of returns",
    "ShutdownManner": "a type; the modes are shown",
    "ShutdownMode": "a type; the modes are shown",
    "StopManner": "a type; the modes are shown",
    "StopPolicy": "a type; the policies are shown",
    # What the library raises: shown where it is printed, by its message.
    "ActorNotFound": "an error that examples print",
    "BadToken": "an error that examples print",
    "Deadlock": "an error that examples print",
    "EscapedEffect": "an error that examples print",
    "FiberInterrupted": "an error that examples print",
    "Livelock": "an error that examples print",
    "MissingAnswer": "an error that examples print",
    "NameTaken": "an error that examples print",
    "NoInterpreter": "an error that examples print",
    "NonDeterminism": "an error that examples print",
    "UnboundRef": "an error that examples print",
    "Unhandled": "an error that examples print",
    "Violation": "an error that examples print",
    # For schedules and returns' own machinery.
    "begin": "for interpreters",
    "decide": "for interpreters",
    "needs_chance": "for interpreters",
    "needs_input": "for interpreters",
    "needs_time": "for interpreters",
    "describe": "for interpreters",
    "empty_contents": "for interpreters",
}


def code() -> str:
    return "\n".join(
        block for page in PAGES for _, block in _FENCE.findall(page.read_text(encoding="utf-8"))
    )


def methods(cls: type[Any]) -> Iterator[str]:
    for name in dir(cls):
        if not name.startswith("_") and callable(getattr(cls, name)):
            yield name


CODE = code()


@pytest.mark.parametrize("name", sorted(set(effactor.__all__) - set(NOT_SHOWN)))
def test_a_public_name_is_shown_in_an_example(name: str) -> None:
    assert re.search(rf"\b{name}\b", CODE), f"no example of {name}"


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        pytest.param(cls, name, id=f"{cls.__name__}.{name}")
        for cls in CLASSES
        for name in methods(cls)
        if name not in NOT_SHOWN
    ],
)
def test_a_public_method_is_called_in_an_example(cls: type[Any], name: str) -> None:
    # A page may hand it on uncalled, `lash(Program.from_value)`; hooks are defined.
    assert re.search(rf"(\.|def ){name}\b", CODE), f"no example of {cls.__name__}.{name}"


def test_what_need_not_be_shown_exists() -> None:
    public = {*effactor.__all__}
    for cls in CLASSES:
        public |= {name for name in dir(cls) if not name.startswith("_")}
    assert set(NOT_SHOWN) <= public


WRONG = """
from dataclasses import dataclass
from typing import Never

from effactor import ActorRef, AskFailed, Do, Effect, Message, Program
from effactor import fail, free_ask, free_sleep, free_tell, perform, program, run_free


class Get(Message[int]): ...


counter: ActorRef[Get] = ActorRef.at("/counter")


@program
def yields() -> Do[int, AskFailed]:
    n: int = yield free_ask(counter, Get())
    return n


@program
def drops() -> Do[None]:
    free_tell(counter, Get())
    yield from free_sleep(1)


@program
def answers_a_program(n: int) -> Do[int, str]:
    yield from free_sleep(1)
    return fail("negative")


@dataclass(frozen=True)
class Llm(Effect[str]):
    prompt: str


@dataclass(frozen=True)
class Mail(Effect[None]):
    to: str
    text: str


def greet(name: str) -> Program[str, Never, Llm | Mail]:
    return perform(Llm(name)).tap(lambda text: perform(Mail(name, text)))


run_free(greet("Ada"))
"""

CONFIG = """
[mypy]
strict = True
enable_error_code = unused-awaitable
disable_error_code = empty-body
"""


def test_the_guides_quote_what_mypy_says(tmp_path: Path) -> None:
    api: Any = pytest.importorskip("mypy.api", reason="mypy is not installed")
    (tmp_path / "mypy.ini").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    options = ["--config-file", str(tmp_path / "mypy.ini"), "--cache-dir", str(tmp_path / "cache")]
    report, errors, _ = api.run([*options, str(tmp_path / "wrong.py")])
    assert errors == ""
    said = re.findall(r": error: (.*)  \[", report)
    assert len(said) == 4
    quoted = "\n".join(page.read_text(encoding="utf-8") for page in sorted(GUIDES.glob("*.md")))
    assert [message for message in said if message not in quoted] == []
