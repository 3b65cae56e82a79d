"""The same join: the same tables, and every equality of the one follows from those of the other."""

from __future__ import annotations

from collections.abc import Iterable

from sartor.core.block import ColumnOf, QueryBlock
from sartor.core.view import ViewDefinition
from sartor.sql.matching.found import Differs


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


def same_join(block: QueryBlock, view: ViewDefinition) -> Classes:
    """The classes of the view's columns.

    Raises:
        Differs: tables or equalities differ.
    """
    if frozenset(block.sources) != frozenset(view.tables):
        raise Differs("it joins other tables")
    asked = Classes((one.left, one.right) for one in block.equalities)
    for left, right in view.equalities:
        if not asked.are_equal(left, right):
            raise Differs(f"the view joins by {left[0]}.{left[1]} = {right[0]}.{right[1]}, the statement does not")
    return Classes(view.equalities)
