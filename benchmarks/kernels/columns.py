"""The columns that are sorted and searched: ten made-up distributions, a few hard ones, and four real columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DISTRIBUTIONS = ("uniform", "normal", "lognormal", "zipf", "clusters", "timestamps", "ids", "outliers", "dates", "sorted")
HARD = ("reversed", "equal", "nan")
REAL = ("election_date", "votes", "precinct", "candidate")


def column(name: str, rows: int, dtype: str = "int64", seed: int = 1) -> NDArray[Any]:
    """A made-up column; the same one for the same seed."""
    draw = np.random.default_rng(seed)
    values: NDArray[Any]
    if name in ("uniform", "sorted", "reversed", "nan"):
        values = draw.integers(0, 2**62, rows) if dtype != "float64" else draw.random(rows)
        if name != "uniform" and name != "nan":
            values = np.sort(values)[:: 1 if name == "sorted" else -1].copy()
    elif name == "normal":
        values = draw.normal(0, 1, rows) * 1e12
    elif name == "lognormal":
        values = np.exp(draw.normal(0, 2, rows)) * 1e9
    elif name == "zipf":
        values = np.minimum(draw.zipf(1.3, rows), 2**40)
    elif name == "clusters":
        centres, widths = draw.integers(0, 2**60, 200), draw.integers(2**20, 2**44, 200)
        chosen = draw.integers(0, 200, rows)
        values = centres[chosen] + draw.normal(0, 1, rows) * widths[chosen]
    elif name == "timestamps":  # nearly in order, as events that were logged late
        values = np.cumsum(draw.integers(1, 2000, rows)) + draw.integers(-(10**6), 10**6, rows) + 1_700_000_000_000_000
    elif name == "ids":
        values = np.cumsum(np.where(draw.random(rows) < 0.001, draw.integers(1, 10**6, rows), draw.integers(1, 4, rows)))
        draw.shuffle(values)
    elif name == "outliers":
        values = draw.integers(0, 10**7 * 4, rows)
        values[draw.integers(0, rows, 50)] = draw.integers(2**60, 2**62, 50)
    elif name == "dates":
        values = draw.integers(8000, 10600, rows)
    elif name == "equal":
        values = np.full(rows, 42)
    else:
        raise ValueError(f"there is no distribution {name!r}")
    if dtype == "int32":
        low, high = float(values.min()), float(values.max())
        values = (values.astype(np.float64) - low) / max(high - low, 1.0) * (2**31 - 2)
    values = values.astype(dtype)
    if name == "nan":
        values[draw.random(rows) < 0.7] = np.nan
    return values


def real_columns(path: Path) -> dict[str, Any]:
    """Four columns of precinct results, as Arrow arrays: dates and counts as numbers, and two of text."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(REAL)).combine_chunks()
    return {name: table[name].chunk(0) for name in REAL}


def words(rows: int, seed: int = 1) -> Any:
    """A column of text with 100,000 different values."""
    import pyarrow as pa

    names = pa.array([f"name{number}" for number in range(100_000)])
    return names.take(pa.array(np.random.default_rng(seed).integers(0, len(names), rows)))
