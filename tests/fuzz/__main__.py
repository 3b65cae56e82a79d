"""`python -m tests.fuzz`: the fuzzer from the command line, with its coverage gates and its planted defects."""

from __future__ import annotations

import argparse
import json
import sys

from tests.fuzz.defects import DEFECTS
from tests.fuzz.run import Report, fuzz

_DEFECT_STATEMENTS = 2_000


def main() -> int:
    """Run, print what was covered, and say by the exit status whether all gates were met."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--statements", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--defect", choices=[*DEFECTS, "all", "none"], default="all")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = fuzz(arguments.seed, arguments.statements)
    missed = [] if arguments.defect == "none" else missed_defects(arguments.seed, arguments.defect)
    failures = [*gates(report), *(f"the planted defect was not found: {name}" for name in missed)]
    if arguments.json:
        print(json.dumps(_document(report, failures), indent=1))
    else:
        _print(report, failures)
    return 1 if failures or report.wrong else 0


def gates(report: Report) -> list[str]:
    """Which of the coverage gates a run did not meet; they are for runs of thousands of statements."""
    wanted = {
        "residual": 50,
        "whole": 50,
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
        "definition": 3,
        "verified key": 3,
        "rested on a verified key": 50,
        "installed copy of files": 20,
        "served from files": 100,
    }
    missed = [f"{name}: {report.coverage[name]} of {least}" for name, least in wanted.items() if report.coverage[name] < least]
    if report.served * 2 < report.selects:
        missed.append(f"only {report.served} of {report.selects} SELECTs were rewritten")
    return missed


def missed_defects(seed: int, which: str) -> list[str]:
    """The planted defects that a run of 2,000 statements does not find."""
    missed = []
    for name, plant in DEFECTS.items():
        if which not in ("all", name):
            continue
        with plant():
            report = fuzz(seed, _DEFECT_STATEMENTS, stop_at_wrong=True)
        print(f"{name}: {'found after ' + str(report.statements) if report.wrong else 'NOT FOUND'}", file=sys.stderr)
        if not report.wrong:
            missed.append(name)
    return missed


def _document(report: Report, failures: list[str]) -> dict[str, object]:
    return {
        "seed": report.seed,
        "statements": report.statements,
        "selects": report.selects,
        "served": report.served,
        "coverage": dict(report.coverage),
        "wrong": len(report.wrong),
        "failures": failures,
    }


def _print(report: Report, failures: list[str]) -> None:
    print(f"seed {report.seed}: {report.statements} statements, {report.selects} SELECTs, {report.served} rewritten")
    for name, count in sorted(report.coverage.items()):
        print(f"  {count:>7}  {name}")
    for text in report.wrong[:20]:
        print("WRONG", text)
    for text in failures:
        print("GATE", text)
    print(f"{len(report.wrong)} wrong")


if __name__ == "__main__":
    raise SystemExit(main())
