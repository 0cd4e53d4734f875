"""The report of earnings beside that of payments, over sample days across the end of a half year: what is paid is what was earned."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import payouts
import pipeline
from app import export, land
from app.sample import sample
from tests.deliveries import ask
from warehouse import releases

CYCLE = date(2022, 2, 15)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The reports of a home in which a cycle is paid after co-op of the half year has become rebate, by their names."""
    home, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("sample")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(home))
        sample(out, first_day=date(2021, 12, 30), days=4, partners=40, transactions=100, seed=1, defects=False)
        *first, last = sorted({path.name[:10] for path in out.iterdir() if path.is_dir()})
        land.deliveries([path for day in first for path in sorted(out.glob(f"{day}*"))])
        pipeline.run()
        batch = payouts.propose(CYCLE, "anna")
        payouts.decide(batch["batch_id"], "approved", "ben", batch["batch_hash"])
        land.deliveries(sorted(out.glob(f"{last}*")))
        pipeline.run()
        known = dict(ask("SELECT payment_id, payment FROM payments WHERE earning_type = 'rebate'"))
        yield {what: _rows(what, home / f"{what}.csv") for what in ("earnings", "payments")} | {"known": known}


def _rows(what: str, out: Path) -> list[dict]:
    with releases.reader(releases.published()) as con:
        return _told(con, what, out)


def _told(con: duckdb.DuckDBPyConnection, what: str, out: Path) -> list[dict]:
    export.export(con, what, out, kind="csv", partner=None, period=None)
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_earnings_of_each_payment_sum_to_it_before_tax(told):
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in told["earnings"]:
        if row["paymentId"]:
            sums[row["paymentId"]] += Decimal(row["earningAmount"])
    assert sums == told["known"] and len(sums) > 5
    assert {row["paymentID"] for row in told["payments"]} == set(sums)
    paid = Counter(row["reasonCode"] for row in told["earnings"] if row["paymentId"])
    assert paid["coop_converted"] and paid["new_line"]


RELEASE = """
CREATE SCHEMA parts;
CREATE TABLE parts.payment_calendar AS SELECT 'p' AS program, month::DATE AS month, (month + INTERVAL 2 MONTH + INTERVAL 14 DAY)::DATE AS earned_due_on,
    earned_due_on AS posted_due_on FROM generate_series(TIMESTAMP '2021-01-01', TIMESTAMP '2023-01-01', INTERVAL 1 MONTH) AS months(month);
CREATE TABLE parts.payee_holds (partner_id VARCHAR, program VARCHAR, reason_code VARCHAR);
CREATE TABLE partners (partner_id VARCHAR, partner_name VARCHAR, country VARCHAR);
CREATE TABLE products (product_id VARCHAR, product_name VARCHAR, product_family VARCHAR);
CREATE TABLE customers (customer_id VARCHAR, customer_name VARCHAR);
CREATE TABLE programs (program VARCHAR, program_title VARCHAR);
CREATE TABLE transactions (transaction_id VARCHAR, seller_id VARCHAR, reseller_id VARCHAR, customer_id VARCHAR, product_id VARCHAR,
    subscription_id VARCHAR, transaction_at TIMESTAMP, invoice_at TIMESTAMP, charge_type VARCHAR, quantity DECIMAL(18,6),
    revenue DECIMAL(18,3), currency VARCHAR, association VARCHAR);
CREATE TABLE payments AS SELECT payment_id, 'a' AS partner_id, 'p' AS program, 'rebate' AS earning_type, 'USD' AS currency, 'USD' AS payout_currency,
    cut_on::DATE AS cut_on, cycle_on::DATE AS cycle_on, payment_status, 130.00 AS payment
    FROM (VALUES ('back', '2021-03-10', '2021-03-15', 'rejected'), ('one', '2021-09-20', '2021-10-15', 'sent')) AS rows(payment_id, cut_on, cycle_on, payment_status);
CREATE TABLE earnings_ledger AS SELECT entry_id, posted_on::DATE AS posted_on, date_trunc('month', posted_on::DATE) AS period, earning_month::DATE AS earning_month,
    'a' AS partner_id, 'p' AS program, 'x' AS lever, NULL::VARCHAR AS transaction_id, 'rebate' AS earning_type, amount::DECIMAL(18,3) AS amount,
    'USD' AS currency, amount::DECIMAL(18,3) AS program_amount, 'USD' AS program_currency, NULL::DECIMAL(18,9) AS rate, NULL::DATE AS fx_month,
    NULL::DECIMAL(28,18) AS fx_rate, cause, NULL::VARCHAR AS cause_detail
    FROM (VALUES ENTRIES) AS rows(entry_id, posted_on, earning_month, amount, cause);
"""
LATE = ("late", "2021-10-01", "2021-03-01", 30, "new_line")
EARNED = (("jan", "2021-01-31", "2021-01-01", 100, "new_line"), ("feb", "2021-02-28", "2021-02-01", 50, "new_line"))


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([("up", "2021-09-15", "2021-01-01", -100, "escheated")], {"jan": ("Escheated", ""), "feb": ("Sent", "one"), "up": ("Escheated", "")}),
        ([("up", "2021-09-15", "2021-02-01", -150, "forfeited")], {"jan": ("Forfeited", ""), "feb": ("Forfeited", ""), "up": ("Forfeited", "")}),
        ([("up", "2021-09-15", "2021-01-01", -100, "escheated"), LATE, ("up2", "2022-09-15", "2021-03-01", -30, "forfeited")],
         {"jan": ("Escheated", ""), "feb": ("Sent", "one"), "up": ("Escheated", ""), "late": ("Forfeited", ""), "up2": ("Forfeited", "")}),
        ([("up", "2021-09-15", "2021-01-01", -40, "forfeited")], {"jan": ("Sent", "one"), "feb": ("Sent", "one"), "up": ("Forfeited", "one")}),
        ([("offset", "2021-10-15", "2021-02-01", -20, "offset")], {"jan": ("Sent", "one"), "feb": ("Sent", "one"), "offset": ("Sent", "one")}),
        ([("offset", "2021-10-15", "2021-02-01", -10, "offset")], {"jan": ("Sent", "one"), "feb": ("Sent", "one"), "offset": ("Unprocessed", "")}),
    ],
    ids=["a part", "all", "twice", "what no earnings sum to", "an offset that the payment netted", "an offset after it"],
)  # fmt: skip
def test_what_is_given_up_or_offset_is_told_apart_from_what_is_paid(tmp_path, entries, told):
    con = duckdb.connect()
    con.execute(RELEASE.replace("ENTRIES", ", ".join(map(str, [*EARNED, *entries]))))
    rows = _told(con, "earnings", tmp_path / "e.csv")
    assert {row["earningId"]: (row["paymentStatus"], row["paymentId"]) for row in rows} == told
