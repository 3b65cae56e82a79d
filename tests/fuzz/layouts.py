"""One run over layouts: conditions that repeat, some with the literals of a bit and some with others, beside plain DuckDB."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from sartor.components.layouts import LAYOUTS, cells, tree, truth_bits
from sartor.components.layouts.conditions import Bit, Condition, conditions, cuts, others
from sartor.components.layouts.curves import CURVES
from sartor.components.layouts.grow import Node
from sartor.core.action import Action
from sartor.core.derived import HIDDEN_COLUMN
from sartor.core.table import Column, TableName
from sartor.engines.duckdb import create
from sartor.interfaces import known
from sartor.interfaces.connection import session_of
from sartor.sql.analyse import analyse
from tests.fuzz import layout_joins
from tests.fuzz.data import TABLES
from tests.fuzz.pair import Each, Report, silent
from tests.fuzz.queries import Grammar, Query, Shape
from tests.fuzz.run import Run, _never_slower

# With `{p}` for the alias and `{v}` for what differs between statements; the last _NULL_PASSES are true of rows with NULL.
_CONDITIONS = (
    ("{p}s LIKE '%{v}%'", ("1", "a", "A", "7")),
    ("{p}s NOT LIKE '%{v}'", ("1", "b")),
    ("{p}s IN ('ab', '{v}')", ("A", "a")),
    ("{p}k < {p}g", ("",)),
    ("{p}x > {p}m", ("",)),
    ("{p}g IN (1, {v})", ("2", "3")),
    ("lower({p}s) = '{v}'", ("a", "v3")),
    ("NOT ({p}k > {v} OR {p}g = 2)", ("3", "40")),
    ("{p}k <> {v}", ("1", "2")),
    ("month({p}d) = {v}", ("1", "3")),
    ("{p}x * 2.0 > {v}", ("1.5", "20")),
    ("{p}s IS NULL OR {p}k = {v}", ("1", "5")),
    ("coalesce({p}k, 0) = {v}", ("0", "1")),
    ("CASE WHEN {p}k > {v} THEN {p}b ELSE {p}s IS NULL END", ("1", "9")),
)
_NULL_PASSES = 3  # of the conditions, the last ones
_OUTER = 12  # outer joins that are asked in turn
_LAYOUTS = 7  # that stand at once, before all are undone
_FEWEST_BITS = 4
_CELLS = 0.25  # of the layouts
_TREES = 0.3  # of the others
_JOINED = 0.45  # of the rest
_CUTS = 10
_DEPTH = 5
_JOINED_BITS = 12
_STREAMED = 0.7  # of the tables made of rows that can be streamed, however few they are
_USUAL = 3  # how often the first literal is asked, for once of each other


class LayoutGrammar(Grammar):
    """The shapes of the other grammar, with conditions that may be bits, and joins that may leave their table empty."""

    def condition(self, prefix: str = "") -> Shape:
        """A condition that may be a bit, with one of few literals."""
        return self._of(*self._random.choice(_CONDITIONS), prefix)

    def conditions(self, count: int) -> list[str]:
        """So many conditions of different kinds."""
        return [self._of(*one, "")() for one in self._random.sample(_CONDITIONS, count)]

    def _of(self, pattern: str, values: tuple[str, ...], prefix: str) -> Shape:
        weights = [_USUAL, *[1] * (len(values) - 1)]
        return lambda: pattern.format(p=prefix, v=self._random.choices(values, weights)[0])

    def _condition(self, prefix: str = "", columns: str = "kgdts") -> Shape:
        return super()._condition(prefix, columns) if self._random.random() < 0.3 else self.condition(prefix)

    def _where(self, prefix: str = "") -> Shape:
        one, other, pick = self.condition(prefix), super()._where(prefix), self._random.random()
        if pick < 0.4:
            return lambda: f"WHERE {one()}"
        return (lambda: f"WHERE {one()} AND ({other().removeprefix('WHERE ')})") if pick < 0.8 else other

    def _shape(self) -> Callable[[], Query]:
        makers = [self._selection, self._selection, self._ungrouped, self._grouped, self._top, self._join, self._outer_join, self._cte]
        makers += [self._inner_join] * 4
        return self._random.choice([*makers, self._union, self._distinct, self._set_test])()

    def _join(self) -> Callable[[], Query]:
        if self._random.random() < 0.4:
            return super()._join()
        return self._outer_join()

    def _inner_join(self) -> Callable[[], Query]:
        """A join under conditions on the joined table."""
        clause, own = layout_joins.join(self._random), self._random.choice([None, None, self.condition("f.")])
        columns, tail = self._random.choice(
            [
                ("count(*), min(f.d), max(f.n)", ""),
                ("f.g, count(*), sum(o.m)", " GROUP BY f.g ORDER BY f.g"),
                ("DISTINCT f.n, o.s", " ORDER BY f.n, o.s"),
            ]
        )
        return lambda: Query("inner join", f"SELECT {columns} {clause()}{f' AND ({own()})' if own is not None else ''}{tail}", True)

    def _outer_join(self) -> Callable[[], Query]:
        """Joins that may leave a table empty, many under one shape."""
        texts = [self._outer() for _ in range(_OUTER)]
        return lambda: Query("outer join", self._random.choice(texts)(), True)

    def _outer(self) -> Shape:
        """A join that may leave a table empty, mostly under a condition that NULL may pass."""
        side = self._random.choice(["LEFT", "RIGHT", "FULL"])
        tables = self._random.choice([f"others o {side} JOIN facts f", f"facts f {side} JOIN others o"])
        condition = (
            self._of(*self._random.choice(_CONDITIONS[-_NULL_PASSES:]), "f.") if self._random.random() < 0.7 else self.condition("f.")
        )
        return lambda: (
            f"SELECT o.g, count(*), count(f.k) FROM {tables} ON f.k = o.k AND f.g = o.g WHERE {condition()} GROUP BY o.g ORDER BY o.g"
        )


class LayoutRun(Run):
    """Statements over single tables and their joins, served from layouts."""

    _lays_out = True
    _widest = "DECIMAL(38,0)"  # of HUGEINT no stream is made

    def __init__(self, folder: Path, seed: int, bulk: int) -> None:
        self._pool = LayoutGrammar(random.Random(seed), ("'one.parquet'",))
        super().__init__(folder, seed, bulk)
        self._grammar = LayoutGrammar(self._random, self._files.scans)

    def step(self) -> None:
        """One statement, or one event around statements."""
        pick = self._random.random()
        self.report.statements += 1
        if pick < 0.84:
            self._select(self._random.randrange(2))
        elif pick < 0.93:
            self._change()
            if self._random.random() < 0.6:
                self._refresh()
        else:
            events = [self._checkpoint, self._refresh, self._refresh, self._install, self._install, self._reader_transaction]
            events += [self._writer_transaction, self._writer_transaction, self._shadow, self._scattered_delete, self._past_sartor]
            events += [self._around_a_change] * 3
            self._random.choice([*events, self._reopen, self._define])()

    def _note_served(self, pending: Any) -> None:
        super()._note_served(pending)
        asked = pending.instead.count(f'"{HIDDEN_COLUMN}')
        self.report.coverage["several bits of one statement" if asked > 1 else "one bit" if asked else "cells"] += 1
        objects = session_of(self._connections[0]).database.design.objects
        taken = [objects[one] for one in pending.alternative if one in objects]
        if any(tree.is_tree(derived.action) for derived in taken):
            self.report.coverage["leaves of a tree" if asked else "a tree, by zone maps alone"] += 1
        if asked and any(derived.action.others for derived in taken):
            self.report.coverage["a bit of a joined table"] += 1
        if " JOIN " in pending.known.text:
            self.report.coverage["beside a join"] += 1
        if " IS NULL" in pending.known.text or "coalesce" in pending.known.text:
            self.report.coverage["a condition that NULL may pass"] += 1

    def _install(self, name: str = "") -> None:
        """A layout made by hand of a table, by random conditions; sometimes everything is undone first."""
        database = session_of(self._connections[0]).database
        if len(database.design.objects) >= _LAYOUTS:
            self._connections[0].undo()
            self.report.coverage["undo"] += 1
            for other in TABLES:
                self._install(other)
        name = name or self._random.choice(["facts", "facts", *TABLES])
        info = database.catalog().resolve((name,))
        assert info is not None
        assert isinstance(info.source, TableName)
        if self._random.random() < _CELLS:
            database.install(self._cells(info.source, info.columns))
            return
        if self._random.random() < _TREES:
            database.install(self._tree(info.source, info.columns))
            return
        if self._random.random() < _JOINED:
            texts = layout_joins.statements(self._random, name, _JOINED_BITS)
            texts += [f"SELECT count(*) FROM {name} WHERE {one}" for one in self._pool.conditions(self._random.randrange(1, 4))]
            database.install(self._joined(info.source, info.columns, texts))
            return
        bits: dict[Bit, None] = {}
        for condition in self._pool.conditions(self._random.randrange(_FEWEST_BITS, len(_CONDITIONS) + 1)):
            found = analyse(f"SELECT count(*) FROM {name} WHERE {condition}", database.catalog())
            bits.update(dict.fromkeys(one.example for one in conditions(found, 0)))
        then = tuple(self._random.sample(["k", "g", "d", "s"], self._random.randrange(3)))
        database.install(truth_bits.truth_bits(info.source, info.columns, tuple(bits), then, frozenset()))
        self.report.coverage["installed layout"] += 1

    def _around_a_change(self) -> None:
        """A layout by what a joined table says, what is asked of it, and changes of that table in between."""
        if self._temporary:
            return
        database = session_of(self._connections[0]).database
        info = database.catalog().resolve(("facts",))
        assert info is not None
        assert isinstance(info.source, TableName)
        texts = [*layout_joins.statements(self._random, "facts", 2), "SELECT count(*) FROM facts WHERE k < g"]
        database.install(self._joined(info.source, info.columns, texts))
        for change in ("", layout_joins.change(self._random, self._rows), ""):
            if change:
                self._write(change, self._random.randrange(2))
            for text in texts * 2:
                self._select(self._random.randrange(2), query=Query("around a change", text, True))
            self._refresh()
        self.report.coverage["around a change of a joined table"] += 1

    def _joined(self, source: TableName, columns: Sequence[Column], texts: Sequence[str]) -> Action:
        """A layout by what statements say of a table's rows, some by the tables that they join to it."""
        catalog = session_of(self._connections[0]).database.catalog()
        meant = {one.example: one for text in texts for one in self._found(text, source)}
        bits = tuple(self._random.sample(sorted(meant, key=str), min(len(meant), _JOINED_BITS)))
        tables = others((meant[bit] for bit in bits), catalog)
        self.report.coverage["installed joined layout"] += 1
        return truth_bits.truth_bits(source, columns, bits, (), frozenset(), tables)

    def _found(self, text: str, source: TableName) -> list[Condition]:
        """The conditions that a statement has on a table."""
        analysis = analyse(text, session_of(self._connections[0]).database.catalog(), thorough=True)
        places = [place for place, one in enumerate(analysis.references) if one.source == source]
        return [one for place in places[:1] for one in cuts(analysis, place)]

    def _tree(self, source: TableName, columns: Sequence[Column]) -> Action:
        """A layout by a tree of random cuts, by conditions of its own and of joined tables."""
        table = source.name
        texts = [f"SELECT count(*) FROM {table} WHERE {one}" for one in self._pool.conditions(_CUTS)]
        texts += [f"SELECT count(*) FROM {table} WHERE {one}" for one in ("k < 9", "d >= DATE '2024-02-01'", "s IS NULL")]
        texts += layout_joins.statements(self._random, table, 2) if self._random.random() < 0.5 else []
        meant = {one.example: one for text in texts for one in self._found(text, source)}
        bits = tuple(self._random.sample(sorted(meant, key=str), min(len(meant), _CUTS)))
        then = tuple(self._random.sample(["k", "d", "s"], self._random.randrange(2)))
        numbers = count()

        def grown(depth: int, left: frozenset[int]) -> Node:
            if not left or depth == 0 or self._random.random() < 0.15:
                return next(numbers)
            cut = self._random.choice(sorted(left))
            return cut, grown(depth - 1, left - {cut}), grown(depth - 1, left - {cut})

        node = (0, next(numbers), grown(_DEPTH, frozenset(range(1, len(bits)))))
        self.report.coverage["installed tree"] += 1
        tables = others((meant[bit] for bit in bits), session_of(self._connections[0]).database.catalog())
        dimensions = self._random.choice([(), ("k",), ("k", "d", "s")])
        return tree.tree(source, columns, bits, node, then, frozenset(), tables, dimensions)

    def _cells(self, source: TableName, columns: Sequence[Column]) -> Action:
        """A layout by cells of two to four columns."""
        dimensions = tuple(self._random.sample(["k", "g", "d", "s", "t", "n", "m", "x"], self._random.randrange(2, 5)))
        self.report.coverage["installed cells"] += 1
        if self._random.random() < 0.25:
            return cells.apart(source, columns, (dimensions[0], dimensions[1]), self._random.randrange(1 << 20), frozenset())
        if self._random.random() < 0.4:
            parts = tuple(self._random.randrange(2, 6) for _ in dimensions[1:])
            return cells.grid(source, columns, dimensions, parts, frozenset())
        return cells.curve(self._random.choice(CURVES), source, columns, dimensions, frozenset())

    def _install_scan(self, text: str) -> None:
        """Files have no layouts."""

    def streams(self, *_: Any) -> bool:
        """Whether a table is to be streamed, however long that takes."""
        return self._random.random() < _STREAMED

    def stream(self, *arguments: Any) -> bool:
        """Fill a table by a stream, and note whether that could be done."""
        done = _stream(*arguments)
        self.report.coverage["streamed" if done else "not streamed"] += 1
        return done


_stream = create.stream


def fuzz_layouts(seed: int, statements: int, *, bulk: int = 150_000, stop_at_wrong: bool = False, each: Each = silent) -> Report:
    """Run that many steps in a folder of its own; `each` is told after each of them what was done and found."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(known, "is_suspect", _never_slower),
        mock.patch.object(LAYOUTS, "answers_untried", True),
    ):
        run = LayoutRun(Path(folder), seed, bulk)
        with mock.patch.object(create, "streams_faster", run.streams), mock.patch.object(create, "stream", run.stream):
            return run.play(statements, each, stop_at_wrong=stop_at_wrong)
