"""What is remembered of a statement's text and of its template, so that the query's way looks things up only."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sartor.core.action import Action
from sartor.core.analysis import Analysis
from sartor.core.block import Operand
from sartor.core.constants import DISCARD_SHARE, HISTORY_RUNS, PROBATION_RUNS, PUT_BACK_EVERY, PUT_BACK_RUNS, SETS_OF_PARAMETERS
from sartor.core.design import Alternative, Design
from sartor.freshness.usable import Use
from sartor.interfaces.compiled import compile_text
from sartor.sql.classify import READ, Effects
from sartor.sql.fingerprint import Fingerprint
from sartor.sql.operands import values
from sartor.tuner.history import Probation, is_suspect

if TYPE_CHECKING:
    from sartor.components.base import Plan
    from sartor.components.predicate_cache.propose import Candidate
    from sartor.interfaces.compiled import Compiled, Request
    from sartor.interfaces.handing import Handing
    from sartor.interfaces.predicates import Ranged


_NAME = re.compile(r"""'([^']+)'|"((?:[^"]|"")+)"|([A-Za-z_\u0080-\U0010ffff][\w$]*)""")


def _history() -> deque[float]:
    return deque(maxlen=int(HISTORY_RUNS.default))


class Appended(Enum):
    """What a statement does about rows that were appended since what answers it was brought up to date, the costliest first."""

    ASKED = "asked"  # its text reads them
    TOLD = "told"  # its text tells what they add
    RULED_OUT = "ruled out"  # its conditions let none of them through


@dataclass
class Template:
    """What is remembered of a template.

    Attributes:
        effects: of its statements where they only read, for then all of them do; else None.
        analysis: the analysis, against the catalog of `analysed_for`.
        decided_for: the design version and catalog generation that `alternative` was decided for.
        looked_up: the identifier of the object in memory that the alternative is; 0 if it is none.
        description: of its result, as DuckDB gave it, and the catalog generation that it did so under.
        off: ways that this template is not served by, with the design version that this holds for.
        seconds: the last run times, plain (None) and by each way of being served.
        appended_seconds: the last run times where rows had been appended, by what was done about them.
        probation: by way of being served, the runs that decide whether it is slower than plain.
        acquittals: probations that found nothing; each makes the next one longer and doubles the runs until it.
        acquitted_until: the count of `served` until which no suspicion counts.
        served: runs that were served and have been observed.
        stood, discarded: runs whose result was right, and runs whose result was thrown away because a write came between.
        candidates: what of its statements may be remembered by the predicate cache, with the catalog generation that this holds for.
        handing: the texts to which its statements hand their literals over.
    """

    digest: str
    text: str
    effects: Effects | None = None
    analysis: Analysis | None = None
    analysed_for: int = -1
    alternative: Alternative = ()
    decided_for: tuple[int, int] = (-1, -1)
    looked_up: int = 0
    description: tuple[int, Any] | None = None
    off: dict[Use, int] = field(default_factory=dict)
    seconds: dict[Use | None, deque[float]] = field(default_factory=dict)
    appended_seconds: dict[Appended, deque[float]] = field(default_factory=lambda: {way: _history() for way in Appended})
    probation: dict[Use, Probation] = field(default_factory=dict)
    acquittals: int = 0
    acquitted_until: int = 0
    served: int = 0
    stood: int = 0
    discarded: int = 0
    candidates: tuple[int, tuple[Candidate, ...]] | None = None
    handing: Handing | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """Every identifier and path of the template, lower-case: what a temporary object of that name would shadow."""
        return frozenset((path or quoted or bare).lower() for path, quoted, bare in _NAME.findall(self.text))

    def may_be_served(self, design: Design, generation: int) -> bool:
        """Whether this design serves it, as far as that was decided."""
        return bool(self.alternative or (design.objects and self.decided_for != (design.version, generation)))

    def observe(self, seconds: float, how: Use | None, began: float) -> bool:
        """Take a run time in; says whether this way of being served has now become slower than plain was.

        Args:
            began: when it was taken up, on `time.perf_counter`: a probation looks at later ones alone, plain and served in turn.
        """
        history = self.seconds.get(how)
        if history is None:
            history = self.seconds[how] = _history()
        history.append(seconds)
        if how is None:
            for probation in tuple(self.probation.values()):
                if began > probation.since:
                    probation.observe(seconds, served=False)
            return False
        self.served += 1
        found = self.probation.get(how)
        if found is None:
            due = self.served >= self.acquitted_until and self.served % PUT_BACK_EVERY.default == 0
            if due and is_suspect(self.seconds.get(None, ()), history):
                self.probation[how] = Probation(int(PROBATION_RUNS.default) * (1 + self.acquittals), perf_counter())
            return False
        if began <= found.since:
            return False
        slower = found.observe(seconds, served=True)
        if slower is not None:
            self.probation.pop(how, None)
            history.clear()  # what was suspected is settled; new runs begin a new history
            self.acquitted_until = self.served + int(PROBATION_RUNS.default) * 2**self.acquittals
            self.acquittals += 1
        return bool(slower)

    def usual(self, how: Use | None) -> float | None:
        """The median of the last run times by this way of being served; None if there were none."""
        history = self.seconds.get(how)
        return median(history) if history else None

    def saved_by(self, way: Appended) -> float | None:
        """Seconds that a statement takes less this way than by the next costlier one that is known; None while that is not known."""
        ways = [one for one in Appended if len(self.appended_seconds[one]) >= PUT_BACK_RUNS.default]
        if way not in ways or ways[0] is way:
            return None
        return median(self.appended_seconds[ways[ways.index(way) - 1]]) - median(self.appended_seconds[way])

    def switch_off(self, design: Design, ways: tuple[Use, ...] = (Use.WHOLE, Use.RESIDUAL)) -> None:
        """Do not serve in these ways until the design changes."""
        self.off.update(dict.fromkeys(ways, design.version))

    def is_off(self, design: Design, how: Use) -> bool:
        """Whether this template is not served in this way; too many discarded runs also switch it off for a while."""
        if self.off.get(how) == design.version:
            return True
        probation = self.probation.get(how)  # another thread may end it at any moment
        if probation is not None and probation.plain_is_next:
            return True
        if self.discarded > 1 and self.discarded > DISCARD_SHARE.default * (self.stood + self.discarded):
            self.discarded -= 1  # each plain run calms the writes' share down again
            return True
        return False


@dataclass(slots=True)
class Known:
    """What is remembered of one text.

    Attributes:
        asked: it was run in this process.
        fingerprint, template: None until something like it has been asked before.
        small: parameters with which its result was worth keeping when it was fetched last; None if there are none.
        never_kept: its results do not come back as they were.
        ranged: by its parameters, the text with remembered row ids, or the version of what is remembered in which there was none.
        unranged: the version of what is remembered in which there is nothing for this text, whatever its parameters; or -1.
        ties: whether its ORDER BY leaves no ties, with the text and the counts of writes that this was looked at under.
        parsed: the text that was sent for it last, its own or an alternative, and what DuckDB's parser made of that.
    """

    text: str
    effects: Effects = READ
    asked: bool = False
    fingerprint: Fingerprint | None = None
    template: Template | None = None
    ties: tuple[object, bool] | None = None
    ranged: dict[object, Ranged | int] | None = None
    unranged: int = -1
    small: set[Hashable] | None = None
    never_kept: bool = False
    parsed: tuple[str, Any] | None = None
    _plan: tuple[Action, Analysis, Plan | None] | None = None
    _compiled: dict[object, Compiled | None] = field(default_factory=dict)
    _given: tuple[Analysis, dict[Operand, list[Any] | None]] | None = None

    def given(self, analysis: Analysis) -> dict[Operand, list[Any] | None]:
        """The values of literals that WHERE compares columns with; None for one that its text alone does not tell."""
        kept = self._given
        if kept is not None and kept[0] is analysis:
            return kept[1]
        assert self.fingerprint is not None
        words = self.fingerprint.words(self.text)
        found = {operand: values(operand, words) for operand in analysis.operands}
        self._given = analysis, found
        return found

    def note_small(self, key: Hashable, *, small: bool) -> None:
        """Remember whether its result with these parameters may be kept, so that it is fetched as a whole the next time."""
        noted = self.small or set()
        if small and key not in noted:
            self.small = {*noted, key} if len(noted) < SETS_OF_PARAMETERS.default else {key}
        elif not small and key in noted:
            self.small = noted - {key}

    def plan(self, action: Action) -> Plan | None:
        """How statements of this text are looked up in what an action holds in memory; cached. None if they can not be."""
        analysis = self.template.analysis if self.template is not None else None
        if self._plan is not None and self._plan[0] is action and self._plan[1] is analysis:
            return self._plan[2]
        if analysis is None or self.fingerprint is None:
            return None
        from sartor.components import holding

        words = self.fingerprint.words(self.text)
        found = holding(action.component).plan(action, analysis, words)
        self._plan = (action, analysis, found)
        return found

    def compiled(self, request: Request) -> Compiled | None:
        """The text of an alternative, each reference spliced to what its derived object holds; cached."""
        try:
            return self._compiled[request.key]
        except KeyError:
            pass
        self._compiled.clear()
        found = compile_text(self, request.analysis, request.alternative, request.objects(), request.state)
        self._compiled[request.key] = found
        return found

    def forget_compiled(self) -> None:
        """Let go of the texts that were made of it."""
        self._compiled.clear()
        self.parsed = None
