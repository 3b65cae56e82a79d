"""Expressions over a view's keys in the place of expressions over columns."""

from __future__ import annotations

from dataclasses import dataclass

from sartor.core.block import ColumnOf, Term, column_text
from sartor.core.view import ViewDefinition, key_column
from sartor.sql.matching.classes import Classes
from sartor.sql.matching.found import ALIAS, Differs, Guard, Match, Same
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
        for other in (column, *sorted(self.alike.of(column))):
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
        if not term.parts:
            raise Differs(f"the view does not group by {term.text}")
        for part in term.parts:
            self.put(part, match)

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
