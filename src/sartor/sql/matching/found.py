"""What a match consists of, as the rules put it together."""

from __future__ import annotations

from dataclasses import dataclass, field

from sartor.core.block import Bound
from sartor.core.view import Condition
from sartor.sql.rewrite import Splice

ALIAS = '"sartor_view"'
"""The name of the view's rows in a rewritten block."""


class Differs(Exception):
    """The block can not be computed from the view; the message is the first reason."""


@dataclass(frozen=True, slots=True)
class Same:
    """A token that has to be the one that was analysed."""

    token: int
    word: str


@dataclass(frozen=True, slots=True)
class Within:
    """Conditions of the statement on a column that have to imply those of the view, whatever their literals are.

    Attributes:
        exactly: they have to be the same, for they can not be asked again of the view's rows.
    """

    bounds: tuple[Bound, ...]
    conditions: tuple[Condition, ...]
    exactly: bool


@dataclass(frozen=True, slots=True)
class Aligned:
    """A bound whose literal has to be the beginning of a year, quarter, month or day."""

    bound: Bound
    unit: str


Guard = Same | Within | Aligned


@dataclass(frozen=True, slots=True)
class Rest:
    """A verified inclusion that a match rests on.

    Attributes:
        fact: its identifier.
        child, parent: places of its tables in the view.
    """

    fact: int
    child: int
    parent: int


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A part of a date that is computed from a key of the view, and for rows appended since from the date itself.

    For these the key may raise where the part does not.

    Attributes:
        name: of the column that holds it.
        stored: the expression over the view's own columns.
        row: over those of its tables.
    """

    name: str
    stored: str
    row: str


@dataclass(slots=True)
class Match:
    """How a block is computed from a view.

    Attributes:
        splices: what is put in the place of which tokens; that of the FROM clause is left to whoever knows the view's rows.
        keys, states: positions of what is read of the view.
        parts: what is computed of keys beside.
        joined: equalities of ON clauses that the view's join does not hold, over its keys.
        guards: what has to hold of a statement's own literals.
        without: names of the view's tables that the rows appended since are not joined with: as the statement does not read them, what
            they lose or multiply is of no account then.
        rests: the verified inclusions by which they lost and multiplied none of the rows that are stored.
        whole: splices instead, for a view whose rows are the statement's groups, as long as none of its groups comes in several
            parts; None if they are not.
    """

    splices: list[Splice] = field(default_factory=list)
    keys: set[int] = field(default_factory=set)
    states: set[int] = field(default_factory=set)
    parts: set[Part] = field(default_factory=set)
    joined: list[str] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    without: tuple[str, ...] = ()
    rests: tuple[Rest, ...] = ()
    whole: list[Splice] | None = None
