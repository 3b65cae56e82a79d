"""A statement with what was passed beside its text put in place as literals."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Mapping
from typing import Any

from sartor.sql.lexer import tokens


class LeftOut(Exception):
    """The statement can not be shared; the message says why and holds nothing of the user's."""


def with_parameters(text: str, parameters: Any) -> str:
    """Put parameters in the place of `?`, `$1` and `$name`.

    Raises:
        LeftOut: a parameter is missing or has no literal form.
        ValueError: the text has no tokens.

    >>> with_parameters("SELECT a FROM t WHERE b = ? AND c = ?", [1, "x"])
    "SELECT a FROM t WHERE b = 1 AND c = 'x'"
    """
    if parameters is None:
        return text
    words, _, starts = tokens(text)
    named = parameters if isinstance(parameters, Mapping) else {str(n): value for n, value in enumerate(parameters, 1)}
    pieces, end, count = [], 0, 0
    for place, word in enumerate(words):
        if word == "?":
            count += 1
            name, after = str(count), starts[place] + 1
        elif word == "$" and place + 1 < len(words):
            name, after = words[place + 1], starts[place + 1] + len(words[place + 1])
        else:
            continue
        if name not in named:
            raise LeftOut("a parameter of it is missing")
        pieces += [text[end : starts[place]], _literal(named[name])]
        end = after
    return "".join([*pieces, text[end:]])


def _literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case int() | float() | decimal.Decimal():
            return str(value) if value >= 0 else f"({value})"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime.datetime() if value.tzinfo is None:
            return f"TIMESTAMP '{value}'"
        case datetime.date() if not isinstance(value, datetime.datetime):
            return f"DATE '{value}'"
        case _:
            raise LeftOut("a parameter of it has no literal form")
