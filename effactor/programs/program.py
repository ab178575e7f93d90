"""The free monad over operations: a program is a value until an interpreter runs it.

Binding allocates a node on the heap instead of a frame on the stack, so chains of
a million steps need no recursion (Bjarnason, "Stackless Scala with Free Monads",
2012). Operations are nodes themselves, and what must be seen before running
(catch, ensure, handle, named ...) is a node too, never a closure over `bind`.

Nodes are plain classes with slots, not frozen dataclasses: building one costs a
third. They are values all the same; nothing may assign to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never, final, overload

from typing_extensions import TypeVar, override

from effactor.programs import structure
from effactor.programs.joining import Applied, Container, ResultLikeProgram, swapped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from returns.result import Result

    from effactor.errors import Timeout
    from effactor.programs.exits import Exit
    from effactor.programs.forks import Fiber
    from effactor.schedules.schedule import Schedule

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
E2 = TypeVar("E2")
F2 = TypeVar("F2")
A_co = TypeVar("A_co", covariant=True)
E_co = TypeVar("E_co", covariant=True, default=Never)
F_co = TypeVar("F_co", covariant=True, default=Never)
X = TypeVar("X", bound=BaseException)
X2 = TypeVar("X2", bound=BaseException)
X3 = TypeVar("X3", bound=BaseException)


class Step(Generic[E_co, F_co]):
    """What a do-block yields. Opaque: only `Program.__iter__` makes one.

    That is why `yield program` (for `yield from program`) is a type error.
    """

    __slots__ = ()

    def __step__(self) -> tuple[E_co, F_co]:
        """Carry the parameters for the type checker."""
        raise NotImplementedError


class Program(Container, ResultLikeProgram[A_co, E_co, F_co]):
    """A description of work that answers `A`, may fail with `E`, and performs effects `F`.

    Building a program does nothing. Interpreters give it meaning: run it against
    live actors, simulate it, draw it. Running one twice runs it twice; comparing
    two compares their structure.
    """

    __slots__ = ()

    @override
    def map(self, function: Callable[[A_co], B]) -> Program[B, E_co, F_co]:
        """Change the answer.

        Args:
            function: Called with the answer; what it returns is the new answer.

        Returns:
            A new program. Nothing runs.
        """
        return Map(self, function)

    @override
    def bind(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, function: Callable[[A_co], Program[B, E2, F2]]
    ) -> Program[B, E_co | E2, F_co | F2]:
        """Go on with a program that depends on the answer.

        Args:
            function: Called with the answer; returns the program to run next.

        Returns:
            A program that answers what the second one answers.
        """
        return FlatMap(self, function)

    def flatMap(
        self, function: Callable[[A_co], Program[B, E2, F2]]
    ) -> Program[B, E_co | E2, F_co | F2]:
        """Do the same as `bind`."""
        return FlatMap(self, function)

    @override
    def bind_result(self, function: Callable[[A_co], Result[B, E2]]) -> Program[B, E_co | E2, F_co]:
        """Go on with a `Result` of `returns` that depends on the answer.

        Args:
            function: Called with the answer; returns `Success` with the new answer or
                `Failure` with the failure.

        Returns:
            A program that answers or fails as the `Result` says. It dies of a TypeError
            if the function returns something else.

        Raises:
            TypeError: If *function* is no function.
        """
        structure.a_function("bind_result", "function", function, "a Result")
        return FlatMap(self, ResultOf(function))

    def then(self, following: Program[B, E2, F2]) -> Program[B, E_co | E2, F_co | F2]:
        """Run *following* after this program, whatever this one answered.

        Args:
            following: The program to run next.

        Returns:
            A program that answers what *following* answers.
        """
        return FlatMap(self, Always(following))

    def tap(
        self, function: Callable[[A_co], Program[Any, E2, F2]]
    ) -> Program[A_co, E_co | E2, F_co | F2]:
        """Run another program with the answer, and keep the answer.

        Args:
            function: Called with the answer; its program's answer is dropped.

        Returns:
            A program with this program's answer.
        """
        return FlatMap(self, Tap(function))

    @override
    def apply(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, container: Program[Callable[[A_co], B], E2, F2]
    ) -> Program[B, E_co | E2, F_co | F2]:
        """Call the function that another program answers with this one's answer.

        Args:
            container: Runs after this program, so that `Fold.collect` of `returns`
                runs its programs from first to last.

        Returns:
            A program that answers what the function returns.

        Raises:
            TypeError: If *container* is no program.
        """
        return FlatMap(self, Applied(container))

    @override
    def alt(self, function: Callable[[E_co], E2]) -> Program[A_co, E2, F_co]:
        """Change the failure.

        Args:
            function: Called with the failure; what it returns is the new failure.

        Returns:
            A program that fails with the new failure where this one failed.
        """
        return Lash(self, FailWith(function))

    @override
    def lash(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, function: Callable[[E_co], Program[B, E2, F2]]
    ) -> Program[A_co | B, E2, F_co | F2]:
        """Recover from every failure. Defects and interrupts pass by.

        Args:
            function: Called with the failure; returns the program to run instead.

        Returns:
            A program that answers like this one, or like the recovery.
        """
        return Lash(self, function)

    def or_else(self, other: Program[B, E2, F2]) -> Program[A_co | B, E2, F_co | F2]:
        """Run *other* instead if this program fails. Defects and interrupts pass by.

        Args:
            other: Runs after any failure; to look at the failure, use `lash` or `catch`.

        Returns:
            A program that answers like this one, or ends as *other* does.

        Raises:
            TypeError: If *other* is no program.
        """
        return Lash(self, Always(structure.a_program("or_else", "other", other)))

    @override
    def swap(self) -> Program[E_co, A_co, F_co]:
        """Exchange answer and failure. Defects and interrupts pass by.

        Returns:
            A program that answers what this one failed with, and fails with what
            this one answered.
        """
        return self.attempt().bind_result(swapped)

    def attempt(self) -> Program[Result[A_co, E_co], Never, F_co]:
        """Turn the failure into a value of `returns`.

        Returns:
            A program that answers `Success(answer)` or `Failure(failure)` and
            cannot fail. Defects and interrupts pass by.
        """
        return Attempt(self)

    def exit(self) -> Program[Exit[A_co, E_co], Never, F_co]:
        """Answer how this program ended, whichever way that was.

        Returns:
            A program that answers `Succeeded`, `FailedWith`, `Died` or
            `Interrupted`. An interrupt of the run itself is not held up by it.
        """
        return ExitOf(self)

    # One parameter a class: mypy would join the classes of `*defects` to a common base.
    @overload
    def refine(self, defect: type[X], /) -> Program[A_co, E_co | X, F_co]: ...
    @overload
    def refine(
        self, defect: type[X], defect2: type[X2], /
    ) -> Program[A_co, E_co | X | X2, F_co]: ...
    @overload
    def refine(
        self, defect: type[X], defect2: type[X2], defect3: type[X3], /
    ) -> Program[A_co, E_co | X | X2 | X3, F_co]: ...
    @overload
    def refine(self, *defects: type[X]) -> Program[A_co, E_co | X, F_co]: ...
    def refine(self, *defects: type[Any]) -> Program[A_co, Any, F_co]:
        """Declare exceptions that this program raises as failures.

        Args:
            defects: Exception classes; a defect that is an instance of one
                becomes a failure.

        Returns:
            A program that fails where this one would have died of them.

        Raises:
            TypeError: If no class is given, or one is no exception class.
        """
        return Refine(self, structure.exception_classes("refine", defects))

    def ensure(self, finalizer: Program[Any, Never, F2]) -> Program[A_co, E_co, F_co | F2]:
        """Run *finalizer* when this program ends, however it ends, exactly once.

        Args:
            finalizer: Runs after success, failure, defect and interrupt, and
                cannot itself be interrupted.

        Returns:
            A program that ends as this one does, after the finaliser.
        """
        return Ensure(self, structure.a_program("ensure", "finalizer", finalizer))

    def on_interrupt(self, finalizer: Program[Any, Never, F2]) -> Program[A_co, E_co, F_co | F2]:
        """Run *finalizer* only if this program is interrupted.

        Args:
            finalizer: Runs once, before what is further out; it cannot itself be
                interrupted.

        Returns:
            A program that ends as this one does.

        Raises:
            TypeError: If *finalizer* is no program.
        """
        return OnInterrupt(self, structure.a_program("on_interrupt", "finalizer", finalizer))

    def uninterruptible(self) -> Program[A_co, E_co, F_co]:
        """Hold interrupts up until this program has ended.

        Returns:
            A program that ends as this one does; an interrupt that came meanwhile takes
            effect right after it.
        """
        return Uninterruptible(self)

    def timeout(self, seconds: float) -> Program[A_co, E_co | Timeout, F_co]:
        """Give this program a limited time.

        Args:
            seconds: How long it may take, at least 0.

        Returns:
            A program that ends as this one does, or, after *seconds*, interrupts it at
            once, waits until its finalisers have run, and fails with `Timeout`.

        Raises:
            TypeError: If *seconds* is no number.
            ValueError: If it is negative or not finite.
        """
        return TimedOut(self, operations.a_duration("timeout", "seconds", seconds))

    def deadline(self, seconds: float) -> Program[A_co, E_co | Timeout, F_co]:
        """Give this program, and every ask inside of it, a limited time.

        Like `timeout`; besides, asks made inside of it where the interrupt does not
        reach, in forks that live on and in the programs with which actors handle its
        asks, fail with `AskTimeout` when the time is over. What must not be interrupted
        is not limited: an acquisition, a finaliser, an uninterruptible program. Of
        deadlines within each other the earliest counts.

        Args:
            seconds: How long it may take, at least 0.

        Returns:
            A program that ends as this one does, or fails with `Timeout`.

        Raises:
            TypeError: If *seconds* is no number.
            ValueError: If it is negative or not finite.
        """
        return Deadline(self, operations.a_duration("deadline", "seconds", seconds))

    def fork(self) -> Program[Fiber[A_co, E_co], Never, F_co]:
        """Start this program beside the one that goes on.

        Returns:
            A program that answers a `Fiber` to `join`, `wait` for or `interrupt`. The fork
            belongs to the nearest scope (`scoped`, a branch of `gather` and the like, a
            fork, the run): at its end it is interrupted, unless it has ended. Its failure
            waits for whoever joins it; a defect that nobody has seen by the scope's end
            becomes the scope's own.
        """
        return Fork(self)

    def retry(self, schedule: Schedule[E_co] | int) -> Program[A_co, E_co, F_co]:
        """Run this program again after a failure, as long as *schedule* says so.

        Args:
            schedule: Asked with each failure; its times count from before the first run.
                A number stands for `recurs(number)`: so many runs more, at once.

        Returns:
            A program that answers like the first run that answers, or fails with the
            failure at which the schedule was over. Defects and interrupts are not
            retried; `.refine(OSError)` makes a defect a failure.

        Raises:
            TypeError: If *schedule* is neither a schedule nor a whole number.
            ValueError: If it is a negative number.
        """
        return Retry(self, timing.checked_schedule("retry", schedule))

    def repeat(self, schedule: Schedule[A_co] | int) -> Program[A_co, E_co, F_co]:
        """Run this program again after an answer, as long as *schedule* says so.

        Args:
            schedule: Asked with each answer; its times count from before the first run.
                A number stands for `recurs(number)`: so many runs more, at once.

        Returns:
            A program that answers the last answer, or fails with the first failure.

        Raises:
            TypeError: If *schedule* is neither a schedule nor a whole number.
            ValueError: If it is a negative number.
        """
        return Repeat(self, timing.checked_schedule("repeat", schedule))

    def delayed(self, seconds: float) -> Program[A_co, E_co, F_co]:
        """Run this program later.

        Args:
            seconds: How long to wait first, at least 0.

        Returns:
            A program that ends as this one does.

        Raises:
            TypeError: If *seconds* is no number.
            ValueError: If it is negative or not finite.
        """
        return Delayed(self, operations.a_duration("delayed", "seconds", seconds))

    def pipe(self, function: Callable[[Program[A_co, E_co, F_co]], B]) -> B:
        """Apply *function* to this program: `p.pipe(f)` is `f(p)`.

        Args:
            function: Called now, with this program.

        Returns:
            What the function returns.
        """
        return function(self)

    def named(self, name: str) -> Program[A_co, E_co, F_co]:
        """Give this program a name that traces, drawings and errors show.

        Args:
            name: Any text that is not empty.

        Returns:
            A program that does the same.

        Raises:
            TypeError: If the name is no text.
            ValueError: If it is empty.
        """
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f'named: name must be a text, as in named("checkout"), got {name!r}'
            raise TypeError(msg)
        if not name:
            msg = "named: name must not be empty"
            raise ValueError(msg)
        return Named(self, name)

    # `Any` where nothing is known, not `Never`: else `Fold.collect` and the like find no
    # type for the program they begin with.
    @override
    @classmethod
    def from_value(cls, inner_value: A) -> Program[A, Any, Any]:
        """Do the same as `pure`, for functions of `returns` that know only the class."""
        return Pure(inner_value)

    @override
    @classmethod
    def from_failure(cls, inner_value: E) -> Program[Any, E, Any]:
        """Do the same as `fail`, for functions of `returns` that know only the class."""
        return Fail(inner_value)

    @override
    @classmethod
    def from_result(cls, inner_value: Result[A, E]) -> Program[A, E, Any]:
        """Do the same as `from_result`, for functions of `returns` that know only the class."""
        return from_result(inner_value)

    def __bool__(self) -> bool:
        """Refuse: `if program` would be true, whatever the program answers."""
        msg = (
            "a Program is neither true nor false before it has run: "
            'take its answer first, as in "if (yield from program):"'
        )
        raise TypeError(msg)

    def __iter__(self) -> Generator[Step[E_co, F_co], Any, A_co]:
        """Let a do-block write `answer = yield from program`."""
        # The engine, not the caller, receives `self`; it sends the answer back.
        return (yield self)  # type: ignore[misc, no-any-return]  # pyright: ignore[reportReturnType]

    def __await__(self) -> Generator[Never, Never, A_co]:
        """Refuse: a program does nothing by itself."""
        # Being awaitable for the type checker has a second use: mypy's
        # unused-awaitable then reports a program that was made and dropped.
        msg = (
            "a Program is a value and does nothing by itself: "
            'use "yield from" inside @program, or "await system.run_free(...)"'
        )
        raise TypeError(msg)

    @override
    def __repr__(self) -> str:
        return structure.render(self)

    @override
    def __eq__(self, other: object) -> bool:
        if not structure.is_program(other):
            return NotImplemented
        return structure.equal(self, other)

    @override
    def __hash__(self) -> int:
        return structure.structural_hash(self)

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return structure.rebuild, (structure.flatten(self),)

    def __copy__(self) -> Program[A_co, E_co, F_co]:
        """Return the program itself: values need no copies."""
        return self

    def __deepcopy__(self, memo: object) -> Program[A_co, E_co, F_co]:
        """Return the program itself: values need no copies."""
        return self

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        """Show what `explain` draws in a notebook."""
        # Here, because it needs all nodes, and they need this module.
        from effactor.programs.explaining import explain

        explanation = explain(self)
        return {
            "text/plain": explanation.to_text(),
            "text/vnd.mermaid": explanation.to_mermaid(),
        }


structure.node_base(Program)


@final
class Pure(Program[A_co]):
    """A program that has already ended with an answer."""

    __slots__ = ("value",)

    def __init__(self, value: A_co) -> None:
        """Keep the answer."""
        self.value: A_co = value


@final
class Fail(Program[Never, E_co]):
    """A program that has already failed."""

    __slots__ = ("error",)

    def __init__(self, error: E_co) -> None:
        """Keep the failure."""
        self.error: E_co = error


@final
class FlatMap(Program[A_co, E_co, F_co]):
    """Run *source*, then the program that *function* makes of its answer."""

    __slots__ = ("function", "source")

    # The type in between is existential, which Python cannot spell: hence Any.
    def __init__(
        self, source: Program[Any, Any, Any], function: Callable[[Any], Program[Any, Any, Any]]
    ) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.function: Callable[[Any], Program[Any, Any, Any]] = function


@final
class Map(Program[A_co, E_co, F_co]):
    """Run *source* and apply *function* to its answer."""

    __slots__ = ("function", "source")

    def __init__(self, source: Program[Any, Any, Any], function: Callable[[Any], Any]) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.function: Callable[[Any], Any] = function


@final
class Lash(Program[A_co, E_co, F_co]):
    """Run *source*; if it fails, run the program that *function* makes of the failure."""

    __slots__ = ("function", "source")

    def __init__(
        self, source: Program[Any, Any, Any], function: Callable[[Any], Program[Any, Any, Any]]
    ) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.function: Callable[[Any], Program[Any, Any, Any]] = function


@final
class Catch(Program[A_co, E_co, F_co]):
    """Run *source*; recover with *function* from failures of the given *classes*."""

    __slots__ = ("classes", "function", "source")

    def __init__(
        self,
        source: Program[Any, Any, Any],
        classes: tuple[type[Any], ...],
        function: Callable[[Any], Program[Any, Any, Any]],
    ) -> None:
        """Keep all three."""
        self.source: Program[Any, Any, Any] = source
        self.classes: tuple[type[Any], ...] = classes
        self.function: Callable[[Any], Program[Any, Any, Any]] = function


@final
class Attempt(Program[A_co, E_co, F_co]):
    """Run *source* and answer `Success` or `Failure`."""

    __slots__ = ("source",)

    def __init__(self, source: Program[Any, Any, Any]) -> None:
        """Keep the source."""
        self.source: Program[Any, Any, Any] = source


@final
class ExitOf(Program[A_co, E_co, F_co]):
    """Run *source* and answer its `Exit`."""

    __slots__ = ("source",)

    def __init__(self, source: Program[Any, Any, Any]) -> None:
        """Keep the source."""
        self.source: Program[Any, Any, Any] = source


@final
class Refine(Program[A_co, E_co, F_co]):
    """Run *source*; its defects of the given *classes* are failures."""

    __slots__ = ("classes", "source")

    def __init__(
        self, source: Program[Any, Any, Any], classes: tuple[type[BaseException], ...]
    ) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.classes: tuple[type[BaseException], ...] = classes


@final
class Named(Program[A_co, E_co, F_co]):
    """Run *source* under a *name*."""

    __slots__ = ("name", "source")

    def __init__(self, source: Program[Any, Any, Any], name: str) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.name: str = name


@final
class Handle(Program[A_co, E_co, F_co]):
    """Run *source*, answering its effects of the types in *table*."""

    __slots__ = ("source", "table")

    def __init__(
        self,
        source: Program[Any, Any, Any],
        table: tuple[tuple[type[Any], Callable[[Any], Any]], ...],
    ) -> None:
        """Keep both."""
        self.source: Program[Any, Any, Any] = source
        self.table: tuple[tuple[type[Any], Callable[[Any], Any]], ...] = table


class Composite(Program[A_co, E_co, F_co]):
    """Base of nodes whose meaning is another program, made when they are run.

    They are nodes all the same, so that drawings show them and an interpreter can
    give them a meaning of its own.
    """

    __slots__ = ()

    def expand(self) -> Program[A_co, E_co, F_co]:
        """Say what it means.

        Returns:
            A program of simpler nodes. Each call makes a new one; it must not depend
            on anything but the node's fields.
        """
        raise NotImplementedError


@final
class Block(Program[A_co, E_co, F_co]):
    """A do-block: a generator function and its arguments, opened anew at each run."""

    __slots__ = ("args", "function", "kwargs")

    def __init__(
        self,
        function: Callable[..., Generator[Any, Any, Any]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        """Keep all three."""
        self.function: Callable[..., Generator[Any, Any, Any]] = function
        self.args: tuple[Any, ...] = args
        self.kwargs: dict[str, Any] = kwargs


# The functions below are classes so that chains made with `then`, `tap` and `alt`
# compare, hash and pickle by what they hold.


class Always(structure.FunctionValue):
    """The function that returns *program* for any answer."""

    __slots__ = ("program",)

    def __init__(self, program: Program[Any, Any, Any]) -> None:
        """Keep the program."""
        self.program: Program[Any, Any, Any] = structure.a_program("then", "following", program)

    def __call__(self, _answer: object) -> Program[Any, Any, Any]:
        """Return the program."""
        return self.program


class Tap(structure.FunctionValue):
    """The function that runs *function*'s program and keeps the answer."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any], Program[Any, Any, Any]]) -> None:
        """Keep the function."""
        self.function: Callable[[Any], Program[Any, Any, Any]] = function

    def __call__(self, answer: Any) -> Program[Any, Any, Any]:
        """Return the program for this answer."""
        return FlatMap(self.function(answer), Always(Pure(answer)))


class FailWith(structure.FunctionValue):
    """The function that fails with what *function* makes of the failure."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any], Any]) -> None:
        """Keep the function."""
        self.function: Callable[[Any], Any] = function

    def __call__(self, failure: Any) -> Program[Any, Any, Any]:
        """Return the new failure."""
        return Fail(self.function(failure))


def pure(value: A) -> Program[A]:
    """Answer *value* without doing anything.

    Args:
        value: Any object.

    Returns:
        A program that answers it.
    """
    return Pure(value)


def fail(error: E) -> Program[Never, E]:
    """Fail with *error*.

    Args:
        error: Usually an exception; any value will do. `run_free` raises a
            failure that is no exception inside `Failed`.

    Returns:
        A program that fails. In a do-block write `return (yield from fail(...))`
        so that type checkers know that nothing follows.
    """
    return Fail(error)


# At the end, because these modules need `Program`; see the package's `__init__`.
from effactor.programs import operations, timing  # noqa: E402
from effactor.programs.conversions import ResultOf, from_result  # noqa: E402
from effactor.programs.forks import Fork  # noqa: E402
from effactor.programs.resources import Ensure, OnInterrupt, Uninterruptible  # noqa: E402
from effactor.programs.timeouts import Deadline, TimedOut  # noqa: E402
from effactor.programs.timing import Delayed, Repeat, Retry  # noqa: E402
