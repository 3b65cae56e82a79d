"""Whether the keys of an ORDER BY tell every row of a selection, or every group, from every other: then its order is no accident.

Nor is it where rows that the keys do not tell apart show the same values: whichever comes first, the answer is the same.

A row of a join is told by its rows of each table, and a row of a table by any of its unique keys. What the ORDER BY names grows
by what follows from it: columns that a condition sets to one literal, columns that are set equal, and all columns of a table
whose key is known (Paulley and Larson, "Exploiting uniqueness in query optimization", 1993).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from sartor.core.analysis import WantedKey
from sartor.core.table import TableInfo, TableName
from sartor.sql.predicates import conjuncts

_WHOLE = frozenset("TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT".split())
_OTHER = frozenset(("BOOLEAN", "UUID", "TIME", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"))
_WRITTEN = frozenset("VARCHAR DATE TIMESTAMP".split())  # a string literal beside them is cast to their type, never they to its

Place = tuple[int, str]
"""A column of a block: the position of its FROM item and its lower-case name."""


@dataclass(frozen=True, slots=True)
class Totality:
    """What is known of an order.

    Attributes:
        total: no two rows of the selection are equal in its keys and show other values.
        facts: numbers of the verified keys that this rests on.
        wanted: where it is not total, what would have to be verified.
    """

    total: bool
    facts: frozenset[int] = frozenset()
    wanted: tuple[WantedKey, ...] = ()


def totality(
    node: exp.Select,
    keys: Sequence[exp.Expression | None],
    sources: Sequence[tuple[str, TableInfo]],
    groups: Sequence[exp.Expression | None] = (),
) -> Totality:
    """Tell whether a selection from base tables is totally ordered by these keys.

    Args:
        keys: what each key of the ORDER BY stands for; None for one that is not known.
        sources: alias in lower case and table of each FROM item of the block, all of them.
        groups: where rows are groups, the keys of these that the ORDER BY does not name: they have to follow from what it names.
    """
    named = (_place(key, sources) for key in keys)
    known = {place for place in named if place is not None and _tells(_kind(sources[place[0]][1], place[1]))}
    known |= {place for condition in _holding(node) if (place := _constant(condition, sources)) is not None}
    equal = [pair for condition in _holding(node) if (pair := _equality(condition, sources)) is not None]
    equal += _using(node, sources)
    if not groups and _shows_only(node, known, sources):
        return Totality(bool(sources))  # rests on no verified key
    told: set[int] = set()
    facts: set[int] = set()
    growing = True
    while growing:
        before = len(known), len(told)
        for one, other in equal:
            if one in known or other in known:
                known |= {one, other}
        for number, (_, info) in enumerate(sources):
            if number not in told:
                fact = _told_by(info, {name for place, name in known if place == number})
                if fact is not None:
                    told.add(number)
                    facts |= {fact} - {_DECLARED}
                    known |= {(number, column.name.lower()) for column in info.columns}
        growing = (len(known), len(told)) != before
    if groups:
        places = [_place(key, sources) for key in groups]
        lacking = {place[0] for place in places if place is not None and place not in known}
        if None in places:
            return Totality(False)
        if not lacking:
            return Totality(True, frozenset(facts))
        wanted = _wanted(sources, known, set(range(len(sources))) - lacking)
        return Totality(False, wanted=tuple(one for one in wanted if one.columns))
    if len(told) == len(sources) or _shows_only(node, known, sources):
        return Totality(bool(sources), frozenset(facts))
    return Totality(False, wanted=tuple(_wanted(sources, known, told)))


_DECLARED = 0  # stands for a declared key, on which nothing has to be checked; facts are numbered from 1


def _told_by(info: TableInfo, names: set[str]) -> int | None:
    """What tells this table's rows by these columns: a declared key, else the number of a verified one, else None."""
    if any({name.lower() for name in key} <= names for key in info.unique_keys):
        return _DECLARED
    return next((fact for key, fact in info.verified_keys.items() if key <= names), None)


def _wanted(sources: Sequence[tuple[str, TableInfo]], known: set[Place], told: set[int]) -> Iterator[WantedKey]:
    for number, (_, info) in enumerate(sources):
        names = frozenset(name for place, name in known if place == number and _kind(info, name) in _WHOLE | _WRITTEN)
        if number not in told and isinstance(info.source, TableName):
            yield WantedKey(info.source, names)


def _shows_only(node: exp.Select, known: set[Place], sources: Sequence[tuple[str, TableInfo]]) -> bool:
    """Whether a selection shows nothing but these columns."""
    return node.args.get("qualify") is None and all(_place(item.unalias(), sources) in known for item in node.expressions)


def _holding(node: exp.Select) -> Iterator[exp.Expression]:
    """The conditions that hold for every row of a block; those of an outer join do not."""
    yield from conjuncts(node.args.get("where"))
    joins = node.args.get("joins") or []
    if not any(join.side for join in joins):
        for join in joins:
            yield from conjuncts(join.args.get("on"))


def _using(node: exp.Select, sources: Sequence[tuple[str, TableInfo]]) -> list[tuple[Place, Place]]:
    joins = node.args.get("joins") or []
    found: list[tuple[Place, Place]] = []
    if any(join.side for join in joins):
        return found
    for name in (name.name.lower() for join in joins for name in join.args.get("using") or []):
        having = [(number, name) for number, (_, info) in enumerate(sources) if _kind(info, name)]
        kinds = {_kind(sources[number][1], name) for number, _ in having}
        if len(kinds) == 1 and len(having) == 2:
            found.append((having[0], having[1]))
    return found


def _constant(condition: exp.Expression, sources: Sequence[tuple[str, TableInfo]]) -> Place | None:
    """The column that a condition sets to one literal of a kind that leaves the column uncast."""
    if not isinstance(condition, exp.EQ):
        return None
    for column, literal in ((condition.this, condition.expression), (condition.expression, condition.this)):
        place = _place(column, sources)
        bare = literal.this if isinstance(literal, exp.Neg) else literal
        if place is None or not isinstance(bare, exp.Literal):
            continue
        kind = _kind(sources[place[0]][1], place[1])
        if kind in _WRITTEN if bare.is_string else kind in _WHOLE and bare.name.isdigit():
            return place
    return None


def _equality(condition: exp.Expression, sources: Sequence[tuple[str, TableInfo]]) -> tuple[Place, Place] | None:
    if not isinstance(condition, exp.EQ):
        return None
    one, other = _place(condition.this, sources), _place(condition.expression, sources)
    if one is None or other is None:
        return None
    kinds = {_kind(sources[number][1], name) for number, name in (one, other)}
    return (one, other) if len(kinds) == 1 and kinds <= _WHOLE | _WRITTEN else None


def _place(key: exp.Expression | None, sources: Sequence[tuple[str, TableInfo]]) -> Place | None:
    """The one column that an expression is, or None."""
    if not isinstance(key, exp.Column) or isinstance(key.this, exp.Star) or key.args.get("db"):
        return None
    name, alias = key.name.lower(), key.table.lower()
    owners = [number for number, (known, info) in enumerate(sources) if alias in ("", known) and info.column(name) is not None]
    return (owners[0], name) if len(owners) == 1 else None


def _tells(kind: str) -> bool:
    """Whether values of a type that are equal are the same: not so for 0.0 and -0.0, or a month and thirty days."""
    return kind in _WHOLE | _WRITTEN | _OTHER or kind.startswith("DECIMAL")


def _kind(info: TableInfo, name: str) -> str:
    column = info.column(name)
    return column.type if column is not None else ""
