"""What lies where in the copies that stand, and how much of them is read: by their zone maps, and by profiles of real statements.

Everything is asked of the engine: the bounds that it stores of each row group, and for statements of the templates that a copy serves
the row groups that it scans, as they are written and as they are answered. That runs those statements, for a bounded time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from sartor.components import COMPONENTS, predicted
from sartor.components.copies import CopyComponent
from sartor.components.layouts.serve import LAYOUTS, implied
from sartor.core.constants import REPORT_SECONDS, REPORT_STATEMENTS, REPORT_TEMPLATES, ROW_GROUP_ROWS
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Design, Replacement
from sartor.core.table import Catalog
from sartor.engines.base import Engine, Profile, Scan
from sartor.freshness.residual import relation
from sartor.interfaces.report.zones import Asked, Axis, Block, drawn, stored
from sartor.sql.analyse import analyse
from sartor.sql.fingerprint import fingerprint
from sartor.sql.inline import inlined
from sartor.tuner.steps import name_of
from sartor.workload.workload import Execution, TemplateStatistics, Workload

Rewritten = Callable[[str, Alternative], str | None]
"""The text that answers a statement by an alternative; None if it can not be now."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a template reads of the table that a copy is of, as means over some of its statements.

    Attributes:
        before, after: shares of the table's row groups that are scanned as it is written, and as it is answered with all that is
            appended since; None where that is not known.
        bound: the share that the rows which pass its conditions would fill, lying together; None where they can not be counted.
        reason: why something is not known; empty if all is.
    """

    digest: str
    template: str
    runs: int
    before: float | None = None
    after: float | None = None
    bound: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """A copy to look at.

    Attributes:
        row_groups: that it is stored in.
        axes: across and up.
        blocks: in their order; empty where their bounds can not be told.
        together: how many row groups each block stands for.
        note: what can not be told of it; empty if all can.
    """

    identifier: int
    name: str
    row_groups: int
    axes: tuple[Axis, ...]
    blocks: tuple[Block, ...]
    together: int
    served: tuple[Served, ...]
    note: str = ""


@dataclass(slots=True)
class Looking:
    """How copies are looked at.

    Attributes:
        workload: with analyses.
        rewritten: what answers a statement.
        clock: seconds, from any start; `deadline` is when statements are no longer run.
    """

    engine: Engine
    design: Design
    workload: Workload
    catalog: Catalog
    rewritten: Rewritten
    clock: Callable[[], float]
    deadline: float = 0.0

    def copies(self) -> tuple[CopyFacts, ...]:
        """All copies that answer statements, those first that serve most runs; what raises is told of, and never raised."""
        self.deadline = self.clock() + REPORT_SECONDS.default
        standing = [one for one in self.design.objects.values() if _is_drawn(one)]
        uses = {one.identifier: list(self._uses(one)) for one in standing}
        standing.sort(key=lambda one: (-sum(template.count for template, _, _ in uses[one.identifier]), one.identifier))
        return tuple(self._copy(one, uses[one.identifier]) for one in standing)

    def _uses(self, derived: DerivedObject) -> Iterator[tuple[TemplateStatistics, Alternative, Replacement]]:
        """The templates that a copy serves: by the choice of a trial, or as a component predicts where none was made."""
        for template in self.workload.reads():
            if template.analysis is None or template.analysis.refusal is not None:
                continue
            chosen = self.design.choices.get(template.digest)
            if chosen is None:
                chosen = predicted(template.analysis, tuple(self.design.objects.values()))
            for replacement in chosen:
                if replacement.object == derived.identifier and not replacement.block:
                    yield template, chosen, replacement

    def _copy(self, derived: DerivedObject, uses: Sequence[tuple[TemplateStatistics, Alternative, Replacement]]) -> CopyFacts:
        asked: list[Asked] = []
        served = []
        for template, alternative, replacement in uses[: int(REPORT_TEMPLATES.default)]:
            statements = list(self._statements(derived, template, alternative, replacement))
            asked += statements
            served.append(self._served(derived, template, alternative, statements))
        name = name_of(derived.action)
        try:
            found = stored(self.engine, derived, asked)
            if not found.bounds:
                raise ValueError("DuckDB tells no bounds of the types of its columns")
            picture = drawn(found, derived)
        except Exception as error:
            return CopyFacts(derived.identifier, name, 0, (), (), 1, tuple(served), f"its row groups can not be told: {error}")
        note = "" if uses else "No template that was observed is served by it."
        return CopyFacts(derived.identifier, name, len(found.rows), *picture, tuple(served), note)

    def _statements(
        self, derived: DerivedObject, template: TemplateStatistics, alternative: Alternative, replacement: Replacement
    ) -> Iterator[Asked]:
        """Statements of a template that the copy answers, those first that were seen most."""
        seen: dict[tuple[str, str], Execution] = {}
        times: Counter[tuple[str, str]] = Counter()
        for execution in template.executions:
            key = execution.text, repr(execution.parameters)
            seen[key] = execution
            times[key] += 1
        assert template.analysis is not None
        for key, count in times.most_common(int(REPORT_STATEMENTS.default)):
            execution = seen[key]
            instead = self.rewritten(execution.text, alternative)
            analysis = analyse(inlined(execution.text, execution.parameters), self.catalog)
            if instead is None or replacement.reference >= len(analysis.references):
                continue
            only = ""
            if derived.action.component == LAYOUTS:
                words = fingerprint(execution.text).words(execution.text)
                only = implied(derived.action, template.analysis, replacement.reference, words)
            weight = template.count * count / max(1, len(template.executions))
            yield Asked(execution, instead, analysis, replacement.reference, only, weight)

    def _served(
        self, derived: DerivedObject, template: TemplateStatistics, alternative: Alternative, asked: Sequence[Asked]
    ) -> Served:
        """What its statements scan, weighted by how often each was seen."""
        facts = Served(template.digest, template.template, template.count)
        if not asked:
            return replace(facts, reason="none of the statements kept of it can be answered from the copy now")
        names = {_bare(derived.action.source)}
        for replacement in alternative:
            other = self.design.objects[replacement.object]
            if other.action.source == derived.action.source:
                names.add(_bare(relation(other)))
        shares: list[tuple[float, float, float, float | None]] = []
        reason = ""
        usual = median(template.plain_seconds) if template.plain_seconds else 0.0
        for one in asked:
            if self.clock() + usual >= self.deadline:
                reason = reason or "not all of its statements were run: the time for looking was over"
                break
            try:
                shares.append((one.weight, *self._shares(derived, one, names)))
            except Exception as error:
                reason = f"a statement of it could not be profiled: {error}"
        weight = sum(share[0] for share in shares)
        if not weight:
            return replace(facts, reason=reason)
        before = sum(times * plain for times, plain, _, _ in shares) / weight
        after = sum(times * tuned for times, _, tuned, _ in shares) / weight
        counted = [(times, least) for times, _, _, least in shares if least is not None]
        bound = sum(times * least for times, least in counted) / weight if len(counted) == len(shares) else None
        if bound is None:
            reason = reason or "the rows that pass its conditions can not be counted by them alone"
        return replace(facts, before=before, after=after, bound=bound, reason=reason)

    def _shares(self, derived: DerivedObject, asked: Asked, names: set[str]) -> tuple[float, float, float | None]:
        """The shares of a table's row groups that a statement scans plain and as it is answered, and that it has to."""
        plain = self.engine.profile(asked.execution.text, asked.execution.parameters)
        tuned = self.engine.profile(asked.instead, asked.execution.parameters)
        total = sum(scan.row_groups for scan in _scans(plain, names))
        if total <= 0:
            raise ValueError("the engine tells of no row groups of its table")
        before, after = (sum(scan.row_groups_read for scan in _scans(profile, names)) / total for profile in (plain, tuned))
        return before, after, self._least(derived, asked, total)

    def _least(self, derived: DerivedObject, asked: Asked, total: int) -> float | None:
        """The share of row groups that the rows which pass would fill; None where conditions can not be counted by themselves."""
        conditions = [predicate.sql for predicate in asked.analysis.references[asked.place].predicates]
        sources = [reference.source for reference in asked.analysis.references]
        if None in conditions or sources.count(derived.action.source) > 1:
            return None
        passing = " AND ".join(f"({condition})" for condition in [*conditions, asked.implied] if condition) or "TRUE"
        rows = int(self.engine.rows(f"SELECT count(*) FROM {relation(derived)} WHERE {passing}")[0][0])
        return -(-rows // int(ROW_GROUP_ROWS.default)) / total


def _is_drawn(derived: DerivedObject) -> bool:
    """Whether it is a copy that answers statements, in an order of its own."""
    known = {one.name: one for one in COMPONENTS}.get(derived.action.component)
    return isinstance(known, CopyComponent) and known.answers and bool(derived.definition().get("key"))


def _scans(profile: Profile, names: set[str]) -> list[Scan]:
    return [scan for scan in profile.scans if _bare(scan.table) in names]


def _bare(name: object) -> str:
    """The name of a table as profiles and catalogs alike write it, but for the quotes."""
    return str(name).replace('"', "")
