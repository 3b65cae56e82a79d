"""The row groups of a copy as the engine stores them: their bounds, and how many runs do not rule each of them out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sartor.components import component
from sartor.components.copies import CopyComponent
from sartor.components.layouts import cells
from sartor.components.layouts.apply import told
from sartor.components.layouts.serve import LAYOUTS
from sartor.core.analysis import Analysis
from sartor.core.constants import REPORT_BLOCKS
from sartor.core.derived import ORDER_COLUMN, DerivedObject
from sartor.core.table import has_plain_values, literal, quote
from sartor.engines.base import Engine
from sartor.freshness.residual import relation
from sartor.sql.zones import high, low, may_hold, nulls
from sartor.workload.workload import Execution

Span = tuple[float, float]
"""A part of an axis, from 0 to 1."""

_TICKS = 4  # parts of an axis that are labelled


@dataclass(frozen=True, slots=True)
class Block:
    """One row group of a copy, or several that lie together where there are many.

    Attributes:
        rows: that it holds.
        across, up: where its bounds lie on the two axes; None where it holds no value of that column.
        bounds: the same as a person reads it.
        read: the share of the runs of the templates served whose conditions do not rule it out.
    """

    rows: int
    across: Span | None
    up: Span | None
    bounds: str
    read: float


@dataclass(frozen=True, slots=True)
class Axis:
    """A dimension of a picture. Its values are spread by their rank, so that none is squashed.

    Attributes:
        name: a column, a condition, or the place in the copy.
        ticks: places from 0 to 1 with the values there.
    """

    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement that a copy answers.

    Attributes:
        instead: the text that answers it.
        analysis: of its own literals.
        place: of the reference that reads the copy.
        implied: what is known of the copy's hidden columns.
        weight: how many runs it stands for.
    """

    execution: Execution
    instead: str
    analysis: Analysis
    place: int
    implied: str
    weight: float

    @property
    def conditions(self) -> list[str]:
        """Those that zone maps see through."""
        seen = [predicate.sql for predicate in cells.ranges(self.analysis.references[self.place]) if predicate.sql]
        return [*seen, self.implied] if self.implied else seen

    @property
    def columns(self) -> list[str]:
        """The columns that they restrict, hidden ones too."""
        return [predicate.column for predicate in cells.ranges(self.analysis.references[self.place])]


@dataclass(frozen=True, slots=True)
class Stored:
    """The row groups of a copy as the engine stores them.

    Attributes:
        rows: of each.
        bounds: for each column that is drawn the least and the greatest value of each, None where there is none.
        read: of each the share of runs whose conditions do not rule it out.
    """

    rows: tuple[int, ...]
    bounds: Mapping[str, tuple[tuple[Any, Any] | None, ...]]
    read: tuple[float, ...]


def zones(engine: Engine, derived: DerivedObject, columns: Mapping[str, str], tests: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """For each row group of a copy, in order: its rows, for each column the least and greatest value, and what tests say.

    Args:
        columns: names with their types, of plain values.
        tests: conditions over the names that `sartor.sql.zones` gives to bounds.
    """
    kept = ["sum(count) FILTER (column_name = '" + ORDER_COLUMN + "') AS rows"]
    for name, kind in columns.items():
        kept += [
            f"{aggregate}(CASE WHEN column_name = {literal(name)} THEN {value} END) AS {bound}"
            for aggregate, value, bound in (
                ("min", f"stats.min::{kind}", low(name)),
                ("max", f"stats.max::{kind}", high(name)),
                ("bool_or", "stats.has_null::BOOLEAN", nulls(name)),
            )
        ]
    grouped = (
        f"SELECT row_group_id, {', '.join(kept)} FROM pragma_storage_info({literal(relation(derived))}) "
        "WHERE segment_type <> 'VALIDITY' GROUP BY row_group_id"
    )
    told = [f"{bound(name)}" for name in columns for bound in (low, high)]
    told += [f"coalesce({test}, FALSE)" for test in tests]
    return engine.rows(f"SELECT {', '.join(['rows', *told])} FROM ({grouped}) ORDER BY row_group_id")


def stored(engine: Engine, derived: DerivedObject, asked: Sequence[Asked]) -> Stored:
    types = {
        name: kind
        for name, kind, *_ in engine.rows(f"DESCRIBE {relation(derived)}")
        if has_plain_values(kind) and name != ORDER_COLUMN
    }
    texts = {name for name, kind in types.items() if kind == "VARCHAR"}
    shown = _dimensions(derived, asked, types)
    wanted = {*shown, *(name for one in asked for name in one.columns), *derived.action.hidden} & types.keys()
    columns = {name: types[name] for name in sorted(wanted)}
    tests = [may_hold(" AND ".join(f"({one})" for one in statement.conditions) or "TRUE", columns, texts) for statement in asked]
    rows = zones(engine, derived, columns, tests)
    bounds: dict[str, tuple[tuple[Any, Any] | None, ...]] = {}
    for place, name in enumerate(columns):
        pairs = [(row[1 + 2 * place], row[2 + 2 * place]) for row in rows]
        if name in shown:
            bounds[name] = tuple(None if least is None else (least, most) for least, most in pairs)
    runs = sum(one.weight for one in asked)
    read = []
    for row in rows:
        admitted = row[1 + 2 * len(columns) :]
        read.append(sum(one.weight for one, may in zip(asked, admitted, strict=True) if may) / runs if runs else 0.0)
    return Stored(tuple(int(row[0]) for row in rows), {name: bounds[name] for name in shown}, tuple(read))


def _dimensions(derived: DerivedObject, asked: Sequence[Asked], types: Mapping[str, str]) -> list[str]:
    """The two columns of a copy that most runs restrict, hidden ones too; where fewer are, those that it is ordered by."""
    uses: dict[str, float] = defaultdict(float)
    for one in asked:
        named = [name for name in derived.action.hidden if quote(name) in one.implied]
        for name in {*one.columns, *named} & types.keys():
            uses[name] += one.weight
    answering = component(derived.action.component)
    assert isinstance(answering, CopyComponent)
    copy = answering.copy(derived.action)
    key = [name for name in dict.fromkeys((*copy.narrow, *copy.key)) if name in types]
    ranked = sorted(uses, key=lambda name: (-uses[name], key.index(name) if name in key else len(key), name))
    return (ranked or key)[:2]


def drawn(found: Stored, derived: DerivedObject) -> tuple[tuple[Axis, ...], tuple[Block, ...], int]:
    """The axes, and the blocks between them, neighbours put together where there are too many to look at."""
    count = len(found.rows)
    together = max(1, -(-count // int(REPORT_BLOCKS.default)))
    parts = [range(start, min(start + together, count)) for start in range(0, count, together)]
    named = told(derived.action) if derived.action.component == LAYOUTS else {}
    axes, spans, texts = [], [], []
    for name, bounds in found.bounds.items():
        merged = [_merged([bounds[place] for place in part]) for part in parts]
        values = sorted({value for pair in merged if pair is not None for value in pair})
        ranks = {value: rank for rank, value in enumerate(values)}
        axes.append(Axis(named.get(name, name), _ticks(values)))
        spans.append([None if one is None else (ranks[one[0]] / len(values), (ranks[one[1]] + 1) / len(values)) for one in merged])
        texts.append([f"{axes[-1].name} {_bounds_text(one)}" for one in merged])
    if len(axes) < 2:
        axes.append(Axis("place in the copy", _ticks(range(count))))
        spans.append([(part.start / count, part.stop / count) for part in parts])
    blocks = []
    ends = list(accumulate(found.rows))
    for number, part in enumerate(parts):
        rows = ends[part.stop - 1] - (ends[part.start - 1] if part.start else 0)
        read = sum(found.read[place] for place in part) / len(part)
        blocks.append(Block(rows, spans[0][number], spans[1][number], "; ".join(text[number] for text in texts), read))
    return tuple(axes), tuple(blocks), together


def _merged(bounds: Sequence[tuple[Any, Any] | None]) -> tuple[Any, Any] | None:
    known = [pair for pair in bounds if pair is not None]
    return (min(pair[0] for pair in known), max(pair[1] for pair in known)) if known else None


def _ticks(values: Sequence[Any]) -> tuple[tuple[float, str], ...]:
    """Some of the values, at about equal distances, both ends among them, each in the middle of its part of the axis."""
    last = len(values) - 1
    places = dict.fromkeys(round(last * step / _TICKS) for step in range(_TICKS + 1)) if values else ()
    return tuple(((place + 0.5) / len(values), _value_text(values[place])) for place in places)


def _bounds_text(pair: tuple[Any, Any] | None) -> str:
    if pair is None:
        return "all NULL"
    least, most = map(_value_text, pair)
    return least if least == most else f"{least} to {most}"


def _value_text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
