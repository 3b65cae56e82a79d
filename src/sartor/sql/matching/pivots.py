"""Aggregates over CASE WHEN condition THEN value END: the condition is asked of groups, the value is their state."""

from __future__ import annotations

from sartor.core.block import Call, Pivot
from sartor.core.view import ViewDefinition
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import Differs, Match
from sartor.sql.matching.states import rows_of, state
from sartor.sql.rewrite import Copy, Piece, Splice


def put_pivot(call: Call, pivot: Pivot, view: ViewDefinition, columns: Columns, match: Match) -> bool:
    """Put an aggregate over a CASE together from the states of its value; says whether the view holds what that needs.

    A group fulfils the condition as a whole or not at all, so its state counts or it does not. Other literals in the condition need
    no other view.
    """
    trial = Match()
    try:
        columns.put(pivot.condition, trial)
        pieces = _pieces(call, pivot, view, columns, trial)
    except Differs:
        return False
    match.keys |= trial.keys
    match.states |= trial.states
    match.guards += trial.guards
    match.splices += [Splice(call.first, call.last, pieces), *trial.splices]
    return True


def _pieces(call: Call, pivot: Pivot, view: ViewDefinition, columns: Columns, match: Match) -> tuple[Piece, ...]:
    def chosen(state_of: str, function: str) -> tuple[Piece, ...]:
        ending: tuple[Piece, ...] = (" ", Copy(*pivot.otherwise)) if pivot.otherwise is not None else ()
        return (f"{function}(CASE WHEN ", Copy(*pivot.when), f" THEN {state_of}", *ending, " END)")

    counted = "" if call.function not in ("count", "avg") else rows_of(pivot.value, view, columns, match, nullable=pivot.nullable)
    if call.function in ("count", "avg") and pivot.otherwise is not None:
        raise Differs("a row that does not fulfil the condition counts as well")
    if call.function == "count":
        return ("CAST(coalesce(", *chosen(counted, "sum"), ", 0) AS BIGINT)")
    if pivot.value is None:
        if call.function != "sum":
            raise Differs("an extreme of a number is not understood")
        return chosen(rows_of(None, view, columns, match, nullable=False), "sum")
    if call.function == "avg":
        total = state("sum", pivot.value, view, columns, match)
        return ("(CAST(", *chosen(total, "sum"), " AS DOUBLE) / ", *chosen(counted, "sum"), ")")
    return chosen(state(call.function, pivot.value, view, columns, match), call.function)
