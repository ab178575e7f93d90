"""Annotations written as text: of a module, of a function's own classes, and out of reach."""

# Classes whose creation is refused are never used.
# pyright: reportUnusedClass=false

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import Actor, Do, Message, Program, handler, program, pure

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True)
class Name(Message[str]):
    pass


def send(actor: Actor, message: object) -> Any:
    behavior = type(actor).__effactor_behavior__
    assert behavior.resolve(type(message))
    return behavior.every[type(message)](actor, message)


def refused(*parts: str) -> Any:
    return pytest.raises(TypeError, match=".*".join(re.escape(part) for part in parts))


class Module(Actor[Get | Name]):
    @handler
    def get(self, message: Get) -> int:
        return 1

    @handler
    async def name(self, message: Name) -> str:
        return ""


def test_names_of_the_module_are_found() -> None:
    assert send(Module(), Get()) == 1
    assert set(Module.__effactor_behavior__.coroutine) == {Name}


def test_names_of_the_function_are_found_beside_names_of_the_module() -> None:
    @dataclass(frozen=True)
    class Local(Message[str]):
        pass

    class Mixed(Actor[Local | Get]):
        @handler
        def both(self, message: Local | Get) -> Any:
            return "both"

    assert send(Mixed(), Local()) == send(Mixed(), Get()) == "both"


def test_names_of_two_enclosing_functions_are_found() -> None:
    class Outer:
        pass

    def inside() -> Actor:
        class Inner:
            pass

        class Nested(Actor):
            @handler
            def any_of(self, message: Inner | Outer) -> str:
                return "nested"

            def inner(self) -> object:
                return Inner()

        assert send(Nested(), Inner()) == "nested"
        return Nested()

    assert send(inside(), Outer()) == "nested"


def test_a_name_of_the_function_hides_one_of_the_module() -> None:
    @dataclass(frozen=True)
    class Get(Message[str]):
        pass

    class Hides(Actor[Get]):
        @handler
        def get(self, message: Get) -> str:
            return "local"

    assert send(Hides(), Get()) == "local"


def test_a_name_of_a_caller_does_not_hide_one_of_the_module() -> None:
    def caller(Get: object) -> type[Actor]:  # noqa: N803 - the name is the point
        assert Get is None
        return make_actor()

    assert send(caller(None)(), GET) == 1


def make_actor() -> type[Actor]:
    class Made(Actor[Get]):
        @handler
        def get(self, message: Get) -> int:
            return 1

    return Made


GET = Get()


def local_base() -> tuple[type[Actor], object]:
    class Gone(Message[int]):
        pass

    class Base(Actor[Gone]):
        @handler
        def gone(self, message: Gone) -> int:
            return 1

    return Base, Gone()


def test_a_subclass_needs_no_names_that_its_base_had() -> None:
    base, message = local_base()

    class Sub(base):  # type: ignore[valid-type, misc]
        pass

    assert send(Sub(), message) == 1


def test_a_message_class_nested_in_the_actor_is_found() -> None:
    class Nest(Actor):
        class Egg(Message[int]):
            pass

        @handler
        def egg(self, message: Egg) -> int:
            return 1

    assert send(Nest(), Nest.Egg()) == 1


def test_a_name_known_only_to_type_checkers_is_refused_with_the_way_out() -> None:
    with refused(
        "Far.amount",
        "cannot evaluate the annotation 'Decimal' (name 'Decimal' is not defined)",
        "import the name at run time, not only under TYPE_CHECKING",
        "@handler(MessageType)",
    ):

        class Far(Actor):
            @handler
            def amount(self, message: Decimal) -> int:
                return 1


def test_a_named_message_needs_no_annotation_that_can_be_evaluated() -> None:
    class Near(Actor[str]):
        @handler(str)
        def price(self, message: Decimal | str) -> Decimal:
            raise NotImplementedError

    assert str in Near.__effactor_behavior__.plain


def test_a_return_annotation_known_only_to_type_checkers_is_left_to_them() -> None:
    class Left(Actor):
        @handler
        def get(self, message: Get) -> Decimal:
            raise NotImplementedError

    assert Get in Left.__effactor_behavior__.plain


def test_messages_of_an_actor_written_as_text_are_evaluated() -> None:
    with refused("Quoted declares Name but has no handler for it"):

        class Quoted(Actor["Get | Name"]):
            @handler
            def get(self, message: Get) -> int:
                return 1

    with refused("Unknown: cannot evaluate Actor['Decimal']", "define the messages before"):

        class Unknown(Actor["Decimal"]):
            pass


def test_wrong_replies_are_refused() -> None:
    with refused("Plain.get replies str, but Get declares int"):

        class Plain(Actor):
            @handler
            def get(self, message: Get) -> str:
                return ""

    with refused("Coroutine.get replies str, but Get declares int"):

        class Coroutine(Actor):
            @handler
            async def get(self, message: Get) -> str:
                return ""

    with refused("Returns.get replies str, but Get declares int"):

        class Returns(Actor):
            @handler
            def get(self, message: Get) -> Program[str]:
                return pure("")

    with refused("Block.get replies str, but Get declares int"):

        class Block(Actor):
            @handler
            @program
            def get(self, message: Get) -> Do[str]:
                return (yield from pure(""))

    with refused("Override.get replies str, but Get declares int"):

        class Override(Module):
            @override
            def get(self, message: Get) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
                return ""
