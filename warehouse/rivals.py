"""Customers that a lever keeps for the partner who earned on them first: whose lines may have another holder now."""

from datetime import date

import duckdb

from warehouse import buckets
from warehouse.worked import LIVE, sold


def gather(con: duckdb.DuckDBPyConnection, as_of: date) -> int:
    """Make `rival_lines`: the lines, of all partners, of customers that related lines name, where programs keep customers.

    And `sold_lines` of them, if there are any. How many buckets they fall into, by their `bucket_key`, which all lines of a
    customer share. `judged_for` is the partner for whom a line was judged before, if it was.
    """
    keeps = "SELECT program FROM program_earners WHERE keeps_customers"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE rival_lines AS WITH customers AS ("
        f"SELECT customer_id FROM related_customers WHERE EXISTS ({keeps})"
        f"), eligible AS (SELECT transaction_id, program, partner_id FROM derived.decisions WHERE program IN ({keeps}) "
        "AND known_to IS NULL AND (decision = 'eligible' OR program IN (SELECT program FROM program_earners WHERE has_baseline))"
        f"), rivals AS (SELECT transaction_id, program, max(partner_id) AS judged_for FROM (SELECT * FROM eligible SEMI JOIN (SELECT transaction_id FROM clean.transactions "
        f"SEMI JOIN customers USING (customer_id) WHERE {LIVE}) USING (transaction_id) UNION ALL "
        f"SELECT transaction_id, program, NULL FROM related_lines CROSS JOIN ({keeps})) GROUP BY ALL) "
        "SELECT transaction_id, program, judged_for, CAST(NULL AS UBIGINT) AS bucket_key, coalesce(above.reverses, own.reverses, transaction_id) AS root, "
        "'corrected_line' AS arrival, true AS is_known FROM rivals LEFT JOIN links AS own USING (transaction_id) "
        "LEFT JOIN links AS above ON above.transaction_id = own.reverses",
        {"as_of": as_of},
    )
    [(count,)] = con.execute("SELECT count(*) FROM rival_lines").fetchall()
    if count:
        sold(con, "rival_lines", as_of)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE rival_lines AS SELECT rival_lines.* REPLACE (hash(coalesce(head.customer_id, line.customer_id)) "
            "AS bucket_key) FROM rival_lines LEFT JOIN sold_lines AS line USING (transaction_id) "
            "LEFT JOIN sold_lines AS head ON head.transaction_id = root"
        )
    return buckets.divide(con, "rivals", "rival_lines") if count else 0


def open_bucket(con: duckdb.DuckDBPyConnection, number: int) -> None:
    """Make `rival_bucket`: the rival lines of one bucket."""
    buckets.open_one(con, "rivals", number, "rival_bucket")


def compare(con: duckdb.DuckDBPyConnection) -> None:
    """Make `touched_holders`: what is kept of customers of rival lines; and `moved_holders`: programs and partners, old
    and new, where that changed, and all who sold to a customer whom nobody held before, or to any where one is held no
    more. `holders_now` is who holds what after the run.
    """
    key, columns = "program, lever, scope", "program, lever, scope, partner_id, transaction_id, held_since"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE touched_holders AS SELECT {key} FROM staging.derived.holders UNION "
        f"SELECT {key} FROM derived.holders SEMI JOIN rival_lines USING (transaction_id, program) WHERE known_to IS NULL"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE moved_holders AS WITH moved AS (SELECT {columns}, sum(side) AS side FROM ("
        f"SELECT {columns}, 1 AS side FROM staging.derived.holders UNION ALL SELECT {columns}, -1 FROM derived.holders "
        f"SEMI JOIN touched_holders USING ({key}) WHERE known_to IS NULL) "
        f"GROUP BY {columns} HAVING sum(side) <> 0"
        f"), alone AS (SELECT {key}, any_value(transaction_id) AS transaction_id, any_value(side) AS side FROM moved "
        "GROUP BY ALL HAVING count(*) = 1"
        "), begun AS (SELECT alone.program, bucket_key FROM alone JOIN rival_lines USING (transaction_id, program) WHERE side > 0) "
        "SELECT program, partner_id FROM moved UNION SELECT program, judged_for FROM rival_lines "
        "WHERE judged_for IS NOT NULL AND ((program, bucket_key) IN (FROM begun) "
        "OR program IN (SELECT program FROM alone WHERE side < 0))"  # whose line may be gone, and with it its customer
    )
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW holders_now AS SELECT {columns} FROM staging.derived.holders UNION ALL "
        f"SELECT {columns} FROM derived.holders ANTI JOIN touched_holders USING ({key}) WHERE known_to IS NULL"
    )
    con.execute("DROP TABLE rival_lines")
