"""Truth bits: a copy ordered by whether conditions hold, kept as hidden columns, so that zone maps prune by conditions of any shape.

After Ding, Kraska and others, *Automated multidimensional data layouts in Amazon Redshift* (SIGMOD 2024). A hidden column is 1 in the
rows in which its condition is true, and 0 where it is false or NULL. So `hidden = 1` may stand beside the condition wherever rows that
fail it are left out, and there only: as a conjunct of WHERE.
"""

from __future__ import annotations

from collections.abc import Sequence

from sartor.components.copies import Copy
from sartor.components.layouts.conditional import Others, asked_of, asks_alike, checked, conditional, texts
from sartor.components.layouts.conditions import Bit, text_of
from sartor.core.action import Action
from sartor.core.analysis import Analysis
from sartor.core.table import Column, TableName, quote

KIND = "truth bits"


def truth_bits(
    source: TableName,
    schema: Sequence[Column],
    bits: tuple[Bit, ...],
    then: tuple[str, ...],
    templates: frozenset[str],
    others: Others = (),
) -> Action:
    """The action that makes a copy ordered by the truth of conditions, and where these are alike by columns.

    Args:
        schema: the columns that the copy holds, all those that the conditions read among them.
        bits: conditions as `Condition.bit` gives them, the most important first.
        then: columns of the copy.
        others: as `conditional` takes them.

    Raises:
        ValueError: a column has the name of a hidden one.
    """
    key = (*map(text_of, bits), *then)
    return conditional(source, schema, key, len(bits), templates, others, kind=KIND, bits=bits, then=then)


def copy(action: Action) -> Copy:
    """What the copy stores."""
    bits = action.get("bits")
    first, *others = map(truth, texts(action, bits))
    found = (checked(bits, first, "UTINYINT"), *others)
    return Copy(action, (*action.hidden, *action.get("then")), tuple(zip(action.hidden, found, strict=True)))


def truth(condition: str) -> str:
    """The expression that is 1 where a condition is true, and 0 elsewhere."""
    return f"coalesce(({condition}), FALSE)::UTINYINT"


def may_hold(action: Action, analysis: Analysis, place: int) -> bool:
    """Whether some statement of a template has a condition on a reference among the bits."""
    return asks_alike(action.get("bits"), analysis, place)


def implied(action: Action, analysis: Analysis, place: int, words: Sequence[str]) -> str:
    """What holds in the copy for all rows that a statement's own conditions let through; empty if nothing of it is known.

    Args:
        place: of the reference that reads the copy.
        words: the statement's tokens.
    """
    asked = asked_of(analysis, place, words)
    named = zip(action.get("bits"), action.hidden, strict=True)
    return " AND ".join(f"{quote(name)} = 1" for bit, name in named if bit in asked)
