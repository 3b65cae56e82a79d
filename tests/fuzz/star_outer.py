"""LEFT JOINs whose ON holds conditions with literals, and views over them, each for some literals of its own."""

from __future__ import annotations

import random
import re

from tests.fuzz.queries import Query

OUTER = "literals of a LEFT JOIN"
"""The rule of its statements."""

_VIEWS = 3
_LITERAL = re.compile("<(d|w|y|brand|city)>")
_JOINS = (
    (
        "sales s LEFT JOIN items g ON s.i = g.i AND {on}",
        "s.c",
        "g.k",
        ("g.w >= <w>", "g.w IN (<w>, <w>)", "(g.w > <w> OR g.brand = <brand>)"),
    ),
    (
        "sales s LEFT JOIN visits v ON v.h = s.h AND {on}",
        "s.c",
        "v.v",
        ("v.d >= DATE <d>", "v.d < <d>", "(v.d > DATE <d> OR v.v = <w>)"),
    ),
    (
        "sales s LEFT JOIN visits v ON {on} AND s.h = v.h JOIN shops p ON p.h = s.h",
        "p.area",
        "v.v",
        ("v.d >= DATE <d>", "DATE <d> < v.d", "s.y > <y>", "v.d BETWEEN DATE <d> AND DATE <d>", "(s.y = <y> OR v.d < DATE <d>)"),
    ),
    (
        "shops p LEFT JOIN visits v ON v.h = p.h AND {on} JOIN sales s ON p.h = s.h",
        "s.c",
        "v.v",
        ("v.d >= DATE <d>", "v.d < DATE <d>", "p.city = <city>", "p.city LIKE <city>", "(v.v > <w> OR p.city = <city>)"),
    ),
)


class Outer:
    """Draws such views, and statements of the same words with their literals or others; the same for a seed."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_
        self._shapes = [self._shape() for _ in range(_VIEWS)]
        self.views = [self._filled(view) for view, _ in self._shapes]

    def query(self) -> Query:
        """A statement that a view answers if its literals are the view's own."""
        _, shape = self._random.choice(self._shapes)
        return Query(OUTER, self._filled(shape), ordered=False)

    def _shape(self) -> tuple[str, str]:
        pick = self._random
        source, key, counted, conditions = pick.choice(_JOINS)
        joined = source.format(on=pick.choice(conditions))
        view = f"SELECT {key}, count(*), count({counted}), sum({counted}), max({counted}) FROM {joined} GROUP BY {key}"
        calls = ", ".join(pick.sample(("count(*)", f"count({counted})", f"sum({counted})", f"max({counted})"), 2))
        return view, f"SELECT {key}, {calls} FROM {joined} GROUP BY {key}"

    def _filled(self, text: str) -> str:
        return _LITERAL.sub(lambda found: self._literal(found[1]), text)

    def _literal(self, kind: str) -> str:
        pick = self._random
        match kind:
            case "d":
                return f"'2024-0{pick.choice((1, 2, 2, 3))}-15'"
            case "brand" | "city":
                return pick.choice(("'v1'", "'v1'", "'v2'", "'a'"))
            case _:
                return str(pick.choice((1, 2, 2, 4)))
