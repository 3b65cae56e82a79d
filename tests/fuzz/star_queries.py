"""Grouped SELECTs over joins from a grammar: each shape is drawn once and then asked many times with other literals.

It is long for it is one grammar: the parts that every shape is put together from, and one method a shape.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.fuzz.queries import Query
from tests.fuzz.star import ALIASES, TABLES

Text = Callable[[], str]
_SHAPES = 30  # shapes asked in turn: few, so that each is soon asked again
_DECIDING = 4  # shapes, asked all the time, that have rules of their own
_MARK = "\x01"  # around each literal that may become a parameter
_LITERAL = re.compile(f"{_MARK}([^{_MARK}]*){_MARK}")
_COLUMN = re.compile(r"\b([sgopvew])\.([a-z]+)\b")

GRAPHS: dict[str, tuple[str, ...]] = {
    # the tables by alias, then the equalities; after `<` those that a LEFT JOIN may leave empty
    "s": (),
    "sg": ("s.i = g.i",),
    "sgo": ("s.i = g.i", "g.k = o.k"),
    "sp": ("s.h = p.h",),
    "vp": ("v.h = p.h",),
    "sgp": ("s.i = g.i", "s.h = p.h"),
    "se": ("s.i = e.i",),
    "sge": ("s.i = g.i", "g.i = e.i"),
    "v": (),
    "gw": ("g.k = w.k",),
    "s<g": ("s.i = g.i",),
    "s<go": ("s.i = g.i", "g.k = o.k"),
}
_EXACT_ALONE = ("sgp", "se", "sge", "s<go")  # no wide view sums floating-point numbers over these: such a view is never mended
WEIGHTS = [3, 5, 5, 3, 3, 2, 1, 1, 1, 1, 5, 2]
FURTHER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sg", ("s.i = g.i", "s.y = g.w")),
    ("sgo", ("s.i = g.i", "g.k = o.k", "s.y = o.l")),
    ("vp", ("v.h = p.h", "v.d = p.opened")),
)
OTHER_JOINS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *FURTHER,
    ("sg", ("s.y = g.w",)),
    ("go", ()),
    ("sgo", ("s.i = g.i", "g.w = o.l")),
    ("sge", ("s.i = g.i", "s.i = e.i")),
)
KEYS = {
    "s": [
        "s.c",
        "s.y",
        "s.b",
        "s.d",
        "s.h",
        "s.i",
        "upper(s.c)",
        "s.i % 4",
        "s.t::DATE",
        "year(s.d)",
        "month(s.d)",
        "date_trunc('month', s.d)",
        "extract(month FROM s.d)",
    ],
    "g": ["g.brand", "g.w", "g.k", "g.i"],
    "o": ["o.title", "o.l", "o.k"],
    "p": ["p.city", "p.area", "year(p.opened)", "p.h"],
    "v": ["v.d", "month(v.d)", "v.h"],
    "e": ["e.c", "e.i"],
    "w": ["w.brand", "w.i"],
}
COLUMNS = {alias: [key for key in keys if key.replace(".", "").isalpha()] for alias, keys in KEYS.items()}
"""The key columns that conditions read and that wide views group by."""
COLUMNS["s"] = [*COLUMNS["s"], "s.u"]
COLUMNS["p"] = [*COLUMNS["p"], "p.opened"]
EXACT = {
    "s": ["s.u", "s.q", "s.m", "s.n", "s.y"],
    "g": ["g.p", "g.w"],
    "o": ["o.l"],
    "p": ["p.h"],
    "v": ["v.v"],
    "e": ["e.u"],
    "w": ["w.p"],
}
SQUARED = ("s.u", "s.q", "s.y", "g.p", "g.w", "o.l", "v.v")
"""Measures whose variance is put together."""
FLOATS = {"s": ["s.x"], "g": [], "o": ["o.r"], "p": [], "v": ["v.z"], "e": ["e.x"], "w": []}


@dataclass(frozen=True, slots=True)
class From:
    """A join in one spelling.

    Attributes:
        where: its equalities, where they stand in the WHERE clause.
        columns: how each column is written.
    """

    aliases: str
    text: Text
    where: tuple[str, ...]
    columns: Callable[[str], str]


class Grammar:
    """Draws statements over the joining tables, the same for a seed."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_
        self._shapes: list[Callable[[], Query]] = []
        self._deciding = [self._literals() for _ in range(_DECIDING)]
        self._further = [self._other_join(further=True) for _ in range(_DECIDING)]
        self._further += [self._grouped(graph) for graph in ("v", "v", "gw", "s<g", "s<go")]

    def query(self) -> Query:
        """A statement: mostly of a shape that was drawn before, with other literals."""
        if self._random.random() < 0.1:
            return self._random.choice([*self._deciding, *self._further])()
        if len(self._shapes) < _SHAPES or self._random.random() < 0.02:
            if len(self._shapes) >= _SHAPES:
                self._shapes.pop(self._random.randrange(len(self._shapes)))
            self._shapes.append(self._shape())
        return self._random.choice(self._shapes)()

    def _shape(self) -> Callable[[], Query]:
        makers: list[tuple[Callable[[], Callable[[], Query]], int]] = [
            (self._grouped, 8),
            (self._no_keys, 4),
            (self._distinct, 2),
            (self._pivots, 3),
            (self._sets, 3),
            (self._top, 5),
            (self._nested, 4),
            (self._union, 1),
            (self._membership, 2),
            (self._scalar, 2),
            (self._other_join, 5),
            (self._near_miss, 2),
            (self._last_bits, 2),
            (self._average_decides, 1),
        ]
        return self._random.choices([maker for maker, _ in makers], [weight for _, weight in makers])[0]()

    # Views --------------------------------------------------------------------------------------------------------

    def wide_view(self, graph: str) -> str:
        """A view that answers most of what is asked over a join."""
        keys = [key for alias in graph.replace("<", "") for key in COLUMNS[alias]]
        keys += ["s.t::DATE"] if "s" in graph else []
        return self._view(graph, keys, (), floats=graph not in _EXACT_ALONE)

    def narrow_view(self) -> str:
        """Some keys, some states, now and then a condition."""
        pick = self._random
        graph = pick.choice(list(GRAPHS))
        tables = graph.replace("<", "")
        where = pick.choice(
            [(), (), (self._condition(tables)(),), ("s.d >= DATE '2024-01-15'",), ("s.y IN (0, 1, 3, 5)",), ("s.c LIKE 'v%'",)]
        )
        if "s" not in graph and any("s." in one for one in where):
            where = ()
        if where and pick.random() < 0.5:  # every column, so that what implies the condition is answered
            return self._view(graph, [key for alias in tables for key in COLUMNS[alias]], where)
        keys = [key for alias in tables for key in (KEYS if pick.random() < 0.6 else COLUMNS)[alias]]
        floats = pick.random() < 0.5  # with sums of floating-point numbers it is never mended
        return self._view(graph, pick.sample(keys, pick.randrange(len(keys))), where, floats=floats)

    def exact_view(self) -> str:
        """What one of the drawn shapes asks for, with the literals of one statement."""
        if self._random.random() < 0.3:
            return self.deciding_view()
        for _ in range(60):
            query = self._random.choice(self._shapes)() if self._shapes else self._grouped()()
            if query.rule in ("grouped", "no keys", "distinct", "pivots") and not query.parameters:
                break
        return query.text

    def deciding_view(self) -> str:
        """A view for one of the shapes whose literals decide whether it may be used."""
        return self._random.choice(self._deciding)().text

    def _view(self, graph: str, keys: list[str], where: Sequence[str], *, floats: bool = True) -> str:
        source = self._from(graph, GRAPHS[graph], "comma" if self._random.random() < 0.5 else "on")
        graph = source.aliases
        measures = [m for alias in graph for m in EXACT[alias]]
        states = [f"{f}({m})" for m in measures for f in ("sum", "count", "min", "max")]
        states += ["min(s.d)", "max(s.t)", "bool_and(s.b)", "bool_or(s.b)", "min(s.c)"] if "s" in graph else []
        if floats:
            states += [f"{f}({m})" for alias in graph for m in FLOATS[alias] for f in ("sum", "count")]
            states += ["sum(s.x * s.q)"] if "s" in graph else []
        states += [f"variance({m})" for m in measures if m in SQUARED]
        states += ["sum(s.q * g.p)"] if {"s", "g"} <= set(graph) else []
        conditions = [*source.where, *where]
        text = f"SELECT {', '.join([*keys, *states, 'count(*)'])} FROM {source.text()}"
        text += f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return _rendered(text + (f" GROUP BY {', '.join(keys)}" if keys else ""), source, False)[0]

    # Parts --------------------------------------------------------------------------------------------------------

    def _graph(self) -> str:
        return self._random.choices(list(GRAPHS), WEIGHTS)[0]

    def _from(self, aliases: str, equalities: Sequence[str], spelling: str = "") -> From:
        pick = self._random
        inner, _, outer = aliases.partition("<")
        aliases = inner + outer
        bare = {alias: pick.choice([f"{ALIASES[alias]} {alias}", f"{ALIASES[alias]} AS {alias}"]) for alias in aliases}
        named = pick.random() < 0.2 and "w" not in aliases
        if named:
            bare = {alias: ALIASES[alias] for alias in aliases}
        if len(aliases) == 1:
            plain = pick.random() < 0.5
            return From(aliases, lambda: bare[aliases], (), (lambda column: column[2:]) if plain else _spelling(named))
        spelling = spelling or pick.choice(["on", "on", "comma", "comma", "using", "cross", "parentheses"])
        if outer:
            spelling = pick.choice(["on"] * 5 + ["using"])
        if spelling == "using" and (len(equalities) != len(aliases) - 1 or not all(map(_same_name, equalities))):
            spelling = "on"
        order = list(aliases) if spelling in ("using", "on", "parentheses") else pick.sample(aliases, len(aliases))
        if spelling in ("comma", "cross"):
            word = ", " if spelling == "comma" else " CROSS JOIN "
            return From(aliases, lambda: word.join(bare[alias] for alias in order), tuple(equalities), _spelling(named))
        pieces, left, seen = [bare[order[0]]], list(equalities), {order[0]}
        for alias in order[1:]:
            seen.add(alias)
            here = [one for one in left if {one.partition(" = ")[0][0], one.partition(" = ")[2][0]} <= seen]
            left = [one for one in left if one not in here]
            if spelling == "using":
                pieces.append(f"{'LEFT ' if alias in outer else ''}JOIN {bare[alias]} USING ({here[0][2:3]})")
            elif not here:
                pieces.append(f"CROSS JOIN {bare[alias]}")
            else:
                turn = 0.1 if outer else 0.5
                turned = [" = ".join(reversed(one.split(" = "))) if pick.random() < turn else one for one in here]
                text = " AND ".join(turned)
                text = f"({text})" if spelling == "parentheses" else text
                word = pick.choice(["LEFT JOIN", "LEFT OUTER JOIN"] if alias in outer else ["JOIN", "INNER JOIN"])
                pieces.append(f"{word} {bare[alias]} ON {text}")
        return From(aliases, lambda: " ".join(pieces), (), _spelling(named))

    def _literal(self, column: str) -> str:
        pick = self._random
        name = column[2:]
        match name:
            case "c" | "brand" | "title" | "city" | "area":
                value = pick.choice(["''", "'a'", "'it''s'", *(f"'v{n}'" for n in range(4))])
            case "d" | "opened":
                value = f"DATE '2024-{pick.randrange(1, 4):02d}-{pick.randrange(1, 29):02d}'"
            case "t":
                value = f"TIMESTAMP '2024-01-{pick.randrange(1, 29):02d} 00:00:00'"
            case "q" | "p" | "m":
                value = pick.choice(["0", "25.00", f"{pick.randrange(90)}.25"])
            case "x" | "r" | "z":
                value = f"{pick.randrange(9)}.5"
            case "b":
                value = pick.choice(["TRUE", "FALSE"])
            case "i":
                value = str(pick.randrange(30))
            case "k" | "h":
                value = str(pick.randrange(12))
            case _:
                value = str(pick.randrange(6))
        return f"{_MARK}{value}{_MARK}"

    def _mark(self, value: object) -> str:
        return f"{_MARK}{value}{_MARK}"

    def _comparison(self, columns: Sequence[str]) -> Text:
        pick = self._random
        column = pick.choice(columns)
        texts = column[2:] in ("c", "brand", "title", "city", "area")
        kind = pick.choice(["=", "=", "<", ">=", "<>", "between", "in", "not in", "null", "like" if texts else "between", "turned"])
        match kind:
            case "between":
                return lambda: f"{column} BETWEEN {self._literal(column)} AND {self._literal(column)}"
            case "in" | "not in":
                count = pick.choice([1, 2, 3])
                return lambda: f"{column} {kind.upper()} ({', '.join(self._literal(column) for _ in range(count))})"
            case "null":
                word = pick.choice(["IS NULL", "IS NOT NULL"])
                return lambda: f"{column} {word}"
            case "like":
                return lambda: f"{column} LIKE {_MARK}'{pick.choice(['v%', '%a%', '_1', ''])}'{_MARK}"
            case "turned":
                return lambda: f"{self._literal(column)} < {column}"
            case _:
                return lambda: f"{column} {kind} {self._literal(column)}"

    def _condition(self, graph: str) -> Text:
        """A condition over one table or two: mostly on columns that views group by.

        Days are now and then written without the word DATE, in all statements of a shape alike.
        """
        made = self._plain_condition(graph)
        return (lambda: made().replace(f"{_MARK}DATE ", _MARK)) if self._random.random() < 0.15 else made

    def _plain_condition(self, graph: str) -> Text:
        pick = self._random
        columns = [column for alias in graph for column in COLUMNS[alias]]
        if pick.random() < 0.06:
            columns = [column for alias in graph for column in (*EXACT[alias], *FLOATS[alias], *(["s.t"] if alias == "s" else []))]
        one, other = self._comparison(columns), self._comparison(columns)
        match pick.randrange(10):
            case 0:
                return lambda: f"({one()} OR {other()})"
            case 1:
                return lambda: f"NOT ({one()})"
            case 2 if "s" in graph:
                part = pick.choice(["year(s.d) =", "month(s.d) <=", "extract(month FROM s.d) >"])
                return lambda: f"{part} {self._mark(pick.choice([1, 2, 2024]))}"
            case 3 | 4 if "s" in graph:  # what views hold conditions of
                return lambda: f"s.d >= {self._literal('s.d')}"
            case 5 if "s" in graph:
                return lambda: f"s.y IN ({self._literal('s.y')}, {self._literal('s.y')})"
            case _:
                return one

    def _where(self, source: From, most: int = 3, further: Sequence[Text] = ()) -> Text:
        conditions = [self._condition(source.aliases) for _ in range(self._random.choice(range(most + 1)))]
        conditions += further

        def text() -> str:
            parts = [*source.where, *(condition() for condition in conditions)]
            return f" WHERE {' AND '.join(parts)}" if parts else ""

        return text

    def _keys(self, graph: str, least: int = 1, most: int = 3) -> list[str]:
        keys = [key for alias in graph for key in KEYS[alias]]
        chosen = self._random.sample(keys, self._random.randrange(least, most + 1))
        return list(dict.fromkeys(chosen))

    def _measure(self, graph: str) -> str:
        return self._random.choice([measure for alias in graph for measure in EXACT[alias]])

    def _aggregate(self, graph: str, *, exact: bool = False) -> tuple[Text, bool]:
        """An aggregate, and whether it puts a floating-point number out.

        Args:
            exact: it may be compared and ordered by.
        """
        pick = self._random
        floats = [measure for alias in graph for measure in FLOATS[alias]]
        measure = self._measure(graph)
        match pick.choice(["count", "rows", "sum", "sum", "min", "max"] if exact else list(range(17))):
            case "rows" | 0 | 1:
                return _fixed(pick.choice(["count(*)", "COUNT(*)", "count()"])), False
            case "count" | 2:
                return _fixed(f"count({measure})"), False
            case "sum" | 3 | 4:
                return _fixed(f"sum({measure})"), False
            case "min" | 5:
                return _fixed(f"min({measure})"), False
            case "max" | 6:
                return _fixed(f"max({measure})"), False
            case 7 | 8 | 15:
                return _fixed(f"avg({pick.choice([measure, *floats])})"), True
            case 9 if floats:
                return _fixed(f"sum({pick.choice(floats)})"), True
            case 10:
                key = pick.choice([key for alias in graph for key in COLUMNS[alias]])
                return _fixed(f"count(DISTINCT {key})"), False
            case 16:
                function = pick.choice(["stddev", "var_pop", "stddev_pop", "variance"])
                return _fixed(f"{function}({measure})"), True
            case 11:
                return self._filtered(graph)
            case 12:
                return self._pivot(graph)
            case 13 if "s" in graph:
                choices = ["bool_and(s.b)", "bool_or(s.b)", "min(s.d)", "max(s.t)", "min(s.c)", "max(s.i)"]
                return _fixed(pick.choice(choices)), False
            case 14 if "s" in graph and "g" in graph:
                return _fixed("sum(s.q * g.p)"), False
            case _:
                return _fixed(f"sum({measure}) + count(*)"), False

    def _filtered(self, graph: str) -> tuple[Text, bool]:
        condition, measure = self._condition(graph), self._measure(graph)
        call = self._random.choice(["count(*)", f"sum({measure})", f"count({measure})", f"max({measure})", f"avg({measure})"])
        return lambda: f"{call} FILTER (WHERE {condition()})", call.startswith("avg")

    def _pivot(self, graph: str) -> tuple[Text, bool]:
        condition, measure, pick = self._condition(graph), self._measure(graph), self._random
        function = pick.choice(["sum", "sum", "sum", "count", "count", "avg", "min", "max"])
        value = pick.choice(["1", measure]) if function in ("sum", "count") else measure
        ending = pick.choice([" ELSE 0", ""]) if function == "sum" else ""
        if function == "count" and pick.random() < 0.1:
            ending = " ELSE 0"
        if function == "sum" and pick.random() < 0.3:
            second, other = self._condition(graph), self._measure(graph)
            return lambda: f"sum(CASE WHEN {condition()} THEN {value} WHEN {second()} THEN {other}{ending} END)", False
        if function == "sum" and pick.random() < 0.1:
            return lambda: f"sum(if({condition()}, {value}, 0))", False
        return lambda: f"{function}(CASE WHEN {condition()} THEN {value}{ending} END)", function == "avg"

    # Shapes -------------------------------------------------------------------------------------------------------

    def _made(
        self,
        rule: str,
        source: From,
        text: Text,
        *,
        ordered: bool = False,
        floats: bool = False,
        loose: bool = False,
        prepared: bool = True,
    ) -> Any:
        prepared = prepared and self._random.random() < 0.12

        def query() -> Query:
            rendered, parameters = _rendered(text(), source, prepared)
            return Query(rule, rendered, ordered, floats, parameters, loose)

        return query

    def _items(self, keys: Sequence[str], calls: Sequence[Text]) -> tuple[list[Text], list[str]]:
        """Output columns in some order, some with a name; and the name or number that each key can be grouped by."""
        pick = self._random
        named = [pick.random() < 0.5 for _ in (*keys, *calls)]
        columns: list[Text] = [_named(_fixed(key), f"k{place}" if named[place] else "") for place, key in enumerate(keys)]
        columns += [_named(call, f"a{place}" if named[len(keys) + place] else "") for place, call in enumerate(calls)]
        by = [pick.choice([key, f"k{place}"] if named[place] else [key]) for place, key in enumerate(keys)]
        return columns, by

    def _grouped(self, graph: str = "") -> Callable[[], Query]:
        pick = self._random
        source = self._source(graph)
        keys = self._keys(source.aliases)
        aggregates = [self._aggregate(source.aliases) for _ in range(pick.randrange(1, 4))]
        columns, by = self._items(keys, [call for call, _ in aggregates])
        style = pick.choice(["texts", "texts", "numbers", "all"])
        group = {"texts": ", ".join(by), "numbers": ", ".join(str(place + 1) for place in range(len(keys))), "all": "ALL"}[style]
        where, having, having_floats = self._where(source), "", False
        compared, _ = self._aggregate(source.aliases, exact=True)
        if style != "all" and pick.random() < 0.3:
            having = pick.choice([" HAVING count(*) > ", " HAVING "])
        limit = pick.randrange(20)
        order = pick.choice(["", "", "keys", "numbers"])
        tail = {
            "": "",
            "keys": " ORDER BY " + ", ".join(keys),
            "numbers": " ORDER BY " + ", ".join(str(place + 1) for place in range(len(keys))) + pick.choice(["", " LIMIT 5"]),
        }[order]

        def text() -> str:
            asked = having and having + (
                f"{limit}" if having.endswith("> ") else f"{compared()} >= {_MARK}{pick.randrange(90)}{_MARK}"
            )
            selected = ", ".join(column() for column in columns)
            return f"SELECT {selected} FROM {source.text()}{where()} GROUP BY {group}{asked}{tail}"

        return self._made("grouped", source, text, ordered=bool(order), floats=any(f for _, f in aggregates) or having_floats)

    def _source(self, graph: str = "") -> From:
        graph = graph or self._graph()
        return self._from(graph, GRAPHS[graph])

    def _no_keys(self) -> Callable[[], Query]:
        source = self._source()
        aggregates = [self._aggregate(source.aliases) for _ in range(self._random.randrange(1, 4))]
        columns, _ = self._items((), [call for call, _ in aggregates])
        where = self._where(source)
        return self._made(
            "no keys",
            source,
            lambda: f"SELECT {', '.join(column() for column in columns)} FROM {source.text()}{where()}",
            floats=any(f for _, f in aggregates),
        )

    def _distinct(self) -> Callable[[], Query]:
        source = self._source()
        keys, where = self._keys(source.aliases), self._where(source)
        columns, _ = self._items(keys, ())
        tail = self._random.choice(["", " ORDER BY ALL", " ORDER BY " + ", ".join(str(n + 1) for n in range(len(keys))) + " LIMIT 6"])
        return self._made(
            "distinct",
            source,
            lambda: f"SELECT DISTINCT {', '.join(column() for column in columns)} FROM {source.text()}{where()}{tail}",
            ordered=bool(tail),
        )

    def _pivots(self) -> Callable[[], Query]:
        source = self._source()
        keys, where = self._keys(source.aliases, 0, 2), self._where(source, 1)
        pivots = [(self._pivot if self._random.random() < 0.7 else self._filtered)(source.aliases) for _ in range(3)]
        columns, _ = self._items(keys, [call for call, _ in pivots])
        group = f" GROUP BY {', '.join(keys)}" if keys else ""
        return self._made(
            "pivots",
            source,
            lambda: f"SELECT {', '.join(column() for column in columns)} FROM {source.text()}{where()}{group}",
            floats=any(f for _, f in pivots),
        )

    def _sets(self) -> Callable[[], Query]:
        source = self._source()
        keys = [key for alias in source.aliases for key in COLUMNS[alias]]
        keys = self._random.sample(keys, 2)
        (call, floats), where = self._aggregate(source.aliases), self._where(source)
        one, other = keys
        group = self._random.choice(
            [
                f"ROLLUP ({one}, {other})",
                f"CUBE ({one}, {other})",
                f"GROUPING SETS (({one}), ({other}), ())",
                f"GROUPING SETS (({one}, {other}), ({one}))",
            ]
        )
        return self._made(
            "grouping sets",
            source,
            lambda: f"SELECT {one}, {other}, {call()} FROM {source.text()}{where()} GROUP BY {group}",
            floats=floats,
        )

    def _top(self) -> Callable[[], Query]:
        pick = self._random
        source = self._source()
        keys, where = self._keys(source.aliases, 1, 2), self._where(source)
        call, _ = self._aggregate(source.aliases, exact=True)
        order = pick.choice([call(), "v", str(len(keys) + 1), f"{call()}, count(*)"])
        way = pick.choice([" DESC", "", " DESC NULLS LAST"])
        limit = pick.choice([" LIMIT 3", " LIMIT 5", " LIMIT 4 OFFSET 2", "", " LIMIT 1"])
        selected = f"{', '.join(keys)}, {call()} AS v"
        return self._made(
            "top",
            source,
            lambda: f"SELECT {selected} FROM {source.text()}{where()} GROUP BY {', '.join(keys)} ORDER BY {order}{way}{limit}",
            ordered=True,
        )

    def _nested(self) -> Callable[[], Query]:
        source = self._source()
        key, where = self._keys(source.aliases, 1, 1)[0], self._where(source)
        call, _ = self._aggregate(source.aliases, exact=True)
        outer = self._random.choice(
            [
                "SELECT max(v), count(*), min(a) FROM {}",
                "SELECT a, v FROM {} WHERE v > 20",
                "SELECT v, count(*) FROM {} GROUP BY v ORDER BY v",
                "SELECT a, v FROM {} ORDER BY a",
                "SELECT a, sum(v) FROM {} GROUP BY a",
            ]
        )
        cte = self._random.random() < 0.5

        def text() -> str:
            inner = f"SELECT {key} AS a, {call()} AS v FROM {source.text()}{where()} GROUP BY {key}"
            return f"WITH z AS ({inner}) {outer.format('z')}" if cte else outer.format(f"({inner}) AS z")

        return self._made("nested", source, text, ordered="ORDER" in outer)

    def _union(self) -> Callable[[], Query]:
        source = self._source()
        key, wheres = self._keys(source.aliases, 1, 1)[0], [self._where(source), self._where(source)]
        call, floats = self._aggregate(source.aliases, exact=True)

        def text() -> str:
            parts = [f"SELECT {key} AS a, {call()} AS v FROM {source.text()}{where()} GROUP BY {key}" for where in wheres]
            return " UNION ALL ".join(parts)

        return self._made("union", source, text, floats=floats)

    def _membership(self) -> Callable[[], Query]:
        source = self._source()
        column = self._random.choice([c for alias in source.aliases for c in COLUMNS[alias]])
        own = next(alias for alias in source.aliases if column.startswith(alias))
        where, word = self._where(source), self._random.choice(["IN", "NOT IN"])
        bare, least = column[2:], self._random.randrange(60)

        def text() -> str:
            inner = f"SELECT {column} FROM {source.text()}{where()} GROUP BY {column} HAVING count(*) > {self._mark(least)}"
            return f"SELECT count(*), min(z.{bare}) FROM {ALIASES[own]} z WHERE z.{bare} {word} ({inner})"

        return self._made("membership", source, text)

    def _scalar(self) -> Callable[[], Query]:
        source = self._source()
        key, where, measure = self._keys(source.aliases, 1, 1)[0], self._where(source), self._measure(source.aliases)
        inner = self._random.choice(["SELECT max(u) FROM sales", "SELECT count(*) FROM items WHERE w = 2"])
        if self._random.random() < 0.5:
            return self._made(
                "scalar", source, lambda: f"SELECT {key}, sum({measure}), ({inner}) AS o FROM {source.text()}{where()} GROUP BY {key}"
            )
        return self._made(
            "scalar",
            source,
            lambda: f"SELECT {key}, count(*) FROM {source.text()}{where()} GROUP BY {key} HAVING count(*) > ({inner})",
        )

    def _other_join(self, *, further: bool = False) -> Callable[[], Query]:
        """Joins by other or further equalities than the views', and outer, natural and semi joins.

        Args:
            further: by the views' equalities and one more.
        """
        pick = self._random
        aliases, equalities = pick.choice(FURTHER if further else OTHER_JOINS)
        source = self._from(aliases, equalities, pick.choice(["comma", "comma", ""]))
        keys = self._keys(aliases, 0, 2)
        (call, floats), where = self._aggregate(aliases), self._where(source, 1)
        group = f" GROUP BY {', '.join(keys)}" if keys else ""
        items = ", ".join(keys) + (", " if keys else "")
        if not further and pick.random() < 0.35:
            joined = pick.choice(
                [
                    "sales s LEFT JOIN items g ON s.i = g.i",
                    "sales s RIGHT JOIN items g ON s.i = g.i",
                    "sales s FULL JOIN items g ON s.i = g.i",
                    "sales s SEMI JOIN items g ON s.i = g.i",
                    "sales s LEFT JOIN items g ON s.i = g.i AND g.w = 1",
                    "sales s NATURAL JOIN items g",
                    "sales s JOIN items g ON s.i = g.i AND g.w = 2",
                    "sales s JOIN items g ON s.i = g.i AND s.y < g.w",
                    "sales s JOIN (SELECT * FROM items WHERE w > 1) g ON s.i = g.i",
                ]
            )
            source = From("s", lambda: joined, (), _spelling(False))
            keys, where = self._keys("s", 1, 1), self._where(source, 1)
            items, group = f"{keys[0]}, ", f" GROUP BY {keys[0]}"
            call, floats = self._aggregate("s")
        return self._made("other join", source, lambda: f"SELECT {items}{call()} FROM {source.text()}{where()}{group}", floats=floats)

    def _near_miss(self) -> Callable[[], Query]:
        pick = self._random
        source = self._source()
        key, where, measure = self._keys(source.aliases, 1, 1)[0], self._where(source), self._measure(source.aliases)
        call = pick.choice(
            [
                f"sum(DISTINCT {measure})",
                f"avg(DISTINCT {measure})",
                f"list_sort(list({measure}))",
                f"median({measure})",
                f"stddev({measure})",
                f"first({measure})",
                f"count(DISTINCT {measure})",
                f"string_agg({measure}::VARCHAR, ',' ORDER BY {measure})",
                f"max({key}) OVER ()",
                f"sum(sum({measure})) OVER (ORDER BY {key})",
                f"min(DISTINCT {measure})",
            ]
        )
        return self._made(
            "near miss",
            source,
            lambda: f"SELECT {key}, {call} FROM {source.text()}{where()} GROUP BY {key}",
            floats=True,
            loose=call.startswith("first"),
        )

    def _last_bits(self) -> Callable[[], Query]:
        """What the last bit of a floating-point sum decides: no view may answer it."""
        pick = self._random
        source = self._from("sg", GRAPHS["sg"])
        key, where = self._keys("sg", 1, 1)[0], self._where(source, 1)
        value = pick.choice(["sum(s.x)", "avg(s.x)"])
        text = pick.choice(
            [
                f"SELECT {key}, {value}::VARCHAR FROM {{}}{{}} GROUP BY {key}",
                f"SELECT {key}, round({value}, 13) FROM {{}}{{}} GROUP BY {key}",
                f"SELECT {key}, count(*) FROM {{}}{{}} GROUP BY {key} HAVING {value} = round({value}, 9)",
                f"SELECT {key}, {value} FROM {{}}{{}} GROUP BY {key} ORDER BY 2 DESC LIMIT 3",
                f"SELECT hash(a) FROM (SELECT {value} AS a FROM {{}}{{}} GROUP BY {key})",
            ]
        )
        return self._made(
            "last bits",
            source,
            lambda: text.format(source.text(), where()),
            ordered="ORDER" in text,
            floats="ORDER" in text,
            loose=True,
        )

    def _literals(self) -> Callable[[], Query]:
        """Literals that decide what a view holds: mostly the same, and now and then others, which it can not answer."""
        pick = self._random
        graph = pick.choice(["s", "sg", "sg", "sgo", "sp"])
        source = self._from(graph, GRAPHS[graph])
        call, floats = self._aggregate(graph, exact=True)
        patterns = ["'v%'", "'v%'", "'%a%'", "'%'"]
        if pick.random() < 0.5:
            where = self._where(source, 0, [lambda: f"s.c LIKE {self._mark(pick.choice(patterns))}"])
            return self._made(
                "literals",
                source,
                lambda: f"SELECT s.y, {call()} FROM {source.text()}{where()} GROUP BY s.y",
                floats=floats,
                prepared=False,
            )

        def text() -> str:
            return f"SELECT s.i % {pick.choice([4, 4, 4, 3])} AS a, {call()} FROM {source.text()}{where()} GROUP BY a"

        where = self._where(source, 0)
        return self._made("literals", source, text, floats=floats, prepared=False)

    def _average_decides(self) -> Callable[[], Query]:
        """An average of whole or decimal numbers is a DOUBLE, and exact in plain: it may be compared and ordered by."""
        pick = self._random
        source = self._source()
        key, where, measure = self._keys(source.aliases, 1, 1)[0], self._where(source, 1), self._measure(source.aliases)
        text = pick.choice(
            [
                f"SELECT {key}, avg({measure})::VARCHAR FROM {{}}{{}} GROUP BY {key}",
                f"SELECT {key}, avg({measure}) AS a FROM {{}}{{}} GROUP BY {key} ORDER BY a DESC LIMIT 4",
                f"SELECT {key}, count(*) FROM {{}}{{}} GROUP BY {key} HAVING avg({measure}) > 2.5",
            ]
        )
        ordered = "ORDER" in text
        return self._made("average decides", source, lambda: text.format(source.text(), where()), ordered=ordered, floats=ordered)


def _fixed(text: str) -> Text:
    return lambda: text


def _named(expression: Text, name: str) -> Text:
    return (lambda: f"{expression()} AS {name}") if name else expression


def _same_name(equality: str) -> bool:
    left, right = equality.split(" = ")
    return left[2:] == right[2:]


def _spelling(named: bool) -> Callable[[str], str]:
    """How columns are written: with the table's own name, or with its alias."""
    return (lambda column: f"{ALIASES[column[0]]}.{column[2:]}") if named else (lambda column: column)


def _rendered(text: str, source: From, prepared: bool) -> tuple[str, tuple[Any, ...]]:
    """The text with columns as this spelling writes them; its literals as parameters, if it is to be prepared."""
    written = _COLUMN.sub(lambda found: source.columns(found[0]) if found[1] in source.aliases else found[0], text)
    if not prepared:
        return _LITERAL.sub(r"\1", written), ()
    values = tuple(_value(found[1]) for found in _LITERAL.finditer(written))
    return _LITERAL.sub("?", written), values


def _value(literal: str) -> Any:
    if literal.startswith("DATE "):
        return date.fromisoformat(literal[6:-1])
    if literal.startswith("TIMESTAMP "):
        return datetime.fromisoformat(literal[11:-1])
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'")
    if literal in ("TRUE", "FALSE"):
        return literal == "TRUE"
    return Decimal(literal) if "." in literal else int(literal)


assert set(ALIASES.values()) == set(TABLES)
