"""What a round asks for and is answered with, what it begins with, and what it has done so far."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis, WantedKey
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Design
from sartor.core.table import Catalog, Inclusion
from sartor.tuner.outcome import Refusal
from sartor.tuner.reorganising import Drifting, Move
from sartor.tuner.trial import Pair
from sartor.workload.workload import Execution, TemplateStatistics, Workload


@dataclass(frozen=True, slots=True)
class FindKey:
    """Look whether some of these columns are a key of their table, or whether an inclusion holds. Answered with `Made`."""

    wanted: WantedKey | Inclusion
    identifier: int


@dataclass(frozen=True, slots=True)
class Know:
    """See the workload and the catalog as they look under the facts of a design. Answered with `Known`."""

    design: Design


@dataclass(frozen=True, slots=True)
class Appraise:
    """Propose and estimate for these templates. Answered with `Appraised`.

    Attributes:
        components: the names of those that are asked, each about each template. If empty all are, but what one of them is expected to
            settle is not offered to the next ones, for estimating takes time.
    """

    workload: Workload
    catalog: Catalog
    components: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Build:
    """Build one object. Answered with `Made`."""

    estimate: Estimate
    identifier: int
    share_done: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop one object that was just built. Answered with `Made`, without an object."""

    derived: DerivedObject


@dataclass(frozen=True, slots=True)
class Try:
    """Run one statement plain and by an alternative, and compare. Answered with `Tried`."""

    execution: Execution
    option: Alternative
    design: Design
    catalog: Catalog
    share_done: float


Step = FindKey | Know | Appraise | Build | Drop | Try


@dataclass(frozen=True, slots=True)
class Made:
    """What building or looking for a key gave: an object, or why there is none, and whether that was an error.

    Attributes:
        now: in seconds, from any start.
    """

    now: float
    derived: DerivedObject | None
    reason: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    now: float
    workload: Workload
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class Appraised:
    """Estimates of what was proposed, and what could not be estimated with its reason.

    Attributes:
        withheld: for templates that were not offered to all components, by digest, the names of those that they were not offered to.
    """

    now: float
    estimates: tuple[Estimate, ...]
    refused: tuple[Refusal, ...] = ()
    withheld: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tried:
    """A pair of runs; without one, why the alternative is not usable, empty if it does not serve this statement, or not just now."""

    now: float
    pair: Pair | None
    reason: str = ""


Answer = Made | Known | Appraised | Tried
Note = Callable[[str, str, str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Start:
    """What a round begins with.

    Attributes:
        workload: with analyses.
        alternatives: the ways to answer an analysed statement from objects, the best first.
        next_identifier: a number that no object has had.
        note: takes a decision for the ledger: its kind, its subject, a line about it, what else is known of it.
        deadline: when building and trying has to end, on the clock of `now`.
        sizes: what actions took that were built in former rounds, as `Round.sizes`: what turned out too large is not built again.
        wants: inclusions that would let templates be answered if they held, of some templates that nothing answers yet.
        rests: identifiers of the inclusions that an alternative of a statement rests on.
        only_report: stop after choosing.
        drifting: by the name of a table, what is counted of its drift.
        mends: what was made of rows that change can be mended where a copy tells how; not where row ids can not be told to stand.
    """

    now: float
    deadline: float
    storage_bytes: float
    design: Design
    workload: Workload
    catalog: Catalog
    alternatives: Callable[[Analysis, Sequence[DerivedObject]], Sequence[Alternative]]
    note: Note
    next_identifier: Callable[[], int]
    sizes: Mapping[object, int] = field(default_factory=lambda: MappingProxyType({}))
    wants: Callable[[Workload], Mapping[Inclusion, float]] = lambda workload: {}
    rests: Callable[[Analysis, Alternative, Mapping[int, DerivedObject]], frozenset[int]] = lambda *alternative: frozenset()
    only_report: bool = False
    mends: bool = True
    drifting: Mapping[str, Drifting] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(slots=True)
class Round:
    """What a round has done so far, and in the end has decided.

    Attributes:
        design: the design that is to be in force; the one from before until the round is settled.
        idle: objects that are to be dropped, because no template uses them.
        measured: per template digest, the median seconds plain and by what is best.
        choices: per template digest, the alternative that its trial chose.
        failed: those of the refused whose building raised.
        yielding: objects that make room where room is needed, those that save least for their bytes first; losing: those of them that
            go in any case, for they cost more than they save.
        sizes: what each action takes that was built, by its sources and its definition.
        made: all actions that were built, also those whose objects were dropped again.
        estimates: what was chosen among, with what is known of it.
        moves: what the counters of tables said.
        promised: in a round that only reports, a line for each object that would be built.
    """

    design: Design
    reads: tuple[TemplateStatistics, ...] = ()
    facts: list[DerivedObject] = field(default_factory=list)
    built: list[DerivedObject] = field(default_factory=list)
    idle: list[DerivedObject] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    failed: list[Refusal] = field(default_factory=list)
    choices: dict[str, Alternative] = field(default_factory=dict)
    measured: dict[str, tuple[float, float]] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    build_seconds: float = 0.0
    yielding: tuple[int, ...] = ()
    losing: frozenset[int] = frozenset()
    sizes: dict[object, int] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    made: list[Action] = field(default_factory=list)
    estimates: list[Estimate] = field(default_factory=list)
    interrupted: bool = False


Machine = Generator[Step, Answer, Round]


def name_of(action: Action) -> str:
    """What an action is called where people read it."""
    definition: dict[str, Any] = dict(action.definition)
    name = f"{action.component} of {', '.join(str(source) for source in action.sources)}".replace('"', "")
    if "key" not in definition:
        return name
    key = ", ".join(definition["key"])
    return f"{name} by {key}" if key else f"{name} in its own order"


def promise(item: Estimate) -> str:
    """What an estimate foretells, as a line."""
    best = max((evidence.value for evidence in item.seconds_saved.values()), default=0.0)
    helped = f"help {len(item.seconds_saved)} templates by up to {best * 1e3:.1f} ms a run" if best else "spare views their rebuilding"
    return (
        f"{name_of(item.action)} is predicted to {helped}, at "
        f"{item.build_seconds.value:.1f} s to build and {item.bytes_stored.value / 1e6:.0f} MB"
    )


def refuse(start: Start, state: Round, name: str, reason: str) -> None:
    """Note that something is not built or not kept, and why."""
    state.refused.append(Refusal(name, reason))
    start.note("refuse", name, f"{name}: {reason}", {})


def storage_left(start: Start, state: Round) -> float:
    """What may still be built: what is to make room counts as gone, though it stands until the round is settled."""
    stands = [derived for identifier, derived in start.design.objects.items() if identifier not in state.yielding]
    return start.storage_bytes - sum(derived.bytes_stored for derived in (*stands, *state.built))


def with_objects(design: Design, built: Sequence[DerivedObject]) -> Design:
    """A design with more objects."""
    return replace(design, objects={**design.objects, **{derived.identifier: derived for derived in built}})
