"""Which rules of matching an answer from a view went by, told from the block, the view and the statement."""

from __future__ import annotations

from collections.abc import Iterator

from sartor.components.views.apply import definition
from sartor.components.views.serve import matched
from sartor.core.block import QueryBlock
from sartor.core.derived import DerivedObject
from sartor.core.view import AT_LAST, ViewDefinition
from sartor.sql.matching.found import Aligned, Match, Same, Within
from sartor.sql.matching.moments import MOMENTS

RULES = (
    "roll-up",
    "same groups",
    "expressions of keys",
    "no keys",
    "residual filter",
    "condition implied",
    "same literal",
    "average",
    "count",
    "sum",
    "extremes",
    "pivot",
    "FILTER",
    "HAVING",
    "DISTINCT",
    "distinct count",
    "distinct count by last rows",
    "distinct count by first rows",
    "grouping sets",
    "nested block",
    "expression key",
    "beginnings of units",
    "part of a date",
    "variance",
    "equality by a key",
    "USING",
    "parameters",
    "LEFT JOIN",
    "a table twice",
    "lossless table",
)
"""All that `rules` can tell; each has to be seen 50 times in a long run."""


def rules(block: QueryBlock, derived: DerivedObject, parameters: object) -> Iterator[str]:
    """The rules that a block was answered from a view by."""
    view = definition(derived.action)
    found = matched(block, view)
    if not isinstance(found, Match):
        yield "an answer from a view that does not match"
        return
    keys = {key.text for key in block.keys}
    yield (
        "no keys"
        if not keys
        else "roll-up"
        if keys < set(view.key_of)
        else "same groups"
        if keys == set(view.key_of)
        else "expressions of keys"
    )
    yield from _conditions(block, view, found)
    yield from _calls(block)
    if found.parts:
        yield "part of a date"
    for place in found.states:
        if view.states[place].is_placed:
            yield f"distinct count by {'last' if view.states[place].function == AT_LAST else 'first'} rows"
    words = [word.upper() for word in block.words]
    own = words[block.from_[1] + 1 :]
    if "HAVING" in own:
        yield "HAVING"
    if {"ROLLUP", "CUBE", "SETS"} & set(own):
        yield "grouping sets"
    if words[:2] == ["SELECT", "DISTINCT"] and not block.calls:
        yield "DISTINCT"
    if words[: block.from_[0]].count("(") > words[: block.from_[0]].count(")"):
        yield "nested block"
    if any(not view.keys[place].is_column for place in found.keys):
        yield "expression key"
    if any(one.first < 0 for one in block.equalities):
        yield "USING"
    if block.outer:
        yield "LEFT JOIN"
    if len(set(view.tables)) < len(view.tables):
        yield "a table twice"
    elif len(block.sources) < len(view.tables):
        yield "lossless table"
    if parameters:
        yield "parameters"


def _conditions(block: QueryBlock, view: ViewDefinition, found: Match) -> Iterator[str]:
    if {term.text for term in block.filters} - {condition.text for condition in view.conditions}:
        yield "residual filter"
    kinds = {type(guard) for guard in found.guards}
    if Within in kinds:
        yield "condition implied"
    if Same in kinds:
        yield "same literal"
    if Aligned in kinds:
        yield "beginnings of units"
    if len(block.equalities) > len(view.equalities):
        yield "equality by a key"


def _calls(block: QueryBlock) -> Iterator[str]:
    for call in block.calls:
        if call.pivot is not None:
            yield "pivot"
        elif call.condition is not None:
            yield "FILTER"
        elif call.distinct:
            yield "distinct count"
        else:
            yield {"avg": "average", "count": "count", "sum": "sum", **dict.fromkeys(MOMENTS, "variance")}.get(
                call.function, "extremes"
            )
