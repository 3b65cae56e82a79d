"""Which template a statement belongs to, and where the template's tokens lie in its text.

Two statements of one template differ in nothing but literals that leave names, structure and the analysis as
they are. A literal stays in the template where it says more than a value: ordinals, type parameters, file
names, arguments of table functions, struct fields and subscripts, and numbers that are no plain integer or
decimal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from sartor.sql.lexer import IDENTIFIER, NUMBER, STRING, tokens

if TYPE_CHECKING:
    from duckdb import token_type

GENERATED = re.compile(r'"((?:[a-z]+_)+[0-9a-f]{16}|__duckdb_source_[0-9a-f]+_\d+)"')
"""Names that DuckDB's relations make anew for each text; quoted always."""

PLACEHOLDER = re.compile(r'"generated#(\d+)"')
"""What stands for the n-th of them in a template, and in the text of a splice."""

PLAIN_DIGITS = 15  # a plain number longer than this may be a HUGEINT or a DOUBLE: it stays in the template
_ENDS_LIST = frozenset(
    """
    SELECT WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET UNION EXCEPT INTERSECT VALUES FETCH
    USING SET
    """.split()
)
_TIGHT_BEFORE = frozenset((",", ")", ".", "::", "]", ";", "}", ":"))
_TIGHT_AFTER = frozenset(("(", ".", "::", "[", "{", "$", "#"))
_WITH_PARAMETERS = frozenset(
    """
    DECIMAL NUMERIC DEC VARCHAR CHAR CHARACTER BPCHAR NVARCHAR NCHAR VARBINARY TEXT STRING BIT
    VARBIT BITSTRING TIME TIMESTAMP TIMESTAMPTZ TIMETZ FLOAT INTERVAL VARYING
    """.split()
)
_FILE_PLACES = frozenset(("FROM", "JOIN", ",", "("))
_ORDINAL_PLACES = frozenset(("BY", ",", "("))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The template of one text.

    Attributes:
        digest: 16 hex digits, the same in every process.
        template: the text without comments, white space folded, numbers as `?`, strings as `'?'`, lists of
            literals after IN and rows of literals after VALUES as one `(?…)` or `('?'…)`.
        literals: what stood in the place of each mark, as written.
        tokens: the character span in *this* text of each token of the template; empty if it has none.
        generated: the names of this text that DuckDB's relations generated, quoted, in the order of
            appearance; the template numbers them.
        folded: the tokens that the literals are.
    """

    digest: str
    template: str
    literals: tuple[str, ...]
    tokens: tuple[tuple[int, int], ...]
    generated: tuple[str, ...] = ()
    folded: tuple[int, ...] = ()

    def words(self, text: str) -> tuple[str, ...]:
        """The tokens as the text that this is of writes them."""
        return tuple([text[start:end] for start, end in self.tokens])


def fingerprint(text: str) -> Fingerprint:
    """Find a text's template; never raises, also not for what is no SQL.

    >>> one = fingerprint("SELECT a FROM t WHERE b IN (1, 2) AND c = 'x' ORDER BY 1 -- why")
    >>> one.template, one.literals
    ("SELECT a FROM t WHERE b IN (?…) AND c = '?' ORDER BY 1", ('(1, 2)', "'x'"))
    >>> fingerprint("SELECT a FROM t WHERE b IN (7)AND c='y'ORDER  BY 1;").digest == one.digest
    True
    """
    try:
        words, kinds, starts = tokens(text)
    except ValueError:
        return _raw(text)
    while words and words[-1] == ";":
        words.pop()
    if not words or _unterminated(words[-1]):
        return _raw(text)
    return _Folding(text, words, kinds, starts).fold()


def _raw(text: str) -> Fingerprint:
    return Fingerprint(_digest(text), text, (), ())


def _digest(template: str) -> str:
    return blake2b(template.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _unterminated(word: str) -> bool:
    return word[0] in "'\"" and (len(word) == 1 or word[-1] != word[0])


class _Folding:
    """One walk over a text's tokens."""

    __slots__ = ("_kinds", "_literals", "_spans", "_starts", "_text", "_words")

    def __init__(self, text: str, words: list[str], kinds: list[token_type], starts: list[int]) -> None:
        self._text, self._words, self._kinds, self._starts = text, words, kinds, starts
        self._literals: list[str] = []
        self._spans: list[tuple[int, int]] = []

    def fold(self) -> Fingerprint:
        words, kinds, starts = self._words, self._kinds, self._starts
        literals, spans = self._literals, self._spans
        folded: list[int] = []
        names: dict[str, str] = {}
        out: list[str] = []
        # What holds at this depth: inside a BY list, inside a FROM list, all literals are kept.
        by = from_ = keep = False
        outer: list[tuple[bool, bool, bool]] = []
        i, count = 0, len(words)
        previous = before = ""
        while i < count:
            word, kind, start = words[i], kinds[i], starts[i]
            following = i + 1
            upper = mark = word
            if kind == NUMBER:
                if word != "." and not keep and not (by and previous in _ORDINAL_PLACES) and self._plain(i, previous):
                    mark = "?"
                    literals.append(word)
            elif kind == STRING:
                field = following < count and words[following] == ":" and previous in ("{", ",")
                file = from_ and previous in _FILE_PLACES
                if word[0] in "'$" and not keep and not field and not file and not (by and previous in _ORDINAL_PLACES):
                    mark = "'?'"
                    literals.append(word)
            elif word == "(":
                opened = self._list_of_literals(i) if previous == "IN" else 0
                if opened:
                    following = opened
                    mark = "('?'…)" if kinds[i + 1] == STRING else "(?…)"
                    literals.append(self._text[start : starts[opened - 1] + 1])
                elif previous == "VALUES" and (opened := self._rows_of_literals(i)):
                    following = opened
                    mark = "(?…)"
                    literals.append(self._text[start : starts[opened - 1] + 1])
                else:
                    outer.append((by, from_, keep))
                    called = i > 0 and kinds[i - 1] == IDENTIFIER
                    keep = keep or previous in _WITH_PARAMETERS or (called and from_ and before in _FILE_PLACES)
                    from_ = from_ and not called
            elif word == "[":
                outer.append((by, from_, keep))
                subscripts = i > 0 and (kinds[i - 1] == IDENTIFIER or previous.isalnum() or previous in ")]")
                keep = keep or subscripts
            elif word in (")", "]"):
                if outer:
                    by, from_, keep = outer.pop()
            elif word[0] == '"':
                if GENERATED.fullmatch(word):
                    mark = names.setdefault(word, f'"generated#{len(names)}"')
            elif word.isalpha():
                upper = word.upper()
                if upper == "BY":
                    by, from_ = True, False
                elif upper in ("FROM", "JOIN"):
                    by, from_ = False, True
                elif upper in _ENDS_LIST:
                    by = from_ = False
            if len(literals) > len(folded):
                folded.append(len(spans))
            if following == i + 1:
                spans.append((start, start + len(word)))
                before, previous = previous, upper
            else:
                spans.append((start, starts[following - 1] + 1))
                before, previous = previous, ")"
            if (
                mark in _TIGHT_BEFORE
                or not out
                or words[i - 1] in _TIGHT_AFTER
                or (kinds[i - 1] == NUMBER and starts[i - 1] + len(words[i - 1]) == start)  # 0x1F is two tokens
                or (word == "(" and kinds[i - 1] == IDENTIFIER)
            ):
                out.append(mark)
            else:
                out.append(" " + mark)
            i = following
        template = "".join(out)
        return Fingerprint(_digest(template), template, tuple(literals), tuple(spans), tuple(names), tuple(folded))

    def _plain(self, i: int, previous: str) -> bool:
        """Whether the number at `i` is an integer or decimal that means a value and nothing else."""
        word = self._words[i]
        if len(word) > PLAIN_DIGITS or not word.replace(".", "", 1).isdigit():
            return False
        start = self._starts[i]
        if previous in ("$", "#", "?") and i > 0:
            return False
        end = start + len(word)
        glued = i + 1 < len(self._words) and self._starts[i + 1] == end and self._kinds[i + 1] == IDENTIFIER
        return not glued

    def _list_of_literals(self, i: int) -> int:
        """The position behind the list of literals of one kind that a parenthesis at `i` opens, or 0."""
        words, kinds = self._words, self._kinds
        count = len(words)
        wanted = None
        i += 1
        while i < count:
            if words[i] == "-" and kinds[i + 1 : i + 2] == [NUMBER]:
                i += 1
            if kinds[i] == NUMBER:
                if not self._plain(i, words[i - 1]):
                    return 0
            elif kinds[i] != STRING or words[i][0] not in "'$":
                return 0
            if wanted is None:
                wanted = kinds[i]
            if kinds[i] != wanted or i + 1 >= count:
                return 0
            if words[i + 1] == ")":
                return i + 2
            if words[i + 1] != ",":
                return 0
            i += 2
        return 0

    def _rows_of_literals(self, i: int) -> int:
        """The position behind the rows of literals that begin at `i`, or 0 if one holds anything else."""
        words, kinds = self._words, self._kinds
        depth = 0
        for j in range(i, len(words)):
            word = words[j]
            if word == "(":
                depth += 1
                if depth > 1:
                    return 0
            elif word == ")":
                depth -= 1
                if words[j + 1 : j + 3] != [",", "("]:
                    return j + 1
            elif kinds[j] not in (NUMBER, STRING) and word.upper() not in (",", "-", "NULL", "TRUE", "FALSE"):
                return 0
        return 0
