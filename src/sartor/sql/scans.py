"""Scans of local files in FROM: found in a template's tokens, and named so that the parser takes them for tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from sartor.core.analysis import Reference
from sartor.core.table import FileScan
from sartor.sql.fingerprint import Fingerprint, fingerprint

_READERS = {"read_parquet": "parquet", "parquet_scan": "parquet", "read_csv": "csv", "read_csv_auto": "csv"}
_ENDINGS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".csv.gz": "csv", ".csv.zst": "csv"}
# Options that say how a file is to be read, not which of its rows are left out.
_OPTIONS = frozenset(
    """
    header delim sep quote escape nullstr dateformat timestampformat decimal_separator all_varchar skip comment
    hive_partitioning union_by_name
    """.split()
)
_MARK = '"file#'


@dataclass(frozen=True, slots=True)
class Named:
    """A text in which every scan of files has a table's name instead.

    Attributes:
        text, printed: the text and its tokens.
        scans: which scan the first part of such a name stands for.
        origin: for each token, the first and the last token of the user's text that it stands for.
    """

    text: str
    printed: Fingerprint
    scans: Mapping[str, FileScan]
    origin: tuple[tuple[int, int], ...]

    def in_users_text(self, reference: Reference) -> Reference:
        """The reference with the tokens of the user's own text; where its conditions stand in that is not told."""
        first, last = self.origin[reference.first_token][0], self.origin[reference.last_token][1]
        predicates = tuple(replace(predicate, written=None) for predicate in reference.predicates)
        return replace(reference, first_token=first, last_token=last, predicates=predicates, compared=())


@dataclass(frozen=True, slots=True)
class _Place:
    """A scan among the tokens: the first and last of it, and the name that DuckDB knows it by without an alias."""

    first: int
    last: int
    scan: FileScan
    name: str


def file_scans(text: str, database: str) -> list[FileScan]:
    """The scans of local files in a text; never raises."""
    printed = fingerprint(text)
    return [place.scan for place in _places(printed.words(text), printed.template, database)]


def named(text: str, printed: Fingerprint, database: str) -> Named | None:
    """The text with names for its scans, or None where it has no scans."""
    words = printed.words(text)
    places = _places(words, printed.template, database)
    if not places:
        return None
    starts = {place.first: place for place in places}
    out, tokens, origin = "", [], []
    scans: dict[str, FileScan] = {}
    copied = number = 0
    while number < len(words):
        start, end = printed.tokens[number]
        out += text[copied:start]
        place = starts.get(number)
        if place is None:
            pieces, last = [words[number]], number
        else:
            scans[f"file#{number}"] = place.scan
            pieces, last = [f'{_MARK}{number}"', ".", f'"{place.name}"'], place.last
            end = printed.tokens[last][1]
        for piece in pieces:
            tokens.append((len(out), len(out) + len(piece)))
            origin.append((number, last))
            out += piece
        copied, number = end, last + 1
    return Named(out + text[copied:], replace(printed, tokens=tuple(tokens)), scans, tuple(origin))


def _places(words: tuple[str, ...], template: str, database: str) -> list[_Place]:
    if not any(_path(word) for word in words) or any(word.startswith(_MARK) for word in words):
        return []
    found = []
    for number, word in enumerate(words):
        before = words[number - 1].upper() if number else ""
        if before not in ("FROM", "JOIN") or (number > 1 and words[number - 2].upper() == "DISTINCT"):
            continue
        place = _bare(words, number, database) if word[0] == "'" else _called(words, number, database)
        if place is not None and all(word in template for word in words[place.first : place.last + 1]):
            found.append(place)
    return found


def _bare(words: tuple[str, ...], number: int, database: str) -> _Place | None:
    """A path in the place of a table."""
    path = _path(words[number])
    name, dot, ending = PurePath(path).name.partition(".")
    kind = _ENDINGS.get((dot + ending).lower())
    if kind is None or not name or '"' in name:
        return None
    return _Place(number, number, FileScan(words[number], path, kind, database), name)


def _called(words: tuple[str, ...], number: int, database: str) -> _Place | None:
    """A call of a reader with a path and options that are known."""
    reader = words[number].lower()
    kind = _READERS.get(reader)
    path = _path(words[number + 2]) if words[number + 1 : number + 2] == ("(",) and number + 3 < len(words) else ""
    if kind is None or not path:
        return None
    last = number + 3
    while words[last : last + 1] == (",",):
        option, sign, value = (*words[last + 1 : last + 4], "", "", "")[:3]
        literal = value[:1] == "'" or value.isdigit() or value.upper() in ("TRUE", "FALSE")
        if option.lower() not in _OPTIONS or sign != "=" or not literal:
            return None
        last += 4
    if words[last : last + 1] != (")",):
        return None
    return _Place(number, last, FileScan("".join(words[number : last + 1]), path, kind, database), reader)


def _path(word: str) -> str:
    """The local path that a plain string literal holds, or an empty text."""
    inner = word[1:-1]
    if word[:1] != "'" or len(word) < 3 or "'" in inner or inner[0] == "~" or ":" in inner:
        return ""
    return inner
