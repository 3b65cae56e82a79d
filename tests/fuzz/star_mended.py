"""Views of few groups with many rows each, writes that change what their groups hold, and what is asked of them thereafter.

Mending a view goes wrong in groups that keep rows: one that loses the row with its least value, one whose values all become NULL,
one that rows of two tables leave at once. A group in doubt is computed anew with all its states, so that one state hides mistakes in
others: some views hold sums and counts alone, others no booleans.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.fuzz.queries import Query
from tests.fuzz.star import ALIASES, TABLES, Rows
from tests.fuzz.star_queries import EXACT, GRAPHS, KEYS

_SHAPES = 5  # asked of each view: few, so that each is soon asked again
_SUMS, _EXTREMES, _ALL = ("sum", "count"), ("min", "max"), ("min", "max", "sum", "count")
_STATES = (_SUMS, _SUMS, ("count",), _EXTREMES, ("min", "max", "sum"), _ALL)
_VIEWS = (
    ("s", _SUMS),
    ("sg", _SUMS),
    ("sg", _EXTREMES),
    ("sgo", _SUMS),
    ("sp", _ALL),
    ("vp", ("count",)),
    ("gw", ("min", "max", "sum")),
    ("s<g", _EXTREMES),
)
_FEW_ROWS = ("items", "kinds")  # get back as many as they lose
_EVERY = {table: ", ".join(columns) for table, columns in TABLES.items()}
_FAR, _FAR_DAYS = ("777", "-77"), ("DATE '2030-01-01'", "DATE '2020-01-01'")
_ALIAS = re.compile(r"\b[sgopvew]\.")


@dataclass(frozen=True, slots=True)
class MendedView:
    """A view, and the statements that it answers.

    Attributes:
        graph: its join, one of GRAPHS.
        keys, measures: columns, or expressions of columns, with their alias.
        functions: of the measures.
        text: its SELECT.
        queries: the SELECTs.
    """

    graph: str
    keys: tuple[str, ...]
    measures: tuple[str, ...]
    functions: tuple[str, ...]
    text: str
    queries: tuple[Query, ...]


class Mending:
    """Draws views and writes, the same for a seed."""

    def __init__(self, random_: random.Random, rows: Rows) -> None:
        self._random = random_
        self._rows = rows
        self.views = [self.view(graph, functions) for graph, functions in _VIEWS]

    def view(self, graph: str, functions: tuple[str, ...] = ()) -> MendedView:
        """Another view over a join."""
        pick = self._random
        inner, _, outer = graph.partition("<")
        keys = [key for alias in inner + outer for key in KEYS[alias]]
        keys = pick.sample(keys, pick.choice([0, 1, 1, 1, 1, 2]))
        measures = [one for alias in inner + outer for one in EXACT[alias]]
        measures = pick.sample(measures, min(len(measures), 3))
        functions = functions or pick.choice(_STATES)
        calls = [f"{function}({measure})" for measure in measures for function in functions]
        if len(functions) == 4 and "s" in graph:
            calls += ["bool_and(s.b)", "min(s.c)"]
        joined = ", ".join(f"{ALIASES[alias]} {alias}" for alias in inner)
        conditions = list(GRAPHS[graph])
        for alias in outer:
            joined += f" LEFT JOIN {ALIASES[alias]} {alias} ON {conditions.pop()}"
        condition = pick.choice(["", "", "", "s.y IN (0, 1, 3)"]) if "s" in inner else ""
        rows = f"FROM {joined}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
        held = rows + (f" {'AND' if conditions else 'WHERE'} {condition}" if condition else "")
        text = f"SELECT {', '.join([*keys, *calls, 'count(*)'])} {held}{_by(keys)}"
        asked = [self._query(keys, calls, held) for _ in range(_SHAPES)]
        return MendedView(graph, tuple(keys), tuple(measures), functions, text, tuple(asked))

    def _query(self, keys: list[str], calls: list[str], rows: str) -> Query:
        pick = self._random
        by = pick.sample(keys, pick.choice([len(keys), len(keys), pick.randrange(len(keys) + 1)]))
        items = [*by, *pick.sample(calls, min(len(calls), 3)), *pick.choice([[], ["count(*)"]])]
        having = pick.choice(["", "", f" HAVING count(*) > {pick.randrange(9)}"]) if by else ""
        return Query("mended", f"SELECT {', '.join(items)} {rows}{_by(by)}{having}", False)

    # Writes -------------------------------------------------------------------------------------------------------

    def writes(self, view: MendedView) -> Iterator[str]:
        """Changes of one of its tables, or of rows of two that join."""
        pick = self._random
        edges = GRAPHS[view.graph]
        if edges and "<" not in view.graph and pick.random() < 0.6:
            one, other = pick.sample(pick.choice(edges).split(" = "), 2)
            value = next(value for value in iter(lambda: self._rows.value(one[2:]), "") if value != "NULL")
            if pick.random() < 0.3:  # rows that are gone join with values that have only come
                yield f"DELETE FROM {ALIASES[one[0]]} WHERE {one[2:]} = {value}"
                yield f"UPDATE {ALIASES[other[0]]} SET {self._beyond(other[0])} WHERE {other[2:]} = {value}"
                return
            for column in (one, other):
                yield from self._change(view, column[0], f"{column[2:]} = {value}")
        else:
            inner = view.graph.partition("<")[0]
            alias = pick.choice([alias for alias in inner if _reads(view.keys, alias)] or inner)
            yield from self._change(view, alias, self._group(view, alias))

    def _group(self, view: MendedView, alias: str) -> str:
        """The condition that holds in rows of one table which may make up a group."""
        own = [key for key in view.keys if _reads((key,), alias)]
        if not own:
            return "TRUE" if not view.keys else f"hash({_EVERY[ALIASES[alias]]}) % 5 = {self._random.randrange(5)}"
        key, turn = _ALIAS.sub("", self._random.choice(own)), self._random.randrange(1000)
        groups = f"SELECT {key} AS one FROM {ALIASES[alias]} GROUP BY one ORDER BY hash(one, {turn}), one LIMIT 1"
        return f"{key} IS NOT DISTINCT FROM ({groups})"

    def _change(self, view: MendedView, alias: str, where: str) -> Iterator[str]:
        pick, table = self._random, ALIASES[alias]
        column = pick.choice([one[2:] for one in view.measures if one.startswith(f"{alias}.")] or [EXACT[alias][0][2:]])
        free = [name for name, kind in TABLES[table].items() if "KEY" not in kind and "REFERENCES" not in kind]
        other = pick.choice(free)
        part = f"hash({_EVERY[table]}, {pick.randrange(1000)}) % {6 if table == 'sales' else 2} = 0"
        extreme = f"{column} = (SELECT {pick.choice(['min', 'max'])}({column}) FROM {table} WHERE {where})"
        changes = [
            f"DELETE FROM {table} WHERE {where} AND {extreme}",
            f"DELETE FROM {table} WHERE {where} AND {extreme}",
            f"DELETE FROM {table} WHERE {where} AND {part}",
            *[f"DELETE FROM {table} WHERE {part if where == 'TRUE' else where}"] * (6 if view.functions == ("count",) else 2),
            f"UPDATE {table} SET {other} = {self._rows.value(other)} WHERE {where} AND {part}",
        ]
        if column in free:
            changes += [
                f"UPDATE {table} SET {column} = {self._rows.value(column)} WHERE {where} AND {extreme}",
                f"UPDATE {table} SET {column} = {self._rows.value(column)} WHERE {where} AND {part}",
                f"UPDATE {table} SET {column} = {self._spread(table, column)} WHERE {where}",
            ]
            if "NOT NULL" not in TABLES[table][column]:
                changes += [f"UPDATE {table} SET {column} = NULL WHERE {where}"] * (8 if view.functions == _SUMS else 2)
        if table != "shops":
            changes.append(f"INSERT INTO {table} SELECT * FROM {table} WHERE {where} AND {part}")
        text = pick.choice(changes)
        yield text
        if table in _FEW_ROWS and text.startswith("DELETE"):
            yield f"INSERT INTO {table} VALUES {self._rows.rows(table, 2)}"

    def _beyond(self, alias: str) -> str:
        """Measures that are less or greater than all others."""
        free = [one[2:] for one in EXACT[alias] if one[2:] != "h"] or ["opened"]
        low = self._random.random() < 0.5
        return ", ".join(f"{name} = {_FAR[low] if name != 'opened' else _FAR_DAYS[low]}" for name in free)

    def _spread(self, table: str, column: str) -> str:
        """Other values in each row."""
        return f"hash({_EVERY[table]}, {self._random.randrange(1000)}) % {5 if column in ('y', 'w', 'l') else 90}"


def _reads(keys: Sequence[str], alias: str) -> bool:
    return any(found[0] == f"{alias}." for key in keys for found in _ALIAS.finditer(key))


def _by(keys: list[str]) -> str:
    return f" GROUP BY {', '.join(keys)}" if keys else ""
