"""Carrying what its tables lost and got into a view: counts and sums follow by arithmetic, other groups are computed anew.

The rows that the join lost and got are, table after table, those of one table joined with what the tables before it hold now and
with what those behind it held (Gupta, Mumick, Subrahmanian, Maintaining views incrementally, SIGMOD 1993). Each has a sign, and the
signs of joined rows are multiplied. A group is computed anew where arithmetic can not tell its state: where a sum becomes 0, for
then it could be NULL; where a row gone may have held the least or the greatest value.
"""

from __future__ import annotations

from collections.abc import Mapping

from sartor.components.views.apply import definition, grouped
from sartor.components.views.joined import same_group, select
from sartor.components.views.placed import NONE_PLACED, moves
from sartor.core.constants import MEND_SHARE, ROW_GROUP_ROWS
from sartor.core.derived import DerivedObject
from sartor.core.table import quote
from sartor.core.view import ROWS, State, ViewDefinition, key_column, state_column
from sartor.engines.base import Engine
from sartor.freshness.changes import SIGN, Change, Unmended
from sartor.freshness.refresh import column_types
from sartor.freshness.residual import relation

_DELTA, _MERGED, _ROWS = "temp.main.sartor_delta", "temp.main.sartor_merged", "temp.main.sartor_rows"
_INEXACT = ("DOUBLE", "FLOAT")
_EXTREMES = {"min": "least", "max": "greatest"}


def mend(engine: Engine, derived: DerivedObject, changes: Mapping[int, Change]) -> int:
    """Carry changes into the rows of a view, in the current transaction; returns how many rows more stand behind the sorted ones.

    Args:
        changes: of its tables, by place; the others did not change.

    Raises:
        Unmended: it is better built anew.
    """
    view, held = definition(derived.action), relation(derived)
    types = column_types(engine, held)
    if any(s.function == "sum" and types[state_column(place)] in _INEXACT for place, s in enumerate(view.states)):
        raise Unmended
    engine.execute(f"CREATE OR REPLACE TEMP TABLE sartor_delta AS {_delta(view, changes)}")
    engine.execute(f"CREATE OR REPLACE TEMP TABLE sartor_merged AS {_merged(view, held, changes)}")
    try:
        touched, wrong, again, had = engine.rows(
            f"SELECT count(*), coalesce(bool_or({ROWS} < 0), FALSE), count(*) FILTER (again AND {ROWS} > 0), "
            f"(SELECT count(*) FROM {held}) FROM {_MERGED}"
        )[0]
        if wrong:
            raise Unmended
        names = [name for name in types if name != ROWS]
        columns = ", ".join([*names, ROWS])
        keys = _keys(view)
        engine.execute(f"DELETE FROM {held} AS v USING {_MERGED} AS m WHERE {same_group(keys, 'v', 'm')}")
        engine.execute(f"INSERT INTO {held} ({columns}) SELECT {columns} FROM {_MERGED} WHERE {ROWS} > 0 AND NOT again")
        if again:
            pairs = zip(keys, view.keys, strict=True)
            mine = " AND ".join(f"m.{key} IS NOT DISTINCT FROM ({one.sql})" for key, one in pairs) or "TRUE"
            groups = f"EXISTS (SELECT 1 FROM {_MERGED} AS m WHERE m.again AND m.{ROWS} > 0 AND {mine})"
            every = grouped(view, range(len(view.keys)), range(len(view.states)), (groups,))
            told = [state_column(place) for place, state in enumerate(view.states) if state.is_placed]
            if told:
                replaced = ", ".join(f"m.{name} AS {name}" for name in told)
                every = f"SELECT g.* REPLACE ({replaced}) FROM ({every}) AS g JOIN {_MERGED} AS m ON {same_group(keys, 'g', 'm')}"
            engine.execute(f"INSERT INTO {held} BY NAME {every}")
        if had > ROW_GROUP_ROWS.default and derived.coverage.unsorted + touched > MEND_SHARE.default * had:
            _sort(engine, view, held)
            return _parts(engine, keys, held) - derived.coverage.unsorted
    finally:
        _forget(engine)
    return int(touched)


def _sort(engine: Engine, view: ViewDefinition, held: str) -> None:
    """Put the rows of a view into its order again: what stands behind them is read by every statement."""
    order = ", ".join(key_column(place) for place in view.sorted_by)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE sartor_rows AS FROM {held}")
    engine.execute(f"DELETE FROM {held}")
    engine.execute(f"INSERT INTO {held} FROM {_ROWS}" + (f" ORDER BY {order}" if order else ""))


def _parts(engine: Engine, keys: list[str], held: str) -> int:
    """How many rows more a view has than groups: rows that refreshes append are parts of groups until these are mended."""
    groups = f"SELECT count(*) FROM (SELECT DISTINCT {', '.join(keys)} FROM {held})"
    return int(engine.rows(f"SELECT count(*) - ({groups}) FROM {held}")[0][0])


def _delta(view: ViewDefinition, changes: Mapping[int, Change]) -> str:
    """What each group got and lost: rows by their signs, and of each state what came and what is gone."""
    terms = []
    for changed in sorted(changes):
        instead = {
            place: change.came_and_gone(_columns(view, place)) if place == changed else change.former(_columns(view, place))
            for place, change in changes.items()
            if place >= changed
        }
        sign = " * ".join(f"{quote(view.names[place])}.{SIGN}" for place in sorted(instead))
        columns = [f"{key.sql} AS {key_column(place)}" for place, key in enumerate(view.keys)]
        columns += [f"{NONE_PLACED if s.is_placed else s.sql} AS {state_column(place)}" for place, s in enumerate(view.states)]
        terms.append(select(view, [*columns, f"{sign} AS {SIGN}"], instead=instead))
        terms += [moves(view, changes[changed], place) for place, state in enumerate(view.states) if state.is_placed]
    keys = _keys(view)
    states = [part for place, state in enumerate(view.states) for part in _came_and_gone(state, state_column(place))]
    selected = ", ".join([*keys, *states, f"sum({SIGN}) AS {ROWS}"])
    return f"SELECT {selected} FROM ({' UNION ALL '.join(terms)}) " + (
        f"GROUP BY {', '.join(keys)}" if keys else "HAVING count(*) > 0"
    )


def _came_and_gone(state: State, column: str) -> tuple[str, ...]:
    if state.function == "count":
        return (f"coalesce(sum(CASE WHEN {column} IS NOT NULL THEN {SIGN} END), 0) AS {column}",)
    if state.is_placed:
        return (f"coalesce(sum({column}), 0) AS {column}",)
    came, gone = (f"{state.function}({column}) FILTER ({SIGN} {which} 0)" for which in "><")
    return f"{came} AS came_{column}", f"{gone} AS gone_{column}"


def _merged(view: ViewDefinition, held: str, changes: Mapping[int, Change]) -> str:
    """The groups that changed as they are now, and whether one has to be computed again."""
    keys = _keys(view)
    states = [(state, state_column(place)) for place, state in enumerate(view.states)]
    parts = ", ".join(
        [
            *(f"v.{key}" for key in keys),
            *(f"{'sum' if s.is_placed or s.function == 'count' else s.function}(v.{name}) AS {name}" for s, name in states),
            f"sum(v.{ROWS}) AS {ROWS}",
        ]
    )
    former = f"SELECT {parts} FROM {held} AS v JOIN {_DELTA} AS d ON {same_group(keys, 'v', 'd')}"
    former += f" GROUP BY {', '.join(f'v.{key}' for key in keys)}" if keys else " HAVING count(*) > 0"
    exact = len(changes) == 1
    now = [_now(state, name, exact) for state, name in states]
    again = " OR ".join(f"coalesce({when}, FALSE)" for _, when in now) or "FALSE"
    selected = ", ".join([*(f"d.{key}" for key in keys), *(value for value, _ in now), f"coalesce(f.{ROWS}, 0) + d.{ROWS} AS {ROWS}"])
    return f"SELECT {selected}, ({again}) AS again FROM {_DELTA} AS d LEFT JOIN ({former}) AS f ON {same_group(keys, 'f', 'd')}"


def _now(state: State, name: str, exact: bool) -> tuple[str, str]:
    """A state of a group after the change, and the condition that it can not be told so.

    Args:
        exact: no row is among those that came and those gone at once, as rows of joins may be.
    """
    came, gone = f"d.came_{name}", f"d.gone_{name}"
    if state.is_placed or state.function == "count":
        return f"coalesce(f.{name}, 0) + d.{name} AS {name}", "FALSE"
    if state.function == "sum":
        value = f"coalesce(f.{name}, 0) + coalesce({came}, 0) - coalesce({gone}, 0)"
        known = f"CASE WHEN coalesce(f.{name}, {came}, {gone}) IS NOT NULL THEN {value} END"
        return f"{known} AS {name}", f"{gone} IS NOT NULL AND {value} = 0"
    if state.function not in _EXTREMES:
        return f"f.{name}", "TRUE"
    nearer, beyond = _EXTREMES[state.function], "<=" if state.function == "min" else ">="
    doubtful = gone if exact else f"{nearer}({came}, {gone})"
    return f"{nearer}(f.{name}, {came}) AS {name}", f"{doubtful} IS NOT NULL AND (f.{name} IS NULL OR {doubtful} {beyond} f.{name})"


def _keys(view: ViewDefinition) -> list[str]:
    return [key_column(place) for place in range(len(view.keys))]


def _columns(view: ViewDefinition, place: int) -> list[str]:
    return [name for name, _ in view.schemas[place]]


def _forget(engine: Engine) -> None:
    for made in (_DELTA, _MERGED, _ROWS):
        engine.execute(f"DROP TABLE IF EXISTS {made}")
