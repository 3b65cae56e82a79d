"""What a report tells, as plain values: gathered from the workload log, the ledger and the design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from sartor.core.design import Design
from sartor.freshness.registry import RegistryState
from sartor.interfaces.design_report import DesignLine, design_report
from sartor.interfaces.report.copies import CopyFacts
from sartor.tuner.ledger import Decision
from sartor.workload.workload import TemplateStatistics, Workload


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """One template of reads.

    Attributes:
        plain_seconds, tuned_seconds: medians of a run; equal where the template runs plain.
        measured: where the tuned time comes from: "served" (the user's own runs), "trial", or "" where it runs plain.
        reason: why it runs plain; empty if it does not.
    """

    digest: str
    template: str
    runs: int
    plain_seconds: float
    tuned_seconds: float
    measured: str
    reason: str

    @property
    def saved_seconds(self) -> float:
        """By all runs observed, had they all been tuned."""
        return self.runs * (self.plain_seconds - self.tuned_seconds)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a report tells of one database.

    Attributes:
        templates: those with the most seconds first; only those whose plain time is known.
        refused: what was thought of in the last round and not done, with the reason.
        tune_seconds, build_seconds: of all rounds so far.
        copies: those that stand, to look at.
    """

    database: str
    templates: tuple[TemplateFacts, ...]
    objects: tuple[DesignLine, ...]
    refused: tuple[tuple[str, str], ...]
    decisions: tuple[Decision, ...]
    tune_seconds: float
    build_seconds: float
    copies: tuple[CopyFacts, ...] = ()

    @property
    def plain_seconds(self) -> float:
        return sum(template.runs * template.plain_seconds for template in self.templates)

    @property
    def tuned_seconds(self) -> float:
        return sum(template.runs * template.tuned_seconds for template in self.templates)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-able values, with the totals."""
        totals = {"plain_seconds": self.plain_seconds, "tuned_seconds": self.tuned_seconds}
        return asdict(self) | totals


def gather(
    database: str,
    workload: Workload,
    design: Design,
    state: RegistryState,
    decisions: Sequence[Decision],
    copies: tuple[CopyFacts, ...] = (),
) -> Facts:
    """Put together what is known; the workload has to be analysed."""
    trials = {decision.subject: decision for decision in decisions if decision.kind == "trial" and "tuned_seconds" in decision.details}
    tried = {decision.subject for decision in decisions if decision.kind == "trial"}
    reads = [template for template in workload.reads() if template.plain_seconds]
    ends = [decision for decision in decisions if decision.kind == "end"]
    return Facts(
        database=database,
        templates=tuple(_template(template, design, trials.get(template.digest), template.digest in tried) for template in reads),
        objects=design_report(design, state, {}).lines,
        refused=_refused(decisions),
        decisions=tuple(decisions),
        tune_seconds=sum(float(decision.details.get("seconds", 0.0)) for decision in ends),
        build_seconds=sum(float(decision.details.get("build_seconds", 0.0)) for decision in ends),
        copies=copies,
    )


def _template(template: TemplateStatistics, design: Design, trial: Decision | None, tried: bool) -> TemplateFacts:
    plain = median(template.plain_seconds)
    tuned, measured, reason = plain, "", ""
    served = [execution.seconds for execution in template.executions if execution.alternative]
    if trial is not None and design.choices.get(template.digest):
        plain, tuned, measured = trial.details["plain_seconds"], trial.details["tuned_seconds"], "trial"
    elif served and design.choices.get(template.digest) != ():
        tuned, measured = median(served), "served"
    else:
        reason = _why_plain(template, design, tried)
    return TemplateFacts(template.digest, template.template, template.count, plain, tuned, measured, reason)


def _why_plain(template: TemplateStatistics, design: Design, tried: bool) -> str:
    analysis = template.analysis
    if analysis is None:
        return "no statement of it was kept"
    if analysis.refusal is not None:
        return analysis.refusal
    refusals = [reference.refusal for reference in analysis.references if reference.refusal is not None]
    if refusals and len(refusals) == len(analysis.references):
        return refusals[0]
    if tried:
        return "a trial found nothing clearly faster than plain"
    return "nothing was worth building for it" if template.digest in design.choices else "it has not been looked at by a round yet"


def _refused(decisions: Sequence[Decision]) -> tuple[tuple[str, str], ...]:
    """Of the last round, each thing once."""
    last = max((decision.number for decision in decisions if decision.kind == "round"), default=0)
    found: dict[str, str] = {}
    for decision in decisions:
        if decision.kind == "refuse" and decision.number > last:
            found.setdefault(decision.subject, decision.summary.removeprefix(f"{decision.subject}: "))
    return tuple(found.items())
