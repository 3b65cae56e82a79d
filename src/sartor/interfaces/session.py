"""What one connection has done: its transaction, the names it shadows, and whether its texts still mean what they say.

Sartor runs nothing on the user's connection, so the state of a session is followed from the texts that pass through.
Whatever is not understood makes the session run plain; that is always right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sartor.sql.classify import Effects

if TYPE_CHECKING:
    from sartor.core.design import Design
    from sartor.freshness.registry import RegistryState
    from sartor.interfaces.answer import Answer
    from sartor.interfaces.call import Call
    from sartor.interfaces.database import Database

# Settings that can not show in an answer: also results that were kept stay right.
_UNSEEN_SETTINGS = frozenset(
    {
        "threads",
        "worker_threads",
        "external_threads",
        "memory_limit",
        "max_memory",
        "temp_directory",
        "max_temp_directory_size",
        "enable_progress_bar",
        "enable_progress_bar_print",
        "progress_bar_time",
        "checkpoint_threshold",
        "wal_autocheckpoint",
        "streaming_buffer_size",
        "max_streaming_buffer_size",
    }
)
# Settings that change how fast a statement runs or how it is shown, never what a copy of a table's columns holds, nor
# what a name means. Expressions are evaluated under the user's own session either way, so those that change the value
# of an expression (TimeZone, ieee_floating_point_ops, …) are neutral too; integer_division is not, for views divide. All
# others make everything run plain.
NEUTRAL_SETTINGS = frozenset(
    {
        *_UNSEEN_SETTINGS,
        "enable_profiling",
        "profiling_mode",
        "profile_output",
        "profiling_output",
        "profiling_coverage",
        "max_execution_time",
        "timezone",
        "calendar",
        "default_null_order",
        "null_order",
        "default_order",
        "ieee_floating_point_ops",
        "merge_join_threshold",
        "nested_loop_join_threshold",
        "prefer_range_joins",
        "perfect_ht_threshold",
        "dynamic_or_filter_threshold",
        "index_scan_percentage",
        "index_scan_max_count",
        "errors_as_json",
    }
)
# These DuckDB keeps for each connection; all others may change what every connection of the instance answers.
_OF_THIS_SESSION = frozenset({"schema", "search_path"})


@dataclass(slots=True)
class Transaction:
    """An explicit transaction of the user's.

    Attributes:
        noted: the registry before the transaction's first statement was sent.
        design: the design of that moment; younger generations may be unknown to the transaction's snapshot.
        wrote: it has sent something that is not a proven read; from then on it runs plain.
    """

    noted: RegistryState
    design: Design
    wrote: bool = False
    appends: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)
    everything: bool = False
    defines: bool = False
    _changes: dict[str, frozenset[str]] = field(default_factory=dict)
    _rough: set[str] = field(default_factory=set)

    def intend(self, effects: Effects) -> None:
        """Remember what a statement of this transaction will have done once it commits."""
        self.wrote = True
        self.appends |= effects.appends
        self.mutates |= effects.mutates
        changes = dict(effects.changes)
        self._rough |= effects.mutates - changes.keys()
        for name, columns in changes.items():
            self._changes[name] = self._changes.get(name, frozenset()) | columns
        self.everything |= effects.everything
        self.defines |= effects.defines

    @property
    def changes(self) -> dict[str, frozenset[str]]:
        """As in `Effects`, of all its statements together."""
        return {name: columns for name, columns in self._changes.items() if name not in self._rough}


@dataclass(slots=True, weakref_slot=True)
class Session:
    """The state of one connection.

    Attributes:
        plain: why this session runs everything plain; empty if it does not.
        shadows: lower-case names that mean something else here than in the catalog.
        prepared: what EXECUTE of a prepared name does.
        pending: the last statement, whose observation still grows while its result is fetched.
        busy: a statement is being sent.
        lingering: closes the commit window of a statement whose result may still be streamed, and which commits when it ends.
        profiles: the user may ask for the profile of a statement, so that each has to run.
        answer: the result of the last statement, where it was looked up in memory and not run.
        naming: the thread on which it is being decided, or has been, that what is sent names derived objects, which may not be dropped
            meanwhile; 0 if there is none.
    """

    database: Database
    transaction: Transaction | None = None
    plain: str = ""
    shadows: frozenset[str] = frozenset()
    prepared: dict[str, Effects] = field(default_factory=dict)
    pending: Call | None = None
    busy: bool = False
    naming: int = 0
    profiles: bool = False
    answer: Answer | None = None
    lingering: Callable[[], None] | None = None

    def resolve(self, effects: Effects) -> Effects:
        """Put what the prepared statement does in the place of its EXECUTE."""
        if effects.executes:
            return replace(self.prepared.get(effects.executes, effects), reads_only=False)
        return effects

    def follow(self, effects: Effects, *, raised: bool) -> None:
        """Take in what a statement that has been sent may have done to this session."""
        match effects.transaction:
            case "begin" if not raised:
                self.transaction = Transaction(self.database.registry.state, self.database.design)
            case "commit" | "rollback":
                self.transaction = None
            case _:
                self._learn(effects)

    def _learn(self, effects: Effects) -> None:
        if effects.prepares is not None:
            name, prepared = effects.prepares
            self.prepared[name] = prepared
        if effects.shadows:
            self.shadow_all(effects.shadows)
        if effects.attaches:
            self.database.shadow(effects.attaches)
        if effects.session and not effects.shadows:
            self._learn_settings(effects)

    def _learn_settings(self, effects: Effects) -> None:
        if not effects.settings:
            if not effects.harmless_session:
                self.plain = "a statement changed this session in a way that is not followed"
                self.database.predicates.stop_serving(self.plain)
                self.database.results.stop(self.plain)
            return
        for name, _ in effects.settings:
            if name not in _UNSEEN_SETTINGS:
                self.database.predicates.stop_serving(f"the setting {name} was changed")
                self.database.results.stop(f"the setting {name} was changed")
            if name in _OF_THIS_SESSION:
                self.plain = f"{name} was changed, so names may mean something else"
            elif name not in NEUTRAL_SETTINGS:
                self.database.run_plain(f"the setting {name} was changed")

    def shadow_all(self, names: frozenset[str]) -> None:
        """Note that names mean something else on this connection from now on."""
        self.shadows |= names

    def hides(self, names: frozenset[str]) -> bool:
        """Whether one of these lower-case names means something else here than in the catalog."""
        shadows = self.shadows | self.database.shadows
        return bool(shadows) and not shadows.isdisjoint(names)

    def release(self) -> None:
        """No result of this connection is streamed any more; may be called twice."""
        close, self.lingering = self.lingering, None
        if close is not None:
            close()

    def leave(self) -> None:
        """The connection is closed or collected; may be called twice."""
        self.transaction = None
        self.release()
        self.database.leave(self)


SESSIONS: dict[
    int, Session
] = {}  # of open connections, by their identity: a weak dictionary takes thrice as long, twice in each statement
