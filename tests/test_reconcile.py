"""A partner's statement beside the ledger."""

import json
from decimal import Decimal

import duckdb
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.reconcile import reconcile as compare
from tests.deliveries import as_made, copy_home, settle_next

pytestmark = pytest.mark.usefixtures("one_program")
STATEMENT = """transactionId,earningAmount,transactionCurrency,earningDate,earningRate
t1,4.00,USD,2021-03-31,0.04
t2,3.00,USD,2021-03-31,0.04
t3,5.00,USD,2021-03-31,0.05
t4,4.00,USD,2021-02-28,0.04
t9,1.00,USD,2021-03-31,
"""


def reconcile(tmp_path, text: str) -> tuple[int, dict | str]:
    path = tmp_path / "statement.csv"
    path.write_text(text)
    done = CliRunner().invoke(app, ["reconcile", str(path), "--partner", "1000001", "--json"])
    if isinstance(done.exception, LookupError):
        return 1, str(done.exception)
    return done.exit_code, json.loads(done.output)


@pytest.fixture
def five_lines(home, settled):
    as_made(_five_lines, str(settled[0]))


def _five_lines(settled: str) -> None:
    copy_home(settled)
    settle_next("2021-03-24", [{"transaction_id": f"t{n}"} for n in (2, 3, 4, 5)])


def test_each_line_of_a_statement_has_its_outcome(five_lines, tmp_path):
    code, found = reconcile(tmp_path, STATEMENT)
    assert code == 1
    assert {row["transaction_id"]: row["outcome"] for row in found["lines"]} == {
        "t2": "amount differs", "t3": "rate differs", "t4": "timing", "t5": "missing there", "t9": "missing here",
    }  # fmt: skip
    sums = {row["outcome"]: row for row in found["sums"]}
    assert sums["matched"]["lines"] == 1
    assert {outcome: Decimal(row["difference"]) for outcome, row in sums.items()} == {
        "matched": 0, "amount differs": -1, "rate differs": 1, "timing": 0, "missing here": 1, "missing there": -4,
    }  # fmt: skip


def test_a_statement_that_agrees_ends_well(five_lines, tmp_path):
    lines = "".join(f"t{n},4.00,USD,2021-03\n" for n in range(1, 6))
    code, found = reconcile(tmp_path, "transaction_id,amount,currency,month\n" + lines)
    assert code == 0 and found["lines"] == [] and found["sums"][0]["lines"] == 5


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ("9.00,USD,2021-03,0.05\nt1,12.00,USD,2021-03,0.12\n", None),
        ("8.00,USD,2021-03,0.04\nt1,1.00,USD,2021-03,0.05\nt1,12.00,USD,2021-03,0.12\n", None),  # our own export
        ("21.00,USD,2021-03,\n", None),
        ("21.00,USD,2021-03,0.12\n", "rate differs"),
        ("9.00,USD,2021-03,0.04\nt1,12.00,USD,2021-03,0.12\n", "rate differs"),  # which was corrected
        ("9.00,USD,2021-03,0.05\nt1,12.00,USD,2021-03,0.13\n", "rate differs"),
    ],
)
def test_a_line_of_several_levers_agrees_in_all_their_rates(tmp_path, lines, outcome):
    """One lever's rate rose from 4 to 5 percent, the other's is 12."""
    (tmp_path / "s.csv").write_text(f"transaction_id,amount,currency,month,rate\nt1,{lines}")
    entries = [("azure", "8.00", "0.04", "2021-03-23"), ("azure", "1.00", "0.05", "2021-03-24"), ("local", "12.00", "0.12", "2021-03-23")]  # fmt: skip
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE earnings_ledger (partner_id VARCHAR, transaction_id VARCHAR, currency VARCHAR, program VARCHAR, "
            "lever VARCHAR, bracket INTEGER, amount DECIMAL(18,3), rate DECIMAL(18,9), posted_on DATE, earning_month DATE)"
        )
        con.executemany(
            "INSERT INTO earnings_ledger VALUES ('1000001', 't1', 'USD', 'p', ?, 1, ?, ?, ?, '2021-03-01')", entries
        )
        found = compare(con, tmp_path / "s.csv", "1000001")
    assert [row["outcome"] for row in found["lines"]] == ([outcome] if outcome else [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("transaction_id,amount\nt1,4\n", "lacks columns ['currency', 'month']"),
        ("transaction_id,amount,currency,month\nt1,4,USD,2021-03\nt2,four,USD,2021-03\n", "line [3]: amount [four]"),
        ("transaction_id,amount,currency,month\nt1,4,USD,March\n", "line [2]: month [March]"),
    ],
)
def test_a_statement_that_cannot_be_read_is_told_where(five_lines, tmp_path, text, says):
    code, said = reconcile(tmp_path, text)
    assert code == 1 and says in said


def test_a_statement_that_is_not_text_is_told(five_lines, tmp_path):
    path = tmp_path / "statement.xlsx"
    path.write_bytes(b"\xff\xfe\x00")
    done = CliRunner().invoke(app, ["reconcile", str(path), "--partner", "1000001"])
    assert isinstance(done.exception, LookupError) and "[statement.xlsx] is not a CSV file in UTF-8" in str(
        done.exception
    )
