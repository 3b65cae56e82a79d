"""What `con.design()` gives: what is in force, how fresh it is, what it gains and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sartor.core.design import Design
from sartor.freshness.registry import RegistryState
from sartor.freshness.usable import Use, use

if TYPE_CHECKING:
    from sartor.core.analysis import Analysis
    from sartor.core.derived import DerivedObject
    from sartor.core.design import Alternative

_FRESHNESS = {
    Use.WHOLE: "current",
    Use.RESIDUAL: "current with the rows appended since",
    Use.NO: "not used until refreshed",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a template was decided to be answered by.

    Attributes:
        newest: the largest identifier that a derived object had at that moment.
    """

    analysis: Analysis
    newest: int
    chosen: Alternative


@dataclass(slots=True)
class Decisions:
    """How often a derived object was considered for a template, could answer it, and was chosen to; one for each decision."""

    considered: int = 0
    matched: int = 0
    chosen: int = 0

    def count(self, decision: Decision, derived: DerivedObject) -> None:
        """Count a decision about a derived object that stood at that moment."""
        from sartor.components import component

        if reads_a_table_of(decision.analysis, derived):
            offered = component(derived.action.component).alternatives(decision.analysis, (derived,))
            self.considered += 1
            self.matched += any(True for _ in offered)
            self.chosen += any(replacement.object == derived.identifier for replacement in decision.chosen)


@dataclass(frozen=True, slots=True)
class DesignLine:
    """One derived object as `con.design()` shows it.

    Attributes:
        source: the tables or files that it derives from.
        rows: that it covers, of all of them together.
        freshness: how it may be used at this moment.
        templates: how many templates are served from it by a trial's choice.
        considered: templates for which some object of its tables was looked for, by this process.
        matched, chosen: of these, those that it could answer, and those that it was chosen for.
    """

    identifier: int
    component: str
    source: str
    definition: dict[str, Any]
    rows: int
    bytes_stored: int
    build_seconds: float
    freshness: str
    templates: int
    considered: int
    matched: int
    chosen: int


@dataclass(frozen=True, slots=True)
class DesignReport:
    """What is in force."""

    lines: tuple[DesignLine, ...]
    plain_templates: int

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        return {"objects": [asdict(line) for line in self.lines], "plain_templates": self.plain_templates}

    def __str__(self) -> str:
        if not self.lines:
            return "Nothing is built. Run con.tune() after some queries have been asked."
        head = (
            f"{'':>4} {'kind':<16} {'of':<28} {'by':<28} {'rows':>12} {'MB':>8} {'built in s':>10} {'templates':>9}"
            f" {'matched':>9}  state"
        )
        rows = [
            f"{line.identifier:>4} {line.component:<16} {line.source:<28} {_by(line.definition):<28} {line.rows:>12,}"
            f" {line.bytes_stored / 1e6:>8.1f} {line.build_seconds:>10.2f} {line.templates:>9}"
            f" {f'{line.matched}/{line.considered}':>9}  {line.freshness}"
            for line in self.lines
        ]
        return "\n".join([head, *rows])


def design_report(design: Design, state: RegistryState, decisions: Mapping[int, Decisions]) -> DesignReport:
    """Put a design beside what the registry says of its freshness and what has been decided about its objects."""
    lines = []
    for identifier, derived in sorted(design.objects.items()):
        counts = decisions.get(identifier, Decisions())
        lines.append(
            DesignLine(
                identifier=identifier,
                component=derived.action.component,
                source=", ".join(str(source) for source in derived.action.sources).replace('"', ""),
                definition=derived.definition(),
                rows=sum(coverage.rows for coverage in derived.coverages),
                bytes_stored=derived.bytes_stored,
                build_seconds=derived.build_seconds,
                freshness=_FRESHNESS[use(derived, state)],
                templates=sum(any(item.object == identifier for item in choice) for choice in design.choices.values()),
                considered=counts.considered,
                matched=counts.matched,
                chosen=counts.chosen,
            )
        )
    plain = sum(not choice for choice in design.choices.values())
    return DesignReport(tuple(lines), plain)


def reads_a_table_of(analysis: Analysis, derived: DerivedObject) -> bool:
    """Whether a statement reads a table that an object derives from."""
    read = {source for block in analysis.blocks for source in block.sources} | {one.source for one in analysis.references}
    return not read.isdisjoint(derived.action.sources)


def _by(definition: dict[str, Any]) -> str:
    return ", ".join(definition.get("key", ()))
