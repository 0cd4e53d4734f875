"""Decided lines of one program, as the transforms get them from the warehouse, made by DuckDB in any number.

A partner has about 200 lines of a fiscal year with ten customers, in twelve currencies; 3 % are refunds of the line before,
of all of it or a part. One customer in a hundred buys for ten times as much, which the cap of the lever `capped` binds, and
gives nothing back: what is freed under a cap that binds goes to older lines, which plain SQL has no expression for.
"""

from pathlib import Path

import duckdb

from benchmarks.data import CURRENCIES

PARTNER_LINES, CUSTOMERS, BUCKET_LINES = 200, 10, 125_000


def make(path: Path, lines: int, bound: str) -> None:
    """A database with `decided_lines`, which lie by `bucket`, as the warehouse hands them out.

    `bound` says whether the customers under a binding cap are spread over `all` partners or are those of a `few`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET preserve_insertion_order = false")
        con.execute(
            QUERY.format(
                lines=lines,
                partners=max(1, lines // PARTNER_LINES),
                customers=CUSTOMERS,
                buckets=-(-lines // BUCKET_LINES),
                currencies=CURRENCIES,
                is_large={"all": "hash(partner, customer) % 100 = 0", "few": "hash(partner, 'large') % 100 = 0"}[bound],
            )
        )


QUERY = """
CREATE TABLE decided_lines AS
WITH numbered AS (
    SELECT i, i % 33 = 1 AS refunded, i - refunded::INT AS sold, hash(sold) % {partners} AS partner,
        hash(sold * 3) % {customers} AS customer, {is_large} AS is_large, refunded AND NOT is_large AS is_refund,
        ({currencies})[1 + (sold % 33 + i // 33)::INT % 12] AS currency
    FROM range({lines}) t(i)
), dated AS (
    SELECT *, 'd-' || lpad(i::VARCHAR, 12, '0') || '-4f65-cb23-f8ad95867994' AS transaction_id,
        CASE WHEN is_refund THEN 'd-' || lpad(sold::VARCHAR, 12, '0') || '-4f65-cb23-f8ad95867994' END AS root_id,
        TIMESTAMP '2020-07-01' + to_days((hash(sold * 13) % 365)::INT) + to_seconds((hash(sold * 17) % 86400)::INT) AS reference_at,
        CASE currency WHEN 'JPY' THEN 0 WHEN 'KWD' THEN 3 ELSE 2 END AS exponent
    FROM numbered
)
SELECT hash(partner) % {buckets} AS bucket, transaction_id, 'six-levers' AS program, (1000000 + partner)::VARCHAR AS partner_id,
    root_id AS reverses, root_id, CASE WHEN is_refund THEN reference_at + INTERVAL 3 DAY ELSE reference_at END AS own_at,
    reference_at, reference_at::DATE AS reference_on,
    CASE WHEN is_refund THEN -1 WHEN is_large THEN 10 ELSE 1 END * (100 + hash(i * 11) % 90000)::BIGINT AS revenue_minor,
    currency, CASE WHEN is_refund THEN -1 ELSE 1 END * (1 + hash(i * 19) % 20)::BIGINT * 1000000 AS quantity_micro,
    'USD' AS program_currency, exponent, 2 AS program_exponent, date_trunc('month', reference_at)::DATE AS fx_month,
    (CASE currency WHEN 'USD' THEN 1 WHEN 'JPY' THEN 0.0091 WHEN 'INR' THEN 0.0137 WHEN 'KWD' THEN 3.2894 ELSE 1.1 END
        + CASE WHEN currency <> 'USD' THEN month(reference_at) * 0.0001234567 ELSE 0 END)::DECIMAL(28,18) AS fx_rate,
    'P' || lpad((hash(sold * 5) % 5000)::VARCHAR, 6, '0') AS product_id, 'azure' AS product_family,
    'commercial' AS product_segment, 'P1M' AS term, false AS is_strategic, false AS is_trial, false AS is_add_on,
    'c-' || partner || '-' || customer AS customer_id, 'commercial' AS customer_segment, 'US' AS customer_country, DATE '2015-01-01' AS tenant_created_on, DATE '2020-07-01' AS first_purchase_on,
    DATE '2019-07-01' AS history_from,
    'new' AS charge_type, 'new' AS own_charge_type, 'reseller' AS association, true AS is_partner_known, false AS is_own_customer,
    true AS is_original_known, true AS is_earning, NULL::VARCHAR AS reason_codes, 'new_line' AS cause, false AS is_posted,
    'eligible' AS decision, NULL::VARCHAR AS compared_by, 'flat,marginal,retroactive,capped,with-minimum,by-unit' AS levers, fx_month AS earning_month,
    'measured' AS rule_version
FROM dated ORDER BY bucket, hash(i)
"""
