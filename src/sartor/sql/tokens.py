"""Tokens as DuckDB's own tokenizer sees them, with character spans."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

_COMMENT = duckdb.token_type.comment
_STRING = duckdb.token_type.string_const
_NUMBER = duckdb.token_type.numeric_const
_KEYWORD = duckdb.token_type.keyword
_IDENTIFIER = duckdb.token_type.identifier


class Token(NamedTuple):
    """A token; `kind` is w (word: keyword or bare identifier), q (quoted identifier), s, n or o (string, number, other)."""

    start: int
    end: int
    kind: str
    text: str


def tokenize(text: str) -> list[Token]:
    """The tokens of a text without its comments; never raises, also for text that no parser would take.

    >>> [token.text for token in tokenize("select a.b -- c")]
    ['select', 'a', '.', 'b']
    """
    raw = duckdb.tokenize(text)
    ascii_ = text.isascii()
    encoded = b"" if ascii_ else text.encode()
    tokens = []
    last = len(raw) - 1
    for place, (start, kind) in enumerate(raw):
        if kind is _COMMENT or kind == _COMMENT:
            continue
        end = raw[place + 1][0] if place < last else (len(text) if ascii_ else len(encoded))
        piece = text[start:end] if ascii_ else encoded[start:end].decode(errors="replace")
        trimmed = piece.rstrip()
        if not ascii_:
            start = len(encoded[:start].decode(errors="replace"))
        tokens.append(Token(start, start + len(trimmed), _kind(kind, trimmed), trimmed))
    return tokens


def _kind(kind: duckdb.token_type, text: str) -> str:
    if kind == _KEYWORD:
        return "w"
    if kind == _IDENTIFIER:
        return "q" if text[0] in '"`' else "w"
    if kind == _STRING:
        return "s"
    if kind == _NUMBER and text != ".":
        return "n"
    return "o"
