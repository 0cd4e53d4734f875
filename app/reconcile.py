"""A partner's statement beside our ledger, line by line and adjustment by adjustment: what agrees, what does not, and by how much."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv

from warehouse import store

OUTCOMES = ("matched", "amount differs", "rate differs", "timing", "missing here", "missing there")
# our word → other words for it, those of Partner Center's earnings export (2023) among them; case and `_` do not count
ALIASES = {
    "transaction_id": ("transactionid",),
    "amount": ("amount", "earningamount", "earned"),
    "currency": ("currency", "transactioncurrency"),
    "month": ("month", "earningmonth", "earningdate"),
    "rate": ("rate", "earningrate"),
    "adjustment_id": ("adjustmentid",),
    "earning_id": ("earningid", "entryid"),
    "payment_id": ("paymentid",),
}
NEEDED = ("transaction_id", "amount", "currency", "month")
TYPES = pa.schema(
    [
        ("transaction_id", pa.string()), ("amount", pa.decimal128(18, 3)), ("currency", pa.string()),
        ("month", pa.date32()), ("rate", pa.decimal128(18, 9)), ("adjustment_id", pa.string()), ("earning_id", pa.string()),
        ("payment_id", pa.string()),
    ]
)  # fmt: skip
# a statement may have the rates that were corrected since, as our own export has, and has all that are in force; what has
# no line is compared by adjustment, payment or entry, of which our own export gives the entry and no currency
COMPARED = """
WITH entry AS (
    SELECT * FROM earnings_ledger WHERE partner_id = $partner
), theirs AS (
    SELECT
        said.transaction_id IS NOT NULL AS is_line,
        coalesce(
            said.transaction_id, 'adjustment ' || coalesce(said.adjustment_id, entry.adjustment_id),
            'payment ' || entry.payment_id, 'earning ' || earning_id, 'payment ' || said.payment_id, 'no reference'
        ) AS reference,
        coalesce(upper(said.currency), entry.currency, '?') AS currency,
        sum(said.amount) AS amount, date_trunc('month', max(month)) AS month,
        list(DISTINCT said.rate ORDER BY said.rate) FILTER (said.rate IS NOT NULL) AS rates
    FROM statement AS said LEFT JOIN entry ON entry_id = earning_id AND said.transaction_id IS NULL
    GROUP BY ALL
), posted AS (
    SELECT
        transaction_id IS NOT NULL AS is_line,
        coalesce(transaction_id, 'adjustment ' || adjustment_id, 'payment ' || payment_id, 'earning ' || entry_id) AS reference,
        currency, program, lever, bracket, sum(amount) AS amount, max(earning_month) AS month, arg_max(rate, posted_on) AS rate,
        list(DISTINCT rate) FILTER (rate IS NOT NULL) AS ever
    FROM entry GROUP BY ALL
), ours AS (
    SELECT
        is_line, reference, currency, sum(amount) AS amount, max(month) AS month, flatten(list(ever)) AS ever,
        list(DISTINCT rate ORDER BY rate) FILTER (rate IS NOT NULL AND amount <> 0) AS rates,
        bool_and(lever = 'settlement') AS is_settlement
    FROM posted GROUP BY is_line, reference, currency
    HAVING sum(amount) <> 0 OR reference IN (SELECT reference FROM theirs)
)
SELECT
    CASE
        WHEN ours.reference IS NULL THEN 'missing here'
        WHEN theirs.reference IS NULL THEN 'missing there'
        WHEN NOT (list_has_all(theirs.rates, ours.rates) AND list_has_all(ours.ever, theirs.rates)) THEN 'rate differs'
        WHEN theirs.amount <> ours.amount THEN 'amount differs'
        WHEN theirs.month <> ours.month THEN 'timing'
        ELSE 'matched'
    END AS outcome,
    CASE WHEN is_line THEN reference END AS transaction_id, CASE WHEN NOT is_line THEN reference END AS reference,
    currency, theirs.amount AS theirs, ours.amount AS ours,
    coalesce(theirs.amount, 0) - coalesce(ours.amount, 0) AS difference,
    array_to_string(theirs.rates, ', ') AS their_rate, array_to_string(ours.rates, ', ') AS our_rate, theirs.month::DATE AS their_month, ours.month AS our_month
FROM theirs FULL JOIN ours USING (is_line, reference, currency)
WHERE theirs.reference IS NOT NULL OR (NOT ours.is_settlement AND ours.month IN (SELECT month FROM theirs))
ORDER BY is_line DESC, reference
"""


def reconcile(con: duckdb.DuckDBPyConnection, path: Path, partner: str) -> dict[str, list[dict[str, Any]]]:
    """Sums by outcome and currency, and every line, adjustment or other row that does not agree.

    What only we have counts as missing there when the statement covers its month, what was paid or given up only where the
    statement names it. Raises LookupError for a
    statement that cannot be read, with file, line and column, and for a partner without entries.
    """
    con.register("statement", _read(path))
    if not con.execute(
        "SELECT 1 FROM earnings_ledger WHERE partner_id = $partner LIMIT 1", {"partner": partner}
    ).fetchall():
        raise LookupError(f"partner [{partner}] has no ledger entry in the current release; check the id.")
    rows = store.rows(con, COMPARED, partner=partner)
    return {"sums": list(_sums(rows)), "lines": [row for row in rows if row["outcome"] != "matched"]}


def _sums(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for currency in sorted({row["currency"] for row in rows}):
        for outcome in OUTCOMES:
            here = [row for row in rows if row["currency"] == currency and row["outcome"] == outcome]
            if here:
                sums = {
                    side: sum((row[side] or Decimal(0)) for row in here) for side in ("theirs", "ours", "difference")
                }
                yield {"outcome": outcome, "lines": len(here), **sums, "currency": currency}


def _read(path: Path) -> pa.Table:
    """The statement's columns by our words, typed from their text."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline().strip().replace('"', "").split(",")
        text = pa.csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True)
        given = pa.csv.read_csv(path, convert_options=text)
    except (pa.ArrowInvalid, UnicodeDecodeError) as fault:
        raise LookupError(f"[{path.name}] is not a CSV file in UTF-8 with one header line: {fault}") from None
    named = {name.lower().replace("_", ""): name for name in given.column_names}
    found = {ours: named[a] for ours, aliases in ALIASES.items() for a in aliases if a in named}
    if lacking := [name for name in NEEDED if name not in found]:
        raise LookupError(f"[{path.name}] lacks columns {lacking}; it has {given.column_names}.")
    columns = {ours: given[theirs].to_pylist() for ours, theirs in found.items()}
    typed = {
        name: [_typed(path, name, n, value) for n, value in enumerate(values, 2)] for name, values in columns.items()
    }
    return pa.table({**dict.fromkeys(TYPES.names, [None] * len(given)), **typed}).cast(TYPES)


def _typed(path: Path, name: str, number: int, value: str | None) -> Any:
    if pa.types.is_string(TYPES.field(name).type) or (value is None and name == "rate"):
        return value
    try:
        if name == "month":
            return date.fromisoformat(f"{value}-01" if len(str(value)) == 7 else str(value)[:10])
        amount = Decimal(str(value))
        pa.scalar(amount, TYPES.field(name).type)
        return amount
    except (ValueError, InvalidOperation):  # Arrow's faults are ValueErrors too
        kind = TYPES.field(name).type
        wanted = (
            "a month such as 2022-03"
            if name == "month"
            else f"a number such as 12.50 of at most {kind.precision - kind.scale} digits and {kind.scale} decimals"
        )
        raise LookupError(f"[{path.name}] line [{number}]: {name} [{value}] is not {wanted}.") from None
