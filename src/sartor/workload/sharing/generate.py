"""Rows that lie as the user's do: as many, as often, as often NULL, in as much order; their values mean nothing."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sartor.workload.sharing.document import SharedColumn, SharedTable, SharedWorkload
from sartor.workload.sharing.domains import Domain, domains

Numbers = npt.NDArray[np.int64]
_UNORDERED = 0.02  # a weaker correlation is that of no order


def generate(
    connection: duckdb.DuckDBPyConnection, workload: SharedWorkload, seed: int, progress: Callable[[str, float], None]
) -> None:
    """Make the tables of a workload with generated rows; needs memory for 8 bytes a value of the largest table."""
    found = domains(workload)
    rows = max(1, sum(table.rows for table in workload.tables))
    done = 0
    for number, table in enumerate(workload.tables):
        progress("generating", done / rows)
        done += table.rows
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.schema}")
        connection.execute(_definition(table))
        if not table.rows:
            continue
        draw = np.random.default_rng([seed, number])
        numbers = {column.name: _column(column, table.rows, found[f"{table}.{column.name}"], draw) for column in table.columns}
        for key in table.keys:
            _make_unique(numbers, key, table)
        columns = [pa.array(numbers[c.name], mask=numbers[c.name] < 0) for c in table.columns]
        generated = pa.table(columns, names=[column.name for column in table.columns])
        values = ", ".join(found[f"{table}.{column.name}"].value(column.type, f"g.{column.name}") for column in table.columns)
        connection.register("generated_rows", generated)
        connection.execute(f"INSERT INTO {table} SELECT {values} FROM generated_rows AS g")
        connection.unregister("generated_rows")


def _definition(table: SharedTable) -> str:
    columns = [f"{column.name} {column.type}{'' if column.nullable else ' NOT NULL'}" for column in table.columns]
    keys = [f"UNIQUE ({', '.join(key)})" for key in table.keys]
    return f"CREATE TABLE {table} ({', '.join([*columns, *keys])})"


def _column(column: SharedColumn, rows: int, domain: Domain, draw: np.random.Generator) -> Numbers:
    """The number of each row's value in its domain; -1 for NULL."""
    numbers = np.full(rows, -1, dtype=np.int64)
    nulls = min(rows, round(rows * column.nulls)) if column.distinct else rows
    present = np.sort(draw.permutation(rows)[nulls:]) if nulls else np.arange(rows)
    if len(present):
        ranks = _ranks(column, len(present))
        spread = ranks * domain.size // max(1, column.distinct) if domain.fits(column.type) else ranks
        numbers[present[_order(column.correlation, present / rows, draw)]] = spread
    return numbers


def _ranks(column: SharedColumn, count: int) -> Numbers:
    """Sorted ranks of values below `distinct`, each as often as the histogram says."""
    if column.distinct >= count:
        return np.arange(count, dtype=np.int64) * column.distinct // count
    ranks, shares = np.array(column.histogram).T
    quantiles = (np.arange(count) + 0.5) / count
    found = np.interp(quantiles, shares, ranks * column.distinct)
    # A value's step begins where the one before ends; a rounded share must not push a row over that edge.
    numbers: Numbers = np.clip(np.floor(found + 1e-6), 0, column.distinct - 1).astype(np.int64)
    return numbers


def _order(correlation: float, places: npt.NDArray[np.float64], draw: np.random.Generator) -> Numbers:
    """The rows in the order of their values: z + w·u over the place z and a uniform u correlates with z by 1/sqrt(1 + w²)."""
    if abs(correlation) < _UNORDERED:
        return draw.permutation(len(places))
    width = np.sqrt(max(0.0, 1.0 / correlation**2 - 1.0))
    order = np.argsort(places + width * draw.random(len(places)), kind="stable")
    return order if correlation > 0 else order[::-1]


def _make_unique(numbers: dict[str, Numbers], key: tuple[str, ...], table: SharedTable) -> None:
    """Number the rows within each group of the key's other columns, in the place of its column with the fewest values."""
    distinct = {column.name: column.distinct for column in table.columns}
    if max(distinct[name] for name in key) == table.rows:
        return
    last = min(key, key=lambda name: distinct[name])
    others = [numbers[name] for name in key if name != last]
    order = np.lexsort([np.arange(table.rows), *others])  # by the others, then by row
    begins = np.zeros(table.rows, dtype=bool)
    begins[0] = True
    if others:
        begins[1:] = np.any([column[order][1:] != column[order][:-1] for column in others], axis=0)
    starts = np.flatnonzero(begins)
    within = np.arange(table.rows) - np.repeat(starts, np.diff([*starts, table.rows]))
    numbers[last][order] = within
