"""The commands that give a workload away, and take one in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sartor.interfaces.cli.opening import opened, progress, show


def export_workload(
    database: Annotated[Path, typer.Argument(help="a DuckDB file", show_default=False)],
    out: Annotated[Path, typer.Option(help="the file to write", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="print the answer for programs")] = False,
) -> None:
    """Write what was asked to a file without your names and values."""
    with opened(database, read_only=True) as connection, progress() as tell:
        shared = connection.export_workload(out, progress=tell)
    if json:
        show({"file": str(out), "tables": len(shared.tables), "templates": len(shared.templates), "left_out": shared.left_out}, json)
        return
    print(f"{out}: {len(shared.tables)} tables, {len(shared.templates)} templates")
    for reason, count in shared.left_out.items():
        print(f"left out: {count} templates: {reason}")


def import_workload(
    file: Annotated[Path, typer.Argument(help="a file that export-workload wrote", show_default=False)],
    database: Annotated[Path, typer.Argument(help="the DuckDB file to make", show_default=False)],
    rows: Annotated[int | None, typer.Option(help="rows of the largest table; all others in proportion")] = None,
    scale: Annotated[float | None, typer.Option(help="or the factor of all row counts")] = None,
    seed: Annotated[int, typer.Option(help="of the data")] = 1,
    json: Annotated[bool, typer.Option("--json", help="print the answer for programs")] = False,
) -> None:
    """Make a database with generated data like the exported, and a file of its statements."""
    from sartor.interfaces.sharing import import_workload as run

    with progress() as tell:
        report = run(file, database, rows=rows, scale=scale, seed=seed, progress=tell)
    show(report, json)
