"""Domains: columns that are joined draw their values from one of them, so that the generated rows meet as the user's do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sartor.core.errors import WorkloadError
from sartor.workload.sharing.document import SharedColumn, SharedTable, SharedWorkload

_FIRST_DAY = "2000-01-01"
_SPAN_SECONDS = 3 * 366 * 86_400  # generated moments lie within three years, as those of many databases do
_RADIXES = (4, 10, 36)  # few letters let a prefix keep many different shares; many fit into short texts
_INTEGERS = {"TINYINT": 7, "SMALLINT": 15, "INTEGER": 31, "BIGINT": 63, "HUGEINT": 63}


@dataclass(frozen=True, slots=True)
class Domain:
    """The values of a column, numbered from 0 in their order.

    Attributes:
        size: how many there are.
        length: the mean length of a text.
    """

    size: int
    length: int

    def value(self, kind: str, number: str) -> str:
        """The SQL of the value with this number; rises with the number.

        >>> Domain(5, 0).value("DATE", "i")
        "DATE '2000-01-01' + (i)::INTEGER"
        """
        match kind.split("(")[0]:
            case "BOOLEAN":
                return f"(({number}) % 2 = 1)"
            case "FLOAT" | "DOUBLE":
                return f"(({number}) + 1) / 8.0"
            case "DECIMAL":
                scale = kind[8:-1].split(",")[1]
                return f"((({number}) + {self._lowest(kind)}) / 1e{scale})::{kind}"
            case "DATE":
                return f"DATE '{_FIRST_DAY}' + ({number})::INTEGER"
            case "TIME":
                return f"TIME '00:00:00' + to_microseconds(({number}) * {max(1, 86_400_000_000 // self.size)})"
            case "INTERVAL":
                return f"to_seconds({number})"
            case "UUID":
                return f"('00000000-0000-4000-8000-' || lower(to_base({number}, 16, 12)))::UUID"
            case "VARCHAR" | "BLOB":
                return f"({self._text(number)})::{kind}"
            case "JSON":
                return f"('\"' || {self._text(number)} || '\"')::JSON"
            case moment if moment.startswith("TIMESTAMP"):
                step = _SPAN_SECONDS // self.size * 1_000_000 or max(1, _SPAN_SECONDS * 1_000_000 // self.size)
                return f"(TIMESTAMP '{_FIRST_DAY}' + to_microseconds(({number}) * {step}))::{kind}"
            case integer if integer.startswith("U"):
                return f"({number})::{kind}"
            case _:
                return f"(({number}) + {self._lowest(kind)})::{kind}"

    def fits(self, kind: str) -> bool:
        """Whether a type has a value for each number; a narrow column may be joined with a wide one.

        >>> Domain(256, 0).fits("TINYINT"), Domain(257, 0).fits("TINYINT")
        (True, False)
        """
        return self.size <= _capacity(kind)

    def _lowest(self, kind: str) -> int:
        """The value of the first number: 1, or what makes room for all of them."""
        return min(1, (_capacity(kind) - 1) // 2 + 1 - self.size) if self.fits(kind) else 1

    def _text(self, number: str) -> str:
        fitting = ((radix, _digits(self.size, radix)) for radix in _RADIXES)
        radix, digits = next(((r, d) for r, d in fitting if d <= self.length), (36, _digits(self.size, 36)))
        return f"rpad(to_base({number}, {radix}, {digits}), {max(self.length, digits)}, 'x')"


def _capacity(kind: str) -> int:
    """How many values a type has that counts; more than enough for the others."""
    if kind == "BOOLEAN":
        return 2
    if kind.startswith("DECIMAL"):
        return int(2 * 10 ** int(kind[8:-1].split(",")[0])) - 1
    return int(2 ** (_INTEGERS.get(kind.removeprefix("U"), 63) + 1))


def _digits(size: int, radix: int) -> int:
    digits, reach = 1, radix
    while reach < size:
        digits, reach = digits + 1, reach * radix
    return digits


def scaled(workload: SharedWorkload, rows: int | None, scale: float | None) -> SharedWorkload:
    """The workload with other row counts.

    The distinct values of keys, and of what is joined with them, grow and shrink with the rows; those of other columns stay as
    long as the rows hold them.

    Args:
        rows: how many rows the largest table shall have.
        scale: or the factor of all row counts.

    Raises:
        WorkloadError: both are given, or nothing would be left.
    """
    if rows is not None and scale is not None:
        raise WorkloadError("rows and scale say the same twice; give one of them")
    if rows is not None:
        scale = rows / max((table.rows or 1 for table in workload.tables), default=1)
    if scale is None or scale == 1.0:
        return workload
    if not 0.0 < scale < float("inf"):
        raise WorkloadError("no rows would be generated; give a number of rows, or a scale, above 0")
    growing = _growing(workload)
    tables = []
    for table in workload.tables:
        count = max(1, round(table.rows * scale)) if table.rows else 0
        columns = []
        for column in table.columns:
            present = count - round(count * column.nulls)
            distinct = round(column.distinct * scale) if f"{table}.{column.name}" in growing else column.distinct
            unique = _is_key(table, column)
            columns.append(replace(column, distinct=present if unique else min(present, max(distinct, min(1, column.distinct)))))
        tables.append(replace(table, rows=count, columns=tuple(columns)))
    return replace(workload, tables=tuple(tables))


def domains(workload: SharedWorkload) -> dict[str, Domain]:
    """The domain of each column, by `schema.table.column`."""
    columns = {f"{table}.{column.name}": column for table in workload.tables for column in table.columns}
    found = {}
    for group in _groups(workload):
        members = [columns[name] for name in group]
        domain = Domain(max(1, max(one.distinct for one in members)), max(one.length for one in members))
        found.update(dict.fromkeys(group, domain))
    return found


def _growing(workload: SharedWorkload) -> set[str]:
    keys = {f"{table}.{column.name}" for table in workload.tables for column in table.columns if _is_key(table, column)}
    return {name for group in _groups(workload) if group & keys for name in group}


def _is_key(table: SharedTable, column: SharedColumn) -> bool:
    """Whether every row has a value of its own."""
    return column.distinct > 1 and column.distinct == table.rows - round(table.rows * column.nulls)


def _groups(workload: SharedWorkload) -> list[frozenset[str]]:
    """The columns that are joined with each other, directly or through others."""
    group = {f"{table}.{column.name}": {f"{table}.{column.name}"} for table in workload.tables for column in table.columns}
    for left, right in workload.joins:
        if group[left] is not group[right]:
            group[left] |= group[right]
            for name in group[right]:
                group[name] = group[left]
    return [frozenset(members) for members in {id(members): members for members in group.values()}.values()]
