"""Put something else in the place of spans of the user's own text; what is around them stays as written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sartor.sql.fingerprint import PLACEHOLDER, Fingerprint


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
    text: str


def splice(text: str, fingerprint: Fingerprint, splices: Iterable[Splice]) -> str:
    """Rewrite a text; the fingerprint is its own, the splices may come from any statement of its template.

    Raises:
        ValueError: splices overlap or lie outside the template.

    >>> from sartor.sql.fingerprint import fingerprint
    >>> text = "SELECT a FROM t WHERE b = 3"
    >>> splice(text, fingerprint(text), [Splice(3, 3, "(SELECT 1 AS a, 3 AS b) AS t")])
    'SELECT a FROM (SELECT 1 AS a, 3 AS b) AS t WHERE b = 3'
    """
    pieces: list[str] = []
    position = 0
    for item in sorted(splices, key=lambda item: item.first_token):
        if not 0 <= item.first_token <= item.last_token < len(fingerprint.tokens):
            raise ValueError(f"tokens {item.first_token} to {item.last_token} are not in this template")
        start, end = fingerprint.tokens[item.first_token][0], fingerprint.tokens[item.last_token][1]
        if start < position:
            raise ValueError("splices overlap")
        pieces.append(text[position:start])
        if start and not text[start - 1].isspace() and text[start - 1] != "(":
            pieces.append(" ")
        pieces.append(_named(item.text, fingerprint.generated))
        if end < len(text) and (text[end].isalnum() or text[end] in "_\"'$"):
            pieces.append(" ")
        position = end
    pieces.append(text[position:])
    return "".join(pieces)


def _named(text: str, generated: tuple[str, ...]) -> str:
    if not generated or "#" not in text:
        return text
    return PLACEHOLDER.sub(lambda match: generated[int(match[1])], text)
