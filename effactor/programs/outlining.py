"""What can be seen of each node before it runs.

A node that is not known here is shown by its fields, so a new one is never missing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from effactor.coordination.queue import QueueProcess
from effactor.coordination.semaphore import WithPermits, counted
from effactor.programs import structure
from effactor.programs.conversions import ResultOf
from effactor.programs.effects import Perform
from effactor.programs.forks import AsCompleted, Fork
from effactor.programs.functions import name_of_function, place_of_function
from effactor.programs.joining import Applied
from effactor.programs.operations import Ask, Call, Operation, Spawn
from effactor.programs.outlines import (
    Outline,
    Part,
    applying,
    by_fields,
    going_on,
    of_function,
    part_of,
)
from effactor.programs.parallel import AtLeast, FirstSuccess, Gather, Race, Traverse, Zip
from effactor.programs.program import (
    Always,
    Attempt,
    Block,
    Catch,
    ExitOf,
    Fail,
    FailWith,
    FlatMap,
    Handle,
    Lash,
    Map,
    Named,
    Pure,
    Refine,
    Tap,
)
from effactor.programs.resources import (
    AcquireRelease,
    Bracket,
    Ensure,
    OnInterrupt,
    Scoped,
    Uninterruptible,
)
from effactor.programs.services import Needs, Provided
from effactor.programs.timeouts import Deadline, TimedOut
from effactor.traces.canonical import without_addresses
from effactor.traces.fields import class_of
from effactor.traces.wording import seconds, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor.programs.program import Program

_ARGUMENT: Final = 40  # characters of an argument of a block


def outline(node: Program[Any, Any, Any]) -> Outline:
    """Say what can be seen of a node.

    Args:
        node: Any program. Of a chain only its last step is meant.

    Returns:
        Its words and what is inside of it. Whatever the methods of the user's values
        raise, there are words.
    """
    write = _WRITERS.get(type(node))
    try:
        if write is not None:
            return write(node)
        return _operation(node) if isinstance(node, Operation) else by_fields(node)
    except Exception:  # a user's repr may raise anything
        return by_fields(node)


# ------------------------------------------------------------------ steps of a chain


def _flat_map(node: FlatMap[Any, Any, Any]) -> Outline:
    function: Any = node.function
    if isinstance(function, Always):
        return going_on("then", function)
    if isinstance(function, Tap):
        return going_on("tap", function.function)
    if isinstance(function, ResultOf):
        return applying("bind_result", function.function)
    if isinstance(function, Applied):
        return Outline("apply", parts=(Part("the function of", function.container),))
    return going_on("bind", function)


def _lash(node: Lash[Any, Any, Any]) -> Outline:
    function: Any = node.function
    if isinstance(function, Always):
        return going_on("or else", function)
    if isinstance(function, FailWith):
        return applying("alt", function.function)
    return going_on("lash", function)


def _classes(classes: tuple[type[Any], ...]) -> str:
    return ", ".join(cls.__name__ for cls in classes)


# ------------------------------------------------------------------ leaves and blocks


def _operation(node: Operation[Any, Any]) -> Outline:
    return Outline(without_addresses(node.describe()))


def _call(node: Call[Any]) -> Outline:
    function: Any = node.function
    args, kwargs = node.args, node.kwargs
    while isinstance(function, partial):
        args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
        function = function.func
    inside = [shown(value, _ARGUMENT) for value in args]
    inside += [f"{name}={shown(value, _ARGUMENT)}" for name, value in kwargs.items()]
    made = applying("call", function)
    return made._replace(words=f"{made.words}({', '.join(inside)})")


def _ask(node: Ask[Any, Any]) -> Outline:
    limit = "" if node.time_limit is None else f", within {seconds(node.time_limit)}"
    return Outline(f"{without_addresses(node.describe())}{limit}")


def _spawn(node: Spawn[Any]) -> Outline:
    as_name = "" if node.name is None else f" as {node.name!r}"
    made = applying("spawn", node.actor)
    return made._replace(words=made.words + as_name)


def _perform(node: Perform[Any, Any]) -> Outline:
    effect = node.effect
    if isinstance(effect, Needs):
        return Outline(f"service {effect.service.__name__}")
    return Outline(f"perform {shown(effect)}")


def _block(node: Block[Any, Any, Any]) -> Outline:
    function: Any = getattr(node.function, "function", node.function)
    names: tuple[str, ...] = function.__code__.co_varnames
    texts: list[str] = []
    parts: list[Part] = []
    given = [(names[min(i, len(names) - 1)], "", value) for i, value in enumerate(node.args)]
    given += [(name, f"{name}=", value) for name, value in node.kwargs.items()]
    for name, prefix, value in given:
        if structure.is_program(value):
            texts.append(f"{prefix}a program")
            parts.append(Part(f"given as {name}", value))
        else:
            texts.append(prefix + shown(value, _ARGUMENT))
    words = f"do {name_of_function(function)}({', '.join(texts)})"
    return Outline(words, hidden=True, place=place_of_function(function), parts=tuple(parts))


# ------------------------------------------------------------------ around programs


def _at_once(concurrency: int | None) -> str:
    return "" if concurrency is None else f", {concurrency} at once"


def _collecting(mode: str) -> str:
    return "" if mode == "fail_fast" else f", {mode}"


def _traverse(node: Traverse[Any, Any, Any]) -> Outline:
    made = of_function(node.function)
    number = len(node.items)
    items = "1 item" if number == 1 else f"{number:,} items"
    how = _at_once(node.concurrency) + _collecting(node.mode)
    return made._replace(words=f"traverse {items} by {made.words}{how}")


def _bracket(node: Bracket[Any, Any, Any]) -> Outline:
    acquired = Part("acquire", node.acquire)
    return Outline(
        "bracket", parts=(acquired, part_of("use", node.use), part_of("release", node.release))
    )


def _acquire_release(node: AcquireRelease[Any, Any, Any]) -> Outline:
    at_end = part_of("release at the scope's end", node.release)
    return Outline("acquire_release", parts=(Part("acquire", node.acquire), at_end))


def _handle(node: Handle[Any, Any, Any]) -> Outline:
    provided: list[str] = []
    handled: list[str] = []
    places: list[str] = []
    for effect, function in node.table:
        if isinstance(function, Provided):
            classes = [class_of(made) if cls is None else cls for cls, made in function.offers]
            provided += [str(cls.__name__) for cls in classes]
        else:
            handled.append(f"{effect.__name__} by {name_of_function(function)}")
            places.append(place_of_function(function))
    words = [f"handle {', '.join(handled)}"] if handled else []
    words += [f"provide {', '.join(provided)}"] if provided else []
    place = places[0] if len(places) == 1 else ""
    return Outline(" and ".join(words), hidden=bool(handled), place=place, source=node.source)


def _process(node: QueueProcess[Any, Any, Any]) -> Outline:
    made = of_function(node.function)
    return made._replace(words=f"process an item of {node.queue.describe()} by {made.words}")


def _with_permits(node: WithPermits[Any, Any, Any]) -> Outline:
    words = f"with {counted(node.permits)} of {node.semaphore.describe()}"
    return Outline(words, source=node.source)


_WRITERS: Final[dict[type[Any], Callable[[Any], Outline]]] = {
    # Steps of a chain.
    FlatMap: _flat_map,
    Map: lambda node: applying("map", node.function),
    Lash: _lash,
    Catch: lambda node: going_on(f"catch {_classes(node.classes)} by", node.function),
    Attempt: lambda _node: Outline("attempt"),
    ExitOf: lambda _node: Outline("exit"),
    Refine: lambda node: Outline(f"refine {_classes(node.classes)}"),
    # Leaves.
    Ask: _ask,
    Call: _call,
    Spawn: _spawn,
    Perform: _perform,
    Pure: lambda node: Outline(f"pure {shown(node.value)}"),
    Fail: lambda node: Outline(f"fail {shown(node.error)}"),
    Block: _block,
    # Several at once.
    Zip: lambda node: Outline("zip", branches=node.programs),
    Gather: lambda node: Outline(
        f"gather{_at_once(node.concurrency)}{_collecting(node.mode)}", branches=node.programs
    ),
    Traverse: _traverse,
    Race: lambda node: Outline("race", branches=node.programs),
    FirstSuccess: lambda node: Outline("first success", branches=node.programs),
    AtLeast: lambda node: Outline(
        f"at least {node.needed} of {len(node.programs)}", branches=node.programs
    ),
    AsCompleted: lambda node: Outline(
        f"as completed{_at_once(node.concurrency)}", branches=node.programs
    ),
    # Around one program.
    TimedOut: lambda node: Outline(f"timeout {seconds(node.seconds)}", source=node.source),
    Deadline: lambda node: Outline(f"deadline {seconds(node.seconds)}", source=node.source),
    Ensure: lambda node: Outline(
        "ensure", source=node.source, parts=(Part("finally", node.finalizer),)
    ),
    OnInterrupt: lambda node: Outline(
        "on interrupt", source=node.source, parts=(Part("if interrupted", node.finalizer),)
    ),
    Uninterruptible: lambda node: Outline("uninterruptible", source=node.source),
    Bracket: _bracket,
    AcquireRelease: _acquire_release,
    Scoped: lambda node: Outline("scoped", source=node.source),
    Fork: lambda node: Outline("fork", source=node.source),
    Named: lambda node: Outline(f"named {node.name!r}", source=node.source),
    Handle: _handle,
    WithPermits: _with_permits,
    QueueProcess: _process,
}
