"""A law: two programs that every interpreter must not tell apart, whatever is in them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from effactor.testing.effects import Wrong
from effactor.testing.generating import functions, handlers, programs, steps
from effactor.testing.observing import assert_equivalent, interpreted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from effactor import Exit, Interpreter
    from effactor.testing.functions import AnyProgram

    Strategies: TypeAlias = Mapping[str, st.SearchStrategy[Any]]

NAMES: Final = {
    "p": "a program; q and r are others",
    "u": "a program without the user's operations; v is another",
    "s": "a program that never waits, nor has the user's operations; t is another",
    "k": "a function to a program; j is another",
    "f": "a function to a value, which may raise; g is another",
    "h": "a handler of effects; i is another",
    "a": "a value; b is another",
    "e": "a failure",
    "n": "a small number; m is another",
    "us": "a few programs like u",
    "ns": "a few small numbers",
}
"""What the letters in statements of laws stand for."""


def strategies(
    operations: st.SearchStrategy[Any] | None, *, waits: bool
) -> dict[str, st.SearchStrategy[Any]]:
    """Make the strategies for what laws name.

    Args:
        operations: The user's own programs.
        waits: Whether the interpreter can perform `free_sleep`.

    Returns:
        A strategy for each name in `NAMES`, and for the others like it.
    """
    any_program = programs(operations=operations, waits=waits)
    own = programs(waits=waits)
    prompt = programs(prompt=True)
    step = steps(operations=operations, waits=waits)
    small = st.integers(0, 3)
    failure = small | small.map(Wrong)
    return {
        **dict.fromkeys("pqr", any_program),
        **dict.fromkeys("uv", own),
        **dict.fromkeys("st", prompt),
        **dict.fromkeys("kj", step),
        **dict.fromkeys("fg", functions()),
        **dict.fromkeys("hi", handlers()),
        **dict.fromkeys("ab", small),
        "e": failure,
        **dict.fromkeys("nm", small),
        "us": st.lists(own, max_size=3),
        "ns": st.lists(small, max_size=4),
    }


class Same:
    """Compares programs for a law: `same(p, q)` asserts that they do the same.

    Attributes:
        interpreter: Runs them.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        """Keep the interpreter."""
        self.interpreter: Interpreter = interpreter

    def __call__(self, left: AnyProgram, right: AnyProgram) -> None:
        """Assert that two programs do the same."""
        assert_equivalent(left, right, self.interpreter)

    def run(self, program: AnyProgram) -> Exit[Any, Any]:
        """Run a program whose effects are all handled."""
        return interpreted(self.interpreter, program)

    @override
    def __repr__(self) -> str:
        return "same"


@dataclass(frozen=True)
class Statement:
    """A law before it is about an interpreter. The decorator `law` makes one.

    Attributes:
        group: What it is about, such as `monad`.
        name: A sentence.
        text: The law in symbols.
        check: Called with a `Same` and a value for each name.
        needs: The names.
        needs_time: Whether only interpreters that can wait must keep to it.
    """

    group: str
    name: str
    text: str
    check: Callable[..., None]
    needs: tuple[str, ...]
    needs_time: bool


def law(
    group: str, text: str, *, needs_time: bool = False
) -> Callable[[Callable[..., None]], Statement]:
    """Make a law of a function: its name is the law's, its parameters are drawn.

    Args:
        group: What it is about.
        text: The law in symbols, with the names of the parameters.
        needs_time: Whether it sleeps.

    Returns:
        The decorator.
    """

    def state(check: Callable[..., None]) -> Statement:
        _, *needs = inspect.signature(check).parameters
        name = check.__name__.replace("_", " ")
        return Statement(group, name, text, check, tuple(needs), needs_time)

    return state


# Of how fast programs are drawn: a user cannot change that.
_SUPPRESSED: Final = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
)


@dataclass(frozen=True)
class Law:
    """A law of programs, to be called to check that an interpreter keeps to it.

    Attributes:
        group: What it is about: `functor`, `monad`, `applicative`, `errors`, `schedules`,
            `resources`, `concurrency`, `handlers`, `interpreter` or `values`.
        name: The law as a sentence.
        statement: The law in symbols: `p ~ q` says that no run can tell p from q.
    """

    group: str
    name: str
    statement: str
    _check: Callable[..., None] = field(repr=False)
    _drawn: Strategies = field(repr=False, compare=False)
    _interpreter: Interpreter = field(repr=False)

    def __call__(self, examples: int = 100) -> None:
        """Check the law with programs drawn at random.

        Args:
            examples: How many times, at least 1. A law without anything to draw is
                checked once.

        Raises:
            AssertionError: If it does not hold. It shows the simplest programs for which
                it does not that Hypothesis has found, and what each of them did.
            TypeError: If the interpreter returns no exit.
            ValueError: If *examples* is less than 1.
        """
        if examples < 1:
            msg = f"law: examples must be at least 1, got {examples!r}"
            raise ValueError(msg)
        same = Same(self._interpreter)
        try:
            if self._drawn:
                configured = settings(
                    max_examples=examples,
                    deadline=None,
                    # No explanation: it would be about lines of the interpreter.
                    phases=[phase for phase in settings().phases if phase is not Phase.explain],
                    suppress_health_check=_SUPPRESSED,
                )
                configured(given(**self._drawn)(self._check))(same)
            else:
                self._check(same)
        except Exception as error:
            error.add_note(f"the law: {self.statement}\n({self})")
            raise

    @override
    def __str__(self) -> str:
        return f"{self.group}: {self.name}"


def about(statement: Statement, drawn: Strategies, interpreter: Interpreter) -> Law:
    """Make a statement a law for one interpreter.

    Args:
        statement: The statement.
        drawn: A strategy for each name.
        interpreter: The interpreter.

    Returns:
        The law.
    """
    needed = {name: drawn[name] for name in statement.needs}
    return Law(
        statement.group, statement.name, statement.text, statement.check, needed, interpreter
    )
