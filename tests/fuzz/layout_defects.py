"""Planted defects of layouts: each is a mistake that its fuzzer exists to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

from sartor.components.copies import Copy
from sartor.components.layouts import serve, tree, truth_bits
from sartor.components.layouts.conditions import conditions, shape, text_of
from sartor.core.predicate import Written
from sartor.core.table import TableName, quote
from sartor.engines.duckdb import computed
from sartor.freshness import usable
from sartor.freshness.usable import Use
from sartor.interfaces import serving
from sartor.sql import blocks, written
from tests.fuzz.defects import always, drop_the_residual, ignore_appends, ignore_mutations, lose_the_order, off_by_one, patched


def _another_bit(action: Any, analysis: Any, place: int, words: Any) -> str:
    asked = {one.bit(words) for one in conditions(analysis, place)}
    turned = (*action.hidden[1:], *action.hidden[:1])
    named = zip(action.get("bits"), turned, strict=True)
    return " AND ".join(f"{quote(name)} = 1" for bit, name in named if bit in asked)


def _whatever_the_literals(action: Any, analysis: Any, place: int, words: Any) -> str:
    asked = {shape(one.bit(words)) for one in conditions(analysis, place)}
    named = zip(action.get("bits"), action.hidden, strict=True)
    return " AND ".join(f"{quote(name)} = 1" for bit, name in named if shape(bit) in asked)


def _as_first_seen(self: Written, words: Any) -> str:
    return self.example or _text(self, words)


def _without_case(self: Written, words: Any) -> str:
    return _text(self, words).lower()


def _null_is_false(bit: str) -> str:
    """Takes a condition for false where one of the columns that it reads is NULL."""
    return _truth(bit if " IN (SELECT" in bit else f"({bit}) AND {_no_nulls(bit)}")


def _no_nulls(condition: str) -> str:
    return " AND ".join(f"{part} IS NOT NULL" for part in condition.split() if part.startswith('"'))


def _zeroes(self: Copy) -> Copy:
    return replace(self, hidden=tuple((name, "0::UTINYINT") for name, _ in self.hidden))


def _tail_without_bits(self: Copy, derived: Any) -> str:
    return _tail(_zeroes(self), derived)


def _mended_without_bits(self: Copy, engine: Any, derived: Any, changes: Any) -> int:
    return _mend(_zeroes(self), engine, derived, changes)


def _another_way(action: Any, analysis: Any, place: int, words: Any) -> str:
    """Takes a condition of a joined table for the same by whatever columns it is joined."""
    asked = {str(bit[0] if isinstance(bit, tuple) else bit) for bit in (one.bit(words) for one in conditions(analysis, place))}
    named = zip(action.get("bits"), action.hidden, strict=True)
    return " AND ".join(f"{quote(name)} = 1" for bit, name in named if (bit[0] if isinstance(bit, tuple) else bit) in asked)


def _first_partner(bit: Any, database: str = "") -> str:
    """Looks at one row for each key of the joined table."""
    if not database or isinstance(bit, str):
        return _text_of(bit, database)
    condition, (key, schema, name, found), *more = bit[0], *reversed(bit[1:])
    table = TableName(database, schema, name)
    text = f"{quote(key)} IN (SELECT {quote(found)} FROM {table} GROUP BY {quote(found)} HAVING first({condition}))"
    return _text_of((text, *reversed(more)), database) if more else text


def _cut_is_false_for_null(node: Any, cuts: Any) -> str:
    """Puts a row on the other side of a cut where one of the columns that it reads is NULL, whatever the condition says of it."""
    own = (" IN (SELECT" not in cut and " IS NOT NULL" not in cut for cut in cuts)
    return _leaf(node, [f"({cut}) AND {_no_nulls(cut)}" if is_own else cut for cut, is_own in zip(cuts, own, strict=True)])


def _the_other_leaves(action: Any, analysis: Any, place: int, words: Any) -> str:
    told = _leaves_implied(action, analysis, place, words)
    return f"NOT ({told})" if told else ""


def _leaves_whatever_the_literals(action: Any, analysis: Any, place: int, words: Any) -> str:
    asked = {shape(one.bit(words)) for one in conditions(analysis, place)}
    return tree.condition(action, {cut for cut in action.get("cuts") if shape(cut) in asked})


def _one_leaf_too_few(numbers: Any) -> Any:
    return [(low, max(low, high - 1)) for low, high in _ranges(numbers)]


def _believe_joined_bits(derived: Any, state: Any) -> Use:
    """Looks at the table of a layout alone."""
    how = usable.use(derived, state)
    if how is Use.NO and derived.action.others:
        alone = replace(derived.action, others=(), strict=frozenset())
        return usable.use(replace(derived, action=alone, others=()), state)
    return how


def _believe_after_appends(derived: Any, state: Any) -> Use:
    """Takes rows that were appended to a joined table for no change of the bits."""
    action = derived.action
    return (
        usable.use(replace(derived, action=replace(action, strict=frozenset())), state)
        if action.others
        else usable.use(derived, state)
    )


def _beside_the_next_row(reader: Any, hidden: Any, schema: Any) -> Any:
    """Puts what was computed of a row beside the row before it."""
    import pyarrow as pa

    return _beside(reader, pa.concat_tables([hidden.slice(1), hidden.slice(0, 1)]), schema)


_beside = computed._beside
_text_of = text_of
_leaf, _ranges, _leaves_implied = tree.leaf, tree._ranges, tree.implied
_text, _truth, _tail, _mend = Written.text, truth_bits.truth, Copy.tail_query, Copy.mend

DEFECTS: dict[str, Callable[[], Any]] = {
    "forget the rows appended": patched(mock.patch.object(serve, "content", drop_the_residual)),
    "one row too few of what was appended": patched(mock.patch.object(serve, "content", off_by_one)),
    "lose the order of the table": patched(mock.patch.object(serve, "content", lose_the_order)),
    "the bit of another condition": patched(mock.patch.object(truth_bits, "implied", _another_bit)),
    "a bit whatever the literals": patched(mock.patch.object(truth_bits, "implied", _whatever_the_literals)),
    "the literals of the statement that was analysed": patched(mock.patch.object(Written, "text", _as_first_seen)),
    "literals without their case": patched(mock.patch.object(Written, "text", _without_case)),
    "a condition is false where a column is NULL": patched(mock.patch.object(truth_bits, "truth", _null_is_false)),
    "a bit where a join may leave the table empty": patched(mock.patch.object(written, "_is_kept", always)),
    "no bits for what a refresh appends": patched(mock.patch.object(Copy, "tail_query", _tail_without_bits)),
    "no bits for what is mended": patched(mock.patch.object(Copy, "mend", _mended_without_bits)),
    "bits beside the row before": patched(mock.patch.object(computed, "_beside", _beside_the_next_row)),
    "a joined bit by whatever columns": patched(mock.patch.object(truth_bits, "implied", _another_way)),
    "a joined bit by one row for each key": patched(mock.patch.object(truth_bits, "text_of", _first_partner)),
    "a joined bit where a join may leave the table empty": patched(
        mock.patch.object(written, "_is_kept", always), mock.patch.object(blocks, "only_inner", always)
    ),
    "a cut is false where a column is NULL": patched(mock.patch.object(tree, "leaf", _cut_is_false_for_null)),
    "the leaves behind the other side of a cut": patched(mock.patch.object(tree, "implied", _the_other_leaves)),
    "leaves whatever the literals": patched(mock.patch.object(tree, "implied", _leaves_whatever_the_literals)),
    "one leaf too few": patched(mock.patch.object(tree, "_ranges", _one_leaf_too_few)),
    "joined bits are believed after a change": patched(mock.patch.object(serving, "use", _believe_joined_bits)),
    "joined bits are believed after appends": patched(mock.patch.object(serving, "use", _believe_after_appends)),
    "layouts ignore mutations": patched(mock.patch.object(serving, "use", ignore_mutations)),
    "layouts ignore appends": patched(mock.patch.object(serving, "use", ignore_appends)),
}
