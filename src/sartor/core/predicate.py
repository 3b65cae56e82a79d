"""What a statement asks of one table's column, in a form that can be counted on a sample."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Operator(Enum):
    """The shapes of a condition on one column against values known before the scan."""

    EQUAL = "="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    BETWEEN = "between"
    IN = "in"
    LIKE = "like"
    IS_NULL = "is null"
    IS_NOT_NULL = "is not null"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Predicate:
    """One conjunct of a WHERE or ON clause that reads a single column of one table.

    Attributes:
        column: the column's name as the catalog spells it; empty where the conjunct reads several columns.
        operator: its shape. NOT LIKE, OR over one column, functions of the column and the rest are OTHER.
        sql: the conjunct's SQL with bare column names (no qualifier), literals in place, so that it can be
            evaluated over a sample of the table; None where it holds a parameter or a subquery.
        values: for EQUAL and IN the SQL of each value, if all of them are literals.
    """

    column: str
    operator: Operator
    sql: str | None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JoinEdge:
    """An equality between columns of two references (positions in `Analysis.references`)."""

    left: int
    left_column: str
    right: int
    right_column: str
