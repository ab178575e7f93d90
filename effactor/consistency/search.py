"""The search for an order of operations that a model allows.

Wing and Gong's algorithm ("Testing and Verifying Concurrent Objects", 1993): try each
operation that no other precedes, go on from there, come back if that fails. With Lowe's
memory of the configurations already seen, each a set of ordered operations and a state
("Testing for Linearizability", 2017), in the form with a doubly linked list of records.

Three rules leave out branches without losing a verdict:

- An operation that only reads and whose answer fits can be ordered at once: if it fits
  somewhere later, it fits here too, and no other operation notices.
- An operation of unknown outcome need not take effect where it would leave the state as
  it is: it may as well never take effect.
- Of equal operations of unknown outcome, the one that began first goes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from effactor.consistency.model import check_hashable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from effactor.consistency.history import Operation
    from effactor.consistency.model import Model

Answer = Literal["ok", "violated", "unknown"]

# The operations ordered so far, last one first: (operation, the ones before) or None.
Path = tuple["Operation", Any] | None

_DEAD_ENDS: Final = 64


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """A configuration in which an operation has to be next, and cannot be.

    Attributes:
        order: The operations ordered before, in that order.
        state: The model's state after them.
    """

    order: tuple[Operation, ...]
    state: Hashable


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        verdict: `"unknown"` if it gave up.
        order: The operations in an order that the model allows, if there is one.
        configurations: How many were explored: reached by one more operation, whether or
            not its answer fits.
        stuck: The operation without which all earlier records can be explained, and with
            which they cannot; so far, if the search gave up.
        dead_ends: The different states in which it was tried in vain.
    """

    verdict: Answer
    order: tuple[Operation, ...]
    configurations: int
    stuck: Operation | None = None
    dead_ends: tuple[DeadEnd, ...] = ()


def search(operations: Sequence[Operation], model: Model[Any], limit: int) -> Found:
    """Look for an order of operations that a model allows.

    Args:
        operations: Those with outcome `"ok"` must be in the order, those with `"info"` may
            be; those with `"fail"` must have been left out.
        model: The sequential specification.
        limit: How many configurations to explore at most: it bounds time and memory.

    Returns:
        The order, or where it fails.

    Raises:
        TypeError: If a state of the model is not hashable.
        ValueError: If an operation that the model calls read-only changes a state.
    """
    return _Search(operations, model).run(limit)


class _Search:
    """The records of one history, linked, and what is needed to take operations out."""

    def __init__(self, operations: Sequence[Operation], model: Model[Any]) -> None:
        self.model: Model[Any] = model
        records: list[tuple[int, bool, Operation]] = []
        for operation in operations:
            records.append((operation.begin, False, operation))
            if operation.outcome == "ok":
                assert operation.end is not None
                records.append((operation.end, True, operation))
        # At equal times beginnings come first: then the operations overlap.
        records.sort(key=lambda record: record[:2])
        self.records: list[tuple[int, bool, Operation]] = records
        # The list is a ring through one record more, which is before the first one.
        size = len(records)
        self.next: list[int] = [*range(1, size + 1), 0]
        self.previous: list[int] = [size, *range(size)]
        self.bits: list[int] = [0] * size
        self.twins: list[int] = [0] * size
        self.ends: list[int] = [-1] * size
        self.reads: list[bool] = [False] * size
        self.completed: int = 0
        self._number(size)

    def _number(self, size: int) -> None:
        """Give each operation a bit, and link its beginning with its end."""
        begins: dict[int, int] = {}
        unknown: list[tuple[Any, int]] = []
        for place in range(size):
            _, is_end, operation = self.records[place]
            if is_end:
                self.ends[begins.pop(operation.number)] = place
            elif operation.outcome == "ok":
                begins[operation.number] = place
                self.bits[place] = self.completed
                read_only = self.model.read_only
                self.reads[place] = read_only is not None and read_only(
                    operation.value, operation.result
                )
                self.completed += 1
            else:
                bit = 1 << len(unknown)
                self.bits[place] = bit
                same = (b for value, b in reversed(unknown) if value == operation.value)
                self.twins[place] = next(same, 0)
                unknown.append((operation.value, bit))

    def run(self, limit: int) -> Found:
        following, previous, ends = self.next, self.previous, self.ends
        records, bits, twins, reads = self.records, self.bits, self.twins, self.reads
        outcomes = self.model.outcomes
        head = len(records)
        left = self.completed
        state: Any = self.model.initial
        # Which completed operations are ordered: all below `base`, and those of `mask`
        # from there on. So a configuration is as small as the history is concurrent.
        base = mask = taken = 0
        path: Path = None
        seen: set[tuple[int, int, int, Hashable]] = set()
        stack: list[tuple[int, Any, int, int, int, Path, Iterator[Any], bool]] = []
        explored = 0
        stuck = -1
        blocked: list[tuple[Path, Any]] = []
        place = following[head]
        choices: Iterator[Any] | None = None
        while left:
            _, is_end, operation = records[place]
            dead = is_end
            if is_end:
                if place >= stuck:
                    if place > stuck:
                        stuck = place
                        blocked.clear()
                    if len(blocked) < _DEAD_ENDS:
                        blocked.append((path, state))
            else:
                known = operation.outcome == "ok"
                if choices is None:
                    twin = twins[place]
                    if known or not twin or taken & twin:
                        explored += 1
                        if explored > limit:
                            return self._gave_up(limit, stuck, blocked)
                        choices = iter(outcomes(state, operation.value))
                    else:
                        choices = iter(())
                for following_state, answer in choices:
                    same = following_state is state or following_state == state
                    if (answer != operation.result) if known else same:
                        continue
                    if reads[place] and not same:
                        self._not_read_only(operation, state)
                    if known:
                        # `base` grows over the operations that are ordered without a gap.
                        after = mask | 1 << (bits[place] - base)
                        onwards = base
                        while after & 1:
                            after >>= 1
                            onwards += 1
                        key = (onwards, after, taken, following_state)
                    else:
                        key = (base, mask, taken | bits[place], following_state)
                    try:
                        if key in seen:
                            if reads[place]:
                                dead = True  # it failed before, and is as good as any
                                break
                            continue
                    except TypeError:
                        check_hashable(repr(self.model), "a state", following_state)
                        raise
                    seen.add(key)
                    stack.append((place, state, base, mask, taken, path, choices, reads[place]))
                    # Take its records out of the list.
                    before, behind = previous[place], following[place]
                    following[before], previous[behind] = behind, before
                    if known:
                        end = ends[place]
                        before, behind = previous[end], following[end]
                        following[before], previous[behind] = behind, before
                        left -= 1
                    base, mask, taken, state = key
                    path = (operation, path)
                    place = following[head]
                    choices = None
                    break
                else:
                    place = following[place]
                    choices = None
                if not dead:
                    continue
            # A dead end: undo until there is another choice.
            forced = True
            while forced:
                if not stack:
                    found = self._dead_ends(blocked)
                    return Found("violated", (), explored, records[stuck][2], found)
                place, state, base, mask, taken, path, choices, forced = stack.pop()
                if records[place][2].outcome == "ok":
                    end = ends[place]
                    following[previous[end]] = previous[following[end]] = end
                    left += 1
                following[previous[place]] = previous[following[place]] = place
        return Found("ok", _listed(path), explored)

    def _gave_up(self, explored: int, stuck: int, blocked: list[tuple[Path, Any]]) -> Found:
        operation = self.records[stuck][2] if stuck >= 0 else None
        return Found("unknown", (), explored, operation, self._dead_ends(blocked))

    def _not_read_only(self, operation: Operation, state: object) -> None:
        msg = (
            f"{self.model!r}: read_only is true for {operation}, which changes "
            f"the state {state!r}; the verdict would be wrong"
        )
        raise ValueError(msg)

    @staticmethod
    def _dead_ends(blocked: list[tuple[Path, Any]]) -> tuple[DeadEnd, ...]:
        """Keep one path to each state: the first that orders the most operations."""
        best: dict[Any, tuple[Operation, ...]] = {}
        for path, state in blocked:
            order = _listed(path)
            if len(order) > len(best.get(state, ())) or state not in best:
                best[state] = order
        return tuple(DeadEnd(order, state) for state, order in best.items())


def _listed(path: Path) -> tuple[Operation, ...]:
    order: list[Operation] = []
    while path is not None:
        operation, path = path
        order.append(operation)
    return tuple(reversed(order))
