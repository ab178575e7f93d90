"""Cycles of dependencies: what is wrong with a history that has no serial order.

Adya's phenomena, by the dependencies that a cycle needs: G0 only `ww`; G1c `ww` and `wr`;
G-single one `rw`; G2 more. With an edge of real time the name ends in `-realtime`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from effactor.consistency.dependencies import Dependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from effactor.consistency.dependencies import Dependencies

Kinds = tuple[Dependency, ...]

_PLAIN: Final[list[tuple[str, Kinds, Kinds]]] = [
    # Name; the dependency that the cycle must have; those that the rest may have.
    ("G0", ("ww",), ("ww",)),
    ("G1c", ("wr",), ("ww", "wr")),
    ("G-single", ("rw",), ("ww", "wr")),
    ("G2", ("rw",), ("ww", "wr", "rw")),
]
_TRIES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle.

    Attributes:
        name: The anomaly.
        members: Numbers of the operations, each before the next and the last one before
            the first.
        reasons: Why each must come before the next, in words.
    """

    name: str
    members: tuple[int, ...]
    reasons: tuple[str, ...]


def cycles(graph: Dependencies, *, strict: bool) -> list[Cycle]:
    """Find a short cycle of each kind.

    Args:
        graph: The dependencies.
        strict: Whether it has edges of real time.

    Returns:
        The cycles, the gravest first; if there is any cycle, at least one.
    """
    found: list[Cycle] = []
    suffixes: list[tuple[str, Kinds]] = [("", ())]
    if strict:
        suffixes.append(("-realtime", ("rt",)))
    for suffix, more in suffixes:
        for name, must, may in _PLAIN:
            # A cycle of a graver kind is one of the lesser kinds too: it is named once.
            if found and (name == "G2" or suffix):
                break
            cycle = _cycle(graph, name + suffix, must, (*may, *more))
            if cycle is not None:
                found.append(cycle)
    return found


def _cycle(graph: Dependencies, name: str, must: Kinds, may: Kinds) -> Cycle | None:
    """Find a cycle: one edge of the kinds *must*, then the shortest way back."""
    component = _components(graph, {*must, *may})
    best: list[tuple[int, Dependency]] | None = None
    first: tuple[int, Dependency] | None = None
    tries = 0
    for before, behind in graph.edges.items():
        for after, reasons in behind.items():
            kind = _first(must, reasons)
            if kind is None or component.get(before) != component.get(after):
                continue
            tries += 1
            back = _way(graph, after, before, may, component)
            if back is not None and (best is None or len(back) < len(best)):
                best, first = back, (before, kind)
        if tries > _TRIES and best is not None:
            break
    if best is None or first is None:
        return None
    way = [first, *best]
    members = tuple(number for number, _ in way)
    kinds: list[Dependency] = [kind for _, kind in way]
    following = [*members[1:], members[0]]
    why = tuple(
        f"{kind}: {graph.edges[a][b][kind]}"
        for a, b, kind in zip(members, following, kinds, strict=True)
    )
    return Cycle(name, members, why)


def _first(kinds: Kinds, reasons: dict[Dependency, str]) -> Dependency | None:
    for kind in kinds:
        if reasons.get(kind) is not None:
            return kind
    return None


def _way(
    graph: Dependencies, begin: int, end: int, kinds: Kinds, component: dict[int, int]
) -> list[tuple[int, Dependency]] | None:
    """Find the shortest way by edges of some kinds, as (from, kind) of each edge."""
    came: dict[int, tuple[int, Dependency]] = {}
    queue = deque([begin])
    while queue:
        number = queue.popleft()
        for after, reasons in graph.edges.get(number, {}).items():
            kind = _first(kinds, reasons)
            if kind is None or after in came or component.get(after) != component.get(begin):
                continue
            came[after] = (number, kind)
            if after == end:
                way: list[tuple[int, Dependency]] = []
                place = end
                while place != begin or not way:
                    number, kind = came[place]
                    way.append((number, kind))
                    place = number
                return way[::-1]
            queue.append(after)
    return None


def _components(graph: Dependencies, kinds: set[Dependency]) -> dict[int, int]:
    """Number the strongly connected components (Tarjan, 1972), without recursion."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    component: dict[int, int] = {}
    open_: list[int] = []

    def successors(number: int) -> Iterator[int]:
        for after, reasons in graph.edges.get(number, {}).items():
            if not kinds.isdisjoint(reasons):
                yield after

    for root in list(graph.edges):
        if root in index:
            continue
        index[root] = low[root] = len(index)
        open_.append(root)
        work = [(root, successors(root))]
        while work:
            number, rest = work[-1]
            for after in rest:
                if after not in index:
                    index[after] = low[after] = len(index)
                    open_.append(after)
                    work.append((after, successors(after)))
                    break
                if after not in component:
                    low[number] = min(low[number], index[after])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[number])
                if low[number] == index[number]:
                    while True:
                        member = open_.pop()
                        component[member] = number
                        if member == number:
                            break
    return component
