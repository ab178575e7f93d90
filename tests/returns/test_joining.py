"""`returns` takes programs for containers of its own, and they stay the values they were."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from returns import converters, iterables, methods, pipeline, pointfree
from returns.interfaces.container import ContainerN
from returns.interfaces.specific.result import ResultLikeN
from returns.result import Failure, Result, Success
from worlds import World

from effactor import (
    Actor,
    ActorRef,
    AskFailed,
    Do,
    Effect,
    Message,
    Program,
    fail,
    free_ask,
    free_now,
    free_spawn,
    handler,
    perform,
    program,
    pure,
    run_free,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from effactor.interpreters import ActorSystem

# Without the plugin of `returns`, type checkers take what these make of programs for
# nothing at all, and the lines after them for unreachable.
flow: Any = pipeline.flow
pipe: Any = pipeline.pipe
bind: Any = pointfree.bind
map_: Any = pointfree.map_
alt: Any = pointfree.alt
lash: Any = pointfree.lash
apply: Any = pointfree.apply
bind_result: Any = pointfree.bind_result
bimap: Any = pointfree.bimap
unify: Any = pointfree.unify
cond: Any = methods.cond
flatten: Any = converters.flatten
Fold: Any = iterables.Fold


@dataclass(frozen=True)
class Note(Effect[str]):
    text: str


@dataclass(frozen=True)
class Write(Message[int]):
    text: str


class Paper(Actor[Write]):
    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    @handler
    def write(self, message: Write) -> int:
        self.texts.append(message.text)
        return len(self.texts)


class Notes:
    """Runs programs and keeps what they note, in order."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def run(self, value: Program[Any, Any, Any]) -> Result[Any, Any]:
        return run_free(value.attempt(), {Note: self.write})

    def write(self, effect: Note) -> str:
        self.texts.append(effect.text)
        return effect.text


@pytest.fixture
def notes() -> Notes:
    return Notes()


def note(text: str) -> Program[Any, Any, Note]:
    return perform(Note(text))


def half(n: int) -> Result[int, str]:
    return Success(n // 2) if n % 2 == 0 else Failure(f"{n} is odd")


def add(n: int) -> int:
    return n + 1


def crash(_: object) -> int:
    raise ZeroDivisionError


def calling(name: str) -> Callable[[str], str]:
    return lambda argument: f"{name} of {argument}"


def noted(n: int) -> Program[int, Any, Note]:
    return note(str(n)).then(pure(n))


def length(text: str) -> Program[int]:
    return pure(len(text))


def refuse(_: object) -> Program[Any, str]:
    return fail("no")


def digits(a: int) -> Callable[[int], int]:
    return lambda b: 10 * b + a


def write(ref: ActorRef[Write]) -> Program[int, AskFailed]:
    return free_ask(ref, Write("a"))


@program
def a_block(n: int) -> Do[int]:
    yield from pure(None)
    return n


def classes(base: type[Any]) -> Iterator[type[Any]]:
    for cls in base.__subclasses__():
        yield cls
        yield from classes(cls)


# ---------------------------------------------------------------- membership


@pytest.mark.parametrize(
    "value",
    [pure(1), fail(1), pure(1).map(add), free_now(), note(""), a_block(1)],
    ids=lambda value: type(value).__name__,
)
def test_a_program_is_a_container_like_a_result(value: Program[Any, Any, Any]) -> None:
    assert isinstance(value, ContainerN)
    assert isinstance(value, ResultLikeN)
    assert not hasattr(value, "__dict__")


def test_no_node_has_room_for_more_than_its_fields() -> None:
    nodes = [cls for cls in classes(Program) if cls.__module__.startswith("effactor.")]
    assert len(nodes) > 20
    assert [cls for cls in nodes if cls.__dictoffset__ or cls.__weakrefoffset__] == []


def test_programs_have_no_metaclass_that_would_slow_isinstance_down() -> None:
    assert type(Program) is type


# ------------------------------------------------------------------- methods


def test_apply_calls_the_function_of_the_other_program() -> None:
    assert run_free(pure(1).apply(pure(add))) == 2


def test_apply_runs_the_argument_before_the_function(notes: Notes) -> None:
    value = note("argument").apply(note("function").map(calling))
    assert notes.run(value) == Success("function of argument")
    assert notes.texts == ["argument", "function"]


def test_apply_does_not_run_the_function_after_a_failure(notes: Notes) -> None:
    assert notes.run(fail(1).apply(note("function"))) == Failure(1)
    assert notes.texts == []


def test_apply_refuses_what_is_no_program() -> None:
    wrong: Any = add
    with pytest.raises(TypeError, match="apply: container must be a Program, got <function add"):
        _ = pure(1).apply(wrong)


def test_swap_exchanges_answer_and_failure() -> None:
    assert run_free(pure(1).swap().attempt()) == Failure(1)
    assert run_free(fail(1).swap()) == 1


def test_swap_lets_a_defect_pass() -> None:
    with pytest.raises(ZeroDivisionError):
        run_free(pure(1).map(crash).swap())


def test_the_class_makes_programs_of_values_failures_and_results() -> None:
    assert Program.from_value(1) == pure(1)
    assert Program.from_failure(1) == fail(1)
    assert Program.from_result(Success(1)) == pure(1)
    assert Program.from_result(Failure(1)) == fail(1)


def test_the_class_makes_no_program_of_what_is_no_result() -> None:
    wrong: Any = 1
    with pytest.raises(TypeError, match="from_result: result must be a Success or Failure"):
        _ = Program.from_result(wrong)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pure(1).apply(pure(add)),
        lambda: pure(1).swap(),
        lambda: pure(2).bind_result(half),
        lambda: Fold.collect([pure(1), a_block(2)], pure(())),
    ],
    ids=["apply", "swap", "bind_result", "collect"],
)
def test_programs_made_the_same_way_are_equal_and_survive_pickle(
    make: Callable[[], Program[Any, Any, Any]],
) -> None:
    one, other = make(), make()
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one


def test_programs_that_apply_something_else_differ() -> None:
    assert pure(1).apply(pure(add)) != pure(1).apply(pure(half))
    assert pure(1).apply(pure(add)) != pure(2).apply(pure(add))


# ------------------------------------------------------ functions of returns


def test_flow_takes_a_value_through_programs(notes: Notes) -> None:
    value = flow(4, pure, bind(noted), map_(add), bind_result(half), alt(str.upper))
    assert notes.run(value) == Failure("5 IS ODD")
    assert notes.texts == ["4"]


def test_pipe_makes_a_function_of_steps() -> None:
    steps = pipe(pure, bind_result(half), lash(length))
    assert run_free(steps(4)) == 2
    assert run_free(steps(5)) == len("5 is odd")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (apply(pure(add))(pure(1)), Success(2)),
        (bimap(add, str)(pure(1)), Success(2)),
        (bimap(add, str)(fail(1)), Failure("1")),
        (unify(refuse)(pure(1)), Failure("no")),
        (flatten(pure(pure(1))), Success(1)),
        (cond(Program, is_success=True, success_value=1, error_value=2), Success(1)),
        (cond(Program, is_success=False, success_value=1, error_value=2), Failure(2)),
        (Fold.loop([pure(1), pure(2)], pure(3), digits), Success(312)),
        (Fold.collect([pure(1), fail(2), fail(3)], pure(())), Failure(2)),
        (Fold.collect_all([pure(1), fail(2), pure(3)], pure(())), Success((1, 3))),
    ],
)
def test_returns_combines_programs(
    value: Program[Any, Any, Any], expected: Result[Any, Any]
) -> None:
    assert run_free(value.attempt()) == expected


def test_collect_runs_programs_from_first_to_last(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        texts: list[str] = []
        ref = await system.spawn(lambda: Paper(texts), "paper")
        asks = [free_ask(ref, Write(text)) for text in "abc"]
        assert await system.run_free(Fold.collect(asks, pure(()))) == (1, 2, 3)
        assert texts == ["a", "b", "c"]

    world.run(body)


def test_collect_stops_at_the_first_failure(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        texts: list[str] = []
        ref = await system.spawn(lambda: Paper(texts), "paper")
        nobody: ActorRef[Write] = ActorRef.at("/nobody")
        asks = [free_ask(to, Write(text)) for to, text in [(ref, "a"), (nobody, "b"), (ref, "c")]]
        outcome = await system.run_free(Fold.collect(asks, pure(())).attempt())
        assert isinstance(outcome.failure(), AskFailed)
        assert texts == ["a"]

    world.run(body)


def test_a_long_collect_needs_no_deep_stack() -> None:
    many = [pure(n) for n in range(2_000)]
    assert run_free(Fold.collect(many, pure(()))) == tuple(range(2_000))


def test_flow_asks_an_actor(world: World) -> None:
    async def body(system: ActorSystem) -> None:
        value = flow(free_spawn(lambda: Paper([])), bind(write), map_(add))
        assert await system.run_free(value) == 2

    world.run(body)
