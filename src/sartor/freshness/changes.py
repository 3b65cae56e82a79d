"""What a table has lost, got and changed since a copy of it was brought up to date, told row by row.

While no row id has moved, a row of the copy and its row in the table have the same number. Blocks of row ids in which the counts
of rows or the sums of hashes differ are looked at closer; rows appended, among them those that an update deleted and inserted,
have higher numbers. The copy holds what the rows were, so that whatever was made of the same rows can be told of them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sartor.core.constants import CHANGE_BLOCK_BITS, MEND_SHARE, VECTOR_ROWS
from sartor.core.derived import ORDER_COLUMN, Coverage, DerivedObject
from sartor.core.table import TableName, quote
from sartor.engines.base import Engine
from sartor.freshness.refresh import hash_sum, held_types
from sartor.freshness.residual import appended_since, covered_before, relation

SIGN = "sartor_sign"
"""The column that tells rows gone, -1, from rows that came, 1. A row that was updated is gone, and has come."""

_BLOCKS, _NUMBERS = "temp.main.sartor_blocks", "temp.main.sartor_numbers"
_COMPARED = frozenset(
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT DATE TIME UUID TIMESTAMP "
    "TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS".split()
) | {"TIMESTAMP WITH TIME ZONE"}  # two values of these that are equal are the same


class Unmended(Exception):
    """The object has to be built anew; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """How one table of an object changed, as relations with the column SIGN.

    Attributes:
        came_and_gone: makes the SELECT of some columns of the rows that came and of those gone.
        former: makes that of the rows that the object covers.
        only_appended: no row is gone.
    """

    came_and_gone: Callable[[Sequence[str]], str]
    former: Callable[[Sequence[str]], str]
    only_appended: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows that a table lost and got between two moments, in a temporary table.

    Attributes:
        columns: names, as the catalog spells them.
        before, after: what was covered at the two moments.
        relation: the temporary table, with ORDER_COLUMN, SIGN and the columns.
    """

    source: TableName
    columns: tuple[str, ...]
    before: Coverage
    after: Coverage
    relation: str

    def tells(self, source: TableName, before: Coverage, after: Coverage, columns: Sequence[str]) -> bool:
        """Whether these are all changes of some columns of a table between two moments."""
        return (
            self.source == source
            and _is_one_moment(self.before, before)
            and _is_one_moment(self.after, after)
            and {name.lower() for name in columns} <= {name.lower() for name in self.columns}
        )

    def change(self) -> Change:
        return Change(
            lambda columns: f"SELECT {_named(columns)}{SIGN} FROM {self.relation}",
            lambda columns: (
                f"SELECT {_named(columns)}1::TINYINT AS {SIGN} FROM {self.source} "
                f"UNION ALL SELECT {_named(columns)}-{SIGN} FROM {self.relation}"
            ),
            only_appended=False,
        )


def appended(derived: DerivedObject, place: int) -> Change:
    """The change of a table that only got rows at its end."""
    source = derived.action.sources[place]
    return Change(
        lambda columns: f"SELECT {_named(columns)}1::TINYINT AS {SIGN} FROM {source} WHERE {appended_since(derived, place)}",
        lambda columns: f"SELECT {_named(columns)}1::TINYINT AS {SIGN} FROM {source} WHERE {covered_before(derived, place)}",
        only_appended=True,
    )


def find(engine: Engine, copy: DerivedObject, now: Coverage, updated: frozenset[str]) -> Changes:
    """The changes of a table since a copy of it, found in the current transaction, before the copy is mended.

    Args:
        updated: the columns, lower-case, that were set in rows which kept their place.

    Raises:
        Unmended: there are too many, or values that are equal need not be the same.
    """
    source, old, held = copy.action.source, copy.coverage, relation(copy)
    assert isinstance(source, TableName)
    types = held_types(engine, copy)
    columns = tuple(name for name in types if name != ORDER_COLUMN)
    compared = [name for name in columns if name.lower() in updated]
    differs = "".join(f" OR {different(f'h.{quote(name)}', f'b.{quote(name)}', types[name])}" for name in compared)
    most = max(MEND_SHARE.default * old.rows, VECTOR_ROWS.default)
    if now.rows - old.rows > most:
        raise Unmended
    number, names = quote(ORDER_COLUMN), _named(compared)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE sartor_blocks AS SELECT coalesce(h.block, b.block) AS block "
        f"FROM ({_blocks(held, number, compared, types)}) AS h "
        f"FULL JOIN ({_blocks(f'{source} WHERE rowid <= {old.high_water}', 'rowid', compared, types)}) AS b ON b.block = h.block "
        "WHERE h.n IS DISTINCT FROM b.n OR h.hashes IS DISTINCT FROM b.hashes"
    )
    if engine.rows(f"SELECT count(*) FROM {_BLOCKS}")[0][0]:
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE sartor_numbers AS SELECT h.{number} AS number, b.sartor_id IS NOT NULL AS stays "
            f"FROM (SELECT {names}{number} FROM {held} WHERE {_block(number)} IN (FROM {_BLOCKS})) AS h LEFT JOIN (SELECT {names}"
            f"rowid AS sartor_id FROM {source} WHERE rowid <= {old.high_water} AND {_block('rowid')} IN (FROM {_BLOCKS})) AS b "
            f"ON b.sartor_id = h.{number} WHERE b.sartor_id IS NULL{differs}"
        )
    else:
        engine.execute("CREATE OR REPLACE TEMP TABLE sartor_numbers (number BIGINT, stays BOOLEAN)")
    lost, stay, first, last = engine.rows(
        f"SELECT count(*), count(*) FILTER (stays), min(number) FILTER (stays), max(number) FILTER (stays) FROM {_NUMBERS}"
    )[0]
    if old.unsorted + lost + max(0, now.rows - old.rows) > most:
        raise Unmended
    changed = f"temp.main.sartor_changes_{copy.identifier}"
    every = _named(columns)
    kept = f"rowid BETWEEN {first} AND {last} AND rowid IN (SELECT number FROM {_NUMBERS} WHERE stays) OR " if stay else ""
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {changed.rpartition('.')[2]} AS "
        f"SELECT {every}{number}, -1::TINYINT AS {SIGN} FROM {held} WHERE {number} IN (SELECT number FROM {_NUMBERS}) "
        f"UNION ALL SELECT {every}rowid, 1::TINYINT FROM {source} WHERE {kept}rowid > {old.high_water}"
    )
    return Changes(source, columns, old, now, changed)


def forget(engine: Engine, found: Sequence[Changes]) -> None:
    """Drop what was found."""
    for changes in found:
        engine.execute(f"DROP TABLE IF EXISTS {changes.relation}")
    engine.execute(f"DROP TABLE IF EXISTS {_BLOCKS}")
    engine.execute(f"DROP TABLE IF EXISTS {_NUMBERS}")


def different(one: str, other: str, kind: str) -> str:
    """The condition that two values are not the same to the last bit that shows.

    Raises:
        Unmended: values of this type that are equal need not be the same.
    """
    if kind in ("DOUBLE", "FLOAT"):
        return f"({one} IS DISTINCT FROM {other} OR signbit({one}) IS DISTINCT FROM signbit({other}))"
    if kind == "VARCHAR":
        return f"encode({one}) IS DISTINCT FROM encode({other})"  # a collation takes different texts for equal
    if kind in _COMPARED or kind.startswith("DECIMAL("):
        return f"{one} IS DISTINCT FROM {other}"
    raise Unmended


def _blocks(rows: str, number: str, compared: Sequence[str], types: dict[str, str]) -> str:
    """For each block of row ids, how many rows there are, and the sum of their hashes if columns are compared."""
    hashes = hash_sum(compared, types, number) if compared else "0"
    return f"SELECT {_block(number)} AS block, count(*) AS n, {hashes} AS hashes FROM {rows} GROUP BY 1"


def _block(number: str) -> str:
    return f"({number} >> {int(CHANGE_BLOCK_BITS.default)})"


def _named(columns: Sequence[str]) -> str:
    return "".join(f"{quote(column)}, " for column in columns)


def _is_one_moment(one: Coverage, other: Coverage) -> bool:
    """Whether a table held the same rows at two moments: no count of writes has moved between them."""
    same = (one.appends, one.mutations, one.rows) == (other.appends, other.mutations, other.rows)
    return same and one.appends >= 0 and one.mutations >= 0
