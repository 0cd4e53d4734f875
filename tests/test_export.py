"""Reports in the shapes that partners know: names, order, sums, and the payment that each earning went into."""

import csv
import os
import signal
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from app import export
from app.cli import app
from benchmarks import export as benchmark
from tests.deliveries import ask, land, settle_next
from warehouse import releases, store

pytestmark = pytest.mark.usefixtures("one_program")
COLUMNS = yaml.safe_load((Path(__file__).parent / "cases" / "partner_center_columns.yaml").read_text())


def exported(what: str, out: Path, *options: str) -> list[dict]:
    done = CliRunner().invoke(app, ["export", what, "--out", str(out), *options])
    assert done.exit_code == 0, done.output
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("what", COLUMNS)
def test_a_report_has_the_columns_that_partners_know(first_day, tmp_path, what):
    exported(what, out := tmp_path / "report.csv")
    assert out.read_text().splitlines()[0].replace('"', "").split(",") == COLUMNS[what]


def test_the_report_of_earnings_is_the_ledger(first_day, tmp_path):
    settle_next(
        "2021-03-24", [{"transaction_id": "t1", "revenue": "50.00"}, {"transaction_id": "no", "product_id": "none"}]
    )
    rows = exported("earnings", tmp_path / "earnings.csv")
    [(total,)] = ask("SELECT sum(amount) FROM earnings_ledger")
    assert sum(Decimal(row["earningAmount"]) for row in rows) == total == Decimal("2.00")
    told = {(row["earningType"], row["earningAmount"], row["reasonCode"], row["estimatedPaymentMonth"]) for row in rows}
    assert ("REBATE", "2.40", "new_line", "2021-05") in told and ("COOP", "-0.80", "corrected_line", "") in told
    first = rows[0]
    assert (first["transactionId"], first["transactionAmount"], first["participantName"], first["paymentStatus"]) == (
        "t1", "50.00", "Contoso", "Unprocessed",
    )  # fmt: skip
    assert exported("earnings", tmp_path / "none.csv", "--partner", "2000001") == []


def test_figures_have_the_decimals_of_their_currency_and_those_in_dollars_their_rate(first_day, tmp_path):
    rates = [
        {"fx_month": "2021-03", "from_currency": code, "fx_rate": rate}
        for code, rate in (("JPY", "0.009"), ("KWD", "3.30"))
    ]
    land("fx_rates", rates, "2021-03-24")
    lines = [("yen", "JPY", "20000"), ("dinar", "KWD", "20.250"), ("back", "KWD", "-1.010")]
    settle_next(
        "2021-03-24", [{"transaction_id": name, "currency": code, "revenue": revenue} for name, code, revenue in lines]
    )
    shown = (
        "earningAmount",
        "earningAmountUSD",
        "transactionAmount",
        "transactionAmountUSD",
        "transactionExchangeRate",
        "earningRate",
        "quantity",
    )
    rows = {
        row["transactionId"]: row for row in exported("earnings", tmp_path / "e.csv") if row["earningType"] == "REBATE"
    }
    assert {name: tuple(row[column] for column in shown) for name, row in rows.items()} == {
        "t1": ("2.40", "2.40", "100.00", "100.00", "1", "0.04", "1"),
        "yen": ("480", "4.32", "20000", "180.00", "0.009", "0.04", "1"),
        "dinar": ("0.486", "1.61", "20.250", "66.83", "3.3", "0.04", "1"),
        "back": ("-0.024", "-0.08", "-1.010", "-3.33", "3.3", "0.04", "1"),
    }  # fmt: skip
    assert {row["lastPaymentCurrency"] for row in rows.values()} == {""}
    CliRunner().invoke(app, ["export", "earnings", "--out", str(tmp_path / "e.parquet"), "--format", "parquet"])
    assert str(pq.read_schema(tmp_path / "e.parquet").field("earningAmount").type) == "decimal128(18, 3)"


def test_earnings_that_are_given_up_say_so_and_are_in_no_payment(first_day, tmp_path):
    land("fx_rates", [{"fx_month": "2021-08"}], "2021-08-16")
    settle_next("2021-08-16", [{"transaction_id": "new", "transaction_at": "2021-08-16T10:00:00Z"}])
    rows = exported("earnings", tmp_path / "e.csv")
    told = {
        (row["reasonCode"], row["earningType"], row["earningAmount"]): row["paymentStatus"]
        for row in rows
        if row["transactionId"] != "new"
    }
    assert told == {
        ("new_line", "REBATE", "2.40"): "Forfeited", ("forfeited", "REBATE", "-2.40"): "Forfeited",
        ("new_line", "COOP", "1.60"): "Unprocessed", ("coop_converted", "COOP", "-1.60"): "Unprocessed",
        ("coop_converted", "REBATE", "1.60"): "Unprocessed",
    }  # fmt: skip
    assert {row["paymentStatus"] for row in rows if row["transactionId"] == "new"} == {"Unprocessed"}


def test_an_export_that_is_killed_leaves_nothing_in_the_home(first_day, tmp_path):
    before = sorted(store.home().rglob("*"))
    command = [sys.executable, "-m", "app.cli", "export", "earnings", "--format", "parquet", "--out", str(tmp_path / "e.parquet")]  # fmt: skip
    env = {**os.environ, "INCENTIVES_TEST_KILLED_AT": "rows set aside"}
    done = subprocess.run(command, env=env, check=False, capture_output=True, cwd=Path(__file__).parents[1])
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert sorted(store.home().rglob("*")) == before


def test_a_report_reads_alike_in_every_format(first_day, tmp_path):
    rows = exported("earnings", tmp_path / "e.csv")
    for kind, read in {"parquet": lambda path: pq.read_table(path).to_pandas(), "xlsx": pd.read_excel}.items():
        out = tmp_path / f"e.{kind}"
        assert CliRunner().invoke(app, ["export", "earnings", "--out", str(out), "--format", kind]).exit_code == 0
        held = read(out)
        assert list(held) == COLUMNS["earnings"] and sorted(held["earningId"]) == sorted(
            row["earningId"] for row in rows
        )
        assert sum(Decimal(str(amount)) for amount in held["earningAmount"]) == 4


def test_a_partner_that_is_asked_for_is_no_sql(first_day, tmp_path):
    assert exported("earnings", tmp_path / "e.csv", "--partner", "1000001")
    for partner in ("x' OR 1=1 --", "$x"):
        done = CliRunner().invoke(app, ["export", "earnings", "--out", str(tmp_path / "e.csv"), "--partner", partner])
        assert done.exit_code == 1 and f"partner [{partner}] is not in the current release" in str(done.exception)
        with releases.reader(releases.published()) as con:
            assert export.export(con, "earnings", tmp_path / "e.csv", kind="csv", partner=partner, period=None) == 0


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_report_found_in_pieces_is_the_report(first_day, tmp_path, monkeypatch, size):
    """A piece ends within a partner as well; no row is lost or told twice, and all come by partner and id."""
    lines = [{"transaction_id": f"t{number}", "revenue": f"{number}.00"} for number in range(2, 9)]
    settle_next(
        "2021-03-24", [*lines, *({"transaction_id": f"n{number}", "customer_id": "own-tenant"} for number in range(7))]
    )
    for what, keys in {"earnings": ("participantId", "earningId"), "ineligible": ("partnerId", "unearnedId")}.items():
        whole = exported(what, tmp_path / "whole.csv")
        with monkeypatch.context() as patch:
            patch.setattr(export, "RANGE", size)
            patch.setattr(export, "SAMPLED", 1)
            assert exported(what, tmp_path / "pieces.csv") == whole
        told = [tuple(row[key] for key in keys) for row in whole]
        assert told == sorted(set(told)) and len(told) > 2 * size
    [(total,)] = ask("SELECT sum(amount) FROM earnings_ledger")
    assert sum(Decimal(row["earningAmount"]) for row in exported("earnings", tmp_path / "sum.csv")) == total


@pytest.mark.slow
def test_a_million_rows_are_written_in_300_mib(tmp_path, monkeypatch):
    monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path))
    monkeypatch.delenv("INCENTIVES_PROGRAMS")
    benchmark.release(tmp_path, 36)
    for kind in ("csv", "parquet"):
        found = benchmark.measured("earnings", kind, tmp_path / f"e.{kind}")
        assert found["rows"] > 1_000_000 and found["peak, MiB"] < 300
    written = pq.ParquetFile(tmp_path / "e.parquet")
    keys = written.read(["participantId", "earningId"]).to_pandas()
    assert keys.equals(keys.sort_values(["participantId", "earningId"]).reset_index(drop=True))


def test_a_workbook_goes_on_in_a_further_sheet(first_day, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "SHEET_ROWS", 1)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1)  # as sheets of 2.7 GB are above the 2 GB that it is
    out = tmp_path / "e.xlsx"
    CliRunner().invoke(app, ["export", "earnings", "--out", str(out), "--format", "xlsx"])
    assert [len(sheet) for sheet in pd.read_excel(out, sheet_name=None).values()] == [1, 1]


def test_what_earns_nothing_says_why(first_day, tmp_path):
    settle_next("2021-03-24", [{"transaction_id": "self", "customer_id": "own-tenant"}])
    [row] = exported("ineligible", tmp_path / "i.csv")
    assert (row["unearnedId"], row["reason"], row["transactionAmountUSD"]) == (
        "self:csp-indirect-reseller", "Partner is customer", "100.00",
    )  # fmt: skip


def test_a_report_names_products_and_customers(first_day, tmp_path):
    settle_next("2021-03-24", [{"transaction_id": "self", "customer_id": "own-tenant"}])
    [*_, earned] = exported("earnings", tmp_path / "e.csv")
    assert (earned["productName"], earned["customerName"]) == ("Azure plan", "Woodgrove")
    [row] = exported("ineligible", tmp_path / "i.csv")
    assert (row["productFamily"], row["customerName"]) == ("azure", "")


def test_a_report_on_a_release_of_an_earlier_version_says_when_there_is_a_newer_one(first_day, tmp_path, monkeypatch):
    now = releases.published()
    older = now | {"tables": [table for table in now["tables"] if table["name"] != "customers"]}
    monkeypatch.setattr(releases, "published", lambda: older)
    done = CliRunner().invoke(app, ["export", "earnings", "--out", str(tmp_path / "e.csv")])
    assert isinstance(done.exception, LookupError) and "['customers']" in str(done.exception)


def test_a_spreadsheet_runs_no_text_of_a_report_as_a_formula(first_day, tmp_path):
    """Systems read the ledger, so its text stays as it is."""
    settle_next("2021-03-24", [{"transaction_id": "=1+1"}, {"transaction_id": "@a"}, {"transaction_id": "a=1"}])
    told = {row["transactionId"] for row in exported("earnings", tmp_path / "e.csv")}
    assert told == {"t1", "'=1+1", "'@a", "a=1"}
    assert {"=1+1", "@a", "a=1"} < {row["transaction_id"] for row in exported("ledger", tmp_path / "l.csv")}
