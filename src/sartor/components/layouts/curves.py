"""Curves through the cells of a grid: neighbours on the curve are neighbours in every dimension."""

from __future__ import annotations

from functools import lru_cache

Z_ORDER, HILBERT = CURVES = ("z-order", "hilbert")


def spread_bits(dimension: int, dimensions: int, bits: int) -> tuple[int, ...]:
    """What each coordinate of one dimension adds to the place of a cell on the Z-order curve: its bits, where theirs go.

    >>> [spread_bits(dimension, 2, 2) for dimension in (0, 1)]
    [(0, 2, 8, 10), (0, 1, 4, 5)]
    """
    return tuple(
        _interleaved(tuple(coordinate if one == dimension else 0 for one in range(dimensions)), bits)
        for coordinate in range(1 << bits)
    )


@lru_cache(maxsize=16)
def places_of(kind: str, dimensions: int, bits: int) -> tuple[int, ...]:
    """The place on a curve of each cell, the cells in the order of their coordinates, the last one running fastest.

    >>> places_of("z-order", 2, 1), places_of("hilbert", 2, 1)
    ((0, 1, 2, 3), (0, 1, 3, 2))
    """
    side = range(1 << bits)
    cells: list[tuple[int, ...]] = [()]
    for _ in range(dimensions):
        cells = [(*cell, coordinate) for cell in cells for coordinate in side]
    return tuple(_interleaved(_along_hilbert(cell, bits) if kind == HILBERT else cell, bits) for cell in cells)


@lru_cache(maxsize=16)
def there_and_back(parts: tuple[int, ...]) -> tuple[int, ...]:
    """The place of each cell of a grid where its cells follow one another there and back, the last column's running fastest.

    >>> there_and_back((2, 3))
    (0, 1, 2, 5, 4, 3)
    """
    places = [0]
    for count in parts:
        places = [place * count + (count - 1 - part if place % 2 else part) for place in places for part in range(count)]
    return tuple(places)


def _interleaved(cell: tuple[int, ...], bits: int) -> int:
    """The bits of coordinates in turn, the highest first."""
    place = 0
    for bit in range(bits - 1, -1, -1):
        for coordinate in cell:
            place = place << 1 | coordinate >> bit & 1
    return place


def _along_hilbert(cell: tuple[int, ...], bits: int) -> tuple[int, ...]:
    """The coordinates whose bits in turn are a cell's place on the Hilbert curve.

    After Skilling, *Programming the Hilbert curve* (AIP Conference Proceedings 707, 2004).
    """
    found = list(cell)
    step = 1 << (bits - 1)
    while step > 1:
        for number in range(len(found)):
            if found[number] & step:
                found[0] ^= step - 1
            else:
                swapped = (found[0] ^ found[number]) & (step - 1)
                found[0] ^= swapped
                found[number] ^= swapped
        step >>= 1
    for number in range(1, len(found)):
        found[number] ^= found[number - 1]
    turned, step = 0, 1 << (bits - 1)
    while step > 1:
        if found[-1] & step:
            turned ^= step - 1
        step >>= 1
    return tuple(coordinate ^ turned for coordinate in found)
