"""What layouts by conditions share, truth bits and trees: the action, what the copy checks, and which statements they help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sartor.components.layouts.conditions import Bit, conditions, shape, text_of
from sartor.core.action import Action
from sartor.core.analysis import Analysis
from sartor.core.derived import HIDDEN_COLUMN
from sartor.core.table import Column, TableName

Others = Sequence[tuple[TableName, Sequence[Column]]]
"""The other tables that conditions look into, with the columns that they read there."""

_CALLED = re.compile(r"(\w+) \(")
_HIDDEN_BY_OTHERS = ("date_part", "current_setting")  # functions that expressions call by other words, and the one that is asked here


def conditional(
    source: TableName,
    schema: Sequence[Column],
    key: tuple[str, ...],
    hidden: int,
    templates: frozenset[str],
    others: Others,
    **details: Any,
) -> Action:
    """The action that makes a copy in an order of conditions.

    Args:
        schema: the columns that the copy holds, all those that the conditions read among them.
        key: the order as a person is told of it.
        hidden: how many hidden columns there are.
        others: what the conditions hold of was looked up in these when the copy was made, so whatever is done to one of them, appends
            too, ends the use of all that is hidden until a refresh.
        details: what else the definition keeps.

    Raises:
        ValueError: a column has the name of a hidden one.
    """
    no_hidden_names(schema)
    definition = (
        *details.items(),
        ("columns", tuple(column.name for column in schema)),
        ("key", key),
        ("hidden", tuple(f"{HIDDEN_COLUMN}{number}" for number in range(hidden))),
        ("schemas", tuple(tuple((one.name, one.type) for one in columns) for columns in (schema, *(read for _, read in others)))),
    )
    tables = tuple(table for table, _ in others)
    return Action("layouts", source, definition, templates, tables, frozenset(range(1, 1 + len(tables))))


def no_hidden_names(schema: Sequence[Column], *prefixes: str) -> None:
    """Raise ValueError if a column has the name of a hidden one, or begins in one of these ways."""
    if any(column.name.lower().startswith((HIDDEN_COLUMN, *prefixes)) for column in schema):
        raise ValueError(f"a column begins with {HIDDEN_COLUMN}, as the hidden columns of a layout do; rename it")


def texts(action: Action, bits: Iterable[Bit]) -> list[str]:
    """Conditions as SQL over the bare columns of the action's table."""
    return [text_of(bit, action.source.database) for bit in bits]


def checked(bits: Iterable[Bit], expression: str, kind: str) -> str:
    """An expression over conditions that raises where they do not mean what they meant when they were proved steady.

    That is so where there is a collation by default, or a macro in a function's place. Sessions without these read what is built, also
    if it is brought up to date in one that has them.

    Args:
        kind: of the expression, a whole number.
    """
    called = sorted({*_HIDDEN_BY_OTHERS, *(name.lower() for bit in bits for name in _CALLED.findall(text_of(bit)))})
    names = " OR ".join(f"function_name ILIKE '{name}'" for name in called)
    as_ever = (
        f"NOT EXISTS (SELECT 1 FROM duckdb_functions() WHERE NOT internal AND ({names})) "
        "AND current_setting('default_collation') IN ('', 'binary')"
    )
    return f"CASE WHEN {as_ever} THEN {expression} ELSE CAST('they mean something else now' AS {kind}) END"


def asks_alike(bits: Iterable[Bit], analysis: Analysis, place: int) -> bool:
    """Whether some statement of a template may ask a reference for one of these conditions: the template has one of the same shape."""
    shapes = set(map(shape, bits))
    return not analysis.references[place].sequence and any(shape(one.example) in shapes for one in conditions(analysis, place))


def asked_of(analysis: Analysis, place: int, words: Sequence[str]) -> set[Bit]:
    """The conditions that a statement asks a reference for.

    Args:
        words: the statement's tokens.
    """
    return {one.bit(words) for one in conditions(analysis, place)}
