"""Truth bits: a copy ordered by whether conditions hold, kept as hidden columns, so that zone maps prune by conditions of any shape.

After Ding, Kraska and others, *Automated multidimensional data layouts in Amazon Redshift* (SIGMOD 2024). A hidden column is 1 in the
rows in which its condition is true, and 0 where it is false or NULL. So `hidden = 1` may stand beside the condition wherever rows that
fail it are left out, and there only: as a conjunct of WHERE.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from sartor.components.copies import Copy
from sartor.core.action import Action
from sartor.core.analysis import Reference
from sartor.core.derived import HIDDEN_COLUMN
from sartor.core.predicate import Written
from sartor.core.table import Column, TableName, quote
from sartor.sql.fingerprint import fingerprint

KIND = "truth bits"
_CALLED = re.compile(r"(\w+) \(")
_HIDDEN_BY_OTHERS = ("date_part", "current_setting")  # functions that expressions call by other words, and the one that is asked here


def truth_bits(
    source: TableName,
    schema: Sequence[Column],
    bits: tuple[str, ...],
    then: tuple[str, ...],
    templates: frozenset[str],
) -> Action:
    """The action that makes a copy ordered by the truth of conditions, and where these are alike by columns.

    Args:
        schema: the columns that the copy holds, all those that the conditions read among them.
        bits: conditions as `Written.text` gives them, the most important first.
        then: columns of the copy.

    Raises:
        ValueError: a column has the name of a hidden one.
    """
    if any(column.name.lower().startswith(HIDDEN_COLUMN) for column in schema):
        raise ValueError(f"a column begins with {HIDDEN_COLUMN}, as the hidden columns of a layout do; rename it")
    definition = (
        ("kind", KIND),
        ("columns", tuple(column.name for column in schema)),
        ("key", (*bits, *then)),
        ("bits", bits),
        ("then", then),
        ("hidden", tuple(f"{HIDDEN_COLUMN}{number}" for number in range(len(bits)))),
        ("schema", tuple((column.name, column.type) for column in schema)),
    )
    return Action("layouts", source, definition, templates)


def copy(action: Action) -> Copy:
    """What the copy stores."""
    bits = action.get("bits")
    first, *others = map(truth, bits)
    checked = f"CASE WHEN {_as_ever(bits)} THEN {first} ELSE CAST('conditions mean something else now' AS UTINYINT) END"
    return Copy(action, (*action.hidden, *action.get("then")), tuple(zip(action.hidden, (checked, *others), strict=True)))


def truth(bit: str) -> str:
    """The expression that is 1 where a condition is true, and 0 elsewhere."""
    return f"coalesce(({bit}), FALSE)::UTINYINT"


def _as_ever(bits: Sequence[str]) -> str:
    """Whether conditions mean what they meant when they were proved steady: no collation by default, no macro in a function's place.

    Sessions without these read what is built, also if it is brought up to date in one that has them.
    """
    called = sorted({*_HIDDEN_BY_OTHERS, *(name.lower() for bit in bits for name in _CALLED.findall(bit))})
    names = " OR ".join(f"function_name ILIKE '{name}'" for name in called)
    return (
        f"NOT EXISTS (SELECT 1 FROM duckdb_functions() WHERE NOT internal AND ({names})) "
        "AND current_setting('default_collation') IN ('', 'binary')"
    )


def may_hold(action: Action, reference: Reference) -> bool:
    """Whether some statement of a template has a condition among the bits: one of the same shape is."""
    shapes = {shape(bit) for bit in action.get("bits")}
    return not reference.sequence and any(shape(written.example) in shapes for written in conditions(reference))


def implied(action: Action, reference: Reference, words: Sequence[str]) -> str:
    """What holds in the copy for all rows that a statement's own conditions let through; empty if nothing of it is known.

    Args:
        words: the statement's tokens.
    """
    asked = {written.text(words) for written in conditions(reference)}
    named = zip(action.get("bits"), action.hidden, strict=True)
    return " AND ".join(f"{quote(name)} = 1" for bit, name in named if bit in asked)


def conditions(reference: Reference) -> list[Written]:
    """The conditions of a reference that may be bits."""
    return [predicate.written for predicate in reference.predicates if predicate.written is not None]


@lru_cache(maxsize=4096)
def shape(bit: str) -> str:
    """A condition without its literals.

    >>> shape("a LIKE '%x%'") == shape("a LIKE 'y'"), shape("a LIKE 'y'") == shape("b LIKE 'y'")
    (True, False)
    """
    return fingerprint(f"SELECT 1 FROM t WHERE {bit}").template
