"""Aggregates over a CASE: its conditions are asked of groups, its values are their states."""

from __future__ import annotations

from sartor.core.block import Call, Choice, Pivot, QueryBlock
from sartor.core.view import ViewDefinition
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import Differs, Match
from sartor.sql.matching.states import rows_of, state
from sartor.sql.rewrite import Copy, Splice


def put_pivot(call: Call, pivot: Pivot, block: QueryBlock, view: ViewDefinition, columns: Columns, match: Match) -> bool:
    """Put an aggregate over a CASE together from the states of its values; says whether the view holds what that needs.

    The CASE stays as it is written: a group fulfils a condition as a whole or not at all, so that the state of the value chosen
    counts for all its rows. Other literals in the conditions need no other view.
    """
    trial = Match()
    try:
        for condition in pivot.conditions:
            columns.put(condition, trial)
        for choice in pivot.choices:
            _put_choice(choice, call, block, view, columns, trial)
    except Differs:
        return False
    inner = Copy(call.first + 2, call.last - 1)
    if call.function == "count":
        trial.splices.insert(0, Splice(call.first, call.last, ("CAST(coalesce(sum(", inner, "), 0) AS BIGINT)")))
    match.keys |= trial.keys
    match.states |= trial.states
    match.parts |= trial.parts
    match.guards += trial.guards
    match.splices += trial.splices
    return True


def _put_choice(choice: Choice, call: Call, block: QueryBlock, view: ViewDefinition, columns: Columns, match: Match) -> None:
    """A value in the place of the state of its rows.

    Raises:
        Differs: the view keeps no such state, or the aggregate is none that can be told from one.
    """
    if choice.value is None:
        literal = block.words[choice.first] if choice.first >= 0 else "NULL"
        if literal == "NULL":
            return
        match.guards += columns.same_tokens(choice.first, choice.last)
        if literal == "0" and call.function == "sum":
            return
        if literal not in ("0", "1") or call.function not in ("sum", "count"):
            raise Differs("what a number chosen by a CASE counts for is not understood")
        rows = rows_of(None, view, columns, match, nullable=False)
        match.splices.append(Splice(choice.first, choice.last, rows))
        return
    match call.function:
        case "count":
            counted = rows_of(choice.value, view, columns, match, nullable=choice.nullable)
        case "sum" | "min" | "max" | "bool_and" | "bool_or":
            counted = state(call.function, choice.value, view, columns, match)
        case _:
            raise Differs(f"{call.function} over a CASE is not understood")
    match.splices.append(Splice(choice.first, choice.last, counted))
