"""Read annotations of handlers and actors when their class is created.

An annotation may be text (`from __future__ import annotations`), and may name
classes that are local to the function that defines the actor.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections import ChainMap
from typing import TYPE_CHECKING, Annotated, Any

from effactor.actors.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def signature(function: Any) -> inspect.Signature:
    """Return the signature of a function, whose annotations may not be evaluable yet.

    Args:
        function: A handler.

    Returns:
        Its signature.
    """
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(
            function, annotation_format=annotationlib.Format.FORWARDREF
        )  # pragma: no cover
    return inspect.signature(function)


def evaluate(owner: type[Any], function: Any, annotation: Any) -> Any:
    """Evaluate an annotation that may be text.

    Args:
        owner: The class it stands in.
        function: The method it belongs to; None if it belongs to the class.
        annotation: The annotation.

    Returns:
        What it means.

    Raises:
        NameError: If it is text with a name that is not known at run time.
    """
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    source = inspect.unwrap(function) if function is not None else owner
    module = sys.modules[source.__module__]
    scope: dict[str, Any] = getattr(source, "__globals__", None) or vars(module)
    names = ChainMap[str, Any](*_enclosing(source.__qualname__, scope))
    try:
        return eval(annotation, scope, names)  # noqa: S307 - the class's own annotation
    except NameError:
        # A message class may be nested in the class of the actor.
        return eval(annotation, scope, ChainMap({}, dict(vars(owner)), *names.maps))  # noqa: S307


def _enclosing(qualname: str, scope: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the names of the running functions that *qualname* is local to, innermost first."""
    frame = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    while True:
        function = f"{frame.f_code.co_qualname}.<locals>."
        if frame.f_globals is scope and qualname.startswith(function):
            yield frame.f_locals
        if frame.f_back is None:
            return
        frame = frame.f_back


def message_types(where: str, annotation: Any) -> Iterator[type[Any]]:
    """Yield the classes of messages in an annotation.

    Args:
        where: Whose annotation it is, for the error.
        annotation: A class, a union of classes, a generic alias, a type alias, a
            new type or a type variable.

    Yields:
        Classes; of a generic message its class, of a type variable its bound.

    Raises:
        TypeError: If it is something else.
    """
    for message_type, _ in with_priorities(where, annotation):
        yield message_type


def with_priorities(
    where: str, annotation: Any, priority: int | None = None
) -> Iterator[tuple[type[Any], int | None]]:
    """Yield the classes of messages in an annotation, each with the priority it states.

    Args:
        where: Whose annotation it is, for the error.
        annotation: As for `message_types`.
        priority: What is stated around it; `Annotated[..., Priority(n)]` inside wins.

    Yields:
        Pairs of a class and its priority, None if there is none.

    Raises:
        TypeError: If it is no annotation of messages.
    """
    origin: Any = typing.get_origin(annotation)
    members: tuple[Any, ...]
    if annotation is None:
        yield types.NoneType, priority
        return
    if annotation is Any:
        yield object, priority
        return
    if isinstance(annotation, typing.TypeVar):
        bound = annotation.__bound__
        members = annotation.__constraints__ or (object if bound is None else bound,)
    elif origin in {typing.Union, types.UnionType}:
        members = typing.get_args(annotation)
    elif origin is Annotated:
        message, *notes = typing.get_args(annotation)
        for note in notes:
            priority = note.value if isinstance(note, Priority) else priority
        members = (message,)
    elif isinstance(origin, type):
        yield origin, priority
        return
    elif isinstance(annotation, type):
        yield annotation, priority
        return
    elif hasattr(annotation, "__value__"):
        members = (annotation.__value__,)
    elif hasattr(annotation, "__supertype__"):
        members = (annotation.__supertype__,)
    else:
        msg = f"{where}: {annotation!r} is no class of messages"
        raise TypeError(msg)
    for member in members:
        yield from with_priorities(where, member, priority)
