"""What is remembered of a statement's text and of its template, so that the query's way looks things up only."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sartor.core.analysis import Analysis, RowOrder
from sartor.core.constants import DISCARD_SHARE, HISTORY_RUNS
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Design
from sartor.freshness.residual import content
from sartor.freshness.usable import Use
from sartor.sql.classify import READ, Effects
from sartor.sql.fingerprint import Fingerprint
from sartor.sql.rewrite import Splice, splice

if TYPE_CHECKING:
    from sartor.interfaces.database import Database


_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([A-Za-z_\u0080-\U0010ffff][\w$]*)')


@dataclass
class Template:
    """What is remembered of a template.

    Attributes:
        effects: of its statements where they only read, for then all of them do; else None.
        analysis: the analysis, against the catalog of `analysed_for`.
        decided_for: the design version and catalog generation that `alternative` was decided for.
        off: the reason why this template runs plain, with the design version it holds for.
        plain_seconds, alternative_seconds: the last run times, for putting back what became slower.
        discarded: runs whose result was thrown away because a write came between.
    """

    digest: str
    text: str
    effects: Effects | None = None
    analysis: Analysis | None = None
    analysed_for: int = -1
    alternative: Alternative = ()
    decided_for: tuple[int, int] = (-1, -1)
    off: tuple[int, str] = (-1, "")
    plain_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=int(HISTORY_RUNS.default)))
    alternative_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=int(HISTORY_RUNS.default)))
    discarded: int = 0
    served: int = 0

    @cached_property
    def names(self) -> frozenset[str]:
        """Every identifier of the template, lower-case: what a temporary object of that name would shadow."""
        return frozenset((quoted or bare).lower() for quoted, bare in _IDENTIFIER.findall(self.text))

    def observe(self, seconds: float, alternative: bool) -> None:
        if alternative:
            self.served += 1
            self.alternative_seconds.append(seconds)
        else:
            self.plain_seconds.append(seconds)

    def switch_off(self, design: Design, reason: str) -> None:
        """Run plain until the design changes."""
        self.off = (design.version, reason)

    def is_off(self, design: Design) -> bool:
        """Whether this template runs plain under this design; too many discarded runs also switch it off for a while."""
        if self.off[0] == design.version:
            return True
        if self.discarded > 1 and self.discarded > DISCARD_SHARE.default * (self.served + self.discarded):
            self.discarded -= 1  # each plain run calms the writes' share down again
            return True
        return False


@dataclass(slots=True)
class Known:
    """What is remembered of one text.

    Attributes:
        asked: it was run in this process.
        fingerprint, template: None until something like it has been asked before.
    """

    text: str
    effects: Effects = READ
    asked: bool = False
    fingerprint: Fingerprint | None = None
    template: Template | None = None
    _compiled: dict[object, str] = field(default_factory=dict)

    def compiled(self, alternative: Alternative, used: tuple[tuple[DerivedObject, Use], ...], database: Database) -> str | None:
        """The text of an alternative, each reference spliced to what its derived object holds; cached."""
        key = (alternative, tuple((item.table, how, item.coverage.dense) for item, how in used))
        text = self._compiled.get(key)
        if text is None:
            analysis = self.template.analysis if self.template is not None else None
            if analysis is None:
                return None
            text = compile_text(self, analysis, alternative, used)
            self._compiled.clear()
            self._compiled[key] = text
        return text


def compile_text(known: Known, analysis: Analysis, alternative: Alternative, used: tuple[tuple[DerivedObject, Use], ...]) -> str:
    """Splice derived tables into the user's own text."""
    assert known.fingerprint is not None
    splices = []
    for replacement, (derived, how) in zip(alternative, used, strict=True):
        reference = analysis.references[replacement.reference]
        select = content(derived, reference.columns, reference.order, how)
        splices.append(
            Splice(
                reference.first_token,
                reference.last_token,
                f"({select}) AS {reference.alias}",
            )
        )
    return splice(known.text, known.fingerprint, splices)


def sorts(analysis: Analysis, alternative: Alternative) -> bool:
    """Whether an alternative has to bring rows back into the base table's order."""
    return any(analysis.references[item.reference].order is RowOrder.BASE for item in alternative)
