"""Layouts by cells: two to four columns are cut at their quantiles, and the rows lie cell by cell.

A single key helps one column; here every row group holds a box of all of them, so that the zone maps of the columns themselves prune
by each, and by several together. Nothing is added to a statement. Four kinds:

- *z-order* and *hilbert*: the cells follow a curve through all columns.
- *grid*: all columns but the last are cut into few parts, and within a cell rows are sorted by the last column, after Nathan, Ding,
  Alizadeh, Kraska, *Learning multi-dimensional indexes* (Flood, SIGMOD 2020). Estimates choose into how many parts. Cells follow one
  another there and back, also along the last column, so that a row group that holds the end of one cell and the beginning of the next
  holds a narrow range of each column but one.
- *outliers*: rows sorted by one column, but for those whose value of another column is far from what it mostly is where the first
  one is like theirs. These come last, in row groups of their own. Where the two go along, the others have narrow bounds of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from sartor.components.copies import Copy
from sartor.components.layouts.conditional import no_hidden_names
from sartor.components.layouts.curves import CURVES, Z_ORDER, places_of, spread_bits, there_and_back
from sartor.components.sort_keys.serve import keeps
from sartor.core.action import Action
from sartor.core.analysis import Reference
from sartor.core.constants import (
    LAYOUT_CELL_BITS,
    LAYOUT_CUT_SECONDS,
    LAYOUT_DIMENSIONS,
    LAYOUT_OUTLIER_PARTS,
    LAYOUT_OUTLIER_SHARE,
    LAYOUT_SORTED_PARTS,
    ORDER_BORDER_SECONDS,
    ROW_GROUP_ROWS,
    SAMPLE_ROWS,
)
from sartor.core.derived import HIDDEN_COLUMN
from sartor.core.ordered import Cells
from sartor.core.predicate import Operator, Predicate
from sartor.core.table import Column, TableName, quote

GRID = "grid"
OUTLIERS = "outliers"
KINDS = (*CURVES, GRID)
_BORDERS = "sartor_borders"
_PLACES = 1 << 16  # that a hidden column tells apart
_SALT = 104729  # so that no column that is itself a hash of the row number goes along with the sample


def curve(kind: str, source: TableName, schema: Sequence[Column], dimensions: tuple[str, ...], templates: frozenset[str]) -> Action:
    """The action that makes a copy along a curve.

    Args:
        kind: one of CURVES.
        schema: the columns that the copy holds.
        dimensions: two to four of them.

    Raises:
        ValueError: there are more columns or fewer, or one has the name of a hidden one.
    """
    parts = (1 << int(LAYOUT_CELL_BITS.default) // len(dimensions),) * len(dimensions)
    return _action(kind, source, schema, dimensions, parts, f"{kind} of {' and '.join(dimensions)}", templates)


def grid(
    source: TableName, schema: Sequence[Column], dimensions: tuple[str, ...], parts: tuple[int, ...], templates: frozenset[str]
) -> Action:
    """The action that makes a copy by a grid.

    Args:
        schema: the columns that the copy holds.
        dimensions: two to four of them; the last one is sorted by: cut into so many parts that each row group holds some of them.
        parts: into how many each other one is cut.

    Raises:
        ValueError: a column has the name of a hidden one.
    """
    cut = " and ".join(f"{name} in {count}" for name, count in zip(dimensions[:-1], parts, strict=True))
    fine = min(int(LAYOUT_SORTED_PARTS.default), max(1, _PLACES // prod(parts)), 1 << (16 * max(parts) - 1).bit_length())
    return _action(GRID, source, schema, dimensions, (*parts, fine), f"grid of {cut}, then {dimensions[-1]}", templates)


def apart(source: TableName, schema: Sequence[Column], dimensions: tuple[str, str], rows: int, templates: frozenset[str]) -> Action:
    """The action that makes a copy sorted by the first of two columns, rows with an outlier of the second one behind the others.

    Args:
        schema: the columns that the copy holds.
        rows: of the table.

    Raises:
        ValueError: a column has the name of a hidden one.
    """
    key, other = dimensions
    parts = max(2, min(int(LAYOUT_OUTLIER_PARTS.default), rows // int(ROW_GROUP_ROWS.default)))
    return _action(OUTLIERS, source, schema, dimensions, (parts,), f"{key}, outliers of {other} apart", templates)


def _action(
    kind: str,
    source: TableName,
    schema: Sequence[Column],
    dimensions: tuple[str, ...],
    parts: tuple[int, ...],
    name: str,
    templates: frozenset[str],
) -> Action:
    if not 2 <= len(dimensions) <= LAYOUT_DIMENSIONS.default:
        raise ValueError(f"a layout by cells is one of two to four columns; these are {', '.join(dimensions)}")
    no_hidden_names(schema, _BORDERS)
    definition = (
        ("kind", kind),
        ("columns", tuple(column.name for column in schema)),
        ("key", (name,)),
        ("dimensions", dimensions),
        ("parts", parts),
        ("schema", tuple((column.name, column.type) for column in schema)),
    )
    return Action("layouts", source, definition, templates)


def copy(action: Action) -> Copy:
    """What the copy stores. Its quantiles are those of the table at that moment, and nobody asks for the places of cells later."""
    source = action.source
    # Of one type with the hash: a remainder of HUGEINT takes a microsecond.
    every = f"greatest(1, (SELECT count(*) FROM {source}) // {int(SAMPLE_ROWS.default)})::UBIGINT"
    some = f"hash(rowid, {_SALT}) % {every} = 0"
    place, rows = f"{HIDDEN_COLUMN}0", f"{source} WHERE {some}"
    return Copy(action, (place, *then(action)), ((place, position(action)),), borders(action, rows), _cells(action, rows))


def is_cells(action: Action) -> bool:
    """Whether a layout is one by cells."""
    return action.get("kind") in (*KINDS, OUTLIERS)


def then(action: Action) -> tuple[str, ...]:
    """The columns that rows of one cell are sorted by; the places of all kinds but one tell enough themselves."""
    return tuple(action.get("dimensions")[:1]) if action.get("kind") == OUTLIERS else ()


def position(action: Action) -> str:
    """The expression of the place of a row's cell, beside `borders`."""
    kind, parts = action.get("kind"), action.get("parts")
    if kind == OUTLIERS:
        key, other = action.get("dimensions")
        part = f"{_part(key, 0, 0, parts[0] - 1)} + 1"
        low, high = (f"list_extract({_BORDERS}_{end}, {part})" for end in ("low", "high"))
        return f"(CASE WHEN {quote(other)} < {low} OR {quote(other)} > {high} THEN 1 ELSE 0 END)::USMALLINT"
    if kind == Z_ORDER:
        spread = [spread_bits(number, len(parts), parts[0].bit_length() - 1) for number in range(len(parts))]
        summands = (
            _part(column, number, 0, len(places) - 1, places)
            for number, (column, places) in enumerate(zip(action.get("dimensions"), spread, strict=True))
        )
        return f"({' + '.join(summands)})::USMALLINT"
    cell = "0"
    for number, (column, count) in enumerate(zip(action.get("dimensions"), parts, strict=True)):
        part = _part(column, number, 0, count - 1)
        back = f" + ({cell}) % 2 * ({count - 1} - 2 * {part})" if kind == GRID and number else ""
        cell = f"({cell}) * {count} + {part}{back}"
    if kind == GRID:
        return f"({cell})::USMALLINT"
    places = ", ".join(map(str, places_of(kind, len(parts), parts[0].bit_length() - 1)))
    return f"list_extract([{places}]::USMALLINT[], {cell} + 1)"


def place_seconds(action: Action) -> float:
    """What it takes to find out the place of a row's cell; of outliers the engine's own expression has to, of others hardly ever."""
    parts = action.get("parts")
    return parts[0] * ORDER_BORDER_SECONDS.default if action.get("kind") == OUTLIERS else len(parts) * LAYOUT_CUT_SECONDS.default


def borders(action: Action, rows: str) -> str:
    """The FROM item of one row that holds the quantiles of some rows, each as a column.

    Args:
        rows: a FROM item, perhaps with a WHERE.
    """
    if action.get("kind") == OUTLIERS:
        return _usual(action, rows)
    each = enumerate(action.get("parts"))
    columns = [f"d{number}[{part}] AS {_border(number, part)}" for number, count in each for part in range(1, count)]
    return f"(SELECT {', '.join(columns)} FROM ({_quantiles(action, rows)})) AS {_BORDERS}"


def _quantiles(action: Action, rows: str) -> str:
    """The SELECT of one row that holds the quantiles of each dimension in some rows as a list."""
    lists = []
    for number, (column, count) in enumerate(zip(action.get("dimensions"), action.get("parts"), strict=True)):
        depths = ", ".join(str(part / count) for part in range(1, count))
        lists.append(f"quantile_disc({quote(column)}, [{depths}]) AS d{number}")
    return f"SELECT {', '.join(lists)} FROM {rows}"


def _cells(action: Action, rows: str) -> Cells | None:
    """What `position` is, said so that an engine may work it out without that expression; None for outliers."""
    kind, parts = action.get("kind"), action.get("parts")
    if kind == OUTLIERS:
        return None
    places = there_and_back(parts) if kind == GRID else places_of(kind, len(parts), parts[0].bit_length() - 1)
    return Cells(action.get("dimensions"), _quantiles(action, rows), parts, places)


def _usual(action: Action, rows: str) -> str:
    """The FROM item of one row that holds the quantiles of the first column, and for each part of it what the second mostly is."""
    (key, other), (count,) = action.get("dimensions"), action.get("parts")
    depths = ", ".join(str(part / count) for part in range(1, count))
    columns = ", ".join(f"d[{part}] AS {_border(0, part)}" for part in range(1, count))
    rare, part = LAYOUT_OUTLIER_SHARE.default, _part(key, 0, 0, count - 1)
    return (
        f"(WITH kept AS MATERIALIZED (SELECT {quote(key)}, {quote(other)} FROM {rows}), cut AS MATERIALIZED (SELECT {columns} FROM "
        f"(SELECT quantile_disc({quote(key)}, [{depths}]) AS d FROM kept)), bounds AS MATERIALIZED (SELECT {part} "
        f"AS part, quantile_disc({quote(other)}, [{rare}, {1 - rare}]) AS ends FROM kept, cut GROUP BY 1) SELECT cut.*, "
        f"(SELECT list(ends[1] ORDER BY n) FROM range({count}) AS every(n) LEFT JOIN bounds ON part = n) AS {_BORDERS}_low, "
        f"(SELECT list(ends[2] ORDER BY n) FROM range({count}) AS every(n) LEFT JOIN bounds ON part = n) AS {_BORDERS}_high FROM cut) "
        f"AS {_BORDERS}"
    )


def restricted(action: Action, reference: Reference) -> list[Predicate]:
    """The conditions of a reference that zone maps see through, on columns that the cells are made of."""
    return [predicate for predicate in ranges(reference) if predicate.column in action.get("dimensions")]


def ranges(reference: Reference) -> list[Predicate]:
    """The conditions of a reference that admit a range of one column, or some values of it."""
    return [p for p in reference.predicates if p.column and p.operator is not Operator.LIKE and keeps(p.operator) < 1.0]


def _part(column: str, number: int, low: int, high: int, told: Sequence[int] = ()) -> str:
    """The part of a column that a value lies in, or what is told for each part, found by halving; NULL lies in the last one."""
    if low == high:
        return str(told[low] if told else low)
    middle = (low + high + 1) // 2
    below, above = (_part(column, number, *half, told) for half in ((low, middle - 1), (middle, high)))
    return f"CASE WHEN {quote(column)} < {_border(number, middle)} THEN {below} ELSE {above} END"


def _border(number: int, part: int) -> str:
    return f"{_BORDERS}_{number}_{part}"
