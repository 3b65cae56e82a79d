"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.statement import BLOCK, BenchmarkError, Options, Suite

REPORT_WIDTH = 120  # where the table goes to a file


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if all is well, 1 if a gate failed, 2 if it can not run as asked."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "overhead":
            return _overhead(asked)
        if asked.command == "lookups":
            return _lookups(asked)
        if asked.command == "predicates":
            return _predicates(asked)
        if asked.command == "matching":
            return _matching(asked)
        if asked.command == "kernels":
            return _kernels(asked)
        if asked.command == "run" and asked.suite == "layouts":
            return _layouts(asked)
        from benchmarks.suites import suite_of

        suite = suite_of(asked.suite)
        options = _options(asked, suite)
        commands = {"run": _run, "expert": _expert, "copies": _copies}
        return commands[asked.command](asked, suite, options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="plain DuckDB, an expert's design and Sartor side by side")
    expert = commands.add_parser("expert", help="search the expert's design for a suite and write it beside it")
    copies = commands.add_parser(
        "copies", help="sorted copies and layouts inside a database file: ORDER BY and a stream through the kernels"
    )
    for command in (run, expert, copies):
        command.add_argument("suite", help="shop, elections, tpch or dashboards; to run also layouts")
        command.add_argument("--scale", type=float, help="million order items, share of the rows, or scale factor")
        command.add_argument("--seed", type=int, default=1, help="of data and stream (1 is the committed one)")
        command.add_argument("--threads", type=int, default=1, help="DuckDB's threads in every column (1)")
        command.add_argument("--statements", type=int, default=0, help="in each half of the stream")
        command.add_argument("--data", type=Path, help="where elections_ca.parquet lies")
        command.add_argument("--storage", help="budget for what is built, also as a share of the file (2GB; dashboards 30%%)")
        command.add_argument("--cache", type=Path, help="folder for the database files (benchmarks/.cache)")
        command.add_argument("--json", type=Path, help="write the figures to this file")
    run.add_argument("--only", help="of layouts: how the names of the workloads begin, with commas between, and drift")
    run.add_argument("--seconds", type=float, default=60.0, help="budget for tuning (60)")
    run.add_argument("--runs", type=int, help="of each template in the judged half (dashboards 50; other suites ignore it)")
    run.add_argument("--rounds", type=int, default=1, help="parts of each day with writes between them (shop only; 1)")
    run.add_argument("--days", type=int, default=1, help="days in the judged half; one is watched before (shop only; 1)")
    run.add_argument("--block", type=int, default=BLOCK, help=f"reads that each column answers in its turn ({BLOCK})")
    run.add_argument(
        "--expert",
        choices=("sorts", "summaries"),
        help="sorted copies alone or summary tables too (summaries for dashboards and for shop with --rounds above 1, else sorts)",
    )
    run.add_argument(
        "--keep-results",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="results of what repeats in the same words are kept; --no-keep-results opens Sartor by keep_results=False",
    )
    run.add_argument(
        "--predicate-cache", action="store_true", help="and by predicate_cache=True: row ids of repeated conditions are kept"
    )
    copies.add_argument("--repetitions", type=int, default=3, help="of each way, in turns (3)")
    expert.add_argument("--quick", action="store_true", help="leave out pairs whose first key alone speeds nothing up")
    overhead = commands.add_parser("overhead", help="what Sartor adds to a statement; exit status 1 if it is too much")
    overhead.add_argument("--check", action="store_true", help="a shorter run for a gate")
    overhead.add_argument("--repetitions", type=int, default=0, help="of each kind")
    overhead.add_argument("--json", type=Path, help="write the figures to this file")
    lookups = commands.add_parser("lookups", help="look-ups by a key beside DuckDB's own indexes; exit status 1 if they are too slow")
    lookups.add_argument("--scale", type=float, default=5.0, help="million order items (5)")
    lookups.add_argument("--threads", type=int, default=1, help="DuckDB's threads (1)")
    lookups.add_argument("--repetitions", type=int, default=1000, help="of each template")
    lookups.add_argument("--json", type=Path, help="write the figures to this file")
    predicates = commands.add_parser("predicates", help="conditions that are asked again; exit status 1 if they are too slow")
    predicates.add_argument("--scale", type=float, default=10.0, help="million rows (10)")
    predicates.add_argument("--threads", type=int, default=1, help="DuckDB's threads (1)")
    predicates.add_argument("--repetitions", type=int, default=21, help="of each statement by each connection, in turns (21)")
    predicates.add_argument("--json", type=Path, help="write the figures to this file")
    matching = commands.add_parser("matching", help="finding the view that answers a new template; exit status 1 if it is too slow")
    matching.add_argument("--views", type=int, default=500, help="that stand (500)")
    matching.add_argument("--repetitions", type=int, default=5, help="each in a process of its own (5)")
    matching.add_argument("--seed", type=int, default=1, help="of data, statements and views (1)")
    matching.add_argument("--cache", type=Path, help="folder for the database files (benchmarks/.cache)")
    matching.add_argument("--json", type=Path, help="write the figures to this file")
    kernels = commands.add_parser("kernels", help="sort, argsort, recluster and look-ups beside NumPy, Polars, PyArrow and DuckDB")
    kernels.add_argument("--sizes", default="10000,100000,1000000,10000000,50000000", help="rows, with commas between")
    kernels.add_argument("--threads", default="1,2", help="numbers of threads, with commas between (1,2)")
    kernels.add_argument("--only", default="argsort,sort,recluster,lookup", help="what is measured, with commas between")
    kernels.add_argument("--types", default="int64,float64,int32", help="types of numbers, with commas between")
    kernels.add_argument("--data", type=Path, help="where elections_ca.parquet lies, for four real columns")
    kernels.add_argument("--json", type=Path, help="write the figures to this file")
    return parser


def _options(asked: argparse.Namespace, suite: Suite) -> Options:
    scale = suite.default_scale if asked.scale is None else asked.scale
    if scale <= 0:
        raise BenchmarkError(f"--scale {scale:g} leaves no rows; it counts in {suite.unit}, the default is {suite.default_scale:g}")
    if asked.threads < 1:
        raise BenchmarkError("--threads must be at least 1")
    if asked.data is not None and not asked.data.exists():
        raise BenchmarkError(f"there is no {asked.data}; say with --data where the file lies")
    runs, rounds, days = getattr(asked, "runs", None), getattr(asked, "rounds", 1), getattr(asked, "days", 1)
    block = getattr(asked, "block", BLOCK)
    if min(rounds, days, block) < 1 or (runs is not None and runs < 1):
        raise BenchmarkError("--runs, --rounds, --days and --block must be at least 1")
    if max(rounds, days) > 1 and not suite.has_rounds:
        raise BenchmarkError(f"{suite.name} has no days to put writes between; --rounds and --days are for shop")
    usual = "summaries" if suite.default_runs or rounds > 1 else "sorts"
    return Options(
        scale=scale,
        seed=asked.seed,
        threads=asked.threads,
        statements=asked.statements,
        data=asked.data,
        storage=asked.storage or suite.default_storage,
        tune_seconds=getattr(asked, "seconds", 0.0),
        runs=(runs or suite.default_runs) if suite.default_runs else 0,
        rounds=rounds,
        days=days,
        block=block,
        expert=getattr(asked, "expert", None) or usual,
        keep_results=getattr(asked, "keep_results", True),
        predicate_cache=getattr(asked, "predicate_cache", False),
    )


def _run(asked: argparse.Namespace, suite: Suite, options: Options) -> int:
    from benchmarks.runner import run
    from benchmarks.summary import document, failures, print_table

    result = run(suite, options, asked.cache, _progress)
    _write(asked.json, document(result))
    console = Console() if sys.stdout.isatty() else Console(width=REPORT_WIDTH)
    print_table(result, console)
    problems = failures(result)
    for problem in problems:
        console.print(f"FAILED: {problem}", markup=False)
    return 1 if problems else 0


def _expert(asked: argparse.Namespace, suite: Suite, options: Options) -> int:
    from benchmarks.expert_search import search
    from benchmarks.sorted_copies import DESIGN_FILE

    found = search(suite, options, asked.cache, _progress, quick=asked.quick)
    target = asked.json or suite.folder / DESIGN_FILE
    _write(target, found)
    gain = f"{found['plain_s']:.2f} s to {found['chosen_s']:.2f} s"
    print(f"{len(found['copies'])} sorted copies ({found['origin']}), {gain}: {target}")
    return 0


def _copies(asked: argparse.Namespace, suite: Suite, options: Options) -> int:
    from benchmarks.copies import measure

    if asked.repetitions < 1:
        raise BenchmarkError("--repetitions must be at least 1")
    _write(asked.json, measure(suite, options, asked.cache, asked.repetitions, lambda line: print(line, flush=True)))
    return 0


def _overhead(asked: argparse.Namespace) -> int:
    from benchmarks.overhead import LIMITS_US, measure, too_slow

    repetitions = asked.repetitions or (500 if asked.check else 3000)
    figures = measure(repetitions)
    _write(asked.json, figures)
    for name, limit in LIMITS_US.items():
        print(f"{name:<24} {figures[name]:>9.1f} µs   (at most {limit:g})")
    slow = too_slow(figures)
    for name in slow:
        print(f"FAILED: {name} is over {LIMITS_US[name]:g} µs")
    return 1 if slow else 0


def _lookups(asked: argparse.Namespace) -> int:
    from benchmarks.lookups import failures, measure

    if asked.scale <= 0 or asked.threads < 1 or asked.repetitions < 1:
        raise BenchmarkError("--scale, --threads and --repetitions must be above 0")
    figures = measure(int(asked.scale * 1e6), asked.repetitions, asked.threads)
    _write(asked.json, figures)
    for line in figures["templates"]:
        print(f"{line['name']:<22} {line['plain_us']:>8.0f} µs plain {line['sartor_us']:>8.0f} µs   {line['times']:.1f} times")
    cold = figures["cold"]
    print(f"{'order, cold':<22} {cold['plain_us']:>8.0f} µs plain {cold['sartor_us']:>8.0f} µs   {cold['times']:.1f} times")
    for line in figures["batches"]:
        each = f"{line['keys_a_second'] / 1e6:.1f} million keys a second, by a join {line['join_keys_a_second'] / 1e6:.1f}"
        print(f"lookup of {', '.join(line['columns']):<20} {each}")
    return _verdict(failures(figures))


def _verdict(problems: Sequence[str]) -> int:
    """The exit status, after each problem was told."""
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


def _predicates(asked: argparse.Namespace) -> int:
    from benchmarks.overhead import LIMITS_US
    from benchmarks.predicates import failures, measure

    if asked.scale <= 0 or asked.threads < 1 or asked.repetitions < 1:
        raise BenchmarkError("--scale, --threads and --repetitions must be above 0")
    figures = measure(int(asked.scale * 1e6), asked.repetitions, asked.threads)
    _write(asked.json, figures)
    print(f"{'':<36}{'plain ms':>9}{'second':>9}{'later':>9}{'times':>7}  with row ids")
    for line in figures["cases"]:
        numbers = f"{line['plain_ms']:>9.2f}{line['second_ms']:>9.2f}{line['sartor_ms']:>9.2f}{line['times']:>7.1f}"
        print(f"{line['name']:<36}{numbers}  {line['served']} of {figures['repetitions']}")
    for name, limit in LIMITS_US.items():
        print(f"{name:<24} {figures[name]:>9.1f} µs   (at most {limit:g})")
    return _verdict(failures(figures))


def _matching(asked: argparse.Namespace) -> int:
    from benchmarks.matching import LIMIT_MS, failures, measure

    if asked.views < 1 or asked.repetitions < 1:
        raise BenchmarkError("--views and --repetitions must be above 0")
    figures = measure(asked.views, asked.repetitions, asked.seed, asked.cache)
    _write(asked.json, figures)
    for line in sorted(figures["templates"], key=lambda line: -line["matching_ms"])[:5]:
        print(f"{line['name']:<36}{line['matching_ms']:>7.2f} ms   after {line['analysing_ms']:.1f} ms of analysing it")
    names = {"median_ms": "the median of the templates", "most_ms": "the slowest", "first_ms": "the first, which meets the views"}
    for name, what in names.items():
        print(f"{what:<36}{figures[name]:>7.2f} ms   (at most {LIMIT_MS:g})")
    print(f"{figures['answered']} of {len(figures['templates'])} templates are answered from {figures['views']} views")
    return _verdict(failures(figures))


def _layouts(asked: argparse.Namespace) -> int:
    from benchmarks.layouts.measure import COLUMNS, DRIFT, failures, measure

    scale = 20.0 if asked.scale is None else asked.scale
    if scale <= 0 or asked.threads < 1:
        raise BenchmarkError("--scale and --threads must be above 0; --scale counts in million order items, the default is 20")
    if asked.data is not None and not asked.data.exists():
        raise BenchmarkError(f"there is no {asked.data}; say with --data where the file lies")
    options = Options(scale, asked.seed, asked.threads, data=asked.data, tune_seconds=asked.seconds)
    only = [name.strip() for name in (asked.only or "").split(",") if name.strip()]
    figures = measure(options, asked.cache, only, _progress)
    if not figures["workloads"] and DRIFT not in figures:
        raise BenchmarkError(
            f"no workload's name begins like --only {asked.only!r}; say several, lines, results or drift, as a run tells them"
        )
    _write(asked.json, figures)
    for text in figures["skipped"]:
        print(f"left out: {text}")
    for workload, ways in figures["workloads"].items():
        print(workload)
        for name in COLUMNS:
            way = ways[name]
            numbers = f"{way['total_s']:>8.2f} s{way['row_groups']:>8} row groups{way['build_s']:>8.1f} s{way['bytes'] / 1e6:>8.0f} MB"
            print(f"  {name:<18}{numbers}  {'; '.join(way['order'])}")
        for name in COLUMNS:
            for part, least in (("all_dimensions", "selectivity bound"), ("one_dimension", "N^((d-1)/d)")):
                if ways[name][part]["statements"]:
                    told = f"{ways[name][part]['row_groups']} row groups, {least} {ways[name][part]['least']:.0f}"
                    print(f"  {name}, {ways[name][part]['statements']} statements that filter {part.replace('_', ' ')}: {told}")
        if ways["bound"] is not None:
            print(f"  {'selectivity bound':<18}{ways['bound']:>18} row groups")
    if DRIFT in figures:
        _print_drift(figures[DRIFT])
    return _verdict(failures(figures))


def _print_drift(drifted: dict[str, Any]) -> None:
    print("a dimension that changes half-way, totals with building and tuning")
    for name, seconds in {**drifted["static"], "load order": drifted["load_order"], "sartor": drifted["sartor"]}.items():
        print(f"  {name:<18}{seconds:>8.2f} s")
    print(f"  sartor: queries {drifted['queries']:.2f} s, building {drifted['building']:.2f} s, {drifted['moves']} moves")


def _kernels(asked: argparse.Namespace) -> int:
    from benchmarks.kernels.run import TASKS, measure

    try:
        sizes, threads = ([int(number) for number in text.split(",")] for text in (asked.sizes, asked.threads))
    except ValueError as error:
        raise BenchmarkError(f"--sizes and --threads are numbers with commas between ({error})") from error
    tasks = asked.only.split(",")
    if not set(tasks) <= set(TASKS) or min(*sizes, *threads) < 1:
        raise BenchmarkError(f"--only takes {', '.join(TASKS)}; --sizes and --threads must be at least 1")
    if asked.data is not None and not asked.data.exists():
        raise BenchmarkError(f"there is no {asked.data}; leave --data out to measure without real columns")
    figures = measure(sizes, threads, tasks, asked.types.split(","), asked.data)
    _write(asked.json, figures)
    for target in figures["targets"]:
        mark = "held" if target["held"] else "MISSED"
        print(f"{mark:<7} {target['target']:<55} {target['least']:g} of {target['wanted']:g}   {target['at']}")
    if asked.data is None:
        print("real columns: left out, --data was not given")
    return 0


def _progress(what: str, share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{what:<40} {100 * share:3.0f} %", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)


def _write(path: Path | None, content: dict[str, Any]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n")
