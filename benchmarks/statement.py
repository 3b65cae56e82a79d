"""What a suite is made of: statements, the two halves of a stream, and where the data comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import duckdb

NO_QUESTIONS: Mapping[str, str] = MappingProxyType({})
BLOCK = 20  # of 1, each statement finds the processor's caches full of what the other columns read, which no user's does
Parameters = Sequence[Any] | dict[str, Any] | None


class BenchmarkError(Exception):
    """The benchmark can not run as asked; the message says what to do next."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a stream.

    Attributes:
        name: of its template; the figures are gathered by it.
        writes: it changes data and so goes to every column without being compared.
        at_seconds: when it arrives, counted from midnight of the half's day; orders the stream, nobody waits for it.
        idle: nobody asks for a while after it, so what was built may be refreshed.
    """

    name: str
    text: str
    parameters: Parameters = None
    writes: bool = False
    at_seconds: float = 0.0
    idle: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """The half that the tuner may watch, and the half that is judged.

    Attributes:
        appended: writes after both, that append a thousandth of the rows; none where nothing is ever appended.
    """

    observed: tuple[Statement, ...]
    judged: tuple[Statement, ...]
    appended: tuple[Statement, ...] = ()

    @property
    def seen(self) -> frozenset[str]:
        """Names of the templates that occur in the observed half."""
        return frozenset(statement.name for statement in self.observed)


@dataclass(frozen=True, slots=True)
class Options:
    """How one run is set.

    Attributes:
        scale: in the suite's own unit.
        statements: how many each half of the stream holds, about; 0 for the suite's default.
        data: where the suite's data lies, for suites that do not make it.
        storage: for what is built: "2GB", or "30%" of the database file as it was loaded.
        runs: how often the judged half asks each template, for suites that count so; 0 for the others.
        rounds: how many parts each day is cut into, with writes between them.
        days: how many of them the judged half has, for suites that count so.
        block: how many reads each column answers before the next column has its turn.
        expert: "sorts" (sorted copies) or "summaries" (these and summary tables).
        keep_results: as Sartor is opened.
        predicate_cache: and by `predicate_cache=True`.
    """

    scale: float
    seed: int
    threads: int = 1
    statements: int = 0
    data: Path | None = None
    storage: str = "2GB"
    tune_seconds: float = 60.0
    runs: int = 0
    rounds: int = 1
    days: int = 1
    block: int = BLOCK
    expert: str = "sorts"
    keep_results: bool = True
    predicate_cache: bool = False


class Suite(Protocol):
    """One folder of `benchmarks/suites`.

    Attributes:
        default_runs: of each template in the judged half; 0 where a stream decides how often a template comes.
        has_rounds: it counts in days, which can be cut into rounds with writes between them.
        questions: the texts that it fills with literals, by the name of the template, where it keeps them so.
    """

    name: str
    default_scale: float
    default_storage: str
    default_runs: int
    has_rounds: bool
    questions: Mapping[str, str]
    folder: Path
    unit: str

    def origin(self, options: Options) -> str:
        """What the data depends on besides scale and seed: a loaded file is used again only while this is the same."""

    def load(self, connection: duckdb.DuckDBPyConnection, options: Options) -> None:
        """Fill an empty database."""

    def stream(self, connection: duckdb.DuckDBPyConnection, options: Options) -> Stream:
        """Draw the statements; the connection holds the loaded data and is only read."""
