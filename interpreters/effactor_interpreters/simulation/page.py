"""A failure as one HTML file, which needs nothing else: no script, no network.

Whatever comes from the user (messages, errors, names) is text and nothing else: it is
escaped, and a content security policy forbids the page to load or run anything.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from effactor.traces.wording import brief, one_line, sentence
from effactor_interpreters.simulation.diagram import ARROWS, SHOWN
from effactor_interpreters.simulation.events import short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from effactor.traces.record import Record

_ROW: Final = 34
_COLUMN: Final = 190
_TIMES: Final = 110  # width of the column of times
_HEAD: Final = 44
_LABEL: Final = 26  # characters above an arrow
_HOVER: Final = 500
_MOST: Final = 2_000  # records that are drawn

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c2430; background: #fff; }
h1 { font-size: 1.3rem; color: #a3172d; white-space: pre-wrap; overflow-wrap: anywhere; }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: #f3f5f8; padding: .15em .35em; }
pre { padding: .8em; overflow: auto; }
li { margin: .2em 0; }
svg { font: 12px ui-monospace, monospace; }
.lane { stroke: #c9d1dc; }
.name { font-weight: 600; text-anchor: middle; }
.time { fill: #6a7686; text-anchor: end; }
.arrow { stroke: #33435a; fill: none; }
.reply { stroke-dasharray: 5 3; }
.failure { stroke: #a3172d; }
.label { text-anchor: middle; }
.deviation { fill: #fff0c2; }
.finding { fill: #a3172d; font-weight: 600; }
"""


def page(
    title: str,
    facts: Sequence[tuple[str, Sequence[str]]],
    records: Sequence[Record],
    marks: Mapping[int, str],
    trace: str,
) -> str:
    """Write the page.

    Args:
        title: What was found.
        facts: Headings, each with lines.
        records: What to draw.
        marks: Remarks by number of the record; these rows are highlighted.
        trace: The whole trace as text.

    Returns:
        HTML.
    """
    blocks: list[str] = []
    for heading, lines in facts:
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        if items:
            blocks.append(f"<h2>{escape(heading)}</h2>\n<ul>{items}</ul>")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(one_line(title, 80))}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{"".join(blocks)}
<h2>What happened</h2>
{_drawing(records, marks, title)}
<details><summary>The whole trace</summary><pre>{escape(trace)}</pre></details>
</body>
</html>
"""


def _drawing(records: Sequence[Record], marks: Mapping[int, str], title: str) -> str:
    drawn = [r for r in records if r.kind in SHOWN or r.step in marks]
    left_out, drawn = max(0, len(drawn) - _MOST), drawn[-_MOST:]
    names: dict[str, int] = {}
    for record in drawn:
        for path in (record.source, record.target):
            names.setdefault(path, _TIMES + _COLUMN // 2 + len(names) * _COLUMN)
    width = _TIMES + max(1, len(names)) * _COLUMN + _COLUMN
    height = _HEAD + (len(drawn) + 2) * _ROW
    parts = [
        f'<line class="lane" x1="{x}" y1="{_HEAD - 12}" x2="{x}" y2="{height - _ROW}"/>'
        f'<text class="name" x="{x}" y="20">{_cut(short(path), _LABEL)}'
        f"<title>{escape(path)}</title></text>"
        for path, x in names.items()
    ]
    for row, record in enumerate(drawn):
        parts.append(_row(record, names, _HEAD + row * _ROW, width, marks.get(record.step)))
    y = height - _ROW // 2
    parts.append(f'<text class="finding" x="{_TIMES}" y="{y}">{_cut(title, 110)}</text>')
    note = f"<p>{left_out} earlier ones are not drawn.</p>" if left_out else ""
    return (
        f'{note}<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'role="img">{"".join(parts)}</svg>'
    )


def _row(record: Record, names: Mapping[str, int], y: int, width: int, mark: str | None) -> str:
    hover = f"<title>{escape(one_line(sentence(record), _HOVER))}</title>"
    here, there = names[record.source], names[record.target]
    line = y + _ROW // 2
    parts = [f"<g>{hover}"]
    if mark is not None:
        parts.append(
            f'<rect class="deviation" x="0" y="{y - 4}" width="{width}" height="{_ROW - 2}"/>'
            f'<text x="{width - _COLUMN + 10}" y="{line}">{escape(mark)}</text>'
        )
    parts.append(f'<text class="time" x="{_TIMES - 20}" y="{line}">{record.time:.6g} s</text>')
    if record.kind in ARROWS and here != there:
        kind = record.kind if record.kind in {"reply", "failure"} else ""
        tip = there - 6 if there > here else there + 6
        middle = (here + there) // 2
        text = _cut(brief(record.subject), max(_LABEL, abs(there - here) // 8))
        parts.append(
            f'<text class="label" x="{middle}" y="{line - 5}">{text}</text>'
            f'<path class="arrow {kind}" d="M{here} {line}H{there}"/>'
            f'<path class="arrow" d="M{tip} {line - 4}L{there} {line}L{tip} {line + 4}"/>'
        )
    else:
        words = _cut(sentence(record), _LABEL)
        parts.append(f'<text x="{here + 6}" y="{line}">* {words}</text>')
    return "".join((*parts, "</g>"))


def _cut(text: str, width: int) -> str:
    return escape(one_line(text, width))
