"""Memory that is kept between calls, up to bounds: touching new pages costs more than some kernels do.

What is kept is marked as free, so that the system takes it when memory is short; until then it is used again without being asked for.
"""

from __future__ import annotations

import mmap
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sartor.core.constants import RESULT_BYTES, RESULT_LEAST_BYTES, SCRATCH_BYTES, Constant
from sartor.kernels.stores import aligned_empty

_CAN_MARK = hasattr(mmap, "MADV_FREE")  # on Windows memory would be held, so that no result is kept there
_SCRATCH_SLACK, _RESULT_SLACK = 2.0, 1.125


class _Kept:
    """Blocks that nobody uses.

    Nothing is locked, for blocks also come back when the collector runs, wherever that is: each step on the list is one operation.
    """

    def __init__(self, bound: Constant, slack: float) -> None:
        self._bound, self._slack = bound, slack
        self._blocks: list[mmap.mmap] = []

    def bytes(self) -> int:
        return sum(len(block) for block in tuple(self._blocks))

    def take(self, needed: int) -> mmap.mmap | None:
        """The smallest block that is large enough but not wastefully so."""
        fitting = [block for block in tuple(self._blocks) if needed <= len(block) <= needed * self._slack]
        for block in sorted(fitting, key=len):
            with suppress(ValueError):  # another thread has it
                self._blocks.remove(block)
                return block
        return None

    def give_back(self, block: mmap.mmap) -> None:
        if _CAN_MARK:
            with suppress(OSError):  # an old kernel
                block.madvise(mmap.MADV_FREE)
        self._blocks.append(block)
        while self.bytes() > self._bound.default:
            with suppress(IndexError):
                self._blocks.pop(0)

    def clear(self) -> None:
        self._blocks.clear()


_scratch, _results = _Kept(SCRATCH_BYTES, _SCRATCH_SLACK), _Kept(RESULT_BYTES, _RESULT_SLACK)


class _Owner:
    """What every array of a result's memory holds, whatever it was made from."""

    def __init__(self, block: mmap.mmap, size: int, dtype: np.dtype[Any]) -> None:
        whole = np.frombuffer(block, np.uint8, size * dtype.itemsize).view(dtype)
        self.__array_interface__ = whole.__array_interface__


@contextmanager
def scratch(size: int, dtype: Any, *, small_pages: bool = False) -> Iterator[NDArray[Any]]:
    """Lend an array that begins at a multiple of 64 bytes; its content is anything.

    It must not be used after the block ends. Buffers that come back are kept up to `SCRATCH_BYTES` in all; one whose block raised is
    not, for a thread may not be done with it.

    Args:
        small_pages: take new memory in the system's small pages. Large ones are faster once they are there; for what is written and
            read once, finding them takes longer than they save (20 M rows of six columns: 1.7 s and 0.9 s).

    >>> with scratch(10, np.uint16) as ids:
    ...     ids.shape
    (10,)
    """
    needed = size * np.dtype(dtype).itemsize
    block = _scratch.take(needed) or _new(needed, small_pages)
    yield np.frombuffer(block, np.uint8, needed).view(dtype)
    _scratch.give_back(block)


def result(size: int, dtype: Any) -> NDArray[Any]:
    """An array for a result, which begins at a multiple of 64 bytes; its content is anything.

    When nothing refers to it any longer, nor to a part of it, its memory is kept for the next result, up to `RESULT_BYTES` in all.
    20 M rows of eight columns move to their order in 0.44 s then, in 0.5 s into new large pages, in 0.6 to 1 by Arrow's allocator.

    >>> result(3, np.uint64).ctypes.data % 64
    0
    """
    needed = size * np.dtype(dtype).itemsize
    if needed < RESULT_LEAST_BYTES.default or not _CAN_MARK:
        return aligned_empty(size, dtype)
    block = _results.take(needed) or _new(needed, small_pages=False)
    owner = _Owner(block, size, np.dtype(dtype))
    weakref.finalize(owner, _results.give_back, block).atexit = False
    return np.asarray(owner)


def result_buffer(size: int) -> Any:
    """The same for so many bytes, as an Arrow buffer."""
    return pa.py_buffer(result(size, np.uint8))


def held_bytes() -> int:
    """Bytes that are kept for later and not lent."""
    return _scratch.bytes() + _results.bytes()


def release() -> None:
    """Return to the system what is kept."""
    _scratch.clear()
    _results.clear()


def _new(size: int, small_pages: bool) -> mmap.mmap:
    if not _CAN_MARK:
        return mmap.mmap(-1, max(size, 1))
    block = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without them
            block.madvise(mmap.MADV_NOHUGEPAGE if small_pages else mmap.MADV_HUGEPAGE)
    return block
