"""`python -m tests.fuzz`: the fuzzer from the command line, with its coverage gates and its planted defects."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz.defects import DEFECTS
from tests.fuzz.layout_defects import DEFECTS as LAYOUT_DEFECTS
from tests.fuzz.layouts import fuzz_layouts
from tests.fuzz.lookup_defects import DEFECTS as LOOK_UP_DEFECTS
from tests.fuzz.lookups import fuzz_look_ups
from tests.fuzz.pair import Report
from tests.fuzz.predicate_defects import DEFECTS as PREDICATE_DEFECTS
from tests.fuzz.predicates import fuzz_conditions
from tests.fuzz.rules import RULES
from tests.fuzz.run import fuzz
from tests.fuzz.star_defects import DEFECTS as VIEW_DEFECTS
from tests.fuzz.star_run import fuzz_views

_DEFECT_STATEMENTS = 2_000
_LONG = 20_000  # statements that the gates are for; a shorter run has to meet its share of them
_TOLD_EVERY = 1_000
_UNDETERMINED = 0.02  # of the SELECTs at most

_EVENTS = {
    "reopen": 3,
    "reading transaction": 3,
    "writing transaction: commit": 3,
    "writing transaction: rollback": 3,
    "aborted transaction": 1,
    "checkpoint after a scattered delete": 3,
    "shadowed name": 3,
    "refresh": 10,
    "write past Sartor": 3,
    "written by plain DuckDB between": 1,
}
_COPIES = {
    "residual": 50,
    "whole": 50,
    "definition": 3,
    "verified key": 3,
    "rested on a verified key": 50,
    "installed copy of files": 20,
    "served from files": 100,
    "literals handed over": 1_000,
    "appended rows ruled out": 200,
}
_LAYOUTS = {
    "residual": 300,
    "whole": 1_500,
    "one bit": 1_500,
    "cells": 500,
    "a bit of a joined table": 300,
    "around a change of a joined table": 20,
    "leaves of a tree": 300,
    "a tree, by zone maps alone": 100,
    "several bits of one statement": 100,
    "a condition that NULL may pass": 300,
    "beside a join": 100,
    "streamed": 300,
    "definition": 3,
    "undo": 3,
}
_LOOK_UPS = {
    "looked up": 5_000,
    "looked up in several parts": 500,
    "kept": 5_000,
    "fetched otherwise": 5_000,
    "definition": 3,
    "undo": 3,
    "purge": 3,
}
_PREDICATES = {
    "all rows covered": 5_000,
    "rows appended since": 2_000,
    "rows may move": 1_000,
    "of a join or a set": 1_000,
    "several restrictions": 50,
    "several ranges": 1_000,
    "no row let through": 500,
    "values": 1_000,
    "values alike": 100,
    "others grow": 100,
    "definition": 3,
    "forgotten": 3,
}
_VIEWS = {
    **{f"rule: {rule}": 50 for rule in RULES},
    "ties looked at: none": 50,
    "ties looked at: found": 50,
    "guards refuse other literals": 50,
    "verified key": 3,
    "rested on a verified key": 50,
    "verified inclusion": 50,
    "no inclusion": 50,
    "rested on an inclusion": 500,
    "rested on an inclusion: appended since": 200,
    "rested on several inclusions": 50,
    "residual: 1 moved": 50,
    "residual: 2 moved": 50,
    "residual: nothing was appended": 50,
    "residual: told": 200,
    "kept": 200,
    "asked: literals of a LEFT JOIN": 500,
    "literals of a LEFT JOIN: served": 200,
    "after a mutation and a refresh": 50,
    "view mended": 2_000,
    "whole, after it was mended": 2_000,
    "served inside a transaction": 50,
    "several blocks of one statement": 50,
    "literals handed over": 2_000,
    "appended rows ruled out": 200,
    "whole": 50,
    "round of the tuner": 1,
    "undo": 3,
    "truncate": 3,
    "dropped view": 50,
}


@dataclass(frozen=True, slots=True)
class Suite:
    """One kind of run with what it has to reach and to find."""

    run: Callable[..., Report]
    wanted: dict[str, int]
    defects: dict[str, Callable[[], object]]


SUITES = {
    "copies": Suite(fuzz, {**_EVENTS, **_COPIES}, DEFECTS),
    "layouts": Suite(fuzz_layouts, {**_EVENTS, **_LAYOUTS}, LAYOUT_DEFECTS),
    "lookups": Suite(fuzz_look_ups, {**_EVENTS, **_LOOK_UPS}, LOOK_UP_DEFECTS),
    "predicates": Suite(fuzz_conditions, {**_EVENTS, **_PREDICATES}, PREDICATE_DEFECTS),
    "views": Suite(fuzz_views, {**_EVENTS, **_VIEWS}, VIEW_DEFECTS),
}


def main() -> int:
    """Run, print what was covered, and say by the exit status whether all gates were met."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--suite", choices=[*SUITES, "all"], default="all")
    parser.add_argument("--statements", type=int, default=_LONG)
    parser.add_argument("--seed", type=int, default=1)
    every = [defect for suite in SUITES.values() for defect in suite.defects]
    parser.add_argument("--defect", choices=[*every, "all", "none"], default="all")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    documents, bad = [], False
    for name in SUITES if arguments.suite == "all" else (arguments.suite,):
        report = SUITES[name].run(arguments.seed, arguments.statements, each=_progress)
        missed = [] if arguments.defect == "none" else missed_defects(name, arguments.seed, arguments.defect)
        failures = [*gates(name, report), *(f"the planted defect was not found: {defect}" for defect in missed)]
        documents.append(_document(name, report, failures))
        bad = bad or bool(failures or report.wrong)
        if not arguments.json:
            _print(name, report, failures)
    if arguments.json:
        print(json.dumps(documents, indent=1))
    return 1 if bad else 0


def gates(name: str, report: Report) -> list[str]:
    """Which of the coverage gates a run did not meet; of shorter runs half their share is asked, for they draw few shapes."""
    coverage = report.coverage
    share = 1.0 if report.statements >= _LONG else report.statements / _LONG / 2
    missed = []
    for event, least in SUITES[name].wanted.items():
        if coverage[event] < int(least * share):
            missed.append(f"{event}: {coverage[event]} of {int(least * share)}")
    if name == "views":
        asked, served = (coverage[f"grouped SELECTs while views are fresh{part}"] for part in ("", ": served"))
        if served * 2 < asked:
            missed.append(f"only {served} of {asked} grouped SELECTs over joins were answered from fresh views")
    elif name == "copies" and report.served * 2 < report.selects:
        missed.append(f"only {report.served} of {report.selects} SELECTs were rewritten")
    undetermined = sum(count for event, count in coverage.items() if event.startswith("undetermined"))
    if undetermined > _UNDETERMINED * report.selects:
        missed.append(f"{undetermined} of {report.selects} SELECTs are undetermined")
    return missed


def missed_defects(name: str, seed: int, which: str) -> list[str]:
    """The planted defects that a run of 2,000 statements does not find."""
    missed = []
    suite = SUITES[name]
    for defect, plant in suite.defects.items():
        if which not in ("all", defect):
            continue
        with plant():  # type: ignore[attr-defined]
            report = suite.run(seed, _DEFECT_STATEMENTS, stop_at_wrong=True)
        print(f"{defect}: {'found after ' + str(report.statements) if report.wrong else 'NOT FOUND'}", file=sys.stderr)
        if not report.wrong:
            missed.append(defect)
    return missed


def _progress(report: Report) -> None:
    if report.statements % _TOLD_EVERY == 0:
        print(
            f"{report.statements} statements, {report.selects} SELECTs, {report.served} rewritten, {len(report.wrong)} wrong",
            file=sys.stderr,
        )


def _document(name: str, report: Report, failures: list[str]) -> dict[str, object]:
    return {
        "suite": name,
        "seed": report.seed,
        "statements": report.statements,
        "selects": report.selects,
        "served": report.served,
        "coverage": dict(report.coverage),
        "wrong": len(report.wrong),
        "failures": failures,
    }


def _print(name: str, report: Report, failures: list[str]) -> None:
    print(f"{name}, seed {report.seed}: {report.statements} statements, {report.selects} SELECTs, {report.served} rewritten")
    for event, count in sorted(report.coverage.items()):
        print(f"  {count:>7}  {event}")
    for text in report.wrong[:20]:
        print("WRONG", text)
    for text in failures:
        print("GATE", text)
    print(f"{len(report.wrong)} wrong")


if __name__ == "__main__":
    raise SystemExit(main())
