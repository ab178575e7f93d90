"""`canonical` and `digest`: text and fingerprints that depend on the value alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag
from functools import partial
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from returns.result import Failure, Success
from typing_extensions import override

from effactor import ActorRef, HandlerFailed, Message, free_ask, program, pure
from effactor.programs.do import Do
from effactor.traces.canonical import canonical, digest
from effactor.traces.record import Record
from effactor.traces.trace import Trace


@dataclass(frozen=True)
class Reserve(Message[int]):
    sku: str
    tags: frozenset[str] = frozenset()
    cache: dict[str, int] = field(default_factory=dict[str, int], compare=False)


@attrs.frozen
class Look:
    sku: str
    seen: int = attrs.field(default=0, eq=False)


class Inc(BaseModel, Message[int]):
    amount: int


class Point(NamedTuple):
    x: int
    y: int


class Colour(Enum):
    RED = 1


class Right(Flag):
    READ = 1
    WRITE = 2


class Sku(str):
    __slots__ = ()


class NoStock(Exception):
    """Declared by nobody."""


class Silent:
    """Has neither fields nor a repr of its own."""


class Speaking:
    @override
    def __repr__(self) -> str:
        return f"<speaking of {object.__repr__(self)}>"


class Broken:
    @override
    def __repr__(self) -> str:
        raise RuntimeError


@program
def waiting(seconds: float) -> Do[float]:
    return (yield from pure(seconds))


WRITTEN: list[tuple[Any, str]] = [
    (None, "None"),
    (True, "True"),
    (1, "1"),
    (1.0, "1.0"),
    (0.1 + 0.2, "0.30000000000000004"),
    ("é\n", r"'\xe9\n'"),
    (b"\xff", r"b'\xff'"),
    ((), "()"),
    ((1,), "(1,)"),
    ([1, (2, 3)], "[1, (2, 3)]"),
    (set[int](), "set()"),
    (frozenset({"b", "a"}), "{'a', 'b'}"),
    ({"b": 1, "a": {2, 1}}, "{'a': {1, 2}, 'b': 1}"),
    (OrderedDict(b=1, a=2), "OrderedDict({'a': 2, 'b': 1})"),
    (deque([1]), "deque([1])"),
    (Reserve("tea", frozenset({"y", "x"})), "Reserve(sku='tea', tags={'x', 'y'})"),
    (Look("tea", 3), "Look(sku='tea')"),
    (Inc(amount=2), "Inc(amount=2)"),
    (Point(1, 2), "Point(x=1, y=2)"),
    (Colour.RED, "Colour.RED"),
    (Right.READ | Right.WRITE, "Right.READ|WRITE"),
    (Sku("tea"), "Sku('tea')"),
    (ActorRef[Any].at("/till"), "ActorRef(path='/till')"),
    (NoStock("tea", 1), "NoStock(args=('tea', 1))"),
    (NoStock, "NoStock"),
    (len, "len"),
    (Silent(), "Silent"),
    (Speaking(), "<speaking of <test_canonical.Speaking object>>"),
    (Broken(), "Broken"),
    (datetime(2000, 1, 1, tzinfo=UTC), "datetime(2000-01-01T00:00:00+00:00)"),
    (date(2000, 1, 1), "date(2000-01-01)"),
    (timedelta(seconds=1.5), "timedelta(1500000)"),
    (UUID(int=1), "UUID(00000000-0000-0000-0000-000000000001)"),
    (Decimal("1.50"), "Decimal(1.50)"),
    (PurePosixPath("a/b"), "Path(a/b)"),
    (PureWindowsPath("a\\b"), "Path(a/b)"),
    (Success([1]), "Success([1])"),
    (Failure(NoStock()), "Failure(NoStock(args=()))"),
    (partial(sorted, [1], reverse=True), "partial(sorted, [1], reverse=True)"),
    (waiting(1.5), "Block(args=(1.5,), function=waiting, kwargs={})"),
]


@pytest.mark.parametrize(("value", "text"), WRITTEN)
def test_a_value_has_one_text(value: object, text: str) -> None:
    assert text == canonical(value).replace(f"{__name__}.", "test_canonical.")


def test_a_huge_integer_has_a_text() -> None:
    assert canonical(10**6000) == hex(10**6000)


def test_an_error_shows_the_error_inside_it() -> None:
    error = HandlerFailed("/till", Reserve("tea"), NoStock("tea"))
    assert canonical(error) == (
        "HandlerFailed(args=('/till', Reserve(sku='tea', tags=set()), NoStock(args=('tea',))))"
    )


def test_a_cycle_ends() -> None:
    cycle: list[object] = [1]
    cycle.append(cycle)
    assert canonical(cycle) == "[1, ...]"


def test_the_same_object_twice_is_no_cycle() -> None:
    part = [1]
    assert canonical([part, part]) == "[[1], [1]]"


def test_a_bottomless_value_ends() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert canonical(deep) == "[" * 40 + "..." + "]" * 40


def test_a_deep_program_ends() -> None:
    deep = pure(0)
    for _ in range(100_000):
        deep = deep.map(abs)
    assert canonical(deep).startswith("Map(")


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


def reordered(value: Any) -> Any:
    """Build an equal value whose dicts were filled in the opposite order."""
    if isinstance(value, dict):
        items: list[tuple[Any, Any]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType]
        return {key: reordered(content) for key, content in reversed(items)}
    if isinstance(value, list | tuple):
        items = [reordered(content) for content in value]  # pyright: ignore[reportUnknownVariableType]
        return items if isinstance(value, list) else tuple(items)
    return value


@given(plain)
def test_equal_values_have_equal_texts_whatever_the_insertion_order(value: Any) -> None:
    assert canonical(value) == canonical(reordered(value))


@given(st.lists(st.text() | st.integers()))
def test_equal_sets_have_equal_texts_whatever_the_insertion_order(items: list[Any]) -> None:
    there, back = set(items), dict.fromkeys(reversed(items)).keys()
    assert canonical(there) == canonical(set(back))


@given(plain, plain)
def test_other_values_have_other_texts(left: Any, right: Any) -> None:
    # Python calls 1, 1.0 and True equal; their texts differ, as do -0.0 and 0.0.
    if left != right:
        assert canonical(left) != canonical(right)


@given(plain)
def test_a_text_is_a_line_of_ascii(value: Any) -> None:
    text = canonical(value)
    assert text.isascii()
    assert text.isprintable()


def trace(*subjects: object) -> Trace:
    return Trace(tuple(Record(n, "ask", "/a", "/b", s) for n, s in enumerate(subjects, 1)))


def test_a_digest_is_sixteen_hexadecimal_digits() -> None:
    assert len(digest(trace(1))) == 16
    assert int(digest(trace(1)), 16) >= 0


def test_equal_traces_have_equal_digests() -> None:
    assert digest(trace({"a": 1, "b": 2})) == digest(trace({"b": 2, "a": 1}))


@pytest.mark.parametrize(
    "other",
    [
        Record(2, "ask", "/a", "/b", 1),
        Record(1, "tell", "/a", "/b", 1),
        Record(1, "ask", "/c", "/b", 1),
        Record(1, "ask", "/a", "/c", 1),
        Record(1, "ask", "/a", "/b", 2),
        Record(1, "ask", "/a", "/b", 1, 0.5),
        Record(1, "ask", "/a", "/b", 1, 0.0, ("x",)),
    ],
)
def test_every_part_of_a_record_is_in_the_digest(other: Record) -> None:
    assert digest([Record(1, "ask", "/a", "/b", 1)]) != digest([other])


def test_more_text_is_in_the_digest() -> None:
    assert len({digest([]), digest([], "a"), digest([], "b"), digest([], "a", "b")}) == 4


DIGESTING = """
from dataclasses import dataclass
from effactor import free_ask, ActorRef
from effactor.traces.canonical import canonical, digest
from effactor.traces.record import Record
class Silent: pass
@dataclass(frozen=True)
class Tags:
    tags: frozenset
subject = [Tags(frozenset("abcdefgh")), {"x", "y", "z"}, Silent(), lambda: 1, free_ask(
    ActorRef.at("/a"), Tags(frozenset("ijk")))]
print(canonical(subject), digest([Record(1, "ask", "/a", "/b", subject)]))
"""


def test_another_process_with_another_hash_seed_gives_the_same_digest() -> None:
    def run(seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", DIGESTING]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert run("1") == run("2") == run("3") != ""


def test_a_bound_ref_is_its_path() -> None:
    assert canonical(free_ask(ActorRef[Any].at("/a"), "x")) == (
        "Ask(message='x', options=None, ref=ActorRef(path='/a'), time_limit=None)"
    )


def test_messages_of_errors_have_no_addresses() -> None:
    def failed() -> str:
        thing = object()
        return canonical(AssertionError(f"assert 1 == 2, where 1 = {thing!r}.n"))

    kept = [object() for _ in range(3)]
    assert failed() == canonical(AssertionError(f"assert 1 == 2, where 1 = {kept[0]!r}.n"))
    assert "<object object>.n" in failed()
