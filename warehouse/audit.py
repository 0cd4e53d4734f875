"""Facts for the audit that lie outside the staged tables, written beside them: ledger, volume, references, freshness."""

from datetime import date

import duckdb

from warehouse.cuts import IN_CUT

FEW_LINES = 30
PART_ENTRIES = 8_000_000  # that are compared at once: 52,000,000 do not fit into 1 GiB
PROGRAM_FEEDS = ("enrolments", "users", "tax_invoices")


def facts(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Fill the schema `staging.audit`; each table names what would be wrong, or what is to be compared."""
    con.execute("CREATE SCHEMA staging.audit")
    for make in (_ledger_differences, _lost_lines, _unknown_references, _freshness):
        make(con, day)
    _volume(con, day)


def _ledger_differences(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Lines of this run whose entries, old and new, do not sum to what they should have earned, found part by part."""
    keys = (
        "transaction_id, program, lever, bracket, partner_id, earning_type, earning_month, currency, program_currency"
    )
    due = " UNION ALL ".join(
        f"SELECT transaction_id, program, lever, bracket, partner_id, '{kind}' AS earning_type, earning_month, currency, "
        f"program_currency, -{kind}_minor AS amount_minor, -program_{kind}_minor AS program_amount_minor "
        "FROM staging.derived.earnings"
        for kind in ("rebate", "coop")
    )
    [(entries,)] = con.execute(  # a rule edit that posts nothing has every line compared all the same
        "SELECT (SELECT count(*) FROM staging.derived.earnings_ledger) + 2 * (SELECT count(*) FROM staging.derived.earnings)"
    ).fetchall()
    count = entries // PART_ENTRIES + 1
    for number in range(count):
        into = (
            "INSERT INTO staging.audit.ledger_differences"
            if number
            else "CREATE TABLE staging.audit.ledger_differences AS"
        )
        con.execute(
            f"{into} SELECT {keys} FROM ("
            f"SELECT {keys}, amount_minor, program_amount_minor FROM staging.derived.earnings_ledger "
            "WHERE transaction_id IS NOT NULL UNION ALL "
            f"SELECT {keys}, amount_minor, program_amount_minor FROM derived.earnings_ledger "
            "SEMI JOIN (FROM worked_lines WHERE is_known) USING (transaction_id, program) "
            f"WHERE posted_on >= getvariable('worked_since') UNION ALL {due}) "
            f"WHERE hash(transaction_id) % {count:d} = {number:d} GROUP BY ALL "
            "HAVING sum(amount_minor) <> 0 OR sum(program_amount_minor) <> 0"
        )


def _lost_lines(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Lines that stand in a program in this run, and on which nothing was decided there."""
    con.execute(
        "CREATE TABLE staging.audit.lost_lines AS SELECT transaction_id, program FROM worked_lines "
        "ANTI JOIN staging.derived.decisions USING (transaction_id, program) WHERE is_live"
    )


def _unknown_references(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Partners, products and customers that the run's lines name and no feed has brought; programs that no file describes."""
    partners = "SELECT partner_id AS id FROM clean.partners"
    names = (
        ("seller_id", partners),
        ("reseller_id", partners),
        ("product_id", "SELECT product_id AS id FROM clean.products UNION SELECT product_name FROM clean.products"),
        ("customer_id", "SELECT customer_id AS id FROM clean.customers"),
    )
    checks = " UNION ALL ".join(
        f"SELECT '{column}' AS referring_column, run_lines.{column} AS referred_id, count(*) AS line_count FROM run_lines "
        f"ANTI JOIN ({known}) AS feed ON feed.id = run_lines.{column} WHERE run_lines.{column} IS NOT NULL GROUP BY ALL"
        for column, known in names
    )
    named = " UNION ALL ".join(f"SELECT program FROM clean.{feed} WHERE {IN_CUT}" for feed in PROGRAM_FEEDS)
    checks += (
        f" UNION ALL SELECT 'program', program, count(*) FROM ({named}) ANTI JOIN described_programs USING (program) "
        "WHERE program <> '*' GROUP BY ALL"
    )
    con.execute(
        "CREATE TABLE staging.audit.unknown_references AS WITH run_lines AS MATERIALIZED (SELECT seller_id, reseller_id, "
        "product_id, customer_id FROM clean.transactions SEMI JOIN (FROM touched_lines WHERE NOT is_known) "
        f"USING (transaction_id) WHERE known_from >= getvariable('touched_since')) {checks}"
    )


def _freshness(con: duckdb.DuckDBPyConnection, day: date) -> None:
    con.execute(
        "CREATE TABLE staging.audit.freshness AS SELECT feed, date_diff('day', max(business_date), $day) AS age_days "
        "FROM clean.deliveries WHERE delivery_status = 'accepted' AND business_date <= $day "
        "AND feed NOT IN ('fx_rates', 'products') GROUP BY feed",
        {"day": day},
    )


def _volume(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """The day's rows and revenue as a share of the median of the last seven same weekdays; needs three of them.

    The revenue of a currency that usually has less than 30 lines a day swings by itself and is not looked at, nor is a day
    that is settled, for which late lines may wait when its rules are restated.
    """
    con.execute(
        "CREATE TABLE staging.audit.volume AS WITH delivered AS ("
        "SELECT business_date, 'rows' AS figure, sum(rows_accepted)::DOUBLE AS amount FROM clean.deliveries "
        "WHERE feed = 'transactions' AND delivery_status = 'accepted' GROUP BY ALL UNION ALL "
        "SELECT business_date, currency, sum(accepted_amount)::DOUBLE FROM clean.delivery_amounts "
        "JOIN clean.deliveries USING (delivery_id) WHERE delivery_status = 'accepted' GROUP BY ALL"
        "), before AS (SELECT business_date, figure, amount FROM delivered WHERE business_date < $day "
        "AND dayofweek(business_date) = dayofweek($day) AND business_date >= $day - INTERVAL 49 DAY"
        "), lines AS (SELECT business_date, currency AS figure, count(*) AS line_count FROM clean.transactions "
        "WHERE business_date IN (SELECT business_date FROM before) GROUP BY ALL"
        "), usual AS (SELECT figure, median(amount) AS amount FROM before LEFT JOIN lines USING (business_date, figure) "
        f"GROUP BY figure HAVING count(*) >= 3 AND (figure = 'rows' OR median(coalesce(line_count, 0)) >= {FEW_LINES})) "
        "SELECT figure, least(delivered.amount / usual.amount, 999999)::DECIMAL(18,9) AS share_of_usual, "
        "EXISTS (FROM clean.deliveries WHERE delivery_status = 'accepted' AND business_date = $day "
        "AND volume_accepted_by IS NOT NULL) AS is_volume_accepted "
        "FROM delivered JOIN usual USING (figure) WHERE business_date = $day AND usual.amount > 0 "
        "AND NOT EXISTS (FROM derived.runs WHERE business_date = $day)",
        {"day": day},
    )
