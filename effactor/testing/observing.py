"""What can be seen of a program: how it ends, what it did in order, what it has left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from effactor import Died, Exit, FailedWith, Interrupted, Succeeded
from effactor.programs.structure import a_program
from effactor.testing.comparing import comparable
from effactor.testing.effects import Add, Ledger, Take

if TYPE_CHECKING:
    from effactor import Interpreter, Program


@dataclass(frozen=True, eq=False)
class Observation:
    """What a run of a program showed.

    Two are equal if the exits are (exceptions by class and arguments, everything else by
    `==`), and each account has seen equal effects in equal order, and has an equal
    balance. The order between accounts does not count: it is that of programs at once.

    Attributes:
        exit: How the program ended.
        trace: The effects `Add` and `Take`, in order.
        balances: What is left on each account.
    """

    exit: Exit[Any, Any]
    trace: tuple[Add | Take, ...]
    balances: dict[tuple[int, ...], int]

    def _key(self) -> Any:
        seen: dict[tuple[int, ...], list[Any]] = {}
        for effect in self.trace:
            seen.setdefault(effect.account, []).append(comparable(effect))
        return comparable(self.exit), seen, self.balances

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Observation):
            return NotImplemented
        return bool(self._key() == other._key())

    @override
    def __hash__(self) -> int:
        return hash((type(self.exit), len(self.trace)))

    @override
    def __str__(self) -> str:
        did = "".join(f"\n    {effect}" for effect in self.trace) or " nothing"
        left = ", ".join(str(balance) for balance in self.balances.values()) or "nothing"
        return f"{self.exit}\n  did{did}\n  left {left}"


def interpreted(interpreter: Interpreter, program: Program[Any, Any]) -> Exit[Any, Any]:
    """Run a program, and make sure that what comes back is an exit.

    Args:
        interpreter: The interpreter.
        program: The program; nothing in it is left unhandled.

    Returns:
        How it ended.

    Raises:
        TypeError: If the interpreter returns something else.
    """
    outcome = interpreter(program)
    if isinstance(outcome, Succeeded | FailedWith | Died | Interrupted):  # pyright: ignore[reportUnnecessaryIsInstance]
        return outcome
    msg = (
        "program_laws: interpreter must return an Exit (Succeeded, FailedWith, Died or "
        f"Interrupted), got {outcome!r}"
    )
    raise TypeError(msg)


def observe(program: Program[Any, Any, Any], interpreter: Interpreter) -> Observation:
    """Run a program on an empty ledger, and see what it does.

    Args:
        program: The program, a generated one say; of effects it may perform `Add` and
            `Take`.
        interpreter: Runs it.

    Returns:
        What was to be seen.

    Raises:
        TypeError: If *program* is no program, or the interpreter returns no exit.
    """
    ledger = Ledger()
    handled = ledger.handling(a_program("observe", "program", program))
    outcome = interpreted(interpreter, handled)
    return Observation(outcome, tuple(ledger.entries), dict(ledger.balances))


def assert_equivalent(
    left: Program[Any, Any, Any], right: Program[Any, Any, Any], interpreter: Interpreter
) -> None:
    """Assert that two programs do the same: that no run can tell them apart.

    Args:
        left: A program; of effects it may perform `Add` and `Take`.
        right: Another.
        interpreter: Runs each of them once, on an empty ledger. If they act on actors,
            say, it must let every run begin with new ones.

    Raises:
        AssertionError: If they differ; it shows both programs, and what each did.
        TypeError: If one is no program, or the interpreter returns no exit.
    """
    one, other = observe(left, interpreter), observe(right, interpreter)
    if one != other:
        raise AssertionError(difference("these programs differ", left, one, right, other))


def difference(what: str, left: object, one: object, right: object, other: object) -> str:
    """Word the difference of two programs, for the error.

    Args:
        what: What was expected of them.
        left: A program, or in words what was done.
        one: What was seen of it.
        right: The other one.
        other: What was seen of that.

    Returns:
        Several lines.
    """
    return f"{what}:\n\n{left}\n  gave {one}\n\n{right}\n  gave {other}"
