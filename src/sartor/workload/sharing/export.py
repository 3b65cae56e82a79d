"""From the observed workload to one that may be given away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import duckdb

from sartor.core.constants import EXPORT_ROWS
from sartor.core.errors import WorkloadError
from sartor.core.table import Catalog, TableInfo, TableName
from sartor.workload.sharing.anonymise import Anonymous, Compared, anonymise
from sartor.workload.sharing.document import Hole, Position, SharedRun, SharedTable, SharedTemplate, SharedWorkload, carried_type
from sartor.workload.sharing.names import Names, name_of
from sartor.workload.sharing.origins import ColumnKey
from sartor.workload.sharing.parameters import LeftOut, with_parameters
from sartor.workload.sharing.statistics import Asked, Rows, column_statistics, positions, sampled
from sartor.workload.workload import Execution, TemplateStatistics, Workload

Progress = Callable[[str, float], None]
_VOCABULARY = "SELECT function_name FROM duckdb_functions() WHERE internal UNION SELECT type_name FROM duckdb_types() WHERE internal"
_FOREIGN_KEYS = """
SELECT schema_name, table_name, constraint_column_names, referenced_table, referenced_column_names FROM duckdb_constraints()
WHERE database_name = current_database() AND constraint_type = 'FOREIGN KEY'
"""


@dataclass(slots=True)
class _Form:
    """One form of a template: its statements differ in nothing but what stands in the holes."""

    template: TemplateStatistics
    anonymous: Anonymous
    runs: list[tuple[Execution, tuple[Compared, ...]]]

    @property
    def share(self) -> float:
        return len(self.runs) / len(self.template.executions)


def export(workload: Workload, catalog: Catalog, rows: Rows, progress: Progress) -> SharedWorkload:
    """Anonymise a workload; templates that can not be carried are counted with the reason.

    Args:
        rows: runs a SELECT on the database that the catalog describes.

    Raises:
        WorkloadError: nothing was observed, or nothing of it can be carried.
    """
    if not workload.templates:
        raise WorkloadError("no statement was observed on this database; ask some through sartor.connect, then export")
    names, left_out = Names(catalog), Counter[str]()
    vocabulary = frozenset(part for (word,) in rows(_VOCABULARY) for part in str(word).lower().split())
    binds = _Binding(catalog, names)
    forms: list[_Form] = []
    for place, template in enumerate(workload.templates):
        progress("renaming", place / len(workload.templates) / 2)
        try:
            forms += _forms(template, catalog, names, vocabulary, binds)
        except LeftOut as reason:
            left_out[str(reason)] += 1
    binds.close()
    if not forms:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in left_out.items())
        raise WorkloadError(f"no statement can be exported: {reasons}; ask reads of this database's tables, then export")
    asked: dict[TableName, list[Asked]] = defaultdict(list)
    for compared in (one for form in forms for _, all_compared in form.runs for one in all_compared):
        asked[compared.table] += _asked(compared)
    tables, found, infos = [], dict[tuple[TableName, Asked], Position](), list(catalog)
    for place, info in enumerate(infos):
        progress("measuring", 0.5 + place / len(infos) / 2)
        table = name_of(info)
        count = int(rows(f"SELECT count(*) FROM {table}")[0][0])
        tables.append(_table(rows, info, count, names))
        sample = sampled(info, count, int(EXPORT_ROWS.default))
        found |= {(table, one): position for one, position in positions(rows, info, sample, asked[table]).items()}
    joins = {join for form in forms for join in form.anonymous.joins} | set(_foreign_keys(rows, catalog))
    began = min(execution.started for form in forms for execution, _ in form.runs)
    return SharedWorkload(
        tuple(tables),
        tuple(sorted({_join(join, names) for join in joins if join[0] != join[1]})),
        tuple(_template(form, names, found, began) for form in forms),
        dict(left_out),
    )


def _forms(
    template: TemplateStatistics, catalog: Catalog, names: Names, vocabulary: frozenset[str], binds: Callable[[str], bool]
) -> list[_Form]:
    """The forms of a template once renamed: what stays in the text, such as the count of a LIMIT, may differ between its statements.

    Raises:
        LeftOut: none of its statements can be carried.
    """
    if template.kind != "read":
        raise LeftOut("it writes")
    if not template.executions:
        raise LeftOut("its literals were not kept")
    found: dict[tuple[str, tuple[tuple[str, str], ...]], _Form] = {}
    reason = LeftOut("it does not bind under other names")
    for execution in template.executions:
        try:
            anonymous = anonymise(with_parameters(execution.text, execution.parameters), catalog, names, vocabulary)
        except ValueError:
            reason = LeftOut("it is not understood")
        except LeftOut as told:
            reason = told
        else:
            key = anonymous.sql, tuple((compared.renamed, compared.operator) for compared in anonymous.compared)
            if key in found or binds(anonymous.sql):
                form = found.setdefault(key, _Form(template, anonymous, []))
                form.runs.append((execution, anonymous.compared))
    if not found:
        raise reason
    return list(found.values())


class _Binding:
    """Tells whether a renamed statement binds, on empty tables in memory."""

    __slots__ = ("_connection", "close")

    def __init__(self, catalog: Catalog, names: Names) -> None:
        self._connection = duckdb.connect(":memory:", config={"enable_external_access": False})
        self.close = self._connection.close
        for info in catalog:
            table = name_of(info)
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {names(table.schema)}")
            columns = ", ".join(f"{names(column.name)} {carried_type(column.type)}" for column in info.columns)
            self._connection.execute(f"CREATE TABLE {names(table.schema)}.{names(table.name)} ({columns})")

    def __call__(self, sql: str) -> bool:
        try:
            self._connection.execute(f"PREPARE statement AS {sql}")
        except duckdb.Error:
            return False
        return True


def _asked(compared: Compared) -> list[Asked]:
    return [(compared.subject, _kind(compared.operator), constant) for constant in compared.constants]


def _kind(operator: str) -> str:
    """Constants have one position whichever way they are compared; patterns have their own."""
    return operator if operator in ("like", "ilike") else "="


def _table(rows: Rows, info: TableInfo, count: int, names: Names) -> SharedTable:
    table = name_of(info)
    columns = tuple(column_statistics(rows, info, count, column, names(column.name)) for column in info.columns)
    keys = tuple(sorted(tuple(sorted(names(column) for column in key)) for key in info.unique_keys))
    return SharedTable(names(table.schema), names(table.name), count, columns, keys)


def _foreign_keys(rows: Rows, catalog: Catalog) -> Iterable[tuple[ColumnKey, ColumnKey]]:
    for schema, name, columns, other, others in rows(_FOREIGN_KEYS):
        left, right = catalog.resolve((schema, name)), catalog.resolve((schema, other))
        if left is not None and right is not None:
            for mine, its in zip(columns, others, strict=True):
                yield (name_of(left), mine), (name_of(right), its)


def _join(join: tuple[ColumnKey, ColumnKey], names: Names) -> tuple[str, str]:
    left, right = sorted(f"{names(table.schema)}.{names(table.name)}.{names(column)}" for table, column in join)
    return left, right


def _template(form: _Form, names: Names, found: dict[tuple[TableName, Asked], Position], began: float) -> SharedTemplate:
    holes = tuple(
        Hole(f"{names(one.table.schema)}.{names(one.table.name)}", one.renamed, one.operator) for one in form.anonymous.compared
    )
    runs = tuple(
        SharedRun(
            round(execution.started - began, 6),
            round(execution.seconds, 9),
            execution.rows,
            tuple(_positions(one, found) for one in compared),
        )
        for execution, compared in sorted(form.runs, key=lambda run: run[0].started)
    )
    template = form.template
    return SharedTemplate(
        form.anonymous.sql, max(1, round(template.count * form.share)), round(template.total_seconds * form.share, 9), holes, runs
    )


def _positions(compared: Compared, found: dict[tuple[TableName, Asked], Position]) -> tuple[Position, ...] | None:
    """Where the constants of a hole lie; None if that is known of none."""
    known = [found[compared.table, one] for one in _asked(compared) if (compared.table, one) in found]
    return tuple(known) or None
