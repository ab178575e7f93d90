"""Zero values of types."""

from __future__ import annotations

import collections.abc
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Never,
    NewType,
    Optional,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
    Union,
)
from uuid import UUID

import attrs
import pytest
from pydantic import BaseModel
from typing_extensions import TypeAliasType

from effactor import ActorRef, Program
from effactor_interpreters.dry_run.zeros import NO_ZERO, zero

T = TypeVar("T")
Sku = NewType("Sku", str)
Numbers = TypeAliasType("Numbers", list[int])
Pairs = TypeAliasType("Pairs", tuple[T, T], type_params=(T,))


class Colour(Enum):
    RED = 1
    BLUE = 2


class Empty(Enum):
    """Has no members."""


@dataclass(frozen=True)
class Basket:
    items: list[str] = field(default_factory=list[str])
    total: int = 0


@dataclass(frozen=True)
class Order:
    number: int


@attrs.frozen
class Shelf:
    stock: int = 0


class Model(BaseModel):
    name: str = ""


class Strict(BaseModel):
    name: str


class Point(NamedTuple):
    x: int = 0
    y: int = 0


class Place(NamedTuple):
    x: int


class Loose(TypedDict, total=False):
    name: str


class Tight(TypedDict):
    name: str


class Id(int):
    """A number by another name."""


class Picky(str):
    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        return super().__new__(cls, text)


class Sized(Protocol):
    def __len__(self) -> int: ...


@dataclass
class Exploding:
    number: int = 0

    def __post_init__(self) -> None:
        raise ValueError


ZEROS: list[tuple[Any, Any]] = [
    (None, None),
    (type(None), None),
    (bool, False),
    (int, 0),
    (float, 0.0),
    (str, ""),
    (bytes, b""),
    (list, []),
    (list[int], []),
    (dict[str, int], {}),
    (set[int], set()),
    (frozenset[int], frozenset()),
    (deque[int], deque()),
    (tuple, ()),
    (tuple[()], ()),
    (tuple[int, ...], ()),
    (tuple[int, str], (0, "")),
    (collections.abc.Sequence[int], []),
    (collections.abc.Mapping[str, int], {}),
    (collections.abc.Set[int], set()),
    (Optional[int], None),  # noqa: UP045
    (Order | None, None),
    (int | str, 0),
    (Union[Order, str], ""),  # noqa: UP007
    (Literal["b", "a"], "b"),
    (Colour, Colour.RED),
    (datetime, datetime(2000, 1, 1, tzinfo=UTC)),
    (timedelta, timedelta()),
    (UUID, UUID(int=0)),
    (Decimal, Decimal()),
    (Basket, Basket()),
    (Shelf, Shelf()),
    (Model, Model()),
    (Point, Point(0, 0)),
    (Loose, {}),
    (Id, Id(0)),
    (Sku, ""),
    (Numbers, []),
    (Pairs[int], (0, 0)),
    (Annotated[int, ["unhashable"]], 0),
]


@pytest.mark.parametrize(("annotation", "value"), ZEROS)
def test_a_type_has_a_zero(annotation: Any, value: object) -> None:
    found = zero(annotation)
    assert found == value
    assert type(found) is type(value)


NONE: list[Any] = [
    Any,
    Never,
    object,
    T,
    "Elsewhere",
    Order,
    Strict,
    Place,
    Tight,
    Empty,
    Picky,
    Sized,
    Exploding,
    Exception,
    ActorRef[Any],
    Program[int],
    tuple[int, Order],
    Order | Strict,
    collections.abc.Callable[[], int],
    type[int],
]


@pytest.mark.parametrize("annotation", NONE)
def test_a_type_without_a_zero_has_none(annotation: Any) -> None:
    assert zero(annotation) is NO_ZERO


@pytest.mark.parametrize("annotation", [list[int], dict, set, Basket])
def test_a_zero_that_can_change_is_a_new_one(annotation: Any) -> None:
    assert zero(annotation) is not zero(annotation)
