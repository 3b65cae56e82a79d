"""The template of a statement: what stays the same when only its literals change."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

from sartor.sql.tokens import tokenize

_GENERATED = re.compile(r"unnamed_relation_[0-9a-f]{16}|__duckdb_source_[0-9a-f]+_\d+")
_ENDS_ORDINALS = frozenset({"LIMIT", "OFFSET", "HAVING", "UNION", "EXCEPT", "INTERSECT", "WINDOW", "QUALIFY", "ROWS", "RANGE"})
_NO_SPACE_BEFORE = re.compile(r" ([,).;:\]]|::)")
_NO_SPACE_AFTER = re.compile(r"([(.\[]|::) ")


@dataclass(frozen=True)
class Fingerprint:
    """A statement's template and where its tokens stand in this text.

    Attributes:
        digest: 16 hexadecimal characters, the same in every process.
        words: the template's tokens; literals are "?", a list of literals after IN is one "?…".
        tokens: per template token, its character span in this text.
        literals: the literals in this text, in order.
    """

    digest: str
    words: tuple[str, ...]
    tokens: tuple[tuple[int, int], ...]
    literals: tuple[str, ...]

    @cached_property
    def template(self) -> str:
        """The template as text for people."""
        return _NO_SPACE_AFTER.sub(r"\1", _NO_SPACE_BEFORE.sub(r"\1", " ".join(self.words)))


def fingerprint(text: str) -> Fingerprint:
    """The fingerprint of a statement; never raises.

    White space, comments and literals do not count. Ordinals after ORDER BY and GROUP BY do, for they say which column is
    meant, and the aliases that relations draw at random are numbered.

    >>> fingerprint("select a from t where b = 5").digest == fingerprint("select a  from t where b=77").digest
    True
    >>> fingerprint("select a from t where b in (1, 2)").template
    'select a from t where b in (?…)'
    >>> fingerprint("select a from t order by 1").digest == fingerprint("select a from t order by 2").digest
    False
    """
    tokens = tokenize(text)
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    literals: list[str] = []
    generated: dict[str, str] = {}
    ordinals = False
    for place, token in enumerate(tokens):
        if token.kind in "ns" and not (ordinals and token.kind == "n"):
            literals.append(token.text)
            if _continues_list(words):
                words.pop()
                spans.pop()
                words[-1] = "?…"
                spans[-1] = (spans[-1][0], token.end)
                continue
            word = "?"
        else:
            word = token.text
            if token.kind == "w":
                upper = word.upper()
                if upper == "BY":
                    ordinals = tokens[place - 1].text.upper() in ("ORDER", "GROUP")
                elif ordinals and upper in _ENDS_ORDINALS:
                    ordinals = False
            elif token.kind == "q" and _GENERATED.search(word):
                word = _GENERATED.sub(lambda match: _number(generated, match.group()), word)
        words.append(word)
        spans.append((token.start, token.end))
    while words and words[-1] == ";":
        words.pop()
        spans.pop()
    joined = " ".join(words) if words else text
    digest = hashlib.blake2b(joined.encode(errors="replace"), digest_size=8).hexdigest()
    return Fingerprint(digest, tuple(words), tuple(spans), tuple(literals))


def _continues_list(words: list[str]) -> bool:
    """Whether the words end in `IN ( ? ,`, so that one more literal only makes the list longer."""
    return len(words) >= 4 and words[-1] == "," and words[-2] in ("?", "?…") and words[-3] == "(" and words[-4].upper() == "IN"


def _number(generated: dict[str, str], name: str) -> str:
    return generated.setdefault(name, f"relation_{len(generated) + 1}")


