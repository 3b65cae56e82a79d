"""Statements as they are answered by an alternative: rewritten texts, and look-ups in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sartor.core.analysis import Analysis
from sartor.core.block import Order
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative
from sartor.engines.base import Outcome
from sartor.freshness.usable import Use, moved, standing, told
from sartor.sql.ranking import check
from sartor.sql.rewrite import Splice, splice

if TYPE_CHECKING:
    from sartor.components.base import Plan
    from sartor.engines.base import Engine
    from sartor.freshness.registry import RegistryState
    from sartor.interfaces.known import Known
    from sartor.interfaces.told import Told
    from sartor.sql.matching.found import Rest

Used = tuple[tuple[DerivedObject, Use], ...]
"""Derived objects in the order of the replacements of an alternative, and how each is used."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a text is to be rewritten for: an alternative, and how its objects stand at this moment.

    Attributes:
        iteration: the registry's, where the text is only used if it stays the same until the snapshot has begun; else -1.
        tells: the text is only used if the objects cover in that snapshot what they cover now.
        told_rows: for each object what appended rows add to it; then no row may have been written to its tables in that snapshot.
        form: what is the same for all texts that tell covered rows in another way only.
        key: what the text depends on besides the statement.
    """

    analysis: Analysis
    alternative: Alternative
    used: Used
    state: RegistryState
    iteration: int
    tells: bool
    told_rows: tuple[Told | None, ...]
    form: object
    key: object

    def objects(self) -> Used:
        """The objects as the text may take them for."""
        used = self.used
        if self.iteration >= 0:
            used = tuple([(standing(item, self.iteration), how) for item, how in used])
        if self.tells:
            used = tuple([(told(item), how) for item, how in used])
        if self.told_rows:
            pairs = zip(used, self.told_rows, strict=True)
            used = tuple([(item if rows is None else replace(item, appended=rows.rows), how) for (item, how), rows in pairs])
        return used


def request(
    analysis: Analysis,
    alternative: Alternative,
    used: Used,
    state: RegistryState,
    iteration: int = -1,
    *,
    tells: bool = False,
    told_rows: tuple[Told | None, ...] = (),
) -> Request:
    """A request, with what its text is found again by."""
    form = (alternative, tuple([_form(item, how, state) for item, how in used]), tuple([one is None for one in told_rows]))
    ends = [
        (one.high_water if tells else -1, one.iteration == iteration)
        for item, how in used
        if how is Use.RESIDUAL
        for one in item.coverages
    ]
    key = (form, tells, told_rows, tuple(ends), analysis.generation)
    return Request(analysis, alternative, used, state, iteration, tells, told_rows, form, key)


@dataclass(frozen=True, slots=True)
class LookUp:
    """A statement as it is answered from memory."""

    plan: Plan
    derived: DerivedObject
    check: None = None

    def run(self, engine: Engine, parameters: Any, plain: Outcome) -> Outcome:
        """Look it up; the seconds are of that alone, for what is put in a table here is handed out as it is.

        Raises:
            LookupError: it is not answered from memory with these parameters.
        """
        import pyarrow

        started = perf_counter()
        rows = self.plan.answer(self.derived, parameters)
        seconds = perf_counter() - started
        if rows is None:
            raise LookupError("the values of this statement are not looked up")
        columns = list(zip(*rows, strict=True)) or [()] * len(plain.names)
        arrays = [pyarrow.array(list(column), field.type) for column, field in zip(columns, plain.table.schema, strict=True)]
        return Outcome(plain.names, plain.types, pyarrow.Table.from_arrays(arrays, schema=plain.table.schema), seconds)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text rewritten for an alternative.

    Attributes:
        check: a query that says whether the statement's ORDER BY leaves no ties among the rows that it shows; None if none can be.
        keys: identifiers of verified keys that tell the same as the check, if there are any and all of them hold.
        rests: verified inclusions that it is right by, each with the position in the alternative of the view that it has to tell of.
    """

    text: str
    check: str | None = None
    keys: tuple[int, ...] = ()
    rests: tuple[tuple[int, Rest], ...] = ()

    def run(self, engine: Engine, parameters: Any, plain: Outcome) -> Outcome:
        """Run the text."""
        return engine.run(self.text, parameters)


def compile_text(
    known: Known,
    analysis: Analysis,
    alternative: Alternative,
    used: Used,
    state: RegistryState,
    further: Sequence[Splice] = (),
) -> Compiled | None:
    """Put what derived objects hold into the user's own text; None if its literals do not allow it.

    Args:
        further: what stands in the place of other tokens.

    Raises:
        ValueError: that overlaps what the objects put there.
    """
    from sartor.components import component

    printed = known.fingerprint
    assert printed is not None
    words = printed.words(known.text)
    every: list[Splice] = [*further]
    rests: list[tuple[int, Rest]] = []
    for position, (replacement, (derived, how)) in enumerate(zip(alternative, used, strict=True)):
        places = moved(derived, state) if how is Use.RESIDUAL else frozenset()
        found = component(derived.action.component).splices(analysis, replacement, derived, places, words)
        if found is None:
            return None
        every += found
        rests += [(position, rest) for rest in component(derived.action.component).rests(analysis, replacement, derived)]
    text = splice(known.text, printed, every)
    if analysis.ranking is None or not may_leave_ties(analysis, alternative):
        return Compiled(text, rests=tuple(rests))
    return Compiled(text, check(known.text, printed, every, analysis.ranking), keys=analysis.ranking.facts, rests=tuple(rests))


def may_leave_ties(analysis: Analysis, alternative: Alternative) -> bool:
    """Whether a statement's ORDER BY has to be looked at before this answers it."""
    blocks = (analysis.blocks[replacement.reference] for replacement in alternative if replacement.block)
    return analysis.ranking is not None and any(block.order is not Order.FREE for block in blocks)


def _form(derived: DerivedObject, how: Use, state: RegistryState) -> object:
    """What the text of an alternative depends on of an object that it reads."""
    if how is Use.WHOLE:
        return derived.table, derived.coverage.unsorted == 0
    return derived.table, moved(derived, state), tuple([(one.dense, one.rows > 0) for one in derived.coverages])
