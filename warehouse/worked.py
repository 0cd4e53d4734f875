"""Which lines a run works out anew in which programs: those that it touched, and those that these bear on.

A refund stands with the line that it reverses; where a program counts over several lines of a partner, all lines of a
partner's period, its cell, stand together.
"""

from datetime import date
from pathlib import Path

import duckdb

from warehouse.cuts import STAGES

BUCKET_LINES = 125_000
FLAGS = tuple(f"at_{stage}" for stage in STAGES)
LIVE = "known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn"


def work(con: duckdb.DuckDBPyConnection, as_of: date) -> int:
    """Make `worked_lines`, a row for each line and program, from `touched_lines`; how many.

    They say their `root` (the line at the head of their refunds), the partner who earns, whether they were worked out
    before, the stages at which they, or a line that they reverse, moved, whether they lie in a cell, and a `bucket_key`
    that lines bearing on one another share. Also `sold_lines`, their live versions, and `originals`, those of the
    lines that they reverse.
    """
    con.execute((Path(__file__).parent / "period_start.sql").read_text())
    _relate(con, as_of)
    _originals(con, "related_lines", as_of)
    _programs_of(con, as_of)
    _cells(con)
    _originals(con, "worked_lines", as_of)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE sold_lines AS SELECT * FROM clean.transactions "
        f"SEMI JOIN worked_lines USING (transaction_id) WHERE {LIVE}",
        {"as_of": as_of},
    )
    return con.execute("SELECT count(*) FROM worked_lines").fetchall()[0][0]


def _relate(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make `related_lines`: touched lines and those that they reverse or that reverse them, with their root and stages."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE links AS SELECT transaction_id, reverses FROM clean.transactions WHERE {LIVE} AND reverses IS NOT NULL",
        {"as_of": as_of},
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE kin AS WITH up AS ("
        "SELECT reverses AS transaction_id FROM links SEMI JOIN touched_lines USING (transaction_id)"
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


def _originals(con: duckdb.DuckDBPyConnection, lines: str, as_of: date) -> None:
    """Make `originals`: the live versions of the roots of those of some lines that reverse another."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE originals AS SELECT * FROM clean.transactions SEMI JOIN "
        f"(SELECT root AS transaction_id FROM {lines} WHERE root <> transaction_id) USING (transaction_id) WHERE {LIVE}",
        {"as_of": as_of},
    )


def _programs_of(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make `standing_pairs`: where related lines stand in each program that may pay for them; and where they stood."""
    dated = (
        "CASE reference_date WHEN 'invoice_date' THEN coalesce({0}.invoice_at::DATE, {0}.transaction_on) "
        "ELSE {0}.transaction_on END"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE standing_pairs AS WITH live AS ("
        "SELECT line.transaction_id, seller_id, reseller_id, transaction_on, invoice_at, root FROM clean.transactions AS line "
        f"JOIN related_lines USING (transaction_id) WHERE {LIVE}"
        f"), now AS (SELECT live.transaction_id, program, {dated.format('live')} AS own_on, {dated.format('head')} AS root_on, "
        "CASE earner WHEN 'seller' THEN live.seller_id ELSE live.reseller_id END AS partner_id, partner_types "
        "FROM live LEFT JOIN originals AS head ON head.transaction_id = root AND root <> live.transaction_id "
        "CROSS JOIN program_earners) "
        "SELECT transaction_id, program, now.partner_id, coalesce(root_on, own_on) AS reference_on, true AS is_live "
        "FROM now LEFT JOIN partners_now AS partner USING (partner_id) WHERE now.partner_id IS NOT NULL "
        "AND (partner.partner_id IS NULL OR list_contains(partner_types, partner.partner_type)) UNION ALL "
        "SELECT transaction_id, program, partner_id, reference_on, false FROM derived.decisions "
        "SEMI JOIN (FROM related_lines WHERE is_known) USING (transaction_id) WHERE known_to IS NULL",
        {"as_of": as_of},
    )


def _cells(con: duckdb.DuckDBPyConnection) -> None:
    """Make `worked_lines`: the standing pairs, and the other lines of the cells that they lie, or lay, in."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE worked_cells AS SELECT DISTINCT program, partner_id, "
        "period_start(reference_on, cell_over, fiscal_year_start) AS cell_from "
        "FROM standing_pairs JOIN program_earners USING (program) WHERE cell_over <> 'transaction'"
    )
    mates = (
        "SELECT transaction_id, program, partner_id FROM derived.decisions AS mate JOIN program_earners USING (program) "
        "SEMI JOIN worked_cells ON worked_cells.program = mate.program AND worked_cells.partner_id = mate.partner_id "
        "AND cell_from = period_start(reference_on, cell_over, fiscal_year_start) "
        "WHERE known_to IS NULL AND decision = 'eligible' AND reference_on >= (SELECT min(cell_from) FROM worked_cells)"
    )
    no_flags = ", ".join(f"false AS {flag}" for flag in FLAGS)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE worked_lines AS WITH called AS ("
        "SELECT transaction_id, program, partner_id FROM standing_pairs WHERE is_live UNION ALL "
        "SELECT transaction_id, program, partner_id FROM standing_pairs AS held ANTI JOIN "
        "(FROM standing_pairs WHERE is_live) AS live ON live.transaction_id = held.transaction_id AND live.program = held.program"
        f"), mates AS ({mates}), every AS ("
        f"SELECT related_lines.*, program, partner_id FROM called JOIN related_lines USING (transaction_id) UNION ALL BY NAME "
        "SELECT transaction_id, program, partner_id, coalesce(above.reverses, own.reverses, transaction_id) AS root, "
        f"true AS is_known, 'corrected_line' AS arrival, {no_flags} FROM mates ANTI JOIN called USING (transaction_id, program) "
        "LEFT JOIN links AS own USING (transaction_id) LEFT JOIN links AS above ON above.transaction_id = own.reverses"
        ") SELECT every.*, cell_over <> 'transaction' IS TRUE AS is_in_cell, "
        "CASE WHEN cell_over <> 'transaction' THEN hash(program, every.partner_id) ELSE hash(root) END AS bucket_key "
        "FROM every LEFT JOIN program_earners USING (program)"
    )


def buckets(con: duckdb.DuckDBPyConnection) -> int:
    """How many buckets the worked lines fall into."""
    [(lines,)] = con.execute("SELECT count(*) FROM worked_lines").fetchall()
    return max(1, -(-lines // BUCKET_LINES))


def open_bucket(con: duckdb.DuckDBPyConnection, number: int, count: int) -> None:
    """Make `bucket_lines`: the worked lines of one bucket.

    Also `bucket_of_<stage>`: those of them that were worked out before, moved at the stage, and may move at a later one.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW bucket_lines AS SELECT * FROM worked_lines WHERE bucket_key % {count:d} = {number:d}"
    )
    for place, stage in enumerate(STAGES[:-1], 1):
        later = " OR ".join(["is_in_cell", *(f"at_{name}" for name in STAGES[place:])])
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW bucket_of_{stage} AS FROM bucket_lines WHERE is_known AND at_{stage} AND ({later})"
        )
