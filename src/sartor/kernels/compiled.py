"""How a kernel is compiled: once, cached on disk where a folder can be written, without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"nogil": True, "boundscheck": False, "error_model": "numpy"}


def kernel(function: Function) -> Function:
    """Compile for the types of each first call.

    Kernels are generic over the width of their keys and are compiled when a width is first met, so that the first use pays
    only for what it uses. Who calls one hands over contiguous, writable arrays of fixed types and no bare Python integers
    where a word is meant: another type is another compilation (a test counts them).
    """
    try:
        dispatcher = njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder can be written: neither beside the source nor in the user's cache
        return cast(Function, njit(**_OPTIONS)(function))
    # Numba looks only at the file of the function, but kernels call kernels of other files.
    index = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if index is not None:
        index._source_stamp = _stamp()
    return cast(Function, dispatcher)


@cache
def _stamp() -> str:
    """A digest of all kernels' sources."""
    digest = blake2b(digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
