"""Serializability: transactions seem to run one after another.

Adya's PL-3, over the items that transactions name: a history is serializable if it has
none of the phenomena G0, G1a, G1b, G1c and G2 (Adya, Liskov and O'Neil, "Generalized
Isolation Level Definitions", 2000). With `strict`, the order must also keep that of real
time: strict serializability. Predicates, and so phantoms, are not covered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, Final, final

from typing_extensions import override

from effactor.consistency.cycles import cycles
from effactor.consistency.dependencies import Dependencies, Inference
from effactor.consistency.model import Model
from effactor.consistency.models import Get, Put
from effactor.consistency.operations import all_operations
from effactor.consistency.report import Report
from effactor.consistency.search import search
from effactor.consistency.transactions import Append, transactions
from effactor.coordination.handle import count

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from effactor.consistency.history import History, Operation
    from effactor.consistency.transactions import Kind, Transaction

LIMIT: Final = 100_000


@dataclass(frozen=True)
class Anomaly:
    """Something that no serial order explains.

    Attributes:
        name: `"G0"` (dirty write), `"G1a"` (read of what failed), `"G1b"` (read of what was
            not final), `"G1c"` (circular information flow), `"G-single"` (such as read skew
            and lost updates), `"G2"` (such as write skew); with `-realtime` if it needs the
            order of real time; `"internal"` (a transaction contradicts itself),
            `"incompatible-order"`, `"duplicate-elements"`, `"garbage-read"`, or
            `"no-serial-order"` if all orders were tried.
        transactions: Who is concerned; of a cycle each must come before the next, and the
            last before the first.
        reasons: In words.
    """

    name: str
    transactions: tuple[Operation, ...]
    reasons: tuple[str, ...]


@final
@dataclass(frozen=True)
class Serializability(Report):
    """Whether a history is serializable; `str` explains it.

    Attributes:
        strict: Whether the order of real time had to be kept.
        anomalies: What is wrong.
    """

    strict: bool
    anomalies: tuple[Anomaly, ...] = ()
    _words: tuple[str, ...] = ()

    @override
    def __repr__(self) -> str:
        return f"<{self._summary()}>"

    def _summary(self) -> str:
        what = "strictly serializable" if self.strict else "serializable"
        counted = f"{self.operations} transactions"
        match self.verdict:
            case "ok":
                return f"{what}: {counted}"
            case "violated":
                names = ", ".join(dict.fromkeys(anomaly.name for anomaly in self.anomalies))
                return f"not {what} ({names}): {counted}"
            case "unknown":
                return (
                    f"unknown whether {what}: {counted}, gave up after "
                    f"{self.configurations} configurations (limit={self.limit})"
                )

    @override
    def __str__(self) -> str:
        return "\n".join([self._summary(), *self._words])


def serializable(
    history: History | Iterable[Operation],
    *,
    strict: bool = False,
    versions: Mapping[Any, Sequence[Hashable]] | None = None,
    limit: int = LIMIT,
) -> Serializability:
    """Judge whether a history of transactions is serializable (Adya's PL-3).

    The value of each operation is a sequence of steps, `Get(key)`, `Put(key, value)` and
    `Append(key, value)`, and its result a sequence with one item for each step: of a `Get`
    what it read, a list for keys that are appended to; of others anything. Keys begin with
    None, or with an empty list.

    Dependencies between transactions are inferred from what they read, and a cycle of them is
    an anomaly with a name. For keys that are appended to, each value once, this decides the
    question. For keys that are put it does if all versions of a key are ordered, by
    *versions* or because each transaction that puts has read before; else, if no anomaly is
    found, serial orders are tried up to *limit*.

    Args:
        history: A history, or operations. Those that failed were aborted; those of unknown
            outcome count if somebody has read what they wrote.
        strict: Whether a transaction that ended before another began must come before it.
        versions: Of keys that are put: all values written, in the order in which the store
            has taken them, where that is known.
        limit: How many configurations to explore at most, if orders have to be tried.

    Returns:
        A report with the verdict `"ok"`, `"violated"`, or `"unknown"` at the limit.

    Raises:
        TypeError: If an operation is no sequence of steps, or an argument of the wrong kind.
        ValueError: If a value is appended twice to a key, a key is both appended to and put,
            *versions* lack a value, or *limit* is below 1.
    """
    operations = all_operations("serializable", history)
    _ = count("serializable", "limit", limit)
    found, kinds = transactions(operations)
    inference = Inference(found, kinds, versions or {})
    graph = inference.infer()
    judged = [t for t in found if t.operation.outcome != "fail"]
    if strict:
        _add_real_time(graph, [t.operation for t in judged], inference.effective)
    anomalies = _anomalies(graph, inference, strict=strict)
    if anomalies:
        words = tuple(_explained(anomalies, inference))
        return Serializability("violated", len(judged), 0, limit, strict, tuple(anomalies), words)
    if graph.certain:
        return Serializability("ok", len(judged), 0, limit, strict)
    return _tried(_sorted(judged, graph), kinds, strict=strict, limit=limit)


def _anomalies(graph: Dependencies, inference: Inference, *, strict: bool) -> list[Anomaly]:
    def operation(number: int) -> Operation:
        return inference.by_number[number].operation

    anomalies = [
        Anomaly(name, tuple(map(operation, members)), (words,))
        for name, words, members in graph.faults
    ]
    anomalies += [
        Anomaly(cycle.name, tuple(map(operation, cycle.members)), cycle.reasons)
        for cycle in cycles(graph, strict=strict)
    ]
    return anomalies


def _explained(anomalies: Sequence[Anomaly], inference: Inference) -> list[str]:
    """Explain the first anomaly of each name."""
    lines: list[str] = []
    seen: set[str] = set()
    for anomaly in anomalies:
        if anomaly.name in seen:
            continue
        seen.add(anomaly.name)
        lines += ["", f"{anomaly.name}:"]
        numbers = [operation.number for operation in anomaly.transactions]
        lines += [f"  {inference.by_number[number]}" for number in numbers]
        if len(anomaly.reasons) == 1:
            lines.append(f"  T{numbers[0]} {anomaly.reasons[0]}")
            continue
        for number, after, why in zip(
            numbers, [*numbers[1:], numbers[0]], anomaly.reasons, strict=True
        ):
            lines.append(f"  T{number} must come before T{after}, {why}")
    return lines


def _add_real_time(
    graph: Dependencies, operations: Sequence[Operation], effective: set[int]
) -> None:
    """Add edges of real time, but for those that follow from others."""
    records = sorted(
        [(o.begin, 1, o) for o in operations if o.number in effective]
        + [(o.end, 0, o) for o in operations if o.outcome == "ok" and o.end is not None],
        key=lambda record: record[:2],
    )
    # Who has ended, without those that somebody followed who has ended too.
    latest: dict[int, None] = {}
    followed: dict[int, list[int]] = {}
    for _, begins, operation in records:
        number = operation.number
        if begins:
            followed[number] = list(latest)
            for before in latest:
                graph.add("rt", before, number, f"T{before} ended before T{number} began")
        else:
            for before in followed[number]:
                latest.pop(before, None)
            latest[number] = None


def _sorted(judged: Sequence[Transaction], graph: Dependencies) -> list[Transaction]:
    """Sort transactions by their dependencies, and where these are silent by their end."""
    by_number = {t.operation.number: t for t in judged}
    waits = dict.fromkeys(by_number, 0)
    for behind in graph.edges.values():
        for number in behind:
            waits[number] += 1

    def entry(number: int) -> tuple[float, int]:
        end = by_number[number].operation.end
        return (float("inf") if end is None else end, number)

    ready = [entry(number) for number, count in waits.items() if count == 0]
    heapify(ready)
    order: list[Transaction] = []
    while ready:
        _, number = heappop(ready)
        order.append(by_number[number])
        for after in graph.edges.get(number, {}):
            waits[after] -= 1
            if waits[after] == 0:
                heappush(ready, entry(after))
    return order


def _tried(
    judged: Sequence[Transaction], kinds: Mapping[Hashable, Kind], *, strict: bool, limit: int
) -> Serializability:
    """Try serial orders: each transaction is one operation on the whole store."""
    size = len(judged)
    operations: list[Operation] = []
    for transaction in judged:
        operation = transaction.operation
        answers = tuple(
            answer if isinstance(step, Get) else None for step, answer in transaction.steps
        )
        value = tuple(step for step, _ in transaction.steps)
        operation = replace(operation, value=value, result=answers)
        if not strict:
            # All overlap, so that any order will do; the first to be tried is this one.
            end = size if operation.outcome == "ok" else None
            operation = replace(operation, begin=len(operations), end=end)
        operations.append(operation)
    found = search(operations, _store(kinds), limit)
    anomalies: tuple[Anomaly, ...] = ()
    words: tuple[str, ...] = ()
    if found.verdict == "violated":
        reason = f"no order of the {size} transactions explains what they read"
        anomalies = (Anomaly("no-serial-order", (), (reason,)),)
        words = ("", f"no-serial-order: {reason}")
    return Serializability(
        found.verdict, size, found.configurations, limit, strict, anomalies, words
    )


def _store(kinds: Mapping[Hashable, Kind]) -> Model[Any]:
    """Describe the whole store, with a transaction as one operation."""

    def apply(state: frozenset[Any], steps: tuple[Any, ...]) -> tuple[frozenset[Any], Any]:
        items: dict[Any, Any] = dict(state)
        answers: list[Any] = []
        for step in steps:
            before: Any = items.get(step.key, () if kinds.get(step.key) == "list" else None)
            answers.append(before if isinstance(step, Get) else None)
            if isinstance(step, Put):
                items[step.key] = step.value
            elif isinstance(step, Append):
                items[step.key] = (*before, step.value)
        return frozenset(items.items()), tuple(answers)

    begin: frozenset[Any] = frozenset()
    return Model(
        begin,
        apply,
        name="store",
        read_only=lambda steps, _: all(isinstance(step, Get) for step in steps),
    )
