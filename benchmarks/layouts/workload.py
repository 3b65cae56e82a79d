"""What a workload of layouts is made of, and where its data comes from."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from benchmarks.statement import Suite

Answer = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Workload:
    """A stream of statements over one large table.

    Attributes:
        table: its name; statements read it as `FROM table`, for rivals are put in its place.
        describing: the tables that it is joined to, of which no row groups are counted.
        reads: the columns of it that the statements read.
        keys: those that rivals are sorted by.
        hottest: those that the curves go through.
        statement: draws one.
        passing: how many rows pass a statement's conditions, by its answer; None where that does not tell.
        scattered: what the rows are put in the order of before all, so that load order helps no column; empty if they stay.
    """

    name: str
    table: str
    describing: frozenset[str]
    reads: tuple[str, ...]
    keys: tuple[str, ...]
    hottest: tuple[str, ...]
    statement: Callable[[random.Random], str]
    passing: Callable[[Answer], int] | None = None
    scattered: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A set of data with its workloads.

    Attributes:
        suite: whose data it is.
        scale: of that suite for a million of the shop's items: 20 million go with TPC-H at scale factor 3 and with all results.
        most: the largest scale that there is.
        workloads: those of data that is loaded.
    """

    suite: Suite
    scale: float
    most: float
    workloads: Callable[[duckdb.DuckDBPyConnection], Sequence[Workload]]


def repeated(table: str, columns: Sequence[str], conditions: Sequence[str], pick: random.Random) -> str:
    """One of some select lists under one of few conditions, the same again and again."""
    return f"SELECT {pick.choice(columns)} FROM {table} WHERE {pick.choice(conditions)}"


def star(table: str, shown: Sequence[tuple[str, str]], joins: Sequence[str], pick: random.Random) -> str:
    """The rows that conditions on joined tables let through, by one of few joins; what is shown goes with what stands behind."""
    columns, behind = pick.choice(shown)
    return f"SELECT {columns} FROM {table} {pick.choice(joins)} {behind}"


def counted(answer: Answer) -> int:
    """The rows that passed, by an answer that counts them first."""
    return int(answer[0][0])
