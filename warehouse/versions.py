"""Versions: what was known of each key on each business day, however late or shuffled it arrived.

A row holds from the business date of the delivery that brought it (`known_from`) to that of the next version
(`known_to`). Versions are ordered by (business date, delivery made, delivery id), so the order of arrival changes
nothing of what holds in the end. Content that is delivered again makes no new version; the last day that confirmed it
is kept, by which deliveries of one day that confirm the same are not told apart.
"""

from datetime import date

import duckdb

from warehouse import casting
from warehouse.tables import Derived, Feed

# what a delivery supersedes, also by way of others: one that superseded may have only confirmed what an older one brought
SUPERSEDED = (
    "WITH RECURSIVE chain AS (SELECT CAST($superseded AS VARCHAR) AS delivery_id UNION SELECT supersedes "
    "FROM clean.deliveries JOIN chain USING (delivery_id) WHERE delivery_status = 'accepted' AND supersedes IS NOT NULL) "
    "FROM chain"
)


def as_of(table: str) -> str:
    """The SQL condition that picks the versions of a table known on the day `$as_of`."""
    return f"{table}.known_from <= $as_of AND ({table}.known_to IS NULL OR {table}.known_to > $as_of)"


def take_over(
    con: duckdb.DuckDBPyConnection,
    feed: Feed,
    *,
    delivery_id: str,
    business_date: date,
    is_snapshot: bool,
    supersedes: str | None,
) -> dict[str, int]:
    """Add a staged delivery's rows to `clean.<feed>` as versions; how many were new, corrected, duplicate, withdrawn.

    Expects the staging file attached as `staging` and the delivery already in `clean.deliveries`.
    """
    values = {"id": delivery_id, "day": business_date}
    key, columns = ", ".join(feed.key), ", ".join(feed.columns)
    since = _know(con, feed, business_date)
    [(duplicate, corrected)] = con.execute(
        "SELECT count(*) FILTER (NOT is_other), count(*) FILTER (is_other) FROM known"
    ).fetchall()
    new = con.execute(
        f"INSERT INTO clean.{feed.name} BY NAME SELECT {columns}, $day AS business_date, $id AS delivery_id, file_name, "
        "line_number, $day AS known_from, CAST(NULL AS DATE) AS known_to, CAST(NULL AS DATE) AS confirmed_on, "
        f"false AS is_withdrawn FROM staging.clean.{feed.name} ANTI JOIN known USING ({key})",
        values,
    ).fetchall()[0][0]
    if duplicate:
        con.execute(
            f"UPDATE clean.{feed.name} AS stored SET confirmed_on = greatest(coalesce(confirmed_on, $day), $day) "
            f"FROM known WHERE NOT is_other AND {_matches('stored', 'known', feed.key)} "
            "AND stored.known_from >= $since AND stored.known_from <= $day "
            "AND (stored.known_to IS NULL OR stored.known_to > $day)",
            {"day": business_date, "since": since},
        )
    _absent(con, feed, values, is_snapshot=is_snapshot, supersedes=supersedes)
    _absent_later(con, feed, values)
    [(absent, withdrawn)] = con.execute(
        "SELECT count(*), count(*) FILTER (absent_id = $id) FROM absent", {"id": delivery_id}
    ).fetchall()
    if corrected or absent:
        _respan(con, feed, values, date.min if absent else since)
    return {"new": new, "corrected": corrected, "duplicate": duplicate, "withdrawn": withdrawn}


def _know(con: duckdb.DuckDBPyConnection, feed: Feed, day: date) -> date:
    """Make `known`: the keys of arriving rows that have versions, and whether the one in force is other content.

    The result is the first day on which any of their versions is known.
    """
    key = ", ".join(feed.key)
    same = " AND ".join(f"stored.{c} IS NOT DISTINCT FROM arriving.{c}" for c in feed.columns)
    con.execute(  # first the keys alone, over all days; what is compared is then read of few
        f"CREATE OR REPLACE TEMP TABLE seen AS SELECT {key}, min(known_from) AS since FROM clean.{feed.name} "
        f"SEMI JOIN staging.clean.{feed.name} USING ({key}) GROUP BY ALL"
    )
    since = con.execute("SELECT min(since) FROM seen").fetchall()[0][0] or day
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE known AS SELECT {key}, in_force.{feed.key[0]} IS NULL AS is_other FROM seen LEFT JOIN ("
        f"SELECT {_prefixed(feed.key)} FROM staging.clean.{feed.name} AS arriving JOIN clean.{feed.name} AS stored USING ({key}) "
        "WHERE stored.known_from >= $since AND stored.known_from <= $day AND (stored.known_to IS NULL OR stored.known_to > $day) "
        f"AND NOT stored.is_withdrawn AND {same}) AS in_force USING ({key})",
        {"day": day, "since": since},
    )
    return since


def _absent(
    con: duckdb.DuckDBPyConnection, feed: Feed, values: dict, *, is_snapshot: bool, supersedes: str | None
) -> None:
    """Make `absent`: versions in force that a whole delivery no longer holds.

    What may be a row that was set aside is held, not absent: a row whose known part of the key is the same.
    """
    key, columns = ", ".join(feed.key), ", ".join(feed.columns)
    scope = "true" if is_snapshot else f"stored.delivery_id IN ({SUPERSEDED})" if supersedes else "false"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE absent AS SELECT {columns}, CAST($day AS DATE) AS absent_from, "
        f"CAST($id AS VARCHAR) AS absent_id FROM clean.{feed.name} AS stored "
        f"ANTI JOIN staging.clean.{feed.name} AS arriving USING ({key}) "
        "WHERE stored.known_from <= $day AND (stored.known_to IS NULL OR stored.known_to > $day) "
        f"AND NOT stored.is_withdrawn AND {scope}",
        {**values, **({"superseded": supersedes} if supersedes and not is_snapshot else {})},
    )
    may_be = _may_be("aside", "absent", feed.key)
    con.execute(f"DELETE FROM absent USING staging.clean.set_aside AS aside WHERE {may_be}")


def _absent_later(con: duckdb.DuckDBPyConnection, feed: Feed, values: dict) -> None:
    """Add to `absent` the arriving rows that deliveries which came before them, though made after, would have withdrawn.

    The next snapshot withdraws what it neither holds nor may have set aside; one that supersedes withdraws what it lacks.
    """
    key, columns = ", ".join(feed.key), ", ".join(feed.columns)
    later = con.execute(
        "SELECT business_date, delivery_id, coalesce(supersedes = $id, false) AS is_superseding FROM clean.deliveries "
        "WHERE delivery_status = 'accepted' AND feed = $feed AND (is_superseding OR mode = 'snapshot') "
        "AND (business_date, created_at, delivery_id) > (SELECT (business_date, created_at, delivery_id) "
        "FROM clean.deliveries WHERE delivery_id = $id AND delivery_status = 'accepted') "
        "QUALIFY row_number() OVER (PARTITION BY is_superseding ORDER BY business_date, created_at, delivery_id) = 1",
        {"feed": feed.name, "id": values["id"]},
    ).fetchall()
    for day, delivery_id, is_superseding in later:
        holds = "known_from > $day OR confirmed_on >= $next OR delivery_id = $next_id"
        kept = holds if is_superseding else "NOT is_withdrawn OR known_from > $day"
        _set_aside_later(con, feed, delivery_id)
        confirmed = f"SELECT {key} FROM known WHERE NOT is_other AND {is_superseding}"
        con.execute(
            f"INSERT INTO absent SELECT {columns}, $next, $next_id FROM staging.clean.{feed.name} AS arriving "
            f"ANTI JOIN ({confirmed}) USING ({key}) ANTI JOIN (SELECT {key} FROM clean.{feed.name} WHERE delivery_id <> $id "
            f"AND known_from <= $next AND (known_to IS NULL OR known_to > $next) AND ({kept})) USING ({key}) "
            f"WHERE NOT EXISTS (FROM set_aside_later AS aside WHERE {_may_be('aside', 'arriving', feed.key)})",
            {**values, "next": day, "next_id": delivery_id},
        )


def _set_aside_later(con: duckdb.DuckDBPyConnection, feed: Feed, delivery_id: str) -> None:
    """Make `set_aside_later`: keys of the rows that a delivery set aside, without what may be wrong with them.

    A rule that compares two columns is named after one of them but is about both.
    """
    texts = ", ".join(f"delivered ->> '{name}' AS {name}" for name in feed.delivered)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE texts_aside AS SELECT file_name, line_number, rules_broken, "
        f"{texts} FROM clean.quarantine WHERE delivery_id = $id",
        {"id": delivery_id},
    )
    typed, _ = casting.query(feed, set(feed.delivered), "texts_aside")
    known = [
        f"CASE WHEN NOT regexp_matches(rules_broken, ':{c}(,|$)|(order|other|self):') THEN {c} END AS {c}"
        for c in feed.key
    ]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE set_aside_later AS SELECT {', '.join(known)} FROM ({typed}) "
        "JOIN (SELECT file_name, line_number, rules_broken FROM texts_aside) USING (file_name, line_number)"
    )


def _respan(con: duckdb.DuckDBPyConnection, feed: Feed, values: dict, since: date) -> None:
    """Add the other and the absent versions and order all versions of the touched keys, known since a day, anew."""
    key, columns = ", ".join(feed.key), ", ".join(feed.columns)
    content = f"{columns}, business_date, delivery_id, file_name, line_number"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE touched AS SELECT {key} FROM known WHERE is_other UNION SELECT {key} FROM absent"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE respanned AS WITH made AS ("
        "SELECT delivery_id, created_at FROM clean.deliveries WHERE delivery_status = 'accepted'), versions AS ("
        f"SELECT {content}, confirmed_on, is_withdrawn FROM clean.{feed.name} SEMI JOIN touched USING ({key}) "
        f"WHERE known_from >= $since UNION ALL SELECT {columns}, $day, $id, file_name, line_number, NULL, false "
        f"FROM staging.clean.{feed.name} SEMI JOIN (SELECT * FROM known WHERE is_other) USING ({key}) "
        f"UNION ALL SELECT {columns}, absent_from, absent_id, 'absent', 0, NULL, true FROM absent"
        "), ordered AS (SELECT versions.*, created_at, lead(versions.business_date) OVER later AS next_date "
        "FROM versions JOIN made USING (delivery_id) "
        f"WINDOW later AS (PARTITION BY {key} ORDER BY versions.business_date, created_at, delivery_id)"
        "), again AS (SELECT * EXCLUDE (next_date, created_at) FROM ordered UNION ALL SELECT "
        "* EXCLUDE (next_date, created_at) REPLACE (confirmed_on AS business_date, NULL AS confirmed_on) FROM ordered "
        "WHERE confirmed_on > next_date"
        f") SELECT again.* REPLACE (CASE WHEN confirmed_on > business_date THEN confirmed_on END AS confirmed_on), "
        "business_date AS known_from, lead(business_date) OVER later AS known_to "
        "FROM again JOIN made USING (delivery_id) "
        f"WINDOW later AS (PARTITION BY {key} ORDER BY business_date, created_at, delivery_id)",
        {**values, "since": since},
    )
    con.execute(
        f"DELETE FROM clean.{feed.name} AS stored USING touched WHERE {_matches('stored', 'touched', feed.key)} "
        "AND stored.known_from >= $since",
        {"since": since},
    )
    con.execute(f"INSERT INTO clean.{feed.name} BY NAME SELECT * FROM respanned")


def replace_groups(
    con: duckdb.DuckDBPyConnection, table: Derived, day: date, touched: str, since: date = date.min
) -> int:
    """Take a staged derived table over: of the touched groups, those whose rows changed get a new version.

    `touched` is a table of the groups that the run worked out and that may be stored, none of whose rows is known from
    before `since`. Returns how many rows are new.
    """
    group, columns = ", ".join(table.group), ", ".join(table.columns)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE held AS SELECT {columns} FROM {table.full_name} "
        f"SEMI JOIN {touched} USING ({group}) WHERE known_to IS NULL AND known_from >= $since",
        {"since": since},
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE changed AS SELECT DISTINCT {group} FROM ("
        f"SELECT {columns}, 1 AS side FROM staging.{table.full_name} SEMI JOIN held USING ({group}) "
        f"UNION ALL SELECT {columns}, -1 FROM held) GROUP BY {columns} HAVING sum(side) <> 0"
    )
    con.execute(
        f"UPDATE {table.full_name} AS stored SET known_to = $day FROM changed "
        f"WHERE {_matches('stored', 'changed', table.group)} AND stored.known_to IS NULL AND stored.known_from >= $since",
        {"day": day, "since": since},
    )
    return con.execute(
        f"INSERT INTO {table.full_name} BY NAME SELECT {columns}, CAST($day AS DATE) AS known_from, "
        f"CAST(NULL AS DATE) AS known_to FROM staging.{table.full_name} AS arriving WHERE NOT EXISTS "
        f"(SELECT 1 FROM held WHERE {_matches('arriving', 'held', table.group)}) OR EXISTS "
        f"(SELECT 1 FROM changed WHERE {_matches('arriving', 'changed', table.group)})",
        {"day": day},
    ).fetchall()[0][0]


def _matches(left: str, right: str, columns: tuple[str, ...]) -> str:
    return " AND ".join(f"{left}.{c} = {right}.{c}" for c in columns)


def _may_be(aside: str, row: str, columns: tuple[str, ...]) -> str:
    return " AND ".join(f"({aside}.{c} IS NULL OR {aside}.{c} = {row}.{c})" for c in columns)


def _prefixed(columns: tuple[str, ...]) -> str:
    return ", ".join(f"arriving.{c}" for c in columns)
