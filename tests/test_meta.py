"""What holds for the project as a whole: constants in one place, components alike, commands documented."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from sartor.components import COMPONENTS
from sartor.core import constants
from sartor.interfaces.cli.main import app

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "sartor").rglob("*.py"))
CONSTANTS = {name: value for name, value in vars(constants).items() if isinstance(value, constants.Constant)}
# Numbers that decide nothing: formats of others, positions, units, and the layout of a page.
EXPLAINED = {
    "sql/floats.py": {18},  # digits of DuckDB's 64-bit decimals
    "sql/scans.py": {3},  # tokens of a call with one literal
    "tuner/program.py": {0.5},  # a binary variable of a solver that answers in floats
    "tuner/outcome.py": {90},  # characters of a table's last column
    "tuner/trial.py": {3, 4, 6},  # the sign test in its docstring
    "workload/stream.py": {0.03, 0.5, 0.85},  # what a made-up shop's day is like
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_constant_is_used_and_explained(name: str) -> None:
    value = CONSTANTS[name]
    assert value.low <= value.default <= value.high
    assert value.trades
    assert value.measured_by
    users = [path for path in SOURCES if path.name != "constants.py" and name in path.read_text(encoding="utf-8")]
    assert users, "nothing uses it; delete it"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src" / "sartor")))
def test_no_threshold_stands_outside_the_constants(path: Path) -> None:
    if path.name == "constants.py":
        return
    allowed = {-1, 0, 1, 2} | EXPLAINED.get(str(path.relative_to(ROOT / "src" / "sartor")), set())
    assert set(_compared(ast.parse(path.read_text(encoding="utf-8")))) <= allowed


def _compared(tree: ast.AST) -> Iterator[float]:
    """Numbers that something is compared with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                if isinstance(side, ast.Constant) and isinstance(side.value, int | float) and not isinstance(side.value, bool):
                    yield side.value


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_a_component_has_its_four_files_and_its_page(component: object) -> None:
    name = str(getattr(component, "name"))  # noqa: B009
    folder = ROOT / "src" / "sartor" / "components" / name
    assert {"propose.py", "estimate.py", "apply.py", "serve.py"} <= {path.name for path in folder.iterdir()}
    assert (ROOT / "docs" / "components" / f"{name}.md").exists()


def test_every_folder_of_components_is_one() -> None:
    folders = {path.parent.name for path in (ROOT / "src" / "sartor" / "components").glob("*/__init__.py")}
    assert folders == {component.name for component in COMPONENTS}


def test_every_command_and_option_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert commands
    for name, command in commands.items():
        assert f"`sartor {name}" in page, name
        line = next(line for line in page.splitlines() if f"`sartor {name}" in line)
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option not in ("--json", "--help"):
                    assert option in line, f"{name} {option}"
