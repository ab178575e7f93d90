"""Guards, priorities and streams in the dispatch table, and what is refused."""

# Classes whose creation is refused are never used.
# pyright: reportUnusedClass=false

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, NewType

import pytest
from typing_extensions import TypeAliasType, override

from effactor import Actor, Message, Priority, Program, handler, pure
from effactor.actors.dispatch import NoGuardHolds


@dataclass(frozen=True)
class Deposit(Message[str]):
    amount: int


@dataclass(frozen=True)
class Gift(Deposit):
    pass


@dataclass(frozen=True)
class Cancel(Message[None]):
    pass


@dataclass(frozen=True)
class Items(Message[list[int]]):
    n: int = 3


def send(actor: Actor, message: object) -> Any:
    """Handle a message as the runtime does, by the exact type, then by the MRO."""
    behavior = type(actor).__effactor_behavior__
    kind = type(message)
    if kind not in behavior.every and not behavior.resolve(kind):
        return "unhandled"
    try:
        return behavior.every[kind](actor, message)
    except NoGuardHolds:
        return "unhandled"


def refused(*parts: str) -> Any:
    """Expect a refusal with a sentence that has all *parts*."""
    return pytest.raises(TypeError, match=".*".join(re.escape(part) for part in parts))


class Bank(Actor[Deposit]):
    limit = 100

    @handler
    def any_amount(self, message: Deposit) -> str:
        return "any"

    @handler(when=lambda self, message: message.amount > self.limit)
    def much(self, message: Deposit) -> str:
        return "much"

    @handler(Deposit, when=lambda _, message: message.amount > 10)
    def some(self, message: Deposit) -> str:
        return "some"


# --- guards


def test_guards_are_tried_in_order_and_the_handler_without_guard_last() -> None:
    bank = Bank()
    assert [send(bank, Deposit(n)) for n in (1000, 50, 5)] == ["much", "some", "any"]
    bank.limit = 10
    assert send(bank, Deposit(50)) == "much"


def test_a_guarded_type_has_one_plain_entry_and_an_unguarded_one_stays_its_handler() -> None:
    class Mixed(Actor):
        @handler(when=lambda _, message: message.amount > 10)
        async def waits(self, message: Deposit) -> str:
            return "waited"

        @handler(when=lambda _, message: message.amount > 5)
        def program(self, message: Deposit) -> Program[str]:
            return pure("run")

        @handler
        def plain(self, message: Deposit) -> str:
            return "plain"

        @handler
        def cancel(self, message: Cancel) -> None:
            pass

    behavior = Mixed.__effactor_behavior__
    assert set(behavior.plain) == {Deposit, Cancel}
    assert not behavior.coroutine
    assert behavior.plain[Cancel] is Mixed.cancel
    assert behavior.names == ("Deposit", "Cancel")
    assert asyncio.run(send(Mixed(), Deposit(11))) == "waited"
    assert send(Mixed(), Deposit(6)) == pure("run")
    assert send(Mixed(), Deposit(1)) == "plain"


def test_where_no_guard_holds_a_base_class_of_the_message_has_its_turn() -> None:
    class Gifts(Bank):
        @handler(when=lambda _, message: message.amount == 7)
        def seven(self, message: Gift) -> str:
            return "seven"

    assert send(Gifts(), Gift(7)) == "seven"
    assert send(Gifts(), Gift(50)) == "some"
    assert send(Gifts(), Gift(1)) == "any"
    assert send(Gifts(), Deposit(7)) == "any"


def test_where_no_guard_holds_on_receive_has_its_turn_and_then_nobody() -> None:
    class Strict(Actor):
        @handler(when=lambda _, message: message.amount > 10)
        def some(self, message: Deposit) -> str:
            return "some"

    class Rest(Strict):
        @override
        def on_receive(self, message: object) -> object:
            return ("rest", message)

    assert send(Strict(), Deposit(11)) == "some"
    assert send(Strict(), Deposit(1)) == "unhandled"
    assert send(Strict(), Gift(1)) == "unhandled"
    assert send(Rest(), Deposit(11)) == "some"
    assert send(Rest(), Gift(1)) == ("rest", Gift(1))


def test_a_guard_of_a_union_is_asked_about_every_member() -> None:
    class Union(Actor):
        @handler(when=lambda _, message: message in (Cancel(), "x"))
        def these(self, message: Cancel | str) -> Any:
            return "these"

    assert [send(Union(), m) for m in (Cancel(), "x", "y")] == ["these", "these", "unhandled"]


def test_guards_of_a_subclass_come_before_the_handlers_of_its_base() -> None:
    class Vip(Bank):
        @handler(when=lambda _, message: message.amount > 500)
        def vip(self, message: Deposit) -> str:
            return "vip"

    assert [send(Vip(), Deposit(n)) for n in (501, 200, 50, 5)] == ["vip", "much", "some", "any"]


def test_a_handler_of_a_subclass_without_guard_hides_all_of_its_base() -> None:
    class Simple(Bank):
        @handler
        def deposit(self, message: Deposit) -> str:
            return "simple"

    assert send(Simple(), Deposit(1000)) == send(Simple(), Deposit(1)) == "simple"


def test_an_override_without_the_decorator_keeps_the_guard() -> None:
    class Loud(Bank):
        @override
        def much(self, message: Deposit) -> str:
            return "MUCH"

    assert [send(Loud(), Deposit(n)) for n in (1000, 50)] == ["MUCH", "some"]


def test_an_override_with_the_decorator_has_the_guard_that_it_names() -> None:
    class Other(Bank):
        @handler(when=lambda _, message: message.amount == 1)
        @override
        def much(self, message: Deposit) -> str:
            return "one"

    assert [send(Other(), Deposit(n)) for n in (1000, 1)] == ["some", "one"]


def test_what_a_guard_answers_is_taken_for_its_truth() -> None:
    class Truthy(Actor):
        @handler(when=lambda _, message: message.amount)
        def some(self, message: Deposit) -> str:
            return "some"

    assert [send(Truthy(), Deposit(n)) for n in (0, 2)] == ["unhandled", "some"]


def test_a_guard_that_does_not_answer_at_once_raises() -> None:
    async def later() -> bool:
        return True

    answers: list[Any] = [pure(True), later()]

    class Slow(Actor):
        @handler(when=lambda _, __: answers.pop(0))
        def some(self, message: Deposit) -> str:
            return "some"

    for _ in range(2):
        with refused("the guard", "must answer at once"):
            send(Slow(), Deposit(1))


def test_two_handlers_without_guard_are_refused_beside_a_guarded_one() -> None:
    with refused("Twice: one and two both handle Deposit", "only with guards, @handler(when=...)"):

        class Twice(Actor):
            @handler
            def one(self, message: Deposit) -> str:
                return ""

            @handler(when=lambda _, __: True)
            def guarded(self, message: Deposit) -> str:
                return ""

            @handler
            def two(self, message: Deposit) -> str:
                return ""


async def _async_guard(_self: object, _message: object) -> bool:
    return True


def _guard_of_one(_message: object) -> bool:
    return True


NO_GUARDS: list[tuple[Any, tuple[str, ...]]] = [
    (True, ("when must be a function of the actor and the message", "got True")),
    (_guard_of_one, ("_guard_of_one must take the actor and the message", "self, message")),
    (_async_guard, ("_async_guard must be a plain function",)),
]


@pytest.mark.parametrize(("when", "words"), NO_GUARDS)
def test_what_is_no_guard_is_refused(when: Any, words: tuple[str, ...]) -> None:
    with refused("@handler", *words):
        handler(when=when)
    with refused("@handler", *words):
        handler(Deposit, when=when)


def test_a_builtin_may_be_a_guard() -> None:
    class Same(Actor):
        @handler(when=isinstance)
        def never(self, message: type) -> str:
            return "its own class"

    assert send(Same(), type) == "unhandled"
    assert Same.__effactor_behavior__.every[type](Same(), Same) == "its own class"


# --- priorities

Texts = TypeAliasType("Texts", AsyncIterator[str])
Urgent = TypeAliasType("Urgent", Annotated[Cancel, Priority(3)])


def priority(actor: type[Actor], *types: type[Any]) -> list[int]:
    return [actor.__effactor_behavior__.priority_of(t) for t in types]


def test_a_priority_is_read_from_the_annotation_of_the_message() -> None:
    class Desk(Actor):
        @handler
        def cancel(self, message: Annotated[Cancel, Priority(10)]) -> None:
            pass

        @handler(Deposit)
        def deposit(self, message: Annotated[Deposit, "a note", Priority(-1)]) -> str:
            return ""

        @handler
        def text(self, message: Annotated[str | Annotated[bytes, Priority(2)], Priority(1)]) -> Any:
            return ""

    assert priority(Desk, Cancel, Deposit, str, bytes, int) == [10, -1, 1, 2, 0]
    assert send(Desk(), "text") == ""


def test_a_priority_is_given_to_the_decorator() -> None:
    class Desk(Actor):
        @handler(Cancel, priority=10)
        def cancel(self, message: Cancel) -> None:
            pass

        @handler(priority=5)
        def text(self, message: str | bytes) -> Any:
            return ""

        @handler(Deposit)
        def deposit(self, message: "OnlyForTypeCheckers") -> str:  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable, reportUnknownParameterType]
            return ""

    assert priority(Desk, Cancel, str, bytes, Deposit) == [10, 5, 5, 0]


def test_a_priority_stands_in_the_messages_of_the_class() -> None:
    class Desk(Actor[Annotated[Deposit, Priority(4)] | Urgent]):
        @override
        def on_receive(self, message: object) -> None:
            pass

    class Quick(Desk):
        @handler(priority=9)
        def cancel(self, message: Cancel) -> None:
            pass

    assert priority(Desk, Deposit, Gift, Cancel) == [4, 4, 3]
    assert priority(Quick, Deposit, Cancel) == [4, 9]


def test_a_message_has_the_priority_of_its_nearest_base() -> None:
    Gold = NewType("Gold", Gift)

    class Desk(Actor):
        @handler(priority=2)
        def deposit(self, message: Deposit) -> str:
            return ""

        @handler
        def gift(self, message: Gold) -> str:
            return ""

        @handler
        def anything(self, message: Annotated[object, Priority(-5)]) -> object:
            return ""

    assert priority(Desk, Deposit, Gift, int) == [2, 2, -5]
    assert priority(Desk, Gift) == [2]  # remembered


def test_guarded_handlers_share_a_priority() -> None:
    class Desk(Actor):
        @handler(when=lambda _, __: False, priority=2)
        def one(self, message: Deposit) -> str:
            return ""

        @handler
        def two(self, message: Deposit) -> str:
            return ""

    class Quick(Desk):
        @handler(when=lambda _, __: False, priority=3)
        def three(self, message: Deposit) -> str:
            return ""

    assert priority(Desk, Deposit) == [2]
    assert priority(Quick, Deposit) == [3]


def test_two_priorities_of_one_message_are_refused() -> None:
    with refused("one and two state the priorities 2 and 3 of Deposit", "a type has one"):

        class Desk(Actor):
            @handler(when=lambda _, __: False, priority=2)
            def one(self, message: Deposit) -> str:
                return ""

            @handler(priority=3)
            def two(self, message: Deposit) -> str:
                return ""

    with refused("cancel states the priority of Cancel twice, 2 and 3", "leave one of them out"):

        class Both(Actor):
            @handler(priority=2)
            def cancel(self, message: Annotated[Cancel, Priority(3)]) -> None:
                pass


@pytest.mark.parametrize("value", [1.5, "1", True, None])
def test_a_priority_is_an_integer(value: Any) -> None:
    with refused("Priority: value must be an integer, the higher the sooner", repr(value)):
        Priority(value)
    if value is not None:
        with refused("@handler: priority must be an integer", repr(value)):
            handler(priority=value)


# --- streams


class Source(Actor):
    def __init__(self) -> None:
        self.closed = False

    @handler
    async def items(self, message: Items) -> AsyncIterator[int]:
        try:
            for i in range(message.n):
                yield i
        finally:
            self.closed = True


def test_an_async_generator_answers_an_ask_with_the_list_of_its_items() -> None:
    behavior = Source.__effactor_behavior__
    assert set(behavior.coroutine) == set(behavior.generators) == {Items}
    assert behavior.generators[Items] is Source.items
    source = Source()
    assert asyncio.run(send(source, Items())) == [0, 1, 2]
    assert source.closed


def test_a_subclass_of_a_streamed_message_is_streamed() -> None:
    class More(Items):
        pass

    class Rest(Actor):
        @override
        async def on_receive(self, message: Any) -> AsyncIterator[Any]:
            yield message

    assert asyncio.run(send(Source(), More(2))) == [0, 1]
    assert Source.__effactor_behavior__.generators[More] is Source.items
    assert asyncio.run(send(Rest(), "x")) == ["x"]
    assert set(Rest.__effactor_behavior__.generators) == {str}


def test_a_guard_chooses_among_streams_and_others() -> None:
    class Choice(Source):
        @handler(when=lambda _, message: message.n > 5)
        async def many(self, message: Items) -> AsyncGenerator[int, None]:
            yield message.n

        @handler(when=lambda _, message: message.n == 0)
        def none(self, message: Items) -> list[int]:
            return []

    async def streamed(n: int) -> list[int]:
        made = Choice.__effactor_behavior__.generators[Items](Choice(), Items(n))
        return [item async for item in made]

    assert send(Choice(), Items(0)) == []
    assert asyncio.run(send(Choice(), Items(9))) == [9] == asyncio.run(streamed(9))
    assert asyncio.run(send(Choice(), Items(2))) == [0, 1] == asyncio.run(streamed(2))
    with pytest.raises(NoGuardHolds):
        asyncio.run(streamed(0))


def test_a_stream_is_closed_when_its_handler_is_cancelled() -> None:
    closed: list[str] = []

    class Slow(Actor):
        @handler
        async def items(self, message: Items) -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                closed.append("closed")

    async def main() -> None:
        task = asyncio.ensure_future(send(Slow(), Items()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert closed == ["closed"]

    asyncio.run(main())


def test_what_a_stream_raises_is_raised_by_its_handler() -> None:
    class Broken(Actor):
        @handler
        async def items(self, message: Items) -> AsyncIterator[int]:
            yield 1
            raise LookupError(message.n)

    with pytest.raises(LookupError, match="3"):
        asyncio.run(send(Broken(), Items()))


def test_a_wrong_reply_of_a_stream_is_refused() -> None:
    with refused("stream replies list[int], but Deposit declares str", "Message[list[int]]"):

        class Wrong(Actor):
            @handler
            async def stream(self, message: Deposit) -> AsyncGenerator[int, None]:
                yield 1

    with refused("stream replies list[str], but Cancel declares None"):

        class Aliased(Actor):
            @handler
            async def stream(self, message: Cancel) -> Texts:
                yield ""

    with refused("stream replies list, but Cancel declares None"):

        class Bare(Actor):
            @handler
            async def stream(self, message: Cancel) -> AsyncIterator:  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]
                yield ""
