"""A learned index in a file: NumPy's own format for several arrays, nothing that could run code."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from sartor.kernels import spline as splines
from sartor.kernels.domain import Domain
from sartor.kernels.kinds import Numbers, Text
from sartor.kernels.runs import Run
from sartor.kernels.search import changes
from sartor.kernels.spline import Spline
from sartor.kernels.texts import Texts, learn_texts

_FORMAT = "sartor learned index 1"
_NO_SPLINE = -1


def write(path: Path, kind: Numbers | Text, main: Run | Texts) -> None:
    """Write a run and its model; text is learned anew when it is read, for its words have to be made anyway."""
    with path.open("wb") as file:
        if isinstance(main, Texts):
            np.savez(file, format=_FORMAT, dtype="text", offsets=main.offsets, data=main.data)
            return
        model = main.spline or Spline(np.empty(0, np.uint64), np.empty(0), np.empty(0), 0, _NO_SPLINE)
        dtype = kind.domain.dtype.str if isinstance(kind, Numbers) else ""
        np.savez(
            file,
            format=_FORMAT,
            dtype=dtype,
            words=main.words,
            flip=main.flip,
            learned=main.learned,
            knots=model.knots,
            ranks=model.ranks,
            slopes=model.slopes,
            error=model.error,
        )


def read(path: Path) -> tuple[Numbers | Text, Run | Texts]:
    """Read them, and check that keys are in order and that the model's bound is true of them."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as parts:
            if str(parts["format"]) != _FORMAT:
                raise ValueError("it is of another version")
            dtype = str(parts["dtype"])
            if dtype == "text":
                texts = learn_texts(parts["offsets"].astype(np.int64), parts["data"].astype(np.uint8), None)
                _demand(_in_order(texts))
                return Text(), texts
            domain = Domain(np.dtype(dtype))
            words, flip, error = parts["words"].astype(np.uint64), np.uint64(parts["flip"]), int(parts["error"])
            model = None
            if error != _NO_SPLINE:
                columns = parts["knots"].astype(np.uint64), parts["ranks"].astype(np.float64), parts["slopes"].astype(np.float64)
                _demand(len({column.size for column in columns}) == 1)
                model = Spline(*columns, words.size, error)
            _demand(
                words.ndim == 1 and changes(words, flip) >= 0 and (splines.holds(model, words, flip) if model else words.size == 0)
            )
            _demand(words.size == 0 or flip == domain.flip or flip == 0)
            return Numbers(domain), Run(words, flip, model, bool(parts["learned"]))
    except (KeyError, TypeError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} is no learned index that can be read ({error}); build it anew and save it") from error


def _in_order(texts: Texts) -> bool:
    offsets = texts.offsets
    if offsets.size == 0 or offsets[0] < 0 or (offsets[1:] < offsets[:-1]).any() or offsets[-1] > texts.data.size:
        return False
    queries = texts.array()
    return bool((texts.lower(queries, False, 1) <= np.arange(texts.rows)).all())


def _demand(true: bool) -> None:
    if not true:
        raise ValueError("it is damaged")
