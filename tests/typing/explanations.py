"""`explain` takes any program."""

from __future__ import annotations

from typing import assert_type

from vocabulary import Get, counter

from effactor import explain, free_ask, gather, pure, service
from effactor.programs.explaining import Explanation

assert_type(explain(pure(1)), Explanation)
assert_type(explain(free_ask(counter, Get()), lines=50, depth=3, branches=5, width=80), Explanation)
assert_type(explain(gather([pure(1)]).then(service(int))), Explanation)
assert_type(explain(pure(1)).to_text(), str)
assert_type(explain(pure(1)).to_mermaid(), str)

explain(pure)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
explain(pure(1), depth="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
explain(pure(1), 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
