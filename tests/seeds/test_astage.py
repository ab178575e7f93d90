"""Every code block of astage's README runs, with only its import lines changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from foreign_code import blocks, run

BLOCKS = blocks(Path(__file__).with_name("astage.txt"))
PRINTED = [
    """\
Count is now: 5
Count is now: 10
Echo: Hello, Actor!
Count is now: 15
None
""",
    "Count is now 10\n",
]


@pytest.mark.parametrize(("code", "printed"), list(zip(BLOCKS, PRINTED, strict=True)))
def test_a_block_of_astage_prints_what_its_comments_expect(
    code: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(code, "astage")
    assert capsys.readouterr().out == printed
