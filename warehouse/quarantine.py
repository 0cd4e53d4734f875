"""Rows that were set aside: looked at, repaired or accepted, and taken in again as a delivery of its own."""

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from warehouse import casting, files, landing, store
from warehouse.tables import FEEDS, Feed

SHOWN = (
    "quarantine_id", "feed", "business_date", "file_name", "line_number", "row_key", "rules_broken", "delivered", "released_by",
)  # fmt: skip


def listed(con: duckdb.DuckDBPyConnection, *, everything: bool) -> list[dict[str, Any]]:
    """Rows set aside, oldest first, with what they were about; released ones only when everything is asked for."""
    scope = "" if everything else "WHERE released_by IS NULL"
    rows = store.rows(
        con,
        f"SELECT {', '.join(SHOWN)} FROM clean.quarantine {scope} ORDER BY business_date, delivery_id, file_name, line_number",
    )
    return [row | {"delivered": _broken_values(row)} for row in rows]


def _broken_values(row: dict[str, Any]) -> str:
    """What was delivered in the columns that broken rules are about."""
    delivered = json.loads(row["delivered"] or "{}")
    columns = dict.fromkeys(rule.partition(":")[2] for rule in row["rules_broken"].split(","))
    return ", ".join(f"{column} [{delivered[column] or ''}]" for column in columns if column in delivered)


def shown(con: duckdb.DuckDBPyConnection, quarantine_id: str) -> dict[str, Any]:
    """One row with its text as delivered; raises LookupError when there is none of that id."""
    rows = store.rows(con, "SELECT * FROM clean.quarantine WHERE quarantine_id = $id", id=quarantine_id)
    if not rows:
        raise LookupError(f"no quarantined row [{quarantine_id}]; see `incentives quarantine list`.")
    row = rows[0]
    return row | {"delivered": json.loads(row["delivered"]) if row["delivered"] else None}


def release(con: duckdb.DuckDBPyConnection, quarantine_id: str, changes: dict[str, str], by: str) -> str:
    """Land the row again with some columns changed, as a delivery that names who did it; the delivery's id.

    Raises LookupError for an unknown or released row or column, for a misshapen row that is not given whole, and for one
    that was delivered again for its day, which releasing it would undo.
    """
    row = shown(con, quarantine_id)
    if row["released_by"]:
        raise LookupError(f"row [{quarantine_id}] was released by delivery [{row['released_by']}].")
    feed = FEEDS[row["feed"]]
    if unknown := sorted(set(changes) - set(feed.delivered)):
        raise LookupError(f"feed [{feed.name}] has no columns {unknown}; it has {list(feed.delivered)}.")
    whole = {name: value for name, value in (row["delivered"] or {}).items() if name in feed.delivered} | changes
    if lacking := [n for n, c in feed.delivered.items() if c not in feed.optional and not whole.get(n)]:
        raise LookupError(f"row [{quarantine_id}] lacks {lacking}; give them with --set column=value.")
    if since := _delivered_since(con, feed, row, whole):
        raise LookupError(
            f"row [{quarantine_id}] was delivered for [{row['business_date']}] since, in [{since}], which holds; "
            "land a delivery if other values are right."
        )
    now = datetime.now(UTC)
    delivery_id = f"{row['business_date']}-{feed.name}-release-{now:%Y%m%dT%H%M%S%f}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "released.jsonl"
        path.write_text(json.dumps(whole) + "\n")
        rows, totals = files.measure(path)
        landing.deliver(
            store.place("landing"),
            [path],
            feed=feed.name,
            business_date=row["business_date"],
            delivery_id=delivery_id,
            mode="delta",
            rows=[rows],
            control_totals=totals if feed.name == "transactions" else None,
            created_at=now,
            settings={"released": quarantine_id, "by": by},
        )
    con.execute("UPDATE clean.quarantine SET released_by = ? WHERE quarantine_id = ?", [delivery_id, quarantine_id])
    return delivery_id


def note_released(con: duckdb.DuckDBPyConnection, manifest: landing.Manifest) -> None:
    """Say of the row that a delivery takes in again that it is released, should whoever landed it have been cut off before."""
    con.execute(
        "UPDATE clean.quarantine SET released_by = $id WHERE quarantine_id = $row AND released_by IS NULL",
        {"id": manifest.delivery_id, "row": manifest.settings.get("released")},
    )


def _delivered_since(
    con: duckdb.DuckDBPyConnection, feed: Feed, row: dict[str, Any], whole: dict[str, Any]
) -> str | None:
    """The delivery, made after the one that set a row aside, that brought the row's key for the same day."""
    texts = ", ".join(f"${name} AS {name}" for name in whole)
    con.execute(f"CREATE OR REPLACE TEMP TABLE released AS SELECT '' AS file_name, 1 AS line_number, {texts}", whole)
    typed, _ = casting.query(feed, set(whole), "released")
    found = con.execute(
        f"SELECT delivery_id FROM clean.{feed.name} SEMI JOIN ({typed}) USING ({', '.join(feed.key)}) "
        "JOIN (SELECT delivery_id, created_at FROM clean.deliveries WHERE delivery_status = 'accepted') USING (delivery_id) "
        "WHERE business_date = $day AND NOT is_withdrawn AND created_at > (SELECT created_at FROM clean.deliveries "
        "WHERE delivery_id = $id AND delivery_status = 'accepted') ORDER BY created_at DESC LIMIT 1",
        {"day": row["business_date"], "id": row["delivery_id"]},
    ).fetchone()
    return found[0] if found else None
