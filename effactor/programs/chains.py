"""Chains: programs made by `map`, `bind`, `then`, `catch` and the like, as steps in order.

A chain of a million steps is a million nodes deep, to the left or to the right; its
steps are one flat sequence all the same, because `bind` is associative. Nothing here
recurses, and a program that occurs many times is looked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from effactor.programs.program import (
    Always,
    Attempt,
    Catch,
    ExitOf,
    FlatMap,
    Lash,
    Map,
    Program,
    Refine,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    AnyProgram = Program[Any, Any, Any]

# Each goes on from how its `source` ended.
_LINKS: Final = (Map, FlatMap, Lash, Catch, Attempt, ExitOf, Refine)
_GOING_ON: Final = (Map, FlatMap)

COUNTLESS: Final = 10**15
"""As many steps as are counted: parts used twice, again and again, soon make more."""


def is_chain(program: AnyProgram) -> bool:
    """Tell whether a program is a chain of at least two steps.

    Args:
        program: Any program.

    Returns:
        True for what `map`, `bind`, `catch`, `attempt` and the like make.
    """
    return isinstance(program, _LINKS)


class Chains:
    """The steps of chains, which may share parts."""

    def __init__(self) -> None:
        """Begin without having seen any."""
        # By identity: comparing chains of a million nodes would take too long. For each,
        # how many steps it has, and whether no step of it recovers from a failure.
        self._seen: dict[int, tuple[int, bool]] = {}

    def count(self, program: AnyProgram) -> int:
        """Count the steps.

        Args:
            program: Any program; it must outlive this object.

        Returns:
            How many `steps` there are, at most `COUNTLESS`.
        """
        seen = self._seen
        work = [program]
        while work:
            node = work[-1]
            if id(node) in seen:
                del work[-1]
                continue
            if not isinstance(node, _LINKS):
                seen[id(node)] = 1, True
                continue
            following = _following(node)
            missing = [p for p in (node.source, following) if p is not None and id(p) not in seen]
            if missing:
                work += missing
                continue
            number, plain = seen[id(node.source)]
            own, joins = (1, True) if following is None else seen[id(following)]
            total = min(number + (own if joins else 1), COUNTLESS)
            seen[id(node)] = total, plain and isinstance(node, _GOING_ON)
        return seen[id(program)][0]

    def steps(self, program: AnyProgram) -> Iterator[AnyProgram]:
        """Go through the steps from first to last, lazily.

        Args:
            program: Any program; a program that is no chain is its only step.

        Yields:
            Programs that are no chains, which run where they stand, and links, which
            stand for their own step and not for their source.
        """
        self.count(program)
        work: list[tuple[AnyProgram, bool]] = [(program, False)]
        while work:
            node, after_source = work.pop()
            if not isinstance(node, _LINKS):
                yield node
            elif not after_source:
                work += [(node, True), (node.source, False)]
            else:
                following = _following(node)
                # `p.then(q)` runs the steps of q after those of p. A recovery in q would
                # seem to be one for p too, so such a q stays together.
                if following is not None and self._seen[id(following)][1]:
                    work.append((following, False))
                else:
                    yield node


def _following(node: AnyProgram) -> AnyProgram | None:
    """Return what `then` goes on with, if *node* was made by `then`."""
    if isinstance(node, FlatMap) and isinstance(node.function, Always):
        return node.function.program
    return None
