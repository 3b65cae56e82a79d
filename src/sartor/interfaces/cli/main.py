"""The entry point: commands, and one clear line for bad input, with exit status 2."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from sartor.interfaces.cli import commands, making, sharing

app = typer.Typer(
    name="sartor",
    help="An analytics database that tailors itself to its data and its workload: a drop-in for DuckDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    commands.tune,
    commands.design,
    commands.report,
    commands.explain,
    commands.ledger,
    commands.workload,
    commands.refresh,
    commands.purge,
    commands.undo,
    making.replay,
    making.demo,
    sharing.export_workload,
    sharing.import_workload,
):
    app.command()(command)


def run() -> NoReturn:
    """Run the command line; what the user got wrong is one line on stderr and exit status 2."""
    from duckdb import Error

    from sartor.core.errors import SartorError

    try:
        app()
    except KeyboardInterrupt:
        print("interrupted; what was finished stays", file=sys.stderr)
        sys.exit(130)
    except (SartorError, Error, OSError) as error:
        first_line = str(error).strip().partition("\n")[0]
        print(f"sartor: {first_line}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)
