"""`python -m tests.protocol`: the randomized freshness protocol with its gates, and with planted defects."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.protocol.run import Report, protocol

# Those of the fuzzer's planted defects that are about freshness.
DEFECTS = (
    "drop the residual",
    "off by one at the high water",
    "count the last covered row twice",
    "no re-anchoring",
    "ignore mutations",
    "ignore appends",
    "rule out by what was appended behind another object",
    "trust the file after a reopen",
    "do not look for unseen writes",
)
_DEFECT_ANSWERS = 5_000


def main() -> int:
    """Run, print what occurred, and say by the exit status whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.protocol")
    parser.add_argument("--answers", type=int, default=20_000, help="to be served from objects")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--defect", choices=[*DEFECTS, "all", "none"], default="none")
    arguments = parser.parse_args()
    failures = []
    if arguments.defect == "none":
        report = _run(arguments.seed, arguments.answers)
        print(f"seed {report.seed}: {report.served} of {report.answers} answers were served from objects in {report.phases} phases")
        print("\n".join(f"{count:>8} {name}" for name, count in sorted(report.seen.items())))
        failures = [*report.wrong, *report.gates()]
    for name in DEFECTS if arguments.defect == "all" else (arguments.defect,) if arguments.defect != "none" else ():
        report = _run(arguments.seed, _DEFECT_ANSWERS, name)
        print(f"{name}: {'found after ' + str(report.served) + ' answers' if report.wrong else 'NOT FOUND'}", file=sys.stderr)
        if not report.wrong:
            failures.append(f"the planted defect was not found: {name}")
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def _run(seed: int, answers: int, defect: str = "") -> Report:
    with tempfile.TemporaryDirectory() as folder:
        return protocol(Path(folder), seed, answers, defect=defect)


if __name__ == "__main__":
    sys.exit(main())
