"""A statement's text as tokens with character spans, by DuckDB's own tokenizer."""

from __future__ import annotations

from typing import NamedTuple

from duckdb import token_type, tokenize

IDENTIFIER = token_type.identifier
NUMBER = token_type.numeric_const
STRING = token_type.string_const
OPERATOR = token_type.operator
KEYWORD = token_type.keyword
COMMENT = token_type.comment

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
        ValueError: the text is no valid Unicode, or the tokens can not be mapped to it.

    >>> tokens("SELECT a.b -- c").words
    ['SELECT', 'a', '.', 'b']
    """
    try:
        found = tokenize(text)
    except Exception as error:
        raise ValueError(f"no tokens: {error}") from error
    starts = [start for start, _ in found]
    kinds = [kind for _, kind in found]
    if text.isascii():
        ends = starts[1:]
        ends.append(len(text))
        words = [text[start:end].rstrip(_SPACES) for start, end in zip(starts, ends, strict=True)]
    else:
        words, starts = _of_bytes(text, starts)
    if COMMENT in kinds:
        kept = [i for i, kind in enumerate(kinds) if kind is not COMMENT and kind != COMMENT]
        return Tokens([words[i] for i in kept], [kinds[i] for i in kept], [starts[i] for i in kept])
    return Tokens(words, kinds, starts)


def _of_bytes(text: str, offsets: list[int]) -> tuple[list[str], list[int]]:
    encoded = text.encode()
    ends = [*offsets[1:], len(encoded)]
    words, starts = [], []
    position = len(encoded[: offsets[0]].decode()) if offsets else 0
    for start, end in zip(offsets, ends, strict=True):
        word = encoded[start:end].decode()  # a UnicodeDecodeError is a ValueError
        starts.append(position)
        position += len(word)
        words.append(word.rstrip(_SPACES))
    return words, starts


def unquoted(word: str) -> str:
    """An identifier's name without its quotes.

    >>> unquoted('"a""b"'), unquoted("c")
    ('a"b', 'c')
    """
    if len(word) > 1 and word[0] == '"' and word[-1] == '"':
        return word[1:-1].replace('""', '"')
    return word
