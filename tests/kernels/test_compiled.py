"""Kernels are compiled for few types, cached where that is possible, and not imported before they are needed."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import sartor
import sartor.kernels
from sartor.kernels import compiled
from sartor.kernels.stores import aligned_empty

# Kernels that move values are compiled for each width of values, those of rows for two widths of row numbers.
MOST_SIGNATURES = 8


def test_a_kernel_is_compiled_for_few_types() -> None:
    for dtype in ("i4", "u4", "f4", "i8", "u8", "f8"):
        values = np.random.default_rng(0).integers(0, 100, 1000).astype(dtype)
        sartor.argsort(values, descending=True)
        values.flags.writeable = False
        sartor.argsort(values)
        sartor.LearnedIndex(values).lower_bound(values[::2])
    for module in pkgutil.iter_modules(sartor.kernels.__path__):
        for name, value in vars(importlib.import_module(f"sartor.kernels.{module.name}")).items():
            signatures = getattr(value, "signatures", [])
            readonly = [signature for signature in signatures if "readonly" in str(signature)]
            assert len(signatures) <= MOST_SIGNATURES, f"{name}: {signatures}"
            assert not readonly, f"{name}: {readonly}"


def test_no_folder_to_cache_in_is_no_failure(tmp_path: Path) -> None:
    """A read-only installation and no home: compiled anew, not cached."""
    code = (
        "import numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "import sartor\n"
        "print(sartor.argsort([3, 1, 2]).tolist())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=os.environ)
    assert done.stdout.strip() == "[1, 2, 0]", done.stderr


def test_a_change_of_any_kernel_file_makes_all_caches_old() -> None:
    dispatcher = sartor.kernels.argsort_words.pack  # type: ignore[attr-defined]
    assert dispatcher._cache._cache_file._source_stamp == compiled._stamp()


def test_importing_sartor_does_not_import_numba() -> None:
    code = "import sys, sartor; print([name for name in ('numba', 'numpy', 'sartor.kernels') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_aligned_arrays_begin_at_a_line() -> None:
    assert all(aligned_empty(size, np.uint16).ctypes.data % 64 == 0 for size in range(1, 100))
