"""Buckets: the lines of a run in parts that fit into memory, each of which is read without the others.

Lines and what they sold are put into the order of their buckets once. DuckDB then finds one bucket by the bounds that it
keeps of each piece of a table; to look through 20,000,000 lines for each of 160 buckets took an hour.
"""

import duckdb

BUCKET_LINES = 250_000


def divide(con: duckdb.DuckDBPyConnection, name: str, lines: str, key: str = "bucket_key") -> int:
    """Make `<name>_divided`, some lines with the `bucket` that follows from their key, and `<name>_divided_sold`, what of
    `sold_lines` each bucket needs, both in the order of buckets; how many there are, at least one.
    """
    [(found,)] = con.execute(f"SELECT count(*) FROM {lines}").fetchall()
    count = max(-(-found // BUCKET_LINES), 1)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name}_divided AS SELECT *, {key} % {count:d} AS bucket FROM {lines} ORDER BY bucket"
    )
    needed = f"SELECT transaction_id, bucket FROM {name}_divided UNION SELECT root, bucket FROM {name}_divided"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name}_divided_sold AS SELECT sold_lines.*, bucket "
        f"FROM sold_lines JOIN ({needed}) USING (transaction_id) ORDER BY bucket"
    )
    return count


def open_one(con: duckdb.DuckDBPyConnection, name: str, number: int, into: str) -> None:
    """Make of one bucket `<into>`, its lines, and `<into>_sold`, what they and their heads sold."""
    for table, divided in ((into, f"{name}_divided"), (f"{into}_sold", f"{name}_divided_sold")):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * EXCLUDE (bucket) FROM {divided} WHERE bucket = {number:d}"
        )


def drop(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let go of what was divided."""
    for table in (f"{name}_divided", f"{name}_divided_sold"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
