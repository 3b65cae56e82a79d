"""What a run says: the figures of each template, the totals, what lost; as JSON and as a table."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.columns import PREDICATES, RESULTS
from benchmarks.payback import Means, break_even, break_even_of_all, scaled
from benchmarks.runner import LOSS, VIEWS, Measured, Run

CERTAIN = 9 / 11  # of the pairs must be slower than 1.1 times plain: p < 0.04 for 11 pairs that are as often faster
FEWEST_PAIRS = 6  # judged runs that are enough to tell a loss from noise without repeating them
ALLOWED_S = 0.0005  # what Sartor may add to new literals of a known template (the overhead gate): no design's fault
UNDETERMINED_SHARE = 0.02
SCALED_TO = (50, 500)  # runs of each template, where a suite counts in runs
SLOW_S = 0.03  # plain seconds from which on a view has to show what it is worth


@dataclass(frozen=True, slots=True)
class TemplateFigures:
    """Medians of one template in the judged half."""

    name: str
    seen: bool
    writes: bool
    n: int
    plain_s: float
    expert_s: float
    sartor_s: float
    plain_total_s: float
    sartor_total_s: float
    selective: bool
    lost: bool

    @property
    def added_s(self) -> float:
        """Seconds by which the median is slower than plain; negative where it is faster."""
        return self.sartor_s - self.plain_s

    @property
    def speed_up(self) -> float:
        return self.plain_s / self.sartor_s if self.sartor_s else 1.0


def figures(run: Run) -> list[TemplateFigures]:
    """One entry for each template of the judged half, the most plain seconds first."""
    writing = {measured.statement.name for measured in run.judged if measured.statement.writes}
    result = []
    for name, runs in _by_template(run.judged).items():
        plain, expert, sartor = ([one.seconds[column] for one in runs] for column in ("plain", "expert", "sartor"))
        result.append(
            TemplateFigures(
                name,
                name in run.seen,
                name in writing,
                len(runs),
                median(plain),
                median(expert),
                median(sartor),
                sum(plain),
                sum(sartor),
                name in run.selective,
                is_lost(list(zip(plain, sartor, strict=True))) or is_lost(run.confirmed.get(name, [])),
            )
        )
    return sorted(result, key=lambda one: -one.plain_total_s)


def _by_template(runs: Iterable[Measured]) -> dict[str, list[Measured]]:
    gathered: dict[str, list[Measured]] = {}
    for measured in runs:
        gathered.setdefault(measured.statement.name, []).append(measured)
    return gathered


def is_lost(pairs: Sequence[tuple[float, float]]) -> bool:
    """Whether pairs of runs (plain, sartor) say that Sartor is slower than 1.1 times plain, beyond noise.

    >>> is_lost([(1.0, 1.5)] * 11), is_lost([(1.0, 1.5)] * 6 + [(1.0, 1.0)] * 5), is_lost([(1.0, 1.5)])
    (True, False, False)
    """
    slower = sum(sartor > LOSS * plain for plain, sartor in pairs)
    return len(pairs) >= FEWEST_PAIRS and slower >= CERTAIN * len(pairs)


def totals(run: Run) -> dict[str, float]:
    """Seconds of the judged half in each column, with tuning, building, refreshing and what threads do inside."""
    sums = {name: sum(one.seconds[name] for one in run.judged) for name in ("plain", "expert", "sartor")}
    sums["expert"] += run.expert_build_seconds
    sums["sartor"] += run.tune_seconds + run.refresh_seconds + run.thread_seconds
    return sums


def means(run: Run) -> list[Means]:
    """Mean seconds of each template of the judged half that reads."""

    def mean(runs: list[Measured], column: str) -> float:
        return sum(one.seconds[column] for one in runs) / len(runs)

    return [
        Means(
            name,
            len(runs),
            plain_s=mean(runs, "plain"),
            expert_s=mean(runs, "expert"),
            sartor_s=mean(runs, "sartor"),
            served=any(one.served_by for one in runs),
        )
        for name, runs in _by_template(one for one in run.judged if not one.statement.writes).items()
    ]


def payback(run: Run) -> dict[str, Any]:
    """What tuning is worth: shares of the judged reads that were served, runs until it is paid back, totals at other runs.

    `at` is only told of suites that ask each template equally often. It is scaled from the measured means with tuning, building
    and refreshing counted once, not measured.
    """
    reads = [one for one in run.judged if not one.statement.writes]
    templates = means(run)
    once = run.tune_seconds + run.refresh_seconds + run.thread_seconds
    runs = break_even(templates, run.tune_seconds)
    paying = [one for one in runs.values() if one is not None]
    told: dict[str, Any] = {
        "served_share": sum(bool(one.served_by) for one in reads) / max(len(reads), 1),
        "views_share": sum(VIEWS in one.served_by for one in reads) / max(len(reads), 1),
        "kept_share": sum(RESULTS in one.served_by for one in reads) / max(len(reads), 1),
        "remembered_share": sum(PREDICATES in one.served_by for one in reads) / max(len(reads), 1),
        "break_even_runs": runs,
        "break_even_runs_median": median(paying) if paying else None,
        "break_even_runs_of_all": break_even_of_all(templates, once) if run.options.runs else None,
    }
    if run.options.runs:
        told["runs"] = run.options.runs
        told["at"] = {str(count): scaled(templates, count, run.expert_build_seconds, once) for count in SCALED_TO}
    return told


def from_views(run: Run) -> dict[str, Any]:
    """How much faster templates are that views answer: geometric means over those that are slow plain, and after rows were appended.

    A template counts if views answered most of its judged runs; runs that a kept result answered say nothing of views: left out.
    """
    medians: list[tuple[float, float]] = []  # plain, Sartor
    for runs in _by_template(run.judged).values():
        asked = [one for one in runs if RESULTS not in one.served_by]
        if asked and sum(VIEWS in one.served_by for one in runs) * 2 > len(runs):
            plain, sartor = (median(one.seconds[column] for one in asked) for column in ("plain", "sartor"))
            medians.append((plain, sartor))
    slow = [plain / sartor for plain, sartor in medians if plain > SLOW_S]
    quick = [sartor for plain, sartor in medians if plain <= SLOW_S]
    later = [median(plain / sartor for plain, sartor in pairs) for pairs in run.residual.values() if pairs]
    return {
        "views_speedup": geometric_mean(slow) if slow else None,
        "views_slow_templates": len(slow),
        "views_quick_s": median(quick) if quick else None,
        "views_residual_speedup": geometric_mean(later) if later else None,
    }


def document(run: Run) -> dict[str, Any]:
    """The run as JSON."""
    sums = totals(run)
    templates = figures(run)
    selective = [one.speed_up for one in templates if one.selective]
    queries = {name: sum(one.seconds[name] for one in run.judged) for name in ("plain", "expert", "sartor")}
    measured = {
        "suite": run.suite,
        "threads": run.options.threads,
        "seed": run.options.seed,
        "scale": run.options.scale,
        "rounds": run.options.rounds,
        "days": run.options.days,
        "block": run.options.block,
        "storage": run.options.storage,
        "keep_results": run.options.keep_results,
        "predicate_cache": run.options.predicate_cache,
        "duckdb": duckdb.__version__,
        "machine": f"{platform.machine()} {platform.system()}",
        "plain": {"total_s": sums["plain"]},
        "expert": {
            "total_s": sums["expert"],
            "build_s": run.expert_build_seconds,
            "queries_s": queries["expert"],
            "bytes_added": run.expert_bytes_added,
            "design": run.options.expert,
            "copies": list(run.expert_copies),
            "summaries": list(run.expert_summaries),
            "ways": run.expert_ways,
            "other_rows": run.expert_other,
        },
        "sartor": {
            "total_s": sums["sartor"],
            "tune_s": run.tune_seconds,
            "tune_rounds": run.tune_rounds,
            "build_s": run.build_seconds,
            "refresh_s": run.refresh_seconds,
            "threads_s": run.thread_seconds,
            "queries_s": queries["sartor"],
            "bytes_added": run.bytes_added,
            "built": list(run.built),
        },
        "templates": [
            {
                "name": one.name,
                "seen": one.seen,
                "n": one.n,
                "plain_s": one.plain_s,
                "expert_s": one.expert_s,
                "sartor_s": one.sartor_s,
                "selective": one.selective,
                "writes": one.writes,
                "lost": one.lost,
            }
            for one in templates
        ],
        "compared": run.compared,
        "wrong": len(run.wrong),
        "wrong_statements": [{"name": w.statement.name, "text": w.statement.text, "how": w.how} for w in run.wrong],
        "undetermined": len(run.undetermined),
        "undetermined_statements": [s.text for s in run.undetermined],
        "lost": [one.name for one in templates if one.lost],
        "lost_beyond_overhead": [one.name for one in templates if one.lost and one.added_s > ALLOWED_S],
        "selective_median_speedup": median(selective) if selective else None,
    }
    return measured | from_views(run) | payback(run)


def failures(run: Run) -> list[str]:
    """What makes a run fail whatever its speed: wrong answers, or too many statements without one answer."""
    problems = []
    if run.wrong:
        problems.append(f"{len(run.wrong)} wrong answers")
    if len(run.undetermined) > UNDETERMINED_SHARE * max(run.compared, 1):
        problems.append(f"{len(run.undetermined)} of {run.compared} statements are undetermined, at most 2 % may be")
    return problems


def print_table(run: Run, console: Console) -> None:
    """The same for people; says what lost."""
    templates = figures(run)
    for seen in (True, False):
        chosen = [one for one in templates if one.seen == seen]
        if chosen:
            console.print(_table("templates seen while tuning" if seen else "templates not seen before", chosen))
    sums = totals(run)
    console.print(
        f"{run.suite}, scale {run.options.scale:g}, seed {run.options.seed}, {run.options.threads} thread(s), "
        f"{len(run.judged)} statements judged\n"
        f"total  plain {sums['plain']:.2f} s   expert {sums['expert']:.2f} s "
        f"(building {run.expert_build_seconds:.2f})   sartor {sums['sartor']:.2f} s "
        f"(tuning {run.tune_seconds:.2f} in {run.tune_rounds} rounds, of it building {run.build_seconds:.2f}; "
        f"refreshing {run.refresh_seconds:.2f}, in threads {run.thread_seconds:.2f})\n"
        f"Sartor is {sums['plain'] / sums['sartor']:.2f} times as fast as plain, "
        f"{sums['expert'] / sums['sartor']:.2f} times as fast as the expert, "
        f"{run.bytes_added / 1e6:.0f} MB added",
        highlight=False,
        markup=False,
    )
    told = payback(run)
    console.print(f"{_payback_line(told)}", highlight=False, markup=False)
    console.print(_views_line(from_views(run)), highlight=False, markup=False)
    for line in run.built:
        console.print(f"built: {line}", highlight=False, markup=False)
    selective = [one.speed_up for one in templates if one.selective]
    if selective:
        console.print(f"selective templates: {len(selective)}, median {median(selective):.1f} times faster", highlight=False)
    lost = [f"{one.name} ({1 / one.speed_up:.2f} times plain, {1000 * one.added_s:+.2f} ms)" for one in templates if one.lost]
    console.print("what lost: " + (", ".join(lost) or "nothing"), highlight=False, markup=False)
    console.print(f"wrong {len(run.wrong)}, undetermined {len(run.undetermined)} of {run.compared} compared", highlight=False)
    for wrong in run.wrong:
        console.print(f"WRONG {wrong.statement.name} ({wrong.half}): {wrong.how}\n{wrong.statement.text}", markup=False)


def _payback_line(told: dict[str, Any]) -> str:
    shares = f"served {told['served_share']:.0%} of the judged reads, {told['views_share']:.0%} from views"
    for share, by in ((told["kept_share"], "by kept results"), (told["remembered_share"], "with remembered row ids")):
        shares += f", {share:.0%} {by}" if share else ""
    lines = [shares]
    if told["break_even_runs_median"] is not None:
        never = sum(runs is None for runs in told["break_even_runs"].values())
        lines[0] += f"; templates break even after {told['break_even_runs_median']:.0f} runs (median), {never} never do"
    for count, totals_then in told.get("at", {}).items():
        columns = ", ".join(f"{column} {totals_then[f'{column}_s']:.1f} s" for column in ("plain", "expert", "sartor"))
        speedups = f"{totals_then['speedup']:.2f} times as fast as plain, the expert {totals_then['expert_speedup']:.2f}"
        lines.append(f"scaled to {count} runs: {columns}; {speedups}")
    return "\n".join(lines)


def _views_line(told: dict[str, Any]) -> str:
    if told["views_speedup"] is None:
        return "no template that takes over 30 ms plain was answered from a view"
    count, speed_up = told["views_slow_templates"], told["views_speedup"]
    line = f"{count} templates over 30 ms plain from views: {speed_up:.1f} times faster (geometric mean)"
    if told["views_quick_s"] is not None:
        line += f"; the quicker ones take {1000 * told['views_quick_s']:.2f} ms (median)"
    if told["views_residual_speedup"] is not None:
        line += f"; with 0.1 % of the rows appended {told['views_residual_speedup']:.1f} times (geometric mean)"
    return line


def _table(title: str, templates: Sequence[TemplateFigures]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("template", no_wrap=True)
    for heading in ("n", "plain ms", "expert ms", "sartor ms", "times faster"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for one in templates:
        remarks = [word for word, holds in (("selective", one.selective), ("write", one.writes), ("LOST", one.lost)) if holds]
        table.add_row(
            one.name,
            str(one.n),
            *(f"{1000 * seconds:.2f}" for seconds in (one.plain_s, one.expert_s, one.sartor_s)),
            f"{one.speed_up:.2f}",
            " ".join(remarks),
        )
    return table
