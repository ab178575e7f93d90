"""Traces: a tree of text, a sequence diagram, JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr
from returns.result import Failure, Success
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    Died,
    FailedWith,
    Interrupted,
    Message,
    Succeeded,
    free_call,
    free_log,
)
from effactor.traces.as_json import jsonable
from effactor.traces.mermaid import escaped, to_mermaid
from effactor.traces.record import Kind, Record
from effactor.traces.trace import Trace
from effactor.traces.wording import one_line, shown


@dataclass(frozen=True)
class Look(Message[int]):
    sku: str


@dataclass(frozen=True)
class Charge(Message[None]):
    cents: int
    card: str = field(repr=False)


@attrs.frozen
class Paid:
    cents: int


class Inc(BaseModel, Message[int]):
    amount: int
    secret: SecretStr


class Point(NamedTuple):
    x: int
    y: int


class Colour(Enum):
    RED = 1


class NoStock(Exception):
    """Nothing on the shelf."""


class Till(Actor):
    """Never runs."""


class Silent:
    """Has no repr of its own."""


def load(number: int) -> str:
    raise NotImplementedError


ME, SHELF, TILL = "/checkout#1", "/inventory", "/till"


def records(*events: tuple[Any, ...]) -> tuple[Record, ...]:
    """Number (kind, source, target, subject, time, within)."""
    return tuple(Record(n, *event) for n, event in enumerate(events, 1))


EVERYTHING = records(
    ("ask", ME, SHELF, Look("tea")),
    ("reply", SHELF, ME, 3),
    ("ask", ME, SHELF, Look("coffee")),
    ("failure", SHELF, ME, NoStock("coffee")),
    ("tell", ME, TILL, "ring", 0.0, ("pay",)),
    ("call", ME, ME, free_call(load, 42), 0.0, ("pay", "inner")),
    ("reply", ME, ME, "order", 0.0, ("pay", "inner")),
    ("spawn", ME, "/Till#1", Till),
    ("stop", ME, TILL, "graceful"),
    ("stop", ME, TILL, "now"),
    ("join", ME, TILL),
    ("lookup", ME, TILL, TILL),
    ("self", ME, ME),
    ("sleep", ME, ME, 1.5),
    ("now", ME, ME, datetime(2000, 1, 1, tzinfo=UTC), 1.5),
    ("random", ME, ME, 0.5, 1.5),
    ("uuid", ME, ME, UUID(int=7), 1.5),
    ("log", ME, ME, free_log("info", "sold", order=1), 1.5),
    ("perform", ME, ME, Point(1, 2), 1.5),
    ("timer", ME, ME, "sleep of 1 s", 2.0),
    ("crash", ME, TILL, None, 2.0),
    ("end", ME, ME, Succeeded("done"), 2.0),
)


def test_a_trace_is_a_tree() -> None:
    assert str(Trace(EVERYTHING)) == (
        """\
/checkout#1
├─ ask /inventory Look(sku='tea')
│  └─ replies 3
├─ ask /inventory Look(sku='coffee')
│  └─ fails with NoStock: coffee
├─ pay
│  ├─ tell /till 'ring'
│  └─ inner
│     └─ call load(42)
│        └─ replies 'order'
├─ spawn Till as /Till#1
├─ stop /till
├─ stop /till (now)
├─ join /till
├─ look up /till
├─ self
├─ sleep 1.5 s
├─ now 2000-01-01 00:00:00+00:00   at 1.5 s
├─ random 0.5
├─ uuid 00000000-0000-0000-0000-000000000007
├─ log info 'sold' order=1
├─ perform Point(x=1, y=2)
├─ timer 'sleep of 1 s'   at 2 s
├─ crash /till
└─ answers 'done'"""
    )


def test_several_participants_say_who_acts() -> None:
    events = records(
        ("ask", "/a", SHELF, "x"),
        ("ask", "/b", SHELF, "y"),
        ("reply", SHELF, "/a", 1),
        ("reply", SHELF, "/b", 2),
    )
    assert Trace(events).to_text() == (
        """\
4 records
├─ /a: ask /inventory 'x'
├─ /b: ask /inventory 'y'
├─ /inventory: replies 1 to /a
└─ /inventory: replies 2 to /b"""
    )


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (FailedWith(NoStock("tea")), "fails with NoStock: tea"),
        (FailedWith(3), "fails with 3"),
        (Died(KeyError("x")), "dies of KeyError: 'x'"),
        (Died(RuntimeError()), "dies of RuntimeError"),
        (Interrupted(), "is interrupted"),
        (None, "ends"),
    ],
)
def test_the_last_line_says_how_it_ended(outcome: object, words: str) -> None:
    text = Trace(records(("end", ME, ME, outcome))).to_text()
    assert text == f"{ME}\n└─ {words}"


def test_nothing_is_a_tree_and_a_diagram_too() -> None:
    empty = Trace(())
    assert str(empty) == "(nothing happened)"
    assert empty.to_mermaid() == "sequenceDiagram"


def test_a_trace_is_a_value_of_its_records() -> None:
    trace = Trace(EVERYTHING)
    assert len(trace) == len(EVERYTHING)
    assert tuple(trace) == EVERYTHING
    assert trace == Trace(EVERYTHING)
    assert repr(trace) == "<Trace of 22 records>"
    with pytest.raises(AttributeError):
        trace.outcome = Succeeded(1)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_trace_is_a_sequence_diagram() -> None:
    assert Trace(EVERYTHING).to_mermaid() == (
        """\
sequenceDiagram
    participant p1 as /checkout#35;1
    participant p2 as /inventory
    participant p3 as /till
    participant p4 as /Till#35;1
    p1->>p2: Look(sku='tea')
    p2-->>p1: 3
    p1->>p2: Look(sku='coffee')
    p2--xp1: NoStock#58; coffee
    p1-)p3: 'ring'
    Note over p1: call load(42)
    Note over p1: replies 'order'
    p1-)p4: spawn Till
    p1-)p3: stop (graceful)
    p1-)p3: stop (now)
    Note over p1: join /till
    Note over p1: look up /till
    Note over p1: self
    Note over p1: sleep 1.5 s
    Note over p1: now 2000-01-01 00#58;00#58;00#43;00#58;00
    Note over p1: random 0.5
    Note over p1: uuid 00000000-0000-0000-0000-000000000007
    Note over p1: log info 'sold' order=1
    Note over p1: perform Point(x=1, y=2)
    Note over p1: timer 'sleep of 1 s'
    Note over p3: crash /till
    Note over p1: answers 'done'"""
    )


def unescaped(text: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)


# Mermaid's lexer and its preprocessing give a meaning to each of these somewhere.
DANGEROUS = frozenset('#;:%<>{}"\\\n\r$@&`+~^')

LINE = re.compile(
    r"    (participant p\d+ as |Note over p\d+: |p\d+(->>|-->>|--x|-\))p\d+: )(?P<text>.+)"
)

texts = st.text() | st.text(alphabet="".join(sorted(DANGEROUS)) + "abend wrap-x)(#1;%%{init")


@given(texts)
def test_no_text_can_break_a_diagram(text: str) -> None:
    safe = escaped(text)
    assert safe.strip()
    assert not DANGEROUS & set(re.sub(r"#\d+;", "", safe))
    assert unescaped(safe) == (one_line(text, 60).strip() or "...")
    assert len(unescaped(safe)) <= 60


kinds: list[Kind] = ["ask", "reply", "failure", "tell", "spawn", "sleep", "log", "crash", "end"]


@given(st.lists(st.tuples(st.sampled_from(kinds), texts, texts, texts), min_size=1))
def test_every_line_of_a_diagram_is_one_statement(events: list[tuple[Any, ...]]) -> None:
    head, *lines = to_mermaid(records(*events)).split("\n")
    assert head == "sequenceDiagram"
    assert all(LINE.fullmatch(line) for line in lines)
    used = {name for line in lines for name in re.findall(r"\bp\d+(?=[-: ])", line.split(": ")[0])}
    declared = [line.split()[1] for line in lines if line.startswith("    participant ")]
    assert sorted(used) == sorted(declared)


def test_a_diagram_that_mermaid_would_refuse_is_cut() -> None:
    many = records(*[("ask", ME, f"/actor{n}", "x" * 100) for n in range(5_000)])
    diagram = to_mermaid(many)
    assert len(diagram) < 50_000
    left_out = re.search(r"Note over p1: (\d+) more are not drawn", diagram)
    assert left_out
    assert diagram.count("->>") + int(left_out[1]) == 5_000


def test_a_notebook_shows_the_diagram() -> None:
    trace = Trace(EVERYTHING)
    bundle: Any = trace
    assert bundle._repr_mimebundle_(include=None, exclude=None) == {
        "text/plain": str(trace),
        "text/vnd.mermaid": trace.to_mermaid(),
    }


@pytest.mark.parametrize(
    ("value", "json_value"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2**60, "1152921504606846976"),
        (1.5, 1.5),
        (float("inf"), "inf"),
        ("é", "é"),
        ((1, [2]), [1, [2]]),
        ({"b", "a"}, ["a", "b"]),
        ({"b": 1, "a": (2,)}, {"a": [2], "b": 1}),
        ({2: "b", 1: "a"}, [[1, "a"], [2, "b"]]),
        (Look("tea"), {"type": "Look", "fields": {"sku": "tea"}}),
        (Charge(5, "4000"), {"type": "Charge", "fields": {"cents": 5}}),
        (Paid(5), {"type": "Paid", "fields": {"cents": 5}}),
        (
            Inc(amount=1, secret=SecretStr("4000")),
            {"type": "Inc", "fields": {"amount": 1, "secret": "SecretStr('**********')"}},
        ),
        (Point(1, 2), {"type": "Point", "fields": {"x": 1, "y": 2}}),
        (Colour.RED, "Colour.RED"),
        (NoStock("tea"), {"type": "NoStock", "fields": {"args": ["tea"]}}),
        (ActorRef[Any].at("/a"), {"type": "ActorRef", "fields": {"path": "/a"}}),
        (Succeeded(1), {"type": "Succeeded", "fields": {"value": 1}}),
        (Success({1}), {"type": "Success", "fields": {"value": [1]}}),
        (Failure("x"), {"type": "Failure", "fields": {"value": "x"}}),
        (datetime(2000, 1, 1, tzinfo=UTC), "2000-01-01T00:00:00+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.50"), "1.50"),
        (b"x", "b'x'"),
        (Silent(), "<test_trace.Silent object>"),
        (load, "load"),
        (Till, "Till"),
    ],
)
def test_a_value_has_a_form_in_json(value: object, json_value: object) -> None:
    text = json.dumps(jsonable(value)).replace(f"{__name__}.", "test_trace.")
    assert json.loads(text) == json_value


def test_a_cycle_has_a_form_in_json() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    assert jsonable(cycle) == ["..."]


def test_a_trace_in_json_has_its_records_and_its_outcome() -> None:
    document = json.loads(Trace(EVERYTHING[:1], Succeeded("done")).to_json())
    assert document == {
        "outcome": {"type": "Succeeded", "fields": {"value": "done"}},
        "records": [
            {
                "step": 1,
                "kind": "ask",
                "source": ME,
                "target": SHELF,
                "subject": {"type": "Look", "fields": {"sku": "tea"}},
                "time": 0.0,
                "within": [],
            }
        ],
    }


def test_equal_traces_give_equal_json() -> None:
    first, second = (
        Trace(records(("tell", ME, TILL, d))) for d in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    )
    assert first.to_json() == second.to_json()
    assert "\n" not in first.to_json(indent=None)


SHOWING = """
from effactor.traces.record import Record
from effactor.traces.trace import Trace
class Silent: pass
trace = Trace((Record(1, "tell", "/a", "/b", [{"x", "y", "z"}, Silent(), frozenset("abcdefgh")]),))
print(trace, trace.to_mermaid(), trace.to_json())
"""


def test_another_hash_seed_draws_the_same() -> None:
    def run(seed: str) -> str:
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONIOENCODING": "utf-8",
        }
        command = [sys.executable, "-c", SHOWING]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, encoding="utf-8"
        ).stdout

    assert run("1") == run("2") == run("3") != ""


def test_a_long_value_is_shown_short() -> None:
    assert len(shown("x" * 1_000_000)) == 120
    assert shown(list(range(100)), 1_000).endswith("19, ...]")
    assert shown([[[[[[1]]]]]]) == "[[[[...]]]]"


def test_a_failing_repr_is_shown_by_its_type() -> None:
    class Broken:
        @override
        def __repr__(self) -> str:
            raise RuntimeError

    assert shown(Broken()) == "<Broken>"
