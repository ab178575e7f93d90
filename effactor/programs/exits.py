"""How a program can end, as a union that `match` checks for completeness.

ZIO's `Exit` and Effect's `Exit` are the models: success, failure, defect and
interrupt are four different things, and only the second is in the type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeAliasType, TypeVar

A = TypeVar("A")
E = TypeVar("E")
A_co = TypeVar("A_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


# Not slots: in Python 3.11 `Succeeded[int](...)` fails for frozen generics with slots.
@dataclass(frozen=True)
class Succeeded(Generic[A_co]):
    """The program answered.

    Attributes:
        value: The answer.
    """

    value: A_co


# Not slots: in Python 3.11 `FailedWith[int](...)` fails for frozen generics with slots.
@dataclass(frozen=True)
class FailedWith(Generic[E_co]):
    """The program failed with an error that its type declares.

    Attributes:
        error: The failure, an exception or any other value.
    """

    error: E_co


@dataclass(frozen=True, slots=True)
class Died:
    """The program met a defect: an exception that nobody declared.

    Attributes:
        defect: The exception, with its traceback.
    """

    defect: BaseException


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The program was interrupted before it ended; its finalisers have run."""


Exit = TypeAliasType("Exit", Succeeded[A] | FailedWith[E] | Died | Interrupted, type_params=(A, E))
