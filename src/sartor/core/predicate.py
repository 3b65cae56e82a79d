"""What a statement asks of one table's column, in a form that can be counted on a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sartor.core.table import quote


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


HIDDEN_FROM_ZONE_MAPS = frozenset((Operator.OTHER, Operator.LIKE, Operator.IN))
"""The shapes of conditions that the smallest and the largest value of a row group do not rule out."""


@dataclass(frozen=True, slots=True)
class Written:
    """A conjunct of WHERE whose truth may be stored beside each row, and where it stands in the statement's tokens.

    It reads columns of one table and nothing else, gives the same in every session, and raises on no row.

    Attributes:
        first_token, last_token: of the whole conjunct, in the fingerprint's tokens, both included.
        columns: for each column in it the first and the last of its tokens, and its name as the catalog spells it.
        example: what `text` gives for the statement that was analysed.
    """

    first_token: int
    last_token: int
    columns: tuple[tuple[int, int, str], ...]
    example: str = ""

    def text(self, words: Sequence[str]) -> str:
        r"""The conjunct as a statement of the template writes it, its literals with it, over the bare columns of the table.

        Two texts that are equal are the same condition.

        >>> Written(5, 9, ((5, 7, "note"),)).text(["SELECT", "*", "FROM", "t", "WHERE", "t", ".", "NOTE", "like", "'%x%'"])
        '"note" LIKE \'%x%\''
        """
        names = {first: (last, name) for first, last, name in self.columns}
        pieces, place = [], self.first_token
        while place <= self.last_token:
            last, name = names.get(place, (place, ""))
            word = words[place]
            pieces.append(quote(name) if name else word.upper() if word.isidentifier() else word)
            place = last + 1
        return " ".join(pieces)


@dataclass(frozen=True, slots=True)
class Predicate:
    """One conjunct of a WHERE or ON clause that reads a single column of one table.

    Attributes:
        column: the column's name as the catalog spells it; empty where the conjunct reads several columns.
        operator: its shape. NOT LIKE, OR over one column, functions of the column and the rest are OTHER.
        sql: the conjunct's SQL with bare column names (no qualifier), literals in place, so that it can be
            evaluated over a sample of the table; None where it holds a parameter or a subquery.
        values: for EQUAL and IN the SQL of each value, if all of them are literals.
        written: of a conjunct of WHERE that no zone map of a column sees through, or beside tables that are only joined so that rows
            without a partner are left out: where it stands, if its truth may be stored.
    """

    column: str
    operator: Operator
    sql: str | None
    values: tuple[str, ...] = ()
    written: Written | None = None


@dataclass(frozen=True, slots=True)
class JoinEdge:
    """An equality between columns of two references (positions in `Analysis.references`).

    Attributes:
        inner: it holds in each row of the join, which holds a row of both; and comparing these columns casts nothing that may raise.
    """

    left: int
    left_column: str
    right: int
    right_column: str
    inner: bool = False
