"""The commands over one database file; each is a method of the connection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sartor.core.errors import BuildFailed
from sartor.interfaces.cli.opening import opened, progress, show
from sartor.interfaces.connection import session_of

Database = Annotated[Path, typer.Argument(help="a DuckDB file", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="print the answer for programs")]


def tune(
    database: Database,
    workload: Annotated[Path | None, typer.Option(help="a file of SQL statements to ask first")] = None,
    seconds: Annotated[float, typer.Option(help="the time that the round may take")] = 60.0,
    storage: Annotated[str, typer.Option(help="what all that is built may take")] = "2GB",
    mode: Annotated[str, typer.Option(help="apply, or report: say what would be done")] = "apply",
    json: Json = False,
) -> None:
    """Make one round: propose, choose, build, prove on the real queries, keep or undo."""
    from sartor.interfaces.cli.making import ask
    from sartor.interfaces.tailoring import bytes_of

    bytes_of(storage)
    with opened(database) as connection, progress() as tell:
        if workload is not None:
            ask(connection, workload, tell)
        report = connection.tune(seconds, storage, mode=mode, progress=tell)
        if report.failed and not report.built:
            raise BuildFailed(f"{report.failed[0].what}: {report.failed[0].reason}")
        show(report, json)


def design(database: Database, json: Json = False) -> None:
    """What is in force: each derived object with its size and freshness."""
    with opened(database, read_only=True) as connection:
        show(connection.design(), json)


def report(
    database: Database,
    html: Annotated[Path | None, typer.Option(help="where the page goes; beside the database if not given")] = None,
    look: Annotated[bool, typer.Option("--open", help="open the page in a browser")] = False,
    json: Json = False,
) -> None:
    """One page with pictures: what was asked, what was built and why, what it brought."""
    target = html or database.with_name(f"{database.name}.report.html")
    with opened(database, read_only=True) as connection:
        facts = session_of(connection).database.report(None if json else target)
    if look and not json:
        import webbrowser

        webbrowser.open(target.resolve().as_uri())
    show(facts if json else f"the report is in {target}", json)


def explain(database: Database, decision: Annotated[int, typer.Argument(help="its number")], json: Json = False) -> None:
    """The story of one decision."""
    with opened(database, read_only=True) as connection:
        text = connection.explain(decision)
    show({"decision": decision, "story": text.splitlines()} if json else text, json)


def ledger(database: Database, json: Json = False) -> None:
    """All decisions, oldest first."""
    with opened(database, read_only=True) as connection:
        rows = connection.ledger().to_arrow_table().to_pylist()
    if json:
        show(rows, json)
        return
    for row in rows:
        print(f"{row['number']:>5}  {row['kind']:<10} {row['summary']}")


def workload(database: Database, json: Json = False) -> None:
    """What was asked: templates with their counts and times, the most expensive first."""
    with opened(database, read_only=True) as connection:
        rows = connection.workload().to_arrow_table().to_pylist()
    if json:
        show(rows, json)
        return
    print(f"{'runs':>8} {'total s':>9} {'mean ms':>9} {'share':>6}  template")
    for row in rows:
        print(
            f"{row['count']:>8} {row['total_seconds']:>9.2f} {row['mean_seconds'] * 1e3:>9.2f} {row['share']:>6.1%}  "
            f"{row['template'][:100]}"
        )


def refresh(database: Database, json: Json = False) -> None:
    """Bring everything that was built up to date."""
    with opened(database) as connection:
        count = connection.refresh()
    show({"refreshed": count} if json else f"{count} derived objects were brought up to date", json)


def purge(database: Database, json: Json = False) -> None:
    """Drop everything that may still hold rows which were deleted or changed."""
    with opened(database) as connection:
        count = connection.purge()
    show({"purged": count} if json else f"{count} derived objects were dropped", json)


def undo(
    database: Database,
    compact: Annotated[bool, typer.Option(help="also give free blocks at the file's end back")] = False,
    json: Json = False,
) -> None:
    """Remove all that was built: the file then holds exactly the user's objects."""
    with opened(database) as connection:
        show(connection.undo(compact=compact), json)
