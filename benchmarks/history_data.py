"""A warehouse with months of history: one day is settled for real, the days after it are copies shifted in time."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from benchmarks.data import CURRENCIES, FEEDS, RATES, land
from warehouse import books, store

SEED, FIRST = date(2022, 12, 31), date(2023, 1, 1)  # the levers of these days are in force for all that follow
RATED_FROM, RATED_MONTHS = "2021-10-01", 60
DAYS_A_MONTH = 30
LATE_DAYS = 40


@dataclass(frozen=True)
class Scale:
    """How much a day brings, and to how many partners and customers."""

    day_lines: int

    @property
    def partners(self) -> int:
        return max(200, self.day_lines // 4)

    @property
    def fixed(self) -> dict[str, int]:
        providers = max(2, self.partners // 17)
        return {"n": self.partners, "providers": providers, "products": 5_000, "customers": self.day_lines}


# Each asked line: the day `k` after FIRST that brings it, its number `i` on that day, the line that it reverses
# (`of_k`, `of_i`), and what a correction adds to its amount. Ids have no order. One line in 100 is of an earlier day.
LINES = f"""
SELECT md5(k || '/' || i) AS transaction_id, 1000000 + hash(j) % {{providers}} AS seller_id,
    1000000 + hash(j * 7) % {{n}} AS reseller_id, 'c-' || hash(j * 3) % {{customers}} AS customer_id,
    'P' || lpad((hash(j * 5) % {{products}})::VARCHAR, 6, '0') AS product_id, 's-' || hash(j * 3) % 500000 AS subscription_id,
    strftime(TIMESTAMP '{FIRST}' + to_days((k - CASE WHEN i % 100 = 17 THEN 1 + hash(i * 13) % {LATE_DAYS} ELSE 0 END)::INT)
        + to_seconds(i % 86400), '%Y-%m-%dT%H:%M:%SZ') AS transaction_at,
    NULL AS invoice_at, 'new' AS charge_type, CASE WHEN of_i IS NULL THEN '1' ELSE '-1' END AS quantity,
    CASE WHEN of_i IS NULL THEN '' ELSE '-' END || CASE WHEN currency = 'JPY' THEN cents::VARCHAR
        ELSE cents // 100 || '.' || lpad((cents % 100)::VARCHAR, 2, '0') END AS revenue,
    '0' AS tax, currency, 'reseller' AS association, md5(of_k || '/' || of_i) AS reverses
FROM (
    SELECT *, ({CURRENCIES})[1 + (j % 12)::INT] AS currency, added + CASE WHEN hash(j * 7) % {{n}} % 100 = 7
        THEN 1 + hash(j * 11) % 90 ELSE 100 + hash(j * 11) % 90000 END AS cents
    FROM (SELECT *, coalesce(of_i, i) AS j FROM ({{asked}}))
)"""
# A first sale a partner, long ago: it invites, and reaches the trailing revenue that rules ask for (one in 100: not).
FIRST_SALES = f"""
SELECT md5('first/' || i) AS transaction_id, '1000000' AS seller_id, (1000000 + i)::VARCHAR AS reseller_id,
    'c-0' AS customer_id, 'P000000' AS product_id, 's-0' AS subscription_id, '{SEED - timedelta(days=400)}T00:00:00Z' AS transaction_at,
    NULL AS invoice_at, 'new' AS charge_type, '1' AS quantity, CASE WHEN i % 100 = 7 THEN '50.00' ELSE '30000.00' END AS revenue,
    '0' AS tax, 'USD' AS currency, 'reseller' AS association, NULL AS reverses FROM range({{n}}) t(i)"""


def deliver_first_days(root: Path, scale: Scale, work: Path) -> None:
    """All feeds with each partner's first sale, and a day after them the day that is copied."""
    con = _generator(work)
    rates = " UNION ALL ".join(f"({RATES.format(first=month, months=1)})" for month in _rated_months())
    for feed, query in {**FEEDS, "fx_rates": rates, "transactions": FIRST_SALES}.items():
        land(con, root, work, feed, SEED, query.format(**scale.fixed), "csv")
    asked = f"""SELECT 0 AS k, i, CASE WHEN i % 33 = 1 THEN 0 END AS of_k, CASE WHEN i % 33 = 1 THEN i - 1 END AS of_i,
        0 AS added FROM range({scale.day_lines}) t(i)"""
    _deliver_day(con, root, work, FIRST, scale, asked, FEEDS["agreements"])


def deliver_day(root: Path, scale: Scale, work: Path, number: int, lines: int | None = None) -> date:
    """A day so many days after the first one: 1 % late by up to 40 days, 3 % refunds, half of them of earlier lines,
    0.1 % corrections of lines up to 40 days old, five resellers that lost an agreement ten days ago, new customers.
    """
    con, day, count = _generator(work), FIRST + timedelta(days=number), lines or scale.day_lines
    ago, held = f"1 + hash({{}}) % {min(LATE_DAYS, number)}", scale.day_lines // 33
    asked = f"""SELECT {number} AS k, i, CASE WHEN i % 33 <> 1 THEN NULL WHEN i % 2 = 0 THEN {number}
            ELSE {number} - ({ago.format("i")}) END AS of_k,
        CASE WHEN i % 33 <> 1 THEN NULL WHEN i % 2 = 0 THEN i - 1 ELSE hash(i * 17) % {held} * 33 + 5 END AS of_i, 0 AS added
        FROM range({count - count // 1000}) t(i) UNION ALL
        SELECT DISTINCT {number} - ({ago.format("i * 23")}), hash(i * 19) % {held} * 33 + 7, NULL, NULL, 100
        FROM range({count // 1000}) t(i)"""
    lost = f"""SELECT * REPLACE (CASE WHEN partner_id >= 1000000 + {scale.partners - 5}
        THEN '{day - timedelta(days=10)}' ELSE valid_to END AS valid_to) FROM ({FEEDS["agreements"]})"""
    _deliver_day(con, root, work, day, scale, asked, lost)
    fresh = FEEDS["customers"].replace("range({customers})", f"range({{customers}}, {{customers}} + {count // 1000})")
    land(con, root, work, "customers", day, fresh.format(**scale.fixed), "csv", mode="delta")
    return day


def _generator(work: Path) -> duckdb.DuckDBPyConnection:
    work.mkdir(parents=True, exist_ok=True)
    return duckdb.connect()


def _rated_months() -> list[date]:
    first = date.fromisoformat(RATED_FROM)
    months = [first.month - 1 + number for number in range(RATED_MONTHS)]
    return [date(first.year + month // 12, month % 12 + 1, 1) for month in months]


def _deliver_day(
    con: duckdb.DuckDBPyConnection, root: Path, work: Path, day: date, scale: Scale, asked: str, agreements: str
) -> None:
    land(con, root, work, "agreements", day, agreements.format(**scale.fixed), "csv")
    land(con, root, work, "transactions", day, LINES.format(asked=asked, **scale.fixed), "csv")


# What a copied row has otherwise than the settled one; `i` is the line's number, `k` the days by which it is shifted.
SHIFTED = {
    "clean.transactions": "md5({k} || '/' || i) AS transaction_id, transaction_at + to_days({k}) AS transaction_at, "
    "transaction_on + {k} AS transaction_on, business_date + {k} AS business_date, known_from + {k} AS known_from, "
    "'{day}-transactions' AS delivery_id, md5({k} || '/' || of_i) AS reverses",
    "derived.decisions": "md5({k} || '/' || i) AS transaction_id, reference_on + {k} AS reference_on, "
    "date_trunc('month', reference_on + {k})::DATE AS earning_month, known_from + {k} AS known_from",
    "derived.earnings": "md5({k} || '/' || i) AS transaction_id, date_trunc('month', priced_on + {k})::DATE AS earning_month, "
    "date_trunc('month', priced_on + {k})::DATE AS fx_month, known_from + {k} AS known_from",
    "derived.earnings_ledger": "md5({k} || '/' || i) AS transaction_id, "
    "date_trunc('month', priced_on + {k})::DATE AS earning_month, date_trunc('month', priced_on + {k})::DATE AS fx_month, "
    "md5({k} || entry_id)::UUID::VARCHAR AS entry_id, '{day}' AS run_id, posted_on + {k} AS posted_on, "
    "date_trunc('month', posted_on + {k})::DATE AS period",
    "clean.deliveries": "replace(delivery_id, '{first}', '{day}') AS delivery_id, business_date + {k} AS business_date, "
    "created_at + to_days({k}) AS created_at",
    "clean.delivery_amounts": "replace(delivery_id, '{first}', '{day}') AS delivery_id",
    "derived.runs": "'{day}' AS run_id, run_number + {k} AS run_number, business_date + {k} AS business_date, "
    "replace(deliveries, '{first}', '{day}') AS deliveries, CAST(NULL AS VARCHAR) AS chain_head",
}
ADDED = {"i", "of_i", "priced_on"}


def copy_days(home: Path, scale: Scale, days: int) -> None:
    """Add copies of the settled day to a warehouse, until it holds so many days of it.

    The result is what the pipeline would have made of such deliveries; only the last copied run is chained by hashes.
    """
    with store.at(home), store.warehouse() as con:
        _settled_day(con, scale)
        for number in range(1, days):
            if number % DAYS_A_MONTH == 1:
                con.execute("BEGIN")
            for table, shifted in SHIFTED.items():
                _copy_day(con, table, shifted, number)
            if number % DAYS_A_MONTH == 0 or number == days - 1:
                con.execute("COMMIT")
        if days > 1:
            con.execute("UPDATE clean.agreements SET confirmed_on = $last", {"last": FIRST + timedelta(days=days - 1)})
            _chain_last(con)
        con.execute("CHECKPOINT")


def _settled_day(con: duckdb.DuckDBPyConnection, scale: Scale) -> None:
    """Make temporary tables of the settled day's rows, the lines' numbers beside them."""
    con.execute(
        f"CREATE TEMP TABLE numbers AS SELECT md5('0/' || i) AS transaction_id, i FROM range({scale.day_lines}) t(i)"
    )
    con.execute(
        "CREATE TEMP TABLE priced AS SELECT transaction_id, i, any_value(reference_on) AS priced_on "
        "FROM derived.decisions JOIN numbers USING (transaction_id) GROUP BY ALL"
    )
    rows = {
        "clean.transactions": "SELECT line.*, n.i, original.i AS of_i FROM clean.transactions AS line "
        "JOIN numbers AS n USING (transaction_id) LEFT JOIN numbers AS original ON original.transaction_id = line.reverses",
        "clean.deliveries": f"FROM clean.deliveries WHERE business_date = DATE '{FIRST}'",
        "clean.delivery_amounts": f"FROM clean.delivery_amounts WHERE delivery_id = '{FIRST}-transactions'",
        "derived.runs": f"FROM derived.runs WHERE business_date = DATE '{FIRST}'",
    }
    for table in SHIFTED:
        query = rows.get(table, f"SELECT made.*, i, priced_on FROM {table} AS made JOIN priced USING (transaction_id)")
        con.execute(f"CREATE TEMP TABLE {_settled(table)} AS {query}")


def _settled(table: str) -> str:
    return f"settled_{table.split('.')[1]}"


def _copy_day(con: duckdb.DuckDBPyConnection, table: str, shifted: str, number: int) -> None:
    names = {c[0] for c in con.execute(f"DESCRIBE {_settled(table)}").fetchall()}
    left_out = ", ".join(sorted(ADDED & names))
    replaced = shifted.format(k=number, day=FIRST + timedelta(days=number), first=FIRST)
    exclude = f"EXCLUDE ({left_out})" if left_out else ""
    con.execute(f"INSERT INTO {table} BY NAME SELECT * {exclude} REPLACE ({replaced}) FROM {_settled(table)}")


def _chain_last(con: duckdb.DuckDBPyConnection) -> None:
    _, before = books.last(con)
    [(number, run, day)] = con.execute(
        "SELECT max(run_number), arg_max(run_id, run_number), max(business_date) FROM derived.runs WHERE chain_head IS NULL"
    ).fetchall()
    count, hashed = books.entries_of(con, run, day)
    con.execute(
        "UPDATE derived.runs SET entry_count = $count, entries_hash = $hashed, chain_head = $head WHERE run_number = $number",
        {"count": count, "hashed": hashed, "head": books.link(before, run, count, hashed), "number": number},
    )
