"""`explain` draws what can be seen of a program, whatever its size and its values."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import pairwise
from operator import itemgetter
from typing import Any

import pytest
from typing_extensions import override

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Deferred,
    Do,
    Effect,
    Message,
    Program,
    Queue,
    Semaphore,
    State,
    acquire_release,
    as_completed,
    at_least,
    bracket,
    catch,
    every,
    explain,
    fail,
    first_success,
    free_ask,
    free_call,
    free_log,
    free_sleep,
    free_spawn,
    free_tell,
    gather,
    handle,
    never,
    on,
    perform,
    program,
    provide,
    pure,
    race,
    scoped,
    service,
    traverse,
    zip_,
)
from effactor.programs.explaining import Explanation
from effactor.programs.operations import Operation
from effactor.programs.structure import FunctionValue

MILLION = 1_000_000
LEGEND = "\n\n⋯ known only when it runs; a dry run shows one way it may go"


@dataclass(frozen=True)
class Get(Message[int]):
    """A message of these tests."""


@dataclass(frozen=True)
class Charge(Message[str]):
    cents: int
    card: str = field(repr=False)


@dataclass(frozen=True)
class Sql(Effect[int]):
    text: str


@dataclass(frozen=True)
class Llm(Effect[str]):
    prompt: str


class Database:
    pass


class Clerk(Actor[Get]):
    @override
    def on_receive(self, message: Get) -> None: ...


class NoStock(Exception):
    pass


a: ActorRef[Any] = ActorRef.at("/a")
b: ActorRef[Any] = ActorRef.at("/b")
Anything = Program[Any, Any, Any]
get: Anything = free_ask(a, Get())


def f(value: Any) -> Any:
    return value


def add(one: int, other: int, *, key: int) -> int:
    return one + other + key


def g(value: Any) -> Program[Any]:
    return pure(value)


def h(_extra: object, value: Any) -> Program[Any]:
    return pure(value)


@program
def audit(text: str, work: Program[int, Any], *, strict: bool) -> Do[int, Any]:
    yield from free_log("info", text)
    return (yield from work)


def place(function: Any) -> str:
    """Say where a function of this file is written."""
    function = getattr(function, "__wrapped__", function)
    return f"{__file__.rpartition('/')[2]}:{function.__code__.co_firstlineno}"


def tree(explanation: Explanation) -> str:
    """Leave out the places: they change with each line of this file."""
    return re.sub(r"   [a-z_]+\.py:\d+", "", explanation.to_text()).removesuffix(LEGEND)


def test_a_chain_is_a_flat_sequence_in_the_order_it_was_written() -> None:
    assert str(explain(get.map(f).bind(g).timeout(2))) == (
        f"""\
timeout 2 s
├─ ask /a Get()
├─ map f
└─ bind g ⋯   {place(g)}

⋯ known only when it runs; a dry run shows one way it may go"""
    )


def everything() -> Anything:
    jobs = Queue[int](name="jobs")
    ready = Deferred[int](name="ready")
    permits = Semaphore(3, name="printers")
    visits = State("visits", 0)
    either: Anything = race(get.map(str), free_sleep(1).then(pure("late")), never())
    paid = catch(NoStock, AskFailed)(partial(h, 1))(
        free_ask(b, Charge(5, "4000"), timeout=2.5).tap(g)
    )
    pieces: list[Anything] = [
        free_spawn(Clerk, "clerk").bind(g),
        either.named("the quick one"),
        paid.alt(f).lash(g).or_else(fail(NoStock("tea"))),
        zip_(get.attempt(), get.exit(), get.refine(OSError, KeyError)),
        gather([get, audit("x", get.map(f), strict=True)], 2, mode="collect"),
        traverse(range(1_000), g, concurrency=8),
        first_success(get, at_least(2, get, get, get)),
        as_completed([get, get]),
        bracket(get, g, lambda _it: free_log("info", "closed")),
        scoped(acquire_release(get, g).bind(g)).uninterruptible(),
        get.ensure(free_tell(a, "done").then(free_tell(b, "done"))).deadline(0.5),
        get.on_interrupt(free_tell(a, "stop")).fork().bind(lambda fiber: fiber.join()),
        permits.with_permits(2)(jobs.process(g)),
        jobs.put(1).then(ready.succeed(2)).then(visits.modify(f)),
        handle(on(Sql)(f), on(Llm)(g), provide(Database()))(
            perform(Sql("select 1")).then(perform(Llm("hello"))).then(service(Database))
        ),
        every(60, get.delayed(1).retry(3)).map(itemgetter(1)),
        free_call(partial(add, 1, key=3), 2).bind_result(f).apply(pure(f)),
    ]
    return reduce(lambda p, q: p.then(q), pieces)


EVERYTHING = """\
program
├─ spawn Clerk as 'clerk'
├─ bind g ⋯
├─ named 'the quick one'
│  └─ race
│     ├─ in order
│     │  ├─ ask /a Get()
│     │  └─ map str
│     ├─ in order
│     │  ├─ sleep 1 s
│     │  └─ pure 'late'
│     └─ wait for ever
├─ then
│  ├─ ask /b Charge(cents=5), within 2.5 s
│  ├─ tap g ⋯
│  ├─ catch NoStock, AskFailed by h ⋯
│  ├─ alt f
│  ├─ lash g ⋯
│  └─ or else
│     └─ fail NoStock: tea
├─ zip
│  ├─ in order
│  │  ├─ ask /a Get()
│  │  └─ attempt
│  ├─ in order
│  │  ├─ ask /a Get()
│  │  └─ exit
│  └─ in order
│     ├─ ask /a Get()
│     └─ refine OSError, KeyError
├─ gather, 2 at once, collect
│  ├─ ask /a Get()
│  └─ do audit('x', a program, strict=True) ⋯
│     └─ given as work
│        ├─ ask /a Get()
│        └─ map f
├─ traverse 1,000 items by g, 8 at once ⋯
├─ first success
│  ├─ ask /a Get()
│  └─ at least 2 of 3
│     ├─ ask /a Get()
│     ├─ ask /a Get()
│     └─ ask /a Get()
├─ as completed
│  ├─ ask /a Get()
│  └─ ask /a Get()
├─ bracket
│  ├─ acquire: ask /a Get()
│  ├─ use: g ⋯
│  └─ release: lambda ⋯
├─ uninterruptible
│  └─ scoped
│     ├─ acquire_release
│     │  ├─ acquire: ask /a Get()
│     │  └─ release at the scope's end: g ⋯
│     └─ bind g ⋯
├─ deadline 0.5 s
│  └─ ensure
│     ├─ ask /a Get()
│     └─ finally
│        ├─ tell /a 'done'
│        └─ tell /b 'done'
├─ fork
│  └─ on interrupt
│     ├─ ask /a Get()
│     └─ if interrupted: tell /a 'stop'
├─ bind lambda ⋯
├─ with 2 permits of semaphore 'printers'
│  └─ process an item of queue 'jobs' by g ⋯
├─ put 1 into queue 'jobs'
├─ complete deferred 'ready' with 2
├─ modify state 'visits' by f
├─ handle Sql by f, Llm by g and provide Database ⋯
│  ├─ perform Sql(text='select 1')
│  ├─ perform Llm(prompt='hello')
│  └─ service Database
├─ every 60 s
│  └─ retry recurs(3)
│     └─ delayed 1 s
│        └─ ask /a Get()
├─ map operator.itemgetter(1)
├─ call add(1, 2, key=3)
├─ bind_result f
└─ apply
   └─ the function of: pure f"""


def test_every_node_is_seen() -> None:
    assert tree(explain(everything(), branches=30)) == EVERYTHING


def test_a_program_that_is_used_twice_is_shown_twice() -> None:
    twice = get.map(f)
    assert tree(explain(zip_(twice, twice))) == (
        """\
zip
├─ in order
│  ├─ ask /a Get()
│  └─ map f
└─ in order
   ├─ ask /a Get()
   └─ map f"""
    )


def test_what_can_be_seen_whole_needs_no_legend() -> None:
    assert str(explain(pure(3))) == "pure 3"
    assert str(explain(get.timeout(1))) == "timeout 1 s\n└─ ask /a Get()"


def test_steps_that_recover_stay_with_the_steps_that_they_recover() -> None:
    careful = free_tell(b, 1).lash(g)
    assert tree(explain(get.then(careful).map(f))) == (
        """\
program
├─ ask /a Get()
├─ then
│  ├─ tell /b 1
│  └─ lash g ⋯
└─ map f"""
    )


def test_then_reads_the_same_however_it_was_put_together() -> None:
    p, q, r = get, free_sleep(1), free_tell(b, 2)
    assert explain(p.then(q).then(r)) == explain(p.then(q.then(r)))


def test_functions_are_named_and_what_cannot_be_seen_has_a_place() -> None:
    anonymous: Callable[[Any], Any] = lambda value: value  # noqa: E731 - its place is asked for
    held = Answering()
    steps = get.map(str).map(itemgetter(1)).map(anonymous)
    steps = steps.bind(held).bind(held.method).bind(partial(h, 1)).bind(audit_of_get)
    assert str(explain(steps)) == (
        f"""\
program
├─ ask /a Get()
├─ map str
├─ map operator.itemgetter(1)
├─ map lambda   {place(anonymous)}
├─ bind answering ⋯   {place(Answering.__call__)}
├─ bind Answering.method ⋯   {place(Answering.method)}
├─ bind h ⋯   {place(h)}
└─ bind audit_of_get ⋯   {place(audit_of_get)}"""
        + LEGEND
    )


@program
def audit_of_get(_value: object) -> Do[Any, Any]:
    return (yield from get)


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("/home/me/shop.py", "shop.py:1"),
        ("C:\\Users\\me\\shop.py", "shop.py:1"),
        ("/tmp/ipykernel_17/123.py", "cell:1"),  # noqa: S108 - a name, no file
        ("<ipython-input-3-abc>", "cell:1"),
        ("<stdin>", "<stdin>:1"),
    ],
)
def test_a_place_is_the_name_of_a_file_and_a_line(file: str, shown: str) -> None:
    names: dict[str, Any] = {}
    exec(compile("def made(value): ...", file, "exec"), names)  # noqa: S102 - for its file name
    assert str(explain(get.bind(names["made"]))).split("\n")[2] == f"└─ bind made ⋯   {shown}"


def test_nothing_of_the_program_is_called() -> None:
    def refuse(*_args: object) -> Any:
        raise AssertionError

    @program
    def block() -> Do[int]:
        refuse()
        return (yield from pure(1))

    jobs = Queue[int](name="jobs")
    everywhere: list[Anything] = [
        block().bind(refuse).map(refuse).lash(refuse),
        bracket(free_call(refuse), refuse, refuse),
        traverse([1], refuse),
        jobs.process(refuse),
        handle(Sql)(refuse)(perform(Sql("select 1"))),
    ]
    assert str(explain(gather(everywhere))).count("refuse") == 9


# ---------------------------------------------------------------- size


def again(times: int, change: Callable[[Anything], Anything], p: Anything) -> Anything:
    return reduce(lambda q, _: change(q), range(times), p)


def left_nested() -> Anything:
    return again(MILLION - 1, lambda p: p.bind(g), get)


def right_nested() -> Anything:
    return again(MILLION - 1, get.then, get)


@pytest.mark.parametrize("make", [left_nested, right_nested])
def test_a_million_steps_are_one_sequence_that_is_cut(make: Any) -> None:
    title, first, *_, last = tree(explain(make())).split("\n")
    assert (title, first) == ("program", "├─ ask /a Get()")
    assert last == "└─ ... 999,980 more"


def test_a_million_levels_are_cut_where_it_says_so() -> None:
    deep = again(MILLION, lambda p: p.timeout(1), get)
    assert str(explain(deep, depth=2)) == (
        """\
timeout 1 s
└─ timeout 1 s
   └─ timeout 1 s   ... more inside"""
    )


def test_ten_thousand_branches_are_cut_where_it_says_so() -> None:
    wide = gather([get.named(f"{n}") for n in range(10_000)])
    assert str(explain(wide, branches=2)) == (
        """\
gather
├─ named '0'
│  └─ ask /a Get()
├─ named '1'
│  └─ ask /a Get()
└─ ... 9,998 more"""
    )


def test_what_follows_a_long_chain_is_still_seen() -> None:
    chain = again(100, lambda p: p.map(f), get)
    assert str(explain(chain.ensure(free_tell(b, 1)), branches=2)) == (
        """\
ensure
├─ ask /a Get()
├─ map f
├─ ... 99 more
└─ finally: tell /b 1"""
    )


def test_shared_parts_cost_no_more_than_what_is_shown() -> None:
    doubled = again(5_000, lambda p: p.then(p), get.map(f))
    assert str(explain(doubled, branches=1)).endswith("└─ ... countless more")
    bushy = again(200, lambda p: zip_(p, p), get)
    explanation = explain(bushy, lines=100)
    assert len(explanation.lines) <= 100
    assert "zip   ... more inside" in str(explanation)


@pytest.mark.parametrize("lines", [1, 2, 3, 7, 20])
def test_there_are_never_more_lines_than_wanted(lines: int) -> None:
    explanation = explain(everything(), lines=lines)
    assert len(explanation.lines) <= lines
    assert "more" in str(explanation)


def test_what_is_further_out_is_shown_first() -> None:
    both: Anything = zip_(get.map(f).map(f).map(f), free_tell(b, 1))
    assert str(explain(both, lines=3)) == (
        """\
zip
├─ in order   ... more inside
└─ tell /b 1"""
    )
    one = again(9, lambda p: p.timeout(1), get)
    other = again(9, lambda p: p.deadline(2), get)
    assert str(explain(zip_(one, other), lines=5)) == (
        """\
zip
├─ timeout 1 s
│  └─ timeout 1 s   ... more inside
└─ deadline 2 s
   └─ deadline 2 s   ... more inside"""
    )


@pytest.mark.parametrize("bound", ["lines", "depth", "branches", "width"])
def test_a_bound_is_a_positive_integer(bound: str) -> None:
    for value, error in ((0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match=rf"explain: {bound} must be an integer >= 1, got"):
            explain(get, **{bound: value})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_only_programs_are_explained() -> None:
    wrong: Any = audit
    with pytest.raises(TypeError, match=r"explain: program must be a Program, .* \(call it: "):
        explain(wrong)


# ---------------------------------------------------------------- the user's values


class Unspeakable:
    @override
    def __repr__(self) -> str:
        raise RuntimeError


def test_a_repr_that_raises_spoils_nothing() -> None:
    unspeakable = Unspeakable()
    told = free_tell(a, unspeakable).then(pure(unspeakable)).then(fail(unspeakable))
    assert str(explain(told)) == (
        """\
program
├─ tell message=<Unspeakable> options=None ref=ActorRef.at('/a')
├─ pure <Unspeakable>
└─ fail <Unspeakable>"""
    )
    assert "do audit(<Unspeakable>, a program, strict=<Unspeakable>)" in str(
        explain(audit(unspeakable, get, strict=unspeakable))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )


def test_a_long_text_is_cut_and_stays_on_one_line() -> None:
    assert str(explain(free_tell(a, "x\n" * 1_000_000), width=20)) == "tell /a 'x\\nx\\nx\\..."


def test_what_a_class_hides_from_its_repr_stays_hidden() -> None:
    secret = Charge(5, "4000-1234")

    @program
    def pay(_charge: Charge) -> Do[int]:
        return (yield from pure(1))

    everywhere: list[Anything] = [
        *(free_ask(a, secret), pure(secret), free_call(f, secret), pay(secret), fail(secret))
    ]
    explanation = explain(gather(everywhere))
    assert str(explanation).count("Charge(cents=5)") == 5
    assert "4000" not in str(explanation) + explanation.to_mermaid()


class Backwards(Operation[Any]):
    """An operation of a user's own interpreter."""

    __slots__ = ("how", "then_do")

    def __init__(self, how: str, then_do: Program[Any, Any]) -> None:
        self.how: str = how
        self.then_do: Program[Any, Any] = then_do

    @override
    def describe(self) -> str:
        return f"backwards, {self.how}"


class RollBack(Program[Any, Any]):
    """A node that `explain` has never heard of."""

    __slots__ = ("alternatives", "function", "others", "savepoint", "source", "undo")

    def __init__(self) -> None:
        self.source: Program[Any, Any] = get.map(f)
        self.undo: Program[Any, Any] = free_tell(b, "undo")
        self.function = g
        self.savepoint = 7
        self.alternatives = (get, get)
        self.others = (get,)


def test_a_node_of_which_nothing_is_known_is_shown_by_its_fields() -> None:
    assert str(explain(Backwards("slowly", get))) == "backwards, slowly"
    assert tree(explain(RollBack())) == (
        """\
roll back savepoint=7
├─ ask /a Get()
├─ map f
├─ ask /a Get()
├─ ask /a Get()
├─ function: g ⋯
├─ others: ask /a Get()
└─ undo: tell /b 'undo'"""
    )


class Choosing(FunctionValue):
    """A function that is a value, of a user's own."""

    __slots__ = ("otherwise", "rule")

    def __init__(self, otherwise: Anything, rule: Callable[[Any], Anything]) -> None:
        self.otherwise: Anything = otherwise
        self.rule: Callable[[Any], Anything] = rule

    def __call__(self, _answer: object) -> Anything:
        return self.otherwise


def test_a_function_that_is_a_value_is_shown_by_its_fields() -> None:
    choosing = Choosing(pure(1), Choosing(pure(2), g))
    assert tree(explain(get.bind(choosing))) == (
        """\
program
├─ ask /a Get()
└─ bind choosing
   ├─ otherwise: pure 1
   └─ rule: choosing
      ├─ otherwise: pure 2
      └─ rule: g ⋯"""
    )


def test_a_node_that_was_not_made_properly_has_at_least_a_name() -> None:
    assert str(explain(RollBack.__new__(RollBack))) == "roll back"


def test_what_is_not_written_in_python_has_no_place() -> None:
    endless: Any = Answering()
    endless.__wrapped__ = endless
    built_in: Any = len
    cls: Any = Clerk
    text = str(explain(get.bind(built_in).bind(cls).bind(endless)))
    assert "bind len ⋯\n" in text
    assert "bind Clerk ⋯\n" in text
    assert "bind answering ⋯\n" in text  # wrapped in itself


class Answering:
    def __call__(self, value: object) -> Program[Any]:
        return pure(value)

    @override
    def __repr__(self) -> str:
        return "answering"

    def method(self, value: object) -> Program[Any]:
        return pure(value)


# ---------------------------------------------------------------- as a value, and drawn


def test_an_explanation_is_a_value_that_shows_itself() -> None:
    explanation = explain(get.timeout(1))
    assert explanation == explain(get.timeout(1))
    assert explanation != explain(get.timeout(2))
    assert hash(explanation) == hash(explain(get.timeout(1)))
    assert repr(explanation) == str(explanation) == explanation.to_text()


def test_a_notebook_shows_the_tree_of_a_program_and_of_its_explanation() -> None:
    shown: Any = get.map(f).timeout(1)
    explanation = explain(shown)
    bundle = {"text/plain": str(explanation), "text/vnd.mermaid": explanation.to_mermaid()}
    also: Any = explanation
    assert also._repr_mimebundle_(include=None) == bundle
    assert shown._repr_mimebundle_(include=None, exclude=None) == bundle


def test_an_explanation_is_a_flowchart() -> None:
    p: Anything = zip_(get.bind(g), get).ensure(free_tell(b, "*done*")).map(f)
    assert explain(p).to_mermaid() == (
        """\
flowchart TB
    subgraph n0["program"]
        subgraph n1["ensure"]
            subgraph n2["zip"]
                subgraph n3["in order"]
                    n4["ask /a Get()"]
                    n5["bind g #8943;"]
                end
                n6["ask /a Get()"]
            end
            n7["finally#58; tell /b '#42;done#42;'"]
        end
        n8["map f"]
    end
    n4 --> n5
    n2 -.-> n7
    n1 --> n8"""
    )
    assert explain(get).to_mermaid() == 'flowchart TB\n    n0["ask /a Get()"]'


def test_a_flowchart_that_mermaid_would_refuse_is_cut() -> None:
    long = free_tell(b, "*" * 60).map(f)
    wide = gather([gather([long] * 50)] * 50)
    flowchart = explain(wide, lines=5_000, branches=50).to_mermaid()
    assert len(flowchart) < 50_000
    assert flowchart.count("-->") < 500
    left_out = re.search(r'more\["(\d+) more are not drawn"\]', flowchart)
    assert left_out
    drawn = re.findall(r'n\d+\["', flowchart)
    assert len(drawn) + int(left_out[1]) == 5_000
    # Mermaid refuses an empty box, and a box that does not end.
    lines = [line.strip() for line in flowchart.split("\n")]
    assert not any(
        line.startswith("subgraph") and following == "end" for line, following in pairwise(lines)
    )
    assert sum(line.startswith("subgraph") for line in lines) == lines.count("end")


def test_explaining_needs_no_interpreter() -> None:
    source = (
        "import sys\n"
        "from effactor import explain, pure\n"
        "explain(pure(1).map(str)).to_mermaid()\n"
        "assert not {'asyncio', 'effactor_interpreters'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", source], check=True)
