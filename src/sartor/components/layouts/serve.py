"""Which layouts a statement can be answered from, and with which implied condition. Pure: no engine, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.components.layouts import cells, tree, truth_bits
from sartor.core.action import Action
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.freshness.residual import content
from sartor.freshness.usable import Use
from sartor.sql.rewrite import Splice

LAYOUTS = "layouts"


def alternatives(analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
    """The smallest layout that may help for every reference that has one, then each replacement alone."""
    if analysis.refusal is not None:
        return ()
    best: list[Replacement] = []
    single: list[Alternative] = []
    for place in range(len(analysis.references)):
        serving = sorted((one for one in objects if serves(analysis, place, one)), key=lambda one: (one.bytes_stored, one.identifier))
        replacements = [Replacement(place, derived.identifier) for derived in serving]
        best += replacements[:1]
        single += [(replacement,) for replacement in replacements]
    combined = [tuple(best)] if len(best) > 1 else []
    return (*combined, *single)


def serves(analysis: Analysis, place: int, derived: DerivedObject) -> bool:
    """Whether a reference may read a layout, and be spared something by its order."""
    action, reference = derived.action, analysis.references[place]
    if action.component != LAYOUTS or action.source != reference.source or reference.refusal is not None:
        return False
    if not set(reference.columns) <= set(action.get("columns")):
        return False
    if cells.is_cells(action):
        return bool(cells.restricted(action, reference))
    return tree.may_hold(action, analysis, place) if tree.is_tree(action) else truth_bits.may_hold(action, analysis, place)


def splices(
    analysis: Analysis, place: int, derived: DerivedObject, moved: frozenset[int], words: Sequence[str]
) -> Sequence[Splice] | None:
    """The table's name with its alias becomes a derived table over the layout; None if this statement's literals are not its own.

    The statement's own conditions stay and are evaluated still.
    """
    action, reference = derived.action, analysis.references[place]
    only = implied(action, analysis, place, words)
    by_ranges = cells.is_cells(action) or (tree.is_tree(action) and bool(cells.restricted(action, reference)))
    if not (only or by_ranges):
        return None
    select = content(derived, reference.columns, reference.order, Use.RESIDUAL if moved else Use.WHOLE, only)
    return (Splice(reference.first_token, reference.last_token, f"({select}) AS {reference.alias}"),)


def implied(action: Action, analysis: Analysis, place: int, words: Sequence[str]) -> str:
    """What holds of the hidden columns for all rows that a statement's own conditions let through; empty if nothing is known.

    Args:
        words: the statement's tokens.
    """
    if cells.is_cells(action):
        return ""
    return tree.implied(action, analysis, place, words) if tree.is_tree(action) else truth_bits.implied(action, analysis, place, words)
