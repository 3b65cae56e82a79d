"""count(DISTINCT …) of rows from some value of a column on, and the views that tell it by where each value stands last or first."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sartor.core.view import AT_FIRST, AT_LAST
from tests.fuzz.queries import Query

_VIEWS, _SHAPES = 4, 3
_LITERAL = re.compile("<(d|t|y|i|c|b|h|upper[(]c[)]|i % 4)>")
_OTHERS = ("c", "y", "b", "h", "upper(c)", "i % 4")
_ALONG = ("d", "d", "t", "y", "i")
_VALUES = ("u", "h", "i", "c", "q", "n")
_OPEN = {AT_LAST: (">", ">="), AT_FIRST: ("<", "<=")}
_CLOSED = ("=", "<>", "BETWEEN")
_MEASURES = ("count(*)", "sum(u)", "min(q)", "max(d)", "count(c)", "avg(u)")


@dataclass(frozen=True, slots=True)
class PlacedView:
    """A view of sales.

    Attributes:
        others: its keys but the one along which values are placed.
        values: what is counted.
    """

    others: tuple[str, ...]
    along: str
    function: str
    values: tuple[str, ...]
    where: str

    @property
    def text(self) -> str:
        """The SELECT that it answers, before its values are placed."""
        keys = ", ".join([*self.others, self.along])
        counted = ", ".join(f"count(DISTINCT {value})" for value in self.values)
        states = "sum(u), min(q), max(d), count(c), count(*)"
        return f"SELECT {keys}, {counted}, {states} FROM sales{self.where} GROUP BY {keys}"


class Placing:
    """Draws such views, and statements that they answer or that look like it; the same for a seed."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_
        self.views = [self._view() for _ in range(_VIEWS)]
        self._shapes = [self._shape(view) for view in self.views for _ in range(_SHAPES)]

    def _view(self) -> PlacedView:
        pick = self._random
        along = pick.choice(_ALONG)
        others = [key for key in _OTHERS if key.partition(" ")[0] != along]
        return PlacedView(
            tuple(pick.sample(others, pick.randrange(3))),
            along,
            pick.choice((AT_LAST, AT_LAST, AT_FIRST)),
            tuple(pick.sample([value for value in _VALUES if value != along], 2)),
            pick.choice(("", "", "", " WHERE u > 1")),
        )

    def query(self) -> Query:
        """A statement of a shape that was drawn before; now and then another shape takes the place of one."""
        pick = self._random
        place = pick.randrange(len(self._shapes))
        if pick.random() < 0.1:
            self._shapes[place] = self._shape(pick.choice(self.views))
        return self._shapes[place]()

    def _shape(self, view: PlacedView) -> Callable[[], Query]:
        """Statements with other literals each: mostly such as the view answers."""
        pick = self._random
        conditions = [view.where.removeprefix(" WHERE ")] if view.where else []
        by = []
        for key in view.others:
            way = pick.random()
            if way < 0.7:
                by.append(key)
            elif way < 0.9:
                conditions.append(f"{key} = <{key}>")
            if pick.random() < 0.2:
                conditions.append(f"{key} IN (<{key}>, <{key}>)")
        if pick.random() < 0.85:
            conditions.append(self._bound(view))
        if pick.random() < 0.1:
            conditions.append(pick.choice(("x < 3", "u IN (1, 3)", f"{view.along} IS NOT NULL", self._bound(view))))
        if pick.random() < 0.05:
            by.append(view.along)
        calls = [f"count(DISTINCT {value})" for value in pick.sample(view.values, pick.choice((1, 1, 2)))]
        calls += pick.sample(_MEASURES, pick.randrange(3))
        group = self._group(by)
        order = f" ORDER BY {', '.join(by)}" if by and pick.random() < 0.3 else ""
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        text = f"SELECT {', '.join([*by, *calls])} FROM sales{where}{group}{order}"

        def query() -> Query:
            filled = _LITERAL.sub(lambda found: self._literal(found[1]), text)
            return Query("placed", filled, bool(order), "avg(u)" in calls, (), False)

        return query

    def _group(self, by: Sequence[str]) -> str:
        if not by:
            return ""
        keys, way = ", ".join(by), self._random.random()
        if way < 0.05:
            return f" GROUP BY ROLLUP ({keys})"
        return f" GROUP BY {keys}" + (" HAVING count(*) > 3" if way < 0.1 else "")

    def _bound(self, view: PlacedView) -> str:
        pick = self._random
        operators = _OPEN[view.function if pick.random() < 0.85 else pick.choice((AT_LAST, AT_FIRST))]
        operator = pick.choice(operators if pick.random() < 0.95 else _CLOSED)
        if operator == "BETWEEN":
            return f"{view.along} BETWEEN <{view.along}> AND <{view.along}>"
        return f"{view.along} {operator} <{view.along}>"

    def _literal(self, column: str) -> str:
        pick = self._random
        match column:
            case "c" | "upper(c)":
                return pick.choice(("'a'", "'A'", "'v1'", "'V2'", "''"))
            case "d":
                day = f"'2024-{pick.randrange(1, 4):02d}-{pick.randrange(1, 29):02d}'"
                return pick.choice((f"DATE {day}", f"DATE {day}", day, f"TIMESTAMP {day[:-1]} 00:00:00'"))
            case "t":
                return f"TIMESTAMP '2024-01-{pick.randrange(1, 29):02d} 00:00:00'"
            case "b":
                return pick.choice(("TRUE", "FALSE"))
            case "i":
                return str(pick.randrange(30))
            case "h":
                return str(pick.randrange(15))
            case _:
                return pick.choice(("0", "1", "2", "3", "2.5"))
