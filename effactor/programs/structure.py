"""Repr, equality, hash and pickling of programs, without recursion.

A program may be a million nodes deep; Python's own recursive protocols would
overflow the stack. Everything here walks with an explicit stack.
"""

from __future__ import annotations

import functools
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeGuard

from typing_extensions import TypeIs, TypeVar, override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from effactor.programs.program import Program

P = TypeVar("P", bound="type[Any]")

# How deep and how long a repr may get before it says "...".
_REPR_DEPTH = 6
_REPR_NODES = 60

_base: list[type[Any]] = []


def node_base(cls: P) -> P:
    """Name the class of programs; structure cannot import it without a circle."""
    _base.append(cls)
    return cls


def is_program(value: object) -> TypeIs[Program[Any, Any, Any]]:
    """Tell whether *value* is a program.

    Args:
        value: Any object.

    Returns:
        True for instances of `Program`.
    """
    return isinstance(value, _base[0])


def a_program(where: str, argument: str, value: Any) -> Program[Any, Any, Any]:
    """Return *value* if it is a program.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        value: What was given.

    Returns:
        The program.

    Raises:
        TypeError: If it is something else.
    """
    if is_program(value):
        return value
    hint = " (call it: it is a function that makes a program)" if callable(value) else ""
    if isinstance(value, CoroutineType):
        value.close()  # nobody will await it, and Python would warn
        hint = "; await a coroutine, and write ref.free_ask(...) and the like for a program"
    msg = f"{where}: {argument} must be a Program, got {value!r}{hint}"
    raise TypeError(msg)


def all_programs(where: str, argument: str, values: tuple[Any, ...]) -> None:
    """Refuse values that are no programs.

    Args:
        where: The function that received them, for the error.
        argument: The argument's name.
        values: What was given.

    Raises:
        TypeError: If one is something else.
    """
    for index, value in enumerate(values):
        if not is_program(value):  # the usual case makes no text
            _ = a_program(where, f"{argument}[{index}]", value)


def a_function(where: str, argument: str, value: Any, result: str) -> None:
    """Refuse what cannot be called.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        value: What was given.
        result: What it must return, in words.

    Raises:
        TypeError: If it cannot be called.
    """
    if is_program(value) or not callable(value):
        msg = f"{where}: {argument} must be a function that returns {result}, got {value!r}"
        raise TypeError(msg)


def exception_classes(where: str, classes: tuple[Any, ...]) -> tuple[type[BaseException], ...]:
    """Return *classes* if all are exception classes and there is at least one.

    Args:
        where: The function that received them, for the error.
        classes: What was given.

    Returns:
        The classes.

    Raises:
        TypeError: If there is none, or one is something else.
    """
    if not classes:
        msg = f"{where}: name at least one exception class"
        raise TypeError(msg)
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            msg = f"{where}: {cls!r} is no exception class"
            raise TypeError(msg)
    return classes


class FunctionValue:
    """A function that is a value: equal, hashed and pickled by what it holds."""

    __slots__ = ()

    @override
    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return equal(self, other)

    @override
    def __hash__(self) -> int:
        return structural_hash(self)

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, (flatten(self),)

    @override
    def __repr__(self) -> str:
        return render(self)


def _is_node(value: object) -> bool:
    return isinstance(value, FunctionValue) or is_program(value)


# What may hold programs inside a field: arguments and keyword arguments. A named
# tuple, or a dict with other keys, is the user's own value and stays whole.


def _is_tuple(value: object) -> TypeIs[tuple[Any, ...]]:
    return type(value) is tuple


def _is_keywords(value: object) -> TypeGuard[dict[str, Any]]:
    if type(value) is not dict:
        return False
    return all(type(key) is str for key in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


# Remembered, because most of the classes above a node are interfaces without fields.
@functools.cache
def _slots(cls: type[Any]) -> tuple[str, ...]:
    names: list[str] = []
    for base in reversed(cls.__mro__):
        names.extend(base.__dict__.get("__slots__", ()))
    return tuple(sorted(names))


def fields(node: object) -> tuple[tuple[str, Any], ...]:
    """List a node's fields in a fixed order.

    Args:
        node: A program, or a function that is a value.

    Returns:
        Pairs of name and value, sorted by name.
    """
    cls: Any = type(node)  # `Any`, because to mypy a class is not hashable
    return tuple((name, getattr(node, name)) for name in _slots(cls))


def _parts(node: object) -> Iterator[Any]:
    """Yield the fields, with tuples and dicts opened one level."""
    for _, value in fields(node):
        if _is_tuple(value):
            # Tells `()` from 0: no leaf is a plain tuple.
            yield tuple, len(value)
            yield from value
        elif _is_keywords(value):
            yield dict, len(value)
            for key in sorted(value):
                yield key
                yield value[key]
        else:
            yield value


def equal(left: object, right: object) -> bool:
    """Compare two nodes by structure.

    Args:
        left: A program.
        right: Another.

    Returns:
        True if both have the same nodes with equal fields. Functions compare as
        Python compares them, so two lambdas of the same text differ.
    """
    work: list[tuple[Any, Any]] = [(left, right)]
    while work:
        a, b = work.pop()
        if a is b:
            continue
        if _is_node(a) and _is_node(b):
            if type(a) is not type(b):
                return False
            parts_a, parts_b = list(_parts(a)), list(_parts(b))
            if len(parts_a) != len(parts_b):
                return False
            work.extend(zip(parts_a, parts_b, strict=True))
        elif _is_node(a) or _is_node(b) or a != b:
            return False
    return True


def structural_hash(node: object) -> int:
    """Hash a node by structure.

    Args:
        node: A program whose leaves are hashable.

    Returns:
        Equal programs have equal hashes.

    Raises:
        TypeError: If a leaf, such as a list in a message, cannot be hashed.
    """
    result = 0
    work: list[Any] = [node]
    while work:
        item = work.pop()
        if _is_node(item):
            result = hash((result, type(item).__qualname__))
            work.extend(_parts(item))
        else:
            result = hash((result, item))
    return result


def flatten(root: object) -> list[tuple[Any, ...]]:
    """List a tree's nodes, children before parents, for pickling.

    Args:
        root: A program.

    Returns:
        One entry a node: its class and its fields, in which a child is replaced
        by a `Child` with its index in the list.
    """
    index: dict[int, int] = {}
    entries: list[tuple[Any, ...]] = []
    work: list[tuple[Any, bool]] = [(root, False)]
    while work:
        node, ready = work.pop()
        if id(node) in index:
            continue
        if not ready:
            work.append((node, True))
            work.extend((part, False) for part in _parts(node) if _is_node(part))
            continue
        state = {name: _with_children(value, index) for name, value in fields(node)}
        index[id(node)] = len(entries)
        entries.append((node.__class__, state))
    return entries


class Child:
    """Stands for the node at *index* of a flattened tree."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        """Keep the index."""
        self.index: int = index


def _with_children(value: Any, index: dict[int, int]) -> Any:
    if _is_node(value):
        return Child(index[id(value)])
    if _is_tuple(value):
        return tuple(Child(index[id(v)]) if _is_node(v) else v for v in value)
    if _is_keywords(value):
        return {k: Child(index[id(v)]) if _is_node(v) else v for k, v in value.items()}
    return value


def rebuild(entries: list[tuple[Any, ...]]) -> object:
    """Build the tree that `flatten` listed.

    Args:
        entries: What `flatten` returned.

    Returns:
        The root.
    """
    nodes: list[Any] = []

    def restore(value: Any) -> Any:
        if type(value) is Child:
            return nodes[value.index]
        if _is_tuple(value):
            return tuple(nodes[v.index] if type(v) is Child else v for v in value)
        if _is_keywords(value):
            return {k: nodes[v.index] if type(v) is Child else v for k, v in value.items()}
        return value

    for cls, state in entries:
        node = cls.__new__(cls)
        for name, value in state.items():
            setattr(node, name, restore(value))
        nodes.append(node)
    return nodes[-1]


def function_name(function: Any) -> str:
    """Name a function for people.

    Args:
        function: Any callable.

    Returns:
        Its qualified name, or its repr where it has none.
    """
    name = getattr(function, "__qualname__", None)
    if name is None:
        return repr(function)
    return str(name).replace("<locals>.", "")


# What a message or an actor has that says nothing special of it.
_UNSAID: list[Any] = [None]


def unsaid(value: object) -> None:
    """Leave a value of the fields `options` and `props` out of every text.

    Args:
        value: The value; the module that defines it calls this.
    """
    _UNSAID.append(value)


def render(root: object) -> str:
    """Write a node as an expression, cut where it gets deep or long.

    Args:
        root: A program.

    Returns:
        One line of text.
    """
    # The depth is bounded, so recursion is safe here.
    budget = [_REPR_NODES]

    def one(value: Any, depth: int) -> str:
        if not _is_node(value):
            return _leaf(value)
        budget[0] -= 1
        if depth >= _REPR_DEPTH or budget[0] <= 0:
            return "..."
        parts: list[str] = []
        for name, content in fields(value):
            if name in {"args", "kwargs"} and not content:
                continue
            if name in {"options", "props"} and content in _UNSAID:
                continue
            if _is_tuple(content):
                inside = ", ".join(one(v, depth + 1) for v in content)
                parts.append(f"{name}=({inside}{',' if len(content) == 1 else ''})")
            else:
                parts.append(f"{name}={one(content, depth + 1)}")
        return f"{type(value).__name__}({', '.join(parts)})"

    return one(root, 0)


def _leaf(value: Any) -> str:
    if callable(value) and not isinstance(value, type):
        return function_name(value)
    return repr(value)
