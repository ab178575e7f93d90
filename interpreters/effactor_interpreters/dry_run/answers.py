"""The answers of a dry run: stubs from the user, else zero values."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from effactor.programs.operations import Call
from effactor.programs.program import Fail, Pure
from effactor.programs.structure import is_program
from effactor.traces.fields import class_of
from effactor_interpreters.runtime.engine.signals import Abandoned

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_STUB: Final[Any] = object()


class Refused(Exception):
    """Raised for a stub that is `fail(error)`.

    Attributes:
        error: The failure.
    """

    def __init__(self, error: Any) -> None:
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
        if class_of(operation) is not Call:  # a function's class says nothing about it
            yield from class_of(subject).__mro__
    yield class_of(operation)


def resolve(stub: Any, *args: Any, **kwargs: Any) -> Any:
    """Ask a stub for the answer.

    Args:
        stub: A function, an exception, `pure(...)`, `fail(...)` or a plain answer.
        args: Arguments for a function.
        kwargs: Keyword arguments for it.

    Returns:
        The answer; `pure(...)` and other programs as they are.

    Raises:
        Refused: For `fail(...)`.
        Abandoned: If the answer is asynchronous.
        BaseException: The exception that the stub is, returns or raises.
    """
    answer: Any = stub
    if callable(stub) and not isinstance(stub, BaseException):
        answer = stub(*args, **kwargs)
    if isinstance(answer, BaseException):
        raise answer
    if class_of(answer) is Fail:
        raise Refused(answer.error)
    if inspect.iscoroutine(answer):
        answer.close()
        raise Abandoned(_asynchronous(getattr(stub, "__qualname__", repr(stub))))
    return answer


def value_of(answer: Any) -> Any:
    """Return what a stub answers where programs cannot be run.

    Args:
        answer: What `resolve` returned.

    Returns:
        The value of `pure(value)`; else the answer itself.

    Raises:
        Abandoned: If it is another program.
    """
    if class_of(answer) is Pure:
        return answer.value
    if is_program(answer):
        msg = (
            f"dry_run: the answer to a message or a call is a value, not the program {answer!r}; "
            "give pure(value) or fail(error), or pure(program) if the program is the answer"
        )
        raise Abandoned(TypeError(msg))
    return answer


def _asynchronous(name: str) -> TypeError:
    return TypeError(
        f"dry_run: the answer to {name} is asynchronous, and a dry run never waits; "
        "give the value, or a plain function"
    )
