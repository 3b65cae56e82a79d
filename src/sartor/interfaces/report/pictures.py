"""The pictures of a report, as SVG text; colours come from the page, so that they follow its light or dark look."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

from sartor.interfaces.report.facts import TemplateFacts

_WIDTH = 900  # of all pictures, in units of their own; the page scales them
_LABEL = 430  # of it, for the names of templates
_LINE = 24  # the height of a row


def seconds_text(seconds: float) -> str:
    """Seconds with a unit that leaves one to three digits before the point.

    >>> seconds_text(0.00042), seconds_text(0.0042), seconds_text(4.2), seconds_text(420)
    ('420 µs', '4.2 ms', '4.2 s', '420 s')
    """
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < _THOUSAND:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds < _THOUSAND else f"{seconds:.0f} s"


_THOUSAND = 1000.0


def bars(rows: Sequence[tuple[str, Sequence[tuple[str, str, float]]]]) -> str:
    """Horizontal bars with segments; each row a label and its segments: a style's name, a title and seconds."""
    longest = max((sum(value for _, _, value in segments) for _, segments in rows), default=0.0) or 1.0
    room = _WIDTH - 150 - 110
    parts = []
    for place, (label, segments) in enumerate(rows):
        top = 8 + place * 44
        parts.append(f'<text x="140" y="{top + 20}" text-anchor="end">{escape(label)}</text>')
        left = 150.0
        for style, title, value in segments:
            width = room * value / longest
            text = f"{title}: {seconds_text(value)}"
            parts.append(
                f'<rect class="{style}" x="{left:.1f}" y="{top}" width="{max(width, 0.5):.1f}" height="30" rx="2">'
                f"<title>{escape(text)}</title></rect>"
            )
            left += width
        total = sum(value for _, _, value in segments)
        parts.append(f'<text x="{left + 8:.1f}" y="{top + 20}">{seconds_text(total)}</text>')
    return svg(len(rows) * 44 + 8, parts, "Seconds of all observed reads, before and after")


def dumbbells(templates: Sequence[TemplateFacts]) -> str:
    """For each template its plain and its tuned time on a logarithmic scale, joined by a line."""
    values = [value for template in templates for value in (template.plain_seconds, template.tuned_seconds) if value > 0]
    if not values:
        return ""
    low, high = floor(log10(min(values))), max(ceil(log10(max(values))), floor(log10(min(values))) + 1)
    room = _WIDTH - _LABEL - 30

    def across(seconds: float) -> float:
        return _LABEL + 10 + room * (log10(max(seconds, 10.0**low)) - low) / (high - low)

    bottom = 26 + len(templates) * _LINE
    parts = []
    for power in range(low, high + 1):
        x = across(10.0**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="20" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="14" text-anchor="middle">{seconds_text(10.0**power)}</text>')
    for place, template in enumerate(templates):
        y = 26 + place * _LINE + _LINE / 2
        before, after = across(template.plain_seconds), across(template.tuned_seconds)
        text = " ".join(template.template.split())
        told = f"{text}\n{template.runs} runs, plain {seconds_text(template.plain_seconds)}"
        told += f", tuned {seconds_text(template.tuned_seconds)}" if template.measured else f"; runs plain: {template.reason}"
        parts.append(f"<g><title>{escape(told)}</title>")
        parts.append(f'<text class="small" x="{_LABEL}" y="{y + 4:.1f}" text-anchor="end">{escape(shortened(text, 62))}</text>')
        if template.measured:
            parts.append(f'<line class="joined" x1="{after:.1f}" y1="{y:.1f}" x2="{before:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<circle class="tuned" cx="{after:.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(f'<circle class="plain" cx="{before:.1f}" cy="{y:.1f}" r="5"/></g>')
    return svg(bottom + 6, parts, "Seconds of one run of each template, plain and tuned, on a logarithmic scale")


def shortened(text: str, length: int) -> str:
    """A text cut to a length, with dots where it was cut.

    >>> shortened("SELECT 1", 20), shortened("SELECT something FROM somewhere", 12)
    ('SELECT 1', 'SELECT some…')
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def svg(height: float, parts: Sequence[str], title: str) -> str:
    """A picture of the usual width with a title for whoever can not see it."""
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg">'
        + "".join(parts)
        + "</svg>"
    )
