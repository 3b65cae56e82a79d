"""The values of literals, as a statement's own words tell them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sartor.core.block import Operand

_NUMBER = re.compile(r"-?\d{1,9}")
_FRACTION = re.compile(r"-?\d{1,9}\.\d{1,6}")
_TEXT = re.compile(r"'([^']*)'")
_DAY = re.compile(r"'(\d{4}-\d{2}-\d{2})'")
_MOMENT = re.compile(r"'(\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2})?)'")
_ITEM = re.compile(r"\s*('[^']*'|-?[\d.]+)\s*(?:,|$)")


def values(operand: Operand, words: Sequence[str]) -> list[Any] | None:
    """The values of an operand in a statement with these tokens, several of a list; None if they are not told by its text alone.

    >>> values(Operand(0, 1, "date"), ["DATE", "'2024-02-29'"]), values(Operand(0, 1, "date"), ["DATE", "'2023-02-29'"])
    ([datetime.date(2024, 2, 29)], None)
    >>> values(Operand(0, 0, "number"), ["(1, -2.50)"]), values(Operand(0, 1, "number"), ["-", "7"])
    ([1, Decimal('-2.50')], [-7])
    >>> values(Operand(0, 0, "text"), ["'it''s'"]), values(Operand(0, 0, "text"), ["('a', 'b,')"])
    (None, ['a', 'b,'])
    """
    last = words[operand.last_token]
    single = "-" + last if words[operand.first_token] == "-" else last
    found = [_value(operand.kind, text) for text in (_items(last[1:-1]) if last[0] == "(" else [single])]
    return None if not found or None in found else found


def _items(text: str) -> list[str]:
    """The literals of a list; none if it holds anything else."""
    found, position = [], 0
    while position < len(text):
        item = _ITEM.match(text, position)
        if item is None:
            return []
        found.append(item[1])
        position = item.end()
    return found


def _value(kind: str, text: str) -> Any:
    match kind:
        case "number" if _NUMBER.fullmatch(text):
            return int(text)
        case "number" if _FRACTION.fullmatch(text):
            return Decimal(text)
        case "text" if found := _TEXT.fullmatch(text):
            return found[1]
        case "date" if found := _DAY.fullmatch(text):
            return _read(date.fromisoformat, found[1])
        case "timestamp" if found := _MOMENT.fullmatch(text):
            return _read(datetime.fromisoformat, found[1])
    return None


def _read(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError:
        return None
