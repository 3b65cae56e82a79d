"""What it takes to find the view that answers a new template, among many that stand.

The templates are those of the suite `dashboards`; the views are proposed for all of them and for parts of them, so that most are over
the joins that are asked and many could answer. Each repetition is a process of its own, whose first template meets the views for the
first time; it looks each template up once, with the garbage collector off. Nothing is built: what views take is drawn, as the
order in which they are looked at hangs on it.
"""

from __future__ import annotations

import gc
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import duckdb

from benchmarks.files import loaded
from benchmarks.statement import Options
from benchmarks.suites import suite_of
from sartor.core.action import Action

LIMIT_MS = 3.0
_SCALE = 0.01
_RUNS = 6
_SHARES = (0.2, 0.4, 0.7)  # of the templates that views are proposed for, when those of all are too few


def measure(views: int, repetitions: int, seed: int, cache: Path | None = None) -> dict[str, Any]:
    """Milliseconds that each template takes, the median of the repetitions; `first_ms` is of the one that meets the views first."""
    file = loaded(suite_of("dashboards"), Options(_SCALE, seed, runs=_RUNS), cache)
    with tempfile.TemporaryDirectory() as folder:
        working = Path(folder) / file.name
        working.write_bytes(file.read_bytes())
        texts, actions = _alone(_proposed, working, views, seed)
        runs = [_alone(_looked_up, working, texts, actions, seed) for _ in range(repetitions)]
    templates = []
    for place, name in enumerate(texts):
        taken = [run[place] for run in runs]
        matching, analysing = (1e3 * median(each[number] for each in taken) for number in (0, 1))
        templates.append({"name": name, "matching_ms": matching, "analysing_ms": analysing, "answered": taken[0][2]})
    matching = [line["matching_ms"] for line in templates]
    return {
        "views": len(actions),
        "repetitions": repetitions,
        "median_ms": median(matching),
        "most_ms": max(matching),
        "first_ms": matching[0],
        "analysing_median_ms": median(line["analysing_ms"] for line in templates),
        "answered": sum(line["answered"] for line in templates),
        "templates": templates,
    }


def failures(figures: dict[str, Any]) -> list[str]:
    """What is slower than it may be."""
    return [
        f"{line['name']} takes {line['matching_ms']:.1f} ms, {LIMIT_MS:g} are allowed"
        for line in figures["templates"]
        if line["matching_ms"] > LIMIT_MS
    ]


def _alone(function: Any, *arguments: Any) -> Any:
    """The same in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _proposed(file: Path, views: int, seed: int) -> tuple[dict[str, str], list[Action]]:
    """A statement of each template, by its name, and that many views that are proposed for them."""
    import sartor
    from sartor.components.views.propose import propose
    from sartor.interfaces.connection import session_of

    texts: dict[str, str] = {}
    with sartor.connect(file, config={"threads": 1}) as connection:
        for statement in suite_of("dashboards").stream(connection, Options(_SCALE, seed, runs=_RUNS)).judged:
            connection.execute(statement.text).fetchall()
            texts.setdefault(statement.name, statement.text)
        database = session_of(connection).database
        database.observer.take_in()
        with database.engine_lock:
            catalog = database.catalog()
            workload = database.log.workload().analysed(catalog)
            found: dict[Any, Action] = {}
            draw, share = Random(seed), 1.0
            while len(found) < views:
                part = replace(workload, templates=tuple(one for one in workload.templates if draw.random() < share))
                found |= {(action.sources, action.definition): action for action in propose(part, catalog)}
                share = draw.choice(_SHARES)
    return texts, list(found.values())[:views]


def _looked_up(file: Path, texts: dict[str, str], actions: list[Action], seed: int) -> list[tuple[float, float, bool]]:
    """For each text the seconds that finding its view takes, those that analysing takes, and whether there is one."""
    from sartor.components.views import VIEWS
    from sartor.core.derived import Coverage, DerivedObject
    from sartor.engines.duckdb.engine import DuckDBEngine
    from sartor.sql.analyse import analyse
    from sartor.sql.fingerprint import fingerprint

    draw, covered = Random(seed), Coverage(0, 1, dense=True)
    objects = tuple(
        DerivedObject(number, 1, action, covered, draw.randrange(1 << 24), others=(covered,) * len(action.others))
        for number, action in enumerate(actions, 1)
    )
    catalog = DuckDBEngine(duckdb.connect(str(file))).catalog(0)
    analyse("SELECT 1", catalog, fingerprint("SELECT 1"))  # what analysing imports is no part of it
    taken = []
    gc.disable()
    for text in texts.values():
        started = perf_counter()
        analysis = analyse(text, catalog, fingerprint(text))
        analysed = perf_counter()
        best = next(iter(VIEWS.alternatives(analysis, objects)), None)
        taken.append((perf_counter() - analysed, analysed - started, best is not None))
    return taken
