"""Every public name of DuckDB's stubs is there; a new DuckDB release shows here what is missing."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

import sartor


def _stub_names(class_name: str) -> list[str]:
    spec = find_spec("_duckdb-stubs")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    tree = ast.parse((Path(spec.submodule_search_locations[0]) / "__init__.pyi").read_text(encoding="utf-8"))
    (found,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name]
    return sorted({node.name for node in found.body if isinstance(node, ast.FunctionDef)} - {"__del__"})


@pytest.mark.parametrize("name", _stub_names("DuckDBPyConnection"))
def test_every_name_of_the_connection_is_there(name: str) -> None:
    with sartor.connect() as connection:
        if name in ("description", "rowcount"):
            connection.execute("SELECT 1")
            assert getattr(connection, name) is not None
        else:
            assert callable(getattr(connection, name))


def test_the_connection_is_a_duckdb_connection() -> None:
    with sartor.connect() as connection:
        assert isinstance(connection, duckdb.DuckDBPyConnection)
        assert isinstance(connection.cursor(), type(connection))
        assert isinstance(connection.sql("SELECT 1"), duckdb.DuckDBPyRelation)


def test_public_names() -> None:
    assert sorted(sartor.__all__) == [
        "BudgetError",
        "DatabaseUnavailable",
        "DecisionNotFound",
        "ImportReport",
        "LearnedIndex",
        "LookupRefused",
        "SartorError",
        "WorkloadError",
        "__version__",
        "argsort",
        "connect",
        "import_workload",
        "sort",
    ]
    assert all(hasattr(sartor, name) for name in sartor.__all__)


def test_import_is_light() -> None:
    heavy = ["sqlglot", "scipy", "pyarrow", "pandas", "polars", "typer", "rich", "numba", "numpy"]
    code = f"import sys, sartor; sartor.connect().execute('select 1'); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
