"""The answers of a dry run: stubs from the user, else zero values."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from effactor.programs.effects import Effect
from effactor.programs.operations import Call
from effactor.programs.program import Fail, Program, Pure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NO_STUB: Final[Any] = object()


class Refused(Exception):  # noqa: N818 - a signal to the interpreter, not an error
    """Raised for a stub that is `fail(error)`.

    Attributes:
        error: The failure.
    """

    def __init__(self, error: Any) -> None:
        super().__init__(error)
        self.error = error


class Abandoned(BaseException):  # noqa: N818 - a signal to the interpreter, not an error
    """Carries an error past the program, which must not catch it, to whoever called.

    Attributes:
        error: The error.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Answers:
    """The stubs that the user gave.

    Attributes:
        stubs: Key to stub.
    """

    def __init__(self, answers: Any) -> None:
        """Check what was given.

        Args:
            answers: None, or a mapping.

        Raises:
            TypeError: If it is something else, or a stub can be no answer.
        """
        if not isinstance(answers, Mapping | None):
            msg = (
                "dry_run: answers must map a message, its type, or a function of free_call to an "
                f"answer, as in {{Look: 3}}; got {answers!r}"
            )
            raise TypeError(msg)
        self.stubs: dict[Any, Any] = dict(answers or {})  # pyright: ignore[reportUnknownArgumentType]
        for key, stub in self.stubs.items():
            name = key.__qualname__ if isinstance(key, type) else repr(key)
            if isinstance(stub, type):
                msg = (
                    f"dry_run: the answer to {name} is the class {stub.__qualname__}; give an "
                    f"instance, a function, or pure({stub.__qualname__}) if you mean the class"
                )
                raise TypeError(msg)
            if isinstance(stub, Awaitable) and not isinstance(stub, Program):
                if inspect.iscoroutine(stub):
                    stub.close()
                raise _asynchronous(name)

    def find(self, operation: Any, subject: Any = NO_STUB) -> Any:
        """Find the stub for an operation.

        Args:
            operation: The operation.
            subject: Its message, effect or function, if it has one.

        Returns:
            The stub by the operation's value, else by the subject's value, else by
            the subject's class or the nearest base, else by the operation's class;
            `NO_STUB` if there is none.
        """
        for key in _keys(operation, subject):
            try:
                stub = self.stubs.get(key, NO_STUB)
            except TypeError:  # a message that holds a list has no hash, and is no key
                continue
            if stub is not NO_STUB:
                return stub
        return NO_STUB


def _keys(operation: Any, subject: Any) -> Iterator[Any]:
    yield operation
    if subject is not NO_STUB:
        yield subject
        if not isinstance(operation, Call):  # a function's class says nothing about it
            yield from type(subject).__mro__
    yield type(operation)


def resolve(stub: Any, *args: Any, **kwargs: Any) -> Any:
    """Ask a stub for the answer.

    Args:
        stub: A function, an exception, `pure(...)`, `fail(...)` or a plain answer.
        args: Arguments for a function.
        kwargs: Keyword arguments for it.

    Returns:
        The answer; a program other than these two as it is.

    Raises:
        Refused: For `fail(...)`.
        BaseException: The exception that the stub is, returns or raises.
    """
    answer = stub
    if callable(stub) and not isinstance(stub, BaseException):
        answer = stub(*args, **kwargs)
    if isinstance(answer, BaseException):
        raise answer
    if isinstance(answer, Fail):
        raise Refused(answer.error)
    if isinstance(answer, Pure):
        return answer.value
    if inspect.iscoroutine(answer):
        answer.close()
        raise Abandoned(_asynchronous(getattr(stub, "__qualname__", repr(stub))))
    return answer


def _asynchronous(name: str) -> TypeError:
    return TypeError(
        f"dry_run: the answer to {name} is asynchronous, and a dry run never waits; "
        "give the value, or a plain function"
    )


def effect_answer(effect: Any) -> Any:
    """Return the type of an effect's answer.

    Args:
        effect: An instance of a subclass of `Effect[R]`.

    Returns:
        `R`, or `Any` where the class does not say.
    """
    for cls in type(effect).__mro__:
        for base in cls.__dict__.get("__orig_bases__", ()):
            if typing.get_origin(base) is Effect:
                return typing.get_args(base)[0]
    return Any


def call_answer(function: Callable[..., Any]) -> Any:
    """Return the type that a function says it returns.

    Args:
        function: Any function, `async def` or not.

    Returns:
        The annotation, inside `Awaitable` and the like; `Any` if there is none.
    """
    while isinstance(function, partial):
        function = function.func
    if isinstance(function, type):
        return function
    target = function if hasattr(function, "__qualname__") else type(function).__call__
    try:
        annotation = typing.get_type_hints(target).get("return", Any)
    except Exception:  # an annotation may name what is only imported for type checkers
        return Any
    origin = typing.get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Awaitable):
        return typing.get_args(annotation)[-1]
    return annotation
