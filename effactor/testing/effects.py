"""The effects of generated programs: a ledger with an account, which any interpreter can run.

Their handlers are ordinary functions, installed with `handle`, so an interpreter needs
no operation of its own to run them. Their answers depend on the state, and one of them
fails, so that a wrong order or a doubled effect shows in the outcome too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar, override

from effactor import Effect, Program, fail, handle, on, perform, pure

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
E = TypeVar("E")


@dataclass(frozen=True)
class Add(Effect[int]):
    """Pay into the account.

    Answers the balance.

    Attributes:
        n: How much.
        given: Anything, to be seen in the trace: what a step of the program was given.
        account: Which account; each has its own trace.
    """

    n: int
    given: Any = None
    account: tuple[int, ...] = ()


@dataclass(frozen=True)
class Take(Effect[int]):
    """Take from the account.

    Answers the balance, and fails with `Wrong` if there is less than that.

    Attributes:
        n: How much.
        given: Anything, to be seen in the trace: what a step of the program was given.
        account: Which account; each has its own trace.
    """

    n: int
    given: Any = None
    account: tuple[int, ...] = ()


class _Value(Exception):
    """An exception that is equal to another with the same arguments."""

    @override
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.args == getattr(other, "args", None)

    @override
    def __hash__(self) -> int:
        return hash((type(self), self.args))


class Wrong(_Value):
    """A failure of generated programs that is an exception; others are no exceptions."""


class Broken(_Value):
    """The defect of generated programs."""


class Ledger:
    """What the effects of one run have done.

    Attributes:
        entries: The effects, in the order they were performed.
        balances: What is on the accounts that were used.
    """

    def __init__(self) -> None:
        self.entries: list[Add | Take] = []
        self.balances: dict[tuple[int, ...], int] = {}

    def handling(self, program: Program[A, E, Any]) -> Program[A, Any]:
        """Install the handlers of `Add` and `Take` around a program.

        Args:
            program: A generated program, say. It must not perform other effects.

        Returns:
            The program; its effects act on this ledger, at each run.
        """
        around: Callable[[Any], Program[A, Any]] = handle(on(Add)(self._add), on(Take)(self._take))
        return around(program)

    def _add(self, effect: Add) -> int:
        self.entries.append(effect)
        balance = self.balances.get(effect.account, 0) + effect.n
        self.balances[effect.account] = balance
        return balance

    def _take(self, effect: Take) -> Program[int, Wrong]:
        self.entries.append(effect)
        balance = self.balances.setdefault(effect.account, 0)
        if balance < effect.n:
            return fail(Wrong(balance))
        self.balances[effect.account] = balance - effect.n
        return pure(balance - effect.n)


@dataclass(frozen=True)
class Elsewhere:
    """The handler that passes effects on, to an account of their own.

    So programs that run at once do not interact, and what one sees does not depend on
    how the interpreter lets them take turns.

    Attributes:
        number: The account's number, below the account that the program believes it has.
    """

    number: int

    def __call__(self, effect: Add | Take) -> Program[int, Any, Any]:
        """Pass it on."""
        return perform(replace(effect, account=(self.number, *effect.account)))


def elsewhere(number: int, program: Program[A, E, Any]) -> Program[A, E, Any]:
    """Let a program act on accounts of its own.

    Args:
        number: Tells it from other programs that run at the same time.
        program: The program.

    Returns:
        A program that does the same on other accounts.
    """
    there = Elsewhere(number)
    around: Callable[[Any], Program[A, E, Any]] = handle(on(Add)(there), on(Take)(there))
    return around(program)
