"""What a view stores, and the rows that were appended to its tables since, in the same form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from sartor.components.views.joined import select
from sartor.components.views.placed import NONE_PLACED, corrections, placed
from sartor.components.views.reach import within_reach
from sartor.components.views.reduced import reduced
from sartor.core.action import Action
from sartor.core.derived import DerivedObject
from sartor.core.ordered import OrderedQuery
from sartor.core.table import quote
from sartor.core.view import ROWS, State, ViewDefinition, definition_of, key_column, state_column
from sartor.freshness.residual import appended_since, covered_before, relation
from sartor.sql.matching.found import Part

_Rows = Callable[[ViewDefinition, Sequence[int], Sequence[int], Sequence[str]], str]
_Implied = Callable[[DerivedObject, ViewDefinition, int], Sequence[str]]

definition = lru_cache(maxsize=4096)(definition_of)


def build_query(action: Action) -> OrderedQuery:
    """A view's rows, in the order that they are stored in."""
    view = definition(action)
    groups = grouped(view, range(len(view.keys)), range(len(view.states)), ())
    return OrderedQuery(placed(view, groups), tuple(map(key_column, view.sorted_by)))


def tail_query(derived: DerivedObject, moved: frozenset[int]) -> str:
    """The rows to append to a view for what was appended to its tables: partial groups beside those that it has.

    After a load there may be too many for lists of what they reach.
    """
    view = definition(derived.action)
    return _residual(derived, view, range(len(view.keys)), range(len(view.states)), moved, grouped)


def appended_query(derived: DerivedObject, moved: frozenset[int]) -> str | None:
    """What a refresh would append, of few rows; None for a view of one table whose states need no corrections: that is soon asked."""
    view = definition(derived.action)
    if len(view.tables) == 1 and not any(state.is_placed for state in view.states):
        return None
    return _residual(derived, view, range(len(view.keys)), range(len(view.states)), moved, grouped, within_reach)


def content(
    derived: DerivedObject,
    keys: Sequence[int],
    states: Sequence[int],
    moved: frozenset[int],
    parts: Sequence[Part] = (),
    without: tuple[str, ...] = (),
) -> str:
    """A view's rows, brought up to date, with some columns at least: what a FROM clause may name, without an alias.

    Args:
        keys, states: positions of what is read; the number of rows of a group comes with them.
        moved: the tables, by place, that rows were appended to since; none of those in `without`.
        parts: what is computed of keys, and of appended rows without these.
        without: names of tables that appended rows are not joined with.

    A group may come in several parts, so whoever reads it has to put them together: each row appended is a part of its own, for
    grouping them twice takes longer (0.4 ms a statement).
    """
    appended = None if without else derived.appended
    is_current = not moved or appended == ""
    if is_current and not parts:
        return relation(derived)  # planning a SELECT around it would take 0.1 ms
    names = [*(key_column(place) for place in keys), *(state_column(place) for place in states), ROWS]
    names += [f"{part.stored} AS {part.name}" for part in parts]
    selected = f"SELECT {', '.join(names)} FROM"
    if is_current:
        return f"({selected} {relation(derived)})"
    if appended is not None:
        return f"({selected} {relation(derived)} UNION ALL {selected} ({appended}))"
    view, rows = reduced(definition(derived.action), without), partial(_single, parts=parts)
    residual = _residual(derived, view, keys, states, moved, rows, within_reach)
    return f"({selected} {relation(derived)} UNION ALL {residual})"


def _residual(
    derived: DerivedObject,
    view: ViewDefinition,
    keys: Sequence[int],
    states: Sequence[int],
    moved: frozenset[int],
    rows: _Rows,
    implied: _Implied = lambda derived, view, place: (),
) -> str:
    """The join of what was appended, each combination of old and new rows once.

    Args:
        view: the view that the object is, or that without some tables.
        implied: conditions that hold for the join of a table's new rows, and tell DuckDB more than it sees.

    For tables that moved in the order 1, 2, …: new rows of 1 with all of 2, then old rows of 1 with new rows of 2, and so on.
    """
    terms = []
    names = definition(derived.action).names
    before: list[str] = []
    for place in sorted(moved):
        row = f"{quote(names[place])}.rowid"
        terms.append(rows(view, keys, states, (*before, appended_since(derived, place, row), *implied(derived, view, place))))
        before.append(covered_before(derived, place, row))
    terms += [corrections(derived, view, keys, states, place) for place in states if view.states[place].is_placed]
    return " UNION ALL ".join(terms)


def grouped(view: ViewDefinition, keys: Sequence[int], states: Sequence[int], further: Sequence[str]) -> str:
    """The groups of a view's join in which further conditions hold, with some of its columns: a SELECT without order.

    States that are placed are 0 in it.
    """
    columns = [f"{view.keys[place].sql} AS {key_column(place)}" for place in keys]
    columns += [f"{_together(view.states[place])} AS {state_column(place)}" for place in states]
    by = ", ".join(view.keys[place].sql for place in keys)
    # Without keys and without rows there is no group; an aggregate alone would make one.
    return f"{select(view, [*columns, f'count(*) AS {ROWS}'], further)} " + (f"GROUP BY {by}" if by else "HAVING count(*) > 0")


def _single(
    view: ViewDefinition, keys: Sequence[int], states: Sequence[int], further: Sequence[str], parts: Sequence[Part] = ()
) -> str:
    """The rows of a view's join in which further conditions hold, each as a group of its own."""
    columns = [f"{view.keys[place].sql} AS {key_column(place)}" for place in keys]
    columns += [f"{_alone(view.states[place])} AS {state_column(place)}" for place in states]
    return select(view, [*columns, f"1 AS {ROWS}", *(f"{part.row} AS {part.name}" for part in parts)], further)


def _together(state: State) -> str:
    """The state of a group of rows."""
    return NONE_PLACED if state.is_placed else f"{state.function}({state.sql})"


def _alone(state: State) -> str:
    """The state of one row."""
    if state.is_placed:
        return NONE_PLACED
    return f"CASE WHEN ({state.sql}) IS NOT NULL THEN 1 ELSE 0 END" if state.function == "count" else state.sql
