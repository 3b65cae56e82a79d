"""A view from a block: what it groups by, the states it keeps, the conditions that its rows fulfil."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from sartor.core.action import Action
from sartor.core.block import Call, ColumnOf, QueryBlock, Term, column_text
from sartor.core.table import Catalog
from sartor.core.view import AT_LAST, Condition, KeyColumn, State, ViewDefinition
from sartor.sql.analyse import analyse
from sartor.sql.matching.beginnings import beginning
from sartor.sql.matching.moments import MOMENTS, square, square_text
from sartor.sql.matching.placed import ALONG, VALUES

_NEEDED: dict[str, tuple[str, ...]] = {"avg": ("sum", "count"), "count": ("count",), **dict.fromkeys(MOMENTS, ("sum", "count"))}


def view_of(
    text: str, catalog: Catalog, *, along: str = "", function: str = AT_LAST, units: Mapping[str, str] = MappingProxyType({})
) -> Action | None:
    """The view that stores exactly what a grouped SELECT asks for; None if it can not be one.

    Args:
        along: a key, as the statement names it; then what count(DISTINCT …) counts is placed along it instead of being a key.
        function: AT_LAST or AT_FIRST.
        units: for keys that are columns, by name, the unit whose beginnings are stored in their place.
    """
    analysis = analyse(text, catalog)
    if not analysis.blocks:
        return None
    block = analysis.blocks[0]
    conditions = [condition(term, block.words) for term in block.filters]
    keys, states = keys_of(block.keys), states_of(block.calls)
    types = types_of(block, catalog)
    for place, term in enumerate(block.keys if units else ()):
        if term.column is not None and term.column[1] in units:
            keys[place] = beginning(term.column, units[term.column[1]], types[term.column])
    if along:
        column = next(term.column for term in block.keys if term.column is not None and term.column[1] == along.lower())
        states += placed_of(block, column, function, catalog)
    else:
        keys += [key for key in distinct_of(block.calls) if key not in keys]
    if None in conditions or None in keys or None in states or any(not join.sql for join in block.outer):
        return None
    return ViewDefinition(
        block.sources,
        tuple((one.left, one.right) for one in block.equalities),
        tuple(one for one in conditions if one is not None),
        tuple(key for key in keys if key is not None),
        tuple(state for state in states if state is not None),
        tuple(range(min(1, len(keys)))),
        schemas_of(block, catalog),
        outer_of(block),
    ).action()


def outer_of(block: QueryBlock) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The LEFT JOINs of a block as a view keeps them."""
    return tuple((join.conditions, join.sql) for join in block.outer)


def schemas_of(block: QueryBlock, catalog: Catalog) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The columns that a block reads of each of its tables, those of ON clauses of LEFT JOINs among them, with their types."""
    read, joined = set(block.columns()), " ".join(join.sql for join in block.outer)
    return tuple(
        tuple(
            (column.name, column.type)
            for column in (info.columns if info is not None else ())
            if (one := (name, column.name.lower())) in read or column_text(one) in joined
        )
        for table, name in zip(block.sources, block.names, strict=True)
        for info in (catalog.info(table),)
    )


def types_of(block: QueryBlock, catalog: Catalog) -> dict[ColumnOf, str]:
    """The types of the columns that a block reads, without what stands in parentheses."""
    return {
        (table, name.lower()): kind.upper().partition("(")[0]
        for table, schema in zip(block.names, schemas_of(block, catalog), strict=True)
        for name, kind in schema
    }


def keys_of(terms: Iterable[Term]) -> list[KeyColumn | None]:
    """A key for each term, each once; None for one that can not be computed beforehand."""
    return list(
        dict.fromkeys(KeyColumn(term.text, term.sql, term.column is not None) if term.steady and term.sql else None for term in terms)
    )


def distinct_of(calls: Sequence[Call]) -> list[KeyColumn | None]:
    """The keys that count(DISTINCT …) needs."""
    return keys_of(call.argument for call in calls if call.distinct and call.argument is not None)


def placed_of(block: QueryBlock, along: ColumnOf, function: str, catalog: Catalog) -> list[State | None]:
    """The states that tell what each count(DISTINCT …) of a block counts from (up to) some value of a column.

    None for one that can not be told so, and where the block joins tables.
    """
    types = types_of(block, catalog)
    found: dict[State | None, None] = {}
    for call in block.calls:
        if call.distinct:
            value = call.argument.column if call.argument is not None else None
            tells = value is not None and types.get(value) in VALUES and types.get(along) in ALONG and call.function == "count"
            if tells and call.condition is None and call.argument is not None and len(block.sources) == 1 and not block.equalities:
                found[State(function, call.argument.text, call.argument.sql, column_text(along))] = None
            else:
                found[None] = None
    return list(found)


def states_of(calls: Sequence[Call], *, pivots: bool = False) -> list[State | None]:
    """The states that aggregates are put together from, each once; None for one that can not be computed beforehand.

    Args:
        pivots: of CASE WHEN condition THEN value keep the value's states; the condition is asked of the view's groups.
    """
    found: dict[State | None, None] = {}
    for call in calls:
        if call.argument is None or call.distinct:
            continue
        wanted = [(call.argument, call.nullable)]
        if pivots and call.pivot is not None and call.function != "avg":
            wanted = [(choice.value, choice.nullable) for choice in call.pivot.choices if choice.value is not None]
        for argument, nullable in wanted:
            for function in _NEEDED.get(call.function, (call.function,)):
                if function == "count" and not nullable and argument.column is not None:
                    continue
                usable = argument.steady and argument.sql
                found[State(function, argument.text, argument.sql) if usable else None] = None
            if call.function in MOMENTS:
                found[State("sum", square_text(argument), square(argument.sql, call.scale))] = None
    return list(found)


def condition(term: Term, words: tuple[str, ...]) -> Condition | None:
    """A condition that a view's rows fulfil; None if it can not be checked beforehand."""
    if not term.steady or not term.sql:
        return None
    bound = term.bound
    if bound is None:
        return Condition(term.text, term.sql)
    return Condition(term.text, term.sql, bound.column, bound.operator, bound.values(words), bound.kind)
