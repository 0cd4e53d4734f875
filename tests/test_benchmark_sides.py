"""That benchmarks/dbt judges by the pipeline's rules and codes, on the pipeline's DuckDB."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.rules import RULES
from warehouse.columns import COLUMNS

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "benchmarks" / "dbt"
CONDITIONS = {rule.id.replace(":", "_"): rule.holds for rule in RULES}


def tables() -> list[dict[str, Any]]:
    """Models and sources as the project describes them."""
    pages = [yaml.safe_load(path.read_text()) for path in sorted((PROJECT / "models").rglob("*.yml"))]
    sources = [source for page in pages for source in page.get("sources", ())]
    return [table for page in (*pages, *sources) for table in (*page.get("models", ()), *page.get("tables", ()))]


def asked(of: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The tests of a kind on a table or column."""
    return [test[kind] for test in of.get("data_tests", ()) if kind in test]


@pytest.mark.parametrize("table", tables(), ids=lambda table: table["name"])
def test_conditions_and_codes_are_those_of_the_pipeline(table):
    for test in asked(table, "meets"):
        assert test["arguments"]["condition"] == CONDITIONS[test["name"]]
    for column in table.get("columns", ()):
        codes = [code for test in asked(column, "accepted_values") for code in test["arguments"]["values"]]
        assert column["name"] not in COLUMNS or tuple(codes) == COLUMNS[column["name"]].one_of


def test_duckdb_is_that_of_the_pipeline():
    pinned = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line.startswith("duckdb==")]
    assert pinned[0] in (PROJECT / "requirements.lock").read_text().splitlines()
