"""Parts of dates from views whose keys hold finer ones, and variances from sums of squares; some groups have one row, or none."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz.queries import Query

_VIEWS, _SHAPES = 4, 4
_KEYS = ("c", "y", "b", "h", "i", "upper(c)")
_FINER = {
    "month": "date_trunc('month', {})",
    "quarter": "date_trunc('quarter', {})",
    "year": "date_trunc('year', {})",
    "week": "date_trunc('week', {})",
    "day": "date_trunc('day', {})",
    "hour": "date_trunc('hour', {})",
}
_KEPT = (("d", "month"), ("d", "month"), ("d", "week"), ("d", "quarter"), ("t", "month"), ("t", "day"), ("t", "week"), ("t", "hour"))
_PARTS = {
    "year": ("year({})", "extract(year FROM {})", "date_part('year', {})", "date_trunc('year', {})", "extract(decade FROM {})"),
    "quarter": ("quarter({})", "extract(quarter FROM {})", "date_trunc('quarter', {})"),
    "month": (
        "month({})",
        "date_part('month', {})",
        "date_trunc('month', {})",
        "monthname({})",
        "last_day({})",
        "strftime({}, '%Y-%m')",
    ),
    "week": ("week({})", "isoyear({})", "yearweek({})", "date_trunc('week', {})"),
    "day": ("day({})", "dayofweek({})", "extract(doy FROM {})", "{}::DATE", "strftime({}, '%d.%m.')"),
    "hour": ("hour({})", "date_trunc('hour', {})"),
}
_TOLD = {
    "year": ("year",),
    "quarter": ("quarter", "year"),
    "month": ("month", "quarter", "year"),
    "week": ("week",),
    "day": ("day", "week", "month", "quarter", "year"),
    "hour": ("hour", "day", "week", "month", "quarter", "year"),
}
_MEASURES = ("u", "q", "y")
_MOMENTS = ("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop")
_EXACT = ("count(*)", "sum(u)", "min(q)", "count(c)", "max(d)")
_CONDITIONS = (
    "year({}) = 2024",
    "quarter({}) IN (1, 3)",
    "month({}) <= {{}}",
    "extract(year FROM {}) > 2023",
    "date_part('month', {}) = {{}}",
)
_UNTOLD = 0.2  # of the parts are no matter whether the view's key tells them


@dataclass(frozen=True, slots=True)
class DatedView:
    """A view of sales by some keys and the beginnings of a unit."""

    keys: tuple[str, ...]
    column: str
    unit: str

    @property
    def text(self) -> str:
        """Its SELECT."""
        key = f"{self.column}::DATE" if (self.column, self.unit) == ("t", "day") else _FINER[self.unit].format(self.column)
        states = ", ".join([*_EXACT, *(f"variance({measure})" for measure in _MEASURES)])
        return f"SELECT {', '.join([*self.keys, key])}, {states} FROM sales GROUP BY ALL"


class Dating:
    """Draws such views, and statements that they answer or that look like it; the same for a seed."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_
        self.views = [self._view() for _ in range(_VIEWS)]
        self._shapes = [self._shape(view) for view in self.views for _ in range(_SHAPES)]

    def _view(self) -> DatedView:
        pick = self._random
        return DatedView(tuple(pick.sample(_KEYS, pick.randrange(1, 4))), *pick.choice(_KEPT))

    def query(self) -> Query:
        """A statement of a shape that was drawn before; now and then another shape takes the place of one."""
        pick = self._random
        place = pick.randrange(len(self._shapes))
        if pick.random() < 0.05:
            self._shapes[place] = self._shape(pick.choice(self.views))
        return self._shapes[place]()

    def _part(self, view: DatedView) -> str:
        pick = self._random
        units = tuple(_PARTS) if pick.random() < _UNTOLD else _TOLD[view.unit]
        return pick.choice(_PARTS[pick.choice(units)]).format(view.column)

    def _shape(self, view: DatedView) -> Callable[[], Query]:
        pick = self._random
        parts = list(dict.fromkeys(self._part(view) for _ in range(pick.choice((0, 1, 1, 1, 2)))))
        by = [*pick.sample(view.keys, pick.randrange(len(view.keys) + 1)), *parts]
        condition = pick.choice(_CONDITIONS).format(view.column)
        calls = pick.sample(_EXACT, pick.randrange(1, 3))
        calls += [f"{pick.choice(_MOMENTS)}({pick.choice(_MEASURES)})" for _ in range(pick.choice((0, 1, 2)))]
        floats = len(calls) > 0 and any(call.startswith(("std", "var")) for call in calls)
        further = pick.choice(("", "", " FILTER (WHERE {})", "case"))
        if further == "case":
            calls.append("sum(CASE WHEN {} THEN u ELSE 0 END)")
        elif further:
            calls[-1] += further
        calls = [call.replace("{}", condition) if "{}" in call else call for call in calls]
        where = f" WHERE {condition}" if pick.random() < 0.3 else ""
        group = f" GROUP BY {', '.join(by)}" if by else ""
        having = f" HAVING {parts[0]} IS NOT NULL" if parts and pick.random() < 0.15 else ""
        order = f" ORDER BY {', '.join(by)}" if by and pick.random() < 0.3 else ""
        if len(parts) == len(by) == 2 and pick.random() < 0.3:
            group, order = f" GROUP BY ROLLUP ({', '.join(by)})", ""
        text = f"SELECT {', '.join([*by, *calls])} FROM sales{where}{group}{having}{order}"

        def query() -> Query:
            return Query("dated", text.format(*[pick.randrange(1, 13)] * text.count("{}")), bool(order), floats, (), False)

        return query
