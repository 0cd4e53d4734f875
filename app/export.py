"""Tables for other systems: a partner's earnings, and the journal that an accounting system books."""

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

EARNINGS = """
SELECT entry_id, posted_on, period, earning_month, partner_id, program, lever, transaction_id, adjustment_id, earning_type,
    amount, currency, program_amount, program_currency, rate, fx_month, fx_rate, rule_version, cause, cause_detail
FROM earnings_ledger
WHERE ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR period = $period) ORDER BY posted_on, entry_id
"""
# each sum once as debit and once as credit; what is taken back changes sides
JOURNAL = """
WITH booked AS (
    SELECT period, program, earning_type, currency, sum(amount) AS amount,
        CASE cause WHEN 'adjustment' THEN 'adjustment' WHEN 'paid' THEN 'payment' WHEN 'payment_returned' THEN 'payment'
            WHEN 'withheld' THEN 'tax' WHEN 'forfeited' THEN 'forfeit' WHEN 'escheated' THEN 'escheat'
            WHEN 'coop_converted' THEN 'conversion' WHEN 'offset' THEN 'offset' ELSE 'accrual' END AS kind
    FROM earnings_ledger
    WHERE ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR period = $period) GROUP BY ALL
    UNION ALL
    SELECT period, program, earning_type, program_currency, sum(program_amount), 'exchange difference'
    FROM earnings_ledger
    WHERE cause = 'fx_correction' AND ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR period = $period)
    GROUP BY ALL
), sides AS (
    SELECT *, CASE kind WHEN 'exchange difference' THEN kind WHEN 'payment' THEN 'bank' WHEN 'tax' THEN 'tax payable'
            WHEN 'escheat' THEN 'unclaimed property' WHEN 'conversion' THEN 'clearing' WHEN 'offset' THEN 'clearing'
            ELSE earning_type || ' expense' END AS account,
        amount AS debited FROM booked
    UNION ALL
    SELECT *, earning_type || ' payable', -amount FROM booked
)
SELECT period, program, kind, account, greatest(debited, 0) AS debit, greatest(-debited, 0) AS credit, currency
FROM sides WHERE debited <> 0 ORDER BY period, program, currency, kind, earning_type, account
"""
QUERIES = {"earnings": EARNINGS, "journal": JOURNAL}
WRITERS = {"csv": pa.csv.write_csv, "parquet": pa.parquet.write_table}


def export(
    con: duckdb.DuckDBPyConnection, what: str, out: Path, *, kind: str, partner: str | None, period: date | None
) -> int:
    """Write a table to a file; how many rows. The journal balances in every period, program and currency."""
    rows: pa.Table = con.execute(QUERIES[what], {"partner": partner, "period": period}).to_arrow_table()
    WRITERS[kind](rows, out)
    return rows.num_rows
