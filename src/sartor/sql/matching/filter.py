"""What rules most views out before they are looked at closely: a level of the filter tree of Goldstein and Larson (SIGMOD 2001)."""

from __future__ import annotations

import re
from functools import lru_cache

from sartor.core.block import ColumnOf, QueryBlock
from sartor.core.view import ViewDefinition
from sartor.sql.matching.classes import held_by

_COLUMN = re.compile(r'"((?:[^"]|"")+)"\."((?:[^"]|"")+)"')


def may_match(block: QueryBlock, view: ViewDefinition) -> bool:
    """Whether a view's keys hold all columns that a block shows and, where the view has no conditions, all that it asks of."""
    shown, asked = _needed(block)
    held = _held(view)
    return shown <= held and (bool(view.conditions) or asked <= held)


@lru_cache(maxsize=256)
def _needed(block: QueryBlock) -> tuple[frozenset[ColumnOf], frozenset[ColumnOf]]:
    shown, asked = (frozenset(column for term in terms for column in term.columns()) for terms in (block.reads, block.filters))
    return shown, asked


@lru_cache(maxsize=4096)
def _held(view: ViewDefinition) -> frozenset[ColumnOf]:
    """The columns that keys are made of, with those that equal them."""
    named = {(table.replace('""', '"'), name.replace('""', '"')) for key in view.keys for table, name in _COLUMN.findall(key.text)}
    return frozenset(other for column in named for other in held_by(view).of(column))
