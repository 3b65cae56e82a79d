"""Fingerprints of texts that differ from one that was read in plain literals alone, without reading their tokens again.

A text is cut at what looks like a literal. Where each literal of the first text is a token of its own, others with the same pieces
between literals of the same kinds have the same tokens but for these: the tokenizer comes to a literal in the same state, reads it
up to the same character behind it, and goes on with the same text. What is cut elsewhere (in comments, quoted names and longer
tokens, and literals that belong to the template) has to be the same in both.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate

from sartor.sql.fingerprint import PLAIN_DIGITS, Fingerprint

_LITERAL = re.compile(r"('[^']*'|\b\d+(?:\.\d+)?|unnamed_relation_[0-9a-f]{16})", re.ASCII)
_ITEM = r"\s*-?(?:'[^']*'|\d+(?:\.\d+)?)\s*"
_LIST = re.compile(rf"\({_ITEM}(?:,{_ITEM})*\)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cut:
    """A text, cut at its literals and at names that relations generate.

    Attributes:
        pieces: what stands around them.
        literals: they themselves, one less.
        kinds: the first character of each.
    """

    pieces: tuple[str, ...]
    literals: tuple[str, ...]
    kinds: str

    @property
    def key(self) -> object:
        """Equal for texts that look alike: good enough to tell what was asked before from what was not."""
        return self.pieces, self.kinds


def cut(text: str) -> Cut:
    """Cut a text.

    >>> cut("SELECT a FROM t WHERE b = 'x' AND c < 12")
    Cut(pieces=('SELECT a FROM t WHERE b = ', ' AND c < ', ''), literals=("'x'", '12'), kinds="'0")
    """
    parts = _LITERAL.split(text)
    literals = tuple(parts[1::2])
    kinds = "".join([one[0] if one[0] in "'u" else "0" for one in literals])
    return Cut(tuple(parts[::2]), literals, kinds)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the fingerprints of texts that are cut alike have in common.

    Attributes:
        kept: by their places, what has to be the same in each text.
        bounds: of each token the literals before its start, the characters outside literals before it, and both for its end.
        folded: the tokens that hold literals which are no part of the template.
    """

    digest: str
    template: str
    kept: tuple[tuple[int, str], ...]
    bounds: tuple[tuple[int, int, int, int], ...]
    folded: tuple[int, ...]

    def fingerprint(self, text: str, cut: Cut) -> Fingerprint | None:
        """The fingerprint of a text that is cut like the one this is of; None if it has to be read."""
        literals = cut.literals
        if not text.isascii() or "\0" in text:
            return None
        for place, literal in self.kept:
            if literals[place] != literal:
                return None
        for literal in literals:
            if len(literal) > PLAIN_DIGITS and literal[0] != "'":
                return None
        before = list(accumulate(map(len, literals), initial=0))
        tokens = tuple([(before[i] + start, before[j] + end) for i, start, j, end in self.bounds])
        found = tuple([text[slice(*tokens[token])] for token in self.folded])
        return Fingerprint(self.digest, self.template, found, tokens, folded=self.folded)


def likeness(text: str, cut: Cut, printed: Fingerprint) -> Likeness | None:
    """What texts that are cut like one have in common with it; None if that is not known.

    Args:
        printed: the fingerprint of the text, as it was read.
    """
    if not printed.tokens or printed.generated or not text.isascii() or "\0" in text:
        return None
    if any(piece.lstrip().startswith("[") for piece in cut.pieces[1:]):  # what a bracket is depends on the number before it
        return None
    starts = [start for start, _ in printed.tokens]
    kept: list[tuple[int, str]] = []
    begins: list[int] = []
    position = 0
    for place, (piece, literal) in enumerate(zip(cut.pieces, cut.literals, strict=False)):
        begin = position + len(piece)
        position = begin + len(literal)
        begins.append(begin)
        token = bisect_right(starts, begin) - 1
        if not (token in printed.folded and _holds(text, printed.tokens[token], begin, position)):
            kept.append((place, literal))
    before = list(accumulate(map(len, cut.literals), initial=0))
    bounds = []
    for start, end in printed.tokens:
        i, j = bisect_left(begins, start), bisect_left(begins, end)
        bounds.append((i, start - before[i], j, end - before[j]))
    return Likeness(printed.digest, printed.template, tuple(kept), tuple(bounds), printed.folded)


def _holds(text: str, token: tuple[int, int], begin: int, end: int) -> bool:
    """Whether a folded token is this literal, or a list of nothing but literals with it among them."""
    return token == (begin, end) or (end < token[1] and _LIST.fullmatch(text, *token) is not None)
