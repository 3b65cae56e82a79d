"""Tables of a view that a statement does not read, and that neither lose nor multiply its rows."""

from __future__ import annotations

from sartor.core.block import ColumnOf, QueryBlock
from sartor.core.view import ViewDefinition
from sartor.sql.matching.found import Differs

Pair = tuple[ColumnOf, ColumnOf]


def without_extra_tables(block: QueryBlock, view: ViewDefinition) -> tuple[Pair, ...]:
    """The equalities of the view's join that are left when the tables that the statement does not read are taken away.

    A table may be taken away if it is joined by a declared foreign key of another table, whose columns are never NULL, and by
    nothing else: then each row finds exactly one. So tables are taken away one after another, from the ends of the join.

    Raises:
        Differs: a table more may lose or multiply rows, or the view lacks one.
    """
    asked, held = set(block.inner), set(view.inner)
    if not asked <= held:
        raise Differs("it joins other tables")
    extra, pairs = held - asked, view.equalities
    while extra:
        table = next((one for one in sorted(extra) if _is_lossless(one, pairs, block, view)), None)
        if table is None:
            raise Differs(f"the view joins {min(extra)} as well, which may lose or multiply rows")
        extra.discard(table)
        pairs = tuple(pair for pair in pairs if table not in (pair[0][0], pair[1][0]))
    return pairs


def _is_lossless(table: str, pairs: tuple[Pair, ...], block: QueryBlock, view: ViewDefinition) -> bool:
    joined = {frozenset(pair) for pair in pairs if table in (pair[0][0], pair[1][0])}
    if any(f'"{table}"' in text for text in (*(one.text for one in view.conditions), *(sql for _, sql in view.outer))):
        return False
    others = {column[0] for pair in joined for column in pair} - {table}
    if len(others) != 1:
        return False
    other = others.pop()
    for referring, referred in block.foreign_keys:
        edges = {frozenset(((other, a), (table, b))) for (_, a), (_, b) in zip(referring, referred, strict=True)}
        if (_base(other), _base(table)) == (referring[0][0], referred[0][0]) and edges == joined:
            return True
    return False


def _base(name: str) -> str:
    """The name of a table without the number of its occurrence."""
    return name.partition("#")[0]
