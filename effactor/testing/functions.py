"""The functions in generated programs: values, so that programs with them are.

Each keeps what it was given visible: in its answer, its failure, its defect or its
effect. So a wrong argument, or a call too many, shows in what the program does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Never, TypeAlias

from typing_extensions import override

from effactor import Died, Exit, FailedWith, Interrupted, Program, Succeeded, fail, perform, pure
from effactor.testing.effects import Add, Broken, Take, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor import Fiber

AnyProgram: TypeAlias = Program[Any, Any, Any]


@dataclass(frozen=True)
class Tags:
    """A function to values: `f(x)` is `("f", x)`."""

    tag: str

    # `Any`, so that it may answer effects of every type.
    def __call__(self, given: Any) -> Any:
        """Tag it."""
        return self.tag, given

    @override
    def __repr__(self) -> str:
        return self.tag


@dataclass(frozen=True)
class Raises:
    """A function that raises: a defect."""

    tag: str

    def __call__(self, given: Any) -> Never:
        """Raise."""
        raise Broken(self.tag, given)


@dataclass(frozen=True)
class Answers:
    """A step of a program that answers at once, with what it was given."""

    tag: str

    def __call__(self, given: Any) -> AnyProgram:
        """Make the program."""
        return pure((self.tag, given))


@dataclass(frozen=True)
class Fails:
    """A step that fails at once: with an exception, or with something else."""

    tag: str
    exception: bool = False

    def __call__(self, given: Any) -> AnyProgram:
        """Make the program."""
        return fail(Wrong(self.tag, given) if self.exception else (self.tag, given))


@dataclass(frozen=True)
class Adds:
    """A step that performs `Add`."""

    n: int

    def __call__(self, given: Any) -> AnyProgram:
        """Make the program."""
        return perform(Add(self.n, given))


@dataclass(frozen=True)
class Takes:
    """A step that performs `Take`."""

    n: int

    def __call__(self, given: Any) -> AnyProgram:
        """Make the program."""
        return perform(Take(self.n, given))


@dataclass(frozen=True)
class Runs:
    """A step that runs a program, and answers and fails with what it was given, too."""

    program: AnyProgram

    def __call__(self, given: Any) -> AnyProgram:
        """Make the program."""
        return self.program.map(With(given)).alt(With(given))


@dataclass(frozen=True)
class With:
    """The function that makes pairs: `f(x)` is `(given, x)`."""

    given: Any

    def __call__(self, value: Any) -> tuple[Any, Any]:
        """Make the pair."""
        return self.given, value


@dataclass(frozen=True)
class Closes:
    """A step that runs another one and cannot fail or die: a finaliser."""

    step: Callable[[Any], AnyProgram]

    def __call__(self, given: Any) -> AnyProgram:
        """Make the program."""
        return pure(given).bind(self.step).exit()


@dataclass(frozen=True)
class Changes:
    """A handler of effects that answers by an effect of its own."""

    n: int

    def __call__(self, effect: Add | Take) -> AnyProgram:
        """Perform it, further out."""
        return perform(Add(effect.n + self.n, ("instead of", effect), effect.account))


def as_it_ended(outcome: Exit[Any, Any]) -> AnyProgram:
    """Make a program that ends as another one did.

    Args:
        outcome: Its exit.

    Returns:
        The program: `p.exit().bind(as_it_ended)` does what `p` does.
    """
    match outcome:
        case Succeeded(value):
            return pure(value)
        case FailedWith(error):
            return fail(error)
        case Died(defect):
            return pure(defect).map(_raise)
        case Interrupted():
            # An interrupt goes past `exit`, so nobody ever sees this one.
            msg = "an interrupted program answered its own exit"
            raise AssertionError(msg)


def _raise(defect: BaseException) -> Never:
    raise defect


def joined(fiber: Fiber[Any, Any]) -> AnyProgram:
    """Join a fork.

    Args:
        fiber: The fork.

    Returns:
        A program that ends as it does.
    """
    return fiber.join()
