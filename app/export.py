"""Tables for other systems: reports in the shapes that partners know, the ledger, and the journal that accounting books."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import xlsxwriter

from app.familiar import REPORTS
from app.formulas import without_formulas

LEDGER = """
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
QUERIES = {**REPORTS, "ledger": LEDGER, "journal": JOURNAL}
BATCH = 50_000
SHEET_ROWS = 1_048_575  # that a worksheet holds below its heading


def export(
    con: duckdb.DuckDBPyConnection, what: str, out: Path, *, kind: str, partner: str | None, period: date | None
) -> int:
    """Write a report to a file, batch by batch; how many rows. The journal balances in every period, program and currency."""
    found = con.execute(QUERIES[what], {"partner": partner, "period": period})
    rows = found.to_arrow_reader(BATCH)
    if kind == "csv" and what in REPORTS:  # which people open; systems read the others as they are
        rows = pa.RecordBatchReader.from_batches(rows.schema, map(without_formulas, rows))
    return WRITERS[kind](rows, out)


def _csv(rows: pa.RecordBatchReader, out: Path) -> int:
    with pa.csv.CSVWriter(out, rows.schema) as writer:
        return _each(rows, writer.write_batch)


def _parquet(rows: pa.RecordBatchReader, out: Path) -> int:
    with pa.parquet.ParquetWriter(out, rows.schema, compression="zstd") as writer:
        return _each(rows, writer.write_batch)


def _each(rows: pa.RecordBatchReader, write: Callable[[pa.RecordBatch], None]) -> int:
    count = 0
    for batch in rows:
        write(batch)
        count += batch.num_rows
    return count


def _xlsx(rows: pa.RecordBatchReader, out: Path) -> int:
    """A workbook, a further sheet for each million rows; text is never read as a formula."""
    count = 0
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(out, options) as book:
        for batch in rows:
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if count % SHEET_ROWS == 0:
                    sheet = book.add_worksheet()
                    sheet.write_row(0, 0, rows.schema.names)
                sheet.write_row(count % SHEET_ROWS + 1, 0, values)
                count += 1
        if not count:
            book.add_worksheet().write_row(0, 0, rows.schema.names)
    return count


WRITERS = {"csv": _csv, "parquet": _parquet, "xlsx": _xlsx}
