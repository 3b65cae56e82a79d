"""One statement on its way: how it is answered, what was opened for it, and then what it has shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.constants import PREDICATE_SECONDS
from sartor.freshness.usable import settled, unchanged
from sartor.interfaces.known import Appended
from sartor.interfaces.predicates import RANGED
from sartor.interfaces.results import KEPT

if TYPE_CHECKING:
    from sartor.core.derived import DerivedObject
    from sartor.freshness.registry import RegistryState
    from sartor.freshness.usable import Use
    from sartor.interfaces.handing import Handed
    from sartor.interfaces.known import Known
    from sartor.interfaces.predicates import Ranged
    from sartor.interfaces.results import Kept
    from sartor.interfaces.session import Session
    from sartor.interfaces.told import Told
    from sartor.sql.classify import Effects

NEVER_RETRIED = (duckdb.InterruptException, duckdb.OutOfMemoryException)


@dataclass(eq=False)
class Call:
    """A statement on its way; once it has ended, its observation, which grows while its result is fetched.

    One is made for each statement, so what most have none of stays in the class.

    Attributes:
        began: when it was taken up, on `time.perf_counter`.
        sends: the text itself is sent.
        looks: it may be answered by a look-up in memory.
        repeated: its text was asked before.
        instead: the text that answers instead of the user's, or None.
        handed, values: the same with names in the place of literals, and the values of these; None if it has its literals.
        used: the derived objects it reads and how.
        before, after: the registry before anything was sent, and when the statement's snapshot was known to have begun.
        settled: the counts of writes under which ties were looked for, or appended rows are told or ruled out; else None.
        proof: what is known not to raise once this has run: the same for all texts that tell covered rows in another way only.
        tells: the objects have to cover still what they covered when it was made.
        told_rows: what was appended, as its text tells it, for each of the objects used; empty if it tells none.
        appended: what it does about appended rows, where there may be any.
        reading_seconds: what it took to see to that, which is no time of the statement's own.
        proven: what is proven under the design that was looked at; a younger design has a set of its own.
        iteration: the registry's, where covered rows are told by row ids that a checkpoint may move; else None.
        close: closes the commit window of a write.
        resume: ends what was held off for it.
        rows: the answer, where it was looked up or has been kept.
        watched: the registry and the catalog's generation before anything was sent, where the result may be kept.
        description: of the result, where it was looked up.
        describes: it is to be remembered, so that the template can be looked up the next time.
        kept: the result that is handed out again.
        ranged: what is remembered of the rows that its conditions let through, where it is run with that.
        served: derived objects answered it.
        seconds, fetched: what it took, and the rows that were fetched.
        told: nothing more of it is to be told to the predicate cache.
    """

    session: Session
    known: Known | None
    effects: Effects | None
    parameters: Any
    began: float
    sends: bool = False
    looks: bool = False
    repeated: bool = False
    instead: str | None = field(default=None, init=False)
    handed: Handed | None = field(default=None, init=False)
    values: dict[str, Any] | None = field(default=None, init=False)
    used: tuple[tuple[DerivedObject, Use], ...] = field(default=(), init=False)
    before: RegistryState | None = field(default=None, init=False)
    after: RegistryState | None = field(default=None, init=False)
    settled: tuple[tuple[int, int], ...] | None = field(default=None, init=False)
    proof: object = field(default=None, init=False)
    tells: bool = field(default=False, init=False)
    told_rows: tuple[Told | None, ...] = field(default=(), init=False)
    appended: Appended = field(default=Appended.ASKED, init=False)
    reading_seconds: float = field(default=0.0, init=False)
    proven: set[object] | None = field(default=None, init=False)
    iteration: int | None = field(default=None, init=False)
    close: Callable[[], None] | None = field(default=None, init=False)
    resume: Callable[[], None] | None = field(default=None, init=False)
    rows: list[tuple[Any, ...]] | None = field(default=None, init=False)
    description: Any = field(default=None, init=False)
    describes: bool = field(default=False, init=False)
    watched: tuple[RegistryState, int] | None = field(default=None, init=False)
    kept: Kept | None = field(default=None, init=False)
    ranged: Ranged | None = field(default=None, init=False)
    raised: bool = field(default=False, init=False)
    served: bool = field(default=False, init=False)
    seconds: float = field(default=0.0, init=False)
    fetched: int = field(default=0, init=False)
    told: bool = field(default=False, init=False)

    @property
    def started(self) -> float:
        """When it was taken up, in seconds since the epoch."""
        return time.time() - (perf_counter() - self.began)

    @property
    def how(self) -> tuple[Use, ...]:
        """How each of the derived objects that answered it was used."""
        return tuple([how for _, how in self.used]) if self.served else ()

    @property
    def alternative(self) -> tuple[int, ...]:
        """The identifiers of what answered it, RANGED and KEPT among them; empty if the user's text did."""
        if self.kept is not None:
            return (KEPT, *self.kept.alternative)
        if self.ranged is not None:
            return (RANGED,)
        return tuple([item.identifier for item, _ in self.used]) if self.served else ()

    def may_fall_back(self, error: Exception) -> bool:
        """Whether plain may be run after the alternative raised; notes the failure and switches the template off."""
        if isinstance(error, NEVER_RETRIED) or self.session.transaction is not None:
            return False
        assert self.known is not None
        if self.ranged is not None:
            self.session.database.predicates.failed(self.ranged, self.known.text, error)
            self.ranged = None
        elif self.handed is not None:
            self.session.database.handing_failed(self.known, self.instead or "", error)
        else:
            self.session.database.alternative_failed(self.known, self.instead or "", error)
        return True

    def still_right(self) -> bool:
        """Whether the objects were current in the snapshot that the alternative read; else its result is discarded."""
        database = self.session.database
        template = self.known.template if self.known is not None else None
        assert self.before is not None
        assert template is not None
        database.look_for_unseen_writes()
        state = database.registry.state
        stood = self.iteration is None or database.rows_stood(self.iteration, self.before)
        if self.ranged is not None:
            if stood and self.ranged.holds(state, database.generation):
                return True
            self.ranged = None
            return False
        if self.tells:
            objects = database.design.objects  # read after the registry: what Sartor wrote is published before its window closes
            stood &= not state.own and all(objects.get(item.identifier) is item for item, _ in self.used)
        if stood and unchanged(self.used, self.before, state) and (self.settled is None or self.settled == settled(self.used, state)):
            self.served = True
            template.stood += 1
            assert self.proven is not None
            self.proven.add(self.proof)
            return True
        template.discarded += 1
        return False

    def end(self) -> None:
        """Close what was opened, and leave an observation behind; never raises."""
        session, effects = self.session, self.effects
        database = session.database
        ended = database.asked_at = perf_counter()
        self.seconds = ended - self.began
        session.busy, session.naming = False, 0
        if effects is None:
            return
        if self.describes and not self.raised and self.known is not None and self.known.template is not None:
            self.known.template.description = (database.generation, self.description)
        if self.sends and not self.raised and session.lingering is not None:
            session.release()  # the stream of the statement before has ended with this one
        if not effects.reads_only:
            self._wrote(effects)
        if self.resume is not None:
            self.resume()
        if effects.is_work:
            session.pending = self
            if self.watched is not None and self.kept is None:
                self.after = database.registry.state
            if self.ranged is None and database.predicates.off:
                self.told = True
            elif not self.looks:
                self.tell()

    def tell(self) -> None:
        """Tell the predicate cache of it, once, now that it has been fetched."""
        self.told = True
        if self.ranged is not None or self.seconds >= PREDICATE_SECONDS.default:
            self.session.database.predicates.observe(self)

    def _wrote(self, effects: Effects) -> None:
        """It may have written: its session has learned from it, and its commit window closes."""
        session, close = self.session, self.close
        session.follow(effects, raised=self.raised)
        if close is None:
            return
        self.close = None
        if self.raised:
            session.database.registry.write_raised()
        if effects.everything and not effects.transaction and session.transaction is None and not self.raised:
            session.lingering = close  # a SELECT that writes is streamed, and may commit only once it has been fetched (measured)
        else:
            close()
