"""Literals from generated data, at the positions that an export recorded."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

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
    patterns: list[tuple[Hole, Position]] = []
    holes = set()
    for template in templates:
        for run in template.runs:
            for hole, positions in zip(template.holes, run.positions, strict=True):
                holes.add(hole)
                for position in positions or ():
                    if hole.operator in PATTERNS:
                        patterns.append((hole, position))
                    else:
                        wanted[hole.table, hole.subject].add((hole, position))
    found: Drawn = {}
    for (table, subject), places in wanted.items():
        ordered = sorted(places, key=lambda place: (place[0].operator, place[1].below, place[1].upto))
        middles = [(position.below + position.upto) / 2 for _, position in ordered]
        found.update(zip(ordered, _quantiles(connection, table, subject, middles), strict=True))
    for hole, position in dict.fromkeys(patterns):
        found[hole, position] = _pattern(connection, hole, position)
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


def _pattern(connection: duckdb.DuckDBPyConnection, hole: Hole, position: Position) -> str:
    """The pattern of the recorded shape whose share comes nearest to the recorded one."""
    share = position.upto - position.below
    if not share:
        return f"'{_wrapped(_ABSENT, position.shape)}'"
    text = f"({hole.subject})::VARCHAR"
    places = [(position.below + position.upto) / 2, *((place + 0.5) / _MODELS for place in range(_MODELS))]
    try:
        models = connection.execute(f"SELECT quantile_disc({text}, {places}) FROM {hole.table}").fetchall()[0][0]
        candidates = sorted({candidate for model in models or () if model for candidate in _candidates(model, position.shape)})
        if not candidates:
            return "NULL"
        counts = ", ".join(f"sum(n) FILTER (v {hole.operator} '{candidate}')" for candidate in candidates)
        kept = connection.execute(
            f"SELECT {counts}, sum(n) FROM (SELECT {text} AS v, count(*) AS n FROM {hole.table} WHERE {text} IS NOT NULL GROUP BY 1)"
        ).fetchall()[0]
    except duckdb.Error:
        return "NULL"
    shares = {candidate: float(count or 0) / float(kept[-1]) for candidate, count in zip(candidates, kept, strict=False)}
    return f"'{min(candidates, key=lambda candidate: max(shares[candidate] / share, share / max(shares[candidate], 1e-12)))}'"


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
