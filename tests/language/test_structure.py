"""Programs are values: repr, equality, hash and pickle, also of very deep ones."""

# What a wrong call returns has no type, and neither has the lambda that makes it.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import effactor
from effactor import (
    ActorRef,
    Do,
    Effect,
    FailedWith,
    Free,
    Program,
    Quorum,
    State,
    Succeeded,
    catch,
    fail,
    free_ask,
    free_call,
    free_join,
    free_log,
    free_lookup,
    free_now,
    free_random,
    free_self,
    free_sleep,
    free_spawn,
    free_stop,
    free_tell,
    free_uuid,
    from_result,
    handle,
    perform,
    program,
    pure,
)
from effactor.interpreters import run_free

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEP = 20_000
ref: ActorRef[Any] = ActorRef.at("/a")


@dataclass(frozen=True)
class Query(Effect[int]):
    """An effect of these tests."""


@program
def block(n: int, *rest: Any, key: Any = None) -> Do[int]:
    yield from pure(n)
    return n


def left(n: int) -> Program[Any]:
    value: Program[Any] = pure(0)
    for _ in range(n):
        value = value.then(pure(1))
    return value


def right(n: int) -> Program[Any]:
    value: Program[Any] = pure(0)
    for _ in range(n):
        value = pure(1).then(value)
    return value


def nested(n: int) -> Program[Any]:
    value: Program[Any] = pure(0)
    for _ in range(n):
        value = block(1, value)
    return value


@pytest.mark.parametrize("make", [left, right, nested])
def test_deep_programs_need_no_recursion(make: Any) -> None:
    one, two, longer = make(DEEP), make(DEEP), make(DEEP + 1)
    assert one == two
    assert one != longer
    assert hash(one) == hash(two)
    assert len(repr(one)) < 2000
    restored = pickle.loads(pickle.dumps(one))
    assert restored == one
    assert copy.deepcopy(one) is one
    assert copy.copy(one) is one


def recover(error: KeyError) -> Program[int]:
    return pure(len(error.args))


def answer(query: Query) -> int:
    return hash(query)


EVERY: list[Program[Any, Any, Any]] = [
    pure(1),
    fail("x"),
    pure(1).map(str),
    pure(1).bind(block),
    pure(1).then(pure(2)),
    pure(1).tap(block),
    fail("x").alt(len),
    fail(1).lash(block),
    pure(1).attempt(),
    pure(1).exit(),
    pure(1).refine(OSError),
    pure(1).ensure(pure(2)),
    pure(1).named("n"),
    catch(KeyError)(recover)(pure(1)),
    handle(Query)(answer)(perform(Query())),
    perform(Query()),
    block(1, 2, key="k"),
    free_ask(ref, "m"),
    free_ask(ref, "m", timeout=1),
    free_tell(ref, "m"),
    free_stop(ref),
    free_stop(ref, "now"),
    free_join(ref),
    free_spawn(effactor.Actor, "n"),
    free_lookup("/a"),
    free_self(),
    free_sleep(1),
    free_now(),
    free_random(),
    free_uuid(),
    free_log("info", "t", field=1),
    free_call(len, "abc"),
]


# Numbered: a repr may hold an address, and workers must agree on the names of the tests.
@pytest.mark.parametrize(
    "value", EVERY, ids=[f"{n}-{type(value).__name__}" for n, value in enumerate(EVERY)]
)
def test_every_node_is_a_value(value: Program[Any]) -> None:
    restored = pickle.loads(pickle.dumps(value))
    assert restored == value
    assert hash(restored) == hash(value)
    assert sum(other == value for other in EVERY) == 1
    assert repr(restored) == repr(value)
    assert value != 3


def test_a_repr_reads_as_an_expression() -> None:
    value = free_ask(ref, "m").bind(block).named("n")
    assert repr(value) == (
        "Named(name='n', source=FlatMap(function=block, source=Ask(message='m', "
        "ref=ActorRef.at('/a'), time_limit=None)))"
    )


def test_unhashable_leaves_say_so() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(pure([1]))


def test_a_block_that_cannot_be_imported_says_so_when_pickled() -> None:
    @program
    def local() -> Do[int]:
        yield from pure(1)
        return 1

    with pytest.raises(TypeError, match=r"cannot pickle the program .*local.*module level"):
        pickle.dumps(local())


@given(st.text("/ab", max_size=6), st.integers(0, 3), st.integers(0, 3))
def test_refs_are_values(text: str, one: int, two: int) -> None:
    from effactor.actors.ref import Unbound

    path = f"/{text}"
    a: ActorRef[Any] = ActorRef(path, one, Unbound(path))
    b: ActorRef[Any] = ActorRef(path, two, Unbound("other"))
    assert (a == b) == (one == two)
    assert (hash(a) == hash(b)) >= (one == two)
    assert pickle.loads(pickle.dumps(a)) == a


@pytest.mark.parametrize("path", ["inventory", "", "/", "/a//b", "/a/", 3])
def test_a_bad_path_is_refused(path: Any) -> None:
    with pytest.raises(ValueError, match="path must look like"):
        ActorRef.at(path)


def test_a_ref_that_is_only_an_address_says_how_to_bind_it() -> None:
    for use in (lambda: ref.ask("m"), lambda: ref.tell_nowait("m"), lambda: ref.is_alive):
        with pytest.raises(effactor.UnboundRef, match=r"await system.get_actor\(\'/a\'\)"):
            use()


def test_awaiting_a_program_gives_advice() -> None:
    async def main() -> None:
        await free_ask(ref, "m")

    with pytest.raises(TypeError, match="a Program is a value and does nothing by itself"):
        asyncio.run(main())


def test_a_dropped_program_warns_of_nothing_and_does_nothing() -> None:
    called: list[int] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        free_call(called.append, 1)  # type: ignore[unused-awaitable]
        block(1)  # type: ignore[unused-awaitable]
    assert called == []


def test_yield_for_yield_from_gives_advice() -> None:
    @program
    def wrong() -> Any:
        yield 3
        return 1

    with pytest.raises(TypeError, match='write "yield from program"'):
        run_free(wrong())


def test_yield_of_a_program_is_what_the_type_checkers_refuse() -> None:
    """At run time it cannot be told from `yield from`; see tests/typing."""

    @program
    def wrong() -> Any:
        answer = yield pure(3)  # pyright: ignore[reportUnknownVariableType]
        return answer  # pyright: ignore[reportUnknownVariableType]

    assert run_free(wrong()) == 3


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: program(lambda: 1), "no generator function"),  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
        (lambda: program(asyncio.sleep), 'replace "async def" by "def"'),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: free_ask("/a", "m"), r"write ActorRef.at\('/a'\)"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: free_ask(effactor.Actor(), "m"), "spawn the actor"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: free_ask(pure(ref), "m"), "take its answer with yield from first"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: free_ask(ref, "m", timeout=-1), "timeout must be a finite number of seconds >= 0"),
        (lambda: free_ask(ref, "m", timeout="1"), "timeout must be a number of seconds"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: free_sleep(float("nan")), "duration must be a finite number"),
        (lambda: free_sleep(None), "duration must be a number of seconds, got None"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: free_stop(ref, "later"), 'mode must be "graceful", "current" or "now"'),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: free_spawn(effactor.Actor()), "got the instance"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: free_spawn(effactor.Actor, "a#b"), "must not be empty nor contain"),
        (lambda: free_lookup("a"), "path must look like"),
        (lambda: free_log("loud", "x"), "level must be one of debug, info"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: free_call(3), "give the function and its arguments"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: from_result(3), "must be a Success or Failure"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: pure(1).ensure(3), "finalizer must be a Program"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: pure(1).then(block), "call it: it is a function that makes a program"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: pure(1).named(""), "name must not be empty"),
        (lambda: pure(1).named(3), "name must be a text"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: pure(1).refine(), "name at least one exception class"),
        (lambda: pure(1).refine(int), "is no exception class"),  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (catch, "name at least one class of failures"),
        (lambda: catch(KeyError("x")), "is no class"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: catch(KeyError)(3), "handler must map the failure to a program"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: catch(KeyError)(recover)(3), "program must be a Program"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: perform(Query), "make an instance of it"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: perform(3), "must be an instance of an Effect"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: handle(int), "must be a subclass of Effect"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        (lambda: handle(Query)(3), "function must map a Query"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    ],
)
def test_wrong_arguments_are_refused_at_once(call: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        call()


def test_free_is_program() -> None:
    assert Free is Program


def test_all_is_sorted_and_complete() -> None:
    modules = {
        "actors",
        "consistency",
        "coordination",
        "errors",
        "events",
        "interpreters",
        "programs",
        "schedules",
        "testing",
        "traces",
    }
    names = {n for n in vars(effactor) if n.isidentifier() and not n.startswith("_")}
    lazy = {"ActorSystem", "VirtualActorRegistry", "run_free", "step"}
    noise = {"annotations", "TYPE_CHECKING", "Any"}
    assert sorted(effactor.__all__) == effactor.__all__
    assert (names | lazy) - modules - noise == set(effactor.__all__)


def test_public_names_show_as_such() -> None:
    assert Program.__module__ == "effactor"
    assert effactor.ActorSystem.__module__ == "effactor.interpreters"
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = effactor.nonsense  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


def test_the_facade_loads_only_what_is_asked_for() -> None:
    script = (
        "import sys; import effactor; assert 'asyncio' not in sys.modules, 'core'; "
        "from effactor import ActorSystem; "
        "assert not any('simulation' in m or 'dry_run' in m for m in sys.modules), 'live'; "
        "from effactor.interpreters import *; print(Simulation.__module__, sorted(globals())[0])"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("effactor.interpreters ActorSystem")


def every_node(cls: type[Any] = Program) -> Iterator[type[Any]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from every_node(sub)


def test_no_field_of_a_node_hides_a_method_of_programs() -> None:
    methods = {name for name in dir(Program) if not name.startswith("__")}
    hidden = [(cls, name) for cls in every_node() for name in cls.__dict__.get("__slots__", ())]
    assert [(cls, name) for cls, name in hidden if name in methods] == []


def test_a_program_has_no_truth_before_it_has_run() -> None:
    with pytest.raises(
        TypeError, match=r'take its answer first, as in "if \(yield from program\):"'
    ):
        bool(pure(1))
    with pytest.raises(TypeError, match="neither true nor false"):
        _ = pure(1) and pure(2)


def test_generic_values_may_be_made_with_their_types_written_out() -> None:
    assert State[int]("n", 0) == State("n", 0)
    assert Succeeded[int](1) == Succeeded(1)
    assert FailedWith[str]("x") == FailedWith("x")
    assert Quorum[int, str]((1,), ()) == Quorum((1,), ())
    assert pickle.loads(pickle.dumps(State[int]("n", 0))) == State("n", 0)
