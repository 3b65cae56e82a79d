"""Columns that sorting could get wrong, drawn by a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DTYPES = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "?", "M8[ns]", "m8[s]", ">i8", ">f4")
SIZES = (0, 1, 2, 3, 15, 16, 17, 100, 1000, 2049, 20_000, 100_000)


def uniform(draw: np.random.Generator, rows: int) -> Array:
    return draw.integers(-(2**63), 2**63 - 1, rows)


def zipf(draw: np.random.Generator, rows: int) -> Array:
    return np.minimum(draw.zipf(1.3, rows), 2**40).astype(np.int64)


def clusters(draw: np.random.Generator, rows: int) -> Array:
    centres = draw.integers(-(2**62), 2**62, 5)
    return centres[draw.integers(0, 5, rows)] + draw.integers(-1000, 1000, rows)


def outliers(draw: np.random.Generator, rows: int) -> Array:
    """Values so rare that a sample misses them, far beyond all others."""
    values = draw.integers(0, 1000, rows)
    if rows:
        values[draw.integers(0, rows, 2)] = draw.choice([-(2**63), 2**63 - 1, 2**62], 2)
    return values


def two_values(draw: np.random.Generator, rows: int) -> Array:
    return draw.choice(draw.integers(-(2**63), 2**63 - 1, 2), rows)


def nearly_equal(draw: np.random.Generator, rows: int) -> Array:
    """Differences in the last bits only, and one value far away: packed keys lose what tells rows apart."""
    values = draw.integers(0, 3, rows)
    if rows:
        values[rows // 2] = 2**62
    return values


def nearly_sorted(draw: np.random.Generator, rows: int) -> Array:
    return np.arange(rows) * 10 + draw.integers(-50, 50, rows)


def runs(draw: np.random.Generator, rows: int) -> Array:
    return np.sort(
        draw.integers(0, 2**40, rows).reshape(-1, 1) if rows % 2 else draw.integers(0, 2**40, (2, rows // 2)), axis=-1
    ).ravel()


def repeated(draw: np.random.Generator, rows: int) -> Array:
    """Runs of equal keys about as long as a model may err, with gaps of every size between: a model needs most knots for them."""
    gaps = np.cumsum(2 ** draw.integers(0, 40, rows // int(draw.integers(2, 200)) + 1))
    return draw.permutation(np.resize(gaps, rows))


def stretches(draw: np.random.Generator, rows: int) -> Array:
    """Stretches of equal keys, some of them of the same key."""
    length = int(draw.integers(20, 200))
    return np.repeat(draw.integers(0, max(rows // length, 1), rows // length + 1), length)[:rows]


def falling(draw: np.random.Generator, rows: int) -> Array:
    return -np.sort(draw.integers(0, max(rows, 1), rows))


def equal(draw: np.random.Generator, rows: int) -> Array:
    return np.full(rows, draw.integers(-(2**63), 2**63 - 1))


def lognormal(draw: np.random.Generator, rows: int) -> Array:
    return (np.exp(draw.normal(0, 3, rows)) * 1e6).astype(np.int64)


SHAPES: tuple[Callable[[np.random.Generator, int], Array], ...] = (
    uniform,
    zipf,
    clusters,
    outliers,
    two_values,
    nearly_equal,
    nearly_sorted,
    runs,
    repeated,
    stretches,
    falling,
    equal,
    lognormal,
)


def column(seed: int, rows: int | None = None, dtype: str | None = None) -> Array:
    """A column of any shape and type, sometimes strided, reversed or read-only."""
    draw = np.random.default_rng(seed)
    size = int(draw.choice(SIZES)) if rows is None else rows
    kind = str(draw.choice(DTYPES)) if dtype is None else dtype
    shape = SHAPES[draw.integers(0, len(SHAPES))]
    values = typed(draw, shape(draw, size), np.dtype(kind))
    layout = draw.integers(0, 6)
    if layout == 0:
        values = np.repeat(values, 2)[::2]
    elif layout == 1:
        values = values[::-1]
    elif layout == 2:
        values.flags.writeable = False
    elif layout == 3 and values.size:
        values = np.frombuffer(b"x" + values.tobytes(), np.uint8)[1:].view(values.dtype)  # not aligned, and read-only
    return values


def typed(draw: np.random.Generator, values: Array, dtype: np.dtype[Any]) -> Array:
    """Whole numbers as a column of a type, with what makes that type hard."""
    if dtype.kind == "f":
        return floats(draw, values, dtype)
    if dtype.kind in "mM":
        found = values.copy()
        found[draw.random(values.size) < 0.1] = np.iinfo(np.int64).min
        return found.view(dtype)
    return values.astype(dtype)


def floats(draw: np.random.Generator, values: Array, dtype: np.dtype[Any]) -> Array:
    """With NaN of both signs, infinities, both zeros and denormals, in shares from none to nearly all."""
    width = dtype.itemsize
    native = np.dtype(f"f{width}")
    with np.errstate(over="ignore"):
        found = (values / draw.choice([1, 3, 2.0**40])).astype(native)
    tiny = np.finfo(native).smallest_subnormal
    special = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, -tiny, 2 * tiny], native)
    share = draw.choice([0.0, 0.1, 0.9])
    chosen = draw.random(values.size) < share
    found[chosen] = draw.choice(special, int(chosen.sum()))
    return found.astype(dtype)


def text(draw: np.random.Generator, rows: int) -> list[str]:
    """Short alphabets with NUL and letters of several bytes, shared prefixes, many equal beginnings."""
    prefix = str(draw.choice(["", "https://www.", "\0", "aaaaaaa"]))
    letters = np.array(["a", "b", "\0", "é", "\U0001f600", "aaaaaaaa"])
    return [prefix + "".join(draw.choice(letters, draw.integers(0, 5))) for _ in range(rows)]
