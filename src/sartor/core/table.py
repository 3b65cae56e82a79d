"""Names of tables, resolved, and what is known of their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sartor.core.width import Width


def quote(identifier: str) -> str:
    """Write an identifier so that DuckDB reads exactly it.

    >>> quote('a"b')
    '"a""b"'
    """
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text so that DuckDB reads exactly it.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


_PLAIN_TYPES = frozenset(
    """
    BOOLEAN TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE VARCHAR DATE TIMESTAMP
    """.split()
)


def has_plain_values(kind: str) -> bool:
    """Whether DuckDB and Arrow hand values of this type to Python alike, and DuckDB takes them back as they were.

    >>> has_plain_values("DECIMAL(9,2)"), has_plain_values("INTERVAL")
    (True, False)
    """
    return kind in _PLAIN_TYPES or kind.startswith("DECIMAL(")


@dataclass(frozen=True, slots=True)
class TableName:
    """A resolved table: never a bare name, for a bare name may be a view, a temporary table or another database."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        """
        >>> str(TableName("shop", "main", "items"))
        '"shop"."main"."items"'
        """
        return f"{quote(self.database)}.{quote(self.schema)}.{quote(self.name)}"


@dataclass(frozen=True, slots=True)
class FileScan:
    """A scan of local files, as the user's own text writes it: `'x.parquet'` or `read_csv('a/*.csv', header=true)`.

    Attributes:
        text: the source text of the scan without white space between its tokens; two scans are the same if this is.
        pattern: the path or glob that names the files.
        kind: parquet or csv.
        database: the database that holds what is built from it.
    """

    text: str
    pattern: str
    kind: str
    database: str

    def __str__(self) -> str:
        return self.text


Source = TableName | FileScan


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalog tells it; `type` is DuckDB's own spelling of the type."""

    name: str
    type: str
    nullable: bool = True
    collated: bool = False


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That each row of a table, the child, has exactly one row of another, its parent, by equality of columns.

    Attributes:
        pairs: columns of the child and of the parent that are equal, in lower case, sorted.
        fact: the identifier of the fact that says so of the data; 0 where it is declared, so that it holds in every snapshot.
    """

    child: TableName
    parent: TableName
    pairs: tuple[tuple[str, str], ...]
    fact: int = 0


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What the catalog knows of a base table.

    Attributes:
        rows: the catalog's estimate of the row count.
        unique_keys: column sets declared PRIMARY KEY or UNIQUE whose columns are all NOT NULL.
        verified_keys: column sets in lower case that the data were found to be unique and without NULL in, each with the
            identifier of the fact, which has to hold in the snapshot that is read.
        distinct: per column in lower case, about how many distinct values it holds; absent where unknown.
        widths: per column in lower case, what its values need; absent where unknown.
        foreign_keys: declared ones whose columns are never NULL: the referring columns, the table they refer to, and its columns.
        has_rowid_column: a user's column named `rowid` hides the row id; such a table gets no residual.
        has_generated: some columns are generated.
        has_triggers: a write to this table may write others.
    """

    source: Source
    columns: tuple[Column, ...]
    rows: int
    unique_keys: tuple[frozenset[str], ...] = ()
    verified_keys: Mapping[frozenset[str], int] = field(default_factory=dict)
    distinct: Mapping[str, int] = field(default_factory=dict)
    widths: Mapping[str, Width] = field(default_factory=dict)
    foreign_keys: tuple[tuple[tuple[str, ...], TableName, tuple[str, ...]], ...] = ()
    has_rowid_column: bool = False
    has_generated: bool = False
    has_triggers: bool = False

    def column(self, name: str) -> Column | None:
        """The column of this name, compared as DuckDB compares identifiers: without case."""
        wanted = name.lower()
        return next((column for column in self.columns if column.name.lower() == wanted), None)


class Catalog:
    """The tables and views of one database, as seen from a session in its default state.

    A frozen picture: `generation` says of which moment. Look-ups ignore case, as DuckDB does.

    Attributes:
        inclusions: declared ones, whose columns are never NULL, and verified ones.
        has_layouts: copies may be ordered by the conditions of statements, so that their words are looked for, which takes time.
    """

    __slots__ = ("_by_name", "_scans", "database", "default_schema", "generation", "has_layouts", "inclusions", "macros", "views")

    def __init__(
        self,
        database: str,
        tables: tuple[TableInfo, ...],
        views: frozenset[tuple[str, str]] = frozenset(),
        macros: frozenset[str] = frozenset(),
        generation: int = 0,
        default_schema: str = "main",
    ) -> None:
        self.database = database
        self.default_schema = default_schema
        self.generation = generation
        self.views = frozenset((schema.lower(), name.lower()) for schema, name in views)
        self.macros = frozenset(name.lower() for name in macros)
        self._by_name: dict[tuple[str, str], TableInfo] = {}
        self._scans: dict[FileScan, TableInfo] = {}
        for info in tables:
            if isinstance(info.source, TableName):
                self._by_name[info.source.schema.lower(), info.source.name.lower()] = info
        self.inclusions = frozenset(inclusion for info in tables for inclusion in _declared(info))
        self.has_layouts = True

    def __iter__(self) -> Iterator[TableInfo]:
        return iter(self._by_name.values())

    def knowing(
        self,
        facts: Mapping[TableName, Mapping[frozenset[str], int]],
        scans: Mapping[FileScan, TableInfo],
        inclusions: Iterable[Inclusion] = (),
        *,
        has_layouts: bool | None = None,
    ) -> Catalog:
        """The same catalog with these verified keys, scans of files and verified inclusions; `has_layouts` stays if it is None."""
        known = Catalog(self.database, (), self.views, self.macros, self.generation, self.default_schema)
        for place, info in self._by_name.items():
            found = facts.get(info.source, {}) if isinstance(info.source, TableName) else {}
            known._by_name[place] = replace(info, verified_keys=found)
        known._scans.update(scans)
        known.has_layouts = self.has_layouts if has_layouts is None else has_layouts
        known.inclusions = frozenset((*(one for one in self.inclusions if not one.fact), *inclusions))
        return known

    def has_name(self, name: str) -> bool:
        """Whether any table or view of this database has this name."""
        lowered = name.lower()
        return any(known == lowered for _, known in (*self._by_name, *self.views))

    def info(self, source: Source) -> TableInfo | None:
        """What is known of a table or of a scan of files."""
        if isinstance(source, FileScan):
            return self._scans.get(source)
        return self._by_name.get((source.schema.lower(), source.name.lower()))

    def resolve(self, parts: tuple[str, ...]) -> TableInfo | None:
        """The base table that a written name of one to three parts means, or None for anything else.

        A two-part name whose first part is both a schema and the database is ambiguous and gives None.

        >>> info = TableInfo(TableName("shop", "main", "items"), (Column("id", "BIGINT"),), 5)
        >>> catalog = Catalog("shop", (info,))
        >>> catalog.resolve(("ITEMS",)) is info, catalog.resolve(("shop", "items")) is info
        (True, True)
        >>> catalog.resolve(("other", "main", "items")) is None
        True
        """
        lowered = tuple(part.lower() for part in parts)
        schemas = {schema for schema, _ in self._by_name} | {schema for schema, _ in self.views}
        match lowered:
            case (name,):
                key = (self.default_schema, name)
            case (first, name) if first == self.database.lower() and first in schemas:
                return None
            case (first, name) if first == self.database.lower():
                key = (self.default_schema, name)
            case (schema, name):
                key = (schema, name)
            case (database, schema, name) if database == self.database.lower():
                key = (schema, name)
            case _:
                return None
        return None if key in self.views else self._by_name.get(key)


def _declared(info: TableInfo) -> Iterator[Inclusion]:
    """The foreign keys of a table as inclusions."""
    for columns, parent, keys in info.foreign_keys:
        if isinstance(info.source, TableName):
            pairs = sorted((column.lower(), key.lower()) for column, key in zip(columns, keys, strict=True))
            yield Inclusion(info.source, parent, tuple(pairs))
