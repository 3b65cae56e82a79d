"""The pictures of copies: their row groups between two dimensions, and what templates read of them, as SVG text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from html import escape

from sartor.interfaces.report.copies import CopyFacts, Served
from sartor.interfaces.report.pictures import shortened, svg
from sartor.interfaces.report.zones import Block, Span

SHADES = ("none", "up to 10 %", "up to 25 %", "up to 50 %", "up to 75 %", "more")
"""What the shades of row groups mean, from the style `read0` on: the share of runs that read them."""

_BOUNDS = (0.0, 0.1, 0.25, 0.5, 0.75)
_LEFT, _TOP, _WIDE, _HIGH = 150, 12, 700, 300  # of the field, in units of the picture
_LABEL, _ROOM, _LINE = 430, 420, 24
_NOWHERE: Span = (0.0, 1.0)


def shade(read: float) -> int:
    """The place of a share of runs among `SHADES`.

    >>> [shade(read) for read in (0.0, 0.01, 0.1, 0.3, 0.75, 1.0)]
    [0, 1, 1, 3, 4, 5]
    """
    return bisect_left(_BOUNDS, read)


def blocks(copy: CopyFacts) -> str:
    """The row groups of a copy as boxes between its two axes; small ones on top of large ones, each with its bounds."""
    across, up = copy.axes
    parts = [f'<rect class="field" x="{_LEFT}" y="{_TOP}" width="{_WIDE}" height="{_HIGH}"/>']
    for number, block in sorted(enumerate(copy.blocks), key=lambda item: -_area(item[1])):
        left, right = block.across or _NOWHERE
        bottom, top = block.up or _NOWHERE
        x, width = _LEFT + _WIDE * left, _WIDE * (right - left)
        y, height = _TOP + _HIGH * (1 - top), _HIGH * (top - bottom)
        first = number * copy.together
        last = min(first + copy.together, copy.row_groups) - 1
        which = f"row group {first:,}" if first == last else f"row groups {first:,} to {last:,}"
        told = f"{which}, {block.rows:,} rows\n{block.bounds}\nread by {block.read:.0%} of the runs"
        parts.append(
            f'<rect class="block read{shade(block.read)}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" '
            f'height="{max(height, 1):.1f}"><title>{escape(told)}</title></rect>'
        )
    bottom_line = _TOP + _HIGH
    for position, text in across.ticks:
        x = _LEFT + _WIDE * position
        parts.append(
            f'<text class="small" x="{x:.1f}" y="{bottom_line + 16}" text-anchor="middle">{escape(shortened(text, 16))}</text>'
        )
    for position, text in up.ticks:
        y = _TOP + _HIGH * (1 - position) + 4
        parts.append(f'<text class="small" x="{_LEFT - 8}" y="{y:.1f}" text-anchor="end">{escape(shortened(text, 20))}</text>')
    parts.append(
        f'<text x="{_LEFT + _WIDE / 2}" y="{bottom_line + 38}" text-anchor="middle">{escape(shortened(across.name, 90))}</text>'
        f'<text transform="translate(14 {_TOP + _HIGH / 2}) rotate(-90)" text-anchor="middle">{escape(shortened(up.name, 40))}</text>'
    )
    title = f"Row groups of {copy.name} by {across.name} and {up.name}, shaded by how many runs read them"
    return svg(bottom_line + 48, parts, title)


def shares(served: Sequence[Served]) -> str:
    """For each template the share of row groups that it reads before and after, and the least that it could."""
    known = [one for one in served if one.before is not None and one.after is not None]
    if not known:
        return ""
    bottom = 26 + len(known) * _LINE
    parts = []
    for percent in range(0, 101, 25):
        x = _across(percent / 100)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="20" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="14" text-anchor="middle">{percent} %</text>')
    for place, one in enumerate(known):
        assert one.before is not None
        assert one.after is not None
        y = 26 + place * _LINE + _LINE / 2
        text = " ".join(one.template.split())
        least = "" if one.bound is None else f", {one.bound:.1%} would do"
        told = f"{text}\n{one.runs} runs; {one.before:.1%} of the row groups before, {one.after:.1%} after{least}"
        parts.append(f"<g><title>{escape(told)}</title>")
        parts.append(f'<text class="small" x="{_LABEL}" y="{y + 4:.1f}" text-anchor="end">{escape(shortened(text, 62))}</text>')
        before, after = _across(one.before), _across(one.after)
        parts.append(f'<line class="joined" x1="{after:.1f}" y1="{y:.1f}" x2="{before:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<circle class="plain" cx="{before:.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(f'<circle class="tuned" cx="{after:.1f}" cy="{y:.1f}" r="5"/>')
        if one.bound is not None:
            parts.append(f'<rect class="cost" x="{_across(one.bound) - 1.5:.1f}" y="{y - 9:.1f}" width="3" height="18"/>')
        parts.append("</g>")
    return svg(bottom + 6, parts, "Share of the row groups that each template reads before and after, and the least that it could")


def _across(share: float) -> float:
    return _LABEL + 20 + _ROOM * min(share, 1.0)


def _area(block: Block) -> float:
    (left, right), (bottom, top) = block.across or _NOWHERE, block.up or _NOWHERE
    return (right - left) * (top - bottom)
