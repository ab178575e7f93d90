"""`@handler` and the dispatch table: which method gets which message, and what is refused."""

# Classes whose creation is refused are never used.
# pyright: reportUnusedClass=false

import re
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, Union

import pytest
from typing_extensions import TypeAliasType, TypeVar, override

from effactor import Actor, Do, Message, Program, handler, program, pure

T = TypeVar("T")

Text = TypeAliasType("Text", Program[str])
Answer = TypeAliasType("Answer", Program[T], type_params=(T,))


@dataclass(frozen=True)
class Inc(Message[None]):
    by: int = 1


@dataclass(frozen=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True)
class Name(Message[str | None]):
    pass


@dataclass(frozen=True)
class Peek(Get):
    pass


class Pair(NamedTuple):
    left: int
    right: int


def send(actor: Actor, message: object) -> Any:
    """Handle a message as the runtime does, by the exact type, then by the MRO."""
    behavior = type(actor).__effactor_behavior__
    kind = type(message)
    if kind not in behavior.every and not behavior.resolve(kind):
        return "unhandled"
    return behavior.every[kind](actor, message)


def refused(*parts: str) -> Any:
    """Expect the class statement to be refused with a sentence that has all *parts*."""
    return pytest.raises(TypeError, match=".*".join(re.escape(part) for part in parts))


IncOrName = TypeAliasType("IncOrName", Inc | Name)


class Counter(Actor[Inc | Get]):
    def __init__(self) -> None:
        self.count = 0

    @handler
    def inc(self, message: Inc) -> None:
        self.count += message.by

    @handler(Get)
    def get(self, message: Get) -> int:
        return self.count


def test_a_message_goes_to_the_handler_of_its_type() -> None:
    counter = Counter()
    send(counter, Inc(3))
    assert send(counter, Get()) == 3


def test_a_subclass_of_a_message_goes_to_the_handler_of_its_nearest_base() -> None:
    class Both(Actor):
        @handler
        def get(self, message: Get) -> int:
            return 1

        @handler
        def anything(self, message: object) -> str:
            return "any"

    class Exact(Both):
        @handler
        def peek(self, message: Peek) -> int:
            return 2

    assert send(Both(), Peek()) == 1
    assert send(Exact(), Peek()) == 2
    assert send(Exact(), Get()) == 1
    assert send(Exact(), "text") == "any"
    assert send(Counter(), "text") == "unhandled"


def test_handlers_are_sorted_by_how_they_run() -> None:
    class Mixed(Actor[Inc | Get | Name]):
        @handler
        def inc(self, message: Inc) -> None:
            pass

        @handler
        async def get(self, message: Get) -> int:
            return 1

        @handler
        def name(self, message: Name) -> Program[str | None]:
            return pure("mixed")

    behavior = Mixed.__effactor_behavior__
    assert set(behavior.plain) == {Inc, Name}
    assert set(behavior.coroutine) == {Get}
    assert set(behavior.every) == {Inc, Get, Name}
    assert behavior.names == ("Inc", "Get", "Name")


def test_a_union_is_handled_member_by_member() -> None:
    class Unions(Actor):
        @handler
        def new(self, message: Inc | Get) -> Any:
            return "new"

        @handler
        def old(self, message: Union[str, bytes]) -> Any:  # noqa: UP007 - the old spelling too
            return "old"

        @handler
        def none(self, message: None) -> str:
            return "none"

    class Aliased(Actor):
        @handler
        def aliased(self, message: IncOrName) -> Any:
            return "aliased"

    assert send(Unions(), Inc()) == send(Unions(), Get()) == "new"
    assert send(Unions(), "") == send(Unions(), b"") == "old"
    assert send(Unions(), None) == "none"
    assert send(Aliased(), Inc()) == send(Aliased(), Name()) == "aliased"


def test_annotated_and_new_types_are_handled_as_what_they_stand_for() -> None:
    cents = NewType("cents", int)

    class Till(Actor):
        @handler
        def pay(self, message: cents) -> str:
            return "pay"

        @handler
        def text(self, message: Annotated[str, "a note"]) -> str:
            return "text"

    assert send(Till(), 5) == "pay"
    assert send(Till(), "x") == "text"


def test_builtins_and_named_tuples_are_messages() -> None:
    class Plain(Actor[str | Pair | list[int]]):
        @handler(str)
        def text(self, message: str) -> str:
            return message.upper()

        @handler
        def pair(self, message: Pair) -> int:
            return message.left + message.right

        @handler
        def numbers(self, message: list[int]) -> int:
            return sum(message)

    assert send(Plain(), "hi") == "HI"
    assert send(Plain(), Pair(1, 2)) == 3
    assert send(Plain(), [1, 2]) == 3


# --- inheritance


def test_handlers_are_inherited_and_added_to() -> None:
    class Named(Counter, Actor[Inc | Get | Name]):
        @handler
        def name(self, message: Name) -> str:
            return "n"

    named = Named()
    send(named, Inc(2))
    assert send(named, Get()) == 2
    assert send(named, Name()) == "n"


def test_an_override_without_the_decorator_is_the_handler() -> None:
    class Double(Counter):
        @override
        def inc(self, message: Inc) -> None:
            self.count += 2 * message.by

    double = Double()
    send(double, Inc(2))
    assert send(double, Get()) == 4


def test_an_override_may_be_async_where_the_base_was_not() -> None:
    class Slow(Counter):
        @override
        async def get(self, message: Get) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return 1

    assert Get in Slow.__effactor_behavior__.coroutine
    assert Get not in Slow.__effactor_behavior__.plain


def test_a_handler_of_the_subclass_wins_over_one_of_the_base() -> None:
    class Other(Counter):
        @handler(Get)
        def other_get(self, message: Get) -> int:
            return -1

    assert send(Other(), Get()) == -1


def test_an_override_for_another_message_no_longer_handles_the_first() -> None:
    class Base(Actor):
        @handler
        def on(self, message: Get) -> int:
            return 1

    class Moved(Base):
        @handler
        @override
        def on(self, message: Name) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return "name"

    class Removed(Base):
        on = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    assert send(Moved(), Name()) == "name"
    assert send(Moved(), Get()) == "unhandled"
    assert send(Removed(), Get()) == "unhandled"


def test_a_mixin_that_is_no_actor_brings_handlers() -> None:
    class Pings:
        @handler
        def ping(self, message: str) -> str:
            return "pong"

    class Pinged(Pings, Actor[str]):
        pass

    assert send(Pinged(), "ping") == "pong"


def test_a_decorator_that_keeps_the_name_keeps_the_handler() -> None:
    def twice(function: Callable[..., int]) -> Callable[..., int]:
        @wraps(function)
        def wrapped(*args: Any) -> int:
            return 2 * function(*args)

        return wrapped

    class Outside(Actor[Get]):
        @twice
        @handler
        def get(self, message: Get) -> int:
            return 1

    class Inside(Actor[Get]):
        @handler
        @twice
        def get(self, message: Get) -> int:
            return 1

    assert send(Outside(), Get()) == send(Inside(), Get()) == 2


def test_generic_actors_and_messages_go_by_class() -> None:
    @dataclass(frozen=True)
    class Put(Message[None], Generic[T]):
        value: T

    class Box(Actor[Put[T] | Get], Generic[T]):
        content: T

        @handler
        def put(self, message: Put[T]) -> None:
            self.content = message.value

        @handler
        def get(self, message: Get) -> int:
            return 0

    class TextBox(Box[str]):
        pass

    class Keeper(Actor[T], Generic[T]):
        kept: Any = None

        @handler
        def keep(self, message: T) -> None:
            self.kept = message

    class GetKeeper(Keeper[Get]):
        pass

    class Alias(Actor):
        @handler(Put[int])
        def put(self, message: Put[int]) -> None:
            pass

    box = TextBox()
    send(box, Put("tea"))
    assert box.content == "tea"
    keeper = GetKeeper()
    send(keeper, Get())
    assert keeper.kept == Get()
    assert send(Alias(), Put(1)) is None


# --- on_receive


def test_on_receive_takes_what_no_handler_takes() -> None:
    class Rest(Actor):
        @handler
        def get(self, message: Get) -> int:
            return 1

        @override
        def on_receive(self, message: object) -> object:
            return ("rest", message)

    class AsyncRest(Actor[str]):
        @override
        async def on_receive(self, message: str) -> str:
            return message

    assert send(Rest(), Get()) == 1
    assert send(Rest(), "x") == ("rest", "x")
    assert Rest.__effactor_behavior__.catch_all_is_coroutine is False
    assert AsyncRest.__effactor_behavior__.catch_all_is_coroutine is True
    assert Counter.__effactor_behavior__.catch_all is None


def test_an_actor_without_type_argument_may_handle_anything_or_nothing() -> None:
    class Nothing(Actor):
        pass

    class AnyMessage(Actor[Any]):
        @handler
        def text(self, message: str) -> int:
            return 1

    assert send(Nothing(), "x") == "unhandled"
    assert send(AnyMessage(), "x") == 1


def test_hooks_count_only_when_the_class_has_its_own() -> None:
    class Hooked(Actor):
        @override
        def on_started(self) -> None:
            pass

    assert Hooked.__effactor_behavior__.has_started is True
    assert Hooked.__effactor_behavior__.has_stopped is False


# --- what is refused, when the class is created


def test_two_handlers_for_one_message_are_refused() -> None:
    with refused("Twice: first and second both handle Get", "one message type has one handler"):

        class Twice(Actor):
            @handler
            def first(self, message: Get) -> int:
                return 1

            @handler(Get)
            def second(self, message: Get) -> int:
                return 2


def test_a_union_that_overlaps_another_handler_is_refused() -> None:
    with refused("first and second both handle Inc"):

        class Overlap(Actor):
            @handler
            def first(self, message: Inc) -> None:
                pass

            @handler
            def second(self, message: Get | Inc) -> Any:
                pass


def test_a_handler_without_annotation_is_refused() -> None:
    with refused("Bare.get", "annotate 'message'", "@handler(MessageType)"):

        class Bare(Actor):
            @handler
            def get(self, message):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # pyright: ignore[reportMissingParameterType, reportUnknownParameterType]
                return 1


def test_a_handler_without_message_is_refused() -> None:
    with refused("Empty.get takes no message", "def get(self, message: M)"):

        class Empty(Actor):
            @handler
            def get(self) -> int:
                return 1


def test_a_handler_that_needs_more_than_the_message_is_refused() -> None:
    with refused("More.get needs unit beside the message", "give it a default"):

        class More(Actor):
            @handler
            def get(self, message: Get, *, unit: str) -> int:
                return len(unit)

    class Default(Actor[Get]):
        @handler
        def get(self, message: Get, scale: int = 3) -> int:
            return scale

    assert send(Default(), Get()) == 3


def test_an_annotation_that_is_no_class_is_refused() -> None:
    with refused("Odd.get", "is no class of messages"):

        class Odd(Actor):
            @handler
            def get(self, message: Literal["get"]) -> int:
                return 1


def test_a_static_method_is_refused() -> None:
    with refused("Static.get must be an ordinary method", "def get(self, message)"):

        class Static(Actor):
            @staticmethod
            @handler
            def get(message: Get) -> int:
                return 1


def test_generator_functions_are_refused_with_the_way_out() -> None:
    with refused("Gen.get is a generator function", "put @program below @handler"):

        class Gen(Actor):
            @handler
            def get(self, message: Get) -> Do[int]:
                return (yield from pure(1))

    with refused("GenAll.on_receive is a generator function", "put @program"):

        class GenAll(Actor):
            @override
            def on_receive(self, message: object) -> Do[int]:
                return (yield from pure(1))

    with refused("GenOverride.get is a generator function", "put @program"):

        class GenOverride(Counter):
            @override
            def get(self, message: Get) -> Do[int]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
                return (yield from pure(1))


def test_a_declared_message_without_handler_is_refused() -> None:
    with refused("Half declares Get but has no handler for it", "add one, or an on_receive"):

        class Half(Actor[Inc | Get]):
            @handler
            def inc(self, message: Inc) -> None:
                pass

    class Covered(Actor[Inc | Get]):
        @handler
        def inc(self, message: Inc) -> None:
            pass

        @override
        def on_receive(self, message: object) -> object:
            return None

    class Wide(Actor[Inc | Get]):
        @handler
        def anything(self, message: object) -> object:
            return "wide"

    assert send(Wide(), Get()) == "wide"
    assert send(Covered(), Get()) is None


def test_a_declared_family_is_covered_by_handlers_of_its_members() -> None:
    class Command:
        pass

    class Go(Command):
        pass

    class Walker(Actor[Command]):
        @handler
        def go(self, message: Go) -> str:
            return "went"

    assert send(Walker(), Go()) == "went"
    with refused("Runner declares Command but has no handler for it"):

        class Runner(Actor[Command]):
            pass


def test_a_handler_for_an_undeclared_message_is_refused() -> None:
    with refused(
        "More.name handles Name, which Actor[Inc | Get] does not declare",
        "write Actor[Inc | Get | Name]",
    ):

        class More(Counter):
            @handler
            def name(self, message: Name) -> str:
                return "n"


def test_the_type_argument_of_a_generic_base_is_not_taken_for_its_messages() -> None:
    class Table(Actor[Inc | Get], Generic[T]):
        rows: list[T]

        @handler
        def inc(self, message: Inc) -> None:
            pass

        @handler
        def get(self, message: Get) -> int:
            return 0

    class TextTable(Table[str]):
        pass

    assert send(TextTable(), Get()) == 0


def test_handler_refuses_what_is_neither_method_nor_class() -> None:
    with refused("@handler: expected a method or a class of messages, got 'inc'"):
        handler("inc")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    with refused("@handler: expected", "for a union write the bare @handler"):
        handler(Inc | Get)  # type: ignore[arg-type]


# --- replies


def test_a_wrong_reply_of_a_def_is_refused() -> None:
    with refused("Bad.get replies str, but Get declares int", "Message[str]"):

        class Bad(Actor):
            @handler
            def get(self, message: Get) -> str:
                return ""


def test_a_wrong_reply_of_an_async_def_is_refused() -> None:
    with refused("Bad.get replies str, but Get declares int"):

        class Bad(Actor):
            @handler
            async def get(self, message: Get) -> str:
                return ""


def test_a_wrong_reply_of_a_program_is_refused() -> None:
    with refused("Bad.get replies str, but Get declares int"):

        class Bad(Actor):
            @handler
            def get(self, message: Get) -> Program[str]:
                return pure("")


def test_a_wrong_reply_of_a_block_is_refused() -> None:
    with refused("Bad.get replies str, but Get declares int"):

        class Bad(Actor):
            @handler
            @program
            def get(self, message: Get) -> Do[str]:
                return (yield from pure(""))


def test_wrong_replies_in_other_spellings_are_refused() -> None:
    with refused("Generic.get replies str"):

        class Generic(Actor):
            @handler
            def get(self, message: Get) -> Answer[str]:
                return pure("")

    with refused("Late.get replies str"):

        class Late(Actor):
            @handler
            def get(self, message: Get) -> Awaitable[str]:
                raise NotImplementedError

    with refused("Aliased.get replies str"):

        class Aliased(Actor):
            @handler
            def get(self, message: Get) -> Text:
                return pure("")

    with refused("Spelt.get replies str"):

        class Spelt(Actor):
            @handler
            @program
            def get(self, message: Get) -> Generator[Any, Any, str]:
                return (yield from pure(""))

    with refused("Some.get replies", "but Get declares int"):

        class Some(Actor):
            @handler
            def get(self, message: Get) -> int | None:
                return None

    with refused("Nothing.get replies None, but Get declares int"):

        class Nothing(Actor):
            @handler
            def get(self, message: Get) -> None:
                return None


def test_a_wrong_reply_of_an_override_is_refused() -> None:
    with refused("Override.get replies str, but Get declares int"):

        class Override(Counter):
            @override
            def get(self, message: Get) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
                return ""


def test_replies_that_fit_are_accepted() -> None:
    class Row(TypedDict):
        id: int

    class Rows(Message[Row]):
        pass

    class Ratio(Message[float]):
        pass

    class Fits(Actor):
        @handler
        def get(self, message: Get) -> bool:
            return True

        @handler
        def name(self, message: Name) -> str:
            return ""

        @handler
        def ratio(self, message: Ratio) -> int:
            return 1

        @handler
        def rows(self, message: Rows) -> dict[str, Any]:
            return {"id": 1}

        @handler
        def inc(self, message: Inc) -> Any:
            return None

        @handler
        def text(self, message: str) -> bytes:
            return b""

    class Unsaid(Actor):
        @handler
        def get(self, message: Get):  # type: ignore[no-untyped-def]  # noqa: ANN202
            return 1

        @handler
        @program
        def name(self, message: Name) -> Do[Any]:
            return (yield from pure(1))

    assert send(Fits(), Get()) is True
    assert send(Unsaid(), Get()) == 1
