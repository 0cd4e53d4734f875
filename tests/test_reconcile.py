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


LEDGER = """CREATE TABLE earnings_ledger (
    partner_id VARCHAR, transaction_id VARCHAR, currency VARCHAR, program VARCHAR, lever VARCHAR, bracket INTEGER,
    amount DECIMAL(18,3), rate DECIMAL(18,9), posted_on DATE, earning_month DATE, entry_id VARCHAR, adjustment_id VARCHAR,
    payment_id VARCHAR
)"""


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
        con.execute(LEDGER)
        con.executemany(
            "INSERT INTO earnings_ledger BY NAME SELECT '1000001' AS partner_id, 't1' AS transaction_id, 'USD' AS currency, "
            "'p' AS program, ? AS lever, 1 AS bracket, ? AS amount, ? AS rate, ? AS posted_on, '2021-03-01' AS earning_month",
            entries,
        )
        found = compare(con, tmp_path / "s.csv", "1000001")
    assert [row["outcome"] for row in found["lines"]] == ([outcome] if outcome else [])


ADJUSTMENT = """adjustment: gift
program: csp-indirect-reseller
partner: "1000001"
month: 2021-03-01
earning_type: rebate
amount: 12.50
currency: USD
reason: policy_exception
by: anna
approved_by: ben
reference: ticket 1
expect: {earned: 4.00}
"""
HEADER = "transaction_id,amount,currency,month,adjustment_id,payment_id\nt1,4.00,usd,2021-03,,\n"


@pytest.fixture
def adjusted(home, settled, tmp_path_factory, monkeypatch):
    """A line of 4.00 of March, and an adjustment of 12.50."""
    declared = tmp_path_factory.mktemp("adjustments")
    (declared / "gift.yaml").write_text(ADJUSTMENT)
    monkeypatch.setenv("INCENTIVES_ADJUSTMENTS", str(declared))
    copy_home(settled[0])
    settle_next("2021-03-24", [])
    return home


@pytest.mark.parametrize(
    ("rows", "outcomes"),
    [
        (",12.50,USD,2021-03,gift,\n", []),
        ("", [("missing there", "adjustment gift", "-12.50")]),
        (",12.00,USD,2021-03,gift,\n", [("amount differs", "adjustment gift", "-0.50")]),
        (
            ",12.50,USD,2021-03,gift,\n,99999.00,USD,2021-03,,\n,1.00,,2021-03,,p1\n",
            [("missing here", "no reference", "99999"), ("missing here", "payment p1", "1")],
        ),
    ],
)
def test_what_has_no_line_is_compared_by_what_it_has(adjusted, tmp_path, rows, outcomes):
    code, found = reconcile(tmp_path, HEADER + rows)
    assert [
        (row["outcome"], row["reference"], Decimal(row["difference"]), row["transaction_id"]) for row in found["lines"]
    ] == [(outcome, reference, Decimal(difference), None) for outcome, reference, difference in outcomes]
    assert code == bool(outcomes)
    assert sum(Decimal(row["difference"]) for row in found["sums"]) == sum(Decimal(one[2]) for one in outcomes)


@pytest.mark.parametrize("what", ["earnings", "ledger"])
def test_our_own_export_agrees(adjusted, tmp_path, what):
    out = tmp_path / "export.csv"
    done = CliRunner().invoke(app, ["export", what, "--partner", "1000001", "--out", str(out)])
    assert done.exit_code == 0, done.output
    code, found = reconcile(tmp_path, out.read_text())
    assert code == 0 and [(row["outcome"], row["lines"], Decimal(row["ours"])) for row in found["sums"]] == [
        ("matched", 2, Decimal("16.50"))
    ]


@pytest.mark.parametrize(
    ("rows", "outcomes"),
    [
        ("t1,4.00,USD,2021-03,,\n", {"matched": 1}),
        ("t1,4.00,USD,2021-03,,\n,-3.00,USD,2021-03,paid,\n,-1.00,USD,2021-03,given up,\n", {"matched": 3}),
        ("t1,4.00,USD,2021-03,,\n,-2.00,USD,2021-03,,p1\n", {"matched": 1, "amount differs": 1}),
    ],
)
def test_what_was_paid_or_given_up_is_compared_where_a_statement_names_it(tmp_path, rows, outcomes):
    (tmp_path / "s.csv").write_text("transaction_id,amount,currency,month,entry_id,payment_id\n" + rows)
    entries = [("earned", "t1", "l", "4.00", None), ("paid", None, "settlement", "-3.00", "p1"), ("given up", None, "settlement", "-1.00", None)]  # fmt: skip
    with duckdb.connect() as con:
        con.execute(LEDGER)
        con.executemany(
            "INSERT INTO earnings_ledger BY NAME SELECT '1000001' AS partner_id, 'USD' AS currency, '2021-03-01' AS earning_month, "
            "? AS entry_id, ? AS transaction_id, ? AS lever, ? AS amount, ? AS payment_id",
            entries,
        )
        found = compare(con, tmp_path / "s.csv", "1000001")
    assert {row["outcome"]: row["lines"] for row in found["sums"]} == outcomes


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
