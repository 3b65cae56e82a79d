"""count(DISTINCT x) of the rows from some value of a key on, from how many values of x have their last row in each group."""

from __future__ import annotations

from sartor.core.block import Bound, Call, QueryBlock, Term, column_text
from sartor.core.view import AT_FIRST, AT_LAST, State, ViewDefinition, state_column
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import ALIAS, Match
from sartor.sql.matching.whole import TIMES, WHOLE_NUMBERS, determined
from sartor.sql.rewrite import Splice

_DIRECTIONS = {">": AT_LAST, ">=": AT_LAST, "<": AT_FIRST, "<=": AT_FIRST}
_ORDERED = {"number": WHOLE_NUMBERS, "date": TIMES, "timestamp": TIMES}
"""For each kind of literal the types that are compared with it in their own order."""
ALONG = WHOLE_NUMBERS | TIMES
"""The types of keys along which values are placed."""
VALUES = ALONG | {"VARCHAR", "DECIMAL", "BOOLEAN", "UUID"}
"""The types of values that are placed: equal values look alike."""


def put_placed(call: Call, block: QueryBlock, view: ViewDefinition, columns: Columns, match: Match) -> bool:
    """Add up how many values have their last (first) row in each of the groups; says whether the view tells that.

    The groups that are added up have to be all those from (up to) some value of one key of the view, and agree in all its other keys:
    then a value that has rows among them has its last (first) row among them, once.
    """
    if not call.distinct or call.function != "count" or call.condition is not None or call.argument is None:
        return False
    if len(view.tables) > 1 or view.equalities or (block.keys and block.grouping is None):
        return False
    told = [(place, state) for place, state in enumerate(view.states) if state.is_placed and state.text == call.argument.text]
    free = set(range(len(view.keys))) - determined(block, view, columns) if told else set()
    for place, state in told:
        if not free <= {view.key_of[state.along]} or not all(_is_open(term, state, view) for term in block.filters):
            continue
        if any(state.along in map(column_text, term.columns()) for term in (*block.keys, *block.reads)):
            continue
        match.states.add(place)
        match.splices.append(Splice(call.first, call.end, f"CAST(coalesce(sum({ALIAS}.{state_column(place)}), 0) AS BIGINT)"))
        return True
    return False


def direction(bound: Bound, kind: str) -> str:
    """AT_LAST for a bound that holds from some value of its column on, AT_FIRST for one that holds up to one; else empty.

    Args:
        kind: the column's type.
    """
    return _DIRECTIONS.get(bound.operator, "") if kind in _ORDERED.get(bound.kind, ()) else ""


def _is_open(term: Term, state: State, view: ViewDefinition) -> bool:
    """Whether a condition leaves the key of a state alone, or holds for all its values from some one on in the state's direction."""
    if state.along not in map(column_text, term.columns()):
        return True
    bound = term.bound
    return bound is not None and direction(bound, view.type_of(bound.column)) == state.function
