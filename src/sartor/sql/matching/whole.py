"""Groups that are the view's own: its rows are handed out as they are.

To group them once more takes 0.6 of the 1.6 ms of a small answer, and as much as building them where they are many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sartor.core.block import Call, ColumnOf, QueryBlock, column_text
from sartor.core.view import ViewDefinition
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import Differs, Match
from sartor.sql.matching.moments import MOMENTS, moment
from sartor.sql.matching.states import moment_states, rows_of, state
from sartor.sql.rewrite import Splice

WHOLE_NUMBERS = frozenset("TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT".split())
TIMES = frozenset({"DATE", "TIMESTAMP"})
_ONE_VALUE = {"number": WHOLE_NUMBERS | {"DECIMAL"}, "text": frozenset({"VARCHAR"}), "date": TIMES, "timestamp": TIMES}
"""For each kind of literal the types of which one value at most equals it: several texts equal a number or a date, as '5' and '05'."""


def hand_out(block: QueryBlock, view: ViewDefinition, columns: Columns, others: Sequence[Splice], match: Match) -> None:
    """Note the splices that hand a view's rows out without grouping them, if no two of them are of one group of the statement.

    Args:
        others: the splices of the match but those of its aggregates.
    """
    if block.grouping is None or len(determined(block, view, columns)) < len(view.keys):
        return
    try:
        stored = [_stored(call, view, columns, match) for call in block.calls]
    except Differs:
        return
    match.whole = [*others, *stored, Splice(*block.grouping, "")]


def determined(block: QueryBlock, view: ViewDefinition, columns: Columns) -> set[int]:
    """The keys in which rows of the view agree that agree in all keys of a statement, and pass its conditions."""
    by_expression = {view.key_of.get(key.text) for key in block.keys if key.column is None and key.first >= 0}
    by_column = [key.column for key in block.keys if key.column is not None]
    places = by_expression | _places([*by_column, *_pinned(block, view)], view, columns)
    return {place for place in places if place is not None}


def _pinned(block: QueryBlock, view: ViewDefinition) -> Iterable[ColumnOf]:
    """The columns that a condition lets have one value only."""
    for term in block.filters:
        bound = term.bound
        if bound is not None and bound.operator == "=" and view.type_of(bound.column) in _ONE_VALUE.get(bound.kind, ()):
            yield bound.column


def _places(found: Iterable[ColumnOf], view: ViewDefinition, columns: Columns) -> set[int | None]:
    """The keys of a view that hold these columns, or others that equal them."""
    return {view.key_of.get(column_text(other)) for column in found for other in columns.alike.of(column)}


def _stored(call: Call, view: ViewDefinition, columns: Columns, match: Match) -> Splice:
    """An aggregate of one of the view's groups.

    Raises:
        Differs: it is none that the view stores as it is.
    """
    argument = call.argument
    if call.distinct or call.condition is not None or call.pivot is not None:
        raise Differs("it is no state of the view")
    if call.function == "count":
        return Splice(call.first, call.end, rows_of(argument, view, columns, match, nullable=call.nullable))
    assert argument is not None
    if call.function in MOMENTS:
        parts = [(column,) for column in moment_states(call, view, columns, match)]
        return Splice(call.first, call.end, moment(call.function, parts, call.scale))
    if call.function == "avg":
        total, counted = state("sum", argument, view, columns, match), rows_of(argument, view, columns, match, nullable=call.nullable)
        return Splice(call.first, call.end, f"(CAST({total} AS DOUBLE) / CAST({counted} AS HUGEINT))")
    return Splice(call.first, call.end, state(call.function, argument, view, columns, match))
