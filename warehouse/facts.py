"""What lines refer to, as known now and as known before this run: partners, products, customers, rates, first purchases."""

from datetime import date
from pathlib import Path

import duckdb

from warehouse.tables import FEEDS

HERE = Path(__file__).parent


def open_facts(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make views of what the lines refer to as known now and as known before this run, and the macro that joins them."""
    day = f"DATE '{as_of.isoformat()}'"
    for feed in ("products", "customers", "fx_rates"):
        key = ", ".join(FEEDS[feed].key)
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {feed}_now AS SELECT * FROM clean.{feed} WHERE known_from <= {day} "
            f"AND (known_to IS NULL OR known_to > {day}) AND NOT is_withdrawn"
        )
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {feed}_before AS SELECT * EXCLUDE (made_at) FROM (SELECT held.*, deliveries.created_at "
            f"AS made_at FROM clean.{feed} AS held JOIN clean.deliveries USING (delivery_id) ANTI JOIN cut USING (delivery_id) "
            f"WHERE delivery_status = 'accepted' AND known_from <= {day} QUALIFY row_number() OVER ("
            f"PARTITION BY {key} ORDER BY known_from DESC, made_at DESC, delivery_id DESC) = 1) WHERE NOT is_withdrawn"
        )
    _open_partners(con, as_of)
    _open_history(con, as_of)
    for macro in ("program_lines", "lines_at"):
        con.execute((HERE / f"{macro}.sql").read_text())


def _open_partners(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make `partners_now` and `partners_before`: how each partner sold over time, known now and before this run.

    The first known state holds before it too, since partners carry no dates; a partner without a type is not in the feed.
    """
    for name, others in (("now", ""), ("before", "ANTI JOIN cut USING (delivery_id)")):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE partners_{name} AS WITH versions AS (SELECT partner_id, known_from, "
            "CASE WHEN NOT is_withdrawn THEN partner_type END AS partner_type, CASE WHEN NOT is_withdrawn THEN tenant_id END AS "
            f"tenant_id FROM clean.partners JOIN clean.deliveries USING (delivery_id) {others} WHERE delivery_status = 'accepted' "
            "AND known_from <= $as_of QUALIFY row_number() OVER (PARTITION BY partner_id, known_from "
            "ORDER BY created_at DESC, delivery_id DESC) = 1), moves AS (SELECT *, lag(known_from) OVER ordered IS NULL AS is_first "
            "FROM versions WINDOW ordered AS (PARTITION BY partner_id ORDER BY known_from) QUALIFY is_first "
            "OR lag((partner_type, tenant_id)) OVER ordered IS DISTINCT FROM (partner_type, tenant_id)) "
            "SELECT partner_id, partner_type, tenant_id, CASE WHEN is_first THEN DATE '1900-01-01' ELSE known_from END AS valid_from, "
            "coalesce(lead(known_from) OVER (PARTITION BY partner_id ORDER BY known_from), DATE '9999-12-31') AS valid_to FROM moves",
            {"as_of": as_of},
        )


def _open_history(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make `first_purchases`, known now and before this run, and views of each; empty where no program looks."""
    [(has_first_purchase,)] = con.execute(
        "SELECT coalesce(bool_or(has_first_purchase), false) FROM program_earners"
    ).fetchall()
    is_now = "known_to IS NULL OR known_to > $as_of"
    is_before = "(known_to IS NULL OR known_to > (SELECT max(business_date) FROM derived.runs))"
    of_others = f"{is_before} AND delivery_id NOT IN (SELECT delivery_id FROM cut)"
    bought = (
        "SELECT customer_id, transaction_on, {} AS is_now, {} AS is_before FROM clean.transactions WHERE reverses IS NULL "
        f"AND NOT is_withdrawn AND {has_first_purchase} AND known_from <= $as_of AND known_from {{}} getvariable('cut_from')"
    )
    ended = (  # of lines with a version that ended by the last run: what it knew, since a late cut may have ended that
        "SELECT line.* FROM (FROM clean.transactions SEMI JOIN (SELECT transaction_id FROM clean.transactions "  # few; 14,000,000 lines joined first took 5 s
        f"WHERE {has_first_purchase} AND known_to >= getvariable('cut_from') AND NOT {is_before}) USING (transaction_id)) AS line "
        "JOIN clean.deliveries USING (delivery_id) ANTI JOIN cut USING (delivery_id) WHERE known_from <= $as_of "
        "QUALIFY row_number() OVER (PARTITION BY transaction_id ORDER BY known_from DESC, created_at DESC, delivery_id DESC) = 1"
    )
    con.execute(  # no row of the cut is known from before cut_from, so that delivery_id is read of few
        "CREATE OR REPLACE TEMP TABLE first_purchases AS SELECT customer_id, "
        "min(transaction_on) FILTER (is_now) AS now_on, min(transaction_on) FILTER (is_before) AS before_on FROM ("
        f"{bought.format(is_now, is_before, '<')} UNION ALL {bought.format(is_now, of_others, '>=')} UNION ALL "
        f"SELECT customer_id, transaction_on, false, true FROM ({ended}) WHERE reverses IS NULL AND NOT is_withdrawn) "
        "GROUP BY customer_id",
        {"as_of": as_of},
    )
    for name in ("now", "before"):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW first_purchases_{name} AS SELECT customer_id, {name}_on AS first_purchase_on "
            f"FROM first_purchases WHERE {name}_on IS NOT NULL"
        )
