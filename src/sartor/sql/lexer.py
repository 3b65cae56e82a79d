"""A statement's text as tokens with character spans, by DuckDB's own tokenizer."""

from __future__ import annotations

import re
from typing import NamedTuple

from duckdb import token_type, tokenize

IDENTIFIER = token_type.identifier
NUMBER = token_type.numeric_const
STRING = token_type.string_const
OPERATOR = token_type.operator
KEYWORD = token_type.keyword
COMMENT = token_type.comment

ODD_SPACE = re.compile("[\x1c-\x1f\x85\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")
"""DuckDB's parser takes most of these for white space, its tokenizer takes them for letters."""

_CONTROL = re.compile("[\x1c-\x1f]")
_SPACES = " \t\n\r\f\v"


class Tokens(NamedTuple):
    """The tokens of a text without its comments, as parallel lists.

    Attributes:
        words: each token's text, without the white space behind it.
        kinds: DuckDB's own kind of it. The dot between names comes as a number, words that are no keywords
            as identifiers.
        starts: the character offset of each; it ends at `starts[i] + len(words[i])`.
    """

    words: list[str]
    kinds: list[token_type]
    starts: list[int]


def tokens(text: str) -> Tokens:
    """Split a text as DuckDB does.

    Raises:
        ValueError: the text is no valid Unicode, or holds white space that only the parser knows outside of
            strings and quoted names, so that these tokens would not be those that are run.

    >>> tokens("SELECT a.b -- c").words
    ['SELECT', 'a', '.', 'b']
    """
    try:
        found = tokenize(text)
    except Exception as error:
        raise ValueError(f"no tokens: {error}") from error
    if not found:
        return Tokens([], [], [])
    starts = [start for start, _ in found]
    kinds = [kind for _, kind in found]
    if text.isascii() and not _CONTROL.search(text):
        ends = starts[1:]
        ends.append(len(text))
        words = [text[start:end].rstrip(_SPACES) for start, end in zip(starts, ends, strict=True)]
    else:
        words, starts = _of_bytes(text, starts)
    if "" in words:
        raise ValueError("an empty token")
    if COMMENT in kinds:
        kept = [i for i, kind in enumerate(kinds) if kind is not COMMENT]
        return Tokens([words[i] for i in kept], [kinds[i] for i in kept], [starts[i] for i in kept])
    return Tokens(words, kinds, starts)


def _of_bytes(text: str, offsets: list[int]) -> tuple[list[str], list[int]]:
    encoded = text.encode()
    ends = [*offsets[1:], len(encoded)]
    words: list[str] = []
    starts: list[int] = []
    position = len(encoded[: offsets[0]].decode()) if offsets else 0
    for start, end in zip(offsets, ends, strict=True):
        word = encoded[start:end].decode()  # a UnicodeDecodeError is a ValueError
        starts.append(position)
        position += len(word)
        words.append(word.rstrip(_SPACES))
    if ODD_SPACE.search(text):
        for word in words:
            if word[:1] not in "'\"$" and ODD_SPACE.search(word) and not word.startswith(("--", "/*")):
                raise ValueError("white space that only the parser knows")
    return words, starts


def unquoted(word: str) -> str:
    """An identifier's name without its quotes.

    >>> unquoted('"a""b"'), unquoted("c")
    ('a"b', 'c')
    """
    if len(word) > 1 and word[0] == '"' and word[-1] == '"':
        return word[1:-1].replace('""', '"')
    return word
