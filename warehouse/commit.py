"""A settle run's tables: staged as their contracts have them, and taken over by the warehouse in one transaction."""

from datetime import date

import duckdb
import pandas as pd
import pyarrow as pa

from warehouse import frames, staging
from warehouse.tables import DERIVED
from warehouse.versions import replace_groups

ENTRY = (
    "transaction_id", "adjustment_id", "program", "lever", "bracket", "partner_id", "earning_type", "earning_month",
    "currency", "program_currency", "run_id", "cause",
)  # fmt: skip


def stage(con: duckdb.DuckDBPyConnection, name: str, made: pd.DataFrame, run_id: str) -> None:
    """Stage rows of one derived table, as its contract has it."""
    table = DERIVED[name]
    rows = _entries(con, made, run_id) if name == "earnings_ledger" else frames.conform(table, made)
    staging.add(con, table.full_name, rows, run_id)


def _entries(con: duckdb.DuckDBPyConnection, made: pd.DataFrame, run_id: str) -> pa.Table:
    """Ledger entries with the UUID that is derived from what they post, so that none can be posted twice.

    And the accounting month that they are posted in: that of the day, or the first one that is not closed.
    """
    table = DERIVED["earnings_ledger"]
    seed = ", ".join(f"coalesce({c}::VARCHAR, '')" for c in ENTRY) + ", payment_id"  # left out where there is none
    con.register("arriving", frames.conform(table, made.assign(entry_id="", run_id=run_id, period=made["posted_on"])))
    rows = con.sql(
        f"SELECT * REPLACE (CAST(CAST(md5(concat_ws('|', {seed})) AS UUID) AS VARCHAR) AS entry_id, greatest("
        "date_trunc('month', period), (SELECT max(period) + INTERVAL 1 MONTH FROM derived.closes))::DATE AS period) FROM arriving"
    ).to_arrow_table()
    con.unregister("arriving")
    return rows


def take_over(con: duckdb.DuckDBPyConnection, day: date) -> dict[str, int]:
    """Take all staged derived tables over; how many rows of each are new. Run it inside a transaction.

    Versioned tables replace the groups that the run worked out and that changed. The ledger only grows: entries that
    are there already are left out, and a day before the newest posted one is refused with ValueError.
    """
    [(newest,)] = con.execute("SELECT max(posted_on) FROM derived.earnings_ledger").fetchall()
    if newest and newest > day:
        raise ValueError(f"the ledger is posted up to [{newest}]; entries of [{day}] must not go before them.")
    [(late,)] = con.execute(
        "SELECT count(*) FROM staging.derived.earnings_ledger WHERE period <= (SELECT max(period) FROM derived.closes)"
    ).fetchall()
    if late:
        raise ValueError(f"[{late}] entries would be posted in a month that is closed; work the day out again.")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE touched_standing AS SELECT program, partner_id FROM "
        "(SELECT DISTINCT program, partner_id FROM staging.derived.eligibility UNION SELECT program, partner_id "
        "FROM derived.eligibility SEMI JOIN touched_partners USING (partner_id) WHERE known_to IS NULL)"
    )
    holders = replace_groups(con, DERIVED["holders"], day, "touched_holders")
    con.execute("CREATE OR REPLACE TEMP VIEW known_lines AS FROM worked_lines WHERE is_known")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE touched_workloads AS SELECT program, customer_id, product_family FROM "
        "staging.derived.associations UNION SELECT program, customer_id, product_family "
        "FROM derived.associations SEMI JOIN touched_customers USING (customer_id) WHERE known_to IS NULL"
    )
    made = {
        n: replace_groups(con, DERIVED[n], day, "touched_standing")
        for n in ("enrolments", "eligibility_criteria", "eligibility")
    }
    made["associations"] = replace_groups(con, DERIVED["associations"], day, "touched_workloads")
    [(since,)] = con.execute("SELECT getvariable('worked_since')").fetchall()
    made |= {n: replace_groups(con, DERIVED[n], day, "known_lines", since or day) for n in ("decisions", "earnings")}
    made |= {"holders": holders, "positions": _replace_cells(con)}
    con.execute("CREATE OR REPLACE TEMP VIEW touched_claims AS SELECT request_id FROM staging.derived.coop_claims")
    made["coop_claims"] = replace_groups(con, DERIVED["coop_claims"], day, "touched_claims")
    made["payments"] = replace_groups(con, DERIVED["payments"], day, "touched_payments")
    for name, key, among in (
        ("earnings_ledger", "entry_id", "posted_on = $day"),  # the run is part of the id
        ("adjustments", "adjustment_id", "posted_on <= $day"),
        ("invitations", "program, partner_id", "invited_on <= $day"),
        ("answered_requests", "request_id", "answered_on <= $day"),
    ):
        columns = ", ".join(DERIVED[name].columns)
        made[name] = con.execute(
            f"INSERT INTO derived.{name} BY NAME SELECT {columns} FROM staging.derived.{name} "
            f"ANTI JOIN (FROM derived.{name} WHERE {among}) USING ({key})",
            {"day": day},
        ).fetchall()[0][0]
    return made


def _replace_cells(con: duckdb.DuckDBPyConnection) -> int:
    """Take the positions of the worked cells over in place of those that they had; how many."""
    cell, columns = ", ".join(DERIVED["positions"].replaced), ", ".join(DERIVED["positions"].columns)
    con.execute(
        "DELETE FROM derived.positions USING worked_cells AS cell WHERE positions.program = cell.program "
        "AND positions.partner_id = cell.partner_id AND positions.cell_from = cell.cell_from "
        "AND positions.cell_from >= (SELECT min(cell_from) FROM worked_cells)"
    )
    return con.execute(
        f"INSERT INTO derived.positions BY NAME SELECT {columns} FROM staging.derived.positions "
        f"SEMI JOIN worked_cells USING ({cell})"
    ).fetchall()[0][0]
