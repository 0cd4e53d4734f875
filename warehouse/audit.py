"""Facts for the audit that lie outside the staged tables, written beside them: ledger, volume, references, freshness."""

from datetime import date

import duckdb


def facts(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Fill the schema `staging.audit`; each table names what would be wrong, or what is to be compared."""
    con.execute("CREATE SCHEMA staging.audit")
    for make in (_ledger_differences, _unknown_references, _freshness):
        make(con, day)
    _volume(con, day)


def _ledger_differences(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Lines of this run whose entries, old and new, do not sum to what they should have earned."""
    keys = (
        "transaction_id, program, lever, bracket, partner_id, earning_type, earning_month, currency, program_currency"
    )
    due = " UNION ALL ".join(
        f"SELECT transaction_id, program, lever, bracket, partner_id, '{kind}' AS earning_type, earning_month, currency, "
        f"program_currency, -{kind}_minor AS amount_minor, -program_{kind}_minor AS program_amount_minor "
        "FROM staging.derived.earnings"
        for kind in ("rebate", "coop")
    )
    con.execute(
        f"CREATE TABLE staging.audit.ledger_differences AS SELECT {keys} FROM ("
        f"SELECT {keys}, amount_minor, program_amount_minor FROM staging.derived.earnings_ledger UNION ALL "
        f"SELECT {keys}, amount_minor, program_amount_minor FROM derived.earnings_ledger "
        f"SEMI JOIN (FROM touched_lines WHERE is_known) USING (transaction_id) UNION ALL {due}) GROUP BY ALL "
        "HAVING sum(amount_minor) <> 0 OR sum(program_amount_minor) <> 0"
    )


def _unknown_references(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Partners, products and customers that the run's lines name and that no feed has brought."""
    names = (("seller_id", "partners", "partner_id"), ("reseller_id", "partners", "partner_id"))
    names += (("product_id", "products", "product_id"), ("customer_id", "customers", "customer_id"))
    checks = " UNION ALL ".join(
        f"SELECT '{column}' AS named, run_lines.{column} AS id, count(*) AS lines FROM run_lines "
        f"ANTI JOIN clean.{feed} AS feed ON feed.{key} = run_lines.{column} WHERE run_lines.{column} IS NOT NULL GROUP BY ALL"
        for column, feed, key in names
    )
    con.execute(
        "CREATE TABLE staging.audit.unknown_references AS WITH run_lines AS MATERIALIZED (SELECT seller_id, reseller_id, "
        "product_id, customer_id FROM clean.transactions SEMI JOIN (FROM touched_lines WHERE cause = 'new_line') "
        f"USING (transaction_id)) {checks}"
    )


def _freshness(con: duckdb.DuckDBPyConnection, day: date) -> None:
    con.execute(
        "CREATE TABLE staging.audit.freshness AS SELECT feed, date_diff('day', max(business_date), $day) AS age_days "
        "FROM clean.deliveries WHERE delivery_status = 'accepted' AND business_date <= $day "
        "AND feed NOT IN ('fx_rates', 'products') GROUP BY feed",
        {"day": day},
    )


def _volume(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """The day's rows and revenue as a share of the median of the last seven same weekdays; needs three of them."""
    con.execute(
        "CREATE TABLE staging.audit.volume AS WITH delivered AS ("
        "SELECT business_date, 'rows' AS what, sum(rows_accepted)::DOUBLE AS figure FROM clean.deliveries "
        "WHERE feed = 'transactions' AND delivery_status = 'accepted' GROUP BY ALL UNION ALL "
        "SELECT business_date, currency, sum(accepted_amount)::DOUBLE FROM clean.delivery_amounts "
        "JOIN clean.deliveries USING (delivery_id) WHERE delivery_status = 'accepted' GROUP BY ALL"
        "), before AS (SELECT what, figure FROM delivered WHERE business_date < $day "
        "AND dayofweek(business_date) = dayofweek($day) AND business_date >= $day - INTERVAL 49 DAY"
        "), usual AS (SELECT what, median(figure) AS figure FROM before GROUP BY what HAVING count(*) >= 3) "
        "SELECT what, delivered.figure / usual.figure AS share FROM delivered JOIN usual USING (what) "
        "WHERE business_date = $day AND usual.figure > 0",
        {"day": day},
    )
