"""What the repository promises of itself: who imports whom, that pages are fresh, that rules have sources."""

import ast
import tomllib
from pathlib import Path

import pytest

from app.docs import pages
from rulebook import programs_folder
from transforms.programs import load
from warehouse.columns import COLUMNS
from warehouse.tables import TABLES

ROOT = Path(__file__).parents[1]
OURS = {
    "app",
    "banking",
    "dags",
    "emails",
    "expectations",
    "monitoring",
    "operations",
    "payouts",
    "pipeline",
    "postings",
    "remittance",
    "replays",
    "rulebook",
    "settlement",
    "transforms",
    "warehouse",
}
MAY_IMPORT = {
    "warehouse": {"warehouse", "transforms.vocabulary"},
    "transforms": {"transforms"},
    "banking": {"banking"},
    "emails": {"emails", "warehouse.releases", "warehouse.sent"},
    "expectations": {"expectations", "warehouse.columns", "warehouse.tables"},
    "rulebook.py": {"transforms", "warehouse"},
    "settlement.py": {"rulebook", "transforms", "warehouse"},
    "postings.py": {"settlement", "rulebook", "transforms", "warehouse"},
    "pipeline.py": {"postings", "settlement", "rulebook", "transforms", "expectations", "warehouse"},
    "monitoring.py": {"pipeline", "expectations", "warehouse"},
    "operations.py": {"pipeline", "postings", "settlement", "rulebook", "transforms", "expectations", "warehouse"},
    "replays.py": {"pipeline", "settlement", "rulebook", "transforms", "warehouse"},
    "payouts.py": {"banking", "pipeline", "rulebook", "transforms", "warehouse"},
    "remittance.py": {"banking", "payouts", "pipeline", "rulebook", "transforms", "warehouse"},
    "dags": {
        "dags",
        "emails",
        "monitoring",
        "operations",
        "payouts",
        "pipeline",
        "remittance",
        "warehouse.store",
        "warehouse.landing",
    },
}
IMPURE = {"duckdb", "airflow", "great_expectations", "os", "time", "warehouse", "requests"}


def imports(path: Path) -> set[str]:
    """The modules that a file imports, dotted."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{a.name}" for a in node.names} if node.module in OURS else {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_imports_follow_the_arrows(place):
    files = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    assert files
    for path in files:
        for name in imports(path):
            if name.split(".")[0] in OURS:
                allowed = any(name == a or name.startswith(a + ".") for a in MAY_IMPORT[place])
                assert allowed, f"{path.relative_to(ROOT)} imports [{name}]; it may import {sorted(MAY_IMPORT[place])}"


def test_transforms_see_no_database_clock_or_environment():
    for path in (ROOT / "transforms").rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & IMPURE, path.name


def test_every_column_of_the_dictionary_is_used():
    assert set(COLUMNS) == {column for table in TABLES.values() for column in (*table.columns, *table.stored)}


@pytest.mark.parametrize(("path", "text"), pages().items(), ids=lambda page: getattr(page, "name", ""))
def test_a_generated_page_is_fresh(path, text):
    assert path.read_text() == text, "run `make docs`"


@pytest.mark.parametrize("path", sorted(programs_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_every_lever_names_its_source_or_says_that_it_is_illustrative(path):
    for lever in load(path).levers:
        assert lever.illustrative or lever.reference, lever.lever


def test_the_readme_fits_its_page():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


@pytest.mark.parametrize("place", (".", "benchmarks/dbt", "benchmarks/sqlmesh", "benchmarks/polars"))
def test_a_lock_names_no_package_host(place):
    assert "://" not in (ROOT / place / "requirements.lock").read_text()


def test_every_example_in_a_docstring_is_run():
    places = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["testpaths"]
    ours = [
        path
        for name in OURS
        for path in ((ROOT / name).rglob("*.py") if (ROOT / name).is_dir() else [ROOT / f"{name}.py"])
    ]
    shown = {path.relative_to(ROOT).parts[0] for path in ours if ">>> " in path.read_text()}
    assert shown and shown <= set(places)
