"""Truth bits: a copy ordered by whether conditions hold, kept as hidden columns, so that zone maps prune by conditions of any shape.

After Ding, Kraska and others, *Automated multidimensional data layouts in Amazon Redshift* (SIGMOD 2024). A hidden column is 1 in the
rows in which its condition is true, and 0 where it is false or NULL. So `hidden = 1` may stand beside the condition wherever rows that
fail it are left out, and there only: as a conjunct of WHERE.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sartor.components.copies import Copy
from sartor.components.layouts.conditions import Bit, conditions, shape, text_of
from sartor.core.action import Action
from sartor.core.analysis import Analysis
from sartor.core.derived import HIDDEN_COLUMN
from sartor.core.table import Column, TableName, quote

KIND = "truth bits"
_CALLED = re.compile(r"(\w+) \(")
_HIDDEN_BY_OTHERS = ("date_part", "current_setting")  # functions that expressions call by other words, and the one that is asked here


def truth_bits(
    source: TableName,
    schema: Sequence[Column],
    bits: tuple[Bit, ...],
    then: tuple[str, ...],
    templates: frozenset[str],
    others: Sequence[tuple[TableName, Sequence[Column]]] = (),
) -> Action:
    """The action that makes a copy ordered by the truth of conditions, and where these are alike by columns.

    Args:
        schema: the columns that the copy holds, all those that the conditions read among them.
        bits: conditions as `Condition.bit` gives them, the most important first.
        then: columns of the copy.
        others: the other tables that the bits look into, with the columns that they read there. A bit is true of what these held when
            the copy was made, so whatever is done to one of them, appends too, ends the use of all bits until a refresh.

    Raises:
        ValueError: a column has the name of a hidden one.
    """
    no_hidden_names(schema)
    definition = (
        ("kind", KIND),
        ("columns", tuple(column.name for column in schema)),
        ("key", (*map(text_of, bits), *then)),
        ("bits", bits),
        ("then", then),
        ("hidden", tuple(f"{HIDDEN_COLUMN}{number}" for number in range(len(bits)))),
        ("schemas", schemas(schema, others)),
    )
    tables = tuple(table for table, _ in others)
    return Action("layouts", source, definition, templates, tables, frozenset(range(1, 1 + len(tables))))


def no_hidden_names(schema: Sequence[Column]) -> None:
    """Raise ValueError if a column has the name of a hidden one."""
    if any(column.name.lower().startswith(HIDDEN_COLUMN) for column in schema):
        raise ValueError(f"a column begins with {HIDDEN_COLUMN}, as the hidden columns of a layout do; rename it")


def schemas(schema: Sequence[Column], others: Sequence[tuple[TableName, Sequence[Column]]]) -> tuple[tuple[tuple[str, str], ...], ...]:
    """What a layout rests on, for `Action.schemas`."""
    return tuple(tuple((column.name, column.type) for column in columns) for columns in (schema, *(columns for _, columns in others)))


def copy(action: Action) -> Copy:
    """What the copy stores."""
    bits = action.get("bits")
    first, *others = (truth(text_of(bit, action.source.database)) for bit in bits)
    checked = (
        f"CASE WHEN {as_ever([text_of(bit) for bit in bits])} THEN {first} ELSE CAST('they mean something else now' AS UTINYINT) END"
    )
    return Copy(action, (*action.hidden, *action.get("then")), tuple(zip(action.hidden, (checked, *others), strict=True)))


def truth(condition: str) -> str:
    """The expression that is 1 where a condition is true, and 0 elsewhere."""
    return f"coalesce(({condition}), FALSE)::UTINYINT"


def as_ever(bits: Sequence[str]) -> str:
    """Whether conditions mean what they meant when they were proved steady: no collation by default, no macro in a function's place.

    Sessions without these read what is built, also if it is brought up to date in one that has them.
    """
    called = sorted({*_HIDDEN_BY_OTHERS, *(name.lower() for bit in bits for name in _CALLED.findall(bit))})
    names = " OR ".join(f"function_name ILIKE '{name}'" for name in called)
    return (
        f"NOT EXISTS (SELECT 1 FROM duckdb_functions() WHERE NOT internal AND ({names})) "
        "AND current_setting('default_collation') IN ('', 'binary')"
    )


def may_hold(action: Action, analysis: Analysis, place: int) -> bool:
    """Whether some statement of a template has a condition on a reference among the bits: one of the same shape is."""
    shapes = {shape(bit) for bit in action.get("bits")}
    return not analysis.references[place].sequence and any(shape(one.example) in shapes for one in conditions(analysis, place))


def implied(action: Action, analysis: Analysis, place: int, words: Sequence[str]) -> str:
    """What holds in the copy for all rows that a statement's own conditions let through; empty if nothing of it is known.

    Args:
        place: of the reference that reads the copy.
        words: the statement's tokens.
    """
    asked = {one.bit(words) for one in conditions(analysis, place)}
    named = zip(action.get("bits"), action.hidden, strict=True)
    return " AND ".join(f"{quote(name)} = 1" for bit, name in named if bit in asked)
