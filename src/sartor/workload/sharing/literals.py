"""Literals from generated data, at the positions that an export recorded."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import log

import duckdb

from sartor.workload.sharing.anonymise import PATTERNS
from sartor.workload.sharing.document import Hole, Position, SharedTemplate

_MODELS = 16  # values that the pieces of patterns are taken from
_ABSENT = "~"  # no generated text holds it
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "FLOAT", "DOUBLE", "UTINYINT", "USMALLINT", "UINTEGER")

Drawn = dict[tuple[Hole, Position], str]
"""The SQL of a literal for each position of a hole."""


def drawn(
    connection: duckdb.DuckDBPyConnection, templates: Iterable[SharedTemplate], draw: random.Random
) -> tuple[Drawn, dict[Hole, str]]:
    """The literal of each position, and for each hole one that serves where the position is not known.

    What the generated data can not answer for, such as an expression that raises on them, is NULL.
    """
    wanted: dict[tuple[str, str], set[tuple[Hole, Position]]] = defaultdict(set)
    patterns: dict[tuple[Hole, str], set[Position]] = defaultdict(set)
    holes = set()
    for template in templates:
        for run in template.runs:
            for hole, known in zip(template.holes, run.positions, strict=True):
                holes.add(hole)
                for position in known or ():
                    if hole.operator in PATTERNS:
                        patterns[hole, position.shape].add(position)
                    else:
                        wanted[hole.table, hole.subject].add((hole, position))
    found: Drawn = {}
    for (table, subject), places in wanted.items():
        ordered = sorted(places, key=lambda place: (place[0].operator, place[1].below, place[1].upto))
        middles = [(position.below + position.upto) / 2 for _, position in ordered]
        found.update(zip(ordered, _quantiles(connection, table, subject, middles), strict=True))
    for (hole, shape), positions in patterns.items():
        offered = _patterns(connection, hole, shape)
        found.update({(hole, position): _nearest(offered, position) for position in positions})
    return found, {hole: _quantiles(connection, hole.table, hole.subject, [draw.random()])[0] for hole in sorted(holes, key=str)}


def _quantiles(connection: duckdb.DuckDBPyConnection, table: str, subject: str, shares: list[float]) -> list[str]:
    values = f"SELECT {subject} AS v FROM {table}"
    try:
        row = connection.execute(
            f"SELECT typeof(any_value(v)), quantile_disc(v, {shares})::VARCHAR[] FROM ({values}) WHERE v IS NOT NULL"
        ).fetchone()
    except duckdb.Error:
        row = None
    if row is None or row[1] is None:
        return ["NULL"] * len(shares)
    return [_literal(text, str(row[0])) for text in row[1]]


def _literal(text: str | None, kind: str) -> str:
    if text is None:
        return "NULL"
    if kind.startswith(_NUMBERS):
        return text
    if kind == "BOOLEAN":
        return text.upper()
    quoted = "'" + text.replace("'", "''") + "'"
    if kind == "VARCHAR":
        return quoted
    return f"{kind} {quoted}" if kind in ("DATE", "TIMESTAMP", "TIME") else f"CAST({quoted} AS {kind})"


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern, the share of the values that it keeps, and where the value lies that it was taken from."""

    text: str
    share: float
    place: float


def _patterns(connection: duckdb.DuckDBPyConnection, hole: Hole, shape: str) -> list[_Pattern]:
    """Patterns of a shape that keep something of the generated data, and one that keeps nothing."""
    values = f"SELECT ({hole.subject})::VARCHAR AS v FROM {hole.table}"
    places = [(place + 0.5) / _MODELS for place in range(_MODELS)]
    absent = _Pattern(_wrapped(_ABSENT, shape), 0.0, 0.5)
    try:
        models = connection.execute(f"SELECT quantile_disc(v, {places}) FROM ({values}) WHERE v IS NOT NULL").fetchall()[0][0] or ()
        candidates = {text: place for model, place in zip(models, places, strict=False) for text in _candidates(model, shape)}
        counts = ", ".join(f"coalesce(sum(n) FILTER (v {hole.operator} '{text}'), 0) / sum(n)" for text in candidates)
        if not candidates:
            return [absent]
        shares = connection.execute(
            f"SELECT {counts} FROM (SELECT v, count(*) AS n FROM ({values}) WHERE v IS NOT NULL GROUP BY v)"
        ).fetchall()[0]
    except duckdb.Error:
        return [absent]
    return [absent, *(_Pattern(text, share, place) for (text, place), share in zip(candidates.items(), shares, strict=True) if share)]


def _nearest(offered: list[_Pattern], position: Position) -> str:
    """The pattern whose share comes nearest to the recorded one; of those as near, the one that was taken from nearest by."""
    share, middle = position.upto - position.below, (position.below + position.upto) / 2
    if share <= 0:
        return f"'{offered[0].text}'"
    return f"'{min(offered, key=lambda one: (abs(log((one.share or 1e-12) / share)), abs(one.place - middle))).text}'"


def _candidates(model: str, shape: str) -> list[str]:
    """Patterns of a shape that a text answers to; texts are of letters and digits."""
    model = "".join(letter for letter in model if letter.isalnum())
    lengths = range(1, len(model) + 1)
    match shape:
        case "exact":
            return [model]
        case "prefix":
            return [f"{model[:length]}%" for length in lengths]
        case "suffix":
            return [f"%{model[-length:]}" for length in lengths]
        case "contains":
            return [f"%{model[place : place + length]}%" for length in lengths for place in (0, length, len(model) // 2)]
        case _:
            return [f"{model[:length]}%{model[-1:]}" for length in lengths] + [f"_%{model[-length:]}" for length in lengths]


def _wrapped(text: str, shape: str) -> str:
    return {"prefix": f"{text}%", "suffix": f"%{text}", "contains": f"%{text}%"}.get(shape, text)
