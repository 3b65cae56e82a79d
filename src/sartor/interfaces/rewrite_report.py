"""What `con.explain_rewrite` gives: which derived objects a statement was looked for in, and why it is answered from which."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sartor.components import component
from sartor.components.layouts.serve import LAYOUTS, serves
from sartor.core.view import VIEWS, definition_of
from sartor.freshness.facts import is_fact
from sartor.freshness.inclusions import is_lossless
from sartor.freshness.usable import Use, use
from sartor.interfaces.design_report import reads_a_table_of
from sartor.sql.matching.found import Match
from sartor.sql.matching.match import holds, match
from sartor.tuner.steps import name_of

if TYPE_CHECKING:
    from sartor.core.analysis import Analysis
    from sartor.core.derived import DerivedObject
    from sartor.interfaces.database import Database


@dataclass(frozen=True, slots=True)
class Considered:
    """One derived object that reads a table of the statement.

    Attributes:
        status: "chosen", "matched" (it could answer, another is better or was proved better), or "refused".
        reason: the first reason why it is not chosen; empty for the chosen.
    """

    identifier: int
    name: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class RewriteReport:
    """How a statement is answered.

    Attributes:
        plain: why it runs plain; empty where it does not.
        text: what is sent to DuckDB in the place of the statement; the statement itself where it runs plain.
    """

    plain: str
    text: str
    considered: tuple[Considered, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        return asdict(self)

    def __str__(self) -> str:
        head = f"runs plain: {self.plain}" if self.plain else f"is answered by: {self.text}"
        lines = [
            f"{one.identifier:>4}  {one.status:<8} {one.name}" + (f": {one.reason}" if one.reason else "") for one in self.considered
        ]
        return "\n".join([head, *lines])


def rewrite_report(database: Database, text: str) -> RewriteReport:
    """Look at a statement as the query's way would on its second run, without running it."""
    from sartor.interfaces.compiled import LookUp
    from sartor.interfaces.tailoring import decide, text_for

    known = database.known(text)
    if not known.effects.reads_only or known.template is None:
        return RewriteReport("it is not a query", text, ())
    design = database.design
    chosen = decide(database, known, design)
    analysis = known.template.analysis
    assert analysis is not None
    rewritten = text_for(database, text, chosen, design, database.catalog()) if chosen else None
    taken = {replacement.object for replacement in chosen} if rewritten is not None else set()
    considered = tuple(
        _considered(derived, analysis, known.text, database, taken)
        for derived in design.objects.values()
        if not is_fact(derived) and reads_a_table_of(analysis, derived)
    )
    if rewritten is not None:
        return RewriteReport("", text if isinstance(rewritten, LookUp) else rewritten.text, considered)
    refused = analysis.block_reasons[0] if analysis.block_reasons else analysis.refusal
    if not considered and refused:
        why = refused
    else:
        why = "its own literals do not allow it" if chosen else "nothing that is built answers it"
    return RewriteReport(why, text, considered)


def _considered(derived: DerivedObject, analysis: Analysis, text: str, database: Database, taken: set[int]) -> Considered:
    name = name_of(derived.action)
    if derived.identifier in taken:
        return Considered(derived.identifier, name, "chosen", "")
    if not component(derived.action.component).answers:
        return Considered(derived.identifier, name, "refused", "it answers nothing: it tells what has changed in its table")
    if use(derived, database.registry.state) is Use.NO:
        return Considered(derived.identifier, name, "refused", "it is not current; con.refresh() brings it up to date")
    reason = _why_no_view(derived, analysis, text, database) if derived.action.component == VIEWS else _why_no_copy(derived, analysis)
    if reason:
        return Considered(derived.identifier, name, "refused", reason)
    return Considered(derived.identifier, name, "matched", "another alternative was proved or is predicted to be faster")


def _why_no_view(derived: DerivedObject, analysis: Analysis, text: str, database: Database) -> str:
    reasons, objects, state = list(analysis.block_reasons), database.design.objects, database.registry.state
    printed = database.known(text).fingerprint
    words = printed.words(text) if printed is not None else ()
    for block in analysis.blocks:
        found = match(block, definition_of(derived.action))
        if isinstance(found, Match):
            if not all(holds(guard, words) for guard in found.guards):
                reasons.insert(0, "the statement's literals are not among those that it holds")
            elif not all(is_lossless(objects.get(rest.fact), rest, derived, state) for rest in found.rests):
                reasons.insert(0, "that each row has exactly one of a table more was found of other rows; con.refresh() looks again")
            else:
                return ""
        elif set(block.sources) & set(derived.action.sources):
            reasons.insert(0, found)
    return reasons[0] if reasons else "no part of the statement groups rows of its tables"


def _why_no_copy(derived: DerivedObject, analysis: Analysis) -> str:
    if analysis.refusal is not None:
        return analysis.refusal
    held = set(derived.definition().get("columns", ()))
    for place, reference in enumerate(analysis.references):
        if reference.source == derived.action.source:
            if reference.refusal is not None:
                return reference.refusal
            missing = [column for column in reference.columns if column not in held]
            if missing:
                return f"it does not hold the column {missing[0]}"
            if derived.action.component == LAYOUTS and not serves(analysis, place, derived):
                return "it is not ordered by any condition of the statement"
    return "" if analysis.references else "the statement reads no table that may be replaced"
