"""What a run is the first to see, and which partners and lines it has to work out because of it."""

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from warehouse import frames, store
from warehouse.tables import DERIVED, FEEDS

HERE = Path(__file__).parent
MOVED_BY_SALES = (HERE / "moved_by_sales.sql").read_text()
BUCKET_REVENUE = 1_000_000  # rows of partner_revenue: 0.3 GiB
STAGES = ("line", "reference", "fx", "eligibility", "rule", "split")  # the order in which a change of earnings is told
ROLES = ("seller_id", "reseller_id")
IN_CUT = "delivery_id IN (SELECT delivery_id FROM cut) AND known_from >= getvariable('cut_from')"
PARTNER_FEEDS = ("partners", "agreements", "competencies", "enrolments", "payee_profiles", "partner_requests")


REACHED = (
    "SELECT partner_id FROM derived.eligibility_criteria SEMI JOIN (FROM program_invitations WHERE invite_on = 'eligible') "
    "USING (program) ANTI JOIN derived.invitations USING (program, partner_id) WHERE known_to IS NULL "
    "AND valid_from <= $as_of AND valid_from > (SELECT max(business_date) FROM derived.runs)"
)


def cut(con: duckdb.DuckDBPyConnection, as_of: date) -> list[str]:
    """Make `cut`: deliveries for days up to `as_of` that no earlier run has seen; their ids in order.

    The variable `cut_from` is their first business date: no row that they brought is known from an earlier day. Of
    `history_from` on all lines are held, withdrawn ones too; `history_grows` says that the cut brought older ones.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE cut AS SELECT delivery_id, feed, business_date, created_at FROM clean.deliveries "
        "WHERE delivery_status = 'accepted' AND business_date <= $as_of AND delivery_id NOT IN "
        "(SELECT unnest(from_json(deliveries, '[\"VARCHAR\"]')) FROM derived.runs)",
        {"as_of": as_of},
    )
    con.execute("SET VARIABLE cut_from = coalesce((SELECT min(business_date) FROM cut), DATE '9999-12-31')")
    con.execute(
        "SET VARIABLE history_from = (SELECT min(transaction_on) FROM clean.transactions WHERE known_from <= $as_of)",
        {"as_of": as_of},
    )
    con.execute(f"SET VARIABLE history_grows = {_is_older(con, as_of)}")
    ordered = con.execute("SELECT delivery_id FROM cut ORDER BY business_date, created_at, delivery_id").fetchall()
    return [delivery_id for (delivery_id,) in ordered]


def touch_partners(con: duckdb.DuckDBPyConnection, as_of: date, *, everyone: bool) -> None:
    """Make `touched_partners`: those with new or changed data, or with a line that may move their standing; or everyone.

    Data that names another partner now touches the one whom it named before too. Also touched are those whom a program
    may invite because a criterion began to be met since the day before. A feed that comes
    for the first time, or history older than all known, touches everyone; so does a warehouse that lacks its enrolments.
    """
    [(first_time,)] = con.execute(
        "SELECT count(*) > 0 OR (EXISTS (FROM program_invitations) AND NOT EXISTS (FROM derived.enrolments)) FROM (SELECT DISTINCT feed FROM cut) WHERE feed NOT IN "
        "(SELECT feed FROM clean.deliveries ANTI JOIN cut USING (delivery_id) WHERE delivery_status = 'accepted' AND business_date <= $as_of)",
        {"as_of": as_of},
    ).fetchall()
    keys = {feed: ", ".join(FEEDS[feed].key) for feed in PARTNER_FEEDS}
    changed = " UNION ".join(
        f"SELECT partner_id FROM clean.{feed} SEMI JOIN (SELECT {key} FROM clean.{feed} WHERE {IN_CUT}) USING ({key})"
        for feed, key in keys.items()
    )
    of_some = f"getvariable('history_grows') OR partner_id IN ({changed} UNION ({MOVED_BY_SALES})) OR partner_id IN ({REACHED})"
    scope = "true" if everyone or first_time else f"({of_some})"
    _sell(con, as_of)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE touched_partners AS SELECT DISTINCT partner_id FROM clean.partners "
        f"WHERE known_from <= $as_of AND {scope}",
        {"as_of": as_of},
    )


def sum_revenue(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make `daily_revenue`: what each touched partner sold on each day in each currency, in minor units."""
    sold = " UNION ALL ".join(
        f"SELECT {role} AS partner_id, transaction_on, currency, revenue_minor FROM clean.transactions "
        "WHERE known_from <= $as_of AND (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn"
        for role in ROLES
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE daily_revenue AS SELECT partner_id, transaction_on, currency, "
        f"sum(revenue_minor)::BIGINT AS revenue_minor FROM ({sold}) SEMI JOIN touched_partners USING (partner_id) GROUP BY ALL",
        {"as_of": as_of},
    )


def partner_buckets(con: duckdb.DuckDBPyConnection) -> int:
    """How many buckets the touched partners fall into, by their rows of revenue, of which there is one for each program currency."""
    [(rows,)] = con.execute(
        "SELECT (SELECT count(*) FROM daily_revenue) * (SELECT count(DISTINCT program_currency) FROM program_earners)"
    ).fetchall()
    return rows // BUCKET_REVENUE + 1


def open_partners(con: duckdb.DuckDBPyConnection, number: int = 0, count: int = 1) -> None:
    """Make `judged_partners`: the touched partners of one bucket, or all of them."""
    con.execute(
        "CREATE OR REPLACE TEMP VIEW judged_partners AS FROM touched_partners "
        f"WHERE hash(partner_id) % {count:d} = {number:d}"
    )


def touch_payments(con: duckdb.DuckDBPyConnection) -> None:
    """Make `touched_payments`: those that were proposed, decided on or answered by the bank in the cut."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE touched_payments AS SELECT payment_id FROM clean.payout_payments WHERE {IN_CUT} "
        "UNION SELECT payment_id FROM clean.payout_payments SEMI JOIN "
        f"(FROM clean.payout_approvals WHERE {IN_CUT}) USING (batch_id) "
        f"UNION SELECT payment_id FROM clean.bank_messages WHERE {IN_CUT}"
    )


def _sell(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make `sellers`: partners, by each type they had, whose lines came or changed, and the first day of these lines.

    A line that was corrected counts with what it was before too: that version ends where one of the cut begins.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE sold AS WITH came AS (SELECT transaction_id, seller_id, reseller_id, transaction_on "
        f"FROM clean.transactions WHERE {IN_CUT}) FROM came UNION ALL "
        "SELECT transaction_id, seller_id, reseller_id, transaction_on FROM clean.transactions "
        "SEMI JOIN came USING (transaction_id) WHERE known_to >= getvariable('cut_from')"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE sellers AS SELECT partner_id, partner_type, min(transaction_on) AS first_on "
        "FROM (SELECT seller_id AS partner_id, transaction_on FROM sold UNION ALL SELECT reseller_id, transaction_on FROM sold) "
        "JOIN (SELECT DISTINCT partner_id, partner_type FROM clean.partners WHERE known_from <= $as_of) USING (partner_id) "
        "GROUP BY ALL",
        {"as_of": as_of},
    )


def _is_older(con: duckdb.DuckDBPyConnection, as_of: date) -> bool:
    """Whether the cut brought a line of before all lines that were known."""
    [(first,)] = con.execute(f"SELECT min(transaction_on) FROM clean.transactions WHERE {IN_CUT}").fetchall()
    known = "SELECT 1 FROM clean.transactions WHERE known_from <= $as_of AND delivery_id NOT IN (SELECT delivery_id FROM cut)"
    [(has_known, reaches_back)] = con.execute(
        f"SELECT EXISTS ({known}), EXISTS ({known} AND transaction_on <= $first)", {"first": first, "as_of": as_of}
    ).fetchall()
    return first is not None and has_known and not reaches_back


def stand_under_rules_before(con: duckdb.DuckDBPyConnection, made: pd.DataFrame) -> None:
    """Make `eligibility_under_rules_before`: touched partners' standing by the rules of the run before."""
    con.execute("CREATE OR REPLACE TEMP TABLE eligibility_under_rules_before AS FROM derived.eligibility LIMIT 0")
    store.insert(con, "eligibility_under_rules_before", frames.conform(DERIVED["eligibility"], made))


def stand(con: duckdb.DuckDBPyConnection) -> None:
    """Make `standing`: eligibility as staged for touched partners and as stored for the others.

    Also `standing_before`, as stored for all; `standing_under_rules_before`, as of now by the rules before, for which
    `eligibility_under_rules_before` holds the touched partners where it differs from the staged one; and
    `moved_standing`: the spans of days on which the stored standing of touched ones differs from that, where lines are.
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
    _move(con, fresh["standing_under_rules_before"], stored.format("SEMI"))


def _move(con: duckdb.DuckDBPyConnection, now: str, before: str) -> None:
    """Make `moved_standing` from two standings of the touched partners; each covers all days of those it has."""
    [newest] = con.execute("SELECT max(transaction_on), max(invoice_at)::DATE FROM clean.transactions").fetchall()
    held = "SELECT program, partner_id, valid_from, coalesce(valid_to, DATE '9999-12-31') AS valid_to, is_earning, reason_codes FROM"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE moved_standing AS WITH now AS ({held} {now}), before AS ({held} {before}) "
        "SELECT * FROM (SELECT program, partner_id, greatest(now.valid_from, before.valid_from) AS moved_from, "
        "least(now.valid_to, before.valid_to) AS moved_to FROM now JOIN before USING (program, partner_id) "
        "WHERE now.is_earning IS DISTINCT FROM before.is_earning OR now.reason_codes IS DISTINCT FROM before.reason_codes "
        "UNION ALL SELECT program, partner_id, valid_from, valid_to FROM now ANTI JOIN before USING (program, partner_id) "
        "UNION ALL SELECT program, partner_id, valid_from, valid_to FROM before ANTI JOIN now USING (program, partner_id)"
        ") WHERE moved_from < moved_to AND moved_from <= $newest",
        {"newest": max((day for day in newest if day), default=date.min)},
    )


def touch_lines(con: duckdb.DuckDBPyConnection, as_of: date, *, rules: bool = False, splits: bool = False) -> int:
    """Make `touched_lines`: each line to work out, whether an earlier day knew it, and at which stages it moved; how many.

    Lines that are new, corrected or withdrawn; those of a product, customer or partner that changed, in a currency and
    month whose rate changed, of a customer and a day on which a claim moved, of a partner and a day on which its
    standing moved; in programs with a baseline all when history grows; undecided ones; refunds of any of them. With `rules`, every line, and `splits` says that the split changed too.

    The variable `touched_since` is the first day on which any of them was known. All that was ever stored of a touched
    line is of that day or a later one: a line is worked out and posted only after it is known.
    """
    _call(con, as_of, rules=rules, splits=splits)
    at = ", ".join(f"bool_or(stage = '{stage}') AS at_{stage}" for stage in STAGES)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE touched_lines AS WITH scope AS (SELECT transaction_id, {at} FROM called "
        "GROUP BY transaction_id), live AS (SELECT transaction_id, reverses IS NOT NULL AS is_refund, known_from "
        "FROM called_versions WHERE (known_to IS NULL OR known_to > $as_of) AND NOT is_withdrawn), "
        "before AS (SELECT transaction_id, coalesce(bool_or(contains(reason_codes, 'UNKREV')) FILTER (known_to IS NULL), false) "
        "AS waited FROM derived.decisions SEMI JOIN scope USING (transaction_id) "
        "WHERE known_from >= getvariable('touched_since') GROUP BY transaction_id), "
        "settled AS (SELECT DISTINCT transaction_id FROM called_versions WHERE NOT is_in_cut AND NOT is_withdrawn) "
        "SELECT scope.*, before.transaction_id IS NOT NULL OR settled.transaction_id IS NOT NULL AS is_known, "
        "CASE WHEN live.transaction_id IS NULL THEN 'withdrawn_line' "
        "WHEN (before.transaction_id IS NULL OR waited) AND is_refund THEN 'refund' WHEN before.transaction_id IS NOT NULL THEN "
        "'corrected_line' WHEN live.known_from <= (SELECT max(business_date) FROM derived.runs) THEN 'late_line' "
        "ELSE 'new_line' END AS arrival FROM scope LEFT JOIN live USING (transaction_id) LEFT JOIN before USING (transaction_id) "
        "LEFT JOIN settled USING (transaction_id) "
        "WHERE before.transaction_id IS NOT NULL OR live.transaction_id IS NOT NULL",
        {"as_of": as_of},
    )
    return con.execute("SELECT count(*) FROM touched_lines").fetchall()[0][0]


def _call(con: duckdb.DuckDBPyConnection, as_of: date, *, rules: bool, splits: bool) -> None:
    """Make `called`: each line that something moved, with the stage and a day on which a version of it became known.

    And `called_versions`: all that was delivered of them, which is looked for once among all lines ever known.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE called AS {' UNION '.join(_moved_versions(rules, splits))}", {"as_of": as_of}
    )
    con.execute(
        f"INSERT INTO called SELECT transaction_id, stage, known_from FROM clean.transactions JOIN "
        f"({' UNION '.join(_moved_results())}) AS moved USING (transaction_id)"
    )
    refunds = "INSERT INTO called SELECT line.transaction_id, stage, line.known_from FROM clean.transactions AS line JOIN {} ON line.reverses = {}.transaction_id"
    con.execute("CREATE OR REPLACE TEMP TABLE originals_called AS SELECT DISTINCT transaction_id, stage FROM called")
    con.execute(refunds.replace("{}", "originals_called"))
    # all versions of a line but its last have an end; so the first one is among these or is its only one
    con.execute(
        "SET VARIABLE touched_since = (SELECT min(known_from) FROM (SELECT known_from FROM called UNION ALL "
        "SELECT known_from FROM clean.transactions SEMI JOIN called USING (transaction_id) WHERE known_to IS NOT NULL))"
    )
    # a line that something else moves may refer to another day now, so any move of its partner's standing counts
    con.execute(
        "CREATE OR REPLACE TEMP TABLE also_standing AS SELECT DISTINCT transaction_id, 'eligibility' AS stage, known_from "
        "FROM clean.transactions SEMI JOIN called USING (transaction_id) WHERE known_from >= getvariable('touched_since') AND ("
        + " OR ".join(f"{role} IN (SELECT partner_id FROM moved_standing)" for role in ROLES)
        + " OR customer_id IN (SELECT customer_id FROM associations_now SEMI JOIN moved_standing USING (program, partner_id)))"
    )
    con.execute("INSERT INTO called FROM also_standing")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE called_versions AS SELECT transaction_id, reverses, customer_id, known_from, known_to, is_withdrawn, "
        "delivery_id IN (SELECT delivery_id FROM cut) AS is_in_cut FROM clean.transactions SEMI JOIN called USING (transaction_id) "
        "WHERE known_from >= getvariable('touched_since') AND known_from <= $as_of",
        {"as_of": as_of},
    )


def _moved_versions(rules: bool, splits: bool) -> list[str]:
    """What finds moved lines by what was delivered of them: id, stage, and the day since which a version is known."""
    line = "SELECT transaction_id, '{}', known_from FROM clean.transactions"
    return [
        f"SELECT transaction_id, 'line' AS stage, known_from FROM clean.transactions WHERE {IN_CUT} AND known_from <= $as_of",
        f"{line.format('reference')} JOIN moved_associations USING (customer_id) WHERE greatest(transaction_on, "
        "invoice_at::DATE) >= moved_from AND least(transaction_on, invoice_at::DATE) < moved_to",
        f"{line.format('reference')} WHERE customer_id IN (SELECT customer_id FROM associations_now WHERE partner_id IN "
        f"(SELECT partner_id FROM clean.partners WHERE {IN_CUT}))",
        *(
            f"{line.format('reference')} WHERE {role} IN (SELECT partner_id FROM clean.partners WHERE {IN_CUT})"
            for role in ROLES
        ),
        f"{line.format('reference')} WHERE product_id IN "
        "(SELECT unnest([product_id, product_name]) FROM clean.products "  # of all versions: a product may be renamed
        f"WHERE product_id IN (SELECT product_id FROM clean.products WHERE {IN_CUT}))",
        f"{line.format('reference')} WHERE customer_id IN (SELECT customer_id FROM clean.customers WHERE {IN_CUT})",
        f"{line.format('reference')} WHERE customer_id IN (SELECT customer_id FROM first_purchases WHERE now_on <> before_on)",
        *([line.format("rule")] if rules else []),
        *([line.format("split")] if splits else []),
    ]


def _moved_results() -> list[str]:
    """What finds moved lines by what was worked out of them: id and stage."""
    return [
        "SELECT transaction_id, 'fx' AS stage FROM derived.earnings SEMI JOIN (SELECT from_currency AS currency, fx_month "
        f"FROM clean.fx_rates WHERE {IN_CUT}) USING (currency, fx_month)",
        # of lines that are ineligible for another reason too; what is undecided is looked at again every day
        "SELECT transaction_id, 'fx' FROM derived.decisions SEMI JOIN (SELECT from_currency, fx_month "  # most days bring none: nothing is read
        f"FROM clean.fx_rates WHERE {IN_CUT}) AS rate ON currency = from_currency AND date_trunc('month', reference_on) = fx_month "
        "WHERE known_to IS NULL AND (contains(reason_codes, 'UNKFX') "
        "OR program IN (SELECT program FROM program_earners WHERE has_baseline))",  # which counts what earns nothing too
        "SELECT transaction_id, 'eligibility' FROM derived.decisions JOIN moved_standing USING (program, partner_id) "
        "WHERE known_to IS NULL AND reference_on >= moved_from AND reference_on < moved_to "
        "AND reference_on >= (SELECT min(moved_from) FROM moved_standing)",
        "SELECT transaction_id, 'reference' FROM derived.decisions SEMI JOIN (FROM program_earners WHERE has_baseline) USING (program) "
        "WHERE known_to IS NULL AND getvariable('history_grows')",
        "SELECT transaction_id, lifted_by FROM (SELECT transaction_id, unnest(string_split(reason_codes, ',')) AS reason_code "
        "FROM derived.decisions WHERE decision = 'undecided' AND known_to IS NULL) JOIN reasons USING (reason_code)",
    ]
