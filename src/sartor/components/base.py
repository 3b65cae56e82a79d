"""What every component offers; each is a folder with the four files propose, estimate, apply and serve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Catalog, Inclusion
from sartor.engines.base import Engine
from sartor.freshness.changes import Change, Unmended
from sartor.freshness.held import Holder
from sartor.sql.matching.found import Rest
from sartor.sql.rewrite import Splice
from sartor.workload.workload import Workload


@runtime_checkable
class Holding(Holder, Protocol):
    """A component whose objects are in memory: no text reads them, they are looked up instead."""

    def plan(self, action: Action, analysis: Analysis, words: Sequence[str]) -> Plan | None:
        """How statements of one text are answered from what an action holds; None if its values do not allow it."""
        ...


class Plan(Protocol):
    """How statements of one text are answered from memory."""

    def answer(self, derived: DerivedObject, parameters: Any) -> list[tuple[Any, ...]] | None:
        """The rows of a statement as DuckDB hands them to Python; None if its parameters do not allow it."""
        ...


class Component(Protocol):
    """One kind of thing that can be tailored. Components that inherit from it mend nothing and rewrite no text unless they say how.

    Attributes:
        answers_untried: what is built may answer templates that it was never tried for, because it is expected to be sooner.
        answers: what is built may answer something; else it is for the upkeep of what others build, and the component is shown all
            templates.
    """

    answers_untried: bool = True
    answers: bool = True

    @property
    def name(self) -> str: ...

    def propose(self, workload: Workload, catalog: Catalog) -> Sequence[Action]:
        """Candidates from the workload, the most promising first; nothing is run."""
        ...

    def estimate(self, actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> Sequence[Estimate]:
        """What each action would gain and cost, one estimate an action, in the same order."""
        ...

    def build_query(self, action: Action) -> OrderedQuery:
        """The rows that the object stores, and their order."""
        ...

    def tail_query(self, derived: DerivedObject, moved: frozenset[int]) -> str:
        """The SELECT of the rows to append to the object's table since rows were appended to the tables of these places.

        It tells covered rows from new ones by `freshness.residual.appended_since` and `covered_before`.
        """
        ...

    def appended_query(self, derived: DerivedObject, moved: frozenset[int]) -> str | None:
        """The SELECT, with the columns of the object's table, of what rows appended to the tables of these places add to it.

        None if asking the tables in each statement takes no longer than telling them.
        """
        return None

    def mend(self, engine: Engine, derived: DerivedObject, changes: Mapping[int, Change]) -> int:
        """Carry what tables lost and got into the object's rows, in the current transaction.

        Args:
            changes: of its tables, by place; the others did not change.

        Returns:
            How many rows more stand behind the sorted ones; fewer if it is negative.

        Raises:
            Unmended: it is better built anew; always, unless the component says how.
        """
        raise Unmended

    def splices(
        self,
        analysis: Analysis,
        replacement: Replacement,
        derived: DerivedObject,
        moved: frozenset[int],
        words: tuple[str, ...],
    ) -> Sequence[Splice] | None:
        """What the statement's text is rewritten by where this object serves; None if its own literals do not allow it.

        Args:
            moved: the places whose tables rows were appended to since.
            words: the statement's tokens.
        """
        return None

    def suits(self, analysis: Analysis, replacement: Replacement, derived: DerivedObject, words: tuple[str, ...]) -> bool:
        """Whether a statement's own literals allow its splices, which are then the same for all statements of the template.

        False also where they are not the same.
        """
        return False

    def rests(self, analysis: Analysis, replacement: Replacement, derived: DerivedObject) -> Sequence[Rest]:
        """The verified inclusions by which this object may be put in the place of what it replaces."""
        return ()

    def wants(self, workload: Workload, catalog: Catalog, objects: Sequence[DerivedObject]) -> Mapping[Inclusion, float]:
        """Inclusions that would let templates be answered by what stands or is proposed if they held, with the templates' seconds.

        Args:
            workload: the templates that nothing answers yet.
        """
        return {}

    def alternatives(self, analysis: Analysis, objects: Sequence[DerivedObject]) -> Iterable[Alternative]:
        """The ways to answer a statement from these objects, the best first; plain is implied and not among them.

        They are for going through once; who looks at the first ones only may not have to wait for the others.
        """
        ...
