"""One run over views: grouped SELECTs over joins, writes to each of the joined tables, and plain DuckDB beside them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest import mock

from sartor.components import views
from sartor.components.sort_keys.apply import sorted_copy
from sartor.components.views import reach
from sartor.components.views.define import view_of
from sartor.core.table import Inclusion, TableName
from sartor.core.view import AT_LAST, VIEWS
from sartor.freshness.facts import is_key
from sartor.freshness.inclusions import verified_inclusions
from sartor.freshness.usable import Use, moved, use
from sartor.interfaces import known, writing
from sartor.interfaces.connection import session_of
from sartor.interfaces.database import Database
from sartor.interfaces.results import KEPT
from tests.fuzz.pair import Each, Pair, Report, silent
from tests.fuzz.queries import Query
from tests.fuzz.rules import rules
from tests.fuzz.star import ITEMS, KINDS, SHOPS, TABLES, Rows, bulk, create_statements
from tests.fuzz.star_aligned import Aligning
from tests.fuzz.star_dates import Dating
from tests.fuzz.star_included import CREATE, INCLUSIONS, Including
from tests.fuzz.star_included import VIEWS as INCLUDING_VIEWS
from tests.fuzz.star_keyed import KEYED_VIEW, Keyed
from tests.fuzz.star_mended import Mending
from tests.fuzz.star_outer import OUTER, Outer
from tests.fuzz.star_placed import Placing
from tests.fuzz.star_queries import GRAPHS, Grammar

_NARROW = 8  # views beside the wide ones
_PLACED, _ALIGNED, _KEYED, _DATED, _OUTER = 0.08, 0.06, 0.06, 0.1, 0.08
"""Statements for placed values, for beginnings, ordered by keys, of parts of dates, of LEFT JOINs, for each other one."""
_INCLUDED = 0.04  # of the steps are about tables that are included in each other
_LEAST, _MOST = 1_500, 12_000  # rows of sales
_GROUPED = ("grouped", "no keys", "distinct", "pivots", "grouping sets", "top")


class StarRun(Pair):
    """Grouped SELECTs over joins, served from materialized views."""

    _hidden = ("sales", "SELECT * FROM sales LIMIT 30")
    _keeps_results = None

    def __init__(self, folder: Path, seed: int, sales: int) -> None:
        super().__init__(folder, seed, "star")
        self._rows = Rows(self._random)
        self._grammar = Grammar(self._random)
        self._mending = Mending(self._random, self._rows)
        self._placing = Placing(self._random)
        self._aligning = Aligning(self._random)
        self._keyed = Keyed(self._random)
        self._dating = Dating(self._random)
        self._outer = Outer(self._random)
        self._including = Including(seed)
        self._failed: list[str] = []  # alternatives that raised since the last statement was judged
        self._mutated = self._rebuilt = self._nothing_appended = False
        self._inserted = sales
        self._wide: set[int] = set()
        self._mended_tables: set[str] = set()  # of views that were mended since they were built
        self._asked_by = 0
        self._open()
        for text in (*create_statements(self._rows, sales), *CREATE):
            self._write(text)
        self._install_all()

    def step(self) -> None:
        """One statement, or one event around statements."""
        self.report.statements += 1
        if self._including.random.random() < _INCLUDED:
            self._change_included()
            return
        pick = self._random.random()
        if pick < 0.78:
            self._select(self._random.randrange(2))
        elif pick < 0.82:
            self._mended()
        elif pick < 0.93:
            for _ in range(self._random.choice([1, 1, 2, 3])):
                self._change_by(self._random.randrange(2))
                for _ in range(2):
                    self._select(self._random.randrange(2))
            if self._random.random() < 0.5 or self._mutated:
                self._refresh()
        else:
            self._random.choice(
                [
                    *[self._checkpoint, self._refresh, self._scattered_delete] * 2,
                    *[self._reader_transaction, self._writer_transaction] * 4,
                    *[self._replace_view] * 8,
                    *[self._change_keys] * 6,
                    *[self._ask_again] * 12,
                    *[self._shadow, self._append_nothing, self._sizes] * 2,
                    self._reopen,
                    self._past_sartor,
                    self._undo,
                    self._tune,
                    self._truncate,
                ]
            )()

    # Reads --------------------------------------------------------------------------------------------------------

    def _ask(self) -> Query:
        special = (self._placing.query, self._aligning.query, self._keyed.query, self._dating.query, self._outer.query)
        return self._random.choices((*special, self._grammar.query), (_PLACED, _ALIGNED, _KEYED, _DATED, _OUTER, 1.0))[0]()

    def _select(self, which: int, reference: Any = None, query: Query | None = None) -> None:
        query = query or self._ask()
        before, self._asked_by = self.report.served, which
        fresh = which not in self._temporary and self._is_fresh()
        super()._select(which, reference, query)
        self.report.coverage["literals of a LEFT JOIN: served"] += query.rule == OUTER and self.report.served > before
        if fresh and query.rule in _GROUPED and session_of(self._connections[which]).transaction is None:
            self.report.coverage["grouped SELECTs while views are fresh"] += 1
            self.report.coverage["grouped SELECTs while views are fresh: served"] += self.report.served > before

    def _reader_transaction(self) -> None:
        """The same statement again and again, before and inside: only what has run before is served inside."""
        if 1 in self._temporary:
            return
        query = self._ask()
        for _ in range(3):
            self._select(1, query=query)
        cursor = self._reference.cursor()
        for connection in (cursor, self._connections[1]):
            connection.execute("BEGIN")
        self._select(1, cursor, query)
        for _ in range(3):
            if self._random.random() < 0.7:
                self._change_by(0)
            if self._random.random() < 0.2:
                self._refresh()
            self._select(1, cursor, query)
            self._select(1, cursor)
        for connection in (cursor, self._connections[1]):
            connection.execute("COMMIT")
        cursor.close()
        self.report.coverage["reading transaction"] += 1

    def _is_fresh(self) -> bool:
        database = session_of(self._connections[0]).database
        state = database.registry.state
        return all(use(derived, state) is not Use.NO for derived in database.design.objects.values())

    def _judge(self, query: Query, expected: Any, given: Any, connection: Any) -> None:
        super()._judge(query, expected, given, connection)
        if self._failed and not isinstance(expected[0], type):
            self.report.wrong.append(f"statement {self.report.statements} ({query.rule}): {query.text}\n    {self._failed[0]}")
        self._failed.clear()

    def _note_served(self, pending: Any) -> None:
        template, coverage = pending.known.template, self.report.coverage
        coverage["kept"] += KEPT in pending.alternative
        database = session_of(self._connections[0]).database
        coverage["rested on a verified key"] += len(pending.how) > len(template.alternative)
        for replacement, how in zip(template.alternative, pending.how, strict=False):
            derived = database.design.objects.get(replacement.object)
            if derived is None or derived.action.component != VIEWS:
                continue
            if how is Use.RESIDUAL:
                coverage["residual: told"] += any(one is not None and one.derived is derived for one in pending.told_rows)
                places = len(moved(derived, database.registry.state))
                coverage["residual: nothing was appended" if self._nothing_appended else f"residual: {places} moved"] += 1
            else:
                coverage["whole"] += 1
                coverage["whole, after it was mended"] += derived.table in self._mended_tables
            coverage["after a mutation and a refresh"] += self._rebuilt
            coverage[f"served: {len(derived.action.sources)} tables"] += 1
            rests = views.rests(template.analysis, replacement.reference, derived)
            coverage["rested on an inclusion"] += bool(rests)
            coverage["rested on an inclusion: appended since"] += bool(rests) and how is Use.RESIDUAL
            coverage["rested on several inclusions"] += len(rests) > 1
            for rule in set(rules(template.analysis.blocks[replacement.reference], derived, pending.parameters)):
                coverage[f"rule: {rule}"] += 1
            if session_of(self._connections[self._asked_by]).transaction is not None:
                coverage["served inside a transaction"] += 1
        if len(template.alternative) > 1:
            coverage["several blocks of one statement"] += 1
        self._rebuilt = False

    # Writes -------------------------------------------------------------------------------------------------------

    def _change_by(self, which: int) -> None:
        if which in self._temporary:
            return
        pick, rows = self._random, self._rows
        table = pick.choice(["sales", "sales", "sales", "items", "items", "kinds", "shops", "visits", "nothing"])
        column = pick.choice([name for name, kind in TABLES[table].items() if "KEY" not in kind])
        where = f"{pick.choice([c for c in TABLES[table] if c in 'ikhywluv'])} = {pick.randrange(9)}"
        insert: Callable[[], str] = lambda: f"INSERT INTO {table} VALUES {rows.rows(table, pick.choice([1, 2, 6]))}"  # noqa: E731
        if table == "shops":
            insert = lambda: f"INSERT INTO shops VALUES ({pick.randrange(SHOPS + 9)}, {rows.row('shops').partition(', ')[2]}"  # noqa: E731
        if "d" in TABLES[table]:
            where += pick.choice(["", f" AND hash(d) % 9 = {pick.randrange(9)}"])
        value = "NULL" if column not in ("u", "h") and pick.random() < 0.3 else rows.value(column)
        update = f"UPDATE {table} SET {column} = {value} WHERE {where}"
        makers = [
            *[insert] * 8,
            lambda: update,
            lambda: update,
            lambda: f"DELETE FROM {table} WHERE {where} AND {pick.randrange(3)} > 0",
        ]
        if table in ("sales", "items", "nothing"):
            makers += [lambda: f"INSERT INTO {table} SELECT * FROM {table} WHERE {where} LIMIT 9", insert]
        if table == "sales":
            self._inserted += 50
            makers += [lambda: bulk(self._inserted, 50)] * 2
        if table == "shops":
            makers.append(lambda: f"INSERT OR REPLACE INTO shops VALUES ({pick.randrange(9)}, 'v1', {rows.value('area')}, NULL)")
        if table == "kinds":
            makers.append(
                lambda: (
                    "MERGE INTO kinds o USING (SELECT 2 AS k) z ON o.k = z.k WHEN MATCHED THEN UPDATE SET l = 3 "
                    f"WHEN NOT MATCHED THEN INSERT VALUES (2, 'v2', {rows.value('l')}, 0.5)"
                )
            )
        text = pick.choice(makers)()
        self._mutated |= not text.startswith("INSERT INTO")
        self._nothing_appended = False
        self.report.coverage[f"write: {text.split()[0]} {table}"] += 1
        self._write(text, which)

    def _mended(self) -> None:
        """What groups of a view hold changes by one table or by two that join; the view is mended, and asked."""
        pick = self._random
        self._refresh()
        view = pick.choice(self._mending.views)
        for query in view.queries:  # what is asked again is analysed, and served from then on
            self._select(0, query=query)
        asked = list(view.queries)
        for round_ in range(pick.choice([1, 1, 2])):
            if round_:  # a view of another moment than the copies
                later = self._mending.view(view.graph)
                self._install(later.text)
                asked += later.queries * 2
            for text in self._mending.writes(view):
                self.report.coverage[f"write: {text.split()[0]} before views are mended"] += 1
                self._write(text)
                self._mutated |= not text.startswith("INSERT INTO")
        self._refresh()
        others = [one for one in self._mending.views if one is not view and set(one.graph) & set(view.graph)]
        for query in [*asked, *(query for one in others for query in pick.sample(one.queries, 2))]:
            self._select(0, query=query)

    def _ask_again(self) -> None:
        """One statement again and again with rows appended between: what they add is told by its text from the second time on."""
        query = self._ask()
        for _ in range(2):
            self._select(0, query=query)
        for _ in range(self._random.choice([1, 2, 3])):
            table = self._random.choice(["sales", "sales", "items", "kinds"])
            for _ in range(self._random.choice([1, 1, 2])):
                text = f"INSERT INTO {table} VALUES {self._rows.rows(table, self._random.choice([1, 3, 9]))}"
                self._write(text, self._random.randrange(2))
            for _ in range(3):
                self._select(self._random.randrange(2), query=query)

    def _append_nothing(self) -> None:
        """An append that brings no row: the residual is empty, and nobody knows it before."""
        self._refresh()
        table = self._random.choice(["sales", "items"])
        self._write(f"INSERT INTO {table} SELECT * FROM {table} WHERE i > 99999")
        self._nothing_appended = True
        for _ in range(4):
            self._select(0)
        self._nothing_appended = False

    def _truncate(self) -> None:
        """A table is emptied, and filled again: from no rows covered, everything is residual."""
        table = self._random.choice(["kinds", "items", "nothing"])
        self._write(f"TRUNCATE {table}")
        self.report.coverage["truncate"] += 1
        self._select(0)
        self._refresh()
        for _ in range(4):
            self._select(0)
        self._write(f"INSERT INTO {table} VALUES {self._rows.rows(table, {'kinds': KINDS, 'items': ITEMS}.get(table, 3))}")
        for _ in range(6):
            self._select(self._random.randrange(2))
        self._refresh()

    def _scattered_delete(self) -> None:
        """Rows go from many row groups, a checkpoint moves those that stay, and others are appended behind them."""
        table = self._random.choice(["sales", "items"])
        values = ", ".join(("99" if name == "i" else "7") if name in ("i", "u") else "NULL" for name in TABLES[table])
        self._write(f"INSERT INTO {table} SELECT {values} FROM range(260000)")
        self._write(f"INSERT INTO {table} VALUES {self._rows.rows(table, 20)}")
        self._write(f"DELETE FROM {table} WHERE i = 99")
        self._refresh()
        if self._random.random() < 0.5:
            self._write(f"INSERT INTO {table} VALUES {self._rows.rows(table, 5)}")
        self._write("CHECKPOINT")
        self.report.coverage["checkpoint after a scattered delete"] += 1
        for _ in range(3):
            self._write(f"INSERT INTO {table} VALUES {self._rows.rows(table, 5)}")
            for _ in range(3):
                self._select(self._random.randrange(2))

    def _sizes(self) -> None:
        """Keep the tables from running empty or wild."""
        sales, items, kinds = (self._reference.table(name).count("*").fetchall()[0][0] for name in ("sales", "items", "kinds"))
        if sales < _LEAST:
            self._write(bulk(self._inserted, _LEAST))
        elif sales > _MOST:
            self._write("DELETE FROM sales WHERE hash(d) % 3 = 0")
        if items > 3 * ITEMS:
            self._write("DELETE FROM items WHERE w IN (1, 3)")
        if kinds > 3 * KINDS:
            self._write("DELETE FROM kinds WHERE l > 1")
        self._write("DELETE FROM nothing WHERE u < 5")
        self._refresh()

    def _refresh(self) -> None:
        database = session_of(self._connections[0]).database
        state = database.registry.state
        stale = {d.table for d in database.design.objects.values() if d.action.component == VIEWS and use(d, state) is Use.NO}
        super()._refresh()
        tables = {derived.table for derived in database.design.objects.values()}
        self.report.coverage["view mended"] += len(stale & tables)
        self.report.coverage["view built anew"] += len(stale - tables)
        self._mended_tables = (self._mended_tables | stale) & tables
        self._rebuilt |= self._mutated
        self._mutated = self._nothing_appended = False

    # Views --------------------------------------------------------------------------------------------------------

    def _install_all(self) -> None:
        """Views that are mended and narrow views, and after them wide ones that answer what no other does.

        Of two of one size the first is taken.
        What is asked of visits alone is left to the view that joins them with their shops, by a declared key.
        """
        for view in self._mending.views:
            self._wide.add(self._install(view.text))
        for placed in self._placing.views:
            self._wide.add(self._install(placed.text, placed.along, placed.function))
        for aligned in self._aligning.views:
            self._wide.add(self._install(aligned.text, units=aligned.units))
        for dated in self._dating.views:
            self._wide.add(self._install(dated.text))
        for outer in self._outer.views:
            self._wide.add(self._install(outer))
        self._wide.add(self._install(KEYED_VIEW))
        self._included_views = {text: self._install(text) for text in INCLUDING_VIEWS}
        self._wide.update(self._included_views.values())
        for _ in range(3):
            self._install(self._grammar.deciding_view())
        for _ in range(_NARROW):
            self._install(self._grammar.narrow_view())
        for graph in sorted(set(GRAPHS) - {"v"}):
            self._wide.add(self._install(self._grammar.wide_view(graph)))
        self._install_copies()

    def _change_keys(self) -> None:
        """Look for a key that nobody declared, rest on it where there is one, and write what leaves it one or does not."""
        database = session_of(self._connections[0]).database
        for _ in range(2):
            if not any(is_key(derived) for derived in database.design.objects.values()):
                found = database.install_key(TableName(database.engine().database, "main", "shops"), frozenset(("tag",)))
                self.report.coverage["verified key" if found is not None else "no key"] += 1
            for _ in range(16):
                self._select(self._random.randrange(2), query=self._keyed.query())
            self._write(self._keyed.write())
            for _ in range(4):
                self._select(0, query=self._keyed.query())
            self._refresh()

    def _change_included(self) -> None:
        """Look for inclusions that nobody declared, rest on them, and write what keeps them, and then what does not."""
        pick = self._including.random
        for text in self._including.repairs() if pick.random() < 0.7 else ():
            self._write(text)
        self._refresh()
        self._verify_inclusions()
        for _ in range(24):
            self._select(pick.randrange(2), query=self._including.query())
        for _ in range(3):
            event = pick.random()
            self._write(self._including.change() if event < 0.15 else self._including.append(), pick.randrange(2))
            if event > 0.8:  # a view that is built when its fact is old
                self._rebuild_included()
            elif event > 0.7:
                self._verify_inclusions()
            elif event > 0.6:
                self._refresh()
            for _ in range(5):
                self._select(pick.randrange(2), query=self._including.query())
        if pick.random() < 0.7:
            self._refresh()
        for _ in range(5):
            self._select(pick.randrange(2), query=self._including.query())

    def _verify_inclusions(self) -> None:
        """Facts that are no more are looked for again."""
        database = session_of(self._connections[0]).database
        known = {(one.child.name, one.parent.name, one.pairs) for one in verified_inclusions(database.design.objects.values())}
        for child, parent, *pairs in INCLUSIONS:
            if (child, parent, tuple(pairs)) not in known:
                names = [TableName(database.engine().database, "main", table) for table in (child, parent)]
                found = database.install_inclusion(Inclusion(names[0], names[1], tuple(pairs)))
                self.report.coverage["verified inclusion" if found is not None else "no inclusion"] += 1

    def _rebuild_included(self) -> None:
        """Drop the views over these tables and build them anew, of the rows that there are now; facts stay as they are."""
        database = session_of(self._connections[0]).database
        objects = [database.design.objects.get(identifier) for identifier in self._included_views.values()]
        with database.engine_lock, writing.own_write(database):
            writing.drop_objects(database, [derived for derived in objects if derived is not None])
        self._wide.difference_update(self._included_views.values())
        self._included_views = {text: self._install(text) for text in INCLUDING_VIEWS}
        self._wide.update(self._included_views.values())

    def _install_copies(self) -> None:
        """Copies of whole tables, which tell what these have lost, so that views are mended by them."""
        database = session_of(self._connections[0]).database
        for table in ("sales", "items", "kinds", "shops", "visits"):
            columns = tuple(TABLES[table])
            name = TableName(database.engine().database, "main", table)
            self._wide.add(database.install(sorted_copy(name, columns, columns[:1], frozenset())).identifier)

    def _install(self, text: str, along: str = "", function: str = AT_LAST, units: Mapping[str, str] = MappingProxyType({})) -> int:
        database = session_of(self._connections[0]).database
        with database.engine_lock:
            action = view_of(text, database.catalog(), along=along, function=function, units=units)
        self.report.coverage["installed view" if action is not None else "no view"] += 1
        return database.install(action).identifier if action is not None else 0

    def _replace_view(self) -> None:
        """Another narrow view in the place of one that goes."""
        database = session_of(self._connections[0]).database
        narrow = [derived for derived in database.design.objects.values() if derived.identifier not in self._wide]
        if len(narrow) >= _NARROW:
            with database.engine_lock, writing.own_write(database):
                writing.drop_objects(database, self._random.sample(narrow, 2))
            self.report.coverage["dropped view"] += 2
        for maker in (self._grammar.exact_view, self._grammar.narrow_view):
            self._install(maker())
        for _ in range(3):
            self._select(0)

    def _undo(self) -> None:
        self._connections[0].undo()
        self.report.coverage["undo"] += 1
        self._wide.clear()
        self._select(0)
        self._install_all()

    def _tune(self) -> None:
        """A round of the tuner over what was asked, and what it chose is asked."""
        report = self._connections[0].tune(seconds=3.0, storage="200MB")
        self.report.coverage["round of the tuner"] += 1
        self.report.coverage["built by a round"] += (
            len(session_of(self._connections[0]).database.design.objects) > len(GRAPHS) + _NARROW
        )
        del report
        for _ in range(10):
            self._select(self._random.randrange(2))
        self._undo()

    # Events -------------------------------------------------------------------------------------------------------

    def _past_sartor(self) -> None:
        text = f"UPDATE {self._random.choice(['items SET w = 1', 'sales SET y = 1'])} WHERE i = {self._random.randrange(ITEMS)}"
        self._write_past(text)
        for _ in range(3):
            self._select(1)
        self._reopen()

    def _reopen(self) -> None:
        """Close and open again; now and then appends or plain DuckDB's own writes come before."""
        if self._random.random() < 0.5:
            self._refresh()
            self._write(f"INSERT INTO items VALUES {self._rows.rows('items', 3)}")
        between = ""
        if self._random.random() < 0.4:
            column, table = self._random.choice([("w", "items"), ("y", "sales"), ("l", "kinds")])
            between = f"UPDATE {table} SET {column} = 2 WHERE {column} = {self._random.randrange(5)}"
        self._open_again(between)
        for _ in range(2):  # a template is analysed when it is asked again
            for graph in ("sg", "sgo", "s"):
                self._select(0, query=_after_reopen(graph))
        self._refresh()
        if not self._wide <= set(session_of(self._connections[0]).database.design.objects):  # what was stale at the close is gone
            self._undo()


def _after_reopen(graph: str) -> Query:
    tables = {
        "s": "sales s",
        "sg": "sales s JOIN items g ON s.i = g.i",
        "sgo": "sales s JOIN items g ON s.i = g.i JOIN kinds o ON g.k = o.k",
    }
    reads = {"s": "sum(s.y)", "sg": "sum(g.w)", "sgo": "sum(o.l), sum(g.w)"}
    return Query("after a reopen", f"SELECT s.c, count(*), {reads[graph]} FROM {tables[graph]} GROUP BY s.c ORDER BY s.c", True)


def _never_slower(plain_seconds: object, served_seconds: object) -> bool:
    """How long anything takes must not decide what is tested."""
    return False


@contextmanager
def _watched(run_of: Callable[[], StarRun | None]) -> Iterator[None]:
    """What happens inside and shows in no answer: ties that were looked at, guards that refused, alternatives that raised."""
    looked, spliced, failed = Database.leaves_no_ties, views.splices, Database.alternative_failed

    def note(name: str) -> None:
        run = run_of()
        if run is not None:
            run.report.coverage[name] += 1

    def leaves_no_ties(*arguments: Any) -> bool:
        found = looked(*arguments)
        note("ties looked at: none" if found else "ties looked at: found")
        return found

    def splices(*arguments: Any) -> Any:
        found = spliced(*arguments)
        if found is None:
            note("guards refuse other literals")
        return found

    def alternative_failed(database: Any, statement: Any, text: str, error: Exception | None) -> None:
        run = run_of()
        if run is not None:
            run._failed.append(f"an alternative raised: {error!r} in {text}")
        failed(database, statement, text, error)

    with ExitStack() as stack:
        for target, name, replacement in (
            (Database, "leaves_no_ties", leaves_no_ties),
            (views, "splices", splices),
            (Database, "alternative_failed", alternative_failed),
            (known, "is_suspect", _never_slower),
            (reach, "RESIDUAL_JOIN_ROWS", replace(reach.RESIDUAL_JOIN_ROWS, default=20)),  # kinds and shops have fewer
        ):
            stack.enter_context(mock.patch.object(target, name, replacement))
        yield


def fuzz_views(seed: int, statements: int, *, sales: int = 3_000, stop_at_wrong: bool = False, each: Each = silent) -> Report:
    """Run that many steps in a folder of its own; `each` is told after each of them what was done and found."""
    run: StarRun | None = None
    with tempfile.TemporaryDirectory() as folder, _watched(lambda: run):
        run = StarRun(Path(folder), seed, sales)
        return run.play(statements, each, stop_at_wrong=stop_at_wrong)
