"""Programs drawn at random, that really do something.

One draw of bytes makes a whole program, as a recipe: each byte chooses a node, or a part
of it. Drawing node by node with Hypothesis' own combinators costs ten times as much, and
the laws draw a great many programs. Zeros make the simplest programs, so Hypothesis
shrinks them well.

How a drawn program ends does not depend on how an interpreter lets branches take turns:
what runs at once acts on accounts of its own, and who wins a race is certain. A program
ends within an hour of its interpreter's time, and leaves no fork behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hypothesis import strategies as st

from effactor import (
    acquire_release,
    bracket,
    catch,
    fail,
    free_sleep,
    gather,
    handle,
    never,
    on,
    perform,
    pure,
    race,
    scoped,
    traverse,
    zip_,
)
from effactor.testing.blocks import binding, catching, finishing, in_turn, recovering
from effactor.testing.effects import Add, Broken, Elsewhere, Take, Wrong, elsewhere
from effactor.testing.functions import (
    Adds,
    Answers,
    AnyProgram,
    Changes,
    Closes,
    Fails,
    Raises,
    Runs,
    Tags,
    Takes,
    joined,
)
from effactor.testing.waiting import HOUR, later, stuck

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effactor import Program

Make: TypeAlias = "Callable[[Recipe], AnyProgram]"

_DEPTH: Final = 7  # of nodes in each other: `retry` may double the work at each
_FEWEST: Final = 16  # choices: Hypothesis draws twice as many on average
_MOST: Final = 64
_TAGS: Final = ("f", "g", "h")


class Recipe:
    """Reads choices from bytes, and zeros when they are used up."""

    def __init__(
        self, choices: bytes, leaves: Sequence[AnyProgram], *, prompt: bool, waits: bool
    ) -> None:
        """Keep what there is to choose from.

        Args:
            choices: The bytes.
            leaves: The user's own programs; none of them runs beside another.
            prompt: Whether the program must never wait.
            waits: Whether it may sleep.
        """
        self._choices = iter(choices)
        self._depth = 0
        self.leaves: Sequence[AnyProgram] = leaves
        self.prompt: bool = prompt
        self.waits: bool = waits

    def below(self, n: int) -> int:
        """Choose a number below *n*."""
        return next(self._choices, 0) % n

    def number(self) -> int:
        """Choose a number."""
        return self.below(4)

    def tag(self) -> str:
        """Choose the name of a function."""
        return _TAGS[self.below(3)]

    def function(self) -> Callable[[Any], Any]:
        """Choose a function to values; one in eight raises."""
        return Raises(self.tag()) if self.below(8) == 1 else Tags(self.tag())

    def program(self) -> AnyProgram:
        """Make a program."""
        # Nodes have three parts in two, on average: so it takes leaves for programs to end.
        leaves = _LEAVES_IN_EIGHT if self._depth else 1
        if self._depth >= _DEPTH or self.below(8) < leaves:
            return self.leaf()
        self._depth += 1
        table = PROMPT if self.prompt else ANY
        made = table[self.below(len(table))](self)
        self._depth -= 1
        return made

    def leaf(self) -> AnyProgram:
        """Make a program without parts."""
        if self.leaves and self.below(2):
            return self.leaves[self.below(len(self.leaves))]
        return LEAVES[self.below(len(LEAVES))](self)

    def step(self) -> Callable[[Any], AnyProgram]:
        """Make a function to a program."""
        return STEPS[self.below(len(STEPS))](self)

    def handler(self) -> Callable[[Any], Any]:
        """Make a handler of effects."""
        return HANDLERS[self.below(len(HANDLERS))](self)

    def beside(self) -> AnyProgram:
        """Make a program to run at the same time as another, on an account of its own."""
        leaves, self.leaves = self.leaves, ()
        made = elsewhere(1, self.program())
        self.leaves = leaves
        return made

    def prompt_program(self) -> AnyProgram:
        """Make a program that never waits."""
        prompt, self.prompt = self.prompt, True
        leaves, self.leaves = self.leaves, ()
        made = self.program()
        self.prompt, self.leaves = prompt, leaves
        return made


_LEAVES_IN_EIGHT: Final = 3


def _sleeping(recipe: Recipe) -> AnyProgram:
    if recipe.prompt:
        return pure(recipe.number())
    if not recipe.waits:
        return later(pure(recipe.number()))
    return free_sleep(recipe.below(2)).then(pure(recipe.number()))


LEAVES: Final[tuple[Make, ...]] = (
    lambda r: pure(r.number()),
    lambda r: perform(Add(r.number())),
    lambda r: perform(Take(r.number())),
    lambda r: fail(r.number()),
    lambda r: fail(Wrong(r.number())),
    lambda r: pure(r.number()).map(Raises(r.tag())),
    _sleeping,
    lambda r: perform(Add(r.number())),
    lambda r: perform(Take(r.number())),
)
"""Programs without parts, the simplest first."""

STEPS: Final[tuple[Callable[[Recipe], Callable[[Any], AnyProgram]], ...]] = (
    lambda r: Answers(r.tag()),
    lambda r: Adds(r.number()),
    lambda r: Takes(r.number()),
    lambda r: Fails(r.tag()),
    lambda r: Fails(r.tag(), exception=True),
    lambda r: Raises(r.tag()),
    lambda r: Runs(r.program()),
    lambda r: Runs(r.program()),
)
"""Functions to programs."""

HANDLERS: Final[tuple[Callable[[Recipe], Callable[[Any], Any]], ...]] = (
    lambda r: Tags(r.tag()),
    lambda _: perform,
    lambda r: Changes(r.number()),
    lambda r: Fails(r.tag()),
    lambda r: Raises(r.tag()),
    lambda r: Elsewhere(2 + r.below(2)),
)
"""Functions that answer effects."""


def _finaliser(recipe: Recipe) -> AnyProgram:
    return recipe.program().exit()


PROMPT: Final[tuple[Make, ...]] = (
    lambda r: r.program().map(r.function()),
    lambda r: r.program().bind(r.step()),
    lambda r: r.program().then(r.program()),
    lambda r: r.program().tap(r.step()),
    lambda r: r.program().alt(r.function()),
    lambda r: r.program().lash(r.step()),
    lambda r: r.program().or_else(r.program()),
    lambda r: catch(Wrong)(r.step())(r.program()),
    lambda r: r.program().attempt(),
    lambda r: r.program().exit(),
    lambda r: r.program().refine(Broken),
    lambda r: r.program().swap(),
    lambda r: r.program().named(r.tag()),
    lambda r: r.program().ensure(_finaliser(r)),
    lambda r: r.program().retry(1),
    lambda r: r.program().repeat(1),
    lambda r: binding(r.program(), r.step()),
    lambda r: in_turn(parts=(r.program(), r.program())),
    lambda r: recovering(r.program(), r.step()),
    lambda r: catching(r.program(), r.step()),
    lambda r: finishing(r.program(), _finaliser(r)),
    lambda r: handle(Add)(r.handler())(r.program()),
    lambda r: handle(on(Take)(r.handler()), on(Add)(r.handler()))(r.program()),
    lambda r: r.program().uninterruptible(),
    lambda r: r.program().on_interrupt(_finaliser(r)),
)
"""Nodes that do not wait."""

ANY: Final[tuple[Make, ...]] = (
    *PROMPT,
    lambda r: later(r.program()),
    lambda r: gather([r.program()]),
    lambda r: gather([elsewhere(0, r.program()), r.beside()], mode="collect"),
    lambda r: zip_(r.program(), pure(r.number())),
    lambda r: traverse((r.number(), r.number()), r.step(), concurrency=1),
    lambda r: race(r.program(), never()),
    lambda r: race(stuck(r.prompt_program(), r.program()), r.program()),
    lambda r: r.program().timeout(HOUR),
    lambda r: r.program().deadline(HOUR),
    lambda r: scoped(r.program()),
    lambda r: bracket(r.program(), r.step(), Closes(r.step())),
    lambda r: scoped(acquire_release(r.program(), Closes(r.step())).bind(r.step())),
    lambda r: r.program().fork().bind(joined),
)
"""All nodes."""


_CHOICES: Final = st.binary(min_size=_FEWEST, max_size=_MOST)


# Composite, not mapped: of those Hypothesis shows how they were made, not what they are.
@st.composite
def _made(
    draw: st.DrawFn,
    make: Callable[[Recipe], Any],
    leaves: st.SearchStrategy[list[AnyProgram]] | None = None,
    *,
    prompt: bool = False,
    waits: bool = False,
) -> Any:
    own = () if leaves is None else draw(leaves)
    return make(Recipe(draw(_CHOICES), own, prompt=prompt, waits=waits))


def _several(
    operations: st.SearchStrategy[AnyProgram] | None,
) -> st.SearchStrategy[list[AnyProgram]] | None:
    return None if operations is None else st.lists(operations, min_size=1, max_size=3)


def programs(
    *,
    operations: st.SearchStrategy[Program[Any, Any, Any]] | None = None,
    prompt: bool = False,
    waits: bool = True,
) -> st.SearchStrategy[Program[Any, Any, Any]]:
    """Draw programs: of all combinators, over effects that any interpreter can run.

    The effects are `Add` and `Take`, which a `Ledger` handles: run the programs with
    `observe`, or compare two with `assert_equivalent`. They answer and fail with values
    of many types, and may die.

    Args:
        operations: A strategy of your own programs, over actors say, to be leaves of the
            programs. They must end within an hour of the interpreter's time, by themselves.
        prompt: Whether the programs must never wait: no sleeps, branches or forks, and
            `operations` that answer at once.
        waits: Whether the interpreter can perform `free_sleep`.

    Returns:
        The strategy.
    """
    return _made(Recipe.program, _several(operations), prompt=prompt, waits=waits)


def steps(
    *, operations: st.SearchStrategy[Any] | None = None, waits: bool = True
) -> st.SearchStrategy[Callable[[Any], AnyProgram]]:
    """Draw functions from any value to a program.

    Args:
        operations: As in `programs`.
        waits: As in `programs`.

    Returns:
        The strategy.
    """
    return _made(Recipe.step, _several(operations), waits=waits)


def functions() -> st.SearchStrategy[Callable[[Any], Any]]:
    """Draw functions from any value to a value; some raise.

    Returns:
        The strategy.
    """
    return _made(Recipe.function)


def handlers() -> st.SearchStrategy[Callable[[Any], Any]]:
    """Draw handlers of `Add` or `Take`: their own effects are performed further out.

    Returns:
        The strategy.
    """
    return _made(Recipe.handler)
