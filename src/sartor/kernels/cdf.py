"""One model of how a column's values are distributed, learned from a sample in one pass, for every use.

Partition takes its buckets, out-of-core sorting its borders, flattened layouts its cells, and estimates its shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sartor.core.constants import DISTRIBUTION_ROWS
from sartor.kernels import buckets, spline
from sartor.kernels.buckets import Buckets
from sartor.kernels.domain import Domain
from sartor.kernels.spline import Spline
from sartor.kernels.words import Words

_SPLINE_ERROR = 8
_DOUBT = 0.01  # how often a sample may be farther off than is said


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a sample tells of a column of numbers or times.

    Attributes:
        domain: the type that values are compared in.
        sample: sorted words of the sampled rows.
        spline: through their ranks.
        rows: of the column.
    """

    domain: Domain
    sample: Words
    spline: Spline
    rows: int

    @property
    def error(self) -> float:
        """How far off a share may be: the spline's bound, and what 99 of 100 samples keep (Dvoretzky, Kiefer, Wolfowitz)."""
        drawn = self.sample.size
        return self.spline.error / drawn + (0.0 if drawn == self.rows else sqrt(log(2 / _DOUBT) / (2 * drawn)))

    def share_below(self, values: Any) -> NDArray[np.float64]:
        """The share of rows that are lower than each value: the selectivity of `column < value`.

        >>> learn(np.arange(10_000.0)).share_below([2000, 20_000]).round(1).tolist()
        [0.2, 1.0]
        """
        places = self.domain.places(np.atleast_1d(np.asarray(values)))
        shares = self.spline.estimate(places.words) / self.sample.size
        for outside, share in ((places.below, 0.0), (places.above, 1.0)):
            if outside is not None:
                shares[outside] = share
        return shares

    def borders(self, parts: int) -> NDArray[Any]:
        """Values that cut the column into parts of about equal depth: strictly rising, fewer where a value fills several parts.

        >>> learn(np.arange(100)).borders(4).tolist()
        [25, 50, 75]
        """
        wanted = self.sample[np.arange(1, parts) * self.sample.size // parts]
        return self.domain.restored(np.unique(wanted))

    def cells(self, values: Any, count: int) -> NDArray[np.int64]:
        """The cell of each value in a layout that this distribution flattens: cells rise with values and hold about as many rows each.

        >>> learn(np.arange(100) ** 3).cells([0, 55**3, 99**3], 8).tolist()
        [0, 4, 7]
        """
        return np.minimum((self.share_below(values) * count).astype(np.int64), count - 1)

    def buckets(self, count: int) -> Buckets:
        """The model that brings rows to about so many buckets, a power of two: a table or a tree, as suits the sample."""
        return buckets.learn(self.sample, count)


def learn(values: Any, rows: int | None = None, seed: int = 0) -> Distribution:
    """Learn from a sample of a column of numbers or times; its nulls are left out.

    Args:
        values: a NumPy array or an Arrow column; not empty.
        rows: how many to draw; all if there are no more.
        seed: the same seed draws the same rows.
    """
    array = values if isinstance(values, np.ndarray) and not isinstance(values, np.ma.MaskedArray) else _present(values)
    if array.size == 0:
        raise ValueError("a distribution is learned from at least one value; this column has none")
    domain = Domain.of(array)
    wanted = int(DISTRIBUTION_ROWS.default) if rows is None else rows
    chosen = array if array.size <= wanted else array[np.random.default_rng(seed).integers(0, array.size, wanted)]
    drawn = np.sort(domain.stored(chosen) ^ domain.flip)
    return Distribution(domain, drawn, spline.fit(drawn, _SPLINE_ERROR), int(array.size))


def _present(values: Any) -> NDArray[Any]:
    """The values of a column that are not null."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return np.asarray(values.drop_null().to_numpy())
    return np.ma.compressed(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
