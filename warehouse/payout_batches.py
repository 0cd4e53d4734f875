"""What the warehouse knows of payout batches: their payments and orders, what was decided on them, what was sent."""

import hashlib
import json
from datetime import date
from typing import Any

import duckdb

from warehouse import store
from warehouse.tables import FEEDS

# banks take some ten thousand orders a file; a file of 100,000 exceeds what the check of its schema reads
ORDERS_A_FILE = 25_000
NOW = "known_to IS NULL AND NOT is_withdrawn"
PAYMENTS = f"(FROM clean.payout_payments WHERE {NOW})"
ORDER_FILE = (  # its name and message id: a currency and the orders that one file carries
    "concat_ws('-', batch_id, payout_currency, (row_number() OVER (PARTITION BY batch_id, payout_currency ORDER BY payment_id) - 1) "
    f"// {ORDERS_A_FILE} + 1)"
)
ORDERS = f"""
SELECT payment_id, cycle_on, partner_id, program, request_id, earning_type, payout_currency, payout_minor, account_holder, iban, {ORDER_FILE} AS order_file
FROM {PAYMENTS} JOIN (
    SELECT request_id, arg_max(account_holder, known_from) AS account_holder, arg_max(iban, known_from) AS iban
    FROM clean.partner_requests GROUP BY request_id
) USING (request_id) WHERE batch_id = $batch ORDER BY order_file, payment_id
"""
SENT = "SELECT DISTINCT payment_id FROM clean.bank_messages WHERE reported_status = 'sent'"  # which we alone say
BATCHES = f"""
SELECT batch_id, cycle_on, cut_on, proposed_by, approval, batch_hash AS approved_hash, decided_by, note, count(*) AS payments,
    count(sent.payment_id) = count(*) AS is_sent, is_changed
FROM {PAYMENTS} JOIN (
    SELECT batch_id, count(DISTINCT delivery_id) > 1 AS is_changed FROM clean.payout_payments GROUP BY batch_id
) USING (batch_id) LEFT JOIN (FROM clean.payout_approvals WHERE {NOW}) USING (batch_id)
LEFT JOIN ({SENT}) AS sent USING (payment_id) GROUP BY ALL ORDER BY cycle_on, batch_id
"""
TOTALS = f"""
SELECT batch_id, payout_currency, sum(payout_minor)::BIGINT AS payout_minor FROM {PAYMENTS} GROUP BY ALL ORDER BY ALL
"""


def batches(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Every batch, oldest first, with `batch_hash`; `approved_hash` is the one that was decided on."""
    return [row | {"batch_hash": _hash(con, row["batch_id"])} for row in store.rows(con, BATCHES)]


def totals(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What each batch pays in each payout currency, in minor units."""
    return store.rows(con, TOTALS)


def count(con: duckdb.DuckDBPyConnection, cycle_on: date) -> int:
    """How many batches a cycle has."""
    found = con.execute(
        "SELECT count(DISTINCT batch_id) FROM clean.payout_payments WHERE cycle_on = $day", {"day": cycle_on}
    ).fetchall()
    return found[0][0]


def orders(con: duckdb.DuckDBPyConnection, batch: str) -> list[dict[str, Any]]:
    """What a batch orders of the bank, payment by payment, in the order of `order_file`; amounts in minor units."""
    return store.rows(con, ORDERS, batch=batch)


def order_files(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Every payment with the file that orders it, its amount in minor units and its currency."""
    return store.rows(
        con, f"SELECT {ORDER_FILE} AS order_file, payment_id, payout_minor, payout_currency FROM {PAYMENTS}"
    )


def sent(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The payments that we have sent."""
    return {row["payment_id"] for row in store.rows(con, SENT)}


def _hash(con: duckdb.DuckDBPyConnection, batch: str) -> str:
    """What an approval is bound to: every version of the batch's payments and of the accounts that they go to."""
    columns = ", ".join(FEEDS["payout_payments"].columns)
    rows = con.execute(
        f"SELECT {columns}, account_holder, iban FROM clean.payout_payments JOIN "
        "(SELECT request_id, account_holder, iban FROM clean.partner_requests) USING (request_id) "
        "WHERE batch_id = $batch ORDER BY ALL",
        {"batch": batch},
    ).fetchall()
    return hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()
