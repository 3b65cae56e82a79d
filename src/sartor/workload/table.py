"""The workload as a table for people: what `con.workload()` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.workload.workload import TemplateStatistics, Workload

if TYPE_CHECKING:
    import pyarrow


def as_table(workload: Workload) -> pyarrow.Table:
    """One row a template, most seconds first."""
    import pyarrow

    total = workload.total_seconds
    rows = [
        {
            "digest": template.digest,
            "template": template.template,
            "kind": template.kind,
            "count": template.count,
            "kept": template.kept,
            "total_seconds": template.total_seconds,
            "mean_seconds": template.mean_seconds,
            "share": template.total_seconds / total if total else 0.0,
            "tables": _tables(template),
            "predicates": _predicates(template),
        }
        for template in workload.templates
    ]
    texts = pyarrow.list_(pyarrow.string())
    schema = pyarrow.schema(
        [
            ("digest", pyarrow.string()),
            ("template", pyarrow.string()),
            ("kind", pyarrow.string()),
            ("count", pyarrow.int64()),
            ("kept", pyarrow.int64()),
            ("total_seconds", pyarrow.float64()),
            ("mean_seconds", pyarrow.float64()),
            ("share", pyarrow.float64()),
            ("tables", texts),
            ("predicates", texts),
        ]
    )
    return pyarrow.Table.from_pylist(rows, schema=schema)


def _tables(template: TemplateStatistics) -> list[str]:
    references = template.analysis.references if template.analysis is not None else ()
    return sorted({str(reference.source).replace('"', "") for reference in references})


def _predicates(template: TemplateStatistics) -> list[str]:
    references = template.analysis.references if template.analysis is not None else ()
    return [
        f"{reference.alias}.{predicate.column} {predicate.operator.value}"
        for reference in references
        for predicate in reference.predicates
        if predicate.column
    ]
