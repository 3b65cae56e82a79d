"""Aggregates of a block from the states that a view keeps."""

from __future__ import annotations

from sartor.core.block import Call, QueryBlock, Term
from sartor.core.view import ROWS, ViewDefinition, key_column
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import ALIAS, Differs, Match
from sartor.sql.matching.moments import MOMENTS, moment, square
from sartor.sql.matching.pivots import put_pivot
from sartor.sql.matching.placed import put_placed
from sartor.sql.matching.states import moment_states, rows_of, state
from sartor.sql.rewrite import Copy, Piece, Splice

_IDEMPOTENT = ("min", "max", "bool_and", "bool_or")


def put_call(call: Call, block: QueryBlock, view: ViewDefinition, columns: Columns, match: Match) -> None:
    """Put an aggregate together from the states of groups.

    Raises:
        Differs: the view keeps no state for it.
    """
    if call.pivot is not None and put_pivot(call, call.pivot, block, view, columns, match):
        return
    if call.condition is not None:
        columns.put(call.condition, match)
    filter_: tuple[Piece, ...] = (" ", Copy(call.last + 1, call.end)) if call.end > call.last else ()
    argument = call.argument
    if argument is not None and (call.distinct or call.function in _IDEMPOTENT) and columns.can(argument):
        columns.put(argument, match)  # how often a value comes is of no account
        return
    countable = argument is not None and not call.distinct and (call.integer or call.function == "count")
    if countable and argument is not None and _put_key(call, argument, columns, match, filter_):
        return
    if put_placed(call, block, view, columns, match):
        return
    if call.distinct:
        raise Differs(f"the view does not group by {argument.text if argument is not None else ''}")
    match call.function:
        case "count":
            counted = rows_of(argument, view, columns, match, nullable=call.nullable)
            if block.grouping is not None and block.keys and not filter_:  # no group is empty
                pieces: tuple[Piece, ...] = (f"CAST(sum({counted}) AS BIGINT)",)
            else:
                pieces = (f"CAST(coalesce(sum({counted})", *filter_, ", 0) AS BIGINT)")
        case "avg":
            assert argument is not None
            if filter_ and block.parameters:
                raise Differs("an average under FILTER would ask for its parameters twice")
            total = state("sum", argument, view, columns, match)
            counted = rows_of(argument, view, columns, match, nullable=call.nullable)
            pieces = (f"(CAST(sum({total})", *filter_, f" AS DOUBLE) / sum({counted})", *filter_, ")")
        case function if function in MOMENTS:
            if filter_ and block.parameters:
                raise Differs("a variance under FILTER would ask for its parameters several times")
            parts = [(f"sum({column})", *filter_) for column in moment_states(call, view, columns, match)]
            pieces = moment(function, parts, call.scale)
        case function:
            assert argument is not None
            pieces = (f"{function}({state(function, argument, view, columns, match)})", *filter_)
    match.splices.append(Splice(call.first, call.end, pieces))


def _put_key(call: Call, argument: Term, columns: Columns, match: Match, filter_: tuple[Piece, ...]) -> bool:
    """An aggregate of a key: its value counts as often as its group has rows; says whether it is one."""
    place = columns.key(argument.column) if argument.column is not None else None
    if place is None:
        return False
    key, rows = f"{ALIAS}.{key_column(place)}", f"{ALIAS}.{ROWS}"
    counted = f"sum(CASE WHEN {key} IS NOT NULL THEN {rows} END)"
    total = f"sum(CAST({key} AS HUGEINT) * {rows})"
    match call.function:
        case "count":
            pieces: tuple[Piece, ...] = (f"CAST(coalesce({counted}", *filter_, ", 0) AS BIGINT)")
        case "sum":
            pieces = (total, *filter_)
        case "avg" if not filter_:
            pieces = (f"(CAST({total} AS DOUBLE) / {counted})",)
        case function if function in MOMENTS and not filter_:
            pieces = moment(function, ((counted,), (total,), (f"sum({square(key, 0)} * {rows})",)), 0)
        case _:
            return False
    match.keys.add(place)
    match.splices.append(Splice(call.first, call.end, pieces))
    return True
