"""That benchmarks/dbt and benchmarks/sqlmesh judge by the pipeline's rules and codes, on the pipeline's DuckDB."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.rules import RULES
from warehouse.columns import COLUMNS

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "benchmarks" / "dbt"
MODELS = sorted((ROOT / "benchmarks" / "sqlmesh" / "models").rglob("*.sql"))
AUDIT = re.compile(r"AUDIT \(name (\w+).*\);\nSELECT \* FROM @this_model WHERE NOT \((.+)\)(?:;|$)", re.MULTILINE)
CODES = re.compile(r"accepted_values\(column := (\w+), is_in := \((.+?)\)\)", re.DOTALL)
LAYERS = {"clean": ("transactions", "agreements"), "derived": ("decisions", "earnings", "earnings_ledger")}
JUDGED = {table: f"{layer}.{table}" for layer, held in LAYERS.items() for table in held}
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


@pytest.mark.parametrize("table", [t for t in tables() if asked(t, "meets")], ids=lambda table: table["name"])
def test_every_condition_on_rows_is_tested(table):
    judged = JUDGED.get(table["name"], "derived.eligibility_criteria")
    owed = {rule.id.replace(":", "_") for rule in RULES if rule.table == judged and rule.holds}
    assert {test["name"] for test in asked(table, "meets")} == owed


@pytest.mark.parametrize("model", MODELS, ids=lambda model: "-".join(model.parts[-2:]))
def test_audits_and_codes_are_those_of_the_pipeline(model):
    for name, condition in AUDIT.findall(model.read_text()):
        assert condition == CONDITIONS[name]
    for column, codes in CODES.findall(model.read_text()):
        assert tuple(re.findall(r"\w+", codes)) == COLUMNS[column].one_of


def test_audits_are_of_every_condition_and_code_that_dbt_tests():
    text = "".join(model.read_text() for model in MODELS)
    columns = [column for table in tables() for column in table.get("columns", ())]
    coded = [column["name"] for column in columns for _ in asked(column, "accepted_values")]
    assert sorted(name for name, _ in AUDIT.findall(text)) == sorted(
        test["name"] for t in tables() for test in asked(t, "meets")
    )
    assert sorted(column for column, _ in CODES.findall(text)) == sorted(coded)


@pytest.mark.parametrize("side", ("dbt", "sqlmesh", "polars"))
def test_duckdb_is_that_of_the_pipeline(side):
    pinned = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line.startswith("duckdb==")]
    assert pinned[0] in (ROOT / "benchmarks" / side / "requirements.lock").read_text().splitlines()
