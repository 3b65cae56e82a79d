"""The columns of a view that hold the states of aggregates."""

from __future__ import annotations

from dataclasses import replace

from sartor.core.block import Call, Term
from sartor.core.view import ROWS, ViewDefinition, state_column
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import ALIAS, Differs, Match
from sartor.sql.matching.moments import square_text


def rows_of(argument: Term | None, view: ViewDefinition, columns: Columns, match: Match, *, nullable: bool) -> str:
    """The rows of a group whose argument is not NULL."""
    if argument is None or (not nullable and argument.column is not None):
        return f"{ALIAS}.{ROWS}"
    return state("count", argument, view, columns, match)


def state(function: str, argument: Term, view: ViewDefinition, columns: Columns, match: Match) -> str:
    """The column of the view that holds a state."""
    place = view.state_of.get((function, argument.text))
    if place is None:
        raise Differs(f"the view keeps no {function} of {argument.text}")
    match.states.add(place)
    match.guards += columns.same(argument)
    return f"{ALIAS}.{state_column(place)}"


def moment_states(call: Call, view: ViewDefinition, columns: Columns, match: Match) -> tuple[str, str, str]:
    """The columns of the view that tell a variance: how many values, their sum, the sum of their squares."""
    argument = call.argument
    assert argument is not None
    total = state("sum", argument, view, columns, match)
    squares = state("sum", replace(argument, text=square_text(argument)), view, columns, match)
    return rows_of(argument, view, columns, match, nullable=call.nullable), total, squares
