"""`declared`: the reply and the failures that a class of messages declares."""

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Never, Union

import attrs
import pytest
from pydantic import BaseModel, ValidationError
from typing_extensions import TypeAliasType, TypeVar

from effactor import Message
from effactor.actors.message import Declaration, declared

T = TypeVar("T")
R = TypeVar("R")
E = TypeVar("E", default=Never)
Bound = TypeVar("Bound", bound=ArithmeticError)


class NoStock(Exception):
    pass


class Declined(Exception):
    pass


Refusal = TypeAliasType("Refusal", NoStock | Declined)


@dataclass(frozen=True)
class Get(Message[int]):
    pass


@dataclass(frozen=True)
class Quoted(Message["int", "NoStock | Later"]):
    pass


class Later(Exception):
    pass


def test_a_dataclass_declares() -> None:
    @dataclass(frozen=True, slots=True)
    class Reserve(Message[int, NoStock]):
        sku: str

    assert declared(Get) == Declaration(int, ())
    assert declared(Reserve) == Declaration(int, (NoStock,))
    assert Reserve("tea") == Reserve("tea")
    assert not hasattr(Reserve("tea"), "__dict__")


def test_an_attrs_class_declares() -> None:
    @attrs.frozen
    class Reserve(Message[int, NoStock]):
        sku: str

    assert declared(Reserve) == Declaration(int, (NoStock,))
    assert Reserve("tea") == Reserve("tea")


def test_a_pydantic_model_declares() -> None:
    class Inc(BaseModel, Message[int, NoStock]):
        by: int = 1

    class Wanted(BaseModel, Message[T], Generic[T]):
        of: T

    assert declared(Inc) == Declaration(int, (NoStock,))
    assert Inc(by=2).by == 2
    assert Inc() == Inc(by=1)
    with pytest.raises(ValidationError):
        Inc.model_validate({"by": "many"})
    assert declared(type(Wanted[int](of=1))).failures == ()


def test_other_classes_declare_any_reply_and_no_failure() -> None:
    class Point(NamedTuple):
        x: int

    class Plain:
        pass

    for kind in (Point, Plain, str, int, type(None), object):
        assert declared(kind) == Declaration(Any, ())


def test_none_is_a_reply() -> None:
    class Inc(Message[None]):
        pass

    assert declared(Inc) == Declaration(type(None), ())


def test_unions_and_aliases_of_failures_are_listed() -> None:
    class New(Message[int, NoStock | Declined]):
        pass

    class Old(Message[int, Union[NoStock, Declined]]):  # noqa: UP007 - the old spelling too
        pass

    class Aliased(Message[int, Refusal | KeyError]):
        pass

    class Optional(Message[int, NoStock | None]):
        pass

    assert declared(New).failures == (NoStock, Declined)
    assert declared(Old).failures == (NoStock, Declined)
    assert declared(Aliased).failures == (NoStock, Declined, KeyError)
    assert declared(Optional).failures == (NoStock, type(None))


def test_failures_can_be_given_to_isinstance_whatever_is_declared() -> None:
    class Anything(Message[int, Any]):
        pass

    class Nothing(Message[int, Never]):
        pass

    class Listed(Message[int, list[int]]):
        pass

    assert isinstance(KeyError(), declared(Anything).failures)
    assert not isinstance(KeyError(), declared(Nothing).failures)
    assert isinstance([1], declared(Listed).failures)


def test_a_subclass_declares_what_its_base_does() -> None:
    class Urgent(Get):
        pass

    assert declared(Urgent) == declared(Get)


def test_a_generic_message_declares_its_type_variable() -> None:
    class Fetch(Message[T], Generic[T]):
        pass

    assert declared(Fetch) == Declaration(T, ())


def test_arguments_of_a_generic_base_are_filled_in() -> None:
    class Call(Message[list[R], E | KeyError], Generic[R, E]):
        pass

    class Order(Call[int, NoStock]):
        pass

    class Swapped(Call[T, Declined], Generic[T]):
        pass

    class Last(Swapped[str]):
        pass

    assert declared(Order) == Declaration(list[int], (NoStock, KeyError))
    assert declared(Last) == Declaration(list[str], (Declined, KeyError))
    assert declared(Call).failures == (KeyError,)


def test_a_type_variable_of_failures_stands_for_its_bound() -> None:
    class Compute(Message[int, Bound], Generic[Bound]):
        pass

    assert declared(Compute).failures == (ArithmeticError,)


def test_text_is_evaluated_in_the_module_of_the_message() -> None:
    assert declared(Quoted) == Declaration(int, (NoStock, Later))


def test_a_failure_written_as_text_that_names_nothing_is_refused() -> None:
    class Local(Message[int, "Nowhere"]):  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]
        pass

    with pytest.raises(TypeError, match=r"cannot evaluate the failure 'Nowhere'.*without quotes"):
        declared(Local)


def test_the_markers_for_type_checkers_are_not_for_calling() -> None:
    with pytest.raises(NotImplementedError):
        Get().__message__()
    with pytest.raises(NotImplementedError):
        Get().__reply__(1)
