"""Seeded deliveries of any size, made by DuckDB: one history day and the day that is measured."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb

from warehouse import files, landing

HISTORY, DAY = date(2021, 4, 1), date(2021, 4, 2)  # on the first settled day of a month funds are followed besides
CURRENCIES = "['USD','EUR','GBP','JPY','KWD','CHF','CAD','AUD','SEK','INR','BRL','NOK']"
FAMILIES = "['office365','microsoft365','azure','dynamics365','power_platform','enterprise_mobility']"


@dataclass(frozen=True)
class Sizes:
    """How much is made."""

    lines: int = 1_000_000
    history: int = 1_200_000
    partners: int = 50_000
    products: int = 5_000
    customers: int = 200_000
    days: int = 1  # over which the measured lines are spread


def deliver(root: Path, sizes: Sizes, work: Path) -> None:
    """The deliveries of the history day and of the measured day, below `root`."""
    work.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute("SELECT setseed(0.5)")
    providers = max(2, sizes.partners // 17)
    fixed = {"n": sizes.partners, "providers": providers, "products": sizes.products, "customers": sizes.customers}
    for feed, query in FEEDS.items():
        land(con, root, work, feed, HISTORY, query.format(**fixed), "csv")
    land(con, root, work, "transactions", HISTORY, _transactions(sizes, sizes.history, "h", True), "parquet")
    land(con, root, work, "agreements", DAY, FEEDS["agreements"].format(**fixed), "csv")
    land(con, root, work, "transactions", DAY, _transactions(sizes, sizes.lines, "d", False), "csv")


def land(
    con: duckdb.DuckDBPyConnection,
    root: Path,
    work: Path,
    feed: str,
    day: date,
    query: str,
    kind: str,
    mode: Literal["delta", "snapshot"] | None = None,
) -> None:
    """Deliver what a query finds as one file of a feed, below `root`."""
    path = work / f"{feed}.{kind}"
    options = "HEADER" if kind == "csv" else "FORMAT parquet"
    con.execute(f"COPY ({query}) TO '{path}' ({options})")
    rows, totals = files.measure(path)
    landing.deliver(
        root,
        [path],
        feed=feed,
        business_date=day,
        delivery_id=f"{day}-{feed}",
        mode=mode or ("delta" if feed in ("transactions", "fx_rates") else "snapshot"),
        rows=[rows],
        control_totals=totals if feed == "transactions" else None,
        created_at=datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC),
    )
    path.unlink()


RATES = f"""
SELECT strftime(DATE '{{first}}' + to_months(m::INT), '%Y-%m') AS fx_month, c AS from_currency, 'USD' AS to_currency,
    (CASE c WHEN 'JPY' THEN 0.0091 WHEN 'INR' THEN 0.0137 WHEN 'KWD' THEN 3.2894 ELSE 1.1 END + m * 0.0001234567)
        ::DECIMAL(18,10)::VARCHAR AS fx_rate
FROM range({{months}}) months(m), (SELECT unnest({CURRENCIES}) AS c) WHERE c <> 'USD'
"""
FEEDS = {
    "partners": """
        SELECT 1000000 + i AS partner_id, 9000000 + i // 3 AS global_partner_id, 'Partner ' || i AS partner_name,
            'US' AS country, 'tenant-' || i AS tenant_id, CASE WHEN i % 50 = 7 THEN 'CA' ELSE 'US' END AS tenant_country,
            CASE WHEN i < {providers} THEN 'indirect_provider' WHEN i % 11 = 3 THEN 'direct_bill' ELSE 'indirect_reseller' END AS partner_type,
            CASE WHEN i % 60 = 9 THEN 'suspended' ELSE 'active' END AS reseller_status FROM range({n}) t(i)""",
    "agreements": """
        SELECT 'a' || i || '-' || kind AS agreement_id, 1000000 + i AS partner_id, kind AS agreement_type, 'active' AS agreement_status,
            '2018-01-01' AS signed_on, '2018-01-01' AS valid_from, CASE WHEN i % 40 = 5 THEN '2021-01-01' END AS valid_to
        FROM range({n}) t(i), (SELECT unnest(['mpn', 'mpa']) AS kind) WHERE i % 33 <> 8""",
    "competencies": """
        SELECT 1000000 + i AS partner_id, 'cloud_platform' AS competency, CASE WHEN i % 2 = 0 THEN 'gold' ELSE 'silver' END AS competency_level,
            '2019-01-01' AS valid_from, CASE WHEN i % 30 = 4 THEN '2020-12-31' END AS valid_to FROM range({n}) t(i) WHERE i % 29 <> 6""",
    "payee_profiles": """
        SELECT 1000000 + i AS partner_id, CASE WHEN i % 35 = 2 THEN 'missing' ELSE 'approved' END AS bank_status, 'approved' AS tax_status,
            'USD' AS payout_currency, '2019-05-01' AS validated_on FROM range({n}) t(i)""",
    "enrolments": """
        SELECT 1000000 + i AS partner_id, CASE WHEN i < {providers} THEN 'csp-indirect-provider' WHEN i % 11 = 3 THEN 'csp-direct-bill'
            ELSE 'csp-indirect-reseller' END AS program, 'enrolled' AS enrolment_status, '2019-07-01' AS valid_from, NULL AS valid_to
        FROM range({n}) t(i) WHERE i % 25 <> 1""",
    "products": f"""
        SELECT 'P' || lpad(i::VARCHAR, 6, '0') AS product_id, 'Product ' || i AS product_name, ({FAMILIES})[1 + i % 6] AS product_family,
            CASE WHEN i % 17 = 0 THEN 'nonprofit' ELSE 'commercial' END AS product_segment, i % 5 = 0 AS is_strategic, 'P1M' AS term,
            i % 23 = 0 AS is_trial, false AS is_add_on FROM range({{products}}) t(i)""",
    "customers": """
        SELECT 'c-' || i AS customer_id, 'Customer ' || i AS customer_name, 'US' AS country, 'commercial' AS customer_segment,
            '2015-01-01' AS tenant_created_on FROM range({customers}) t(i)""",
    "fx_rates": RATES.format(first="2020-01-01", months=16),
    "users": """
        SELECT 'user' || i || '@partner.example' AS user_email, 'User ' || i AS user_name, 'incentives_admin' AS role,
            1000000 + i AS partner_id, '*' AS program FROM range({n}) t(i) WHERE i % 10 = 0""",
}  # fmt: skip


def _transactions(sizes: Sizes, count: int, prefix: str, is_history: bool) -> str:
    """Billing lines, 3 % of them refunds of all or a part; in the measured day 1 % bad, 0.5 % twice, 2 % of things unknown."""
    providers = max(2, sizes.partners // 17)
    days, last = (365, "2021-03-31") if is_history else (sizes.days, "2021-04-02")
    moment = f"strftime(TIMESTAMP '{last}' - to_days((i % {days})::INT) + to_seconds(i % 86400), '%Y-%m-%dT%H:%M:%SZ')"
    bad = "false" if is_history else "i % 100 = 13"
    query = f"""
        SELECT '{prefix}-' || lpad(i::VARCHAR, 12, '0') || '-4f65-cb23-f8ad95867994' AS transaction_id,
            1000000 + hash(sold) % {providers} AS seller_id, 1000000 + hash(sold * 7) % {sizes.partners} AS reseller_id,
            CASE WHEN i % 101 = 5 AND NOT {is_history} THEN 'unknown' ELSE 'c-' || hash(sold * 3) % {sizes.customers} END AS customer_id,
            CASE WHEN i % 103 = 5 AND NOT {is_history} THEN 'unknown'
                ELSE 'P' || lpad((hash(sold * 5) % {sizes.products})::VARCHAR, 6, '0') END AS product_id,
            's-' || hash(sold * 3) % 500000 AS subscription_id, CASE WHEN {bad} AND i // 100 % 4 = 1 THEN '2021-02-30' ELSE {moment} END AS transaction_at,
            NULL AS invoice_at, CASE WHEN {bad} AND i // 100 % 4 = 2 THEN 'gift' ELSE 'new' END AS charge_type,
            CASE WHEN refunded THEN '-1' ELSE '1' END AS quantity,
            CASE WHEN {bad} AND i // 100 % 4 = 3 THEN '12,50' WHEN {bad} AND i // 100 % 4 = 0 THEN '1.23456' WHEN refunded THEN '-' || amount ELSE amount END AS revenue,
            '0' AS tax, currency, 'reseller' AS association,
            CASE WHEN refunded THEN '{prefix}-' || lpad(sold::VARCHAR, 12, '0') || '-4f65-cb23-f8ad95867994' END AS reverses
        FROM (SELECT *, i - refunded::INT AS sold, ({CURRENCIES})[1 + (sold % 33 + i // 33)::INT % 12] AS currency,
            CASE WHEN currency = 'JPY' THEN (100 + hash(i * 11) % 90000)::VARCHAR
            ELSE (100 + hash(i * 11) % 90000) // 100 || '.' || lpad((hash(i * 11) % 100)::VARCHAR, 2, '0') END AS amount
            FROM (SELECT i, i % 33 = 1 AS refunded FROM range({count}) t(i)))"""
    again = "" if is_history else f" UNION ALL SELECT * FROM ({query}) WHERE hash(transaction_id) % 200 = 0"
    return query + again
