"""Where a table reference stands in the template's tokens."""

from __future__ import annotations

from bisect import bisect_left

from sqlglot import exp

from sartor.sql.fingerprint import Fingerprint


def place_of(node: exp.Table, printed: Fingerprint, words: tuple[str, ...]) -> tuple[int, int, str] | None:
    """First and last token of a table's name and alias, and the alias as written; None where the text is not as expected.

    Args:
        words: the template's tokens as this text writes them. The alias is given as the template numbers generated names.

    The tokens are read again, so that a parser that is off by one can never make a splice cut a word.
    """
    parts = node.parts
    start = parts[0].meta.get("start")
    if start is None:
        return None
    first = bisect_left(printed.tokens, (start, 0))
    if first >= len(printed.tokens) or printed.tokens[first][0] != start:
        return None
    last = first
    for place, part in enumerate(parts):
        if place:
            if words[last + 1 : last + 2] != (".",):
                return None
            last += 2
        if last >= len(words) or _plain(words[last]) != part.name.lower():
            return None
    written = words[last]
    alias = node.args.get("alias")
    if alias is not None and alias.this is not None:
        following = last + 1
        if following < len(words) and words[following].upper() == "AS":
            following += 1
        if following >= len(words) or _plain(words[following]) != alias.name.lower():
            return None
        written, last = words[following], following
    if last + 1 < len(words) and words[last + 1] in (".", "("):
        return None
    if written in printed.generated:
        written = f'"generated#{printed.generated.index(written)}"'
    return first, last, written


def _plain(word: str) -> str:
    return (word[1:-1].replace('""', '"') if word[:1] == '"' else word).lower()
