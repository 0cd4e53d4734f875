"""What a run is the first to see, and which partners and lines it has to work out because of it."""

import json
from datetime import date

import duckdb

BUCKET_LINES = 125_000
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


def stand(con: duckdb.DuckDBPyConnection) -> None:
    """Make `standing`: eligibility as staged for touched partners and as stored for the others.

    Also `moved_partners`: touched partners whose stored standing differs from the staged one on a day that a line has.
    """
    columns = "program, partner_id, valid_from, valid_to, is_earning, reason_codes"
    [(newest,)] = con.execute(
        "SELECT max(greatest(transaction_on, CAST(invoice_at AS DATE))) FROM clean.transactions"
    ).fetchall()
    until = columns.replace("valid_to", "CASE WHEN valid_to <= $newest THEN valid_to END AS valid_to")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved_partners AS SELECT DISTINCT partner_id FROM ("
        f"SELECT {until}, 1 AS side FROM staging.derived.eligibility WHERE valid_from <= $newest UNION ALL SELECT {until}, -1 "
        "FROM derived.eligibility SEMI JOIN touched_partners USING (partner_id) WHERE known_to IS NULL AND valid_from <= $newest) "
        f"GROUP BY {columns} HAVING sum(side) <> 0",
        {"newest": newest or date.min},
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE standing AS SELECT {columns} FROM staging.derived.eligibility UNION ALL "
        f"SELECT {columns} FROM derived.eligibility ANTI JOIN touched_partners USING (partner_id) WHERE known_to IS NULL"
    )


def touch_lines(con: duckdb.DuckDBPyConnection, as_of: date, *, everything: bool) -> int:
    """Make `touched_lines`: each line to work out, whether it was before, and why now; how many there are.

    Lines that are new, corrected or withdrawn; undecided ones; those of a partner whose standing or data moved, of a
    product or customer that changed, in a currency and month whose rate changed; refunds of any of them.
    """
    in_cut = "delivery_id IN (SELECT delivery_id FROM cut)"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE arrived AS "
        f"SELECT DISTINCT transaction_id FROM clean.transactions WHERE {in_cut} AND known_from <= $as_of",
        {"as_of": as_of},
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved_parties AS SELECT partner_id FROM moved_partners "
        f"UNION SELECT partner_id FROM clean.partners WHERE {in_cut}"
    )
    reasons = (
        "SELECT transaction_id FROM arrived",
        "SELECT transaction_id FROM derived.decisions WHERE decision = 'undecided' AND known_to IS NULL",
        *(
            "SELECT transaction_id FROM clean.transactions "
            f"SEMI JOIN moved_parties ON moved_parties.partner_id = {role}"
            for role in ("seller_id", "reseller_id")
        ),
        f"SELECT transaction_id FROM clean.transactions WHERE product_id IN (SELECT unnest([product_id, product_name]) "
        f"FROM clean.products WHERE {in_cut})",
        f"SELECT transaction_id FROM clean.transactions SEMI JOIN (FROM clean.customers WHERE {in_cut}) USING (customer_id)",
        f"SELECT transaction_id FROM derived.earnings SEMI JOIN (SELECT from_currency AS currency, fx_month "
        f"FROM clean.fx_rates WHERE {in_cut}) USING (currency, fx_month)",
    )
    scope = "SELECT transaction_id FROM clean.transactions" if everything else " UNION ".join(reasons)
    con.execute(f"CREATE OR REPLACE TEMP TABLE called AS {scope}")
    scope = "FROM called UNION SELECT transaction_id FROM clean.transactions SEMI JOIN called ON reverses = called.transaction_id"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE touched_lines AS SELECT scope.transaction_id, before.transaction_id IS NOT NULL "
        "AS is_known, CASE WHEN NOT coalesce(live.is_live, false) THEN 'withdrawn_line' WHEN before.transaction_id IS NULL "
        "THEN 'new_line' WHEN arrived.transaction_id IS NOT NULL THEN 'corrected_line' ELSE 'recalculation' END AS cause "
        f"FROM ({scope}) AS scope LEFT JOIN arrived USING (transaction_id) "
        "LEFT JOIN (SELECT DISTINCT transaction_id FROM derived.decisions) AS before USING (transaction_id) "
        "LEFT JOIN (SELECT transaction_id, true AS is_live FROM clean.transactions WHERE known_from <= $as_of "
        "AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn) AS live USING (transaction_id) "
        "WHERE before.transaction_id IS NOT NULL OR live.is_live",
        {"as_of": as_of},
    )
    return con.execute("SELECT count(*) FROM touched_lines").fetchall()[0][0]


def buckets(con: duckdb.DuckDBPyConnection) -> int:
    """How many buckets the touched lines fall into."""
    [(lines,)] = con.execute("SELECT count(*) FROM touched_lines").fetchall()
    return max(1, -(-lines // BUCKET_LINES))


def open_bucket(con: duckdb.DuckDBPyConnection, number: int, count: int) -> None:
    """Make `bucket_lines`: the touched lines of one bucket, by hash of their id."""
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW bucket_lines AS SELECT * FROM touched_lines WHERE hash(transaction_id) % {count:d} = {number:d}"
    )


def record(
    con: duckdb.DuckDBPyConnection, day: date, *, rules_hash: str, engine_version: str, deliveries: list[str]
) -> None:
    """Write down what a run has seen and with which rules."""
    con.execute(
        "INSERT INTO derived.runs BY NAME SELECT $run AS run_id, $day AS business_date, $rules AS rules_hash, "
        "$engine AS engine_version, $seen AS deliveries, (SELECT count(*) FROM touched_lines) AS rows_read",
        {
            "run": day.isoformat(),
            "day": day,
            "rules": rules_hash,
            "engine": engine_version,
            "seen": json.dumps(deliveries),
        },
    )
