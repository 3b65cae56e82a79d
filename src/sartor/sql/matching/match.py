"""All rules together: how a block is computed from a view, or the first reason why it can not be."""

from __future__ import annotations

from sartor.core.block import QueryBlock
from sartor.core.table import quote
from sartor.core.view import ViewDefinition
from sartor.sql.matching.aggregates import put_call
from sartor.sql.matching.aligned import is_aligned
from sartor.sql.matching.classes import held_by
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.conditions import implies, put_conditions
from sartor.sql.matching.found import Aligned, Differs, Guard, Match, Same, Within
from sartor.sql.matching.joins import same_join
from sartor.sql.matching.lossless import leave_out
from sartor.sql.matching.whole import hand_out
from sartor.sql.rewrite import Copy, NameOf, Splice


def match(block: QueryBlock, view: ViewDefinition) -> Match | str:
    """How a block is computed from a view, or the first reason why it can not be; never raises.

    The splice of the FROM clause is not among those of the match.
    """
    found = Match()
    for item in block.items:  # first, for what is put into their expressions lies inside them
        name = quote(item.name) if item.name else NameOf(item.first, item.last)
        found.splices.append(Splice(item.first, item.last, (Copy(item.first, item.last), " AS ", name)))
    try:
        columns = Columns(view, held_by(view), block.words)
        same_join(block, view, columns, found)
        put_conditions(block, view, columns, found)
        columns.keep_apart(block.reads)
        for term in block.reads:
            columns.put(term, found)
        others = list(found.splices)
        for call in block.calls:
            put_call(call, block, view, columns, found)
        if found.parts and any(view.states[place].is_placed for place in found.states):
            raise Differs("what moves between the groups of placed values tells no part of a date")
        leave_out(view, found)
        hand_out(block, view, columns, others, found)
    except Differs as reason:
        return str(reason)
    return found


def holds(guard: Guard, words: tuple[str, ...]) -> bool:
    """Whether a statement's own literals are as a match needs them."""
    match guard:
        case Same(token, word):
            return words[token] == word
        case Within():
            return implies(guard, words)
        case Aligned(bound, unit):
            return is_aligned(bound, unit, words)
