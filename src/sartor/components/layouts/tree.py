"""Layouts by a tree of cuts: conditions of the statements themselves part the rows into leaves, and the rows lie leaf by leaf.

A hidden column holds the number of the leaf. Zone maps of the real columns prune by ranges as ever; for a condition that they do not
see through the numbers of the leaves that may hold rows for which it is true are asked besides. Those are all leaves but the ones
behind the other side of a cut by it, where it is false or NULL in each row. After `grow`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from sartor.components.copies import Copy
from sartor.components.layouts import cells
from sartor.components.layouts.conditional import Others, asked_of, asks_alike, checked, conditional, texts
from sartor.components.layouts.conditions import Bit, text_of
from sartor.components.layouts.grow import Node
from sartor.core.action import Action
from sartor.core.analysis import Analysis
from sartor.core.constants import LAYOUT_RANGES
from sartor.core.table import Column, TableName, quote

KIND = "tree"
_NAMED = 3  # cuts that a person is told of


def tree(
    source: TableName,
    schema: Sequence[Column],
    cuts: tuple[Bit, ...],
    grown: Node,
    then: tuple[str, ...],
    templates: frozenset[str],
    others: Others = (),
    dimensions: tuple[str, ...] = (),
) -> Action:
    """The action that makes a copy in the order of a tree's leaves.

    Args:
        cuts: conditions as `Condition.bit` gives them.
        grown: a tree over their places.
        then: columns that the rows of a leaf are sorted by.
        others: as `conditional` takes them.
        dimensions: columns of the copy whose ranges statements are served by, whatever their literals.

    Raises:
        ValueError: a column has the name of a hidden one.
    """
    told = ", ".join(text_of(cut) for cut in cuts[:_NAMED]) + (", …" if len(cuts) > _NAMED else "")
    key = (f"{len(leaves(grown))} leaves cut by {told}", *then)
    details = {"kind": KIND, "cuts": cuts, "tree": grown, "then": then, "dimensions": dimensions}
    return conditional(source, schema, key, 1, templates, others, **details)


def is_tree(action: Action) -> bool:
    return bool(action.get("kind") == KIND)


def copy(action: Action) -> Copy:
    """What the copy stores."""
    found = checked(action.get("cuts"), numbered(action), "USMALLINT")
    return Copy(action, (*action.hidden, *action.get("then")), ((action.hidden[0], found),))


def numbered(action: Action) -> str:
    """The expression of the number of a row's leaf in a tree that has grown."""
    return leaf(action.get("tree"), texts(action, action.get("cuts")))


def leaf(node: Node, cuts: Sequence[str]) -> str:
    """The expression of the number of a row's leaf; where a cut is NULL the row is on its other side.

    >>> leaf((0, 0, (1, 1, 2)), ["a LIKE 'x%'", "b < c"])
    "CASE WHEN (a LIKE 'x%') THEN 0::USMALLINT ELSE CASE WHEN (b < c) THEN 1::USMALLINT ELSE 2::USMALLINT END END"
    """
    if isinstance(node, int):
        return f"{node}::USMALLINT"
    cut, yes, no = node
    return f"CASE WHEN ({cuts[cut]}) THEN {leaf(yes, cuts)} ELSE {leaf(no, cuts)} END"


def leaves(node: Node, asked: frozenset[int] = frozenset()) -> list[int]:
    """The leaves that may hold rows for which all of these cuts are true, in their order.

    >>> leaves((0, (1, 0, 1), (1, 2, 3))), leaves((0, (1, 0, 1), (1, 2, 3)), frozenset({1}))
    ([0, 1, 2, 3], [0, 2])
    """
    if isinstance(node, int):
        return [node]
    cut, yes, no = node
    return leaves(yes, asked) + ([] if cut in asked else leaves(no, asked))


def used(node: Node) -> Iterator[int]:
    """The cuts of a tree, each as often as it cuts."""
    if not isinstance(node, int):
        cut, yes, no = node
        yield cut
        yield from used(yes)
        yield from used(no)


def may_hold(action: Action, analysis: Analysis, place: int) -> bool:
    """Whether some statement of a template may be spared something: by ranges of columns, or by a condition of the shape of a cut."""
    if cells.restricted(action, analysis.references[place]):
        return True
    return asks_alike(action.get("cuts"), analysis, place)


def implied(action: Action, analysis: Analysis, place: int, words: Sequence[str]) -> str:
    """What holds in the copy for all rows that a statement's own conditions let through; empty if nothing of it is known."""
    if analysis.references[place].sequence:
        return ""
    return condition(action, asked_of(analysis, place, words))


def condition(action: Action, asked: Iterable[Bit], column: str = "") -> str:
    """The leaves that may hold rows for which conditions are true, as a condition on the hidden column; empty if all may.

    Args:
        column: the name that the hidden column has there.
    """
    found = leaves_asked(action, asked)
    if len(found) == len(leaves(action.get("tree"))):
        return ""
    name = quote(column or action.hidden[0])
    parts = [f"{name} = {low}" if low == high else f"{name} BETWEEN {low} AND {high}" for low, high in _ranges(found)]
    return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]


def leaves_asked(action: Action, asked: Iterable[Bit]) -> list[int]:
    """The leaves that may hold rows for which conditions are true."""
    return leaves(action.get("tree"), frozenset(place for place, cut in enumerate(action.get("cuts")) if cut in asked))


def pruned(action: Action, grown: Node) -> Action:
    """The action of a tree that has grown, without the cuts, and the tables, that it does not use."""
    kept = sorted(set(used(grown)))
    cuts = tuple(action.get("cuts")[place] for place in kept)
    read = {(schema, name) for cut in cuts if not isinstance(cut, str) for _, schema, name, _ in cut[1:]}
    schema, *described = ([Column(*column) for column in columns] for columns in action.schemas)
    others = [(t, c) for t, c in zip(action.others, described, strict=True) if isinstance(t, TableName) and (t.schema, t.name) in read]
    source = action.source
    assert isinstance(source, TableName)
    return tree(source, schema, cuts, _renamed(grown, kept), action.get("then"), action.templates, others, action.get("dimensions"))


def _renamed(node: Node, kept: Sequence[int]) -> Node:
    if isinstance(node, int):
        return node
    cut, yes, no = node
    return kept.index(cut), _renamed(yes, kept), _renamed(no, kept)


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Numbers as ranges, few enough for a condition: the narrowest gaps are closed, which only reads more."""
    found = [(number, number) for number in numbers]
    while len(found) > 1:
        gaps = [after[0] - before[1] for before, after in pairwise(found)]
        place = min(range(len(gaps)), key=gaps.__getitem__)
        if gaps[place] > 1 and len(found) <= LAYOUT_RANGES.default:
            break
        found[place : place + 2] = [(found[place][0], found[place + 1][1])]
    return found
