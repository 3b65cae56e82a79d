"""Put something else in the place of spans of the user's own text; what is around them stays as written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sartor.sql.fingerprint import PLACEHOLDER, Fingerprint


@dataclass(frozen=True, slots=True)
class Copy:
    """The user's own tokens from the first to the last, with the splices that lie inside them."""

    first_token: int
    last_token: int


@dataclass(frozen=True, slots=True)
class NameOf:
    """The name that DuckDB gives an output column whose expression are these tokens, quoted."""

    first_token: int
    last_token: int


Piece = str | Copy | NameOf


@dataclass(frozen=True, slots=True)
class Splice:
    """A piece of SQL for the place of some tokens of a template.

    Attributes:
        first_token, last_token: positions in the template's tokens, both included.
        text: what stands there afterwards. Names that DuckDB's relations generate stand in it as in the
            template, so that one splice fits each statement of the template.
    """

    first_token: int
    last_token: int
    text: str | tuple[Piece, ...]


def splice(text: str, fingerprint: Fingerprint, splices: Iterable[Splice]) -> str:
    """Rewrite a text; the fingerprint is its own, the splices may come from any statement of its template.

    A splice inside another one counts where that copies its tokens.

    Raises:
        ValueError: splices overlap or lie outside the template.

    >>> from sartor.sql.fingerprint import fingerprint
    >>> text = "SELECT a FROM t WHERE b = 3"
    >>> splice(text, fingerprint(text), [Splice(3, 3, "(SELECT 1 AS a, 3 AS b) AS t")])
    'SELECT a FROM (SELECT 1 AS a, 3 AS b) AS t WHERE b = 3'
    >>> splice(text, fingerprint(text), [Splice(1, 1, (Copy(1, 1), " AS ", NameOf(1, 1))), Splice(1, 1, "v.k")])
    'SELECT v.k AS "a" FROM t WHERE b = 3'
    """
    ordered = sorted(splices, key=lambda item: (item.first_token, -item.last_token))
    if any(not 0 <= item.first_token <= item.last_token < len(fingerprint.tokens) for item in ordered):
        raise ValueError("a splice lies outside this template")
    return Rewriting(text, fingerprint, ordered).range(0, len(text), ordered)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A text with the splices that are to be made in it, in the order of their first tokens, outer ones first."""

    text: str
    fingerprint: Fingerprint
    splices: Sequence[Splice]

    def tokens(self, first: int, last: int) -> str:
        """Some tokens of the text with their splices, but for what is only put around just these tokens."""
        inside = [item for item in self.splices if first <= item.first_token and item.last_token <= last]
        around = Copy(first, last)
        inside = [item for item in inside if isinstance(item.text, str) or around not in item.text or item.last_token < last]
        tokens = self.fingerprint.tokens
        return self.range(tokens[first][0], tokens[last][1], inside)

    def range(self, begin: int, end: int, inside: Sequence[Splice]) -> str:
        """Characters of the text with the splices that lie in them."""
        tokens = self.fingerprint.tokens
        pieces: list[str] = []
        position, done = begin, -1
        for place, item in enumerate(inside):
            if item.last_token <= done:
                continue  # inside the one before: it counts where that copies
            start, stop = tokens[item.first_token][0], tokens[item.last_token][1]
            if start < position:
                raise ValueError("splices overlap")
            pieces.append(self.text[position:start])
            if start and not self.text[start - 1].isspace() and self.text[start - 1] != "(":
                pieces.append(" ")
            pieces.append(self._written(item, inside[place + 1 :]))
            if stop < len(self.text) and (self.text[stop].isalnum() or self.text[stop] in "_\"'$"):
                pieces.append(" ")
            position, done = stop, item.last_token
        pieces.append(self.text[position:end])
        return "".join(pieces)

    def _written(self, item: Splice, later: Sequence[Splice]) -> str:
        if isinstance(item.text, str):
            return _named(item.text, self.fingerprint.generated)
        tokens = self.fingerprint.tokens
        pieces = []
        for piece in item.text:
            match piece:
                case Copy(first, last):
                    inside = [one for one in later if first <= one.first_token and one.last_token <= last]
                    pieces.append(self.range(tokens[first][0], tokens[last][1], inside))
                case NameOf(first, last):
                    pieces.append(_name(self.text[tokens[first][0] : tokens[last][1]]))
                case str():
                    pieces.append(_named(piece, self.fingerprint.generated))
        return "".join(pieces)


def _name(expression: str) -> str:
    """The name that DuckDB gives an expression without an alias, quoted.

    >>> _name("SUM(a*b)")
    '"sum((a * b))"'
    """
    import duckdb

    return '"' + duckdb.SQLExpression(expression).get_name().replace('"', '""') + '"'


def _named(text: str, generated: tuple[str, ...]) -> str:
    if not generated or "#" not in text:
        return text
    return PLACEHOLDER.sub(lambda match: generated[int(match[1])], text)
