"""What of a statement may be remembered: for each restriction the table of which most rows may be left out."""

from __future__ import annotations

from dataclasses import dataclass

from sartor.components.predicate_cache.apply import remembered
from sartor.core.action import Action
from sartor.core.analysis import Analysis
from sartor.core.table import Catalog, TableName
from sartor.sql.fingerprint import Fingerprint
from sartor.sql.restriction import Asked, Restriction, asked, restrictions


@dataclass(frozen=True, slots=True)
class Candidate:
    """A restriction of a template with the table whose row ids are remembered.

    Attributes:
        reference: its place in `Analysis.references`.
        columns: that the statement reads of it, as in `Reference`.
        first_token, last_token: of its name and alias.
        alias: the name that the restriction knows it by.
    """

    restriction: Restriction
    source: TableName
    columns: tuple[str, ...]
    first_token: int
    last_token: int
    alias: str

    def action(self, written: Asked) -> Action:
        """What is remembered for one statement."""
        others = sorted(self.restriction.tables - {self.source}, key=str)
        return remembered(self.source, self.alias, written.text, tuple(others))

    def asked(self, text: str, printed: Fingerprint, parameters: object) -> Asked | None:
        """Its restriction as a statement of the template writes it; None if a value of the statement is missing."""
        return asked(text, printed, self.restriction, parameters)


def candidates(text: str, printed: Fingerprint, analysis: Analysis, catalog: Catalog) -> tuple[Candidate, ...]:
    """The candidates of a statement's template: the largest table of each restriction, by the catalog's counts."""
    found = []
    for restriction in restrictions(text, printed, analysis, catalog):
        references = [analysis.references[place] for place in restriction.targets]
        sized = [(info.rows, one) for one in references if (info := catalog.info(one.source)) is not None]
        largest = max(sized, key=lambda pair: pair[0], default=None)
        if largest is not None and isinstance(largest[1].source, TableName):
            one = largest[1]
            found.append(Candidate(restriction, largest[1].source, one.columns, one.first_token, one.last_token, one.alias))
    return tuple(found)
