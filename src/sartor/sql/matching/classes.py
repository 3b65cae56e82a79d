"""Classes of columns that are equal in every row of a join."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from sartor.core.block import ColumnOf, QueryBlock
from sartor.core.view import ViewDefinition


class Classes:
    """Columns that are equal in every row of a join.

    >>> classes = Classes([(("a", "x"), ("b", "y")), (("b", "y"), ("c", "z"))])
    >>> classes.are_equal(("a", "x"), ("c", "z")), classes.are_equal(("a", "x"), ("c", "y"))
    (True, False)
    """

    def __init__(self, pairs: Iterable[tuple[ColumnOf, ColumnOf]]) -> None:
        self._class_of: dict[ColumnOf, frozenset[ColumnOf]] = {}
        for left, right in pairs:
            joined = self.of(left) | self.of(right)
            self._class_of.update(dict.fromkeys(joined, joined))

    def of(self, column: ColumnOf) -> frozenset[ColumnOf]:
        """All columns that equal this one, itself included."""
        return self._class_of.get(column) or frozenset((column,))

    def in_turn(self, column: ColumnOf) -> tuple[ColumnOf, ...]:
        """The same, the column itself first."""
        return (column, *sorted(self.of(column) - {column}))

    def are_equal(self, left: ColumnOf, right: ColumnOf) -> bool:
        return left == right or right in self.of(left)


@lru_cache(maxsize=256)
def asked_for(block: QueryBlock) -> Classes:
    """The columns that a statement asks to be equal."""
    return Classes((one.left, one.right) for one in block.equalities)


@lru_cache(maxsize=4096)
def held_by(view: ViewDefinition) -> Classes:
    """The columns of a view that are equal and of one type: in each of its rows the one may stand for the other."""
    return Classes(view.alike)
