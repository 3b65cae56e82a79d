"""Ranges that begin and end with a year, a quarter, a month, and views that hold the beginnings of those alone."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz.queries import Query

_VIEWS, _SHAPES = 3, 3
_LITERAL = re.compile("<(d|t|y)>")
_KEYS = ("c", "y", "b", "h", "upper(c)")
_UNITS = (("t", "quarter"), ("t", "month"), ("t", "month"), ("t", "day"), ("d", "year"), ("d", "month"))
"""Moments more often: other views answer what is asked by day."""
_MEASURES = ("count(*)", "sum(u)", "min(q)", "count(c)", "avg(u)", "max(t)")


@dataclass(frozen=True, slots=True)
class AlignedView:
    """A view of sales.

    Attributes:
        units: for the one column whose beginnings are stored, the unit.
    """

    keys: tuple[str, ...]
    units: dict[str, str]

    @property
    def column(self) -> str:
        return next(iter(self.units))

    @property
    def text(self) -> str:
        """The SELECT that it answers, before days give way to beginnings."""
        keys = ", ".join([*self.keys, self.column])
        return f"SELECT {keys}, count(*), sum(u), count(u), min(q), count(c), max(t) FROM sales GROUP BY {keys}"


class Aligning:
    """Draws such views, and statements that they answer or that look like it; the same for a seed."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_
        self.views = [self._view() for _ in range(_VIEWS)]
        self._shapes = [self._shape(view, place == 0) for view in self.views for place in range(_SHAPES)]

    def _view(self) -> AlignedView:
        pick = self._random
        column, unit = pick.choice(_UNITS)
        return AlignedView(tuple(pick.sample(_KEYS, pick.randrange(1, 4))), {column: unit})

    def query(self) -> Query:
        """A statement of a shape that was drawn before; now and then another shape takes the place of one."""
        pick = self._random
        place = pick.randrange(len(self._shapes))
        if pick.random() < 0.05:
            self._shapes[place] = self._shape(pick.choice(self.views), pick.random() < 1 / _SHAPES)
        return self._shapes[place]()

    def _shape(self, view: AlignedView, strict: bool) -> Callable[[], Query]:
        """Statements with other literals each.

        Args:
            strict: with a condition that beginnings do not tell.
        """
        pick, column = self._random, view.column
        by = pick.sample(view.keys, pick.randrange(len(view.keys) + 1))
        bounds = [f"{column} >= <{column}>", f"{column} < <{column}>", f"<{column}> <= {column}", f"<{column}> > {column}"]
        conditions = pick.sample(bounds, pick.choice((1, 1, 2)))
        if strict:
            others = (f"{column} > <{column}>", f"{column} <= <{column}>", f"{column} = <{column}>", f"{column} IS NOT NULL")
            conditions = [pick.choice((*others[:2], *others, f"{column} BETWEEN <{column}> AND <{column}>"))]
        if pick.random() < 0.3:
            conditions.append("y IN (<y>, <y>)" if "y" in view.keys else "y = <y>")
        calls = pick.sample(_MEASURES, pick.randrange(1, 4))
        group = f" GROUP BY {', '.join(by)}" if by else ""
        order = f" ORDER BY {', '.join(by)}" if by and pick.random() < 0.3 else ""
        text = f"SELECT {', '.join([*by, *calls])} FROM sales WHERE {' AND '.join(conditions)}{group}{order}"
        off = pick.choice((0.0, 0.0, 0.1))

        def query() -> Query:
            filled = _LITERAL.sub(lambda found: self._literal(found[1], view, off), text)
            return Query("aligned", filled, bool(order), "avg(u)" in calls, (), False)

        return query

    def _literal(self, column: str, view: AlignedView, off: float) -> str:
        """A beginning of the view's unit, or now and then another day or moment."""
        pick = self._random
        if column == "y":
            return str(pick.randrange(6))
        unit = view.units.get(column, "day")
        if pick.random() < off:
            unit = "day"
        month = {"year": 1, "quarter": pick.choice((1, 4, 7))}.get(unit, pick.randrange(1, 5))
        day = f"{pick.choice((2023, 2024, 2024, 2024, 2025))}-{month:02d}-{pick.randrange(1, 29) if unit == 'day' else 1:02d}"
        if column == "d":
            return pick.choice((f"DATE '{day}'", f"'{day}'"))
        return f"TIMESTAMP '{day} {pick.choice(('00:00:00', '00:00:00', '07:30:00')) if pick.random() < off else '00:00:00'}'"
