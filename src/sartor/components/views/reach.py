"""What appended rows can be joined with, told to DuckDB: it takes a fifth of a table for appended, whatever the row id says.

So it would rather put all rows of a large table into a hash table than few appended ones.
"""

from __future__ import annotations

from sartor.components.views.joined import each_value
from sartor.core.block import column_text, names_of
from sartor.core.constants import RESIDUAL_JOIN_ROWS
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName, quote
from sartor.core.view import ViewDefinition
from sartor.freshness.residual import appended_since


def within_reach(derived: DerivedObject, view: ViewDefinition, place: int) -> list[str]:
    """Conditions that hold for all rows of other tables which the appended rows of one are joined with, directly or over others.

    Only large tables are restricted, and only by columns of one type, so that the condition is the equality of the join.

    Args:
        view: the view that the object is, or that without some tables.
        place: of the table among the object's sources.
    """
    names = names_of([source for source in derived.action.sources if isinstance(source, TableName)])
    which = {names[place]: appended_since(derived, place, f"{quote(names[place])}.rowid")}
    found: list[str] = []
    growing = True
    while growing:
        growing = False
        for pair in view.alike:
            for near, far in (pair, pair[::-1]):
                if near[0] not in which or far[0] in which or far[0] not in view.inner:
                    continue
                if derived.coverages[names.index(far[0])].rows < RESIDUAL_JOIN_ROWS.default:
                    continue
                rows = f"FROM {derived.action.sources[names.index(near[0])]} AS {quote(near[0])} WHERE {which[near[0]]}"
                which[far[0]] = f"{column_text(far)} IN (SELECT {each_value(column_text(near))} {rows})"
                found.append(which[far[0]])
                growing = True
    return found
