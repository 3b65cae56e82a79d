"""What the analysis of a statement says: which tables it reads, how, and what may be replaced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sartor.core.block import Compared, Operand, QueryBlock, Ranking
from sartor.core.predicate import JoinEdge, Predicate
from sartor.core.table import Source, TableName


class RowOrder(Enum):
    """What the statement's result needs of the order in which a reference hands out its rows."""

    FREE = "free"  # any order gives the same answer
    BASE = "base"  # the answer follows the base table's order: a replacement must hand out rows in it


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in the statement's text that reads a base table or local files.

    Attributes:
        source: the resolved table or file scan.
        columns: the columns of it that the statement reads, in catalog spelling and catalog order; all of them when
            a star reads them.
        predicates: the conjuncts that restrict this reference alone.
        order: what its row order means for the answer.
        refusal: why this reference can not be replaced, or None.
        first_token, last_token: the span of the table's name and alias in the fingerprint's tokens, both included;
            what replaces it is a complete FROM item with its alias.
        alias: the name under which the statement's expressions know it, as written (quotes included).
        group_keys: columns of this reference among the GROUP BY keys of its block.
        sequence: the sequence in which groups come decides the answer. DuckDB chooses by the statistics of the group keys
            whether groups come by value or as they first appear, and those of the base table may be wider than its rows;
            so what replaces the reference must read the base table too, as a residual does, also where that is empty.
        compared: conjuncts of WHERE that compare a column with literals, where rows that fail one may be left out of the table.
    """

    source: Source
    columns: tuple[str, ...]
    predicates: tuple[Predicate, ...]
    order: RowOrder
    refusal: str | None
    first_token: int
    last_token: int
    alias: str
    group_keys: tuple[str, ...] = ()
    sequence: bool = False
    compared: tuple[Compared, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedKey:
    """Columns of a table, in lower case, that would make an order total if they were unique."""

    source: TableName
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class PointLookup:
    """A statement that hands out columns of one table where its key equals one value, or one of a few.

    Attributes:
        columns: what it hands out, in its order, by their names in the catalog.
        key: the column that is compared.
        first_token, last_token: the values that it is compared with, in the fingerprint's tokens, both included.
    """

    source: TableName
    columns: tuple[str, ...]
    key: str
    first_token: int
    last_token: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysis of one statement against one catalog.

    Attributes:
        digest: the template's fingerprint.
        references: all base tables and file scans read, also those that may not be replaced.
        joins: equality edges between references.
        refusal: why nothing in this statement may be replaced, or None.
        generation: the catalog generation that it was resolved against.
        facts: identifiers of the verified keys that it rests on: it holds while each of them does.
        wanted: keys that would let more be replaced if they were verified.
        blocks: the SELECTs that a view may answer, whatever `refusal` says of single references.
        ranking: of the statement's ORDER BY, where it may leave ties and blocks depend on it.
        block_reasons: why other SELECTs are no such blocks.
        lookup: the statement as a look-up by a key, if it is nothing else.
        reads: the base tables whose rows alone decide the answer; None if more does, or it is not known. Told whatever is refused.
        one_row: it hands out one row at most.
        operands: literals whose values may be handed over, in their order; none of a statement that has parameters of its own.
    """

    digest: str
    references: tuple[Reference, ...]
    joins: tuple[JoinEdge, ...] = ()
    refusal: str | None = None
    generation: int = 0
    facts: tuple[int, ...] = ()
    wanted: tuple[WantedKey, ...] = ()
    blocks: tuple[QueryBlock, ...] = ()
    ranking: Ranking | None = None
    block_reasons: tuple[str, ...] = ()
    lookup: PointLookup | None = None
    reads: frozenset[TableName] | None = None
    one_row: bool = False
    operands: tuple[Operand, ...] = ()

    @property
    def keys(self) -> tuple[int, ...]:
        """Identifiers of all verified keys that something of it rests on."""
        return (*self.facts, *(self.ranking.facts if self.ranking is not None else ()))
