"""Parameters written into a text as literals, for looking at what a statement asked; never for running it for a user."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Mapping, Sequence
from typing import Any

from sartor.sql.lexer import tokens


def inlined(text: str, parameters: Any) -> str:
    """The text with its parameters in place; markers whose value can not be written stay as they are.

    >>> inlined("select a from t where b = ? and c = $n", [5])
    'select a from t where b = 5 and c = $n'
    """
    if not parameters or isinstance(parameters, str):
        return text
    positional = list(parameters) if isinstance(parameters, Sequence) else []
    named = dict(parameters) if isinstance(parameters, Mapping) else {}
    try:
        words, _, starts = tokens(text)
    except ValueError:
        return text
    pieces, end, marks = [], 0, 0
    for place, word in enumerate(words):
        value: Any = _MISSING
        last = place
        if word == "?":
            value = positional[marks] if marks < len(positional) else _MISSING
            marks += 1
        elif word == "$" and place + 1 < len(words):
            last = place + 1
            name = words[last]
            in_order = name.isdigit() and 0 < int(name) <= len(positional)
            value = positional[int(name) - 1] if in_order else named.get(name, _MISSING)
        literal = _literal(value)
        if literal is not None:
            pieces += [text[end : starts[place]], literal]
            end = starts[last] + len(words[last])
    return "".join([*pieces, text[end:]])


_MISSING = object()


def _literal(value: Any) -> str | None:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case int() | float() | decimal.Decimal():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime.datetime():
            return f"TIMESTAMP '{value}'"
        case datetime.date():
            return f"DATE '{value}'"
        case _:
            return None
