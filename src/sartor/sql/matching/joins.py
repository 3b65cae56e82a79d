"""The same join: the same tables, and every equality of the one follows from those of the other."""

from __future__ import annotations

from sartor.core.block import QueryBlock
from sartor.core.view import ViewDefinition
from sartor.sql.matching.classes import asked_for
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import Differs, Match, Same
from sartor.sql.matching.lossless import without_extra_tables


def same_join(block: QueryBlock, view: ViewDefinition, columns: Columns, match: Match) -> None:
    """See that the view's join is that of the statement, but for tables that neither lose nor multiply rows.

    Raises:
        Differs: tables or equalities differ.
    """
    joined = tuple((join.table, (join.conditions, join.sql)) for join in block.outer)
    held = tuple(zip(view.tables[len(view.inner) :], view.outer, strict=True))  # by what words it was built decides what it holds
    if joined != held or block.names[len(block.inner) :] != view.names[len(view.inner) :]:
        raise Differs("its LEFT JOINs are others")
    for join in block.outer:
        match.guards += [Same(token, columns.words[token]) for token in join.literals]
    asked = asked_for(block)
    for left, right in without_extra_tables(block, view, match):
        if not asked.are_equal(left, right):
            raise Differs(f"the view joins by {left[0]}.{left[1]} = {right[0]}.{right[1]}, the statement does not")
