"""Tables for other systems: reports in the shapes that partners know, the ledger, and the journal that accounting books."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from itertools import chain, islice, pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

from app.familiar import REPORTS, Report
from app.formulas import without_formulas
from warehouse import store

LEDGER = """
SELECT entry_id, posted_on, period, earning_month, partner_id, program, lever, transaction_id, adjustment_id, earning_type,
    amount, currency, program_amount, program_currency, rate, fx_month, fx_rate, rule_version, cause, cause_detail
FROM earnings_ledger
WHERE ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR period = $period) ORDER BY posted_on, entry_id
"""
# each sum once as debit and once as credit; what is taken back changes sides. With a payment its sales tax leaves the
# bank; what comes back of one does so without the tax withheld, and with its sales tax. A rate that first prices a line, or
# no longer does, moves what is owed in its own currency: an accrual, and no exchange difference
JOURNAL = """
WITH moved AS (
    SELECT entry.period, entry.program, entry.earning_type, entry.currency, cause, withheld, sales_tax
    FROM earnings_ledger AS entry JOIN payments USING (payment_id)
    WHERE cause IN ('paid', 'payment_returned') AND ($partner IS NULL OR entry.partner_id = $partner)
        AND ($period IS NULL OR entry.period = $period)
), booked AS (
    SELECT period, program, earning_type, currency, sum(amount) AS amount,
        CASE cause WHEN 'adjustment' THEN 'adjustment' WHEN 'paid' THEN 'payment' WHEN 'payment_returned' THEN 'payment'
            WHEN 'withheld' THEN 'tax' WHEN 'forfeited' THEN 'forfeit' WHEN 'escheated' THEN 'escheat'
            WHEN 'coop_converted' THEN 'conversion' WHEN 'offset' THEN 'offset' ELSE 'accrual' END AS kind
    FROM earnings_ledger
    WHERE ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR period = $period) GROUP BY ALL
    UNION ALL
    SELECT period, program, earning_type, program_currency, sum(program_amount), 'exchange difference'
    FROM earnings_ledger
    WHERE cause = 'fx_correction' AND amount = 0 AND ($partner IS NULL OR partner_id = $partner) AND ($period IS NULL OR period = $period)
    GROUP BY ALL
    UNION ALL
    SELECT period, program, earning_type, currency, sum(CASE cause WHEN 'paid' THEN -sales_tax ELSE sales_tax END), 'sales tax'
    FROM moved GROUP BY ALL
    UNION ALL
    SELECT period, program, earning_type, currency, sum(withheld), 'tax returned' FROM moved WHERE cause = 'payment_returned'
    GROUP BY ALL
), sides AS (
    SELECT *, CASE kind WHEN 'exchange difference' THEN kind WHEN 'payment' THEN 'bank' WHEN 'sales tax' THEN 'bank'
            WHEN 'tax' THEN 'tax payable' WHEN 'tax returned' THEN 'tax payable'
            WHEN 'escheat' THEN 'unclaimed property' WHEN 'conversion' THEN 'clearing' WHEN 'offset' THEN 'clearing'
            ELSE earning_type || ' expense' END AS account,
        amount AS debited FROM booked
    UNION ALL
    SELECT *, CASE kind WHEN 'sales tax' THEN 'input tax' WHEN 'tax returned' THEN 'bank' ELSE earning_type || ' payable' END,
        -amount FROM booked
)
SELECT period, program, kind, account, greatest(debited, 0) AS debit, greatest(-debited, 0) AS credit, currency
FROM sides WHERE debited <> 0 ORDER BY period, program, currency, kind, earning_type, account
"""
BOOKS = {"ledger": LEDGER, "journal": JOURNAL}
QUERIES = (*REPORTS, *BOOKS)
RANGE = 50_000  # rows whose lines are found at once
PIECE = 16_384  # rows that are joined and sorted at once
BATCH = 2_048
ROW_GROUP = 40_000  # as many as fit
SAMPLED = 100  # one row in so many tells where ranges begin
Lay = Callable[[pa.RecordBatch], pa.RecordBatch]
Key = tuple[str, str]  # a partner and the id of a row
FIRST, LAST = ("", ""), ("\U0010ffff", "")  # before and after every partner
SHEET_ROWS = 1_048_575  # that a worksheet holds below its heading


def export(
    con: duckdb.DuckDBPyConnection, what: str, out: Path, *, kind: str, partner: str | None, period: date | None
) -> int:
    """Write a report to a file, batch by batch; how many rows. The journal balances in every period, program and currency.

    The connection may be closed afterwards.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # the usual one keeps what is freed
    wanted = {"partner": partner, "period": period}
    if what in BOOKS:
        return WRITERS[kind](con.execute(store.filled(BOOKS[what], **wanted)).to_arrow_reader(BATCH), as_found, out)
    report = REPORTS[what]
    if kind == "csv":  # which people open; systems read the books as they are
        report = report.written()
        lay = partial(_laid_out, report=report)
        return _csv(_told(con, report, wanted), lambda rows: without_formulas(lay(rows), besides=report.figures), out)
    return WRITERS[kind](_told(con, report, wanted), partial(_laid_out, report=report), out)


def _told(
    con: duckdb.DuckDBPyConnection, report: Report, wanted: Mapping[str, str | date | None]
) -> pa.RecordBatchReader:
    """The rows of a report by partner and id, a range after the other: as a whole they would not fit into little memory."""
    asked = store.filled(report.asked, **wanted)
    pieces = _pieces(con, report, asked)
    first = next(pieces)
    return pa.RecordBatchReader.from_batches(first.schema, chain(first, chain.from_iterable(pieces)))


def _pieces(con: duckdb.DuckDBPyConnection, report: Report, asked: str) -> Iterator[pa.RecordBatchReader]:
    starts = con.execute(_starts(asked)).fetchall()
    for after, until in pairwise([FIRST, *starts, LAST]):
        yield from _of_range(con, report, asked + _between(after, until))
    con.close()  # which frees what DuckDB keeps of the release


def _starts(asked: str) -> str:
    """The query of the partner and id after which each range but the first begins."""
    return f"""
    SELECT partner_id, row_id FROM (
        SELECT partner_id, row_id, row_number() OVER (ORDER BY partner_id, row_id) AS place
        FROM ({asked}) WHERE hash(row_id) % {SAMPLED} = 0
    ) WHERE place % {RANGE // SAMPLED} = 0 ORDER BY ALL"""


def _between(after: Key, until: Key) -> str:
    """The condition of a range, which begins after a partner's id and goes until another's."""
    return store.filled(
        "AND partner_id BETWEEN $first AND $last AND (partner_id > $first OR row_id > $after) AND (partner_id < $last OR row_id <= $until)",
        first=after[0], after=after[1], last=until[0], until=until[1],
    )  # fmt: skip


def _of_range(con: duckdb.DuckDBPyConnection, report: Report, asked: str) -> Iterator[pa.RecordBatchReader]:
    """A range's rows, a piece after the other; what each is looked up in is made once."""
    ordered = f"SELECT *, row_number() OVER () AS place FROM ({asked} ORDER BY partner_id, row_id)"
    for name, query in {"asked": ordered, **report.tables}.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    [(count,)] = con.execute("SELECT count(*) FROM asked").fetchall()
    for done in range(0, max(count, 1), PIECE):
        piece = f"FROM ({report.found}) WHERE place > {done} AND place <= {done + PIECE} ORDER BY place"
        yield con.execute(f"SELECT {', '.join(report.held)} FROM ({piece})").to_arrow_reader(BATCH)


def _laid_out(rows: pa.RecordBatch, report: Report) -> pa.RecordBatch:
    """Rows with all columns; those that hold the same, or nothing, are one in memory."""
    held = {"": pa.nulls(rows.num_rows, pa.string()), **dict(zip(report.held, rows.columns, strict=True))}
    return pa.RecordBatch.from_arrays([held[one] for one in report.columns.values()], names=list(report.columns))


def as_found(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Rows as they are, which need no laying out."""
    return rows


def _schema(rows: pa.RecordBatchReader, lay: Lay) -> pa.Schema:
    none = [pa.nulls(0, field.type) for field in rows.schema]
    return lay(pa.RecordBatch.from_arrays(none, schema=rows.schema)).schema


def _csv(rows: pa.RecordBatchReader, lay: Lay, out: Path) -> int:
    import pyarrow.csv

    with pyarrow.csv.CSVWriter(out, _schema(rows, lay)) as writer:
        return _each(map(lay, rows), writer.write_batch)


def _parquet(rows: pa.RecordBatchReader, lay: Lay, out: Path) -> int:
    """The rows are set aside first, so that what finding them took is free: row groups take memory until the end."""
    import pyarrow.parquet

    schema = _schema(rows, lay)
    # without a name, so that nothing of it outlives the process
    with TemporaryFile(dir=store.place("staging")) as aside:
        with pa.ipc.new_stream(aside, rows.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
            _each(rows, stream.write_batch)
        store.reached("rows set aside")
        aside.seek(0)
        with pyarrow.parquet.ParquetWriter(out, schema, compression="zstd") as writer:
            return _each(_groups(map(lay, pa.ipc.open_stream(aside))), writer.write_table)


def _groups(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    for first in rows:
        yield pa.Table.from_batches([first, *islice(rows, ROW_GROUP // BATCH - 1)])


def _each(rows: Iterable[Any], write: Callable[[Any], None]) -> int:
    """Write what there is, none of which is held while the next is found; how many rows."""

    def written(batch: Any) -> int:
        write(batch)
        return batch.num_rows

    return sum(map(written, rows))


def workbook(rows: pa.RecordBatchReader, lay: Lay, out: Path | BinaryIO) -> int:
    """Write a workbook, a further sheet for each million rows; how many rows. Text is never read as a formula."""
    import xlsxwriter

    count, names = 0, _schema(rows, lay).names
    options = {
        "constant_memory": True,
        "use_zip64": True,  # a sheet of 1,000,000 rows is 2.7 GB
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(out, options) as book:
        for batch in map(lay, rows):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if count % SHEET_ROWS == 0:
                    sheet = book.add_worksheet()
                    sheet.write_row(0, 0, names)
                sheet.write_row(count % SHEET_ROWS + 1, 0, values)
                count += 1
        if not count:
            book.add_worksheet().write_row(0, 0, names)
    return count


WRITERS = {"csv": _csv, "parquet": _parquet, "xlsx": workbook}
