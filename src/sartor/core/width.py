"""What the values of a column take in storage, by the way DuckDB compresses columns.

Numbers take the bits that their range needs (bit packing), texts take a number into a dictionary of those in their row group, which is
compressed itself (FSST), and numbers that rows are sorted by are stored as how far each is above the one before: the most of a vector
of random ones is the mean times the logarithm of how many they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log2

from sartor.core.constants import ROW_GROUP_ROWS, TEXT_COMPRESSED_SHARE, VECTOR_ROWS

_BITS = {"BOOLEAN": 1.0, "FLOAT": 32.0}
_UNKNOWN_BITS = 64.0  # of what does not compress: floating numbers, and types that are not told apart here


@dataclass(frozen=True, slots=True)
class Width:
    """What the values of a column need.

    Attributes:
        steps: how many values its range holds; 0 where that does not tell its size.
        flat_bits: of each value, where the range does not tell.
        texts: how many different texts there are, 0 for other types.
        text_bytes: the mean length of a text.
    """

    steps: float = 0.0
    flat_bits: float = _UNKNOWN_BITS
    texts: float = 0.0
    text_bytes: float = 0.0

    def bits(self, rows: float, *, runs: bool = False) -> float:
        """What each of so many rows takes.

        Args:
            runs: the rows are sorted by it.
        """
        if not self.texts:
            steps = min(self.steps, self.steps / max(rows, 1.0) * log(VECTOR_ROWS.default)) if runs else self.steps
            return log2(1.0 + steps) if self.steps else self.flat_bits
        group = max(1.0, min(rows, ROW_GROUP_ROWS.default))
        held = min(group, self.texts * group / max(rows, 1.0) if runs else self.texts)
        return log2(1.0 + held) + 8.0 * TEXT_COMPRESSED_SHARE.default * self.text_bytes * held / group


def width_of(kind: str, span: float | None, texts: float = 0.0, text_bytes: float = 0.0) -> Width:
    """The width of a column.

    Args:
        kind: its type, as DuckDB spells it.
        span: how far its highest value is above its lowest: of dates in days, of times in microseconds; None if that tells nothing.
        texts, text_bytes: as in `Width`, of texts.

    >>> round(width_of("DECIMAL(9,2)", 10.23).bits(1e6), 1), width_of("DOUBLE", None).bits(1e6)
    (10.0, 64.0)
    """
    if kind == "VARCHAR":
        return Width(texts=max(texts, 1.0), text_bytes=text_bytes)
    if span is None:
        return Width(flat_bits=_BITS.get(kind, _UNKNOWN_BITS))
    behind = kind.partition(",")[2].rstrip(")") if kind.startswith("DECIMAL(") else ""
    return Width(steps=1.0 + span * 10.0 ** int(behind or 0))
