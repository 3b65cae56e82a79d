"""The file that a workload is shared in: what it may hold, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sartor.core.errors import WorkloadError
from sartor.sql.classify import classify
from sartor.sql.lexer import tokens
from sartor.workload.sharing.anonymise import OPERATORS
from sartor.workload.sharing.names import GIVEN

FORMAT = "sartor-workload"
VERSION = 1
_MOST = 1 << 48  # rows or values
SHAPES = frozenset({"", "exact", "prefix", "suffix", "contains", "other"})

_TYPE = re.compile(
    r"BOOLEAN|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|JSON|DATE|TIME"
    r"|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?|INTERVAL|UUID|BLOB"
)


@dataclass(frozen=True, slots=True)
class SharedColumn:
    """A column and how its values lie, without one of them.

    Attributes:
        nulls: the share of rows that are NULL.
        histogram: pairs of shares, both rising from 0 to 1: so many of the distinct values, in their order, have so many rows.
        correlation: of the rank of the value with the place of the row.
        length: the mean length of a text; 0 for other types.
    """

    name: str
    type: str
    nullable: bool
    distinct: int
    nulls: float
    histogram: tuple[tuple[float, float], ...]
    correlation: float
    length: int


@dataclass(frozen=True, slots=True)
class SharedTable:
    """A table; `keys` are sets of columns that are unique and never NULL."""

    schema: str
    name: str
    rows: int
    columns: tuple[SharedColumn, ...]
    keys: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a constant lies in what it is compared with.

    Attributes:
        below, upto: the shares of the values that are less, and that are less or equal. For a pattern, `upto - below` is the
            share that it keeps.
        shape: of a pattern: exact, prefix, suffix, contains or other; empty for constants.
    """

    below: float
    upto: float
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Hole:
    """What a placeholder is compared with: an expression over the columns of one table, and by which operator."""

    table: str
    subject: str
    operator: str


@dataclass(frozen=True, slots=True)
class SharedRun:
    """One run: when, counted from the workload's first statement, how long, and the positions for each hole; None if unknown."""

    at: float
    seconds: float
    rows: int
    positions: tuple[tuple[Position, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class SharedTemplate:
    """A statement with `$p1`, `$p2` … for its holes; `count` and `total_seconds` are over all runs, `runs` is a sample."""

    sql: str
    count: int
    total_seconds: float
    holes: tuple[Hole, ...]
    runs: tuple[SharedRun, ...]


@dataclass(frozen=True, slots=True)
class SharedWorkload:
    """All that a file holds.

    Attributes:
        joins: pairs of columns, `schema.table.column`, whose values are compared.
        left_out: how many templates are not in it, for each reason.
    """

    tables: tuple[SharedTable, ...]
    joins: tuple[tuple[str, str], ...]
    templates: tuple[SharedTemplate, ...]
    left_out: Mapping[str, int]

    def text(self) -> str:
        """The file's text."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=1) + "\n"


def carried_type(kind: str) -> str:
    """The type that the file names: values of an ENUM and fields of a STRUCT are the user's, so they become texts.

    >>> carried_type("DECIMAL(10,2)"), carried_type("ENUM('a', 'b')"), carried_type("STRUCT(a INTEGER)[]")
    ('DECIMAL(10,2)', 'VARCHAR', 'VARCHAR')
    """
    return kind if _TYPE.fullmatch(kind) else "VARCHAR"


def read_document(path: Path) -> SharedWorkload:
    """Read a file and hold each part of it against what may be there.

    Raises:
        WorkloadError: it can not be read, is no such file, is of a newer version, is damaged, or has no template.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorkloadError(f"{path}: {error.strerror or error}; give a file that sartor export-workload wrote") from None
    except (ValueError, RecursionError):
        raise WorkloadError(f"{path} is not JSON; give a file that sartor export-workload wrote") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise WorkloadError(f"{path} is no exported workload; give a file that sartor export-workload wrote")
    if document.get("version") != VERSION:
        raise WorkloadError(f"{path} has format version {document.get('version')!r}, not {VERSION}; install the Sartor that wrote it")
    try:
        workload = _workload(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise WorkloadError(f"{path} is damaged; export the workload again") from None
    if not workload.templates:
        raise WorkloadError(f"{path} has no templates; ask some statements before you export")
    return workload


def _workload(document: dict[str, Any]) -> SharedWorkload:
    tables = tuple(_table(table) for table in document["tables"])
    columns = {f"{table}.{column.name}" for table in tables for column in table.columns}
    joins = tuple((_among(left, columns), _among(right, columns)) for left, right in document["joins"])
    known = {str(table) for table in tables}
    templates = tuple(_template(template, known) for template in document["templates"])
    return SharedWorkload(tables, joins, templates, {str(reason): int(count) for reason, count in document["left_out"].items()})


def _table(table: dict[str, Any]) -> SharedTable:
    columns = tuple(_column(column) for column in table["columns"])
    names = {column.name for column in columns}
    keys = tuple(tuple(_among(name, names) for name in key) for key in table["keys"])
    if not columns or len(names) < len(columns):
        raise ValueError("columns")
    return SharedTable(_name(table["schema"]), _name(table["name"]), _count(table["rows"]), columns, keys)


def _column(column: dict[str, Any]) -> SharedColumn:
    histogram = tuple((_share(rank), _share(upto)) for rank, upto in column["histogram"])
    ends = () if column["distinct"] == 0 else ((0.0, 0.0), (1.0, 1.0))
    if histogram[:1] + histogram[-1:] != ends or list(histogram) != sorted(histogram) or not _TYPE.fullmatch(column["type"]):
        raise ValueError("histogram or type")
    return SharedColumn(
        _name(column["name"]),
        column["type"],
        bool(column["nullable"]),
        _count(column["distinct"]),
        _share(column["nulls"]),
        histogram,
        max(-1.0, min(1.0, float(column["correlation"]))),
        _count(column["length"]),
    )


def _template(template: dict[str, Any], tables: set[str]) -> SharedTemplate:
    holes = tuple(
        Hole(_among(hole["table"], tables), _expression(hole["subject"]), _among(hole["operator"], OPERATORS))
        for hole in template["holes"]
    )
    runs = tuple(_run(run, len(holes)) for run in template["runs"])
    if not runs:
        raise ValueError("runs")
    return SharedTemplate(_reading(template["sql"]), _count(template["count"]), float(template["total_seconds"]), holes, runs)


def _run(run: dict[str, Any], holes: int) -> SharedRun:
    positions = tuple(
        None if found is None else tuple(Position(_share(p["below"]), _share(p["upto"]), _among(p["shape"], SHAPES)) for p in found)
        for found in run["positions"]
    )
    if len(positions) != holes or () in positions:
        raise ValueError("positions")
    return SharedRun(float(run["at"]), float(run["seconds"]), int(run["rows"]), positions)


def _name(name: str) -> str:
    if not GIVEN.fullmatch(name):
        raise ValueError("name")
    return name


def _among(word: str, words: set[str] | frozenset[str]) -> str:
    if word not in words:
        raise ValueError("word")
    return word


def _reading(sql: Any) -> str:
    if not isinstance(sql, str) or not tokens(sql).words or not classify(sql).reads_only or ";" in sql:
        raise ValueError("sql")
    return sql


def _expression(sql: Any) -> str:
    _reading("SELECT " + sql)
    return str(sql)


def _count(number: Any) -> int:
    if not 0 <= int(number) <= _MOST:
        raise ValueError("count")
    return int(number)


def _share(number: Any) -> float:
    if not 0.0 <= float(number) <= 1.0:
        raise ValueError("share")
    return float(number)
