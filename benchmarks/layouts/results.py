"""Precinct results of California's elections, which come clustered by date and county, with columns that follow one another softly."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import duckdb

from benchmarks.layouts.workload import Source, Workload, counted, repeated
from benchmarks.suites.elections.suite import Elections

_ROWS = 400  # that the literals are drawn from
_SUMMED = "SELECT count(*), sum(votes), min(precinct), max(candidate) FROM results WHERE"


def _several(rows: Sequence[Mapping[str, Any]], pick: random.Random) -> str:
    """What a row of the table says in two or three of its columns, so that something is found."""
    row = pick.choice(rows)
    conditions = [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'" for name, value in row.items() if name != "votes"]
    conditions.append(f"votes BETWEEN {row['votes']} AND {row['votes'] + 20}")
    return f"{_SUMMED} {' AND '.join(pick.sample(conditions, pick.choice([2, 2, 2, 3])))}"


_REPEATED = (  # zone maps do not see through them
    "candidate LIKE '%Smith%'",
    "upper(candidate) LIKE '%BROWN%' AND votes > 500",
    "precinct LIKE '%VBM%' AND party = 'GRN'",
    "office LIKE '%School%'",
    "party IS NULL AND votes > 2000 AND candidate NOT IN ('Yes', 'No')",
)


_LISTED = ("county, precinct, candidate", "county, precinct, candidate, votes")
_ASKED = ("county", "precinct", "office", "party", "candidate", "votes")
_KEYS = ("county", "office", "candidate", "votes")


def workloads(connection: duckdb.DuckDBPyConnection) -> list[Workload]:
    """Those over precinct results."""
    known = " AND ".join(f"{name} IS NOT NULL" for name in _KEYS)
    drawn = connection.execute(
        f"SELECT {', '.join(_KEYS)} FROM results WHERE {known} ORDER BY hash(rowid), rowid LIMIT {_ROWS}"
    ).fetchall()
    rows = [dict(zip(_KEYS, row, strict=True)) for row in drawn]
    results = partial(Workload, table="results", describing=frozenset(), reads=_ASKED, keys=_KEYS)
    return [
        results("results, several conditions", hottest=_KEYS[1:], statement=partial(_several, rows), passing=counted),
        results(
            "results, conditions that repeat",
            hottest=("candidate", "votes"),
            statement=partial(repeated, "results", _LISTED, _REPEATED),
            passing=len,
        ),
    ]


RESULTS = Source(Elections(), 1 / 20, 1.0, workloads)
