"""Distinct values of a column, each counted in one group, that of its last or first row along a key: stored, and kept current.

A value together with the other keys of the view is a *pair*. Appended rows may move a pair from one group to another, then it counts
-1 where it was and +1 where it is now, and what is added up stays right (after the differences of Gupta and Mumick's summary tables).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sartor.components.views.joined import each_value, same_group, select
from sartor.core.derived import DerivedObject
from sartor.core.table import quote
from sartor.core.view import AT_LAST, ROWS, State, ViewDefinition, key_column, state_column
from sartor.freshness.changes import SIGN, Change
from sartor.freshness.residual import appended_since, covered_before

NONE_PLACED = "CAST(0 AS BIGINT)"
_VALUE, _ALONG, _FORMER, _NOW, _STEP = "sartor_value", "sartor_along", "sartor_former", "sartor_now", "sartor_step"
_WAS, _IS = "sartor_was", "sartor_is"


def placed(view: ViewDefinition, groups: str) -> str:
    """Groups of a view with the numbers of distinct values that are counted in each of them.

    Args:
        groups: a SELECT of all keys and states of the view, in which these numbers are 0.
    """
    places = [place for place, state in enumerate(view.states) if state.is_placed]
    if not places:
        return groups
    names = [key_column(place) for place in range(len(view.keys))]
    columns = [f"g.{name}" for name in names]
    columns += [
        f"coalesce(p{place}.{ROWS}, 0) AS {state_column(place)}" if state.is_placed else f"g.{state_column(place)}"
        for place, state in enumerate(view.states)
    ]
    same = {place: same_group(names, "g", f"p{place}") for place in places}
    counts = "".join(f" LEFT JOIN ({_counted(view, view.states[place])}) AS p{place} ON {same[place]}" for place in places)
    return f"SELECT {', '.join(columns)}, g.{ROWS} FROM ({groups}) AS g{counts}"


def _counted(view: ViewDefinition, state: State) -> str:
    """How many values are counted in each group: a SELECT of the keys and the number."""
    along, others = _split(view, state)
    columns = [f"{view.keys[place].sql} AS {key_column(place)}" for place in others]
    columns.append(f"{_extreme(state)}({view.keys[along].sql}) AS {key_column(along)}")
    by = ", ".join([*(view.keys[place].sql for place in others), state.sql])
    pairs = f"{select(view, columns, (f'({state.sql}) IS NOT NULL',))} GROUP BY {by}"
    keys = ", ".join(key_column(place) for place in (*others, along))
    return f"SELECT {keys}, count(*) AS {ROWS} FROM ({pairs}) GROUP BY {keys}"


def corrections(derived: DerivedObject, view: ViewDefinition, keys: Sequence[int], states: Sequence[int], place: int) -> str:
    """What rows appended to its only table change in such a state: for each pair that is counted in another group, two rows.

    Both groups have rows, stored or among those appended, so that none comes into being by it. Of other states they hold NULL.

    Args:
        keys, states: positions of the columns that are handed out.
        place: of the state.
    """
    row = _row(view)
    return _corrections(view, keys, states, place, covered_before(derived, 0, row), appended_since(derived, 0, row))


def corrections_behind(view: ViewDefinition, place: int, last: int) -> str:
    """What they would be if the rows with higher ids had been appended since: to find out how long that takes."""
    every = range(len(view.keys)), range(len(view.states))
    return _corrections(view, *every, place, f"{_row(view)} <= {last}", f"{_row(view)} > {last}")


def _corrections(view: ViewDefinition, keys: Sequence[int], states: Sequence[int], place: int, covered: str, appended: str) -> str:
    state = view.states[place]
    columns = [*_columns(view, state), f"{covered} AS {_WAS}", f"TRUE AS {_IS}"]
    rows = select(view, columns, (_is_among(view, state, (appended,)),))
    return _moves(view, place, keys, states, rows, ROWS)


def _row(view: ViewDefinition) -> str:
    return f"{quote(view.names[0])}.rowid"


def moves(view: ViewDefinition, change: Change, place: int) -> str:
    """What a change of its only table changes in such a state, as rows with the column SIGN, 0 for no row comes or goes by it."""
    state = view.states[place]
    instead = {0: change.came_and_gone([name for name, _ in view.schemas[0]])}
    columns = _columns(view, state)
    held = select(view, [*columns, f"1 AS {_WAS}", f"1 AS {_IS}"], (_is_among(view, state, (), instead),))
    gone = select(view, [*columns, f"-{SIGN} AS {_WAS}", f"0 AS {_IS}"], (f"({state.sql}) IS NOT NULL",), instead)
    names = ", ".join([*map(key_column, _split(view, state)[1]), _VALUE, _ALONG])
    rows = f"SELECT {names}, sum({_WAS}) > 0 AS {_WAS}, sum({_IS}) > 0 AS {_IS} FROM ({held} UNION ALL {gone}) GROUP BY {names}"
    return _moves(view, place, range(len(view.keys)), range(len(view.states)), rows, SIGN)


def _is_among(view: ViewDefinition, state: State, further: Sequence[str], instead: Mapping[int, str] = MappingProxyType({})) -> str:
    """The condition that a row's value is one of those of some rows."""
    return f"({state.sql}) IN ({select(view, [each_value(state.sql)], further, instead)})"


def _columns(view: ViewDefinition, state: State) -> list[str]:
    """A pair and where a row of it stands: the keys but the one along which it is placed, the value, and that key."""
    along, others = _split(view, state)
    names = [f"{view.keys[place].sql} AS {key_column(place)}" for place in others]
    return [*names, f"{state.sql} AS {_VALUE}", f"{view.keys[along].sql} AS {_ALONG}"]


def _moves(view: ViewDefinition, place: int, keys: Sequence[int], states: Sequence[int], rows: str, last: str) -> str:
    """For each pair that is counted in another group than before a row with -1 there, and one with 1 where it is counted now.

    Args:
        rows: a SELECT of the columns of pairs, of whether there was such a row, and whether there is.
        last: the name of one column more, which is 0.
    """
    state = view.states[place]
    along, others = _split(view, state)
    names = [key_column(one) for one in others]
    extreme = f"{_extreme(state)}({_ALONG})"
    pairs = (
        f"SELECT {', '.join([*names, ''])}{extreme} FILTER (WHERE {_WAS}) AS {_FORMER}, {extreme} FILTER (WHERE {_IS}) AS {_NOW}, "
        f"bool_or({_WAS}) AS {_WAS}, bool_or({_IS}) AS {_IS} FROM ({rows}) GROUP BY {', '.join([*names, _VALUE])}"
    )
    where = {along: f"CASE WHEN {_STEP} > 0 THEN {_NOW} ELSE {_FORMER} END AS {key_column(along)}"}
    handed = [where.get(one, key_column(one)) for one in keys]
    handed += [f"{f'CAST({_STEP} AS BIGINT)' if one == place else 'NULL'} AS {state_column(one)}" for one in states]
    return (
        f"SELECT {', '.join([*handed, ''])}0 AS {last} FROM ({pairs}) CROSS JOIN (VALUES (1), (-1)) AS s({_STEP}) "
        f"WHERE CASE WHEN {_STEP} > 0 THEN {_IS} ELSE {_WAS} END AND NOT ({_WAS} AND {_IS} AND {_NOW} IS NOT DISTINCT FROM {_FORMER})"
    )


def _split(view: ViewDefinition, state: State) -> tuple[int, list[int]]:
    """The position of the key along which a state is, and those of the others."""
    along = view.key_of[state.along]
    return along, [place for place in range(len(view.keys)) if place != along]


def _extreme(state: State) -> str:
    return "max" if state.function == AT_LAST else "min"
