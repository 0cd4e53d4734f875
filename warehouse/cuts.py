"""What a run is the first to see, and which partners and lines it has to work out because of it."""

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from warehouse import frames, store
from warehouse.tables import DERIVED, FEEDS

STAGES = ("line", "reference", "fx", "eligibility", "rule", "split")  # the order in which a change of earnings is told
PARTNER_FEEDS = ("partners", "agreements", "competencies", "enrolments", "payee_profiles")


def cut(con: duckdb.DuckDBPyConnection, as_of: date) -> list[str]:
    """Make `cut`: deliveries for days up to `as_of` that no earlier run has seen; their ids in order."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE cut AS SELECT delivery_id, feed, business_date, created_at FROM clean.deliveries "
        "WHERE delivery_status = 'accepted' AND business_date <= $as_of AND delivery_id NOT IN "
        "(SELECT unnest(from_json(deliveries, '[\"VARCHAR\"]')) FROM derived.runs)",
        {"as_of": as_of},
    )
    ordered = con.execute("SELECT delivery_id FROM cut ORDER BY business_date, created_at, delivery_id").fetchall()
    return [delivery_id for (delivery_id,) in ordered]


def touch_partners(con: duckdb.DuckDBPyConnection, as_of: date, *, everyone: bool) -> None:
    """Make `touched_partners`: those with new or changed data, or a new line; or everyone.

    A feed that comes for the first time, or history older than all known, touches everyone.
    """
    [(first_time,)] = con.execute(
        "SELECT count(*) > 0 FROM (SELECT DISTINCT feed FROM cut) WHERE feed NOT IN "
        "(SELECT feed FROM clean.deliveries ANTI JOIN cut USING (delivery_id) WHERE delivery_status = 'accepted')"
    ).fetchall()
    [(older,)] = con.execute(
        "SELECT coalesce(min(transaction_on) FILTER (delivery_id IN (SELECT delivery_id FROM cut)) < "
        "min(transaction_on) FILTER (delivery_id NOT IN (SELECT delivery_id FROM cut)), false) FROM clean.transactions"
    ).fetchall()
    changed = " UNION ".join(
        f"SELECT partner_id FROM clean.{feed} WHERE delivery_id IN (SELECT delivery_id FROM cut)"
        for feed in PARTNER_FEEDS
    )
    sold = " UNION ".join(
        f"SELECT {role} FROM clean.transactions WHERE delivery_id IN (SELECT delivery_id FROM cut)"
        for role in ("seller_id", "reseller_id")
    )
    scope = "true" if everyone or first_time or older else f"partner_id IN ({changed} UNION {sold})"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE touched_partners AS SELECT DISTINCT partner_id FROM clean.partners "
        f"WHERE known_from <= $as_of AND {scope}",
        {"as_of": as_of},
    )


def stand_under_rules_before(con: duckdb.DuckDBPyConnection, made: pd.DataFrame) -> None:
    """Make `eligibility_under_rules_before`: touched partners' standing by the rules of the run before."""
    con.execute("CREATE OR REPLACE TEMP TABLE eligibility_under_rules_before AS FROM derived.eligibility LIMIT 0")
    store.insert(con, "eligibility_under_rules_before", frames.conform(DERIVED["eligibility"], made))


def stand(con: duckdb.DuckDBPyConnection) -> None:
    """Make `standing`: eligibility as staged for touched partners and as stored for the others.

    Also `standing_before`, as stored for all; `standing_under_rules_before`, as of now by the rules before, for which
    `eligibility_under_rules_before` holds the touched partners where it differs from the staged one; and
    `moved_partners`: touched ones whose stored standing differs from that on a day that a line has.
    """
    columns = "program, partner_id, valid_from, valid_to, is_earning, reason_codes"
    stored = "derived.eligibility {} JOIN touched_partners USING (partner_id) WHERE known_to IS NULL"
    [(held,)] = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'eligibility_under_rules_before'"
    ).fetchall()
    fresh = {"standing": "staging.derived.eligibility"}
    fresh["standing_under_rules_before"] = "eligibility_under_rules_before" if held else fresh["standing"]
    for name, source in fresh.items():
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM {source} UNION ALL "
            f"SELECT {columns} FROM {stored.format('ANTI')}"
        )
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW standing_before AS SELECT {columns} FROM derived.eligibility WHERE known_to IS NULL"
    )
    [(newest,)] = con.execute(
        "SELECT max(greatest(transaction_on, CAST(invoice_at AS DATE))) FROM clean.transactions"
    ).fetchall()
    until = columns.replace("valid_to", "CASE WHEN valid_to <= $newest THEN valid_to END AS valid_to")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved_partners AS SELECT DISTINCT partner_id FROM ("
        f"SELECT {until}, 1 AS side FROM {fresh['standing_under_rules_before']} WHERE valid_from <= $newest UNION ALL "
        f"SELECT {until}, -1 FROM {stored.format('SEMI')} AND valid_from <= $newest) "
        f"GROUP BY {columns} HAVING sum(side) <> 0",
        {"newest": newest or date.min},
    )


def open_facts(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make views of what the lines refer to as known now and as known before this run, and the macro that joins them."""
    day = f"DATE '{as_of.isoformat()}'"
    for feed in ("partners", "products", "customers", "fx_rates"):
        key = ", ".join(FEEDS[feed].key)
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {feed}_now AS SELECT * FROM clean.{feed} WHERE known_from <= {day} "
            f"AND (known_to IS NULL OR known_to > {day}) AND NOT is_withdrawn"
        )
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {feed}_before AS SELECT * EXCLUDE (made_at) FROM (SELECT held.*, deliveries.created_at "
            f"AS made_at FROM clean.{feed} AS held JOIN clean.deliveries USING (delivery_id) ANTI JOIN cut USING (delivery_id) "
            f"WHERE known_from <= {day} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY known_from DESC, "
            "made_at DESC, delivery_id DESC) = 1) WHERE NOT is_withdrawn"
        )
    con.execute((Path(__file__).parent / "lines_at.sql").read_text())


def touch_lines(con: duckdb.DuckDBPyConnection, as_of: date, *, rules: bool = False, splits: bool = False) -> int:
    """Make `touched_lines`: each line to work out, whether it was before, and at which stages it moved; how many.

    Lines that are new, corrected or withdrawn; those of a product, customer or partner that changed, in a currency and
    month whose rate changed, of a partner whose standing moved; undecided ones; refunds of any of them. With `rules`,
    every line, and `splits` says that the split changed too.
    """
    in_cut = "delivery_id IN (SELECT delivery_id FROM cut)"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE arrived AS "
        f"SELECT DISTINCT transaction_id FROM clean.transactions WHERE {in_cut} AND known_from <= $as_of",
        {"as_of": as_of},
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE changed_partners AS SELECT partner_id FROM clean.partners WHERE {in_cut}"
    )
    roles = ("seller_id", "reseller_id")
    moved = (
        "SELECT transaction_id, 'line' AS stage FROM arrived",
        *(
            f"SELECT transaction_id, '{stage}' FROM clean.transactions SEMI JOIN {partners} ON {partners}.partner_id = {role}"
            for stage, partners in (("reference", "changed_partners"), ("eligibility", "moved_partners"))
            for role in roles
        ),
        "SELECT transaction_id, 'reference' FROM clean.transactions WHERE product_id IN "
        f"(SELECT unnest([product_id, product_name]) FROM clean.products WHERE {in_cut})",
        "SELECT transaction_id, 'reference' FROM clean.transactions "
        f"SEMI JOIN (FROM clean.customers WHERE {in_cut}) USING (customer_id)",
        "SELECT transaction_id, 'fx' FROM derived.earnings SEMI JOIN (SELECT from_currency AS currency, fx_month "
        f"FROM clean.fx_rates WHERE {in_cut}) USING (currency, fx_month)",
        "SELECT transaction_id, lifted_by FROM (SELECT transaction_id, unnest(string_split(reason_codes, ',')) AS reason_code "
        "FROM derived.decisions WHERE decision = 'undecided' AND known_to IS NULL) JOIN reasons USING (reason_code)",
        *(["SELECT transaction_id, 'rule' FROM clean.transactions"] if rules else []),
        *(["SELECT transaction_id, 'split' FROM clean.transactions"] if splits else []),
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE called AS {' UNION '.join(moved)}")
    at = ", ".join(f"bool_or(stage = '{stage}') AS at_{stage}" for stage in STAGES)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE touched_lines AS WITH scope AS (SELECT transaction_id, {at} FROM (FROM called UNION "
        "SELECT line.transaction_id, stage FROM clean.transactions AS line JOIN called ON line.reverses = called.transaction_id) "
        "GROUP BY transaction_id), live AS (SELECT transaction_id, reverses IS NOT NULL AS is_refund, known_from "
        "FROM clean.transactions WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn), "
        "before AS (SELECT transaction_id, bool_or(contains(reason_codes, 'UNKREV')) AS waited FROM derived.decisions "
        "WHERE known_to IS NULL GROUP BY transaction_id), ever AS (SELECT DISTINCT transaction_id FROM derived.decisions) "
        "SELECT scope.*, ever.transaction_id IS NOT NULL AS is_known, CASE WHEN live.transaction_id IS NULL THEN 'withdrawn_line' "
        "WHEN (ever.transaction_id IS NULL OR waited) AND is_refund THEN 'refund' WHEN ever.transaction_id IS NOT NULL THEN "
        "'corrected_line' WHEN live.known_from <= (SELECT max(business_date) FROM derived.runs) THEN 'late_line' "
        "ELSE 'new_line' END AS arrival FROM scope LEFT JOIN live USING (transaction_id) LEFT JOIN before USING (transaction_id) "
        "LEFT JOIN ever USING (transaction_id) WHERE ever.transaction_id IS NOT NULL OR live.transaction_id IS NOT NULL",
        {"as_of": as_of},
    )
    return con.execute("SELECT count(*) FROM touched_lines").fetchall()[0][0]
