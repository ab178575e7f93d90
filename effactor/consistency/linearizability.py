"""Linearizability: each operation seems to take effect at once, between its beginning and its end.

Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects", 1990.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, final

from typing_extensions import override

from effactor.consistency.diagram import diagram, moments
from effactor.consistency.model import Model, check_hashable
from effactor.consistency.operations import operations_of
from effactor.consistency.report import Report, Verdict
from effactor.consistency.search import DeadEnd, Found, search
from effactor.coordination.handle import count

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from effactor.consistency.history import History, Operation
    from effactor.consistency.model import Partition

LIMIT: Final = 1_000_000

_SHOWN: Final = 12
_STATES: Final = 4


@final
@dataclass(frozen=True)
class Linearizability(Report):
    """Whether a history is linearizable; `str` explains it.

    Attributes:
        model: Name of the model.
        parts: How many parts were judged by themselves.
        order: If ok: the operations in an order that the model allows, part after part.
        part: Key of the part that is violated or, if unknown, was too hard; None without
            a partition.
        stuck: The operation that cannot be placed: every order of what ended before it
            leaves no place for it. If unknown: the one that was reached.
        prefix: Operations that ended before it, in order of beginning: with its end left
            out they are still linearizable.
        dead_ends: The states in which it would have to take effect, each with an order of
            operations that leads to it.
    """

    model: str
    parts: int
    order: tuple[Operation, ...] = ()
    part: Hashable = None
    stuck: Operation | None = None
    prefix: tuple[Operation, ...] = ()
    dead_ends: tuple[DeadEnd, ...] = ()
    _answers: tuple[str, ...] = field(default=(), repr=False)

    @override
    def __repr__(self) -> str:
        return f"<{self._summary()}>"

    def _summary(self) -> str:
        counted = f"{self.operations} operations"
        if self.parts > 1:
            counted += f" in {self.parts} parts"
        effort = f"{self.configurations} configurations explored"
        match self.verdict:
            case "ok":
                return f"linearizable as {self.model}: {counted}, {effort}"
            case "violated":
                where = "" if self.part is None else f", part {self.part!r}"
                return f"not linearizable as {self.model}{where}: {counted}, {effort}"
            case "unknown":
                return (
                    f"unknown whether linearizable as {self.model}: {counted}, "
                    f"gave up after {effort} (limit={self.limit})"
                )

    @override
    def __str__(self) -> str:
        if self.verdict == "ok" or self.stuck is None:
            return self._summary()
        if self.verdict == "unknown":
            return f"{self._summary()}; the hardest so far: {_called(self.stuck)}"
        lines = [self._summary(), "", f"cannot be placed: {_called(self.stuck)}"]
        before = len(self.prefix)
        lines.append(
            f"the {before} operation{'' if before == 1 else 's'} that ended before it can; then"
            if before
            else "no operation ended before it;"
        )
        lines += [f"  {answer}" for answer in self._answers]
        shown = self._near(self.stuck)
        hidden = self.operations - len(shown)
        if hidden:
            plural = "" if hidden == 1 else "s"
            lines += ["", f"around it, in order of time ({hidden} operation{plural} not shown):"]
        else:
            lines += ["", "in order of time:"]
        lines += ["", diagram(shown, {self.stuck.number: "<- cannot be placed"})]
        return "\n".join(lines)

    def _near(self, stuck: Operation) -> tuple[Operation, ...]:
        """Choose what to draw: what overlaps the operation, then what came last before."""
        order = max((end.order for end in self.dead_ends), key=len, default=())
        placed = {operation.number for operation in order}
        others = [o for o in (*self.prefix, *order) if o.number != stuck.number]
        unique = {operation.number: operation for operation in others}
        overlapping = [o for o in unique.values() if _ended(o) > stuck.begin]
        earlier = [o for o in unique.values() if _ended(o) <= stuck.begin]
        earlier.sort(key=_ended)
        # What overlaps and was placed explains the state; the latest explain it best.
        overlapping.sort(key=lambda o: (o.number in placed, o.begin))
        chosen = (earlier + overlapping)[-(_SHOWN - 1) :]
        return tuple(sorted((*chosen, stuck), key=lambda o: o.begin))


def linearizable(
    history: History | Iterable[Operation],
    model: Model[Any],
    *,
    partition: Partition | None = None,
    limit: int = LIMIT,
) -> Linearizability:
    """Judge whether a history is linearizable.

    It is, if the model allows its operations in some order in which an operation that
    ended before another began comes before it. An operation of unknown outcome, or without
    an end, may take effect at any time after its beginning, or never; one that failed never
    does. If the object consists of independent parts, each part is judged by itself: the
    whole is linearizable if and only if all parts are (Herlihy and Wing's locality; Horn
    and Kroening's P-compositionality, 2015). That is much faster.

    Args:
        history: A history, or operations.
        model: What the object should do, used by one after another.
        partition: Of an operation: the key of the part that it concerns; the model's
            initial state is then that of a part. None takes the model's own.
        limit: How many configurations to explore at most, all parts together. Each is one
            call of the model; it takes a microsecond or more, and about 100 bytes.

    Returns:
        A report with the verdict `"ok"`, `"violated"`, or `"unknown"` at the limit.

    Raises:
        TypeError: If an argument is of the wrong kind, or a state or key not hashable.
        ValueError: If *limit* is below 1, or an operation ends before it begins.
    """
    judged = operations_of("linearizable", history)
    if not isinstance(model, Model):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"linearizable: model must be a Model, such as models.register(), got {model!r}"
        raise TypeError(msg)
    if partition is not None and not callable(partition):
        msg = f"linearizable: partition must be a function of an operation, got {partition!r}"
        raise TypeError(msg)
    _ = count("linearizable", "limit", limit)
    parts = _parts(judged, partition or model.partition)
    explored = 0
    order: list[Operation] = []
    undecided: tuple[Hashable, Found] | None = None
    for key, part in parts:
        if explored >= limit and explored:
            # What is left is as unknown as the part that took everything.
            undecided = undecided or (key, Found("unknown", (), 0))
            break
        found = search(part, model, limit - explored)
        explored += found.configurations
        if found.verdict == "violated":
            return _report("violated", judged, explored, limit, model, parts, key, found, part)
        if found.verdict == "unknown":
            undecided = undecided or (key, found)
        order += found.order
    if undecided is not None:
        key, found = undecided
        return _report("unknown", judged, explored, limit, model, parts, key, found, ())
    return Linearizability("ok", len(judged), explored, limit, model.name, len(parts), tuple(order))


def _report(
    verdict: Verdict,
    judged: Sequence[Operation],
    explored: int,
    limit: int,
    model: Model[Any],
    parts: Sequence[tuple[Hashable, Sequence[Operation]]],
    key: Hashable,
    found: Found,
    part: Sequence[Operation],
) -> Linearizability:
    stuck = found.stuck
    prefix: tuple[Operation, ...] = ()
    answers: tuple[str, ...] = ()
    if stuck is not None and verdict == "violated":
        end = _ended(stuck)
        prefix = tuple(o for o in part if o.outcome == "ok" and _ended(o) < end)
        answers = tuple(_answers(model, stuck, found.dead_ends))
    return Linearizability(
        verdict,
        len(judged),
        explored,
        limit,
        model.name,
        len(parts),
        part=key,
        stuck=stuck,
        prefix=prefix,
        dead_ends=found.dead_ends,
        _answers=answers,
    )


def _parts(
    operations: Sequence[Operation], partition: Partition | None
) -> list[tuple[Hashable, list[Operation]]]:
    """Divide operations by key, smallest part first: cheap verdicts come before hard ones."""
    if partition is None:
        return [(None, list(operations))]
    parts: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        key = partition(operation.value)
        check_hashable("linearizable", "the key that partition returns", key)
        parts.setdefault(key, []).append(operation)
    return sorted(parts.items(), key=lambda item: len(item[1]))


def _answers(model: Model[Any], stuck: Operation, dead_ends: Sequence[DeadEnd]) -> list[str]:
    """Say for each state what the operation would have answered in it."""
    lines: list[str] = []
    for end in dead_ends[:_STATES]:
        allowed = [answer for _, answer in model.outcomes(end.state, stuck.value)]
        state = _cut(repr(end.state))
        if not allowed:
            would = "it cannot take place"
        elif any(answer == stuck.result for answer in allowed):
            would = "it fits, but what must come after it does not"
        else:
            would = f"it would answer {' or '.join(_cut(repr(answer)) for answer in allowed)}"
        last = f", after {end.order[-1]}" if end.order else ""
        lines.append(f"with the state {state}{last}: {would}")
    if len(dead_ends) > _STATES:
        lines.append(f"and {len(dead_ends) - _STATES} states more")
    return lines


def _ended(operation: Operation) -> float:
    if operation.outcome != "ok" or operation.end is None:
        return float("inf")
    return operation.end


def _called(operation: Operation) -> str:
    by = f" by {operation.client}" if operation.client else ""
    return f"{operation}{by}{moments(operation)}"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004
