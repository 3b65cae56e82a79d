"""Planted defects of layouts: each is a mistake that its fuzzer exists to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

from sartor.components.copies import Copy
from sartor.components.layouts import serve, truth_bits
from sartor.core.predicate import Written
from sartor.core.table import quote
from sartor.interfaces import serving
from sartor.sql import written
from tests.fuzz.defects import always, drop_the_residual, ignore_appends, ignore_mutations, lose_the_order, off_by_one, patched


def _another_bit(action: Any, reference: Any, words: Any) -> str:
    asked = {one.text(words) for one in truth_bits.conditions(reference)}
    turned = (*action.hidden[1:], *action.hidden[:1])
    named = zip(action.get("bits"), turned, strict=True)
    return " AND ".join(f"{quote(name)} = 1" for bit, name in named if bit in asked)


def _whatever_the_literals(action: Any, reference: Any, words: Any) -> str:
    asked = {truth_bits.shape(one.text(words)) for one in truth_bits.conditions(reference)}
    named = zip(action.get("bits"), action.hidden, strict=True)
    return " AND ".join(f"{quote(name)} = 1" for bit, name in named if truth_bits.shape(bit) in asked)


def _as_first_seen(self: Written, words: Any) -> str:
    return self.example or _text(self, words)


def _without_case(self: Written, words: Any) -> str:
    return _text(self, words).lower()


def _null_is_false(bit: str) -> str:
    """Takes a condition for false where one of the columns that it reads is NULL."""
    columns = " AND ".join(f"{part} IS NOT NULL" for part in bit.split() if part.startswith('"'))
    return _truth(f"({bit}) AND {columns}")


def _zeroes(self: Copy) -> Copy:
    return replace(self, hidden=tuple((name, "0::UTINYINT") for name, _ in self.hidden))


def _tail_without_bits(self: Copy, derived: Any) -> str:
    return _tail(_zeroes(self), derived)


def _mended_without_bits(self: Copy, engine: Any, derived: Any, changes: Any) -> int:
    return _mend(_zeroes(self), engine, derived, changes)


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
    "layouts ignore mutations": patched(mock.patch.object(serving, "use", ignore_mutations)),
    "layouts ignore appends": patched(mock.patch.object(serving, "use", ignore_appends)),
}
