"""Rewrites splice spans of the user's own text; a statement is never printed anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sartor.sql.fingerprint import Fingerprint


class Splice(NamedTuple):
    """Put `text` in the place of the template tokens from `first_token` to `last_token`, both included."""

    first_token: int
    last_token: int
    text: str


def splice(text: str, fingerprint: Fingerprint, splices: Iterable[Splice]) -> str:
    """The text with its splices; they must not overlap.

    >>> from sartor.sql.fingerprint import fingerprint
    >>> statement = "select a from t where b = 5"
    >>> splice(statement, fingerprint(statement), [Splice(3, 3, "(select a, b from u) AS t")])
    'select a from (select a, b from u) AS t where b = 5'
    """
    pieces = []
    end = 0
    for item in sorted(splices):
        start = fingerprint.tokens[item.first_token][0]
        pieces += [text[end:start], item.text]
        end = fingerprint.tokens[item.last_token][1]
    pieces.append(text[end:])
    return "".join(pieces)


def covered(text: str, fingerprint: Fingerprint, first_token: int, last_token: int) -> str:
    """The piece of the text that a splice would replace."""
    return text[fingerprint.tokens[first_token][0] : fingerprint.tokens[last_token][1]]
