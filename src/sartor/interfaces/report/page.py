"""The page of a report: one self-contained HTML file that asks nothing of the network."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from time import gmtime, strftime

from sartor.core.constants import REPORT_DECISIONS, REPORT_TEMPLATES
from sartor.interfaces.design_report import DesignLine
from sartor.interfaces.report.copies import CopyFacts, Served
from sartor.interfaces.report.facts import Facts, TemplateFacts
from sartor.interfaces.report.maps import SHADES, blocks, shares
from sartor.interfaces.report.pictures import bars, dumbbells, seconds_text, shortened

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1c1c;--paper:#fff;--faint:#767676;--rule:#ddd;--plain:#9a9a9a;--tuned:#0b6e4f;--cost:#d08c2e;
--read0:#fff;--read1:#d9efe6;--read2:#a5d8c3;--read3:#63b796;--read4:#2b8a68;--read5:#0b4f38}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--paper:#161616;--faint:#999;--rule:#383838;--plain:#777;--tuned:#3fbf8f;--cost:#e0a84e;
--read0:#161616;--read1:#12322a;--read2:#1a5142;--read3:#26785f;--read4:#35a981;--read5:#8ff0cb}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:2.2rem 0 .5rem}p{margin:.4rem 0}.faint{color:var(--faint)}
.head{font-size:1.25rem;margin:1rem 0}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem}th,td{text-align:left;padding:.3rem .6rem .3rem 0;vertical-align:top}
th{border-bottom:2px solid var(--rule);white-space:nowrap}td{border-bottom:1px solid var(--rule)}
.n{text-align:right;white-space:nowrap}
code{font:12px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
svg{width:100%;height:auto;font:14px system-ui,sans-serif}svg text{fill:var(--ink)}svg .small{font-size:11px}
svg .plain{fill:var(--plain)}svg .tuned{fill:var(--tuned)}svg .cost{fill:var(--cost)}
svg .grid{stroke:var(--rule)}svg .joined{stroke:var(--tuned);stroke-width:2;opacity:.5}
svg .field{fill:none;stroke:var(--rule)}svg .block{stroke:var(--faint);stroke-width:.7;fill-opacity:.85}
h3{font-size:1rem;margin:1.6rem 0 .3rem}
.read0{fill:var(--read0);--shade:var(--read0)}.read1{fill:var(--read1);--shade:var(--read1)}.read2{fill:var(--read2);--shade:var(--read2)}
.read3{fill:var(--read3);--shade:var(--read3)}.read4{fill:var(--read4);--shade:var(--read4)}.read5{fill:var(--read5);--shade:var(--read5)}
.tile{display:inline-block;width:1.1rem;height:.8rem;margin:0 .3rem 0 .9rem;border:1px solid var(--faint);background:var(--shade)}
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:.4rem;margin:0 .3rem 0 .9rem}
"""


def render(facts: Facts) -> str:
    """The page as text."""
    name = escape(facts.database)
    sections = [
        _head(facts),
        _totals(facts),
        _templates(facts),
        _built(facts.objects),
        _copies(facts.copies),
        _refused(facts),
        _plain(facts),
        _history(facts),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"/><title>Sartor: {name}</title>'
        f"<style>{_STYLE}</style></head><body>" + "".join(sections) + "</body></html>\n"
    )


def write(facts: Facts, path: Path) -> Path:
    """Write the page, whole or not at all; OSError if it can not be written."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".draft")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(render(facts))
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    return path


def _head(facts: Facts) -> str:
    runs = sum(template.runs for template in facts.templates)
    if not facts.templates:
        line = "Nothing has been asked yet. Ask some queries through Sartor, then tune."
    elif not facts.objects:
        line = f"{runs:,} reads took {seconds_text(facts.plain_seconds)} plain. Nothing is built; tune to see what would help."
    else:
        ratio = facts.plain_seconds / max(facts.tuned_seconds, 1e-9)
        line = (
            f"{runs:,} reads: {seconds_text(facts.plain_seconds)} plain, {seconds_text(facts.tuned_seconds)} with what is built: "
            f"<strong>{ratio:.1f} times faster</strong>"
        )
    made = strftime("%Y-%m-%d %H:%M UTC", gmtime())
    return f'<h1>{escape(facts.database)}</h1><p class="faint">as Sartor knows it, {made}</p><p class="head">{line}</p>'


def _totals(facts: Facts) -> str:
    if not facts.templates:
        return ""
    after = [("tuned", "reads as they run now", facts.tuned_seconds)]
    if facts.tune_seconds:
        after += [("cost", "building, once", facts.build_seconds)]
        after += [("cost", "the rest of tuning, once", max(0.0, facts.tune_seconds - facts.build_seconds))]
    picture = bars([("plain", [("plain", "reads, plain", facts.plain_seconds)]), ("with Sartor", after)])
    note = (
        "Each template counts by its median run, measured plain and tuned in turn by the trials of the rounds, times the runs that "
        "were observed: what those runs would have taken either way."
    )
    keys = _key("plain", "plain") + _key("tuned", "tuned") + _key("cost", "tuning")
    return f'<h2>All reads</h2>{picture}<p class="faint">{keys}<br/>{note}</p>'


def _templates(facts: Facts) -> str:
    shown = sorted(facts.templates, key=lambda template: -template.saved_seconds)[: int(REPORT_TEMPLATES.default)]
    if not shown:
        return ""
    left = len(facts.templates) - len(shown)
    more = f" {left} templates that save less are left out." if left else ""
    rows = [
        (
            f"<code>{escape(shortened(' '.join(template.template.split()), 160))}</code>",
            f"{template.runs:,}",
            seconds_text(template.plain_seconds),
            seconds_text(template.tuned_seconds) if template.measured else "",
            f"{template.plain_seconds / max(template.tuned_seconds, 1e-9):.1f}" if template.measured else "",
        )
        for template in shown
    ]
    table = _table(("template", "#runs", "#plain", "#tuned", "#times faster"), rows)
    return (
        f'<h2>Templates</h2>{dumbbells(shown)}<p class="faint">{_key("plain", "plain")}{_key("tuned", "tuned")}<br/>'
        f"Those that save most come first.{more}</p>{table}"
    )


def _built(objects: Sequence[DesignLine]) -> str:
    if not objects:
        return ""
    rows = [
        (
            escape(f"{line.component} of {line.source}"),
            escape(", ".join(line.definition.get("key", ())) or "its own order"),
            f"{line.rows:,}",
            f"{line.bytes_stored / 1e6:.1f} MB",
            seconds_text(line.build_seconds),
            str(line.templates),
            escape(line.freshness),
        )
        for line in objects
    ]
    columns = ("what", "by", "#rows", "#takes", "#built in", "#templates served", "state")
    return f"<h2>What is built</h2>{_table(columns, rows)}"


def _copies(copies: Sequence[CopyFacts]) -> str:
    """Where the rows of each copy lie, and what is read of it."""
    if not copies:
        return ""
    tiles = "".join(f'<span class="tile read{number}"></span>{escape(text)}' for number, text in enumerate(SHADES))
    note = (
        "Each box is a row group between the smallest and the largest value that DuckDB stores of it; the axes are stretched so that "
        "all bounds are equally far apart. The darker a box, the more runs of the templates below have conditions that do not rule it "
        f"out: {tiles}. Joins may rule out more."
    )
    return f'<h2>Where rows lie</h2><p class="faint">{note}</p>' + "".join(map(_copy, copies))


def _copy(copy: CopyFacts) -> str:
    parts = [f"<h3>{escape(shortened(copy.name, 200))}</h3>"]
    if copy.note:
        parts.append(f'<p class="faint">{escape(copy.note)}</p>')
    if copy.blocks:
        never = sum(not block.read for block in copy.blocks) * copy.together
        groups = f"{copy.row_groups:,} row groups"
        groups += f", {copy.together} in each box" if copy.together > 1 else ""
        groups += f"; no run observed reads {never:,} of them" if never and copy.served else ""
        parts.append(f"{blocks(copy)}<p>{groups}.</p>")
    if copy.served:
        keys = _key("plain", "as written") + _key("tuned", "from the copy") + _key("cost", "all rows that pass, lying together")
        picture = shares(copy.served)
        told = "Share of the table's row groups that DuckDB scanned, rows appended since among them."
        parts.append(f'{picture}<p class="faint">{keys}<br/>{told}</p>' if picture else "")
        columns = ("template", "#runs", "#as written", "#from the copy", "#at least", "what is not known")
        parts.append(_table(columns, map(_served, copy.served)))
    return "".join(parts)


def _served(one: Served) -> tuple[str, ...]:
    text = shortened(" ".join(one.template.split()), 160)
    known = ("" if share is None else f"{share:.1%}" for share in (one.before, one.after, one.bound))
    return (f"<code>{escape(text)}</code>", f"{one.runs:,}", *known, escape(one.reason))


def _refused(facts: Facts) -> str:
    if not facts.refused:
        return ""
    rows = [(escape(what), escape(reason)) for what, reason in facts.refused]
    return f"<h2>What the last round thought of and did not keep</h2>{_table(('what', 'why not'), rows)}"


def _plain(facts: Facts) -> str:
    """The templates that run plain, with the reason."""
    plain: list[TemplateFacts] = [template for template in facts.templates if not template.measured]
    if not plain or not facts.objects:
        return ""
    rows = [
        (f"<code>{escape(shortened(' '.join(one.template.split()), 160))}</code>", f"{one.runs:,}", escape(one.reason))
        for one in plain[: int(REPORT_TEMPLATES.default)]
    ]
    return f"<h2>What runs plain, and why</h2>{_table(('template', '#runs', 'why'), rows)}"


def _history(facts: Facts) -> str:
    told = [decision for decision in facts.decisions if decision.kind not in ("refuse", "trial")]
    if not told:
        return ""
    shown = told[-int(REPORT_DECISIONS.default) :]
    rows = [
        (str(one.number), strftime("%Y-%m-%d %H:%M:%S", gmtime(one.at)), escape(one.kind), escape(one.summary))
        for one in reversed(shown)
    ]
    more = f'<p class="faint">{len(told) - len(shown)} earlier decisions are in the ledger.</p>' if len(told) > len(shown) else ""
    return f"<h2>History</h2>{_table(('#number', 'when (UTC)', 'kind', 'what'), rows)}{more}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a column whose name begins with # holds numbers. Cells are HTML."""
    classes = [' class="n"' if column.startswith("#") else "" for column in columns]
    head = "".join(f"<th{kind}>{column.lstrip('#')}</th>" for column, kind in zip(columns, classes, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, classes, strict=True)) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _key(style: str, text: str) -> str:
    return f'<span class="key" style="background:var(--{style})"></span>{text}'
