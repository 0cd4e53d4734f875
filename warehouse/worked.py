"""Which lines a run works out anew in which programs: those that it touched, and those that these bear on.

A refund stands with the line that it reverses; where a program counts over several lines of a partner, all lines of a
partner's period, its cell, stand together.
"""

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse import buckets
from warehouse.cuts import STAGES

KNOWN_AT = {  # after each stage but the last: which reference data, claims, exchange rates and standings are known
    "line": ("before", "associations_before", "before", "standing_before"),
    "reference": ("now", "associations_under_rules_before", "before", "standing_before"),
    "fx": ("now", "associations_under_rules_before", "now", "standing_before"),
    "eligibility": ("now", "associations_under_rules_before", "now", "standing_under_rules_before"),
    "rule": ("now", "associations_now", "now", "standing"),
}
FLAGS = tuple(f"at_{stage}" for stage in STAGES)
SOLD = (  # what rules ask of a line
    "transaction_id, reverses, seller_id, reseller_id, customer_id, product_id, association, charge_type, "
    "transaction_at, invoice_at, quantity, revenue_minor, currency"
)
LIVE = "known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn"
LIVE_SOLD = f"SELECT {SOLD} FROM clean.transactions SEMI JOIN {{}} USING (transaction_id) WHERE known_from >= getvariable('worked_since') AND {LIVE}"


def narrow(con: duckdb.DuckDBPyConnection, as_of: date, first: date, end: date) -> None:
    """Leave of `touched_lines` those that may stand in [first, end); refunds that stand with them are found from these."""
    dated = " OR ".join(f"({on} >= $first AND {on} < $end)" for on in ("transaction_on", "invoice_at::DATE"))
    con.execute(
        f"DELETE FROM touched_lines WHERE transaction_id NOT IN (SELECT transaction_id FROM clean.transactions WHERE {LIVE} AND ({dated}))",
        {"as_of": as_of, "first": first, "end": end},
    )


def work(con: duckdb.DuckDBPyConnection, as_of: date, *, anew: bool = False) -> None:
    """Make `worked_lines`, a row for each line and program, from `related_lines`, and `worked_cells`.

    They say their `root` (the line at the head of their refunds), the partner who earns, whether they still stand in the
    program (`is_live`) and were known before, the stages at which they, or a line that they reverse, moved, their cell, and a `bucket_key` that lines
    bearing on one another share. A cell to which all lines of the run are only added, each later than all that stood
    there, goes on from its positions (`is_append`); of any other, or with `anew` of all, all lines are worked out anew.
    """
    con.execute((Path(__file__).parent / "period_start.sql").read_text())
    sold(con, "related_lines", as_of)
    _standing_pairs(con)
    _cells(con)
    if anew:
        con.execute("UPDATE worked_lines SET is_append = false")
    for table in ("standing_pairs", "related_lines", "kin"):  # of 20,000,000 lines 8 GB, which would spill
        con.execute(f"DROP TABLE {table}")
    _sold_besides(con, as_of)


def rework(con: duckdb.DuckDBPyConnection, cells: pa.Table, as_of: date) -> None:
    """Have cells worked out again, all lines anew, since a line that was added reprices those before it."""
    con.register("repriced_cells", cells)
    con.execute(
        "UPDATE worked_cells SET is_append = false FROM repriced_cells AS found WHERE "
        + _same_cell("worked_cells", "found")
    )
    con.execute(
        "UPDATE worked_lines SET is_append = false, is_again = true FROM repriced_cells AS found WHERE "
        + _same_cell("worked_lines", "found")
    )
    _add_mates(con, "repriced_cells", again=True)
    con.unregister("repriced_cells")
    _sold_besides(con, as_of)


def _same_cell(left: str, right: str) -> str:
    return " AND ".join(f"{left}.{c} = {right}.{c}" for c in ("program", "partner_id", "cell_from"))


def sold(con: duckdb.DuckDBPyConnection, lines: str, as_of: date) -> None:
    """Make `sold_lines`: some lines and those at the head of what they reverse, as they are live.

    No version of any of them was known before the variable `worked_since`. A line is worked out and posted only after it
    is known, so that all that was ever stored of it is of that day or a later one.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE sought AS SELECT transaction_id FROM {lines} UNION SELECT root FROM {lines}"
    )
    con.execute("SET VARIABLE worked_since = getvariable('related_since')")
    if con.execute("FROM sought ANTI JOIN related_lines USING (transaction_id) LIMIT 1").fetchall():
        _work_since(con, "sought")
    con.execute(f"CREATE OR REPLACE TEMP TABLE sold_lines AS {LIVE_SOLD.format('sought')}", {"as_of": as_of})


def _work_since(con: duckdb.DuckDBPyConnection, lines: str) -> None:
    """Have `worked_since` not be after any line of some: their ids alone are looked for, over all days."""
    con.execute(
        "SET VARIABLE worked_since = least(getvariable('worked_since'), (SELECT min(known_from) FROM clean.transactions "
        f"SEMI JOIN {lines} USING (transaction_id)))"
    )


def _sold_besides(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Add to `sold_lines` those that cells brought besides."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE besides AS SELECT transaction_id FROM worked_lines ANTI JOIN sought USING (transaction_id) "
        "UNION SELECT root FROM worked_lines ANTI JOIN sought ON sought.transaction_id = root"
    )
    if con.execute("FROM besides LIMIT 1").fetchall():
        _work_since(con, "besides")
        con.execute(f"INSERT INTO sold_lines {LIVE_SOLD.format('besides')}", {"as_of": as_of})
        con.execute("INSERT INTO sought FROM besides")
    con.execute("DROP TABLE besides")


def relate(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make `related_lines`: touched lines and those that they reverse or that reverse them, with their root and stages.

    What a touched line reversed before counts too: less was left of that for its other refunds. Also `related_customers`,
    whom any version of them names; the variable `related_since` is the first day on which any of them was known.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE links AS SELECT transaction_id, reverses FROM clean.transactions WHERE {LIVE} AND reverses IS NOT NULL",
        {"as_of": as_of},
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE kin AS WITH up AS ("
        "SELECT reverses AS transaction_id FROM called_versions SEMI JOIN touched_lines USING (transaction_id) "
        "WHERE reverses IS NOT NULL"
        "), top AS (SELECT reverses AS transaction_id FROM links SEMI JOIN up USING (transaction_id)"
        "), known AS (SELECT transaction_id FROM touched_lines UNION FROM up UNION FROM top"
        "), down AS (SELECT transaction_id FROM links WHERE reverses IN (FROM known)"
        "), below AS (SELECT transaction_id FROM links WHERE reverses IN (FROM down)) "
        "FROM up UNION FROM top UNION FROM down UNION FROM below"
    )
    flags = ", ".join(f"coalesce({flag}, false) AS {flag}" for flag in FLAGS)
    of_root = ", ".join(f"bool_or({flag}) OVER (PARTITION BY root) AS {flag}" for flag in FLAGS)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE related_lines AS WITH every AS ("
        "SELECT transaction_id, is_known, arrival, "
        f"{flags} FROM touched_lines UNION ALL SELECT transaction_id, true, 'corrected_line', {', '.join(['false'] * len(FLAGS))} "
        "FROM kin ANTI JOIN touched_lines USING (transaction_id)"
        "), rooted AS (SELECT every.*, coalesce(above.reverses, own.reverses, every.transaction_id) AS root, "
        "own.reverses IS NOT NULL AS is_refund FROM every "
        "LEFT JOIN links AS own USING (transaction_id) LEFT JOIN links AS above ON above.transaction_id = own.reverses"
        "), families AS (SELECT root FROM rooted WHERE is_refund) "
        "SELECT * EXCLUDE (is_refund) FROM rooted ANTI JOIN families USING (root) UNION ALL "
        f"SELECT * EXCLUDE (is_refund) REPLACE ({of_root}) FROM rooted SEMI JOIN families USING (root)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE related_customers AS SELECT customer_id, min(known_from) AS known_from FROM ("
        "SELECT customer_id, known_from FROM called_versions SEMI JOIN touched_lines USING (transaction_id) UNION ALL "
        "SELECT customer_id, known_from FROM clean.transactions "
        "SEMI JOIN (FROM kin ANTI JOIN touched_lines USING (transaction_id)) USING (transaction_id)) GROUP BY customer_id"
    )
    con.execute("SET VARIABLE related_since = (SELECT min(known_from) FROM related_customers)")
    con.execute("DROP TABLE called_versions")  # of 1,000,000 lines 100 MB


def _standing_pairs(con: duckdb.DuckDBPyConnection) -> None:
    """Make `standing_pairs`: where related lines stand in each program that may pay for them; and where they stood.

    They are joined part by part: all of 1,200,000 lines at once do not fit into 1 GiB.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE standing_pairs AS "
        "SELECT transaction_id, program, partner_id, reference_on, false AS is_live, CAST(NULL AS TIMESTAMP) AS reference_at, "
        "false AS is_added FROM derived.decisions SEMI JOIN (FROM related_lines WHERE is_known) USING (transaction_id) "
        "WHERE known_from >= getvariable('worked_since') AND known_to IS NULL"
    )
    for number in range(buckets.divide(con, "related", "related_lines", "hash(root)")):
        buckets.open_one(con, "related", number, "related_bucket")
        con.execute(
            "CREATE OR REPLACE TEMP VIEW related_pairs AS FROM related_bucket CROSS JOIN (SELECT program FROM program_earners)"
        )
        con.execute(
            "INSERT INTO standing_pairs SELECT transaction_id, program, partner_id, reference_on, true, reference_at, "
            "NOT is_posted AND reverses IS NULL FROM program_lines('related_pairs', 'related_bucket_sold', 'now', 'associations_now')"
        )
    buckets.drop(con, "related")


def _cells(con: duckdb.DuckDBPyConnection) -> None:
    """Make `worked_cells` and `worked_lines`: the standing pairs, and the other lines of cells that are worked out anew."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE standing_pairs AS SELECT standing_pairs.*, CASE WHEN cell_over <> 'transaction' THEN "
        "period_start(reference_on, cell_over, fiscal_year_start) END AS cell_from "
        "FROM standing_pairs LEFT JOIN program_earners USING (program)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE worked_cells AS WITH found AS (SELECT program, partner_id, cell_from, "
        "bool_and(is_added) AS is_added, min(reference_at) AS first_at FROM standing_pairs WHERE cell_from IS NOT NULL GROUP BY ALL"
        "), held AS (SELECT program, partner_id, cell_from, max(last_at) AS last_at FROM derived.positions "
        "WHERE cell_from >= (SELECT min(cell_from) FROM found) GROUP BY ALL) "
        "SELECT program, partner_id, cell_from, goes_on AND is_added AND (last_at IS NULL OR first_at > last_at) "
        "AND moved.partner_id IS NULL AS is_append FROM found JOIN program_earners USING (program) "
        "LEFT JOIN held USING (program, partner_id, cell_from) LEFT JOIN moved_holders AS moved USING (program, partner_id) "
        "UNION ALL SELECT program, partner_id, DATE '1900-01-01', false FROM moved_holders ANTI JOIN found USING (program, partner_id)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE worked_lines AS WITH called AS ("
        "SELECT * FROM standing_pairs WHERE is_live UNION ALL SELECT held.* FROM (FROM standing_pairs WHERE NOT is_live) AS held "
        "ANTI JOIN (FROM standing_pairs WHERE is_live) AS live USING (transaction_id, program)) "
        "SELECT related_lines.*, called.program, called.partner_id, called.is_live, called.cell_from, "
        "coalesce(is_append, true) AS is_append, false AS is_again, "
        "CASE WHEN called.cell_from IS NULL THEN hash(root) ELSE hash(called.program, called.partner_id) END AS bucket_key "
        "FROM called JOIN related_lines USING (transaction_id) LEFT JOIN worked_cells "
        "ON " + _same_cell("worked_cells", "called")
    )
    _add_mates(con, "(FROM worked_cells WHERE NOT is_append)")


def _add_mates(con: duckdb.DuckDBPyConnection, cells: str, *, again: bool = False) -> None:
    """Add the lines of some cells that earned so far, or that baselines look at, to `worked_lines`."""
    no_flags = ", ".join(f"false AS {flag}" for flag in FLAGS)
    con.execute(
        "INSERT INTO worked_lines BY NAME WITH mates AS ("
        "SELECT transaction_id, mate.program, mate.partner_id, cells.cell_from FROM derived.decisions AS mate "
        f"JOIN program_earners USING (program) JOIN {cells} AS cells ON cells.program = mate.program "
        "AND cells.partner_id = mate.partner_id AND cells.cell_from = period_start(reference_on, cell_over, fiscal_year_start) "
        f"WHERE known_to IS NULL AND (decision = 'eligible' OR has_baseline) AND reference_on >= (SELECT min(cell_from) FROM {cells})) "
        f"SELECT transaction_id, program, partner_id, true AS is_live, cell_from, false AS is_append, {again} AS is_again, "
        "hash(program, partner_id) AS bucket_key, "
        f"coalesce(above.reverses, own.reverses, transaction_id) AS root, true AS is_known, 'corrected_line' AS arrival, {no_flags} "
        "FROM mates ANTI JOIN worked_lines USING (transaction_id, program) LEFT JOIN links AS own USING (transaction_id) "
        "LEFT JOIN links AS above ON above.transaction_id = own.reverses"
    )


def let_go(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what only working lines out needs; of 20,000,000 lines it is gigabytes that would be spilled until the run ends."""
    for table in ("sold_lines", "sought", "links", "bucket_lines", "bucket_lines_sold"):
        con.execute(f"DROP TABLE IF EXISTS {table}")


def divide(con: duckdb.DuckDBPyConnection, *, again: bool = False) -> int:
    """Divide the lines to work out, or those that are worked out again; into how many buckets."""
    lines = f"SELECT *, cell_from IS NOT NULL AS is_in_cell FROM worked_lines WHERE is_again = {again}"
    return buckets.divide(con, "worked", f"({lines})")


def open_bucket(con: duckdb.DuckDBPyConnection, number: int) -> None:
    """Make `bucket_lines`, the lines of one bucket, and `bucket_stages`, what they would be after each stage.

    Of a stage these are lines that were known before, moved at it, and may move at a later one; a stage without
    any is left out, since to plan its query takes longer than all other inputs of a small bucket.
    """
    buckets.open_one(con, "worked", number, "bucket_lines")
    moved = {}
    for place, stage in enumerate(KNOWN_AT, 1):
        later = " OR ".join(["is_in_cell", *(f"at_{name}" for name in STAGES[place:])])
        moved[stage] = f"is_known AND at_{stage} AND ({later})"
        con.execute(f"CREATE OR REPLACE TEMP VIEW bucket_of_{stage} AS FROM bucket_lines WHERE {moved[stage]}")
    any_moved = ", ".join(f"coalesce(bool_or({condition}), false)" for condition in moved.values())
    [found] = con.execute(f"SELECT {any_moved} FROM bucket_lines").fetchall()
    stages = [stage for stage, has_lines in zip(KNOWN_AT, found, strict=True) if has_lines]
    lines = " UNION ALL ".join(
        f"SELECT '{stage}' AS stage, * FROM lines_at('bucket_of_{stage}', 'bucket_lines_sold', {', '.join(map(repr, KNOWN_AT[stage]))})"
        for stage in stages or ["line"]
    )
    # without any, what was known before of all customers would be looked for all the same: 0.2 s of 800,000
    con.execute(f"CREATE OR REPLACE TEMP VIEW bucket_stages AS {lines}{'' if stages else ' LIMIT 0'}")
