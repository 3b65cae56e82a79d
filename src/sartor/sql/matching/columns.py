"""Expressions over a view's keys in the place of expressions over columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sartor.core.block import ColumnOf, Term, column_text
from sartor.core.view import ViewDefinition, key_column
from sartor.sql.matching.classes import Classes
from sartor.sql.matching.coarser import part_of
from sartor.sql.matching.found import ALIAS, Differs, Guard, Match, Part, Same
from sartor.sql.rewrite import Splice


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of a block are found in a view.

    Attributes:
        alike: equalities between columns of one type, so that either may stand for the other.
        words: the tokens of the statement that was analysed.
    """

    view: ViewDefinition
    alike: Classes
    words: tuple[str, ...]

    def key(self, column: ColumnOf) -> int | None:
        """The key that holds a column, or one that equals it."""
        for other in self.alike.in_turn(column):
            place = self.view.key_of.get(column_text(other))
            if place is not None:
                return place
        return None

    def put(self, term: Term, match: Match) -> None:
        """Put a term into the view's keys.

        Raises:
            Differs: it reads what the view does not group by.
        """
        place = self.key(term.column) if term.column is not None else self.view.key_of.get(term.text)
        if place is not None and term.first >= 0:
            match.keys.add(place)
            match.splices.append(Splice(term.first, term.last, f"{ALIAS}.{key_column(place)}"))
            match.guards += self.same(term)
            return
        part = self.part(term)
        if part is not None:
            match.parts.add(part)
            match.splices.append(Splice(term.first, term.last, f"{ALIAS}.{part.name}"))
            match.guards += self.same(term)
            return
        if not term.parts:
            raise Differs(f"the view does not group by {term.text}")
        for inner in term.parts:
            self.put(inner, match)

    def part(self, term: Term) -> Part | None:
        """How a part of a date follows from a key that holds a finer one; None if it is none, or the date itself is a key."""
        if not term.unit or term.first < 0 or any(self.key(column) is not None for column in term.columns()):
            return None
        return part_of(term, self.view, self.alike)

    def keep_apart(self, reads: Sequence[Term]) -> None:
        """See that no two columns of a block's output and keys are found in one key.

        They are equal in every row, and yet not the same: a grouping set may make one of them NULL and not the other, and to show one
        where the other is grouped by is an error of the user's that has to stay.

        Raises:
            Differs: two of them are.
        """
        found: dict[int, ColumnOf] = {}
        for column in dict.fromkeys(column for term in reads for column in term.columns()):
            place = self.key(column)
            if place is not None and found.setdefault(place, column) != column:
                raise Differs(f"{found[place][1]} and {column[1]} are one key of the view")
        written: dict[str, str] = {}
        for term in (one for read in reads for one in _within(read)):
            if term.column is None and (term.text in self.view.key_of or self.part(term) is not None):
                spelled = "".join(term.sql.split())
                if written.setdefault(term.text, spelled) != spelled:  # 'MONTH' and 'month' are two expressions for DuckDB
                    raise Differs(f"{term.text} is written in two ways")

    def can(self, term: Term) -> bool:
        """Whether a term can be put into the view's keys."""
        try:
            self.put(term, Match())
        except Differs:
            return False
        return True

    def same(self, term: Term) -> list[Guard]:
        """That the literals of a term are those that were analysed."""
        return [Same(token, self.words[token]) for token in term.literals]

    def same_tokens(self, first: int, last: int) -> list[Guard]:
        """That some tokens are those that were analysed."""
        return [Same(token, self.words[token]) for token in range(first, last + 1)]


def _within(term: Term) -> Iterator[Term]:
    """A term and all terms inside it."""
    yield term
    for part in term.parts:
        yield from _within(part)
