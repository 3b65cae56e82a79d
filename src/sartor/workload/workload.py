"""The workload as an immutable picture: templates with their counts, times and real statements to replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sartor.core.analysis import Analysis
from sartor.core.table import Catalog

Kind = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Execution:
    """One statement that was run.

    Attributes:
        parameters: what was passed beside the text; None if nothing was, or if it can not be kept.
        started: seconds since the epoch.
        seconds: from sending it to the last fetch.
        rows: rows that were fetched.
        alternative: it was answered from a derived object.
    """

    text: str
    parameters: Any
    started: float
    seconds: float
    rows: int
    alternative: bool = False


@dataclass(frozen=True, slots=True)
class TemplateStatistics:
    """What is known of a template.

    Attributes:
        count, total_seconds: over all runs, by whatever they were answered.
        kept: statements besides these that were answered by a result which had been kept.
        plain_seconds: the most recent run times of plain runs, oldest first; bounded.
        executions: a bounded, uniformly drawn sample of its statements, with literals, for replay.
        analysis: against the catalog given to `Workload.analysed`; None before that and for writes.
    """

    digest: str
    template: str
    kind: Kind
    count: int
    total_seconds: float
    first_started: float
    last_started: float
    plain_seconds: tuple[float, ...] = ()
    executions: tuple[Execution, ...] = ()
    analysis: Analysis | None = None
    kept: int = 0

    @property
    def mean_seconds(self) -> float:
        return self.total_seconds / self.count if self.count else 0.0

    @property
    def replayable(self) -> bool:
        return bool(self.executions)


@dataclass(frozen=True, slots=True)
class Workload:
    """The templates that were observed, those that took most seconds first.

    Attributes:
        span_seconds: from the first to the last statement.
        appends, mutations: per bare, lower-case table name, how many statements appended to it or changed it otherwise.
        appended_rows: per bare, lower-case table name, how many rows were appended, where that was told.
    """

    templates: tuple[TemplateStatistics, ...] = ()
    span_seconds: float = 0.0
    appends: Mapping[str, int] = field(default_factory=dict)
    mutations: Mapping[str, int] = field(default_factory=dict)
    appended_rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def total_seconds(self) -> float:
        return sum(template.total_seconds for template in self.templates)

    def reads(self) -> tuple[TemplateStatistics, ...]:
        return tuple(template for template in self.templates if template.kind == "read")

    def by_digest(self, digest: str) -> TemplateStatistics | None:
        return next((template for template in self.templates if template.digest == digest), None)

    def share(self, digest: str) -> float:
        """The template's share of all seconds, between 0 and 1."""
        template = self.by_digest(digest)
        total = self.total_seconds
        return template.total_seconds / total if template is not None and total else 0.0

    def analysed(self, catalog: Catalog) -> Workload:
        """The same workload with an analysis of each replayable read against this catalog."""
        from sartor.sql.analyse import analyse

        return replace(
            self,
            templates=tuple(
                replace(template, analysis=analyse(template.executions[0].text, catalog))
                if template.kind == "read" and template.executions
                else template
                for template in self.templates
            ),
        )
