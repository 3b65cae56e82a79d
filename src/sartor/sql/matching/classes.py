"""Classes of columns that are equal in every row of a join."""

from __future__ import annotations

from collections.abc import Iterable

from sartor.core.block import ColumnOf


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

    def are_equal(self, left: ColumnOf, right: ColumnOf) -> bool:
        return left == right or right in self.of(left)
