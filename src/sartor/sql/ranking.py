"""Whether ORDER BY leaves ties among the rows that a statement shows: then their order is for plain DuckDB to say."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.block import Ranking
from sartor.sql.fingerprint import Fingerprint
from sartor.sql.rewrite import Rewriting, Splice


def check(text: str, printed: Fingerprint, splices: Sequence[Splice], ranking: Ranking) -> str:
    """A query of one row that is true if no two rows up to the one after the last shown are equal in all keys of ORDER BY.

    Args:
        text: the user's own; the splices are those of the alternative that is to be looked at.

    >>> from sartor.core.block import Ranking
    >>> from sartor.sql.fingerprint import fingerprint
    >>> text = "SELECT a, sum(b) AS s FROM t GROUP BY a ORDER BY s DESC LIMIT 3"
    >>> check(text, fingerprint(text), [], Ranking(8, ((3, 6),), (14, 17), 19))  # doctest: +ELLIPSIS
    'SELECT count(*) = count(DISTINCT row(sartor_o0)) FROM (SELECT a, sum(b) AS s, (sum(b)) AS sartor_o0 FROM t ... LIMIT 4)'
    """
    ordered = sorted(splices, key=lambda item: (item.first_token, -item.last_token))
    rewriting = Rewriting(text, printed, ordered)
    names = [f"sartor_o{place}" for place in range(len(ranking.keys))]
    keys = "".join(f", ({rewriting.tokens(first, last)}) AS {name}" for (first, last), name in zip(ranking.keys, names, strict=True))
    head = rewriting.tokens(0, ranking.items_end)
    tail = rewriting.tokens(ranking.items_end + 1, ranking.order[1])
    shown = sum(int(text[slice(*printed.tokens[place])]) for place in (ranking.limit, ranking.offset) if place >= 0)
    limit = f" LIMIT {shown + 1}" if ranking.limit >= 0 else ""
    return f"SELECT count(*) = count(DISTINCT row({', '.join(names)})) FROM ({head}{keys} {tail}{limit})"
