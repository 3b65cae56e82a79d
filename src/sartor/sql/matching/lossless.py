"""Tables of a view that a statement does not read, and that neither lose nor multiply its rows."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.block import ColumnOf, QueryBlock, column_text
from sartor.core.table import Inclusion, TableName, quote
from sartor.core.view import KeyColumn, ViewDefinition
from sartor.sql.matching.classes import held_by
from sartor.sql.matching.found import Differs, Match, Rest

Pair = tuple[ColumnOf, ColumnOf]


def without_extra_tables(block: QueryBlock, view: ViewDefinition, match: Match) -> tuple[Pair, ...]:
    """The equalities of the view's join that are left when the tables that the statement does not read are taken away.

    A table may be taken away if each row of another has exactly one of it, and if it is joined by that alone. So tables are taken away
    one after another, from the ends of the join; the match notes them, and the verified inclusions that it rests on.

    Raises:
        Differs: a table more may lose or multiply rows, or the view lacks one.
    """
    asked, held = set(block.inner), set(view.inner)
    if not asked <= held:
        raise Differs("it joins other tables")
    extra, pairs = held - asked, view.equalities
    while extra:
        found = next(((one, by) for one in sorted(extra) if (by := _by_which(one, pairs, block, view)) is not None), None)
        if found is None:
            raise Differs(_why(extra, pairs, view))
        table, (other, inclusion) = found
        if inclusion.fact:
            match.rests += (Rest(inclusion.fact, view.names.index(other), view.names.index(table)),)
        match.without += (table,)
        extra.discard(table)
        pairs = _left(table, pairs)
    return pairs


def lacking(block: QueryBlock, view: ViewDefinition) -> frozenset[Inclusion]:
    """Inclusions of which none is known, but with all of which the view's tables more would lose and multiply nothing."""
    extra, pairs = set(view.inner) - set(block.inner), view.equalities
    found: set[Inclusion] = set()
    while extra:
        ends = ((one, _joined(one, pairs, view)) for one in sorted(extra))
        table, joined = next(((one, joined) for one, joined in ends if joined is not None), ("", None))
        if joined is None:
            return frozenset()
        other, columns = joined
        if _by_which(table, pairs, block, view) is None:
            alike = {frozenset(pair) for pair in view.alike}
            if not all(frozenset(((other, one), (table, key))) in alike for one, key in columns):
                return frozenset()
            child, parent = (view.tables[view.names.index(name)] for name in (other, table))
            found.add(Inclusion(child, parent, tuple(sorted(columns))))
        extra.discard(table)
        pairs = _left(table, pairs)
    return frozenset(found)


def leave_out(view: ViewDefinition, match: Match) -> None:
    """See that rows appended since can be told without the tables that were taken away.

    By declared foreign keys alone they may as well be joined with them.

    Raises:
        Differs: a key of the view is read that only such a table has.
    """
    if any(stand_in(view.keys[place], view, match.without) is None for place in match.keys):
        if match.rests:
            raise Differs("it reads a key of a table more, and appended rows need not have one there")
        match.without = ()


def stand_in(key: KeyColumn, view: ViewDefinition, without: tuple[str, ...]) -> str | None:
    """A key of the view as SQL over its tables without some of them; None if only those have it."""
    if not any(quote(table) in key.sql for table in without):
        return key.sql
    for name, schema in zip(view.names, view.schemas, strict=True):
        for column in ((name, column.lower()) for column, _ in schema):
            if key.is_column and key.text == column_text(column):
                others = sorted(other for other in held_by(view).of(column) if other[0] not in without)
                return column_text(others[0]) if others else None
    return None


def _by_which(table: str, pairs: tuple[Pair, ...], block: QueryBlock, view: ViewDefinition) -> tuple[str, Inclusion] | None:
    """The inclusion by which a table neither loses nor multiplies the rows of which other; a declared one where there are several."""
    found = _joined(table, pairs, view)
    if found is None:
        return None
    other, joined = found
    child, parent = (view.tables[view.names.index(name)] for name in (other, table))
    known = (one for one in block.inclusions if _is_same(one.child, child) and _is_same(one.parent, parent))
    by = min((one for one in known if set(one.pairs) == joined), key=lambda one: one.fact, default=None)
    return (other, by) if by is not None else None


def _joined(table: str, pairs: tuple[Pair, ...], view: ViewDefinition) -> tuple[str, set[tuple[str, str]]] | None:
    """The one table that a table is joined with, and the columns of that and of this that are equal; None if there is more to it."""
    if any(quote(table) in text for text in (*(one.text for one in view.conditions), *(sql for _, sql in view.outer))):
        return None
    ends = [(one, other) if other[0] == table else (other, one) for one, other in pairs if table in (one[0], other[0])]
    others = {one[0] for one, _ in ends}
    if len(others) != 1 or table in others or _equates(ends):
        return None
    return others.pop(), {(one[1], other[1]) for one, other in ends}


def _equates(ends: Sequence[Pair]) -> bool:
    """Whether two columns are equal only by a table more: for rows appended since, which are told without it, they need not be."""
    return len({other for _, other in ends}) < len(ends)


def _left(table: str, pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """The equalities that do not name a table."""
    return tuple(pair for pair in pairs if table not in (pair[0][0], pair[1][0]))


def _why(extra: set[str], pairs: tuple[Pair, ...], view: ViewDefinition) -> str:
    for table in sorted(extra):
        found = _joined(table, pairs, view)
        if found is not None:
            return f"the view joins {table} as well, and it is not known that each row of {found[0]} has exactly one of it"
    return f"the view joins {min(extra)} as well, which may lose or multiply rows"


def _is_same(one: TableName, other: TableName) -> bool:
    """Whether two names are of one table, as DuckDB compares them: without case."""
    return (one.schema.lower(), one.name.lower()) == (other.schema.lower(), other.name.lower())
