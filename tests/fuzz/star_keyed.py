"""ORDER BY that names a key of a joined table, declared or only verified, and not all that is grouped by."""

from __future__ import annotations

import random

from tests.fuzz.queries import Query

KEYED_VIEW = (
    "SELECT p.h, p.tag, p.city, p.area, s.y, count(*), sum(s.u), min(s.q), max(s.d) FROM sales s JOIN shops p ON s.h = p.h "
    "GROUP BY p.h, p.tag, p.city, p.area, s.y"
)
"""Answers them."""

_GROUPED = (("p.tag", "p.city"), ("p.tag", "p.city", "p.area"), ("p.h", "p.area"), ("p.city", "p.tag", "p.h"))
_ORDERS = ("v DESC, p.{0}", "p.{0}", "p.{0} DESC", "v, p.{0} NULLS FIRST", "v DESC NULLS LAST", "p.{0}, v")
_CALLS = ("count(*)", "sum(s.u)", "min(s.q)", "max(s.d)")
_SHAPES = 6  # few, so that each is asked often enough to be served
_WIDER = 0.2  # of them group by what no key of a shop determines


class Keyed:
    """Draws such statements; the same for a seed."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_
        self._shapes = [self._shape() for _ in range(_SHAPES)]

    def _shape(self) -> str:
        """A statement with places for literals."""
        pick = self._random
        keys = list(pick.choice(_GROUPED))
        order = pick.choice(_ORDERS).format("tag" if "p.tag" in keys else "h")
        if pick.random() < _WIDER:
            keys.insert(pick.randrange(len(keys) + 1), "s.y")
        where = pick.choice(["", " WHERE s.y IN ({y}, {y})", " WHERE p.tag > {tag}"])
        limit = pick.choice([" LIMIT 2", " LIMIT 3", " LIMIT 4 OFFSET 1", "", " LIMIT 9"])
        return (
            f"SELECT {', '.join(keys)}, {pick.choice(_CALLS)} AS v FROM sales s JOIN shops p ON s.h = p.h{where} "
            f"GROUP BY {', '.join(keys)} ORDER BY {order}{limit}"
        )

    def query(self) -> Query:
        """A statement of a shape that was drawn before; now and then another shape takes the place of one."""
        pick = self._random
        place = pick.randrange(len(self._shapes))
        if pick.random() < 0.02:
            self._shapes[place] = self._shape()
        text = self._shapes[place].format(y=pick.randrange(6), tag=pick.randrange(90))
        return Query("keyed", text, True, False, (), False)

    def write(self) -> str:
        """A write that makes the undeclared key one again, or takes care that it is none."""
        pick = self._random
        tag = pick.choice(["max(tag)", "max(tag) + 1"])
        return pick.choice(
            [
                *["UPDATE shops SET tag = h * 10"] * 2,
                f"UPDATE shops SET tag = {pick.randrange(3)} WHERE h < {pick.randrange(4)}",
                f"INSERT INTO shops SELECT max(h) + 1, min(city), max(area), NULL, {tag} FROM shops",
            ]
        )
