"""Times of several ways to do the same thing, taken in turns, and the memory that each takes."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pyarrow as pa

Ways = dict[str, Callable[[], Any]]
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_SHORT_SECONDS = 0.01
_BURST_SECONDS = 0.002


def contest(ways: Ways, repetitions: int) -> dict[str, float]:
    """Median seconds of each way; who goes first alternates, allocation of the result is included, the collector is off."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    calls = {name: _calls(do) for name, do in ways.items()}
    gc.collect()
    gc.disable()
    try:
        for turn in range(repetitions):
            for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
                began = perf_counter()
                for _ in range(calls[name]):
                    ways[name]()
                times[name].append((perf_counter() - began) / calls[name])
    finally:
        gc.enable()
    return {name: median(taken) for name, taken in times.items()}


def peak_bytes(do: Callable[[], Any]) -> int | None:
    """Bytes above what was in use before, at the highest; None where the system does not tell."""
    from sartor.kernels.pool import release

    release()
    pa.default_memory_pool().release_unused()
    gc.collect()
    if not _CLEAR.exists():
        return None
    try:
        _CLEAR.write_text("5")
    except OSError:
        return None
    before = _status("VmRSS")
    result = do()
    used = _status("VmHWM") - before
    del result
    return max(used, 0)


def _calls(do: Callable[[], Any]) -> int:
    """How many calls make a time that can be told; the first call compiles what has to be."""
    do()
    began = perf_counter()
    do()
    seconds = perf_counter() - began
    return 1 if seconds > _SHORT_SECONDS else max(int(_BURST_SECONDS / max(seconds, 1e-9)), 1)


def _status(name: str) -> int:
    (line,) = [line for line in _STATUS.read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1]) * 1024
