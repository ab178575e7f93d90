"""A failure is told in one screen, drawn, and put on a page that is safe to open."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    AskTimeout,
    Do,
    Message,
    free_ask,
    free_sleep,
    free_tell,
    handler,
    program,
)
from effactor.errors import Deadlock, Violation
from effactor.interpreters import Failure, Simulation, explore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True)
class Put(Message[None]):
    n: int


class Counter(Actor[Get | Put]):
    def __init__(self) -> None:
        self.n = 0

    @handler
    def get(self, message: Get) -> int:
        return self.n

    @handler
    def put(self, message: Put) -> None:
        self.n = message.n


@program
def add_one(counter: ActorRef[Get | Put]) -> Do[None, AskFailed]:
    n = yield from free_ask(counter, Get())
    yield from free_ask(counter, Put(n + 1))


def lost_update(sim: Simulation) -> None:
    counter, other = sim.spawn(Counter, "counter"), sim.spawn(Counter, "other")
    sim.run_all([add_one(counter), add_one(other), add_one(counter), add_one(other)])
    assert sim.actor(counter).n == 2, f"counted {sim.actor(counter).n}"


def failure_of(scenario: Callable[[Simulation], Any], **options: Any) -> Failure:
    failure = explore(scenario, **options).failure
    assert failure is not None
    return failure


# ------------------------------------------------------------------ the slice


def paths(failure: Failure) -> set[str]:
    kept = set(failure.relevant)
    return {p for r in failure.trace if r.step in kept for p in (r.source, r.target)}


def test_only_what_the_failure_depends_on_is_told() -> None:
    failure = failure_of(lost_update)
    counted = sorted({r.source for r in failure.trace if r.target == "/counter"})
    assert paths(failure) == {"/counter", *counted}
    text = failure.explain()
    assert "other" not in text
    assert re.search(r"\(left out: \d+ that have no part in it\)", text)
    assert "AssertionError: counted 1" in text
    assert f'replay(lost_update, "{failure.token}")' in text


def test_a_cause_in_another_actor_is_part_of_it() -> None:
    class Relay(Actor[Put]):
        def __init__(self, to: ActorRef[Get | Put]) -> None:
            self.to = to

        @handler
        async def put(self, message: Put) -> None:
            await self.to.tell(message)

    def scenario(sim: Simulation) -> None:
        counter, other = sim.spawn(Counter, "counter"), sim.spawn(Counter, "other")
        relay = sim.spawn(lambda: Relay(counter), "relay")
        sim.run_all(
            [free_tell(relay, Put(1)), free_tell(counter, Put(2)), free_tell(other, Put(9))]
        )
        sim.settle()
        assert sim.actor(counter).n != 1

    failure = failure_of(scenario)
    assert {"/relay", "/counter"} <= paths(failure)
    assert "/other" not in paths(failure)


def test_causes_of_causes_are_part_of_it_and_what_an_actor_did_before() -> None:
    class Relay(Actor[Put]):
        def __init__(self, to: ActorRef[Any]) -> None:
            self.to = to

        @handler
        async def put(self, message: Put) -> None:
            await self.to.tell(message)

    def scenario(sim: Simulation) -> None:
        counter, other = sim.spawn(Counter, "counter"), sim.spawn(Counter, "other")
        middle = sim.spawn(lambda: Relay(counter), "middle")
        first = sim.spawn(lambda: Relay(middle), "first")
        for ref, n in ((other, 1), (first, 2), (other, 3), (counter, 4)):
            sim.run(free_tell(ref, Put(n)))
            sim.settle()
        assert sim.actor(counter).n != 4

    failure = failure_of(scenario)
    assert failure.deviations == ()
    assert {"/first", "/middle", "/counter"} <= paths(failure)
    assert "/other" not in paths(failure)
    kept = [r.subject for r in failure.trace if r.kind == "tell" and r.step in failure.relevant]
    assert kept == [Put(2), Put(2), Put(2), Put(4)]


def test_what_a_run_answers_depends_on_the_runs() -> None:
    def scenario(sim: Simulation) -> None:
        counter, other = sim.spawn(Counter, "counter"), sim.spawn(Counter, "other")
        sim.run(free_tell(other, Put(3)))
        sim.settle()
        _, got = sim.run_all([free_ask(counter, Put(1)), free_ask(counter, Get())])
        assert got == 1

    failure = failure_of(scenario)
    assert "/counter" in paths(failure)


def test_the_slice_of_a_property_ends_with_the_step_that_broke_it() -> None:
    def scenario(sim: Simulation) -> None:
        counter, other = sim.spawn(Counter, "counter"), sim.spawn(Counter, "other")
        sim.always(lambda: sim.actor(counter).n < 5, reads=(counter,), name="small")
        sim.run(free_ask(other, Put(6)))
        sim.run_all([free_ask(counter, Put(5)), free_ask(other, Put(6))])

    failure = failure_of(scenario, strategy="exhaustive")
    assert isinstance(failure.error, Violation)
    assert "/other" not in paths(failure)
    assert max(failure.relevant) == len(failure.trace)


def test_the_slice_of_a_deadlock_is_that_of_who_waits() -> None:
    class Silent(Actor[Get]):
        @handler
        async def get(self, message: Get) -> int:
            await asyncio.get_running_loop().create_future()
            return 0

    def scenario(sim: Simulation) -> None:
        silent, other = sim.spawn(Silent, "silent"), sim.spawn(Counter, "other")
        sim.run(free_ask(other, Put(6)))
        sim.run(free_ask(silent, Get()))

    failure = failure_of(scenario)
    assert isinstance(failure.error, Deadlock)
    assert "/silent" in paths(failure)
    assert "/other" not in paths(failure)


# ------------------------------------------------------------------ the words


def test_the_nearest_passing_run_is_told() -> None:
    failure = failure_of(lost_update)
    first, later = failure.passing
    assert first.startswith("event ")
    assert "counter: replies 0 to add_one#1" in first
    assert re.fullmatch(r"later counter replies 1 to add_one#\d, not 0", later)
    assert "passes:  if event " in failure.explain()


def test_a_failure_in_the_default_order_is_held_against_a_run_that_deviates() -> None:
    def scenario(sim: Simulation) -> None:
        counter = sim.spawn(Counter, "counter")
        sim.run_all([free_ask(counter, Put(1)), free_ask(counter, Put(2))])
        assert sim.actor(counter).n == 1

    failure = failure_of(scenario)
    assert failure.deviations == ()
    assert failure.passing[0].startswith("event ")


def test_without_a_passing_run_nothing_is_said_of_one() -> None:
    def scenario(sim: Simulation) -> None:
        counter = sim.spawn(Counter, "counter")
        sim.run_all([free_ask(counter, Put(1)), free_ask(counter, Put(1))])
        assert sim.actor(counter).n == 2

    failure = failure_of(scenario)
    assert failure.passing == ()
    assert "passes:" not in failure.explain()


def test_a_timer_that_beat_a_message_comes_with_a_hint() -> None:
    def scenario(sim: Simulation) -> None:
        counter = sim.spawn(Counter, "counter")

        @program
        def impatient() -> Do[int, AskFailed]:
            return (yield from free_ask(counter, Get(), timeout=5))

        sim.run(impatient())

    failure = failure_of(scenario)
    assert isinstance(failure.error, AskTimeout)
    text = failure.explain()
    assert "the timer beat a message" in text
    assert 'time="latency"' in text
    assert explore(scenario, time="latency").ok


def test_a_story_fits_one_screen() -> None:
    def scenario(sim: Simulation) -> None:
        counters = [sim.spawn(Counter, f"counter-{n}") for n in range(9)]

        @program
        def client(n: int) -> Do[None, AskFailed]:
            for counter in counters:
                yield from free_ask(counter, Put(n))
                yield from free_sleep(1)

        sim.run_all([client(n) for n in range(9)])
        state = [sim.actor(counter).n for counter in counters]
        assert state == sorted(state, reverse=True), "\n".join(["x" * 500] * 500)
        raise AssertionError("\n".join(["y" * 500] * 500))

    text = failure_of(scenario, schedules=60, audit=0).explain()
    assert len(text.splitlines()) <= 80
    assert max(map(len, text.splitlines())) <= 410


# ------------------------------------------------------------------ drawings

HOSTILE = (
    '</title></style></svg><script>alert("1")</script><img src=x onerror=alert(2)>&lt;\x00\u202e'
)


@dataclass(frozen=True)
class Say(Message[str]):
    text: str


class Shouter(Actor[Say]):
    @handler
    def say(self, message: Say) -> str:
        return message.text


def hostile(sim: Simulation) -> None:
    sim.spawn(Counter, "<script>x")
    shouter = sim.spawn(Shouter, "<script>alert(3)<")
    sim.run_all([free_ask(shouter, Say(HOSTILE)), free_tell(shouter, Say("\"'><b>"))])
    raise ValueError(HOSTILE)


class Tags(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    @override
    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_shows_hostile_text_as_text() -> None:
    page = failure_of(hostile).html()
    read = Tags()
    read.feed(page)
    assert read.tags <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "ul", "li"),
        *("svg", "line", "text", "g", "path", "rect", "details", "summary", "pre", "p"),
    }
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert not [name for name, _ in read.attributes if name in {"src", "href", "srcdoc"}]
    assert 'alert("1")' in read.text


def test_hostile_text_in_the_facts_is_text_too() -> None:
    facts = ("<script>alert(4)", "<img src=x>")
    failure = replace(failure_of(lost_update), deviations=facts, passing=facts)
    read = Tags()
    read.feed(failure.html())
    assert not {"script", "img"} & read.tags
    assert read.text.count("<script>alert(4)") == 2


def test_a_page_needs_no_network() -> None:
    page = failure_of(lost_update).html()
    assert "default-src 'none'" in page
    assert re.findall(r"https?://[^\"' ]+", page) == ["http://www.w3.org/2000/svg"]
    assert "<script" not in page


def test_a_page_tells_all_that_the_text_does() -> None:
    failure = failure_of(lost_update)
    page = failure.html()
    for fact in (failure.token, "counted 1", failure.passing[0], *failure.deviations):
        assert fact.replace("'", "&#x27;").replace(">", "&gt;") in page
    assert page.count('class="deviation"') == len(failure.steps)
    assert "0 s</text>" in page


def test_drawings_are_written_to_files(tmp_path: Path) -> None:
    failure = failure_of(lost_update)
    source = failure.diagram()
    assert source.startswith("sequenceDiagram")
    assert "here it leaves the default order" in source
    assert "other" not in source
    assert failure.diagram(tmp_path / "out.html") == source
    assert (tmp_path / "out.html").read_text(encoding="utf-8") == failure.html()
    assert failure.diagram(str(tmp_path / "out.mmd")) == source
    assert (tmp_path / "out.mmd").read_text(encoding="utf-8") == source
    assert failure.html(tmp_path / "page") == (tmp_path / "page").read_text(encoding="utf-8")


def test_a_diagram_shows_hostile_text_as_text() -> None:
    source = failure_of(hostile).diagram()
    assert "<" not in source
    assert "script" in source
    with pytest.raises(FileNotFoundError):
        failure_of(lost_update).diagram("/no/such/folder/out.mmd")
