"""Which transaction must come before which, by what they read and wrote.

Adya's dependencies ("Weak Consistency: A Generalized Theory", 1999): `ww`, a version is
replaced by another; `wr`, it is read; `rw`, what was read is replaced. Who appends to
lists shows their versions to every reader, as in Elle (Kingsbury and Alvaro, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from effactor.consistency.transactions import Kind, Transaction

Dependency = Literal["ww", "wr", "rw", "rt"]


@dataclass(slots=True)
class Dependencies:
    """The graph of a history.

    Attributes:
        edges: From each transaction to those that must come after it; by kind why, in words.
        faults: Anomalies that are no cycles: name, words, and who is concerned.
        certain: Whether all dependencies are known.
    """

    edges: dict[int, dict[int, dict[Dependency, str]]] = field(default_factory=dict[Any, Any])
    faults: list[tuple[str, str, tuple[int, ...]]] = field(default_factory=list[Any])
    certain: bool = True

    def add(self, kind: Dependency, before: int, after: int, why: str) -> None:
        """Add a dependency, if it is one between two."""
        if before != after:
            self.edges.setdefault(before, {}).setdefault(after, {}).setdefault(kind, why)


class Inference:
    """What can be inferred from the transactions of a history."""

    def __init__(
        self,
        transactions: Sequence[Transaction],
        kinds: Mapping[Hashable, Kind],
        versions: Mapping[Any, Sequence[Hashable]],
    ) -> None:
        """Prepare.

        Args:
            transactions: All, the failed ones too.
            kinds: Of each key that is written, what it holds.
            versions: Of some keys with single values, these values in the order written.
        """
        self.graph: Dependencies = Dependencies()
        self.versions: Mapping[Any, Sequence[Hashable]] = versions
        self.by_number: dict[int, Transaction] = {t.operation.number: t for t in transactions}
        self.kinds: dict[Hashable, Kind] = dict(kinds)
        # By key and value, the numbers of those who wrote it.
        self.writers: dict[Hashable, dict[Hashable, list[int]]] = {}
        self.readers: dict[Hashable, list[Transaction]] = {}
        for transaction in transactions:
            number = transaction.operation.number
            for key, values in transaction.writes.items():
                of_key = self.writers.setdefault(key, {})
                for value in values:
                    of_key.setdefault(value, []).append(number)
            if transaction.committed:
                for key, answer in transaction.reads.items():
                    if isinstance(answer, tuple):
                        self.kinds.setdefault(key, "list")
                    self.readers.setdefault(key, []).append(transaction)
        # Those of unknown outcome have taken effect if somebody saw it.
        self.effective: set[int] = {n for n, t in self.by_number.items() if t.committed}

    def infer(self) -> Dependencies:
        """Make the graph.

        Returns:
            It, over the numbers of the operations.

        Raises:
            ValueError: If a value is appended twice to one key.
        """
        self._find_effective()
        for number, transaction in self.by_number.items():
            if transaction.committed:
                for words in transaction.internal:
                    self.graph.faults.append(("internal", words, (number,)))
        keys = dict.fromkeys([*self.kinds, *self.readers])
        for key in keys:
            if self.kinds.get(key) == "list":
                self._list(key)
            else:
                self._register(key)
        return self.graph

    def _find_effective(self) -> None:
        for key, values in self.versions.items():
            for value in values:
                self.effective.update(self._possible(key, value))
        for key, readers in self.readers.items():
            for reader in readers:
                answer = reader.reads[key]
                for value in answer if self.kinds.get(key) == "list" else (answer,):
                    self.effective.update(self._possible(key, value))

    def _possible(self, key: Hashable, value: Hashable) -> list[int]:
        """List who may have written a value that was read: if it is one, it has."""
        writers = self.writers.get(key, {}).get(value, [])
        possible = [n for n in writers if self.by_number[n].operation.outcome != "fail"]
        # None may also be the value before any.
        return possible if len(possible) == 1 and value is not None else []

    def _read_of(self, key: Hashable, value: Hashable, reader: int) -> int | None:
        """Find whose value was read, and note if it should not have been."""
        writers = self.writers.get(key, {}).get(value, [])
        if not writers:
            words = f"read {value!r} of {key!r}, which nobody wrote"
            self.graph.faults.append(("garbage-read", words, (reader,)))
            return None
        writer = writers[0]
        if all(self.by_number[n].operation.outcome == "fail" for n in writers):
            words = f"read {value!r} of {key!r}, written by T{writer}, which failed"
            self.graph.faults.append(("G1a", words, (reader, writer)))
            return None
        return writer if len(writers) == 1 else None

    def _not_intermediate(self, key: Hashable, value: Hashable, reader: int, writer: int) -> None:
        last = self.by_number[writer].writes[key][-1]
        if writer != reader and value != last:
            words = (
                f"read {value!r} of {key!r}, which T{writer} followed by {last!r} "
                "in the same transaction"
            )
            self.graph.faults.append(("G1b", words, (reader, writer)))

    # ------------------------------------------------------------ lists

    def _list(self, key: Hashable) -> None:
        for value, writers in self.writers.get(key, {}).items():
            if len(writers) > 1:
                msg = (
                    f"serializable: {value!r} is appended to {key!r} twice, by "
                    f"T{writers[0]} and T{writers[1]}; append values that differ"
                )
                raise ValueError(msg)
        readers = self.readers.get(key, [])
        order: tuple[Hashable, ...] = ()
        owner = -1
        for reader in readers:
            answer = reader.reads[key]
            if len(answer) > len(order):
                order, owner = answer, reader.operation.number
        for reader in readers:
            number, answer = reader.operation.number, reader.reads[key]
            if order[: len(answer)] != answer:
                words = f"read {answer!r} of {key!r}, T{owner} read {order!r}: neither is first"
                self.graph.faults.append(("incompatible-order", words, (number, owner)))
        if len(set(order)) < len(order):
            words = f"read {order!r} of {key!r}, with a value twice"
            self.graph.faults.append(("duplicate-elements", words, (owner,)))
        authors = [self._read_of(key, value, owner) for value in order]
        # What nobody has read comes after all that somebody has.
        seen = set(order)
        unseen = [
            (value, writer)
            for value, (writer, *_) in self.writers.get(key, {}).items()
            if value not in seen and writer in self.effective
        ]
        for place, (value, author) in enumerate(zip(order, authors, strict=True)):
            if author is None:
                continue
            if place + 1 < len(order):
                behind = [(order[place + 1], authors[place + 1])]
            else:
                behind = list(unseen)
            for later, writer in behind:
                if writer is not None:
                    why = f"T{writer} appended {later!r} to {key!r} after {value!r}"
                    self.graph.add("ww", author, writer, why)
        for reader in readers:
            self._list_read(key, reader, order, authors, unseen)

    def _list_read(
        self,
        key: Hashable,
        reader: Transaction,
        order: tuple[Hashable, ...],
        authors: list[int | None],
        unseen: Sequence[tuple[Hashable, int | None]],
    ) -> None:
        number, answer = reader.operation.number, reader.reads[key]
        if order[: len(answer)] != answer:
            return
        size = len(answer)
        if size:
            author = authors[size - 1]
            if author is not None:
                why = f"T{number} read {answer[-1]!r} of {key!r}, appended by T{author}"
                self.graph.add("wr", author, number, why)
                self._not_intermediate(key, answer[-1], number, author)
        behind = [(order[size], authors[size])] if size < len(order) else unseen
        for later, writer in behind:
            if writer is not None:
                why = f"T{number} read {key!r} without {later!r}, which T{writer} appended"
                self.graph.add("rw", number, writer, why)

    # ------------------------------------------------------------ single values

    def _register(self, key: Hashable) -> None:
        written = {
            value: writers
            for value, writers in self.writers.get(key, {}).items()
            if any(n in self.effective for n in writers)
        }
        readers = self.readers.get(key, [])
        possible = {
            value: [n for n in writers if self.by_number[n].operation.outcome != "fail"]
            for value, writers in self.writers.get(key, {}).items()
        }
        repeated = any(len(writers) > 1 for writers in (*written.values(), *possible.values()))
        if repeated or possible.get(None):
            # Whose value was read is not known.
            self.graph.certain = False
            for reader in readers:
                value = reader.reads[key]
                if value is not None:
                    _ = self._read_of(key, value, reader.operation.number)
            return
        sources: dict[int, int | None] = {}
        for reader in readers:
            number, value = reader.operation.number, reader.reads[key]
            if value is None:
                continue
            author = self._read_of(key, value, number)
            sources[number] = author
            if author is not None:
                why = f"T{number} read {value!r} of {key!r}, put by T{author}"
                self.graph.add("wr", author, number, why)
                self._not_intermediate(key, value, number, author)
        after = self._version_order(key, written)
        for earlier, later_ones in after.items():
            for later in later_ones:
                writer = written[later][0]
                if earlier is not None:
                    why = f"T{writer} put {later!r} to {key!r} after {earlier!r}"
                    self.graph.add("ww", written[earlier][0], writer, why)
        for reader in readers:
            number, value = reader.operation.number, reader.reads[key]
            for later in after.get(value, ()):
                writer = written[later][0]
                why = f"T{number} read {value!r} of {key!r}, which T{writer} replaced by {later!r}"
                self.graph.add("rw", number, writer, why)

    def _version_order(
        self, key: Hashable, written: Mapping[Hashable, list[int]]
    ) -> dict[Hashable, list[Hashable]]:
        """Order the values of a key: of each, the next ones that are known.

        The value before any is None.
        """
        given = self.versions.get(key)
        if given is not None:
            listed: list[Hashable] = [value for value in dict.fromkeys(given) if value in written]
            missing = [value for value in written if value not in listed]
            if missing:
                msg = f"serializable: versions of {key!r} lack {missing[0]!r}, which was written"
                raise ValueError(msg)
            return {a: [b] for a, b in zip([None, *listed], listed, strict=False)}
        after: dict[Hashable, list[Hashable]] = {None: list(written)}
        for number in sorted(self.effective):
            transaction = self.by_number[number]
            values = transaction.writes.get(key)
            if not values:
                continue
            # Who reads and then writes in one transaction replaces what was read.
            chain = list(values)
            if key in transaction.reads and transaction.reads[key] in written:
                chain.insert(0, transaction.reads[key])
            for earlier, later in pairwise(chain):
                after.setdefault(earlier, []).append(later)
        # Each value has one predecessor at most. So if there is no fork, as many links as
        # one chain has make one chain, or else a cycle, which is an anomaly.
        links = [len(after.get(value, ())) for value in written]
        if written and (max(links) > 1 or sum(links) < len(written) - 1):
            self.graph.certain = False
        return after
